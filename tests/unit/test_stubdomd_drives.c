// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/daemon/drives.c src/lib/xen/domain.c src/lib/xen/stubdomain.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c tests/unit/fake_hv.c */
/* CD drives without a medium. */
#include "stubdomd_fixture.h"

#include <errno.h>

#include "stubdom/daemon/drives.h"

static const struct stub_id id = { .stub = 5, .guest = 4, .name = "web1" };

#define QDISK "/local/domain/0/backend/qdisk/5/5632"
#define FRONT "/local/domain/5/device/vbd/5632"
#define REC "/libxl/5/device/vbd/5632"

static void which_drive_is_empty(void **state)
{
	const struct drive empty = {
		.type = "qdisk", .params = "aio:", .device = "cdrom", .backend = QDISK,
	};
	struct drive d = empty;

	(void)state;
	assert_true(drive_is_empty(&d, 5, 5632));
	assert_false(drive_is_empty(&d, 6, 5632));
	assert_false(drive_is_empty(&d, 5, 5696));
	strcpy(d.params, "aio:/a.iso");
	assert_false(drive_is_empty(&d, 5, 5632));
	d = empty;
	strcpy(d.type, "phy");
	assert_false(drive_is_empty(&d, 5, 5632));
	d = empty;
	strcpy(d.device, "disk");
	assert_false(drive_is_empty(&d, 5, 5632));
	d = empty;
	strcpy(d.backend, "/local/domain/3/backend/qdisk/5/5632");
	assert_false(drive_is_empty(&d, 5, 5632));
	d = empty;
	d.taken = true;
	assert_false(drive_is_empty(&d, 5, 5632));
}

/* Nothing of it stays behind when the guest has gone. */
static void the_last_one_goes(void **state)
{
	struct xs_handle *xs = xs_open(0);
	unsigned int done;

	(void)state;
	fix_domains(5, 4, "web1");
	fix_cd(5, 5632, "aio:");
	assert_int_equal(drives_fix(xs, &id, &done), 0);
	assert_int_equal(done, 1);
	assert_null(fake_xs_get("/local/domain/0/backend/qdisk/5"));
	xs_close(xs);
}

static void an_empty_drive_goes(void **state)
{
	struct xs_handle *xs;
	unsigned int done, changes;

	(void)state;
	fix_domains(5, 4, "web1");
	fix_cd(5, 5632, "aio:");
	fix_cd(5, 5696, "aio:");
	fix_cd(5, 832, "aio:/srv/a.iso");
	/* a QEMU that can */
	fix_cd(5, 768, "aio:");
	fake_xs_set("/local/domain/0/backend/qdisk/5/768/state", "2");
	xs = xs_open(0);
	assert_int_equal(drives_fix(xs, &id, &done), 0);
	assert_int_equal(done, 2);
	assert_null(fake_xs_get(QDISK));
	assert_null(fake_xs_get(FRONT));
	/* what libxl reads: a CD, closed, that dom0's kernel serves */
	assert_string_equal(fake_xs_get(REC "/backend"), "/local/domain/0/backend/vbd/5/5632");
	assert_string_equal(fake_xs_get(REC "/type"), "phy");
	assert_string_equal(fake_xs_get(REC "/params"), "");
	assert_string_equal(fake_xs_get(REC "/device-type"), "cdrom");
	assert_string_equal(fake_xs_get(REC "/frontend"), FRONT);
	assert_string_equal(fake_xs_get("/libxl/5/device/vbd/5696/type"), "phy");
	assert_non_null(fake_xs_get("/local/domain/0/backend/qdisk/5/832"));
	assert_string_equal(fake_xs_get("/libxl/5/device/vbd/832/type"), "qdisk");
	assert_string_equal(fake_xs_get("/libxl/5/device/vbd/768/type"), "qdisk");
	changes = fake_xs_changes();
	assert_int_equal(drives_fix(xs, &id, &done), 0);
	assert_int_equal(done, 0);
	assert_int_equal(fake_xs_changes(), changes);
	xs_close(xs);
}

static void the_stubdomain_goes(enum fake_xs_op op, const char *path)
{
	(void)path;
	if (op != FAKE_XS_START)
		return;
	fake_xs_hook(NULL);
	fake_xs_rm("/local/domain/5");
}

static void a_drive_whose_stubdomain_goes(void **state)
{
	struct xs_handle *xs;
	unsigned int done;

	(void)state;
	fix_domains(5, 4, "web1");
	fix_cd(5, 5632, "aio:");
	xs = xs_open(0);
	fake_xs_hook(the_stubdomain_goes);
	assert_int_equal(drives_fix(xs, &id, &done), -ENOENT);
	assert_int_equal(done, 0);
	assert_string_equal(fake_xs_get(REC "/type"), "qdisk");
	fake_xs_fail(FAKE_XS_LIST, NULL, EIO, 1);
	assert_int_equal(drives_fix(xs, &id, &done), -EIO);
	fake_xs_rm("/libxl/5");
	assert_int_equal(drives_fix(xs, &id, &done), 0);
	xs_close(xs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIX_TEST(which_drive_is_empty), FIX_TEST(the_last_one_goes), FIX_TEST(an_empty_drive_goes),
		FIX_TEST(a_drive_whose_stubdomain_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

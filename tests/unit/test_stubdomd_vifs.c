// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/daemon/vifs.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c tests/unit/fake_hv.c */
/* Network cards that were detached. */
#include "stubdomd_fixture.h"

#include <errno.h>

#include "stubdom/daemon/vifs.h"

static const struct stub_id id = { .stub = 5, .guest = 4, .name = "web1" };

#define BACK "/local/domain/0/backend/vif/5/0"
#define MAC "00:16:3e:00:00:21"

/* ---- the decision ---- */

static const struct vif gone = {
	.back = BACK, .front = true, .online = true, .state = 4,
};
static const struct vifs_dom dom = {
	.stub_runs = true, .guest_ran = true, .now = 100000,
};

static void what_is_wanted_is_kept(void **state)
{
	struct vif v = gone;

	(void)state;
	v.wanted = true;
	assert_int_equal(vif_decide(&v, &dom), VIF_KEEP);
	v.wanted = false;
	v.state = 6;		/* closed already */
	v.online = false;
	assert_int_equal(vif_decide(&v, &dom), VIF_KEEP);
	v.state = -1;		/* removed already */
	assert_int_equal(vif_decide(&v, &dom), VIF_KEEP);
	v = gone;
	v.back[0] = '\0';	/* a malformed record */
	assert_int_equal(vif_decide(&v, &dom), VIF_KEEP);
}

static void not_before_the_guest_ran(void **state)
{
	struct vifs_dom d = dom;

	(void)state;
	d.guest_ran = false;
	assert_int_equal(vif_decide(&gone, &d), VIF_WAIT);
	d = dom;
	d.stub_runs = false;
	d.since = 1;
	assert_int_equal(vif_decide(&gone, &d), VIF_WAIT);
}

static void one_step_after_the_other(void **state)
{
	struct vifs_dom d = dom;
	struct vif v = gone;

	(void)state;
	for (v.state = 0; v.state < 6; v.state++)
		assert_int_equal(vif_decide(&v, &d), VIF_CLOSE);
	v.state = 5;
	v.online = false;
	assert_int_equal(vif_decide(&v, &d), VIF_WAIT);
	d.since = d.now - VIF_CLOSE_MS + 1;
	assert_int_equal(vif_decide(&v, &d), VIF_WAIT);
	v.state = 4;
	assert_int_equal(vif_decide(&v, &d), VIF_CLOSE);
	d.since = d.now - VIF_CLOSE_MS;
	assert_int_equal(vif_decide(&v, &d), VIF_CUT);
	v.front = false;
	v.state = 5;
	assert_int_equal(vif_decide(&v, &d), VIF_WAIT);
	d.since = d.now - 2 * VIF_CLOSE_MS;
	assert_int_equal(vif_decide(&v, &d), VIF_REMOVE);
}

/* ---- looking ---- */

static struct xs_handle *start(void)
{
	fix_domains(5, 4, "web1");
	fix_vif(5, 0, 0, MAC, "xenbr0");
	fix_vif(4, 0, 0, MAC, "xenbr0");
	return xs_open(0);
}

static struct vif look(struct xs_handle *xs)
{
	struct vifs vs;

	assert_int_equal(vifs_read(xs, &id, &vs), 0);
	assert_int_equal(vs.count, 1);
	return vs.v[0];
}

static void the_same_card(void **state)
{
	static const struct { const char *node, *value; } changes[] = {
		{ "mac", "00:16:3e:00:00:22" }, { "bridge", "xenbr1" }, { "vlan", "7" },
		{ "backend", "/local/domain/3/backend/vif/4/0" },
		{ "backend", "/local/domain/0/backend/vif/5/0" }, { "backend", "" },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct xs_handle *xs;

		fake_xs_reset();
		xs = start();
		assert_true(look(xs).wanted);
		fake_xs_setf(changes[i].value, "/libxl/4/device/vif/0/%s", changes[i].node);
		assert_false(look(xs).wanted);
		assert_string_equal(look(xs).back, BACK);
		assert_int_equal(look(xs).state, 4);
		assert_true(look(xs).online && look(xs).front);
		xs_close(xs);
	}
}

static void records_that_make_no_sense(void **state)
{
	static const char *const paths[] = {
		"", "/", "/local/domain/0/backend/vif/5/1", "/local/domain/x/backend/vif/5/0",
		"/local/domain/0/backend/vif/5/0/", "/local/domain/99999/backend/vif/5/0",
		"/local/domain/0/backend/vbd/5/0", "/local/domain/00/backend/vif/5/0",
	};
	struct xs_handle *xs = start();

	(void)state;
	fake_xs_rm("/libxl/4/device/vif/0");
	for (unsigned int i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct vif v;

		fake_xs_set("/libxl/5/device/vif/0/backend", paths[i]);
		v = look(xs);
		assert_string_equal(v.back, "");
		assert_int_equal(vif_decide(&v, &dom), VIF_KEEP);
	}
	xs_close(xs);
}

/* A driver domain may write anything into its backend's nodes. */
static void nodes_of_a_driver_domain(void **state)
{
	static const char *const states[] = { "", "x", "-1", "99", "4 ", "18446744073709551616" };
	struct xs_handle *xs;
	struct vif v;

	(void)state;
	fix_domains(5, 4, "web1");
	fix_vif(5, 0, 3, MAC, "xenbr0");
	xs = xs_open(0);
	v = look(xs);
	assert_string_equal(v.back, "/local/domain/3/backend/vif/5/0");
	assert_int_equal(vif_decide(&v, &dom), VIF_CLOSE);
	for (unsigned int i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		fake_xs_set("/local/domain/3/backend/vif/5/0/state", states[i]);
		v = look(xs);
		assert_int_equal(v.state, 0);
		assert_int_equal(vif_decide(&v, &dom), VIF_CLOSE);
		assert_int_equal(vif_close(xs, &v), 0);
		assert_string_equal(fake_xs_get("/local/domain/3/backend/vif/5/0/state"), "5");
	}
	xs_close(xs);
}

static void errors_are_told(void **state)
{
	struct xs_handle *xs = start();
	struct vifs vs;

	(void)state;
	fake_xs_fail(FAKE_XS_READ, "/libxl/4/device/vif/0/mac", EIO, -1);
	assert_int_equal(vifs_read(xs, &id, &vs), -EIO);
	fake_xs_fail(FAKE_XS_READ, "/libxl/4/device/vif/0/backend", EIO, -1);
	assert_int_equal(vifs_read(xs, &id, &vs), -EIO);
	fake_xs_fail(FAKE_XS_LIST, "/libxl/5/device/vif", EIO, 1);
	assert_int_equal(vifs_read(xs, &id, &vs), -EIO);
	fake_xs_rm("/libxl/5/device/vif");
	assert_int_equal(vifs_read(xs, &id, &vs), -ENOENT);
	xs_close(xs);
}

/* ---- acting ---- */

static void closing(void **state)
{
	struct xs_handle *xs = start();
	struct vif v;

	(void)state;
	fake_xs_rm("/libxl/4/device/vif/0");
	v = look(xs);
	assert_int_equal(vif_close(xs, &v), 0);
	assert_string_equal(fake_xs_get(BACK "/online"), "0");
	assert_string_equal(fake_xs_get(BACK "/state"), "5");
	/* closed meanwhile: it stays closed */
	fake_xs_set(BACK "/state", "6");
	assert_int_equal(vif_close(xs, &v), 0);
	assert_string_equal(fake_xs_get(BACK "/state"), "6");
	/* removed meanwhile: nothing is created again */
	fake_xs_rm(BACK);
	assert_int_equal(vif_close(xs, &v), 0);
	assert_null(fake_xs_get(BACK));
	assert_int_equal(vif_cut(xs, &id, &v), 0);
	assert_null(fake_xs_get("/local/domain/5/device/vif/0"));
	fake_xs_fail(FAKE_XS_START, NULL, EIO, 1);
	assert_int_equal(vif_close(xs, &v), -EIO);
	xs_close(xs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIX_TEST(what_is_wanted_is_kept), FIX_TEST(not_before_the_guest_ran),
		FIX_TEST(one_step_after_the_other), FIX_TEST(the_same_card),
		FIX_TEST(records_that_make_no_sense), FIX_TEST(nodes_of_a_driver_domain),
		FIX_TEST(errors_are_told), FIX_TEST(closing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

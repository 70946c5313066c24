// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/virtio/daemon/xsfilter.c src/virtio/daemon/xsproxy.c src/lib/virtio/ids.c src/lib/base/file.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c src/lib/xen/domain.c */
/* trust-01: what a guest's QEMU may ask xenstored for, and how it gets there. */
#include "virtiod_fixture.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <xen/io/xs_wire.h>

#include "virtio/daemon/xsproxy.h"

#define BACK "/local/domain/0/backend/virtio_disk/3/51712"
#define FRONT "/local/domain/3/device/virtio_disk/51712"

static struct xsf f = { .own = 0, .domid = 3 };

/* A string's size with its NUL. */
#define ALLOWS(type, body) xsf_allows(&f, type, body, sizeof(body))

static void reads(void **state)
{
	(void)state;
	assert_true(ALLOWS(XS_READ, "domid"));
	assert_true(ALLOWS(XS_READ, BACK "/state"));
	assert_true(ALLOWS(XS_READ, BACK "/params"));
	assert_true(ALLOWS(XS_READ, FRONT "/ctrl-ref"));
	assert_true(ALLOWS(XS_READ, "/local/domain/0/backend/virtio/3/0/state"));
	assert_true(ALLOWS(XS_WATCH, FRONT "/state\0token"));
	assert_true(ALLOWS(XS_WATCH, BACK "/online\0token"));
	assert_true(ALLOWS(XS_UNWATCH, BACK "/online\0token"));
	/* Other guests, other backends, other kinds, all of them. */
	assert_false(ALLOWS(XS_READ, "/local/domain/0/backend/virtio_disk/4/51712/state"));
	assert_false(ALLOWS(XS_READ, "/local/domain/0/backend/virtio_disk/33/51712/state"));
	assert_false(ALLOWS(XS_READ, "/local/domain/1/backend/virtio_disk/3/51712/state"));
	assert_false(ALLOWS(XS_READ, "/local/domain/0/backend/vbd/3/51712/state"));
	assert_false(ALLOWS(XS_READ, "/local/domain/0/backend/virtio_disk/3"));
	assert_false(ALLOWS(XS_READ, "/local/domain/3/device/vbd/51712/state"));
	assert_false(ALLOWS(XS_READ, "/local/domain/4/device/virtio_disk/51712/state"));
	assert_false(ALLOWS(XS_READ, "/local/domain/3/name"));
	assert_false(ALLOWS(XS_READ, "/libxl/3"));
	assert_false(ALLOWS(XS_READ, "name"));
	assert_false(ALLOWS(XS_READ, ""));
	assert_false(ALLOWS(XS_WATCH, "@releaseDomain\0token"));
	assert_false(ALLOWS(XS_WATCH, "domid\0token"));
	assert_false(ALLOWS(XS_WATCH, "/local/domain/0/backend/virtio_disk\0token"));
}

/* xenstored must not see another path in it than we do. */
static void paths_are_plain(void **state)
{
	(void)state;
	assert_false(ALLOWS(XS_READ, BACK "/"));
	assert_false(ALLOWS(XS_READ, BACK "//state"));
	assert_false(ALLOWS(XS_READ, BACK "/../51713/state"));
	assert_false(ALLOWS(XS_READ, BACK "/a/b"));
	assert_false(ALLOWS(XS_READ, BACK "x"));
	assert_false(ALLOWS(XS_READ, "/local/domain/0/backend/virtio_disk/3/0051712/state"));
	assert_false(ALLOWS(XS_READ, "/local/domain/0/backend/virtio_disk/3/99999999999/state"));
	assert_false(ALLOWS(XS_READ, "/local/domain/0/backend/virtio_disk/3//state"));
	assert_false(ALLOWS(XS_READ, "local/domain/0/backend/virtio_disk/3/51712/state"));
	assert_false(ALLOWS(XS_READ, BACK "/state\0more"));
	assert_false(xsf_allows(&f, XS_READ, BACK "/state", strlen(BACK "/state")));
	assert_false(xsf_allows(&f, XS_READ, "", 0));
	assert_false(ALLOWS(XS_WATCH, BACK "/state"));
	assert_false(ALLOWS(XS_WATCH, BACK "/state\0token\0more"));
}

static void writes(void **state)
{
	(void)state;
	assert_true(xsf_allows(&f, XS_WRITE, BACK "/state\0004", sizeof(BACK "/state\0004") - 1));
	assert_true(ALLOWS(XS_WRITE, BACK "/virtio-xenbus-error\0why"));
	assert_true(ALLOWS(XS_WRITE, BACK "/backend-instance\0007"));
	assert_true(ALLOWS(XS_RM, BACK "/virtio-xenbus-error"));
	/* The toolstack's, ours, the guest's. */
	assert_false(ALLOWS(XS_WRITE, BACK "/online\0001"));
	assert_false(ALLOWS(XS_WRITE, BACK "/params\0/dev/vda"));
	assert_false(ALLOWS(XS_WRITE, BACK "/type\0virtio,device2;path=/etc/shadow"));
	assert_false(ALLOWS(XS_WRITE, BACK "/frontend-id\0004"));
	assert_false(ALLOWS(XS_WRITE, BACK "/sector-size\000512"));
	assert_false(ALLOWS(XS_WRITE, BACK "/state/below\0001"));
	assert_false(ALLOWS(XS_WRITE, BACK "\0001"));
	assert_false(ALLOWS(XS_WRITE, FRONT "/state\0001"));
	assert_false(ALLOWS(XS_RM, BACK));
	assert_false(ALLOWS(XS_RM, BACK "/online"));
	assert_false(xsf_allows(&f, XS_WRITE, BACK "/state", strlen(BACK "/state")));
}

static void nothing_else(void **state)
{
	(void)state;
	for (uint32_t type = 0; type < 64; type++) {
		if (type == XS_READ || type == XS_WRITE || type == XS_RM || type == XS_WATCH || type == XS_UNWATCH ||
		    type == XS_TRANSACTION_END)
			continue;
		assert_false(ALLOWS(type, BACK "/state"));
		assert_false(ALLOWS(type, "3"));
		assert_int_equal(ALLOWS(type, ""), type == XS_TRANSACTION_START);
	}
	assert_false(ALLOWS(XS_INVALID, ""));
	assert_true(ALLOWS(XS_TRANSACTION_END, "T"));
	assert_false(ALLOWS(XS_TRANSACTION_END, "X"));
}

static void bounded(void **state)
{
	(void)state;
	for (int i = 0; i < XSF_TRANSACTIONS_MAX; i++) {
		assert_true(ALLOWS(XS_TRANSACTION_START, ""));
		xsf_answered(&f, XS_TRANSACTION_START, NULL);
	}
	assert_false(ALLOWS(XS_TRANSACTION_START, ""));
	/* One that is not there does not make room, one that lost does. */
	xsf_answered(&f, XS_TRANSACTION_END, "ENOENT");
	assert_false(ALLOWS(XS_TRANSACTION_START, ""));
	xsf_answered(&f, XS_TRANSACTION_END, "EAGAIN");
	assert_true(ALLOWS(XS_TRANSACTION_START, ""));
	for (int i = 0; i < XSF_WATCHES_MAX; i++)
		xsf_answered(&f, XS_WATCH, NULL);
	xsf_answered(&f, XS_WATCH, "EEXIST");
	assert_false(ALLOWS(XS_WATCH, BACK "/state\0token"));
	xsf_answered(&f, XS_UNWATCH, "ENOENT");
	assert_false(ALLOWS(XS_WATCH, BACK "/state\0token"));
	xsf_answered(&f, XS_UNWATCH, NULL);
	assert_true(ALLOWS(XS_WATCH, BACK "/state\0token"));
	f.watches = f.transactions = 0;
}

/* ---- a proxy in a process of its own; this one is QEMU and xenstored ---- */

static int qemu, xenstored;
static pid_t proxy;

struct message {
	struct xsd_sockmsg hdr;
	char body[XENSTORE_PAYLOAD_MAX];
};

static int p_setup(void **state)
{
	int a[2], b[2];

	fix_setup(state);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, a), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, b), 0);
	proxy = fork();
	if (!proxy) {
		close(a[0]);
		close(b[0]);
		_exit(-xsproxy_run(a[1], b[1], &f));
	}
	close(a[1]);
	close(b[1]);
	qemu = a[0];
	xenstored = b[0];
	return 0;
}

static int ended(void)
{
	int status;

	assert_int_equal(waitpid(proxy, &status, 0), proxy);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static int p_teardown(void **state)
{
	close(qemu);
	close(xenstored);
	return fix_teardown(state);
}

static void say(int fd, uint32_t type, uint32_t id, const char *body, size_t len)
{
	struct message m = { .hdr = { .type = type, .req_id = id, .tx_id = 5, .len = (uint32_t)len } };

	memcpy(m.body, body, len);
	assert_int_equal(send(fd, &m, sizeof(m.hdr) + len, MSG_NOSIGNAL), sizeof(m.hdr) + len);
}

#define SAY(fd, type, id, body) say(fd, type, id, body, sizeof(body))

static void hears(int fd, uint32_t type, uint32_t id, const char *body)
{
	struct message m;

	assert_int_equal(recv(fd, &m.hdr, sizeof(m.hdr), MSG_WAITALL), sizeof(m.hdr));
	assert_int_equal(m.hdr.type, type);
	assert_int_equal(m.hdr.req_id, id);
	assert_int_equal(m.hdr.tx_id, 5);
	assert_int_equal(recv(fd, m.body, m.hdr.len, MSG_WAITALL), m.hdr.len);
	assert_string_equal(m.body, body);
}

static void passes_on(void **state)
{
	(void)state;
	SAY(qemu, XS_READ, 1, BACK "/state");
	/* It has asked two things: one at a time. */
	SAY(qemu, XS_READ, 2, FRONT "/state");
	hears(xenstored, XS_READ, 1, BACK "/state");
	SAY(xenstored, XS_WATCH_EVENT, 0, "path");
	hears(qemu, XS_WATCH_EVENT, 0, "path");
	SAY(xenstored, XS_READ, 1, "4");
	hears(qemu, XS_READ, 1, "4");
	hears(xenstored, XS_READ, 2, FRONT "/state");
	SAY(xenstored, XS_ERROR, 2, "ENOENT");
	hears(qemu, XS_ERROR, 2, "ENOENT");
	close(xenstored);
	assert_int_equal(ended(), 0);
}

static void refuses(void **state)
{
	(void)state;
	SAY(qemu, XS_WRITE, 1, "/local/domain/0/outside\0001");
	hears(qemu, XS_ERROR, 1, "EACCES");
	SAY(qemu, XS_RM, 2, "/");
	hears(qemu, XS_ERROR, 2, "EACCES");
	/* xenstored has seen nothing of it. */
	SAY(qemu, XS_READ, 3, "domid");
	hears(xenstored, XS_READ, 3, "domid");
	close(qemu);
	assert_int_equal(ended(), 0);
}

/* However many: they are all answered, those beyond the limit later. */
static void a_flood(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= 2050; i++) {
		SAY(qemu, XS_READ, i, "name");
		hears(qemu, XS_ERROR, i, "EACCES");
	}
	SAY(qemu, XS_READ, 1, "domid");
	hears(xenstored, XS_READ, 1, "domid");
}

static void no_message(void **state)
{
	const struct xsd_sockmsg hdr = { .type = XS_READ, .len = XENSTORE_PAYLOAD_MAX + 1 };

	(void)state;
	assert_int_equal(send(qemu, &hdr, sizeof(hdr), MSG_NOSIGNAL), sizeof(hdr));
	assert_int_equal(ended(), -EPROTO);
}

/* A client that does not listen is left: xenstored would keep all of it. */
static void deaf(void **state)
{
	static char big[4000];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	for (int i = 0; i < 1000; i++) {
		struct message m = { .hdr = { .type = XS_WATCH_EVENT, .len = sizeof(big) } };

		memcpy(m.body, big, sizeof(big));
		if (send(xenstored, &m, sizeof(m.hdr) + sizeof(big), MSG_NOSIGNAL) < 0)
			break;
	}
	assert_int_equal(ended(), -ENOBUFS);
}

int main(void)
{
#define P(fn) cmocka_unit_test_setup_teardown(fn, p_setup, p_teardown)
	const struct CMUnitTest tests[] = {
		FIX_TEST(reads), FIX_TEST(paths_are_plain), FIX_TEST(writes), FIX_TEST(nothing_else), FIX_TEST(bounded),
		P(passes_on), P(refuses), P(a_flood), P(no_message), P(deaf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/virtio/daemon/opened.c src/virtio/daemon/xsfilter.c src/lib/virtio/nodes.c src/lib/virtio/spec.c src/lib/virtio/ids.c src/lib/virtio/probe.c src/lib/virtio/blockdev.c src/lib/net/tap.c src/lib/net/rtnl.c src/lib/base/file.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c src/lib/xen/domain.c */
/* test-pkgs: libsystemd libmnl */
/* trust-01: the process beside a guest's QEMU: files for xen-virtiod, a filtered xenstore for QEMU. */
#include "virtiod_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <xen/io/xs_wire.h>

#include "virtio/ids.h"

/* Its places are the test's, its users stay who they are. */
#undef VD_RUN_DIR
#define VD_RUN_DIR "."
#undef VD_XENSTORE_DIR
#define VD_XENSTORE_DIR "."
#define vd_become fake_become
#define xsproxy_connect fake_connect
#include "virtio/daemon/keeper.c"
#include "virtio/daemon/fetch.c"
#undef xsproxy_connect
int xsproxy_connect(void);
#include "virtio/daemon/xsproxy.c"

static pid_t unit;
static int xenstored[2];

int fake_become(uid_t uid, gid_t gid)
{
	return uid == 2146440003 && gid == uid ? 0 : -EPERM;
}

int fake_connect(void)
{
	return dup(xenstored[1]);
}

/* A process that does not become QEMU, with its keeper. */
static void unit_start(void)
{
	int ready[2];
	char c;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	unit = fork();
	if (!unit) {
		close(ready[0]);
		if (keeper_start(3))
			_exit(1);
		(void)!write(ready[1], "x", 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
}

static void unit_end(void)
{
	kill(unit, SIGKILL);
	waitpid(unit, NULL, 0);
	unit = 0;
}

static int t_setup(void **state)
{
	fix_setup(state);
	fix_dir_enter();
	assert_int_equal(mkdir("3", 0700), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, xenstored), 0);
	close(open("disk.img", O_CREAT | O_WRONLY, 0600));
	fix_guest(3, "web1");
	return 0;
}

static int t_teardown(void **state)
{
	if (unit)
		unit_end();
	close(xenstored[0]);
	close(xenstored[1]);
	fix_dir_leave();
	return fix_teardown(state);
}

static const char *image(const char *options)
{
	static char type[160];

	snprintf(type, sizeof(type), "virtio,device2;path=%s/disk.img;%s", fix_dir, options);
	return type;
}

static void nothing(void *arg)
{
	(void)arg;
}

/* As the daemon gets it, but waiting. */
static int get(uint32_t devid, struct vd_opened *o, char *why)
{
	struct fetch *f;
	sd_event *ev;
	int ret;

	o->n = 0;
	assert_true(sd_event_new(&ev) >= 0);
	f = fetch_begin(ev, 3, (struct vd_id){ VD_KIND_VIRTIO, devid }, nothing, NULL);
	ret = f ? -EINPROGRESS : -errno;
	for (int i = 0; f && i < 100 && (ret = fetch_result(f, o, why)) == -EINPROGRESS; i++)
		sd_event_run(ev, 100000);
	fetch_end(f);
	sd_event_unref(ev);
	return ret;
}

static void opens(void **state)
{
	char why[VD_ERROR_MAX];
	struct vd_opened o;
	struct stat a, b;

	(void)state;
	fix_virtio(VIRTIO(3, 0), image("cache=writeback"));
	fix_virtio(VIRTIO(3, 1), image("cache=writeback;readonly"));
	unit_start();
	assert_int_equal(get(0, &o, why), 0);
	assert_int_equal(o.n, 1);
	assert_int_equal(fstat(o.fd[0], &a), 0);
	assert_int_equal(stat("disk.img", &b), 0);
	assert_true(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	assert_int_equal(fcntl(o.fd[0], F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR);
	assert_int_equal(fcntl(o.fd[0], F_GETFD), FD_CLOEXEC);
	vd_opened_close(&o);
	/* One after the other. */
	assert_int_equal(get(1, &o, why), 0);
	assert_int_equal(fcntl(o.fd[0], F_GETFL) & O_ACCMODE, O_RDONLY);
	vd_opened_close(&o);
}

static void a_console(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "3/console-5" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char why[VD_ERROR_MAX];
	struct vd_opened o;

	(void)state;
	fix_virtio(VIRTIO(3, 5), "virtio,device3");
	unit_start();
	/* Also when one is left of the QEMU before. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(get(5, &o, why), 0);
		assert_int_equal(o.n, 1);
		if (i)
			assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
		vd_opened_close(&o);
	}
	close(fd);
}

static void says_why_not(void **state)
{
	char why[VD_ERROR_MAX];
	struct vd_opened o;

	(void)state;
	fix_virtio(VIRTIO(3, 0), "virtio,device2;path=/nonexistent/disk");
	fix_virtio(VIRTIO(3, 1), "virtio,device77");
	unit_start();
	assert_int_equal(get(0, &o, why), -EIO);
	assert_string_equal(why, "/nonexistent/disk: no such file: create it, or correct the path");
	assert_int_equal(get(1, &o, why), -EIO);
	assert_non_null(strstr(why, "device77 is not supported"));
	assert_int_equal(get(9, &o, why), -EIO);
	assert_string_equal(why, "its nodes cannot be read: No such file or directory");
	assert_int_equal(o.n, 0);
}

/* QEMU has died: the keeper goes with it, and who asks learns that. */
static void ends_with_qemu(void **state)
{
	char why[VD_ERROR_MAX];
	struct vd_opened o;
	int ret = 0;

	(void)state;
	fix_virtio(VIRTIO(3, 0), image("cache=writeback"));
	assert_int_equal(get(0, &o, why), -ENOENT);
	unit_start();
	unit_end();
	for (int i = 0; i < 100 && !ret; i++) {
		ret = get(0, &o, why);
		vd_opened_close(&o);
		usleep(20000);
	}
	assert_true(ret == -ECONNREFUSED || ret == -ECONNRESET);
	/* The next one begins anew. */
	unit_start();
	assert_int_equal(get(0, &o, why), 0);
	vd_opened_close(&o);
}

/* ---- xenstore ---- */

static void say(int fd, uint32_t type, const char *body, size_t len)
{
	struct {
		struct xsd_sockmsg hdr;
		char body[256];
	} m = { .hdr = { .type = type, .req_id = 1, .len = (uint32_t)len } };

	memcpy(m.body, body, len);
	assert_int_equal(send(fd, &m, sizeof(m.hdr) + len, MSG_NOSIGNAL), sizeof(m.hdr) + len);
}

static void hears(int fd, uint32_t type, const char *body)
{
	struct xsd_sockmsg hdr;
	char text[256];

	assert_int_equal(recv(fd, &hdr, sizeof(hdr), MSG_WAITALL), sizeof(hdr));
	assert_int_equal(hdr.type, type);
	assert_in_range(hdr.len, 1, sizeof(text));
	assert_int_equal(recv(fd, text, hdr.len, MSG_WAITALL), hdr.len);
	assert_string_equal(text, body);
}

static void xenstore_for_qemu(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "./xenstore" };
	static const char own[] = VIRTIO(3, 0) "/state", other[] = VIRTIO(4, 0) "/state";
	struct stat st;
	int fd;

	(void)state;
	unit_start();
	/* For whoever QEMU is. */
	assert_int_equal(stat("xenstore", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0666);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	say(fd, XS_READ, other, sizeof(other));
	hears(fd, XS_ERROR, "EACCES");
	say(fd, XS_READ, own, sizeof(own));
	hears(xenstored[0], XS_READ, own);
	say(xenstored[0], XS_READ, "4", 2);
	hears(fd, XS_READ, "4");
	close(fd);
}

/* More than it needs are refused, and that does not last. */
static void few_at_a_time(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "./xenstore" };
	static const char other[] = VIRTIO(4, 0) "/state";
	int fd[PROXIES_MAX + 1];
	struct xsd_sockmsg hdr;

	(void)state;
	unit_start();
	for (int i = 0; i <= PROXIES_MAX; i++) {
		fd[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(fd[i], (struct sockaddr *)&a, sizeof(a)), 0);
		if (i == PROXIES_MAX)
			break;
		say(fd[i], XS_READ, other, sizeof(other));
		hears(fd[i], XS_ERROR, "EACCES");
	}
	assert_true(recv(fd[PROXIES_MAX], &hdr, sizeof(hdr), 0) <= 0);
	for (int i = 0; i <= PROXIES_MAX; i++)
		close(fd[i]);
	for (int i = 0; i < 100; i++) {
		fd[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(fd[0], (struct sockaddr *)&a, sizeof(a)), 0);
		if (send(fd[0], &(struct xsd_sockmsg){ .type = XS_READ }, sizeof(hdr), MSG_NOSIGNAL) == sizeof(hdr) &&
		    recv(fd[0], &hdr, sizeof(hdr), 0) == sizeof(hdr)) {
			close(fd[0]);
			return;
		}
		close(fd[0]);
		usleep(20000);
	}
	fail_msg("no connection after the others were closed");
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, t_setup, t_teardown)
	const struct CMUnitTest tests[] = {
		T(opens), T(a_console), T(says_why_not), T(ends_with_qemu), T(xenstore_for_qemu), T(few_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

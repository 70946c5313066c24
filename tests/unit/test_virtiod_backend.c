// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/lib/virtio/nodes.c src/lib/virtio/spec.c src/lib/virtio/ids.c src/virtio/daemon/sectors.c src/virtio/daemon/steps.c src/virtio/daemon/opened.c src/virtio/daemon/identity.c src/lib/net/tap.c src/lib/net/rtnl.c src/virtio/daemon/option.c src/virtio/daemon/argv.c src/lib/virtio/probe.c src/lib/virtio/probing.c src/lib/virtio/blockdev.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c src/lib/xen/domain.c */
/* test-pkgs: json-c libmnl */
/* What the unit runs before and after QEMU; and the nodes it reads and writes. */
#include "virtiod_fixture.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "virtio/ids.h"

static char dir[64];

/* Files of the unit go below a directory of the test. */
#undef VD_RUN_DIR
#define VD_RUN_DIR "."
#define VD_SYS_NET "."
static int fake_execv(const char *program, char *const *argv);
/* Who it became; this process stays who it is. */
#define vd_become fake_become
#define vd_opened_open fake_opened_open
#define execv fake_execv
#include "virtio/daemon/backend.c"
#undef execv
#include "virtio/mark.c"
#undef vd_become
#undef vd_opened_open
int vd_become(uid_t uid, gid_t gid);
int vd_opened_open(struct vd_opened *o, const char *path, uint32_t domid, struct vd_id id,
		   const struct vd_spec *s, const struct vd_found *found, char *error);

static char ran[8192];
static uid_t became;
static unsigned int keepers;
static int open_error;

int fake_become(uid_t uid, gid_t gid)
{
	(void)gid;
	became = uid;
	return 0;
}

/* No tap is here: a card gets files that are none.  Not every /tmp has direct I/O. */
int fake_opened_open(struct vd_opened *o, const char *path, uint32_t domid, struct vd_id id,
		     const struct vd_spec *s, const struct vd_found *found, char *error)
{
	if (open_error) {
		snprintf(error, VD_ERROR_MAX, "%.100s: %s", s->path, strerror(-open_error));
		return open_error;
	}
	if (s->type != VD_NET) {
		struct vd_spec cached = *s;

		cached.cached = true;
		return vd_opened_open(o, path, domid, id, &cached, found, error);
	}
	o->n = vd_opened_count(s, found);
	for (unsigned int i = 0; i < o->n; i++)
		o->fd[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
	return 0;
}

int keeper_start(uint32_t domid)
{
	assert_int_equal(domid, 3);
	keepers++;
	return 0;
}

int devnodes_make(const char **path)
{
	(void)path;
	return 0;
}

static int fake_execv(const char *program, char *const *argv)
{
	(void)program;
	ran[0] = '\0';
	for (; *argv; argv++) {
		strcat(ran, *argv);
		strcat(ran, " ");
	}
	errno = ENOEXEC;
	return -1;
}

static int t_setup(void **state)
{
	fix_setup(state);
	strcpy(dir, "/tmp/virtiod-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(mkdir("3", 0700), 0);
	close(open("disk.img", O_CREAT | O_WRONLY, 0600));
	ran[0] = '\0';
	became = keepers = 0;
	open_error = 0;
	unsetenv("XENSTORED_PATH");
	fix_guest(3, "web1");
	return 0;
}

static int t_teardown(void **state)
{
	unlink("disk.img");
	unlink("3/start");
	unlink("3/qmp");
	unlink("3/events");
	rmdir("3");
	assert_int_equal(chdir("/"), 0);
	rmdir(dir);
	return fix_teardown(state);
}

static char *image(void)
{
	static char path[96];

	snprintf(path, sizeof(path), "%s/disk.img", dir);
	return path;
}

static void starts(void **state)
{
	(void)state;
	fix_disk(DISK(3, 51712), image());
	fix_virtio(VIRTIO(3, 0), "virtio,device4");
	/* Bad ones are closed, ones that go are closed, and nothing else is hurt. */
	fix_virtio(VIRTIO(3, 1), "virtio,device77");
	fix_virtio(VIRTIO(3, 2), "virtio,device2;path=/dev/null");
	/* Is it in no place that this unit sees?  The daemon knows. */
	fix_virtio(VIRTIO(3, 3), "virtio,device2;path=/nonexistent/x");
	fix_virtio(VIRTIO(3, 4), "virtio,device4");
	fix_unplug(VIRTIO(3, 4));
	/* The backend before this one died; or had failed. */
	fix_node(DISK(3, 51712), "state", "4");
	fix_node(VIRTIO(3, 0), "state", "6");
	fix_node(VIRTIO(3, 0), "virtio-xenbus-error", "earlier");
	assert_int_equal(backend_run(3, "/bin/true"), EXIT_FAILURE);
	assert_logged("guest web1 (3): starting /bin/true: Exec format error");
	assert_node(DISK(3, 51712), "state", "1");
	assert_node(VIRTIO(3, 0), "state", "1");
	assert_node(VIRTIO(3, 0), "virtio-xenbus-error", "");
	assert_node(VIRTIO(3, 1), "state", "6");
	assert_node(VIRTIO(3, 1), "virtio-xenbus-error", "device77 is not supported: choose one of 1 net, 2 block, 3 console, 4 rng, 9 9p");
	assert_node(VIRTIO(3, 2), "state", "6");
	assert_logged("guest web1 (3): virtio/2: /dev/null: neither a block device nor a file");
	assert_node(VIRTIO(3, 3), "state", "1");
	assert_not_logged("/nonexistent/x");
	assert_node(VIRTIO(3, 4), "state", "6");
	assert_node(VIRTIO(3, 4), "virtio-xenbus-error", "");
	assert_non_null(strstr(ran, "-xen-domid 3 -name guest=web1 "));
	assert_non_null(strstr(ran, "\"id\":\"virtio_disk-51712.dev\""));
	assert_non_null(strstr(ran, "\"file\":{\"driver\":\"file\",\"filename\":\"/dev/fdset/103425\""));
	assert_non_null(strstr(ran, "\"id\":\"virtio-0.dev\""));
	assert_null(strstr(ran, "virtio-1"));
	assert_null(strstr(ran, "virtio-2"));
	assert_null(strstr(ran, "virtio-3"));
	assert_null(strstr(ran, "virtio-4"));
}

/* trust-01: it is nobody else, and what it has is open: files, the monitors' sockets, one way to xenstored. */
static void a_user_of_its_own(void **state)
{
	struct stat st;
	const char *p;
	int fd = -1;

	(void)state;
	fix_disk(DISK(3, 51712), image());
	assert_int_equal(backend_run(3, "/bin/true"), EXIT_FAILURE);
	assert_int_equal(became, 2146400003);
	assert_int_equal(keepers, 1);
	assert_string_equal(getenv("XENSTORED_PATH"), "/run/xenstore");
	assert_null(strstr(ran, image()));
	/* The disk: open, for QEMU, as QEMU looks for it. */
	p = strstr(ran, "-add-fd fd=");
	assert_non_null(p);
	assert_int_equal(sscanf(p, "-add-fd fd=%d,set=103425", &fd), 1);
	assert_int_equal(fcntl(fd, F_GETFD), 0);
	assert_int_equal(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	/* The monitors. */
	for (int i = 0; i < 2; i++) {
		struct sockaddr_un a = { .sun_family = 0 };
		socklen_t len = sizeof(a);

		p = strstr(ran, i ? "socket,id=events,fd=" : "socket,id=qmp,fd=");
		assert_non_null(p);
		assert_int_equal(sscanf(strstr(p, "fd="), "fd=%d", &fd), 1);
		assert_int_equal(fcntl(fd, F_GETFD), 0);
		/* No path that QEMU could remove when it ends. */
		assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
		assert_string_equal(a.sun_path, i ? "events" : "qmp");
		assert_int_equal(stat(i ? "3/events" : "3/qmp", &st), 0);
	}
}

/* What cannot be opened is closed with the reason, or is the daemon's to add. */
static void cannot_be_opened(void **state)
{
	(void)state;
	fix_disk(DISK(3, 51712), image());
	open_error = -EPERM;
	backend_run(3, "/bin/true");
	assert_node(DISK(3, 51712), "state", "1");
	assert_null(strstr(ran, "virtio_disk"));
	unlink("3/start");
	open_error = -EIO;
	backend_run(3, "/bin/true");
	assert_node(DISK(3, 51712), "state", "6");
	assert_logged("Input/output error");
	assert_null(strstr(ran, "virtio_disk"));
}

/* A directory that the guest may write to makes its QEMU that directory's owner. */
static void who_it_is(void **state)
{
	const struct vd_spec net = { .type = VD_NET }, share = { .type = VD_9P }, reads = { .type = VD_9P, .readonly = true };
	const struct vd_found alice = { .uid = 1000, .gid = 100 }, bob = { .uid = 1001, .gid = 100 };
	struct vd_identity who;

	(void)state;
	vd_identity_init(&who, 32751);
	assert_int_equal(who.uid, 2146432751);
	assert_true(vd_identity_serve(&who, &net, &bob));
	assert_true(vd_identity_serve(&who, &reads, &alice));
	assert_int_equal(who.uid, 2146432751);
	assert_true(vd_identity_serve(&who, &share, &alice));
	assert_int_equal(who.uid, 1000);
	assert_int_equal(who.gid, 100);
	assert_true(vd_identity_serve(&who, &share, &alice));
	assert_false(vd_identity_serve(&who, &share, &bob));
	assert_true(vd_identity_serve(&who, &reads, &bob));
	assert_int_equal(who.uid, 1000);
	/* QEMU's and its proxies' are different, whichever guests' they are. */
	assert_true(VD_UID_QEMU + DOMID_LIMIT <= VD_UID_XENSTORE);
	assert_true(VD_UID_XENSTORE + DOMID_LIMIT < INT32_MAX);
}

/* In a process of its own: what is left of root. */
static int what_is_left(void)
{
	char line[128];
	int bad = vd_become(2146400003, 2146400003) != 0;
	FILE *f = fopen("/proc/self/status", "re");

	bad |= !f || getuid() != 2146400003 || getegid() != 2146400003 || getgroups(0, NULL);
	bad |= !setuid(0) || !seteuid(0) || !setgid(0);
	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "CapPrm:", 7) || !strncmp(line, "CapEff:", 7) || !strncmp(line, "CapInh:", 7))
			bad |= strspn(line + 7, "\t0\n") != strlen(line + 7);
		if (!strncmp(line, "NoNewPrivs:", 11))
			bad |= !strchr(line, '1');
	}
	if (f)
		fclose(f);
	return bad;
}

static void becomes_somebody_else(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(vd_become(0, 0), -EINVAL);
	if (geteuid()) {
		assert_int_equal(vd_become(2146400003, 2146400003), -EPERM);
		return;
	}
	pid = fork();
	if (!pid)
		_exit(what_is_left());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* What its driver has been shown, the next QEMU shows again. */
static void keeps_the_sectors(void **state)
{
	(void)state;
	fix_disk(DISK(3, 51712), image());
	backend_run(3, "/bin/true");
	assert_null(strstr(ran, "block_size"));
	assert_node(DISK(3, 51712), "sector-size", "512");
	fix_node(DISK(3, 51712), "sector-size", "4096");
	unlink("3/start");
	backend_run(3, "/bin/true");
	assert_non_null(strstr(ran, "\"logical_block_size\":4096,\"physical_block_size\":4096"));
	assert_node(DISK(3, 51712), "sector-size", "4096");
	assert_logged("<4>guest web1 (3): virtio_disk/51712: /tmp/virtiod-test-");
	assert_logged(": its sectors have 512 bytes now, the guest goes on with 4096: detach and attach it");
}

static void put_line(const char *path, const char *line)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f, "%s\n", line);
	fclose(f);
}

/* The tap as it is in sysfs, and a start of the backend. */
static void starts_with_tap_of(const char *owner)
{
	put_line("vx3.5/owner", owner);
	unlink("3/start");
	backend_run(3, "/bin/true");
}

/* A card without a tap is the daemon's to add: QEMU would not start with it. */
static void a_card_that_comes_late(void **state)
{
	(void)state;
	fix_disk(DISK(3, 51712), image());
	fix_virtio(VIRTIO(3, 5), "virtio,device1;bridge=b;mac=00:16:3e:00:00:01");
	backend_run(3, "/bin/true");
	assert_non_null(strstr(ran, "virtio_disk"));
	assert_null(strstr(ran, "virtio-5"));
	assert_node(VIRTIO(3, 5), "state", "1");
	/* It is being made: not ours to open yet. */
	assert_int_equal(mkdir("vx3.5", 0700), 0);
	put_line("vx3.5/ifalias", "xen-virtiod");
	starts_with_tap_of("-1");
	assert_null(strstr(ran, "virtio-5"));
	/* trust-08: it is called so, and is somebody else's. */
	put_line("vx3.5/ifalias", "uplink");
	starts_with_tap_of("0");
	assert_null(strstr(ran, "virtio-5"));
	put_line("vx3.5/ifalias", "xen-virtiod");
	starts_with_tap_of("0");
	assert_non_null(strstr(ran, "\"id\":\"virtio-5.dev\""));
	unlink("vx3.5/owner");
	unlink("vx3.5/ifalias");
	rmdir("vx3.5");
}

static void starts_bare(void **state)
{
	(void)state;
	fix_disk(DISK(3, 51712), image());
	backend_run(3, "/bin/true");
	assert_non_null(strstr(ran, "virtio_disk"));
	/* Nobody removed the mark: it came to nothing. */
	backend_run(3, "/bin/true");
	assert_null(strstr(ran, "virtio_disk"));
	assert_logged("the start before this one failed: adding its devices one by one");
	assert_node(DISK(3, 51712), "state", "1");
	unlink("3/start");
	backend_run(3, "/bin/true");
	assert_non_null(strstr(ran, "virtio_disk"));
}

static void no_qemu(void **state)
{
	(void)state;
	fix_disk(DISK(3, 51712), image());
	assert_int_equal(backend_run(3, "/nonexistent/qemu-virtio"), 78);
	assert_node(DISK(3, 51712), "state", "6");
	assert_logged("virtio_disk/51712: /nonexistent/qemu-virtio is missing: install the package qemu-xen-extras");
	assert_string_equal(ran, "");
}

static void ended(void **state)
{
	(void)state;
	fix_disk(DISK(3, 51712), image());
	fix_node(DISK(3, 51712), "state", "4");
	fix_virtio(VIRTIO(3, 0), "virtio,device4");
	fix_unplug(VIRTIO(3, 0));
	fix_virtio(VIRTIO(3, 1), "virtio,device4");
	fix_node(VIRTIO(3, 1), "state", "6");
	fix_virtio(VIRTIO(3, 2), "virtio,device4");
	fix_node(VIRTIO(3, 2), "state", "5");
	assert_int_equal(backend_ended(3), 0);
	assert_node(DISK(3, 51712), "state", "1");
	assert_node(VIRTIO(3, 0), "state", "6");
	assert_node(VIRTIO(3, 1), "state", "6");
	assert_node(VIRTIO(3, 2), "state", "1");
	/* No guest, no devices: nothing comes into being. */
	assert_int_equal(backend_ended(9), 0);
	assert_null(fake_xs_get("/local/domain/0/backend/virtio/9"));
}

static void remove_it(enum fake_xs_op op, const char *path)
{
	(void)path;
	if (op == FAKE_XS_END)
		fake_xs_rm("/local/domain/0/backend/virtio/3/0");
}

/* What the toolstack has removed stays removed. */
static void never_revived(void **state)
{
	struct vd_store st = { .xs = xs_open(0), .own = 0 };
	struct vd_id id = { VD_KIND_VIRTIO, 0 };

	(void)state;
	assert_int_equal(vd_nodes_set_state(&st, 3, id, XenbusStateClosed), -ENOENT);
	assert_int_equal(vd_nodes_fail(&st, 3, id, "why"), -ENOENT);
	assert_null(fake_xs_get(VIRTIO(3, 0)));
	fix_virtio(VIRTIO(3, 0), "virtio,device4");
	fake_xs_hook(remove_it);
	assert_int_equal(vd_nodes_set_state(&st, 3, id, XenbusStateClosed), -ENOENT);
	fake_xs_hook(NULL);
	assert_null(fake_xs_get(VIRTIO(3, 0)));
}

static void listing(void **state)
{
	struct vd_store st = { .xs = xs_open(0), .own = 0 };
	struct vd_node *list;
	uint32_t *guests;
	unsigned int n;

	(void)state;
	fix_disk(DISK(3, 51728), "/dev/b");
	fix_disk(DISK(3, 51712), "/dev/a");
	fix_virtio(VIRTIO(3, 10), "virtio,device4");
	fix_virtio(VIRTIO(3, 9), "virtio,device4");
	fix_virtio(VIRTIO(30000, 10000000), "virtio,device1;bridge=b;mac=00:16:3e:00:00:01");
	fake_xs_set(VIRTIO(3, x), "odd");
	fake_xs_set(VIRTIO(3, 11) "/type", "no state");
	fake_xs_set("/local/domain/0/backend/virtio/junk", "");
	fix_disk(DISK(1, 51712), "/dev/c");
	assert_int_equal(vd_nodes_list(&st, 3, &list, &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(list[0].id.devid, 9);
	assert_int_equal(list[1].id.devid, 10);
	assert_int_equal(list[2].id.devid, 51712);
	assert_string_equal(list[3].spec.path, "/dev/b");
	free(list);
	assert_int_equal(vd_nodes_list(&st, 30000, &list, &n), 0);
	assert_int_equal(n, 1);
	assert_true(list[0].bad);
	assert_string_equal(list[0].error, "its number is too large for a network interface: give it a smaller one");
	free(list);
	assert_int_equal(vd_nodes_guests(&st, &guests, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(guests[0], 1);
	assert_int_equal(guests[1], 3);
	free(guests);
}

static void own_domain(void **state)
{
	struct vd_store st;

	(void)state;
	assert_int_equal(vd_store_init(&st, xs_open(0)), 0);
	assert_int_equal(st.own, 0);
	fake_xs_set("domid", "7");
	assert_int_equal(vd_store_init(&st, xs_open(0)), 0);
	assert_int_equal(st.own, 7);
}

static void probing(void **state)
{
	struct vd_spec s;
	char error[VD_ERROR_MAX], type[128];
	struct vd_found found;

	(void)state;
	vd_spec_parse("virtio,device2;path=/dev/null", &s, error);
	assert_int_equal(vd_probe(&s, false, &found, error), -ENOTBLK);
	assert_string_equal(error, "/dev/null: neither a block device nor a file: correct the path");
	vd_spec_parse("virtio,device9;path=/dev/null;tag=t", &s, error);
	assert_int_equal(vd_probe(&s, false, &found, error), -ENOTDIR);
	/* QEMU is the owner of what the guest may write to, and that is not root. */
	vd_spec_parse("virtio,device9;path=/;tag=t", &s, error);
	assert_int_equal(vd_probe(&s, true, &found, error), -EACCES);
	assert_string_equal(error, "/: it belongs to root: let it belong to another user (chown), or make it read-only");
	vd_spec_parse("virtio,device9;path=/;tag=t;readonly", &s, error);
	assert_int_equal(vd_probe(&s, true, &found, error), 0);
	assert_int_equal(mkdir("share", 0700), 0);
	snprintf(type, sizeof(type), "virtio,device9;path=%s/share;tag=t;readonly", dir);
	vd_spec_parse(type, &s, error);
	assert_int_equal(vd_probe(&s, true, &found, error), -EACCES);
	assert_non_null(strstr(error, "/share: not everybody may read it: run 'chmod o+rx' on it"));
	s.readonly = false;
	if (!geteuid())
		assert_int_equal(chown("share", 1000, 100), 0);
	assert_int_equal(vd_probe(&s, true, &found, error), 0);
	assert_int_equal(found.uid, geteuid() ? geteuid() : 1000);
	rmdir("share");
	vd_spec_parse("virtio,device4", &s, error);
	assert_int_equal(vd_probe(&s, true, &found, error), 0);
}

#define CARD "virtio,device1;bridge=b;mac=00:16:3e:00:00:01"

static void probing_vhost(void **state)
{
	struct vd_spec s;
	char error[VD_ERROR_MAX];
	struct vd_found found;

	(void)state;
	vd_spec_parse(CARD, &s, error);
	assert_int_equal(vd_probe(&s, true, &found, error), 0);
	assert_false(found.vhost);
	vd_spec_parse(CARD ";vhost=on", &s, error);
	assert_int_equal(vd_probe(&s, true, &found, error), -ENOENT);
	assert_string_equal(error, "vhost=on: " VD_VHOST_NET ": No such file or directory: run 'modprobe vhost_net', or leave vhost=on out");

	assert_int_equal(close(open(VD_VHOST_NET, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
	assert_int_equal(vd_probe(&s, true, &found, error), 0);
	assert_true(found.vhost);
	vd_spec_parse(CARD, &s, error);
	assert_int_equal(vd_probe(&s, true, &found, error), 0);
	assert_true(found.vhost);
	vd_spec_parse(CARD ";vhost=off", &s, error);
	assert_int_equal(vd_probe(&s, true, &found, error), 0);
	assert_false(found.vhost);
	vd_spec_parse(CARD ";packed", &s, error);
	assert_int_equal(vd_probe(&s, true, &found, error), 0);
	assert_false(found.vhost);
	unlink(VD_VHOST_NET);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, t_setup, t_teardown)
	const struct CMUnitTest tests[] = {
		T(starts), T(a_user_of_its_own), T(cannot_be_opened), T(who_it_is), T(becomes_somebody_else), T(keeps_the_sectors), T(a_card_that_comes_late), T(starts_bare), T(no_qemu), T(ended), T(never_revived),
		T(listing), T(own_domain), T(probing), T(probing_vhost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

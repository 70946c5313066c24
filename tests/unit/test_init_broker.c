// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/init/qmp_broker.c src/stubdom/init/qmp_msg.c src/lib/qmp/stream.c src/stubdom/init/save.c src/stubdom/init/state_save.c src/stubdom/init/state_io.c src/stubdom/init/transfer.c src/stubdom/init/loop.c src/lib/state/header.c src/lib/state/words.c src/lib/base/sha256_sum.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c */
/* test-pkgs: json-c */
/*
 * The broker's process with real sockets: a link that behaves like vchan (one
 * place to be found, one client per ring), a QEMU that answers, and a real
 * one when it is installed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake_xenstore.h"
#include "state/header.h"
#include "stubdom/init/failure.h"
#include "stubdom/init/loop.h"
#include "stubdom/init/qmp_broker.h"
#include "stubdom/init/save.h"
#include "stubdom/init/spawn.h"
#include "stubdom/init/state_dev.h"

struct log_about init_about = { .domid = -1 };

/* Linked in, but not used: the vchan link and its process. */
struct qmp_link *link_vchan_new(const char *path, unsigned int client)
{
	(void)path;
	(void)client;
	return NULL;
}

int state_dev_open(uint32_t devid, int flags, uint64_t *size)
{
	(void)devid;
	(void)flags;
	(void)size;
	return -ENOSYS;
}

int qmp_connect(const char *path)
{
	(void)path;
	return -ENOSYS;
}

/* The link: a socket stands for ring and xenstore nodes. */

struct link_sock {
	struct qmp_link link;
	struct sockaddr_un sa;
	int ep, listener, conn;
	int hidden_while_waiting;	/* would be a bug */
	int listens, followers;
};

static int ls_listen(struct qmp_link *l)
{
	struct link_sock *s = (struct link_sock *)l;
	struct epoll_event ev = { .events = EPOLLIN };

	s->conn = -1;
	s->ep = epoll_create1(0);
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (bind(s->listener, (struct sockaddr *)&s->sa, sizeof(s->sa)) ||
	    listen(s->listener, 1) ||
	    epoll_ctl(s->ep, EPOLL_CTL_ADD, s->listener, &ev))
		return -errno;
	s->listens++;
	return 0;
}

static void ls_hide(struct qmp_link *l)
{
	struct link_sock *s = (struct link_sock *)l;

	if (s->conn < 0)
		s->hidden_while_waiting++;
	unlink(s->sa.sun_path);
}

static void ls_close(struct qmp_link *l)
{
	struct link_sock *s = (struct link_sock *)l;

	if (s->conn >= 0)
		close(s->conn);
	close(s->listener);
	close(s->ep);
	unlink(s->sa.sun_path);
}

static int ls_fd(struct qmp_link *l)
{
	return ((struct link_sock *)l)->ep;
}

static void ls_event(struct qmp_link *l)
{
	(void)l;
}

/*
 * As with vchan: whether the client is there has nothing to do with what it
 * left to read, and one that found the ring early may follow another in it.
 */
static enum link_state ls_state(struct qmp_link *l)
{
	struct link_sock *s = (struct link_sock *)l;
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	struct pollfd p = { .fd = s->conn };
	int next;

	if (s->conn >= 0 && (poll(&p, 1, 0) != 1 || !(p.revents & POLLHUP)))
		return LINK_OPEN;
	next = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK);
	if (next < 0)
		return s->conn < 0 ? LINK_WAITING : LINK_GONE;
	if (s->conn >= 0) {
		close(s->conn);
		s->followers++;
	}
	s->conn = next;
	epoll_ctl(s->ep, EPOLL_CTL_ADD, s->conn, &ev);
	return ls_state(l);
}

static ssize_t ls_read(struct qmp_link *l, void *buf, size_t len)
{
	ssize_t n = recv(((struct link_sock *)l)->conn, buf, len, 0);

	return n < 0 && errno == EAGAIN ? 0 : n ? n : -1;
}

static ssize_t ls_write(struct qmp_link *l, const void *buf, size_t len)
{
	/* A small ring, so that writes are partial. */
	ssize_t n = send(((struct link_sock *)l)->conn, buf, len > 100 ? 100 : len,
			 MSG_NOSIGNAL);

	return n < 0 && errno == EAGAIN ? 0 : n;
}

/* xen-stubdomd: it answers when the broker looks. */

#define ASK STUBDOM_DATA "/save"
#define ANSWER STUBDOM_DATA "/saved"

static enum { SILENT, YES, NO, WRONG } stubdomd;

/* Its state disks: it answers when the broker looks, and says how it went at `done`. */

#define DEVID 268442368

static enum {
	NO_SERVICE, DISK, DISK_SILENT, DISK_REFUSED, DISK_MALFORMED,
	DISK_FULL, DISK_RESULT_ERROR,
} disks;
static int disk_file = -1, disk_looks;

static const char *tag_of_want(void)
{
	const char *want = fake_xs_get(STATE_DISK_WANT);

	if (!want)
		return NULL;
	assert_int_equal(strncmp(want, "save ", 5), 0);
	assert_int_equal(strlen(want + 5), STATE_DISK_TAG_LEN);
	return want + 5;
}

static void disk_hook(enum fake_xs_op op, const char *path)
{
	const char *tag = tag_of_want();
	char text[256];

	if (disks == NO_SERVICE || !tag)
		return;
	if (op == FAKE_XS_READ && !strcmp(path, STATE_DISK_RESULT) && disks == DISK_REFUSED) {
		snprintf(text, sizeof(text), "%s error other guests are being saved", tag);
		fake_xs_set(STATE_DISK_RESULT, text);
	}
	if (op == FAKE_XS_READ && !strcmp(path, STATE_DISK_DISK)) {
		snprintf(text, sizeof(text), "%s %d 1048576", tag, DEVID);
		if (disks == DISK_MALFORMED)
			fake_xs_set(STATE_DISK_DISK, "what?");
		else if (disks != DISK_SILENT && disks != DISK_REFUSED)
			fake_xs_set(STATE_DISK_DISK, text);
	}
	if (op == FAKE_XS_WRITE && !strcmp(path, STATE_DISK_DONE)) {
		snprintf(text, sizeof(text), "%s %s", tag, disks == DISK_RESULT_ERROR ? "error no space" : "ok");
		fake_xs_set(STATE_DISK_RESULT, text);
	}
}

static int open_disk(uint32_t devid, int flags, uint64_t *size)
{
	assert_int_equal(devid, DEVID);
	assert_int_equal(flags, O_RDWR);
	if (++disk_looks < 3)
		return -EAGAIN;
	*size = STATE_DISK_BLOCK + 1048576;
	return disks == DISK_FULL ? open("/dev/full", O_RDWR) : dup(disk_file);
}

static void stubdomd_hook(enum fake_xs_op op, const char *path)
{
	const char *ask = fake_xs_get(ASK);
	char text[256];

	disk_hook(op, path);
	if (op != FAKE_XS_READ || strcmp(path, ANSWER) || stubdomd == SILENT)
		return;
	assert_non_null(ask);
	assert_int_equal(strtoul(ask, NULL, 10), 100000);
	assert_int_equal(strlen(strchr(ask, ' ') + 1), STUBDOM_TAG_LEN);
	snprintf(text, sizeof(text), "%s%s", stubdomd == WRONG ? "0123456789abcdef0123456789abcdef" :
		 strchr(ask, ' ') + 1, stubdomd == NO ? " disk full" : "");
	fake_xs_set(ANSWER, text);
}

/* A fixture: broker thread, QEMU thread. */

static struct fixture {
	struct link_sock link;
	struct qmp_broker_opts o;
	int qemu;			/* QEMU's end */
	int console;			/* dom0's end of console 1 */
	bool again, stuck;
	char pipe[64];
	pthread_t broker, qemu_thread;
	int ret;
} f;

static void *broker_main(void *arg)
{
	(void)arg;
	f.ret = qmp_broker_run(&f.o);
	return NULL;
}

static void say(int fd, const char *s)
{
	assert_int_equal(write(fd, s, strlen(s)), strlen(s));
}

/* As QEMU: it truncates what it has of fdset 1, and does not seek. */
static void write_state(const char *state, size_t size)
{
	assert_int_equal(ftruncate(f.o.save_qemu, 0), 0);
	assert_int_equal(write(f.o.save_qemu, state, size), size);
}

static size_t state_len = 100000;
static enum { WRITES, REFUSES, REFUSES_HALFWAY, WRITES_NOTHING, DIES, HANGS } qemu_does;

/* ... and a pipe it opens by its name, with the same flags; that it truncates it is not seen. */
static void write_pipe(const char *state, size_t size)
{
	int fd = open(f.pipe, O_WRONLY | O_CREAT | O_TRUNC, 0660);

	assert_true(fd >= 0);
	for (size_t at = 0, n; at < size; at += n) {
		n = size - at < 32768 ? size - at : 32768;
		if (write(fd, state + at, n) != (ssize_t)n)
			break;
	}
	close(fd);
}

/* Where the command says, and whether that is an answer. */
static bool save_state(const char *line, const char *state)
{
	bool by_pipe = strstr(line, f.pipe) != NULL;

	if (qemu_does == REFUSES)
		return false;
	if (!by_pipe)
		write_state(state, state_len);
	else
		write_pipe(state, qemu_does == WRITES_NOTHING ? 0 : qemu_does == WRITES ? state_len : state_len / 2);
	return qemu_does != REFUSES_HALFWAY;
}

/* "slow" is answered after the next command; the state is 100000 bytes. */
static void *qemu_main(void *arg)
{
	char line[4096], whole[4096], slow[128] = "", *id, *end;
	FILE *in = fdopen(dup(f.qemu), "r");
	static const char state[1048576] = { 'Q', 'E', 'V', 'M', 'x' };

	(void)arg;
	if (f.stuck)
		write_pipe(state, 300000);
	say(f.qemu, "{\"QMP\": {\"version\": {\"qemu\": {\"major\": 10}}, \"capabilities\": [\"oob\"]}}\r\n");
	while (fgets(line, sizeof(line), in)) {
		char reply[512];

		strcpy(whole, line);
		id = strstr(line, "\"id\":\"");
		assert_non_null(id);
		id += 6;
		end = strchr(id, '"');
		*end = '\0';
		snprintf(reply, sizeof(reply), "{\"return\": {\"cmd\": \"%.20s\"}, \"id\": \"%s\"}\r\n",
			 strstr(line, "execute") + 10, id);
		for (char *p = strstr(reply, "\"cmd\": \"") + 8; *p != '"' || p[1] != '}'; p++)
			if (*p == '"' || *p == ',' || *p == ':')
				*p = '_';
		if (strstr(line, "slow")) {
			strcpy(slow, reply);
			continue;
		}
		if (strstr(line, "xen-save") && !save_state(whole, state))
			snprintf(reply, sizeof(reply), "{\"error\": {\"class\": \"GenericError\", \"desc\": \"QEMU's own\"}, \"id\": \"%s\"}\r\n", id);
		if (strstr(line, "xen-save") && qemu_does == DIES)
			break;
		if (strstr(line, "xen-save") && qemu_does == HANGS) {
			strcpy(slow, reply);
			continue;
		}
		if (strstr(line, "die"))
			break;
		say(f.qemu, "{\"event\": \"NOISE\"}\r\n");
		say(f.qemu, reply);
		if (slow[0])
			say(f.qemu, slow);
		slow[0] = '\0';
	}
	fclose(in);
	shutdown(f.qemu, SHUT_RDWR);
	return NULL;
}

static int start(int qemu_end)
{
	static const struct qmp_link ops = {
		.listen = ls_listen, .hide = ls_hide, .close = ls_close,
		.fd = ls_fd, .event = ls_event, .state = ls_state,
		.read = ls_read, .write = ls_write,
	};
	int ready[2], p[2];
	char c, path[32];

	f.link.link = ops;
	f.link.sa.sun_family = AF_UNIX;
	snprintf(f.link.sa.sun_path, sizeof(f.link.sa.sun_path),
		 "/tmp/test-broker.%d", getpid());
	if (pipe(ready) || pipe2(p, O_NONBLOCK))
		return -1;
	f.console = p[0];
	snprintf(f.pipe, sizeof(f.pipe), "/tmp/test-broker-pipe.%d", getpid());
	unlink(f.pipe);
	if (mkfifo(f.pipe, 0600))
		return -1;
	f.o = (struct qmp_broker_opts){
		.link = &f.link.link, .qemu = qemu_end, .ready = ready[1], .alive = -1,
		.save_file = memfd_create("state", 0), .save_console = p[1],
		.xs = xs_open(0), .again = f.again,
		.save_pipe = f.pipe, .machine = "xenfv", .open_disk = open_disk,
	};
	snprintf(path, sizeof(path), "/proc/self/fd/%d", f.o.save_file);
	f.o.save_qemu = open(path, O_WRONLY);
	fake_xs_hook(stubdomd_hook);
	if (pthread_create(&f.broker, NULL, broker_main, NULL))
		return -1;
	if (read(ready[0], &c, 1) != 1)
		return -1;
	close(ready[0]);
	close(ready[1]);
	return 0;
}

#define STUCK ((void *)2)

static int setup(void **state)
{
	int sp[2];

	memset(&f, 0, sizeof(f));
	f.again = *state != NULL;
	f.stuck = *state == STUCK;
	fake_xs_reset();
	stubdomd = YES;
	disks = NO_SERVICE;
	qemu_does = WRITES;
	state_len = 100000;
	save_ask_ms = 200;
	broker_save_ms = 60000;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sp))
		return -1;
	f.qemu = sp[1];
	if (start(sp[0]))
		return -1;
	return pthread_create(&f.qemu_thread, NULL, qemu_main, NULL);
}

static int stop(void)
{
	pthread_join(f.broker, NULL);
	close(f.o.qemu);
	close(f.o.save_file);
	close(f.o.save_qemu);
	close(f.o.save_console);
	close(f.console);
	unlink(f.pipe);
	return f.ret || f.link.hidden_while_waiting;
}

static int teardown(void **state)
{
	(void)state;
	shutdown(f.qemu, SHUT_RDWR);
	pthread_join(f.qemu_thread, NULL);
	close(f.qemu);
	return stop();
}

/* The dom0 side: as libxl's proxy, it tries until the way is there. */
static int dial(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	for (int i = 0; i < 5000; i++) {
		if (!connect(fd, (struct sockaddr *)&f.link.sa, sizeof(f.link.sa)))
			return fd;
		usleep(1000);
	}
	fail_msg("no ring within 5 s");
	return -1;
}

/* One message; NULL when there is none for @ms. */
static const char *get(int fd, int ms)
{
	static char line[8192];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t n = 0;

	for (;;) {
		if (poll(&p, 1, ms) != 1 || read(fd, line + n, 1) != 1)
			return NULL;
		if (line[n] == '\n')
			break;
		assert_true(++n < sizeof(line));
	}
	line[n] = '\0';
	return line;
}

/* The next that is no event. */
static const char *answer(int fd, int ms)
{
	const char *s;

	do {
		s = get(fd, ms);
	} while (s && strstr(s, "\"event\""));
	return s;
}

static int session(void)
{
	int fd = dial();

	assert_non_null(strstr(get(fd, 5000), "{\"QMP\":"));
	say(fd, "{\"execute\":\"qmp_capabilities\",\"id\":1}\r\n");
	assert_string_equal(get(fd, 5000), "{\"return\":{},\"id\":1}\r");
	return fd;
}

static void one_session(void **state)
{
	int fd = session();

	(void)state;
	say(fd, "{\"execute\":\"stop\",\"id\":2}\r\n");
	assert_string_equal(get(fd, 5000), "{\"event\":\"NOISE\"}\r");
	assert_non_null(strstr(get(fd, 5000), "\"id\":2}"));
	close(fd);
}

/* Each begins with its greeting and sees nothing of the one before. */
static void many_quick_sessions(void **state)
{
	char want[32];

	(void)state;
	for (int i = 0; i < 200; i++) {
		int fd = session();

		snprintf(want, sizeof(want), "\"id\":%d}", i + 100);
		for (int k = 0; k < i % 4; k++)
			say(fd, "{\"execute\":\"left\",\"id\":-1}\r\n");
		if (i % 3) {
			char cmd[64];

			snprintf(cmd, sizeof(cmd), "{\"execute\":\"mine\",%s\r\n", want);
			say(fd, cmd);
			for (int k = 0; k < i % 4; k++)
				assert_non_null(strstr(answer(fd, 5000), "\"id\":-1}"));
			assert_non_null(strstr(answer(fd, 5000), want));
		}
		close(fd);
	}
	assert_true(f.link.listens >= 200);
}

static void a_late_reply_is_dropped(void **state)
{
	int fd = session();

	(void)state;
	say(fd, "{\"execute\":\"slow\",\"id\":5}\r\n");
	usleep(50000);
	close(fd);
	fd = session();
	/* makes QEMU answer both */
	say(fd, "{\"execute\":\"quick\",\"id\":5}\r\n");
	assert_non_null(strstr(answer(fd, 5000), "quick"));
	assert_null(answer(fd, 200));
	close(fd);
}

/* Came and left before the broker looked. */
static void a_client_that_only_knocks(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		close(dial());
	close(session());
}

static void junk_does_not_reach_qemu(void **state)
{
	int fd = session();
	static char junk[200000];

	(void)state;
	for (size_t i = 0; i < sizeof(junk); i++)
		junk[i] = "{}[]\":,\n\\x"[(i * 7 + i / 13) % 10];
	for (size_t at = 0; at < sizeof(junk);) {
		ssize_t n = send(fd, junk + at, sizeof(junk) - at, MSG_DONTWAIT);
		char sink[4096];

		if (n > 0)
			at += n;
		while (recv(fd, sink, sizeof(sink), MSG_DONTWAIT) > 0)
			;
	}
	close(fd);
	fd = session();
	say(fd, "{\"execute\":\"stop\",\"id\":2}\r\n");
	assert_non_null(strstr(answer(fd, 5000), "stop"));
	close(fd);
}

/*
 * Nor is it kept waiting: libxl's proxy reads no answers while it writes, and
 * serves no other until it has written all.
 */
static void a_client_that_does_not_read(void **state)
{
	static const char cmd[] = "{\"execute\":\"stop\",\"id\":2}\r\n";
	int fd = session();

	(void)state;
	for (int i = 0; i < 20000; i++)
		assert_int_equal(send(fd, cmd, sizeof(cmd) - 1, 0), sizeof(cmd) - 1);
	close(fd);
	fd = session();
	say(fd, "{\"execute\":\"cont\",\"id\":2}\r\n");
	assert_non_null(strstr(answer(fd, 5000), "\"id\":2}"));
	close(fd);
}

#define SAVE "{\"execute\":\"xen-save-devices-state\",\"id\":3,\"arguments\":" \
	     "{\"filename\":\"/dev/fdset/1\"}}\r\n"

static size_t read_console(char *buf, size_t size)
{
	struct pollfd p = { .fd = f.console, .events = POLLIN };
	size_t n = 0;
	ssize_t k;

	while (n < size && poll(&p, 1, 5000) == 1 &&
	       (k = read(f.console, buf + n, size - n)) > 0)
		n += k;
	return n;
}

#define SAVED "{\"return\":{\"cmd\":\"xen-save-devices-sta\"},\"id\":3}\r"
#define WITH_TAG (100000 + STUBDOM_TAG_LEN)

/* The state comes out, its tag behind it; then the answer. */
static const char *save(int fd)
{
	static char buf[WITH_TAG];

	say(fd, SAVE);
	/* 100000 bytes do not fit into the pipe: it must wait */
	assert_null(answer(fd, 300));
	assert_int_equal(read_console(buf, sizeof(buf)), sizeof(buf));
	assert_memory_equal(buf, "QEVM", 4);
	for (int i = 0; i < STUBDOM_TAG_LEN; i++)
		assert_non_null(strchr("0123456789abcdef", buf[100000 + i]));
	return answer(fd, 5000);
}

static void saved_state_is_out_before_the_answer(void **state)
{
	int fd = session();

	(void)state;
	for (int round = 0; round < 3; round++) {
		assert_string_equal(save(fd), SAVED);
		assert_int_equal(lseek(f.o.save_file, 0, SEEK_END), 0);
		/* nothing of it stays in xenstore */
		assert_null(fake_xs_get(ASK));
		assert_null(fake_xs_get(ANSWER));
	}
	close(fd);
}

/* libxl's file would hold the old state before the new one. */
static void a_second_save_needs_dom0(void **state)
{
	int fd = session();

	(void)state;
	stubdomd = SILENT;
	assert_string_equal(save(fd), SAVED);
	assert_non_null(strstr(save(fd), "{\"error\":{\"class\":\"GenericError\",\"desc\":\"A state was saved before, and this one cannot take its place: is xen-stubdomd running"));
	/* libxl lets the guest run on */
	say(fd, "{\"execute\":\"cont\",\"id\":2}\r\n");
	assert_non_null(strstr(answer(fd, 5000), "\"id\":2}"));
	/* an answer to another state is none */
	stubdomd = WRONG;
	assert_non_null(strstr(save(fd), "A state was saved before"));
	stubdomd = YES;
	assert_string_equal(save(fd), SAVED);
	close(fd);
}

/* The broker before this one may have saved a state. */
static void a_new_broker_knows_nothing(void **state)
{
	int fd = session();

	(void)state;
	stubdomd = SILENT;
	assert_non_null(strstr(save(fd), "A state was saved before"));
	stubdomd = YES;
	assert_string_equal(save(fd), SAVED);
	close(fd);
}

static void dom0_says_why_not(void **state)
{
	int fd = session();

	(void)state;
	stubdomd = NO;
	assert_non_null(strstr(save(fd), "\"desc\":\"The device state was not saved: xen-stubdomd: disk full\""));
	/* after an error, libxl unlinks the file that the console is written to */
	stubdomd = SILENT;
	assert_non_null(strstr(save(fd), "A state was saved before"));
	stubdomd = YES;
	assert_string_equal(save(fd), SAVED);
	close(fd);
}

/* libxl would wait for ever, with the guest stopped. */
static void a_save_that_qemu_does_not_answer(void **state)
{
	int fd = session();

	(void)state;
	qemu_does = HANGS;
	broker_save_ms = 200;
	say(fd, SAVE);
	assert_non_null(strstr(answer(fd, 5000), "\"desc\":\"The device state was not saved: QEMU did not complete it in time\""));
	/* One at a time. */
	say(fd, SAVE);
	assert_non_null(strstr(answer(fd, 5000), "error"));
	/* Its answer comes late, to nobody, and a next state is alone in the file. */
	for (int i = 0; i < 2; i++) {
		say(fd, "{\"execute\":\"cont\",\"id\":2}\r\n");
		assert_non_null(strstr(answer(fd, 5000), "\"id\":2}"));
	}
	qemu_does = WRITES;
	broker_save_ms = 60000;
	assert_string_equal(save(fd), SAVED);
	close(fd);
}

/* As when it is stopped: also the commands around a save come to an end. */
static void a_command_that_qemu_does_not_answer(void **state)
{
	int fd = session();

	(void)state;
	broker_save_ms = 200;
	say(fd, "{\"execute\":\"slow\",\"id\":7}\r\n");
	assert_string_equal(answer(fd, 5000), "{\"error\":{\"class\":\"GenericError\",\"desc\":\"QEMU does not answer\"},\"id\":7}\r");
	broker_save_ms = 60000;
	/* What it answers after all goes to nobody. */
	for (int i = 0; i < 2; i++) {
		say(fd, "{\"execute\":\"cont\",\"id\":2}\r\n");
		assert_non_null(strstr(answer(fd, 5000), "\"id\":2}"));
	}
	close(fd);
}

static void console_gone_fails_the_save(void **state)
{
	int fd = session();

	(void)state;
	close(f.console);
	f.console = -1;
	signal(SIGPIPE, SIG_IGN);
	say(fd, SAVE);
	assert_non_null(strstr(answer(fd, 5000), "\"desc\":\"The device state cannot leave the stubdomain"));
	close(fd);
}

/* ---- by disk ---- */

static int setup_disk(void **state)
{
	if (disk_file >= 0)
		close(disk_file);
	disk_file = memfd_create("disk", 0);
	disk_looks = 0;
	if (ftruncate(disk_file, STATE_DISK_BLOCK + 1048576) || setup(state))
		return -1;
	/* no session yet: the broker does not look */
	fake_xs_set(STATE_DISK_SERVED, "1");
	disks = DISK;
	return 0;
}

static void disk_is(size_t len, const char *qemu)
{
	static uint8_t got[1048576];
	char why[STATE_DISK_REASON_MAX + 1];
	struct state_disk_header h;
	struct state_info info;

	assert_int_equal(pread(disk_file, &h, sizeof(h), 0), sizeof(h));
	assert_int_equal(state_header_check(&h, 1048576, &info, why), 0);
	assert_int_equal(info.length, len);
	assert_true(strchr("0123456789", qemu[0]) != NULL);
	assert_string_equal(info.qemu, qemu);
	assert_string_equal(info.machine, "xenfv");
	assert_int_equal(pread(disk_file, got, len, STATE_DISK_BLOCK), len);
	assert_int_equal(state_check(&info, got, why), 0);
}

static void disk_holds(size_t len)
{
	disk_is(len, "10.0.0");
}

static void nothing_is_left(void)
{
	assert_null(fake_xs_get(STATE_DISK_WANT));
	assert_null(fake_xs_get(STATE_DISK_DONE));
	assert_null(fake_xs_get(ASK));
}

#define STOP "{\"execute\":\"stop\",\"id\":1}\r\n"

static const char *save_by_disk(int fd)
{
	disk_looks = 0;
	assert_int_equal(ftruncate(disk_file, 0), 0);
	assert_int_equal(ftruncate(disk_file, STATE_DISK_BLOCK + 1048576), 0);
	say(fd, STOP);
	assert_non_null(strstr(answer(fd, 5000), "\"id\":1}"));
	say(fd, SAVE);
	return answer(fd, 5000);
}

static void states_go_by_disk(void **state)
{
	static const size_t lens[] = { 100000, 1048576, 65536, 10 };
	int fd = session();

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		state_len = lens[i];
		assert_string_equal(save_by_disk(fd), SAVED);
		disk_holds(lens[i]);
		nothing_is_left();
		say(fd, "{\"execute\":\"cont\",\"id\":2}\r\n");
		assert_non_null(strstr(answer(fd, 5000), "\"id\":2}"));
	}
	close(fd);
}

/* libxl's sessions are short: what was asked for early is still there. */
static void a_migration_has_its_disk_early(void **state)
{
	int fd = session();

	(void)state;
	say(fd, "{\"execute\":\"xen-set-global-dirty-log\",\"id\":4,\"arguments\":{\"enable\":true}}\r\n");
	assert_non_null(strstr(answer(fd, 5000), "\"id\":4}"));
	close(fd);
	usleep(100000);
	assert_non_null(fake_xs_get(STATE_DISK_WANT));
	assert_true(disk_looks >= 3);
	fd = session();
	say(fd, STOP);
	answer(fd, 5000);
	say(fd, SAVE);
	assert_string_equal(answer(fd, 5000), SAVED);
	disk_holds(100000);
	/* given up in the middle, and again */
	disk_looks = 0;
	say(fd, "{\"execute\":\"xen-set-global-dirty-log\",\"id\":4,\"arguments\":{\"enable\":true}}\r\n");
	answer(fd, 5000);
	say(fd, "{\"execute\":\"xen-set-global-dirty-log\",\"id\":5,\"arguments\":{\"enable\":false}}\r\n");
	assert_non_null(strstr(answer(fd, 5000), "\"id\":5}"));
	nothing_is_left();
	assert_string_equal(save_by_disk(fd), SAVED);
	close(fd);
}

/* Before QEMU has the command: the console, and the state of this moment. */
static void no_disk_is_the_console(void **state)
{
	int fd = session();
	static const int how[] = { DISK_REFUSED, DISK_MALFORMED };

	(void)state;
	for (int i = 0; i < 2; i++) {
		disks = how[i];
		fake_xs_rm(STATE_DISK_DISK);
		fake_xs_rm(STATE_DISK_RESULT);
		say(fd, STOP);
		answer(fd, 5000);
		/* "what?" stands for a disk that is not removed: 3 s and 5 more */
		usleep(how[i] == DISK_MALFORMED ? 8500000 : 50000);
		assert_string_equal(save(fd), SAVED);
		nothing_is_left();
	}
	close(fd);
}

static void dom0_refuses_the_state(void **state)
{
	int fd = session();

	(void)state;
	disks = DISK_RESULT_ERROR;
	assert_non_null(strstr(save_by_disk(fd), "\"desc\":\"The device state was not saved: xen-stubdomd: no space\""));
	nothing_is_left();
	disks = DISK;
	assert_string_equal(save_by_disk(fd), SAVED);
	disk_holds(100000);
	close(fd);
}

static void a_disk_that_cannot_be_written(void **state)
{
	int fd = session();

	(void)state;
	state_len = 1000000;		/* more than pipes hold: QEMU would wait */
	disks = DISK_FULL;
	assert_non_null(strstr(save_by_disk(fd), "\"desc\":\"The device state was not saved: its disk: No space left on device\""));
	nothing_is_left();
	/* QEMU goes on, and the next save is as good as ever */
	say(fd, "{\"execute\":\"cont\",\"id\":2}\r\n");
	assert_non_null(strstr(answer(fd, 5000), "\"id\":2}"));
	disks = DISK;
	assert_string_equal(save_by_disk(fd), SAVED);
	disk_holds(1000000);
	close(fd);
}

static void what_qemu_does_wrong(void **state)
{
	int fd = session();

	(void)state;
	qemu_does = REFUSES;
	assert_non_null(strstr(save_by_disk(fd), "QEMU's own"));
	qemu_does = REFUSES_HALFWAY;
	assert_non_null(strstr(save_by_disk(fd), "QEMU's own"));
	nothing_is_left();
	qemu_does = WRITES_NOTHING;
	assert_non_null(strstr(save_by_disk(fd), "\"desc\":\"The device state was not saved: QEMU wrote nothing\""));
	qemu_does = WRITES;
	assert_string_equal(save_by_disk(fd), SAVED);
	disk_holds(100000);
	close(fd);
}

/* The broker before this one died while QEMU wrote: QEMU must not wait for ever. */
static void an_old_state_is_read_to_its_end(void **state)
{
	int fd = session();

	(void)state;
	fake_xs_set(STATE_DISK_SERVED, "1");
	disks = DISK;
	assert_string_equal(save_by_disk(fd), SAVED);
	disk_holds(100000);
	close(fd);
}

static void *nothing(void *arg)
{
	return arg;
}

static void qemu_ends_while_it_saves(void **state)
{
	int fd = session();

	(void)state;
	qemu_does = DIES;
	say(fd, STOP SAVE);
	while (get(fd, 5000))
		;
	pthread_join(f.broker, NULL);
	assert_int_equal(f.ret, 0);
	nothing_is_left();
	pthread_create(&f.broker, NULL, nothing, NULL);
	close(fd);
}

static void qemu_ends(void **state)
{
	int fd = session();

	(void)state;
	say(fd, "{\"execute\":\"die\"}\r\n");
	while (get(fd, 5000))
		;
	pthread_join(f.broker, NULL);
	assert_int_equal(f.ret, 0);
	/* for teardown() */
	pthread_create(&f.broker, NULL, nothing, NULL);
	close(fd);
}

/* The same broker in front of a real QEMU. */
static pid_t start_real(void)
{
	static char *argv[] = {
		"qemu", "-accel", "qtest", "-M", "none", "-nodefaults", "-display", "none",
		"-chardev", "socket,id=b,fd=3,server=on,wait=off",
		"-mon", "chardev=b,mode=control", NULL,
	};
	const char *program = getenv("XE_QEMU");
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int l, c;
	pid_t pid;

	/* the stubdomain's, once it is built */
	if (!program || access(program, X_OK)) {
		print_message("XE_QEMU names no QEMU: skipped\n");
		skip();
	}
	memset(&f, 0, sizeof(f));
	l = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "/tmp/test-qmp.%d", getpid());
	assert_int_equal(bind(l, (struct sockaddr *)&sa, sizeof(sa)), 0);
	listen(l, 1);
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	/* before QEMU runs, as in the stubdomain */
	assert_int_equal(connect(c, (struct sockaddr *)&sa, sizeof(sa)), 0);
	pid = fork();
	if (!pid) {
		dup2(l, 3);
		close_range(4, ~0U, 0);
		execv(program, argv);
		_exit(127);
	}
	close(l);
	unlink(sa.sun_path);
	assert_int_equal(start(c), 0);
	return pid;
}

static void end_real(pid_t pid, int fd)
{
	int status;

	say(fd, "{\"execute\":\"quit\"}\r\n");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(fd);
	assert_int_equal(stop(), 0);
}

static void real_qemu(void **state)
{
	pid_t pid;
	int fd;

	(void)state;
	disks = NO_SERVICE;
	pid = start_real();
	for (int i = 0; i < 5; i++) {
		fd = dial();
		assert_non_null(strstr(get(fd, 20000), "\"capabilities\":[]"));
		say(fd, "{\"execute\":\"qmp_capabilities\",\"id\":1}\r\n"
			"{\"execute\":\"query-qmp-schema\",\"id\":2}\r\n");
		assert_non_null(strstr(get(fd, 5000), "\"id\":1"));
		close(fd);
	}
	fd = session();
	say(fd, "{\"execute\":\"query-status\",\"id\":8}\r\n");
	assert_non_null(strstr(answer(fd, 5000), "\"id\":8"));
	say(fd, "{\"execute\":\"no-such\",\"id\":9}\r\n");
	assert_non_null(strstr(answer(fd, 5000), "CommandNotFound"));
	end_real(pid, fd);
}

/* It opens the pipe, truncates nothing, seeks nowhere, and does so again. */
static void real_qemu_saves_by_disk(void **state)
{
	struct state_disk_header h;
	int fd;
	pid_t pid;

	(void)state;
	fake_xs_reset();
	disk_file = memfd_create("disk", 0);
	fake_xs_set(STATE_DISK_SERVED, "1");
	disks = DISK;
	pid = start_real();
	fd = session();
	for (int i = 0; i < 3; i++) {
		const char *reply = save_by_disk(fd);

		assert_string_equal(reply, "{\"return\":{},\"id\":3}\r");
		assert_int_equal(pread(disk_file, &h, sizeof(h), 0), sizeof(h));
		assert_true(h.length >= 9);
		disk_is(h.length, h.qemu);
		nothing_is_left();
		say(fd, "{\"execute\":\"cont\",\"id\":2}\r\n");
		assert_non_null(strstr(answer(fd, 5000), "\"id\":2}"));
	}
	end_real(pid, fd);
}

#define D(t) cmocka_unit_test_setup_teardown(t, setup_disk, teardown)
#define B(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		B(one_session), B(many_quick_sessions),
		B(a_late_reply_is_dropped), B(a_client_that_only_knocks),
		B(junk_does_not_reach_qemu), B(a_client_that_does_not_read),
		B(saved_state_is_out_before_the_answer),
		B(a_second_save_needs_dom0), B(dom0_says_why_not),
		cmocka_unit_test_prestate_setup_teardown(a_new_broker_knows_nothing, setup, teardown, (void *)1),
		B(console_gone_fails_the_save), B(a_save_that_qemu_does_not_answer), B(a_command_that_qemu_does_not_answer), B(qemu_ends),
		D(states_go_by_disk), D(a_migration_has_its_disk_early), D(no_disk_is_the_console),
		D(dom0_refuses_the_state), D(a_disk_that_cannot_be_written), D(what_qemu_does_wrong),
		D(qemu_ends_while_it_saves),
		cmocka_unit_test_prestate_setup_teardown(an_old_state_is_read_to_its_end, setup_disk, teardown, STUCK),
		cmocka_unit_test(real_qemu), cmocka_unit_test(real_qemu_saves_by_disk),
	};

	signal(SIGPIPE, SIG_IGN);
	log_set_level(LOG_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

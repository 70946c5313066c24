// SPDX-License-Identifier: GPL-2.0-or-later
#include "children.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failure.h"
#include "qmp_broker.h"
#include "spawn.h"
#include "stubdom.h"

/* A broker that ends so often within BROKER_CALM_MS is not started again. */
#define BROKER_STARTS	5
#define BROKER_CALM_MS	60000
#define BROKER_AGAIN_MS	200
/* ... but after this: what it failed of, in dom0 perhaps, may have passed. */
#define BROKER_LATER_MS	600000
/* It makes a ring and two xenstore nodes: far less than a second. */
#define BROKER_READY_MS	5000

/* Of xl's commands none waits that long for an answer, but for one: to save. */
int children_late_ms = 60000;

static int wait_byte(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int ret;
	char c;

	do {
		ret = poll(&p, 1, timeout_ms);
	} while (ret < 0 && errno == EINTR);
	if (ret < 0)
		return -errno;
	if (!ret)
		return -ETIMEDOUT;
	return read(fd, &c, 1) == 1 ? 0 : -EPIPE;
}

static void forget_alive(struct children *c)
{
	loop_timer_stop(&c->broker_late);
	if (c->broker_alive.fd < 0)
		return;
	loop_want(c->loop, &c->broker_alive, 0);
	close(c->broker_alive.fd);
	c->broker_alive.fd = -1;
}

static void on_alive(void *arg, uint32_t events)
{
	struct children *c = arg;
	char buf[64];

	(void)events;
	if (read(c->broker_alive.fd, buf, sizeof(buf)) > 0)
		loop_timer_set(c->loop, &c->broker_late, children_late_ms);
	else
		forget_alive(c);
}

static void on_broker_late(void *arg)
{
	struct children *c = arg;

	if (c->loop->overdue_ms > LOOP_STALL_MS) {
		loop_timer_set(c->loop, &c->broker_late, children_late_ms);
		return;
	}
	say_err("QMP broker has not moved for %d s: ending it", children_late_ms / 1000);
	if (c->broker)
		kill(c->broker, SIGKILL);
}

/* From now on it has to show that it is alive.  Takes @fd. */
static int watch_broker(struct children *c, int fd)
{
	c->broker_alive = (struct loop_source){ .fd = fd, .fn = on_alive, .arg = c };
	loop_timer_set(c->loop, &c->broker_late, children_late_ms);
	return loop_want(c->loop, &c->broker_alive, EPOLLIN);
}

static int try_start_broker(struct children *c)
{
	char guest[16];
	char *argv[] = { "qmp-broker", "--qmp-broker", guest,
			 c->broker_ran ? "again" : "first",
			 (char *)c->machine, NULL };
	int fds[BROKER_FD_END - 3], ready[2], out, ret;
	struct child_spec spec = {
		.path = "/proc/self/exe", .argv = argv,
		.uid = STUBDOM_UID_BROKER, .fds = fds, .n_fds = BROKER_FD_END - 3,
	};

	snprintf(guest, sizeof(guest), "%u", c->guest);
	if (pipe2(ready, O_CLOEXEC))
		return -errno;
	fds[BROKER_FD_READY - 3] = ready[1];
	fds[BROKER_FD_SAVE_FILE - 3] = c->save.file;
	fds[BROKER_FD_SAVE_CONSOLE - 3] = c->save.console;
	fds[BROKER_FD_SAVE_QEMU - 3] = c->save.qemu;
	out = out_log_open(&c->broker_log, c->loop, "QMP broker", true);
	ret = out;
	if (out >= 0) {
		spec.out = out;
		ret = child_start(&spec);
		close(out);
	}
	close(ready[1]);
	if (ret > 0) {
		c->broker = ret;
		c->broker_ran = true;
		ret = wait_byte(ready[0], BROKER_READY_MS);
		if (!ret)
			return watch_broker(c, ready[0]);
		/* As if it had ended by itself: it is tried again. */
		kill(c->broker, SIGKILL);
	}
	close(ready[0]);
	return ret;
}

static void start_broker(struct children *c)
{
	int ret;

	c->broker_starts++;
	loop_timer_set(c->loop, &c->broker_calm, BROKER_CALM_MS);
	ret = try_start_broker(c);
	if (ret)
		say_err("QMP broker does not start: %s: xl cannot reach the device model",
			strerror(-ret));
}

static void on_broker_calm(void *arg)
{
	((struct children *)arg)->broker_starts = 0;
}

static void on_broker_again(void *arg)
{
	struct children *c = arg;

	if (c->broker || !c->qemu)
		return;
	if (c->broker_starts < BROKER_STARTS) {
		say_warn("QMP broker ended: starting it again");
		start_broker(c);
		return;
	}
	say_err("QMP broker ended %d times within a minute: xl cannot change or save this guest, which runs on; tried again in %d minutes",
		c->broker_starts, BROKER_LATER_MS / 60000);
	loop_timer_set(c->loop, &c->broker_again, BROKER_LATER_MS);
}

static void broker_ended(struct children *c, int status)
{
	char text[64];

	c->broker = 0;
	forget_alive(c);
	say_debug("QMP broker: %s", child_status(status, text, sizeof(text)));
	/* QEMU closes its end when it ends, and the broker follows: look again
	 * when that had time to show. */
	loop_timer_set(c->loop, &c->broker_again, BROKER_AGAIN_MS);
}

static const char *qemu_cure(int status)
{
	if (!WIFSIGNALED(status))
		return "";
	if (WTERMSIG(status) == SIGSYS)
		return ": its sandbox stopped a system call";
	if (WTERMSIG(status) == SIGKILL)
		return ": out of memory? raise stubdomain_memory= in xl.cfg";
	return "";
}

static void qemu_ended(struct children *c, int status)
{
	const char *last;
	char text[64];

	c->qemu = 0;
	/* Its last words are still in the pipe. */
	out_log_close(&c->qemu_log);
	last = c->qemu_log.lines.last;
	child_status(status, text, sizeof(text));
	if (c->running && WIFEXITED(status) && !WEXITSTATUS(status))
		say_notice("device model ended: QEMU: %s", text);
	else
		init_fail(-ECHILD, "device model ended%s: QEMU: %s%s%s%s",
			  c->running ? "" : " before it was ready", text,
			  qemu_cure(status), last[0] ? "; it said: " : "", last);
}

bool children_reap(struct children *c)
{
	int status, qemu_status = 0;
	bool end = false;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == c->qemu) {
			qemu_status = status;
			end = true;
		} else if (pid == c->broker) {
			broker_ended(c, status);
		} else if (pid == c->feeder) {
			c->feeder = 0;
			c->feeder_ended(status);
		}
	}
	/* Last: what fed it may have been the cause, and has said so. */
	if (end)
		qemu_ended(c, qemu_status);
	return end;
}

static int start_qemu(struct children *c, const struct args_plan *plan,
		      const int *fds)
{
	struct child_spec spec = {
		.path = plan->argv[0], .argv = plan->argv,
		.uid = STUBDOM_UID_QEMU, .fds = fds, .n_fds = QEMU_FD_END - 3,
	};
	int ret = out_log_open(&c->qemu_log, c->loop, "QEMU", false);

	if (ret < 0)
		return init_fail(ret, "pipe: %s", strerror(-ret));
	spec.out = ret;
	ret = child_start(&spec);
	close(spec.out);
	if (ret < 0)
		return init_fail(ret, "%s cannot be started: %s: the image is broken: run 'xen-stubdom build' in dom0",
				 spec.path, strerror(-ret));
	c->qemu = ret;
	return 0;
}

int children_start(struct children *c, const struct args_plan *plan,
		   int restore_fd)
{
	int fds[QEMU_FD_END - 3], ret = 0;

	c->machine = plan->machine;
	fds[QEMU_FD_QMP_BROKER - 3] = qmp_listen(INIT_QMP_BROKER, STUBDOM_UID_BROKER);
	fds[QEMU_FD_QMP_INIT - 3] = qmp_listen(INIT_QMP_MONITOR, 0);
	fds[QEMU_FD_RESTORE - 3] = restore_fd;
	fds[QEMU_FD_SAVE - 3] = c->save.qemu;
	for (int i = 0; i < 2 && !ret; i++)
		if (fds[i] < 0)
			ret = init_fail(fds[i], "QMP sockets: %s", strerror(-fds[i]));
	if (!ret) {
		start_broker(c);
		ret = start_qemu(c, plan, fds);
	}
	/* A broker that is started again needs QEMU's descriptor of the state, too. */
	for (int i = 0; i < QEMU_FD_END - 3; i++)
		if (fds[i] >= 0 && i != QEMU_FD_SAVE - 3)
			close(fds[i]);
	return ret;
}

void children_init(struct children *c, struct loop *loop, unsigned int guest,
		   const struct wire_save *save)
{
	*c = (struct children){
		.loop = loop, .guest = guest, .save = *save,
		.broker_calm = { .fn = on_broker_calm, .arg = c },
		.broker_again = { .fn = on_broker_again, .arg = c },
		.broker_late = { .fn = on_broker_late, .arg = c },
		.broker_alive = { .fd = -1 },
	};
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stubdom-init: pid 1 of a Linux device-model stubdomain.  init.h has the
 * order of things; man stubdom-init(8) what each of them means.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "args.h"
#include "contract.h"
#include "init.h"
#include "kmsg.h"
#include "lines.h"
#include "loop.h"
#include "mounts.h"
#include "qemu.h"
#include "qmp_broker.h"
#include "stubdom.h"
#include "text.h"
#include "wire.h"
#include "xsh.h"

#ifndef XE_VERSION
#define XE_VERSION "unknown"
#endif

/* A broker that dies so often within BROKER_CALM_MS is not started again. */
#define BROKER_STARTS	5
#define BROKER_CALM_MS	60000
#define BROKER_AGAIN_MS	200
/* It makes a ring and two xenstore nodes: far less than a second. */
#define BROKER_READY_MS	5000
/* How long QEMU may take to end by itself. */
#define QEMU_QUIT_MS	5000

struct out_log {
	struct lines lines;
	struct loop_source src;
	const char *who;
	bool levels;		/* "<n>" at the start is trusted */
};

static struct init {
	struct loop loop;
	struct xs_handle *xs;
	struct contract contract;
	struct args_plan plan;
	struct loop_source sig, xs_src;
	struct out_log qemu_log, broker_log;
	pid_t qemu, broker, feeder;
	int broker_starts;
	struct loop_timer broker_calm, broker_again, kill_timer;
	bool running;		/* QEMU wrote so */
	bool ending;		/* we asked QEMU to end */
} in;

struct log_about init_about = { .domid = -1, .stubdom = -1 };
static char reason[512];

int init_fail(int err, const char *fmt, ...)
{
	char line[sizeof(reason)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (!reason[0])
		strcpy(reason, line);
	say_err("%s", line);
	return err;
}

const char *init_reason(void)
{
	return reason[0] ? reason : NULL;
}

int64_t uptime_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Output of the children. */

static void emit_line(void *arg, const char *line)
{
	struct out_log *o = arg;
	int level = LOG_WARNING;

	if (o->levels && line[0] == '<' && line[1] >= '0' && line[1] <= '7' &&
	    line[2] == '>') {
		level = line[1] - '0';
		line += 3;
	}
	log_msg(level, &init_about, "%s: %s", o->who, line);
}

static void emit_dropped(void *arg, uint64_t n)
{
	struct out_log *o = arg;

	say_warn("%s: %llu lines dropped", o->who, (unsigned long long)n);
}

static void out_log_close(struct out_log *o)
{
	if (!o->src.events)
		return;
	loop_want(&in.loop, &o->src, 0);
	close(o->src.fd);
	lines_flush(&o->lines, now_ms());
}

static void on_output(void *arg, uint32_t events)
{
	struct out_log *o = arg;
	char buf[4096];
	ssize_t n;

	(void)events;
	n = read(o->src.fd, buf, sizeof(buf));
	if (n > 0) {
		lines_feed(&o->lines, buf, n, now_ms());
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	out_log_close(o);
}

/* A pipe whose lines go to the log; the end to write to, or negative errno. */
static int out_log_open(struct out_log *o, const char *who)
{
	int p[2], ret;

	out_log_close(o);
	if (pipe2(p, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	/* A child that prints must not fail with EAGAIN. */
	fcntl(p[1], F_SETFL, 0);
	o->who = who;
	o->src = (struct loop_source){ .fd = p[0], .fn = on_output, .arg = o };
	memset(&o->lines, 0, sizeof(o->lines));
	o->lines.emit = emit_line;
	o->lines.emit_dropped = emit_dropped;
	o->lines.arg = o;
	bucket_init(&o->lines.bucket, 50, 5, now_ms());
	ret = loop_want(&in.loop, &o->src, EPOLLIN);
	if (ret) {
		close(p[0]);
		close(p[1]);
		return ret;
	}
	return p[1];
}

/* The end: there is only one. */

static _Noreturn void power_off(void)
{
	if (in.xs) {
		if (init_reason())
			publish(in.xs, "error", init_reason());
		publish(in.xs, "stage", STUBDOM_STAGE_END);
	}
	say_notice("power off%s%s", init_reason() ? ": " : "",
		   init_reason() ? init_reason() : "");
	reboot(RB_POWER_OFF);
	/* Only when this is not pid 1 of a domain: a test, or a mistake. */
	_exit(1);
}

static void stage(const char *s)
{
	publish(in.xs, "stage", s);
	say_debug("stage %s at %lld ms", s, (long long)uptime_ms());
}

/* Children. */

static void start_broker(void);

static void on_broker_calm(void *arg)
{
	(void)arg;
	in.broker_starts = 0;
}

static void broker_ended(int status)
{
	char text[64];

	in.broker = 0;
	say_debug("QMP broker: %s", child_status(status, text, sizeof(text)));
	/* QEMU closes its end when it ends, and the broker follows: look again
	 * when that had time to show. */
	loop_timer_set(&in.loop, &in.broker_again, BROKER_AGAIN_MS);
}

static void on_broker_again(void *arg)
{
	(void)arg;
	if (in.ending || in.broker || !in.qemu)
		return;
	if (in.broker_starts < BROKER_STARTS) {
		say_warn("QMP broker ended: starting it again");
		start_broker();
		return;
	}
	say_err("QMP broker ended %d times within a minute: xl can no longer change or save this guest; it runs on",
		in.broker_starts);
}

static const char *qemu_cure(int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return ": the sandbox stopped a system call it does not know";
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return ": out of memory? (stubdomain_memory= in xl.cfg)";
	return "";
}

static void qemu_ended(int status)
{
	struct out_log *o = &in.qemu_log;
	char text[64], buf[4096];
	ssize_t n;

	in.qemu = 0;
	in.loop.stop = true;
	/* Its last words, still in the pipe. */
	while (o->src.events && (n = read(o->src.fd, buf, sizeof(buf))) > 0)
		lines_feed(&o->lines, buf, n, now_ms());
	out_log_close(o);
	child_status(status, text, sizeof(text));
	if (WIFEXITED(status) && !WEXITSTATUS(status) && (in.ending || in.running))
		say_notice("device model ended");
	else
		init_fail(-ECHILD, "device model ended%s: %s%s%s%s",
			  in.running ? "" : " before it was ready", text,
			  qemu_cure(status), o->lines.last[0] ? "; it said: " : "",
			  o->lines.last);
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == in.qemu) {
			qemu_ended(status);
		} else if (pid == in.broker) {
			broker_ended(status);
		} else if (pid == in.feeder) {
			in.feeder = 0;
			if (status)
				say_err("the saved state could not be read from its console");
		}
	}
}

/* Power requests end QEMU; its end powers off. */
static void ask_to_end(void)
{
	if (!in.qemu) {
		in.loop.stop = true;
		return;
	}
	say_notice("asked to shut down: ending the device model");
	in.ending = true;
	kill(in.qemu, SIGTERM);
	loop_timer_set(&in.loop, &in.kill_timer, QEMU_QUIT_MS);
}

static void on_kill(void *arg)
{
	(void)arg;
	if (in.qemu)
		kill(in.qemu, SIGKILL);
}

static void on_signal(void *arg, uint32_t events)
{
	struct signalfd_siginfo si;

	(void)arg;
	(void)events;
	if (read(in.sig.fd, &si, sizeof(si)) != sizeof(si))
		return;
	if (si.ssi_signo == SIGCHLD)
		reap();
	else
		ask_to_end();
}

static int setup_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);	/* Ctrl-Alt-Del: control/shutdown "reboot" */
	sigaddset(&set, SIGPWR);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	in.sig = (struct loop_source){
		.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
		.fn = on_signal,
	};
	if (in.sig.fd < 0)
		return -errno;
	reboot(RB_DISABLE_CAD);
	return loop_want(&in.loop, &in.sig, EPOLLIN);
}

/* QEMU's own word that it is ready. */
static void on_xenstore(void *arg, uint32_t events)
{
	char **ev, *state;
	char mem[4096], text[32];
	uint64_t kib;

	(void)arg;
	(void)events;
	while ((ev = xs_check_watch(in.xs)))
		free(ev);
	if (in.running || xsh_read(in.xs, XBT_NULL, &state, NULL,
				   "device-model/%u/state", in.contract.guest))
		return;
	in.running = !strcmp(state, "running");
	free(state);
	if (!in.running)
		return;
	stage(STUBDOM_STAGE_RUN);
	if (read_file("/proc/meminfo", mem, sizeof(mem)) > 0) {
		if (!meminfo_get(mem, "MemTotal", &kib)) {
			snprintf(text, sizeof(text), "%llu", (unsigned long long)kib);
			publish(in.xs, "mem-total", text);
		}
		if (!meminfo_get(mem, "MemAvailable", &kib)) {
			snprintf(text, sizeof(text), "%llu", (unsigned long long)kib);
			publish(in.xs, "mem-available", text);
		}
	}
	say_notice("device model is running (%lld ms after boot)",
		   (long long)uptime_ms());
}

/* Steps, in the order of a stubdomain's life. */

static int setup_log(void)
{
	char cmdline[4096], word[16];
	int level = LOG_NOTICE, n;

	kmsg_open("stubdom-init");
	if (read_file("/proc/cmdline", cmdline, sizeof(cmdline)) < 0)
		cmdline[0] = '\0';
	if (cmdline_get(cmdline, "debug", NULL, 0))
		level = LOG_DEBUG;
	if (cmdline_get(cmdline, "xen_stubdom.log", word, sizeof(word))) {
		n = log_level_parse(word);
		if (n >= 0)
			level = n;
		else
			say_warn("xen_stubdom.log=%s: not a level (err, warning, notice, info, debug)",
				 word);
	}
	kmsg_set_level(level);
	return 0;
}

static int open_xenstore(void)
{
	int ret;

	in.xs = xs_open(0);
	if (!in.xs)
		return init_fail(-errno, "xenstore: %s: the stubdomain's kernel lacks /dev/xen/xenbus",
				 strerror(errno));
	publish(in.xs, "version", XE_VERSION);
	stage(STUBDOM_STAGE_BOOT);
	ret = contract_read(in.xs, &in.contract);
	if (!ret && in.contract.has_pci)
		say_warn("PCI pass-through is not supported yet: QEMU runs without the rights it needs");
	return ret;
}

/* QEMU talks to the hypervisor in an ABI that each series changes. */
static int check_image(void)
{
	char info[1024], ver[64], want[32], major[16], minor[16];

	if (read_file(STUBDOM_IMAGE_INFO, info, sizeof(info)) < 0) {
		say_notice(STUBDOM_IMAGE_INFO " is missing: not checked whether image and Xen fit");
		return 0;
	}
	if (!info_get(info, "qemu", ver, sizeof(ver)))
		publish(in.xs, "qemu", ver);
	if (info_get(info, "xen", ver, sizeof(ver)) ||
	    version_series(ver, want, sizeof(want)) ||
	    read_file("/sys/hypervisor/version/major", major, sizeof(major)) < 0 ||
	    read_file("/sys/hypervisor/version/minor", minor, sizeof(minor)) < 0)
		return 0;
	major[strcspn(major, "\n")] = '\0';
	minor[strcspn(minor, "\n")] = '\0';
	snprintf(ver, sizeof(ver), "%s.%s", major, minor);
	if (!strcmp(ver, want))
		return 0;
	return init_fail(-ENOEXEC, "this image is for Xen %s, the host runs %s: run 'xen-stubdom build' in dom0",
			 want, ver);
}

static int rewrite_args(int save_fd)
{
	const struct args_opts opts = {
		.qemu = STUBDOM_QEMU,
		.guest = in.contract.guest,
		.save_fd = save_fd >= 0,
	};
	int ret = args_rewrite(&opts, in.contract.argv, in.contract.argc, &in.plan);

	if (ret)
		return init_fail(ret, "%s", in.plan.error);
	for (unsigned int i = 0; i < in.plan.n_notes; i++)
		say_notice("%s", in.plan.notes[i]);
	for (unsigned int i = 0; i < in.plan.argc; i++)
		say_debug("argument %u: %s", i, in.plan.argv[i]);
	return 0;
}

static int wire_all(void)
{
	int ret;

	if ((ret = wire_devices()) || (ret = wire_serials(in.xs, &in.plan)) ||
	    (ret = wire_disks(in.xs, &in.plan)))
		return ret;
	return wire_nics(in.xs, &in.plan);
}

static int wait_byte(int fd, int timeout_ms)
{
	struct loop_source src = { .fd = fd };
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC), ret;
	char c;

	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, src.fd, &ev)) {
		ret = -errno;
	} else {
		do {
			ret = epoll_wait(ep, &ev, 1, timeout_ms);
		} while (ret < 0 && errno == EINTR);
		ret = ret < 0 ? -errno : !ret ? -ETIMEDOUT :
		      read(fd, &c, 1) == 1 ? 0 : -EPIPE;
	}
	if (ep >= 0)
		close(ep);
	return ret;
}

static int try_start_broker(void)
{
	char guest[16];
	char *argv[] = { "qmp-broker", "--qmp-broker", guest, NULL };
	int ready[2], out, ret;
	struct child_spec spec = {
		.path = "/proc/self/exe", .argv = argv,
		.uid = INIT_UID_BROKER, .fds = &ready[1], .n_fds = 1,
	};

	snprintf(guest, sizeof(guest), "%u", in.contract.guest);
	if (pipe2(ready, O_CLOEXEC))
		return -errno;
	out = out_log_open(&in.broker_log, "QMP broker");
	in.broker_log.levels = true;
	if (out >= 0) {
		spec.out = out;
		in.broker = child_start(&spec);
		close(out);
	}
	close(ready[1]);
	ret = out < 0 ? out : in.broker < 0 ? in.broker :
	      wait_byte(ready[0], BROKER_READY_MS);
	if (in.broker < 0)
		in.broker = 0;
	close(ready[0]);
	return ret;
}

static void start_broker(void)
{
	int ret;

	in.broker_starts++;
	loop_timer_set(&in.loop, &in.broker_calm, BROKER_CALM_MS);
	ret = try_start_broker();
	if (ret)
		say_err("QMP broker: %s", strerror(-ret));
}

static int start_qemu(int save_fd)
{
	int fds[QEMU_FD_END - 3] = { -1, -1, -1, save_fd };
	struct child_spec spec = {
		.path = STUBDOM_QEMU, .argv = in.plan.argv,
		.uid = INIT_UID_QEMU, .fds = fds, .n_fds = QEMU_FD_END - 3,
	};
	int ret;

	if (mkdir(INIT_RUN_DIR, 0711) && errno != EEXIST)
		return init_fail(-errno, INIT_RUN_DIR ": %s", strerror(errno));
	fds[QEMU_FD_QMP_BROKER - 3] = qmp_listen(INIT_QMP_BROKER, INIT_UID_BROKER);
	fds[QEMU_FD_QMP_INIT - 3] = qmp_listen(INIT_QMP_SELF, 0);
	if (fds[0] < 0 || fds[1] < 0)
		return init_fail(-EIO, "the sockets for QMP cannot be made");
	/* Before QEMU can say "running": libxl connects at once then. */
	start_broker();
	if (in.plan.restore) {
		ret = wire_restore_fd(in.xs, &in.feeder);
		if (ret < 0)
			return ret;
		fds[QEMU_FD_RESTORE - 3] = ret;
	}
	spec.out = out_log_open(&in.qemu_log, "QEMU");
	if (spec.out < 0)
		return init_fail(spec.out, "pipe: %s", strerror(-spec.out));
	stage(STUBDOM_STAGE_QEMU);
	in.qemu = child_start(&spec);
	close(spec.out);
	for (int i = 0; i < QEMU_FD_END - 3; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (in.qemu > 0)
		return 0;
	ret = in.qemu;
	in.qemu = 0;
	return init_fail(ret, "%s cannot be started: %s: run 'xen-stubdom build' in dom0",
			 STUBDOM_QEMU, strerror(-ret));
}

static int watch_state(void)
{
	char path[64];

	snprintf(path, sizeof(path), "device-model/%u/state", in.contract.guest);
	if (!xs_watch(in.xs, path, "state"))
		return init_fail(-errno, "xenstore watch: %s", strerror(errno));
	in.xs_src = (struct loop_source){ .fd = xs_fileno(in.xs), .fn = on_xenstore };
	return loop_want(&in.loop, &in.xs_src, EPOLLIN);
}

static int run(void)
{
	int ret, save_fd;

	in.broker_calm.fn = on_broker_calm;
	in.broker_again.fn = on_broker_again;
	in.kill_timer.fn = on_kill;
	ret = loop_init(&in.loop);
	if (ret || (ret = setup_signals()))
		return init_fail(ret, "setup: %s", strerror(-ret));
	if ((ret = open_xenstore()) || (ret = check_image()))
		return ret;
	stage(STUBDOM_STAGE_WIRE);
	save_fd = wire_save_fd();
	if ((ret = rewrite_args(save_fd)) || (ret = wire_all()) ||
	    (ret = watch_state()) || (ret = start_qemu(save_fd)))
		return ret;
	contract_free(&in.contract);
	return loop_run(&in.loop);
}

static void sink_levels(int level, const struct log_about *about, const char *line)
{
	(void)about;
	fprintf(stderr, "<%d>%s\n", level, line);
}

int main(int argc, char **argv)
{
	int ret;

	if (argc == 3 && !strcmp(argv[1], "--qmp-broker")) {
		log_open("qmp-broker", sink_levels, LOG_DEBUG);
		return qmp_broker_main(argv[2]);
	}
	if (getpid() != 1) {
		fprintf(stderr, "stubdom-init " XE_VERSION
			": this is pid 1 of a Linux stubdomain, see stubdom-init(8)\n");
		return 2;
	}
	ret = mounts_setup();
	setup_log();
	if (ret)
		init_fail(ret, "the file systems cannot be mounted: %s", strerror(-ret));
	mounts_sysctl();
	say_debug("stubdom-init " XE_VERSION);
	run();
	power_off();
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stubdom-init: pid 1 of a Linux device-model stubdomain.
 *
 * The order of a stubdomain's life is the order of this file: mounts, log,
 * contract (xenstore), wiring (consoles, disks, NICs), QMP broker, QEMU, then
 * one event loop until something ends, and power off.  stubdom-init(8) says what
 * each of them means.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "args.h"
#include "base/text.h"
#include "carrier.h"
#include "cdrom.h"
#include "children.h"
#include "contract.h"
#include "failure.h"
#include "kmsg.h"
#include "loop.h"
#include "monitor.h"
#include "mounts.h"
#include "qmp_broker.h"
#include "spawn.h"
#include "state/words.h"
#include "state_dev.h"
#include "state_restore.h"
#include "stubdom.h"
#include "text.h"
#include "uevents.h"
#include "wire.h"
#include "xen/version.h"
#include "xen/xs_util.h"

#ifndef XE_VERSION
#define XE_VERSION "unknown"
#endif

static struct init {
	struct loop loop;
	struct xs_handle *xs;
	struct contract contract;
	struct args_plan plan;
	struct children children;
	struct monitor monitor;
	struct uevents uevents;
	struct cdrom cdrom;
	struct carrier carrier;
	struct loop_source sig, xs_src;
	char qemu[64];			/* its version, or "" */
	bool by_disk;			/* what is restored */
	bool debug;
	bool answers;			/* control/shutdown is watched here */
} in;

#define TOKEN_CONTROL "control"

static void stage(const char *s)
{
	publish(in.xs, "stage", s);
	say_debug("stage %s at %lld ms", s, (long long)uptime_ms());
}

/* Only an image built for debugging has a shell. */
static void debug_shell(void)
{
	int fd;
	pid_t pid;

	if (!in.debug || !init_reason() || access("/bin/sh", X_OK))
		return;
	say_notice("a shell on the console; exit powers off");
	pid = fork();
	if (pid > 0)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	if (pid)
		return;
	setsid();
	fd = open("/dev/console", O_RDWR);
	for (int i = 0; fd >= 0 && i < 3; i++)
		dup2(fd, i);
	execl("/bin/sh", "sh", (char *)NULL);
	_exit(127);
}

/* The end: there is only one. */
static _Noreturn void power_off(void)
{
	if (in.xs) {
		if (init_reason())
			publish(in.xs, "error", init_reason());
		publish(in.xs, "stage", STUBDOM_STAGE_END);
	}
	debug_shell();
	say_notice("power off");
	reboot(RB_POWER_OFF);
	/* Not reached by pid 1 of a domain. */
	_exit(1);
}

static void say_asked(void)
{
	say_notice("dom0 asks the stubdomain to shut down: it ends with its guest: shut down the guest instead");
}

/*
 * What dom0 asks of this domain by control/shutdown: SIGTERM comes from
 * "--power-off" ("poweroff", "halt"), SIGINT from the kernel ("reboot").  "xl
 * shutdown --all" asks every domain at once, and a guest needs its device model
 * to the end of its own shutdown; libxl then destroys both.  So: nothing.
 */
static void on_signal(void *arg, uint32_t events)
{
	struct signalfd_siginfo si;

	(void)arg;
	(void)events;
	if (read(in.sig.fd, &si, sizeof(si)) != sizeof(si))
		return;
	if (si.ssi_signo == SIGCHLD) {
		in.loop.stop |= children_reap(&in.children);
		return;
	}
	say_asked();
	/* After a "reboot" Linux answers no request any more (do_reboot()). */
	if (si.ssi_signo == SIGINT && !in.answers)
		in.answers = xs_watch(in.xs, "control/shutdown", TOKEN_CONTROL);
}

static int setup_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
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

static void publish_mem(const char *meminfo, const char *key, const char *node)
{
	char text[32];
	uint64_t kib;

	if (meminfo_get(meminfo, key, &kib))
		return;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)kib);
	publish(in.xs, node, text);
}

/*
 * In the kernel's place: xl waits for an empty node, and "xl shutdown --all"
 * that does not get it asks no other domain.
 */
static void answer_control(void)
{
	char *v;

	if (xsu_read(in.xs, XBT_NULL, &v, NULL, "control/shutdown"))
		return;
	if (v[0] && !xsu_write(in.xs, XBT_NULL, "", "control/shutdown"))
		say_asked();
	free(v);
}

/* QEMU's own word that it is ready. */
static void check_running(void)
{
	char *state, mem[4096];

	if (in.children.running ||
	    xsu_read(in.xs, XBT_NULL, &state, NULL, "device-model/%u/state",
		     in.contract.guest))
		return;
	in.children.running = !strcmp(state, "running");
	free(state);
	if (!in.children.running)
		return;
	if (read_file("/proc/meminfo", mem, sizeof(mem)) > 0) {
		publish_mem(mem, "MemTotal", "mem-total");
		publish_mem(mem, "MemAvailable", "mem-available");
	}
	stage(STUBDOM_STAGE_RUN);
	say_notice("device model is running (%lld ms after boot)",
		   (long long)uptime_ms());
}

static void on_xenstore(void *arg, uint32_t events)
{
	bool control = false;
	char **ev;

	(void)arg;
	(void)events;
	while ((ev = xs_check_watch(in.xs))) {
		control |= !strcmp(ev[XS_WATCH_TOKEN], TOKEN_CONTROL);
		free(ev);
	}
	if (control)
		answer_control();
	carrier_check(&in.carrier);
	check_running();
}

/* A disk came or went: dom0's, for the device state, or a drive's medium. */
static void on_vbd(void *arg, const struct vbd_event *ev, int dir)
{
	(void)arg;
	if (!state_is_devid(ev->devid))
		cdrom_event(&in.cdrom, ev, dir);
	else if (dir > 0)
		state_dev_give(ev);
}

static void on_monitor_ready(void *arg, const char *version)
{
	(void)arg;
	publish(in.xs, "qemu", version);
	cdrom_scan(&in.cdrom, in.plan.disks);
}

/* Steps, in the order of a stubdomain's life. */

static void setup_log(void)
{
	char cmdline[4096], word[16];
	int level = LOG_NOTICE, n;

	kmsg_open("stubdom-init");
	if (read_file("/proc/cmdline", cmdline, sizeof(cmdline)) < 0)
		cmdline[0] = '\0';
	in.debug = cmdline_get(cmdline, "debug", NULL, 0);
	if (in.debug)
		level = LOG_DEBUG;
	kmsg_set_level(level);
	if (!cmdline_get(cmdline, "xen_stubdom.log", word, sizeof(word)))
		return;
	n = log_level_parse(word);
	if (n >= 0)
		kmsg_set_level(n);
	else
		say_warn("xen_stubdom.log=%s: not a level (err, warning, notice, info, debug)",
			 word);
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
	/*
	 * QEMU would need the sysfs files and config space of the devices and
	 * /dev/mem for MSI-X, thus CAP_SYS_RAWIO: not given to it yet.
	 */
	if (!ret && in.contract.has_pci)
		say_warn("PCI pass-through is not supported yet: QEMU runs without the rights it needs");
	return ret;
}

/* QEMU talks to the hypervisor in an ABI that each series changes. */
static int check_image(void)
{
	unsigned int major, minor;
	char info[1024], ver[64], want[32];	/* of Xen */

	if (read_file(STUBDOM_IMAGE_INFO, info, sizeof(info)) < 0) {
		say_notice(STUBDOM_IMAGE_INFO " is missing: not checked whether image and Xen fit");
		return 0;
	}
	if (!text_value(info, "qemu", in.qemu, sizeof(in.qemu)))
		publish(in.xs, "qemu", in.qemu);
	if (text_value(info, "xen", ver, sizeof(ver)) ||
	    version_series(ver, want, sizeof(want)) || xen_version("/sys", &major, &minor))
		return 0;
	snprintf(ver, sizeof(ver), "%u.%u", major, minor);
	if (!strcmp(ver, want))
		return 0;
	return init_fail(-ENOEXEC, "this image is for Xen %s, the host runs %s: run 'xen-stubdom build' in dom0",
			 want, ver);
}

static int rewrite_args(bool can_save)
{
	const struct args_opts opts = {
		.qemu = STUBDOM_QEMU,
		.guest = in.contract.guest,
		.save_fd = can_save,
	};
	int ret = args_rewrite(&opts, in.contract.argv, in.contract.argc, &in.plan);

	if (ret)
		return init_fail(ret, "%s", in.plan.error);
	for (unsigned int i = 0; i < in.plan.n_notes; i++)
		say_notice("%s", in.plan.notes[i]);
	for (unsigned int i = 0; i < in.plan.argc; i++)
		say_debug("argument %u: %s", i, in.plan.argv[i]);
	contract_free(&in.contract);
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

static int watch_state(void)
{
	char path[64];

	snprintf(path, sizeof(path), "device-model/%u/state", in.contract.guest);
	if (!xs_watch(in.xs, path, "state"))
		return init_fail(-errno, "xenstore watch: %s", strerror(errno));
	in.xs_src = (struct loop_source){ .fd = xs_fileno(in.xs), .fn = on_xenstore };
	return loop_want(&in.loop, &in.xs_src, EPOLLIN);
}

static void on_feeder(int status)
{
	if (in.by_disk)
		state_restore_ended(in.xs, status);
	else if (status)
		say_err("the saved state could not be read from its console");
}

/* A pipe that delivers the saved state, by disk when dom0 has one. */
static int restore_fd(void)
{
	int fd = state_restore_fd(in.xs, in.qemu, in.plan.machine, &in.children.feeder);

	in.children.feeder_ended = on_feeder;
	in.by_disk = fd >= 0;
	return fd == -ENODATA ? wire_restore_fd(in.xs, &in.children.feeder) : fd;
}

static int start(void)
{
	int fd = -1, ret;

	if (in.plan.restore) {
		fd = restore_fd();
		if (fd < 0)
			return fd;
	}
	stage(STUBDOM_STAGE_QEMU);
	/* Before QEMU: no event of a block device may be missed. */
	cdrom_init(&in.cdrom, in.xs, &in.monitor);
	ret = uevents_open(&in.uevents, &in.loop, on_vbd, NULL);
	if (ret)
		say_warn("CD media cannot be changed, states go by console: uevents: %s", strerror(-ret));
	ret = children_start(&in.children, &in.plan, fd);
	if (ret)
		return ret;
	fd = qmp_connect(INIT_QMP_MONITOR);
	ret = fd < 0 ? fd : monitor_init(&in.monitor, &in.loop, fd, on_monitor_ready, NULL);
	if (ret)
		say_warn("CD media cannot be changed: QMP: %s", strerror(-ret));
	ret = carrier_watch(&in.carrier, in.xs, &in.monitor, &in.plan);
	if (ret)
		say_warn("a detached network card will not be shown to the guest: xenstore watch: %s",
			 strerror(-ret));
	return 0;
}

static void run(void)
{
	struct wire_save save;
	int ret;

	in.monitor.src.fd = -1;
	ret = loop_init(&in.loop);
	if (ret || (ret = setup_signals())) {
		init_fail(ret, "setup: %s", strerror(-ret));
		return;
	}
	if (open_xenstore() || check_image())
		return;
	stage(STUBDOM_STAGE_WIRE);
	wire_save(&save);
	children_init(&in.children, &in.loop, in.contract.guest, &save);
	if (rewrite_args(save.qemu >= 0) || wire_all() || watch_state() || start())
		return;
	ret = loop_run(&in.loop);
	if (ret)
		init_fail(ret, "epoll: %s", strerror(-ret));
}

static void sink_levels(int level, const struct log_about *about, const char *line)
{
	(void)about;
	fprintf(stderr, "<%d>%s\n", level, line);
}

int main(int argc, char **argv)
{
	int ret;

	if (argc == 5 && !strcmp(argv[1], "--qmp-broker")) {
		log_open("qmp-broker", sink_levels, LOG_DEBUG);
		return qmp_broker_main(argv[2], strcmp(argv[3], "first"), argv[4]);
	}
	/* The kernel's answer to control/shutdown (see mounts_sysctl()). */
	if (argc == 2 && !strcmp(argv[1], "--power-off") && !getuid())
		return kill(1, SIGTERM) ? 1 : 0;
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

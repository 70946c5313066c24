// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xen-stubdom-pv: in dom0, for one stubdomain, what libxl starts a QEMU for otherwise.
 *
 * Two processes.  One has xenstore and QMP, and talks to libxl; the other has the
 * stubdomain's rings.  Both are unprivileged once everything is open.
 */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "args.h"
#include "base/log.h"
#include "daemon/confine.h"
#include "plan.h"
#include "rights.h"
#include "serve.h"
#include "stubdom.h"
#include "worker.h"

#define EXIT_USAGE 2

/* What only QEMU can do, the stock one does. */
static int become_qemu(char **argv, const char *why)
{
	static const char *const qemu[] = STUBDOM_DOM0_QEMUS;

	log_notice(NULL, "%s: QEMU serves this domain", why);
	for (size_t i = 0; i < sizeof(qemu) / sizeof(qemu[0]); i++) {
		argv[0] = (char *)qemu[i];
		execv(qemu[i], argv);
		if (errno != ENOENT)
			break;
	}
	log_err(NULL, "%s: %s", argv[0], strerror(errno));
	return EXIT_FAILURE;
}

static void run_worker(struct worker *w, const struct confine *user, uint32_t stub)
{
	struct link_msg m = { .what = LINK_READY };
	const char *what = "grants and event channels";
	int ret = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	w->foreign = foreign_open(stub);
	if (!w->foreign)
		ret = errno ? -errno : -EIO;
	if (!ret)
		ret = worker_init(w);
	if (!ret)
		ret = rights_worker(user, &what);
	if (ret) {
		log_err(w->about, "its stubdomain's consoles (%s): %s", what, strerror(-ret));
		m = (struct link_msg){ .what = LINK_FAILED, .a = (uint64_t)-ret };
	}
	if (send(w->sock, &m, sizeof(m), MSG_NOSIGNAL) == sizeof(m) && !ret)
		worker_run(w);
	_exit(ret ? EXIT_FAILURE : EXIT_SUCCESS);
}

static int open_sinks(struct worker *w, const struct plan *p, char tty[CONSOLES_MAX][64])
{
	for (unsigned int n = 0; n < CONSOLES_MAX; n++) {
		int ret = sink_open(&w->con[n].sink, p->console[n].kind, n, p->console[n].path, tty[n], 64);

		if (ret) {
			log_err(w->about, "console %u of its stubdomain, %s: %s", n, p->console[n].output, strerror(-ret));
			return ret;
		}
	}
	return 0;
}

static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* A program of its own: nothing else here needs its libraries.  Its socket, or negative errno. */
static int start_vnc(const struct args *a, const struct plan *p, const struct confine *user)
{
	char number[5][16], *const argv[] = {
		(char *)STUBDOM_VNC, number[0], number[1], number[2], (char *)a->vnc.host, number[3], number[4],
		(char *)(a->vnc.password ? "password" : "open"), (char *)(a->keymap ? a->keymap : ""), (char *)p->id.name, NULL,
	};
	const uint32_t numbers[] = { p->id.stub, user->uid, user->gid, a->vnc.first, a->vnc.last };
	posix_spawn_file_actions_t acts;
	static char *const env[] = { NULL };
	int fds[2], ret;
	pid_t pid;

	for (size_t i = 0; i < 5; i++)
		snprintf(number[i], sizeof(number[i]), "%u", numbers[i]);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	posix_spawn_file_actions_init(&acts);
	/* To itself, were it 3 already: then it is inherited all the same. */
	posix_spawn_file_actions_adddup2(&acts, fds[1], 3);
	ret = posix_spawn(&pid, argv[0], &acts, NULL, argv, env);
	posix_spawn_file_actions_destroy(&acts);
	close(fds[1]);
	if (!ret)
		return fds[0];
	close(fds[0]);
	return -ret;
}

static int start_worker(struct worker *w, const struct confine *user, uint32_t stub)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	w->sock = fds[1];
	switch (fork()) {
	case -1:
		return -errno;
	case 0:
		close(fds[0]);
		run_worker(w, user, stub);
	}
	close(fds[1]);
	for (unsigned int n = 0; n < CONSOLES_MAX; n++)
		sink_close(&w->con[n].sink);
	return fds[0];
}

static int run(const struct args *a, const struct plan *p, const struct confine *user)
{
	static struct log_about about;
	static struct worker w;
	static struct serve s;
	static char tty[CONSOLES_MAX][64];
	const char *what;
	int ret;

	about = (struct log_about){ .guest = p->id.name, .domid = (int)p->id.guest, .stubdom = (int)p->id.stub };
	w.about = &about;
	if (open_sinks(&w, p, tty))
		return EXIT_FAILURE;
	for (unsigned int n = 0; n < CONSOLES_MAX; n++)
		s.tty[n] = tty[n];
	s.args = a;
	s.plan = p;
	s.about = &about;
	s.sock = start_worker(&w, user, p->id.stub);
	s.vnc_sock = a->vnc.wanted && p->display ? start_vnc(a, p, user) : -1;
	if (s.sock < 0 || s.vnc_sock < -1) {
		log_err(&about, "a process cannot be started: %s", strerror(s.sock < 0 ? -s.sock : -s.vnc_sock));
		return EXIT_FAILURE;
	}
	s.signals = block_signals();
	if (s.signals < 0 || serve_open(&s))
		return EXIT_FAILURE;
	ret = rights_serve(user, &what);
	if (ret) {
		log_err(&about, "rights cannot be given up (%s): %s", what, strerror(-ret));
		return EXIT_FAILURE;
	}
	return serve_run(&s);
}

static int find_plan(const struct args *a, struct plan *p)
{
	struct xs_handle *xs = xs_open(0);
	int ret = xs ? plan_read(xs, a->domid, p) : -errno;

	/* The process with the rings is not to have it. */
	if (xs)
		xs_close(xs);
	if (ret)
		log_err(NULL, "domain %u: xenstore: %s", a->domid, strerror(-ret));
	return ret;
}

int main(int argc, char **argv)
{
	struct confine user = { 0 };
	static struct plan p;
	struct args a;
	char why[128];
	int ret;

	log_open("xen-stubdom-pv", NULL, LOG_INFO);
	ret = args_parse(argc, argv, &a);
	if (ret == -ENOTSUP) {
		snprintf(why, sizeof(why), "option %.100s", a.unknown);
		return become_qemu(argv, why);
	}
	if (ret) {
		fprintf(stderr, "xen-stubdom-pv %s: started by xl, see xen-stubdom-pv(8)\n", XE_VERSION);
		return EXIT_USAGE;
	}
	if (a.probe)
		return serve_probe(&a);
	if (find_plan(&a, &p))
		return EXIT_FAILURE;
	if (p.qemu[0])
		return become_qemu(argv, p.qemu);
	ret = confine_user(STUBDOM_PV_USER, &user.uid, &user.gid);
	if (ret) {
		log_err(NULL, "user %s: %s", STUBDOM_PV_USER, ret == -EIDRM ? "it is missing" : strerror(-ret));
		return EXIT_FAILURE;
	}
	return run(&a, &p, &user);
}

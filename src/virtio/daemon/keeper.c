// SPDX-License-Identifier: GPL-2.0-or-later
#include "keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "identity.h"
#include "opened.h"
#include "virtio/nodes.h"
#include "virtio/probe.h"
#include "xsproxy.h"

/* QEMU needs one. */
#define PROXIES_MAX 8
/* The daemon asks at once when it has connected. */
#define QUESTION_S 2

struct keeper {
	uint32_t domid, own;
	struct log_about about;
	char dir[64];
	int xenstore, open;		/* sockets that listen */
	unsigned int proxies;
};

/* ---- xenstore ---- */

/* In a process of its own. */
static int proxy(const struct keeper *k, int client)
{
	struct xsf f = { .own = k->own, .domid = k->domid };
	int server = xsproxy_connect(), ret = server < 0 ? server : 0;

	close(k->xenstore);
	close(k->open);
	if (!ret)
		ret = vd_become(VD_UID_XENSTORE + k->domid, VD_UID_XENSTORE + k->domid);
	if (!ret)
		ret = xsproxy_run(client, server, &f);
	if (ret)
		log_err(&k->about, "its backend's way to xenstored: %s", strerror(-ret));
	return ret ? 1 : 0;
}

static void accept_qemu(struct keeper *k)
{
	int fd = accept4(k->xenstore, NULL, NULL, SOCK_CLOEXEC);
	pid_t pid;

	while (waitpid(-1, NULL, WNOHANG) > 0)
		k->proxies--;
	if (fd < 0)
		return;
	pid = k->proxies < PROXIES_MAX ? fork() : -1;
	if (!pid)
		_exit(proxy(k, fd));
	if (pid > 0)
		k->proxies++;
	close(fd);
}

/* ---- files ---- */

static void answer(int fd, const char *text, const struct vd_opened *o)
{
	union {
		struct cmsghdr h;
		char buf[CMSG_SPACE(VD_OPENED_MAX * sizeof(int))];
	} ctl;
	struct iovec iov = { .iov_base = (char *)text, .iov_len = strlen(text) };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (o && o->n) {
		memset(&ctl, 0, sizeof(ctl));
		ctl.h.cmsg_level = SOL_SOCKET;
		ctl.h.cmsg_type = SCM_RIGHTS;
		ctl.h.cmsg_len = CMSG_LEN(o->n * sizeof(int));
		memcpy(CMSG_DATA(&ctl.h), o->fd, o->n * sizeof(int));
		mh.msg_control = ctl.buf;
		mh.msg_controllen = CMSG_SPACE(o->n * sizeof(int));
	}
	/* Who does not wait for it asks again. */
	(void)!sendmsg(fd, &mh, MSG_NOSIGNAL);
}

static int open_device(const struct keeper *k, const char *name, struct vd_opened *o, char *why)
{
	struct xs_handle *xs = xs_open(0);
	struct vd_store st;
	struct vd_found found;
	struct vd_node node;
	struct vd_id id;
	int ret = xs ? vd_id_parse(name, &id) : -ENOTCONN;

	if (!ret)
		ret = vd_store_init(&st, xs);
	if (!ret)
		ret = vd_nodes_read(&st, k->domid, id, &node);
	if (xs)
		xs_close(xs);
	snprintf(why, VD_ERROR_MAX, "its nodes cannot be read: %s", strerror(-ret));
	if (ret)
		return ret;
	if (node.bad) {
		snprintf(why, VD_ERROR_MAX, "%s", node.error);
		return -EINVAL;
	}
	ret = vd_probe(&node.spec, true, &found, why);
	return ret ? ret : vd_opened_open(o, k->dir, k->domid, id, &node.spec, &found, why);
}

static void accept_daemon(struct keeper *k)
{
	const struct timeval limit = { .tv_sec = QUESTION_S };
	int fd = accept4(k->open, NULL, NULL, SOCK_CLOEXEC);
	char name[VD_ID_MAX], text[VD_ERROR_MAX + 1] = "!";
	struct vd_opened o = { .n = 0 };
	ssize_t n;

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	n = recv(fd, name, sizeof(name) - 1, 0);
	if (n > 0) {
		name[n] = '\0';
		if (open_device(k, name, &o, text + 1))
			answer(fd, text, NULL);
		else
			answer(fd, "ok", &o);
		vd_opened_close(&o);
	}
	close(fd);
}

/* ---- the process ---- */

static int own_domain(struct keeper *k)
{
	struct xs_handle *xs = xs_open(0);
	struct vd_store st;
	int ret = xs ? vd_store_init(&st, xs) : -ENOTCONN;

	if (!ret)
		k->own = st.own;
	if (xs)
		xs_close(xs);
	return ret;
}

/*
 * @qemu: the process that is, or becomes, QEMU.  A parent's death signal would need
 * QEMU's right to send it, which is a user's without rights.
 */
static int run(struct keeper *k, pid_t qemu)
{
	struct pollfd fds[3] = {
		{ .fd = k->xenstore, .events = POLLIN }, { .fd = k->open, .events = POLLIN },
		{ .fd = (int)syscall(SYS_pidfd_open, qemu, 0), .events = POLLIN },
	};

	prctl(PR_SET_NAME, "virtio-keeper");
	/* The unit is stopped: QEMU may have something to say to xenstored until it ends. */
	signal(SIGTERM, SIG_IGN);
	if (fds[2].fd < 0 || getppid() != qemu)
		return 1;
	for (;;) {
		if (poll(fds, 3, -1) < 0) {
			if (errno == EINTR)
				continue;
			return 1;
		}
		if (fds[2].revents)
			return 0;
		if (fds[0].revents)
			accept_qemu(k);
		if (fds[1].revents)
			accept_daemon(k);
	}
}

static int sockets(struct keeper *k)
{
	snprintf(k->dir, sizeof(k->dir), VD_RUN_DIR "/%u", k->domid);
	k->open = vd_listen(k->dir, "open", SOCK_SEQPACKET);
	if (k->open < 0)
		return k->open;
	k->xenstore = vd_listen(VD_XENSTORE_DIR, VD_XENSTORE_NAME, SOCK_STREAM);
	if (k->xenstore < 0)
		return k->xenstore;
	return chmod(VD_XENSTORE, 0666) ? -errno : 0;
}

int keeper_start(uint32_t domid)
{
	struct keeper k = {
		.domid = domid, .about = { .domid = (int)domid, .stubdom = -1, .show_domid = true },
	};
	pid_t self = getpid(), pid;
	int ret = own_domain(&k);

	if (!ret)
		ret = sockets(&k);
	if (ret)
		return ret;
	pid = fork();
	if (!pid)
		_exit(run(&k, self));
	ret = pid < 0 ? -errno : 0;
	close(k.open);
	close(k.xenstore);
	return ret;
}

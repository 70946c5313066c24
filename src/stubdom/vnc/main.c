// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xen-stubdom-vnc: the framebuffer and the keyboard of one stubdomain as a VNC server, started
 * by xen-stubdom-pv and by nobody else.  It opens what takes root's rights, gives them up, and
 * serves.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "display.h"
#include "keys.h"
#include "rights.h"
#include "screen.h"
#include "xen/domain.h"

#define FD_SOCKET 3

struct args {
	uint64_t stub, uid, gid, first, last;
	const char *host, *keymap, *name;
	bool password;
};

static int number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno || *text < '0' || *text > '9' || *end || *out < min || *out > max ? -EINVAL : 0;
}

static int parse(int argc, char **argv, struct args *a)
{
	if (argc != 10 || number(argv[1], 1, DOMID_LIMIT - 1, &a->stub) || number(argv[2], 1, UINT32_MAX - 1, &a->uid) ||
	    number(argv[3], 1, UINT32_MAX - 1, &a->gid) || number(argv[5], 1, 65535, &a->first) ||
	    number(argv[6], a->first, 65535, &a->last))
		return -EINVAL;
	a->host = argv[4];
	a->password = !strcmp(argv[7], "password");
	a->keymap = argv[8];
	a->name = argv[9];
	return 0;
}

static int try_listen(const struct addrinfo *ai)
{
	int one = 1, ret, fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	/* A wildcard of IPv6 is one of IPv4, too. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!bind(fd, ai->ai_addr, ai->ai_addrlen) && !listen(fd, 8))
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

/* The first port that is free; its socket. */
static int open_port(const struct args *a, uint64_t *port)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	int fd = -EADDRINUSE;

	for (*port = a->first; *port <= a->last; ++*port) {
		struct addrinfo *ai;
		char text[8];

		snprintf(text, sizeof(text), "%u", (unsigned int)*port);
		if (getaddrinfo(*a->host ? a->host : NULL, text, &hints, &ai))
			return -EADDRNOTAVAIL;
		fd = try_listen(ai);
		freeaddrinfo(ai);
		if (fd != -EADDRINUSE)
			break;
	}
	return fd;
}

static int open_all(const struct args *a, struct display *d, uint64_t *port)
{
	int ret = keys_load(a->keymap);

	if (ret)
		log_warn(d->about, "VNC: no keyboard layout (%s): is xkb-data installed?", strerror(-ret));
	d->listen = open_port(a, port);
	if (d->listen < 0) {
		log_err(d->about, "VNC: %s, ports %u to %u: %s", a->host, (unsigned int)a->first, (unsigned int)a->last,
			strerror(-d->listen));
		return d->listen;
	}
	d->foreign = foreign_open((uint32_t)a->stub);
	d->video.frames = d->foreign ? frames_open((uint32_t)a->stub) : NULL;
	if (!d->video.frames) {
		ret = errno ? -errno : -EIO;
		log_err(d->about, "VNC: no access to grants, event channels and frames: %s", strerror(-ret));
		return ret;
	}
	return display_init(d, a->name, a->password);
}

int main(int argc, char **argv)
{
	static struct display d;
	struct log_about about = { .domid = -1 };
	struct link_msg m = { .what = LINK_READY };
	const char *what = "";
	struct args a;
	uint64_t port;
	int ret;

	log_open("xen-stubdom-vnc", NULL, LOG_INFO);
	if (parse(argc, argv, &a) || fcntl(FD_SOCKET, F_GETFD) < 0) {
		fprintf(stderr, "xen-stubdom-vnc %s: started by xen-stubdom-pv, see xen-stubdom-pv(8)\n", XE_VERSION);
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	about.guest = a.name;
	d.about = &about;
	d.sock = FD_SOCKET;
	ret = open_all(&a, &d, &port);
	if (!ret) {
		ret = rights_give_up((uid_t)a.uid, (gid_t)a.gid, &what);
		if (ret)
			log_err(&about, "VNC: rights cannot be given up (%s): %s", what, strerror(-ret));
	}
	if (ret)
		m = (struct link_msg){ .what = LINK_FAILED, .a = (uint64_t)-ret };
	else
		m.a = port;
	if (send(FD_SOCKET, &m, sizeof(m), MSG_NOSIGNAL) != sizeof(m) || ret)
		return EXIT_FAILURE;
	while (!display_round(&d, -1))
		;
	return EXIT_SUCCESS;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "argv.h"
#include "base/log.h"
#include "devnodes.h"
#include "identity.h"
#include "keeper.h"
#include "opened.h"
#include "sectors.h"
#include "steps.h"
#include "virtio/mark.h"
#include "virtio/nodes.h"
#include "virtio/probing.h"

struct backend {
	struct vd_store st;
	uint32_t domid;
	char name[DOMAIN_NAME_MAX];
	char dir[64];			/* for its sockets */
	struct log_about about;
	struct vd_identity who;		/* its QEMU */
};

static void say(const struct backend *b, int level, struct vd_id id, const char *what)
{
	char dev[VD_ID_MAX];

	log_msg(level, &b->about, "%s: %s", vd_id_show(dev, id), what);
}

static void backend_init(struct backend *b, uint32_t domid)
{
	memset(b, 0, sizeof(*b));
	b->domid = domid;
	snprintf(b->dir, sizeof(b->dir), VD_RUN_DIR "/%u", domid);
	vd_identity_init(&b->who, domid);
	b->about = (struct log_about){ .domid = (int)domid, .stubdom = -1, .show_domid = true };
}

static int backend_open(struct backend *b)
{
	struct xs_handle *xs = xs_open(0);
	int ret;

	if (!xs) {
		log_err(&b->about, "no connection to xenstored: %s", strerror(errno));
		return -ENOTCONN;
	}
	ret = vd_store_init(&b->st, xs);
	if (ret) {
		log_err(&b->about, "xenstored: %s", strerror(-ret));
		xs_close(xs);
		return ret;
	}
	domain_name(b->st.xs, b->domid, b->name, DOMAIN_NAME_MAX);
	if (b->name[0])
		b->about.guest = b->name;
	return 0;
}

static int nodes_of(const struct backend *b, struct vd_node **list, unsigned int *n)
{
	int ret = vd_nodes_list(&b->st, b->domid, list, n);

	if (ret)
		log_err(&b->about, "reading its devices: %s", strerror(-ret));
	return ret;
}

static void refuse(const struct backend *b, struct vd_id id, const char *why)
{
	vd_nodes_fail(&b->st, b->domid, id, why);
	say(b, LOG_ERR, id, why);
}

/*
 * Has xen-virtiod made a card's tap?  It does so before it starts the unit, but a
 * card that came since then has none yet: the daemon will add it to QEMU, which
 * would not even start with it.
 */
static bool tap_made(uint32_t domid, uint32_t devid)
{
	char name[32], path[80], owner[16] = "-1";
	FILE *f;

	if (vd_tap_name(name, domid, devid))
		return true;	/* is refused with a reason */
	if (!vd_tap_ours(name))
		return false;
	snprintf(path, sizeof(path), VD_SYS_NET "/%s/owner", name);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(owner, sizeof(owner), f))
		owner[0] = '-';
	fclose(f);
	return owner[0] != '-';
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* One that does not answer must not keep the others from being served. */
static int probe(const struct vd_spec *s, struct vd_found *found, char *why)
{
	struct probing p = { .asked = false };
	int ret;

	do
		ret = probing_ask(&p, s, true, now_ms(), found, why);
	while (ret == -EINPROGRESS);
	return ret;
}

/* False when the device cannot be served, or not yet. */
static bool usable(const struct backend *b, const struct vd_node *n, struct vd_found *found)
{
	char why[VD_ERROR_MAX];
	int ret;

	if (!n->online) {
		if (n->state != XenbusStateClosed)
			vd_nodes_set_state(&b->st, b->domid, n->id, XenbusStateClosed);
		return false;
	}
	if (n->bad) {
		refuse(b, n->id, n->error);
		return false;
	}
	ret = probe(&n->spec, found, why);
	/*
	 * Not there, or attached after systemd has read what this unit may open (of a
	 * path -ENOENT, of a device -EPERM): the daemon adds it, or says why not.
	 */
	if ((ret == -ENOENT || ret == -EPERM) && n->spec.path[0])
		return false;
	if (ret) {
		refuse(b, n->id, why);
		return false;
	}
	if (n->spec.type == VD_NET && !tap_made(b->domid, n->id.devid))
		return false;
	if (!sectors_keep(&b->st, b->domid, n, found, why))
		say(b, LOG_WARNING, n->id, why);
	/* -ENOENT: gone in this moment. */
	return !vd_nodes_renew(&b->st, b->domid, n->id);
}

/* True when the start before this one came to nothing. */
static bool mark_start(uint32_t domid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), VD_RUN_START, domid);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == EEXIST;
}

/* The files of a device.  False: it is refused, or comes later. */
static bool open_files(struct backend *b, const struct vd_node *n, const struct vd_found *found, struct vd_opened *o)
{
	char why[VD_ERROR_MAX];
	int ret;

	if (!vd_identity_serve(&b->who, &n->spec, found)) {
		refuse(b, n->id, "its directory belongs to another user than that of the guest's first: let both belong to one");
		return false;
	}
	ret = vd_opened_open(o, b->dir, b->domid, n->id, &n->spec, found, why);
	/* As in usable(): what has changed since it was looked at is the daemon's to add. */
	if (ret && ret != -ENOENT && ret != -EPERM)
		refuse(b, n->id, why);
	return !ret;
}

/* QEMU is to have it. */
static void inherit(int fd)
{
	fcntl(fd, F_SETFD, 0);
}

static int add_device(struct backend *b, struct vd_argv *a, const struct vd_node *n, const struct vd_found *found)
{
	struct vd_opened o;
	struct vd_steps st;
	int ret;

	if (!open_files(b, n, found, &o))
		return 0;
	ret = vd_steps_make(&st, n->id, &n->spec, found, &o, false);
	if (!ret)
		ret = vd_argv_steps(a, &st);
	vd_steps_free(&st);
	for (unsigned int i = 0; i < o.n; i++)
		inherit(o.fd[i]);
	return ret;
}

static int add_devices(struct backend *b, struct vd_argv *a, bool bare)
{
	struct vd_node *list;
	unsigned int n;
	int ret = nodes_of(b, &list, &n);

	for (unsigned int i = 0; !ret && i < n; i++) {
		struct vd_found found;

		if (usable(b, &list[i], &found) && !bare)
			ret = add_device(b, a, &list[i], &found);
	}
	free(list);
	return ret;
}

static void refuse_all(const struct backend *b, const char *why)
{
	struct vd_node *list;
	unsigned int n;

	if (nodes_of(b, &list, &n))
		return;
	for (unsigned int i = 0; i < n; i++)
		if (list[i].online)
			refuse(b, list[i].id, why);
	free(list);
}

static void log_argv(const struct backend *b, const struct vd_argv *a)
{
	for (unsigned int i = 0; i < a->n; i++)
		log_debug(&b->about, "argument %u: %s", i, a->v[i]);
}

static int base_arguments(struct backend *b, struct vd_argv *a, const char *qemu)
{
	int qmp = vd_listen(b->dir, "qmp", SOCK_STREAM);
	int events = qmp < 0 ? qmp : vd_listen(b->dir, "events", SOCK_STREAM);

	if (events < 0)
		return events;
	inherit(qmp);
	inherit(events);
	return vd_argv_base(a, qemu, b->domid, b->name[0] ? b->name : "unknown", qmp, events);
}

/* What is to be there before QEMU is, and needs more than QEMU will have. */
static int surroundings(const struct backend *b)
{
	const char *path;
	int ret = devnodes_make(&path);

	if (ret)
		log_err(&b->about, "%s of the unit's own: %s", path, strerror(-ret));
	else if ((ret = keeper_start(b->domid)))
		log_err(&b->about, "starting the process beside its QEMU: %s", strerror(-ret));
	return ret;
}

/* Not to return. */
static int become_qemu(const struct backend *b, const char *qemu, char **argv)
{
	int ret = vd_become(b->who.uid, b->who.gid);

	if (ret)
		return ret;
	if (setenv("XENSTORED_PATH", VD_XENSTORE, 1))
		return -errno;
	execv(qemu, argv);
	return -errno;
}

int backend_run(uint32_t domid, const char *qemu)
{
	struct vd_argv a = { .v = NULL };
	struct backend b;
	char why[VD_ERROR_MAX];
	bool bare;
	int ret;

	backend_init(&b, domid);
	/* First: what it leaves behind must not have what is opened later. */
	if (surroundings(&b) || backend_open(&b))
		return EXIT_FAILURE;
	if (access(qemu, X_OK)) {
		snprintf(why, sizeof(why), "%.100s is missing: install the package qemu-xen-extras, then run 'systemctl restart " VD_UNIT "'",
			 qemu, domid);
		refuse_all(&b, why);
		xs_close(b.st.xs);
		return VD_EXIT_CONFIG;
	}
	bare = mark_start(domid);
	if (bare)
		log_warn(&b.about, "the start before this one failed: adding its devices one by one");
	ret = base_arguments(&b, &a, qemu);
	if (!ret)
		ret = add_devices(&b, &a, bare);
	xs_close(b.st.xs);
	if (!ret) {
		log_argv(&b, &a);
		ret = become_qemu(&b, qemu, a.v);
	}
	log_err(&b.about, "starting %s: %s", qemu, strerror(-ret));
	vd_argv_free(&a);
	return EXIT_FAILURE;
}

int backend_ended(uint32_t domid)
{
	struct vd_node *list;
	struct backend b;
	unsigned int n;
	int ret;

	backend_init(&b, domid);
	if (backend_open(&b))
		return EXIT_FAILURE;
	ret = nodes_of(&b, &list, &n);
	for (unsigned int i = 0; !ret && i < n; i++) {
		enum xenbus_state to = list[i].online ? XenbusStateInitialising : XenbusStateClosed;

		if (list[i].state == XenbusStateClosed || list[i].state == to)
			continue;
		ret = vd_nodes_set_state(&b.st, domid, list[i].id, to);
		if (ret == -ENOENT)
			ret = 0;
	}
	free(list);
	xs_close(b.st.xs);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}

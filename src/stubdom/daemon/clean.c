// SPDX-License-Identifier: GPL-2.0-or-later
#include "clean.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "root.h"
#include "savefile.h"
#include "xen/xs_util.h"

static struct log_about about_of(const struct stub_id *id)
{
	return (struct log_about){
		.guest = id->name[0] ? id->name : NULL,
		.domid = (int)id->guest, .stubdom = (int)id->stub,
	};
}

static bool is_gone(struct hv *hv, uint32_t domid)
{
	struct hv_dom dom;

	return hv_dom_get(hv, domid, &dom) == -ENOENT;
}

/* ---- processes ---- */

/* The argument after @arg, which must lie inside [arg, end). */
static const char *next_arg(const char *arg, const char *end)
{
	arg += strlen(arg) + 1;
	return arg < end ? arg : NULL;
}

bool clean_is_helper(const char *cmdline, size_t len, uint32_t stub)
{
	const char *end = cmdline + len, *name, *prev = "";
	bool domid = false, xenpv = false;
	char number[16], vchan[48];

	if (!len || cmdline[len - 1])
		return false;
	snprintf(number, sizeof(number), "%u", stub);
	snprintf(vchan, sizeof(vchan), "/local/domain/%u/device-model/", stub);
	name = strrchr(cmdline, '/') ? strrchr(cmdline, '/') + 1 : cmdline;
	for (const char *a = cmdline; a; prev = a, a = next_arg(a, end)) {
		domid |= !strcmp(prev, "-xen-domid") && !strcmp(a, number);
		xenpv |= !strcmp(prev, "-machine") && !strncmp(a, "xenpv", 5);
		if (!strcmp(name, "vchan-socket-proxy") && !strncmp(a, vchan, strlen(vchan)))
			return true;
	}
	return domid && xenpv;
}

static bool is_helper(const char *pid, uint32_t stub)
{
	char path[64], buf[8192];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%.16s/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return false;
	buf[n] = '\0';	/* a longer one was cut inside an argument */
	return clean_is_helper(buf, buf[n - 1] ? n + 1 : n, stub);
}

/*
 * A descriptor holds on to the process: its number cannot come to mean another
 * one between the look and the signal.
 */
static bool end_helper(const char *pid, uint32_t stub)
{
	int fd = syscall(SYS_pidfd_open, atoi(pid), 0);
	bool done;

	if (fd < 0)
		return false;
	done = is_helper(pid, stub) &&
	       !syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0);
	close(fd);
	return done;
}

static void clean_processes(const struct stub_id *id)
{
	struct log_about about = about_of(id);
	DIR *proc = opendir("/proc");
	struct dirent *e;

	while (proc && (e = readdir(proc))) {
		if (!isdigit((unsigned char)e->d_name[0]) || !is_helper(e->d_name, id->stub))
			continue;
		if (end_helper(e->d_name, id->stub))
			log_notice(&about, "process %s served stubdomain %u, which is gone: told it to end",
				   e->d_name, id->stub);
		else
			log_warn(&about, "process %s serves stubdomain %u, which is gone, and could not be told to end: %s",
				 e->d_name, id->stub, strerror(errno));
	}
	if (proc)
		closedir(proc);
}

/* ---- files ---- */

static void clean_file(const struct stub_id *id, const char *name, uint32_t domid)
{
	struct log_about about = about_of(id);
	char path[512];

	snprintf(path, sizeof(path), "%s%s%u", host_root, name, domid);
	if (!unlink(path))
		log_info(&about, "removed %s, left by domain %u", path, domid);
	else if (errno != ENOENT)
		log_warn(&about, "removing %s: %s", path, strerror(errno));
}

/* ---- xenstore ---- */

struct left {
	uint32_t domid;
	const char *path;	/* a node that it left, or its "vm" */
};

static int remove_left(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct left *l = arg;
	int ret;

	/* libxl gives every domain this node, first of all: the number is in use. */
	if (!xsu_exists(xs, t, "%s", l->path) ||
	    xsu_exists(xs, t, "/local/domain/%u/vm", l->domid))
		return 0;
	ret = xsu_rm(xs, t, "%s", l->path);
	return ret ? ret : 1;
}

static void clean_node(struct xs_handle *xs, const struct stub_id *id,
		       const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void clean_node(struct xs_handle *xs, const struct stub_id *id,
		       const char *fmt, ...)
{
	struct log_about about = about_of(id);
	char path[128];
	struct left left = { id->stub, path };
	va_list ap;
	int ret;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	ret = xsu_transact(xs, remove_left, &left);
	if (ret > 0)
		log_info(&about, "removed %s from xenstore, left by stubdomain %u", path, id->stub);
	else if (ret < 0)
		log_warn(&about, "removing %s from xenstore: %s", path, strerror(-ret));
}

/* ---- both ---- */

void clean_stub(struct xs_handle *xs, struct hv *hv, const struct stub_id *id)
{
	/* Served by QEMU and by us; the kernel and its scripts see to vbd and vif. */
	static const char *const kinds[] = { "console", "vfb", "vkbd", "xe-state" };

	if (!is_gone(hv, id->stub))
		return;
	clean_processes(id);
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		clean_node(xs, id, "/local/domain/0/backend/%s/%u", kinds[i], id->stub);
	clean_node(xs, id, "/local/domain/0/device-model/%u", id->stub);
	clean_node(xs, id, "/local/domain/%u", id->stub);
	clean_file(id, "/var/run/xen/qmp-libxl-", id->stub);
	clean_file(id, "/var/run/xen/qmp-libxenstat-", id->stub);
	clean_file(id, "/var/run/xen/empty-cdrom.", id->stub);
}

void clean_guest(struct xs_handle *xs, struct hv *hv, const struct stub_id *id)
{
	(void)xs;
	if (!is_gone(hv, id->guest))
		return;
	clean_file(id, "/var/lib/xen/qemu-save.", id->guest);
	/* Ours: not worth a log line. */
	savefile_forget(id->guest);
	clean_file(id, "/var/lib/xen/qemu-resume.", id->guest);
	clean_file(id, "/var/run/xen/qmp-libxl-", id->guest);
	clean_file(id, "/var/run/xen/qmp-libxenstat-", id->guest);
	clean_file(id, "/var/run/xen/empty-cdrom.", id->guest);
}

/* ---- a stubdomain that never was one ---- */

/* libxl stores this for each domain it has made, stubdomains excepted. */
static bool has_config(const struct hv_dom *dom)
{
	const uint8_t *u = dom->uuid;
	char path[512];

	snprintf(path, sizeof(path),
		 "%s/var/lib/xen/userdata-d.%u.%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x.libxl-json",
		 host_root, dom->domid, u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7],
		 u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
	return !access(path, F_OK) || errno != ENOENT;
}

static int forget_domain(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct left *l = arg;
	int ret;

	/* Between the look and now it became a guest's stubdomain after all. */
	if (xsu_exists(xs, t, "/local/domain/%u/target", l->domid))
		return -EEXIST;
	ret = strncmp(l->path, "/vm/", 4) ? 0 : xsu_rm(xs, t, "%s", l->path);
	if (!ret)
		ret = xsu_rm(xs, t, "/libxl/%u", l->domid);
	if (!ret)
		ret = xsu_rm(xs, t, "/local/domain/%u", l->domid);
	return ret ? ret : 1;
}

int clean_unbuilt(struct xs_handle *xs, struct hv *hv, const struct stub_id *id,
		  const struct hv_dom *dom)
{
	struct left left = { .domid = id->stub };
	struct hv_dom now;
	char *vm = NULL;
	int ret;

	if (has_config(dom))
		return -EEXIST;
	ret = hv_dom_get(hv, id->stub, &now);
	if (!ret && (memcmp(now.uuid, dom->uuid, 16) || now.cpu_ns || !now.paused))
		ret = -ESTALE;
	if (!ret)
		ret = xsu_read(xs, XBT_NULL, &vm, NULL, "/local/domain/%u/vm", id->stub);
	if (ret == -ENOENT)	/* no vm node: libxl had not come that far */
		ret = 0;
	left.path = vm ? vm : "";
	if (!ret)
		ret = xsu_transact(xs, forget_domain, &left);
	free(vm);
	return ret < 0 ? ret : hv_dom_destroy(hv, id->stub);
}

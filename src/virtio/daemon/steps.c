// SPDX-License-Identifier: GPL-2.0-or-later
#include "steps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "option.h"

/* What is being made, of what. */
struct making {
	struct vd_steps *st;
	struct vd_id id;
	const struct vd_spec *s;
	const struct vd_found *found;
	struct vd_opened *o;
	bool running;
};

/* ---- JSON ---- */

static void put_text(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

static void put_bool(struct json_object *o, const char *key, bool is)
{
	json_object_object_add(o, key, json_object_new_boolean(is));
}

static void put_number(struct json_object *o, const char *key, int64_t n)
{
	json_object_object_add(o, key, json_object_new_int64(n));
}

void vd_put_name(struct json_object *o, const char *key, struct vd_id id, const char *suffix)
{
	char name[VD_ID_MAX], text[VD_NAME_MAX];

	snprintf(text, sizeof(text), "%s%s", vd_id_name(name, id), suffix);
	put_text(o, key, text);
}

/* ---- steps ---- */

static struct json_object *step(struct vd_steps *st, const char *option, const char *command)
{
	struct vd_step *s = &st->step[st->n++];

	*s = (struct vd_step){ .option = option, .command = command, .fd = -1 };
	s->args = json_object_new_object();
	return s->args;
}

/* The last step's argument, where it is no JSON.  Takes @text. */
static void set_text(struct vd_steps *st, char *text)
{
	st->step[st->n - 1].text = text;
	st->failed |= !text;
}

static struct json_object *step_transport(struct vd_steps *st, struct vd_id id)
{
	struct json_object *o = step(st, "-device", "device_add");

	put_text(o, "driver", "virtio-xenbus");
	vd_put_name(o, "id", id, "");
	put_text(o, "kind", vd_kind_name(id.kind));
	put_number(o, "devid", id.devid);
	return o;
}

static struct json_object *step_device(struct vd_steps *st, struct vd_id id, const char *driver)
{
	struct json_object *o = step(st, "-device", "device_add");

	put_text(o, "driver", driver);
	vd_put_name(o, "id", id, ".dev");
	vd_put_name(o, "bus", id, ".0");
	return o;
}

/* ---- open files ---- */

/* The set of a disk's file. */
static void step_fdset(struct making *m)
{
	struct json_object *o = step(m->st, "-add-fd", "add-fd");
	int set = vd_id_fdset(m->id);

	put_number(o, "fdset-id", set);
	set_text(m->st, opt_fmt("fd=%d,set=%d", m->o->fd[0], set));
	if (m->running) {
		m->st->step[m->st->n - 1].fd = m->o->fd[0];
		m->o->n = 0;
	}
}

static void fd_name(char *name, size_t size, const struct making *m, unsigned int i)
{
	char dev[VD_ID_MAX];

	if (m->running)
		snprintf(name, size, "%s.fd%u", vd_id_name(dev, m->id), i);
	else
		snprintf(name, size, "%d", m->o->fd[i]);
}

/* Give a QEMU that runs the files, by name. */
static void step_files(struct making *m)
{
	char name[VD_NAME_MAX];

	for (unsigned int i = 0; m->running && i < m->o->n; i++) {
		struct json_object *o = step(m->st, NULL, "getfd");

		fd_name(name, sizeof(name), m, i);
		put_text(o, "fdname", name);
		m->st->step[m->st->n - 1].fd = m->o->fd[i];
	}
}

/* Set @key to the names of files @from and on, as a card's are written. */
static void put_files(struct json_object *o, const char *key, const struct making *m, unsigned int from)
{
	char names[VD_QUEUES_MAX * VD_NAME_MAX] = "";

	for (unsigned int i = from; i < from + m->s->queues; i++) {
		size_t n = strlen(names);

		if (n)
			names[n++] = ':';
		fd_name(names + n, sizeof(names) - n, m, i);
	}
	put_text(o, key, names);
}

/* ---- kinds of devices ---- */

/*
 * The next QEMU begins again what the last had begun, so nothing of that one's may
 * reach the disk later.  The kernel waits for what threads and Linux AIO have under
 * way before a process that was killed is gone; for io_uring it does not.
 */
static const char *aio_name(const struct vd_spec *s, bool blockdev)
{
	switch (s->aio) {
	case VD_AIO_DEFAULT: return blockdev && !s->cached ? "native" : "threads";
	case VD_AIO_NATIVE: return "native";
	case VD_AIO_IO_URING: return "io_uring";
	default: return "threads";
	}
}

static void step_blockdev(struct making *m)
{
	struct json_object *o = step(m->st, "-blockdev", "blockdev-add");
	struct json_object *cache = json_object_new_object();
	struct json_object *file = json_object_new_object();
	const struct vd_spec *s = m->s;
	bool blockdev = m->found->dev != 0;
	char path[32];

	/* The format is never guessed: a guest can write any header. */
	put_text(o, "driver", s->format == VD_QCOW2 ? "qcow2" : "raw");
	vd_put_name(o, "node-name", m->id, "");
	put_bool(o, "read-only", s->readonly);
	put_text(o, "discard", s->discard ? "unmap" : "ignore");
	put_bool(cache, "direct", !s->cached);
	json_object_object_add(o, "cache", cache);
	put_text(file, "driver", blockdev ? "host_device" : "file");
	snprintf(path, sizeof(path), "/dev/fdset/%d", vd_id_fdset(m->id));
	put_text(file, "filename", path);
	put_text(file, "aio", aio_name(s, blockdev));
	/*
	 * As Xen's other backends: while a guest moves to a domain of the same
	 * host, both have the disk, and only one of them uses it.
	 */
	put_text(file, "locking", "off");
	json_object_object_add(o, "file", file);
}

static int steps_block(struct making *m)
{
	struct json_object *o = step(m->st, "-object", "object-add");
	const struct vd_found *found = m->found;
	const struct vd_spec *s = m->s;
	struct vd_steps *st = m->st;
	struct vd_id id = m->id;

	if (vd_id_fdset(id) < 0)
		return -EINVAL;

	put_text(o, "qom-type", "iothread");
	vd_put_name(o, "id", id, ".io");
	step_fdset(m);
	step_blockdev(m);
	step_transport(st, id);
	o = step_device(st, id, "virtio-blk-device");
	vd_put_name(o, "drive", id, "");
	vd_put_name(o, "iothread", id, ".io");
	put_number(o, "num-queues", s->queues);
	if (s->packed)
		put_bool(o, "packed", true);
	if (s->serial[0])
		put_text(o, "serial", s->serial);
	if (!s->discard)
		put_bool(o, "discard", false);
	if (found->sectors.logical) {
		put_number(o, "logical_block_size", found->sectors.logical);
		put_number(o, "physical_block_size", found->sectors.physical);
	}
	/*
	 * QEMU's default for a write without space is to stop, all devices of the guest,
	 * until somebody says "cont"; nobody would.
	 */
	put_text(o, "rerror", "report");
	put_text(o, "werror", "report");
	return 0;
}

static void step_netdev(struct making *m)
{
	struct json_object *o;

	step_files(m);
	o = step(m->st, "-netdev", "netdev_add");
	put_text(o, "type", "tap");
	vd_put_name(o, "id", m->id, ".net");
	put_files(o, "fds", m, 0);
	if (m->found->vhost) {
		put_bool(o, "vhost", true);
		put_files(o, "vhostfds", m, m->s->queues);
	}
	if (m->running)
		m->o->n = 0;
}

static void steps_net(struct making *m)
{
	const struct vd_spec *s = m->s;
	const uint8_t *mac = s->mac;
	struct vd_steps *st = m->st;
	struct vd_id id = m->id;
	struct json_object *o;
	char text[32];

	step_netdev(m);
	o = step_transport(st, id);
	/* The kernel serves each pair in a thread; its events have one as well. */
	if (m->found->vhost)
		put_number(o, "relays", s->queues);
	o = step_device(st, id, "virtio-net-device");
	vd_put_name(o, "netdev", id, ".net");
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x",
		 mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	put_text(o, "mac", text);
	put_bool(o, "mq", s->queues > 1);
	if (s->packed)
		put_bool(o, "packed", true);
	/*
	 * No state but the number of queues, which the guest's driver sets again when
	 * it gets another QEMU.  The bridge knows who has which address; what it sends
	 * to all, the guest sees, as with netback.
	 */
	put_bool(o, "ctrl_rx", false);
	put_bool(o, "ctrl_rx_extra", false);
	put_bool(o, "ctrl_vlan", false);
	put_bool(o, "ctrl_mac_addr", false);
	put_bool(o, "ctrl_guest_offloads", false);
	if (s->mtu)
		put_number(o, "host_mtu", s->mtu);
}

static void steps_rng(struct vd_steps *st, struct vd_id id, const struct vd_spec *s)
{
	struct json_object *o = step(st, "-object", "object-add");

	put_text(o, "qom-type", "rng-random");
	vd_put_name(o, "id", id, ".rng");
	put_text(o, "filename", "/dev/urandom");
	step_transport(st, id);
	o = step_device(st, id, "virtio-rng-device");
	vd_put_name(o, "rng", id, ".rng");
	if (s->rate) {
		put_number(o, "max-bytes", s->rate);
		put_number(o, "period", 1000);
	}
}

static void step_chardev(struct making *m)
{
	struct json_object *backend = json_object_new_object();
	struct json_object *data = json_object_new_object();
	struct json_object *addr = json_object_new_object();
	struct json_object *file = json_object_new_object();
	char dev[VD_ID_MAX], name[VD_NAME_MAX];
	struct json_object *o;

	step_files(m);
	o = step(m->st, "-chardev", "chardev-add");
	fd_name(name, sizeof(name), m, 0);
	vd_put_name(o, "id", m->id, ".chr");
	put_text(file, "str", name);
	put_text(addr, "type", "fd");
	json_object_object_add(addr, "data", file);
	json_object_object_add(data, "addr", addr);
	put_bool(data, "server", true);
	put_bool(data, "wait", false);
	put_text(backend, "type", "socket");
	json_object_object_add(backend, "data", data);
	json_object_object_add(o, "backend", backend);
	set_text(m->st, opt_fmt("socket,id=%s.chr,fd=%s,server=on,wait=off", vd_id_name(dev, m->id), name));
	if (m->running)
		m->o->n = 0;
}

static void steps_console(struct making *m)
{
	struct json_object *o;

	step_chardev(m);
	step_transport(m->st, m->id);
	step_device(m->st, m->id, "virtio-serial-device");
	o = step(m->st, "-device", "device_add");
	put_text(o, "driver", "virtconsole");
	vd_put_name(o, "id", m->id, ".con");
	vd_put_name(o, "bus", m->id, ".dev.0");
	vd_put_name(o, "chardev", m->id, ".chr");
}

static void steps_9p(struct vd_steps *st, struct vd_id id, const struct vd_spec *s)
{
	struct json_object *o;
	char name[VD_ID_MAX], *path = opt_escape(s->path);

	/* QEMU has no command that adds one: vd_steps_cold(). */
	step(st, "-fsdev", NULL);
	set_text(st, path ? opt_fmt("local,id=%s.fs,path=%s,security_model=%s,multidevs=remap%s",
				    vd_id_name(name, id), path, s->mapped ? "mapped-xattr" : "none",
				    s->readonly ? ",readonly=on" : "") : NULL);
	free(path);
	step_transport(st, id);
	o = step_device(st, id, "virtio-9p-device");
	vd_put_name(o, "fsdev", id, ".fs");
	put_text(o, "mount_tag", s->tag);
}

static int steps_of(struct making *m)
{
	switch (m->s->type) {
	case VD_NET:
		steps_net(m);
		return 0;
	case VD_BLOCK:
		return steps_block(m);
	case VD_CONSOLE:
		steps_console(m);
		return 0;
	case VD_RNG:
		steps_rng(m->st, m->id, m->s);
		return 0;
	case VD_9P:
		steps_9p(m->st, m->id, m->s);
		return 0;
	default:
		return -EINVAL;
	}
}

int vd_steps_make(struct vd_steps *st, struct vd_id id, const struct vd_spec *s,
		  const struct vd_found *found, struct vd_opened *o, bool running)
{
	struct making m = { .id = id, .s = s, .found = found, .o = o, .running = running };
	int ret;

	memset(st, 0, sizeof(*st));
	m.st = st;
	if (o->n != vd_opened_count(s, found))
		return -EINVAL;
	ret = steps_of(&m);
	for (unsigned int i = 0; i < st->n; i++)
		st->failed |= !st->step[i].args;
	return st->failed ? -ENOMEM : ret;
}

int vd_steps_resize(struct vd_steps *st, struct vd_id id, uint64_t bytes)
{
	struct json_object *o;

	memset(st, 0, sizeof(*st));
	o = step(st, NULL, "block_resize");
	if (!o || bytes > INT64_MAX)
		return o ? -EINVAL : -ENOMEM;
	vd_put_name(o, "node-name", id, "");
	put_number(o, "size", (int64_t)bytes);
	return 0;
}

void vd_steps_free(struct vd_steps *st)
{
	for (unsigned int i = 0; i < st->n; i++) {
		json_object_put(st->step[i].args);
		free(st->step[i].text);
		if (st->step[i].fd >= 0)
			close(st->step[i].fd);
	}
	memset(st, 0, sizeof(*st));
}

bool vd_steps_cold(const struct vd_spec *s)
{
	return s->type == VD_9P;
}

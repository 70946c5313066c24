// SPDX-License-Identifier: GPL-2.0-or-later
#include "steps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "option.h"

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

	*s = (struct vd_step){ .option = option, .command = command };
	s->args = json_object_new_object();
	return s->args;
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

static void step_blockdev(struct vd_steps *st, struct vd_id id, const struct vd_spec *s,
			  bool blockdev)
{
	struct json_object *o = step(st, "-blockdev", "blockdev-add");
	struct json_object *cache = json_object_new_object();
	struct json_object *file = json_object_new_object();

	/* The format is never guessed: a guest can write any header. */
	put_text(o, "driver", s->format == VD_QCOW2 ? "qcow2" : "raw");
	vd_put_name(o, "node-name", id, "");
	put_bool(o, "read-only", s->readonly);
	put_text(o, "discard", s->discard ? "unmap" : "ignore");
	put_bool(cache, "direct", !s->cached);
	json_object_object_add(o, "cache", cache);
	put_text(file, "driver", blockdev ? "host_device" : "file");
	put_text(file, "filename", s->path);
	put_text(file, "aio", aio_name(s, blockdev));
	/*
	 * As Xen's other backends: while a guest moves to a domain of the same
	 * host, both have the disk, and only one of them uses it.
	 */
	put_text(file, "locking", "off");
	json_object_object_add(o, "file", file);
}

static void steps_block(struct vd_steps *st, struct vd_id id, const struct vd_spec *s,
			const struct vd_found *found)
{
	struct json_object *o = step(st, "-object", "object-add");

	put_text(o, "qom-type", "iothread");
	vd_put_name(o, "id", id, ".io");
	step_blockdev(st, id, s, found->dev != 0);
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
}

static int steps_net(struct vd_steps *st, uint32_t domid, struct vd_id id,
		     const struct vd_spec *s, bool vhost)
{
	const uint8_t *m = s->mac;
	struct json_object *o;
	char text[32];

	if (vd_tap_name(text, domid, id.devid))
		return -EINVAL;
	o = step(st, "-netdev", "netdev_add");
	put_text(o, "type", "tap");
	vd_put_name(o, "id", id, ".net");
	put_text(o, "ifname", text);
	put_text(o, "script", "no");
	put_text(o, "downscript", "no");
	put_bool(o, "vnet_hdr", true);
	put_number(o, "queues", s->queues);
	if (vhost)
		put_bool(o, "vhost", true);
	o = step_transport(st, id);
	/* The kernel serves each pair in a thread; its events have one as well. */
	if (vhost)
		put_number(o, "relays", s->queues);
	o = step_device(st, id, "virtio-net-device");
	vd_put_name(o, "netdev", id, ".net");
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x",
		 m[0], m[1], m[2], m[3], m[4], m[5]);
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
	return 0;
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

static void steps_console(struct vd_steps *st, uint32_t domid, struct vd_id id)
{
	struct json_object *o = step(st, "-chardev", "chardev-add");
	struct json_object *backend = json_object_new_object();
	struct json_object *data = json_object_new_object();
	struct json_object *addr = json_object_new_object();
	struct json_object *path = json_object_new_object();
	char name[VD_ID_MAX], sock[128];

	vd_id_name(name, id);
	snprintf(sock, sizeof(sock), VD_RUN_CONSOLE, domid, id.devid);
	vd_put_name(o, "id", id, ".chr");
	put_text(path, "path", sock);
	put_text(addr, "type", "unix");
	json_object_object_add(addr, "data", path);
	json_object_object_add(data, "addr", addr);
	put_bool(data, "server", true);
	put_bool(data, "wait", false);
	put_text(backend, "type", "socket");
	json_object_object_add(backend, "data", data);
	json_object_object_add(o, "backend", backend);
	st->step[st->n - 1].text = opt_fmt("socket,id=%s.chr,path=%s,server=on,wait=off", name, sock);
	step_transport(st, id);
	step_device(st, id, "virtio-serial-device");
	o = step(st, "-device", "device_add");
	put_text(o, "driver", "virtconsole");
	vd_put_name(o, "id", id, ".con");
	vd_put_name(o, "bus", id, ".dev.0");
	vd_put_name(o, "chardev", id, ".chr");
}

static void steps_9p(struct vd_steps *st, struct vd_id id, const struct vd_spec *s)
{
	struct json_object *o;
	char name[VD_ID_MAX], *path = opt_escape(s->path);

	/* QEMU has no command that adds one. */
	step(st, "-fsdev", NULL);
	st->step[st->n - 1].text = path ?
		opt_fmt("local,id=%s.fs,path=%s,security_model=%s,multidevs=remap%s",
		    vd_id_name(name, id), path, s->mapped ? "mapped-xattr" : "none",
		    s->readonly ? ",readonly=on" : "") : NULL;
	free(path);
	step_transport(st, id);
	o = step_device(st, id, "virtio-9p-device");
	vd_put_name(o, "fsdev", id, ".fs");
	put_text(o, "mount_tag", s->tag);
}

int vd_steps_make(struct vd_steps *st, uint32_t domid, struct vd_id id,
		  const struct vd_spec *s, const struct vd_found *found)
{
	int ret = 0;

	memset(st, 0, sizeof(*st));
	switch (s->type) {
	case VD_NET:
		ret = steps_net(st, domid, id, s, found->vhost);
		break;
	case VD_BLOCK:
		steps_block(st, id, s, found);
		break;
	case VD_CONSOLE:
		steps_console(st, domid, id);
		break;
	case VD_RNG:
		steps_rng(st, id, s);
		break;
	case VD_9P:
		steps_9p(st, id, s);
		break;
	default:
		return -EINVAL;
	}
	for (unsigned int i = 0; i < st->n; i++) {
		struct vd_step *p = &st->step[i];
		bool text = !strcmp(p->option, "-chardev") || !strcmp(p->option, "-fsdev");

		if (!p->args || (text && !p->text))
			ret = -ENOMEM;
	}
	return ret;
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
	}
	memset(st, 0, sizeof(*st));
}

bool vd_steps_cold(const struct vd_steps *st)
{
	for (unsigned int i = 0; i < st->n; i++)
		if (!st->step[i].command)
			return true;
	return false;
}

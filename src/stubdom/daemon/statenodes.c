// SPDX-License-Identifier: GPL-2.0-or-later
#include "statenodes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "state/words.h"
#include "xen/xenbus.h"
#include "xen/xs_util.h"

#define VDISK_READONLY 4	/* xen/io/blkif.h */

struct job {
	const struct stub_id *id;
	const struct statenodes_dev *dev;
	uint32_t devid;
	int state;
	const char *node, *text;
};

static int same_stub(struct xs_handle *xs, xs_transaction_t t, const struct stub_id *id)
{
	struct stub_id again;
	int ret = stub_ident(xs, t, id->stub, &again);

	return !ret && again.guest != id->guest ? -ENOENT : ret;
}

/* A directory that belongs to @owner, and that @reader may read; so will all below. */
static int make_dir(struct xs_handle *xs, xs_transaction_t t, uint32_t owner, uint32_t reader, const char *path)
{
	struct xs_permissions perms[] = {
		{ .id = owner, .perms = XS_PERM_NONE },
		{ .id = reader, .perms = XS_PERM_READ },
	};

	errno = 0;
	if (!xs_mkdir(xs, t, path) || !xs_set_permissions(xs, t, path, perms, 2))
		return errno ? -errno : -EIO;
	return 0;
}

static void back_path(char *buf, size_t size, uint32_t stub, uint32_t devid)
{
	snprintf(buf, size, "/local/domain/0/" STATE_DISK_BACKEND "/%u/%u", stub, devid);
}

static void front_path(char *buf, size_t size, uint32_t stub, uint32_t devid)
{
	snprintf(buf, size, "/local/domain/%u/device/vbd/%u", stub, devid);
}

/* ---- what dom0 says ---- */

static int say(struct xs_handle *xs, xs_transaction_t t, uint32_t stub, const char *node, const char *text)
{
	char path[96];
	int ret;

	if (!text)
		return xsu_rm(xs, t, "/local/domain/%u/%s", stub, node);
	snprintf(path, sizeof(path), "/local/domain/%u/xen-stubdomd", stub);
	ret = make_dir(xs, t, 0, stub, path);
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "/local/domain/%u/" STATE_DISK_DOM0, stub);
	ret = make_dir(xs, t, 0, stub, path);
	return ret ? ret : xsu_write(xs, t, text, "/local/domain/%u/%s", stub, node);
}

static int do_say(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct job *j = arg;
	int ret = same_stub(xs, t, j->id);

	if (!ret)
		ret = say(xs, t, j->id->stub, j->node, j->text);
	return ret ? ret : 1;
}

int statenodes_say(struct xs_handle *xs, const struct stub_id *id, const char *node, const char *text)
{
	struct job j = { .id = id, .node = node, .text = text };

	return xsu_change(xs, do_say, &j);
}

/* ---- the device ---- */

struct node {
	const char *key, *value;
};

static int write_all_of(struct xs_handle *xs, xs_transaction_t t, const char *dir, const struct node *n)
{
	int ret = 0;

	for (; n->key && !ret; n++)
		ret = xsu_write(xs, t, n->value, "%s/%s", dir, n->key);
	return ret;
}

static int write_back(struct xs_handle *xs, xs_transaction_t t, uint32_t stub, const struct statenodes_dev *dev)
{
	char back[96], front[96], id[16], sectors[24], info[8], segs[8];
	const struct node nodes[] = {
		{ "frontend", front }, { "frontend-id", id }, { "online", "1" },
		{ "mode", dev->readonly ? "r" : "w" }, { "sectors", sectors }, { "sector-size", "512" },
		{ "info", info }, { "feature-flush-cache", "1" }, { "feature-max-indirect-segments", segs },
		{ "state", "2" }, { NULL, NULL },
	};
	int ret;

	back_path(back, sizeof(back), stub, dev->devid);
	front_path(front, sizeof(front), stub, dev->devid);
	snprintf(id, sizeof(id), "%u", stub);
	snprintf(sectors, sizeof(sectors), "%llu", (unsigned long long)dev->sectors);
	snprintf(info, sizeof(info), "%d", dev->readonly ? VDISK_READONLY : 0);
	snprintf(segs, sizeof(segs), "%u", STATE_DISK_INDIRECT);
	ret = make_dir(xs, t, 0, stub, back);
	return ret ? ret : write_all_of(xs, t, back, nodes);
}

static int write_front(struct xs_handle *xs, xs_transaction_t t, uint32_t stub, const struct statenodes_dev *dev)
{
	char back[96], front[96], devid[16];
	const struct node nodes[] = {
		{ "backend", back }, { "backend-id", "0" }, { "virtual-device", devid },
		{ "device-type", "disk" }, { "state", "1" }, { NULL, NULL },
	};
	int ret;

	back_path(back, sizeof(back), stub, dev->devid);
	front_path(front, sizeof(front), stub, dev->devid);
	snprintf(devid, sizeof(devid), "%u", dev->devid);
	/* What the stubdomain may have put there itself. */
	ret = xsu_rm(xs, t, "%s", front);
	if (!ret)
		ret = make_dir(xs, t, stub, 0, front);
	return ret ? ret : write_all_of(xs, t, front, nodes);
}

static int do_attach(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct job *j = arg;
	int ret = same_stub(xs, t, j->id);

	if (!ret)
		ret = write_back(xs, t, j->id->stub, j->dev);
	if (!ret)
		ret = write_front(xs, t, j->id->stub, j->dev);
	if (!ret)
		ret = say(xs, t, j->id->stub, j->dev->node, j->dev->text);
	return ret ? ret : 1;
}

int statenodes_attach(struct xs_handle *xs, const struct stub_id *id, const struct statenodes_dev *dev)
{
	struct job j = { .id = id, .dev = dev };

	return xsu_change(xs, do_attach, &j);
}

static int do_state(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct job *j = arg;
	char back[96], text[8];
	int ret;

	back_path(back, sizeof(back), j->id->stub, j->devid);
	if (!xsu_exists(xs, t, "%s/state", back))
		return -ENOENT;
	snprintf(text, sizeof(text), "%d", j->state);
	ret = xsu_write(xs, t, text, "%s/state", back);
	return ret ? ret : 1;
}

int statenodes_state(struct xs_handle *xs, uint32_t stub, uint32_t devid, int state)
{
	const struct stub_id id = { .stub = stub };
	struct job j = { .id = &id, .devid = devid, .state = state };

	return xsu_change(xs, do_state, &j);
}

/* The directory of all of a stubdomain's goes with its last. */
static int rm_back(struct xs_handle *xs, xs_transaction_t t, uint32_t stub, uint32_t devid)
{
	char back[96], **names;
	unsigned int n;
	int ret;

	back_path(back, sizeof(back), stub, devid);
	ret = xsu_rm(xs, t, "%s", back);
	if (!ret)
		ret = xsu_list(xs, t, &names, &n, "/local/domain/0/" STATE_DISK_BACKEND "/%u", stub);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	free(names);
	return n ? 0 : xsu_rm(xs, t, "/local/domain/0/" STATE_DISK_BACKEND "/%u", stub);
}

static int do_detach_front(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct job *j = arg;
	char front[96];
	int ret;

	if (same_stub(xs, t, j->id))
		return 0;
	front_path(front, sizeof(front), j->id->stub, j->devid);
	ret = xsu_rm(xs, t, "%s", front);
	return ret ? ret : 1;
}

static int do_detach_back(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct job *j = arg;
	int ret = rm_back(xs, t, j->id->stub, j->devid);

	return ret ? ret : 1;
}

int statenodes_detach(struct xs_handle *xs, const struct stub_id *id, uint32_t devid)
{
	struct job j = { .id = id, .devid = devid };
	int front, back;

	/* Two transactions: a stubdomain that writes to its directory without end keeps that one only. */
	front = xsu_change(xs, do_detach_front, &j);
	back = xsu_change(xs, do_detach_back, &j);
	return back ? back : front;
}

int statenodes_detach_all(struct xs_handle *xs, const struct stub_id *id, unsigned int *n,
			  uint32_t *last, struct statenodes_front *front)
{
	unsigned int count;
	uint64_t devid;
	char **names;
	int ret = xsu_list(xs, XBT_NULL, &names, &count, "/local/domain/0/" STATE_DISK_BACKEND "/%u", id->stub);

	*n = 0;
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	for (unsigned int i = 0; i < count && !ret; i++) {
		if (xsu_parse_uint(names[i], UINT32_MAX, &devid))
			continue;
		*last = (uint32_t)devid;
		statenodes_front(xs, id->stub, *last, front);
		ret = statenodes_detach(xs, id, *last);
		*n += !ret;
	}
	free(names);
	return ret;
}

/* ---- what the stubdomain says ---- */

void statenodes_front(struct xs_handle *xs, uint32_t stub, uint32_t devid, struct statenodes_front *out)
{
	uint64_t state, ref, port;
	char front[96], *abi;

	*out = (struct statenodes_front){ .state = -1 };
	front_path(front, sizeof(front), stub, devid);
	if (xsu_read_uint(xs, XBT_NULL, &state, XenbusStateReconfigured, "%s/state", front))
		return;
	out->state = (int)state;
	if (xsu_read_uint(xs, XBT_NULL, &ref, UINT32_MAX, "%s/ring-ref", front) ||
	    xsu_read_uint(xs, XBT_NULL, &port, UINT32_MAX, "%s/event-channel", front))
		return;
	out->ref = (uint32_t)ref;
	out->port = (uint32_t)port;
	out->ring = true;
	/* The layout of the ring: a frontend that does not say has ours. */
	if (xsu_read(xs, XBT_NULL, &abi, NULL, "%s/protocol", front))
		return;
	out->ring = !strcmp(abi, STATE_DISK_ABI);
	free(abi);
}

/* The text of @node, into @buf; false when it is not there or too long. */
static bool read_words(struct xs_handle *xs, uint32_t stub, const char *node, char *buf, size_t size)
{
	size_t len;
	char *v;

	if (xsu_read(xs, XBT_NULL, &v, &len, "/local/domain/%u/%s", stub, node))
		return false;
	if (len < size)
		memcpy(buf, v, len + 1);
	free(v);
	return len < size;
}

void statenodes_asked(struct xs_handle *xs, uint32_t stub, struct statenodes_asked *out)
{
	char text[STATE_DISK_TAG_LEN + 16];

	*out = (struct statenodes_asked){ .want = "" };
	if (read_words(xs, stub, STATE_DISK_WANT, text, sizeof(text)) && state_want_parse(text, out->want))
		out->want[0] = '\0';
	if (read_words(xs, stub, STATE_DISK_DONE, text, sizeof(text)) && state_is_tag(text))
		strcpy(out->done, text);
	out->restored = read_words(xs, stub, STATE_DISK_RESTORED, text, sizeof(text));
}

void statenodes_said(struct xs_handle *xs, uint32_t stub, char disk[STATE_DISK_TAG_LEN + 1],
		     char result[STATE_DISK_TAG_LEN + 1])
{
	char text[STATE_DISK_TAG_LEN + STATE_DISK_REASON_MAX + 16];
	struct state_disk d;
	const char *reason;

	disk[0] = '\0';
	if (read_words(xs, stub, STATE_DISK_DISK, text, sizeof(text)) && !state_disk_parse(text, &d))
		strcpy(disk, d.tag);
	if (!read_words(xs, stub, STATE_DISK_RESULT, text, sizeof(text)) ||
	    state_result_parse(text, result, &reason))
		result[0] = '\0';
}

bool statenodes_have(struct xs_handle *xs, uint32_t stub, const char *node)
{
	return xsu_exists(xs, XBT_NULL, "/local/domain/%u/%s", stub, node);
}

bool statenodes_incoming(struct xs_handle *xs, const struct stub_id *id)
{
	char text[64], want[64];

	snprintf(want, sizeof(want), "pipe:/var/lib/xen/qemu-resume.%u", id->guest);
	return read_words(xs, id->stub, "device/console/2/output", text, sizeof(text)) && !strcmp(text, want);
}

/* ---- watches ---- */

static int watch(struct xs_handle *xs, const char *path, bool on)
{
	errno = 0;
	if (on ? xs_watch(xs, path, EVENTS_STATE) : xs_unwatch(xs, path, EVENTS_STATE))
		return 0;
	return errno ? -errno : -EIO;
}

int statenodes_watch(struct xs_handle *xs, uint32_t stub, bool on)
{
	char path[96];

	snprintf(path, sizeof(path), "/local/domain/%u/" STUBDOM_DATA "/state", stub);
	return watch(xs, path, on);
}

int statenodes_watch_front(struct xs_handle *xs, uint32_t stub, uint32_t devid, bool on)
{
	char path[96];

	front_path(path, sizeof(path), stub, devid);
	strcat(path, "/state");
	return watch(xs, path, on);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "vx-kinds.h"

#include <stdlib.h>
#include <string.h>

#define DISK_BYTES (8u << 20)
#define SECTOR 512u
#define FRAME_MAX 1526u		/* with its virtio_net_hdr */
#define NET_HEADER 12u
#define NINE_MAX 8192u

static uint8_t *disk;
/* What is to go to a receiving queue: the last frame, or a message. */
static uint8_t pending[FRAME_MAX];
static uint32_t pending_len;

/* ---- pieces ---- */

/* The first @len bytes that can be read: how many there were. */
static uint32_t gather(const struct seg *segs, unsigned int n, void *to, uint32_t len)
{
	uint32_t done = 0;

	for (unsigned int i = 0; i < n && done < len; i++) {
		uint32_t k = segs[i].write ? 0 : segs[i].len < len - done ? segs[i].len : len - done;

		memcpy((uint8_t *)to + done, segs[i].at, k);
		done += k;
	}
	return done;
}

/* As much of it as there is room for. */
static uint32_t scatter(const struct seg *segs, unsigned int n, const void *from, uint32_t len)
{
	uint32_t done = 0;

	for (unsigned int i = 0; i < n && done < len; i++) {
		uint32_t k = !segs[i].write ? 0 : segs[i].len < len - done ? segs[i].len : len - done;

		memcpy(segs[i].at, (const uint8_t *)from + done, k);
		done += k;
	}
	return done;
}

/* ---- a disk in memory ---- */

static void block_config(uint8_t *config)
{
	uint64_t capacity = DISK_BYTES / SECTOR;

	memcpy(config, &capacity, sizeof(capacity));
	config[12] = 8;	/* seg_max */
}

static uint32_t block_serve(unsigned int q, const struct seg *segs, unsigned int n)
{
	uint32_t type, written = 1;
	uint64_t at;
	uint8_t *status = segs[n - 1].at;

	(void)q;
	if (n < 2 || segs[0].len < 16 || !segs[n - 1].write || !segs[n - 1].len)
		return 0;
	memcpy(&type, segs[0].at, sizeof(type));
	memcpy(&at, segs[0].at + 8, sizeof(at));
	at *= SECTOR;
	*status = type > 1 ? 2 : 0;
	for (unsigned int i = 1; type <= 1 && i < n - 1; i++) {
		if (at > DISK_BYTES || segs[i].len > DISK_BYTES - at) {
			*status = 1;
			break;
		}
		if (type)
			memcpy(disk + at, segs[i].at, segs[i].len);
		else
			memcpy(segs[i].at, disk + at, segs[i].write ? segs[i].len : 0);
		written += type ? 0 : segs[i].len;
		at += segs[i].len;
	}
	return written;
}

/* ---- a card that sends each frame back ---- */

static void net_config(uint8_t *config)
{
	memcpy(config, "\x00\x16\x3e\x00\x00\x66\x01\x00\x01\x00\xdc\x05", 12);	/* mac, up, one pair, MTU 1500 */
}

static bool receives(unsigned int q)
{
	return q != 0 || pending_len;
}

static uint32_t net_serve(unsigned int q, const struct seg *segs, unsigned int n)
{
	uint32_t len = pending_len;

	if (q) {
		pending_len = gather(segs, n, pending, sizeof(pending));
		if (pending_len < NET_HEADER + 14)
			pending_len = 0;
		return 0;
	}
	pending_len = 0;
	memset(pending, 0, NET_HEADER);
	pending[10] = 1;	/* num_buffers */
	return scatter(segs, n, pending, len);
}

/* ---- a console that echoes ---- */

static void console_config(uint8_t *config)
{
	memcpy(config, "\x50\x00\x19\x00\x01\x00\x00\x00", 8);	/* 80x25, one port */
}

static uint32_t console_serve(unsigned int q, const struct seg *segs, unsigned int n)
{
	uint32_t len = pending_len;

	if (q) {
		pending_len = gather(segs, n, pending, 64);
		return 0;
	}
	pending_len = 0;
	return scatter(segs, n, pending, len);
}

/* The same with control messages: id, event, value. */
struct control {
	uint32_t id;
	uint16_t event, value;
};

enum { DEVICE_READY, PORT_ADD, PORT_REMOVE, PORT_READY, CONSOLE_PORT, RESIZE, PORT_OPEN, PORT_NAME };

bool kind_short_name;
static uint16_t to_say[8];
static unsigned int says;

static bool ports_ready(unsigned int q)
{
	return q == 2 ? says : receives(q);
}

static uint32_t ports_serve(unsigned int q, const struct seg *segs, unsigned int n)
{
	struct control c = { 0 };

	if (q < 2)
		return console_serve(q, segs, n);
	if (q == 2) {
		c.event = to_say[0];
		memmove(to_say, to_say + 1, --says * sizeof(to_say[0]));
		/* A name of one letter. */
		scatter(segs, n, (uint8_t[9]){ 0, 0, 0, 0, (uint8_t)c.event, 0, 1, 0, 'n' }, 9);
		return c.event != PORT_NAME ? 8 : kind_short_name ? 4 : 9;
	}
	if (gather(segs, n, &c, sizeof(c)) < sizeof(c) || says > 4)
		return 0;
	if (c.event == DEVICE_READY)
		to_say[says++] = PORT_ADD;
	if (c.event == PORT_READY) {
		to_say[says++] = CONSOLE_PORT;
		to_say[says++] = PORT_NAME;
		to_say[says++] = PORT_OPEN;
	}
	return 0;
}

/* ---- random numbers, not very ---- */

static uint32_t rng_serve(unsigned int q, const struct seg *segs, unsigned int n)
{
	uint32_t len = 0;

	(void)q;
	for (unsigned int i = 0; i < n; i++) {
		if (segs[i].write)
			memset(segs[i].at, (int)(0x5a + i + len), segs[i].len);
		len += segs[i].write ? segs[i].len : 0;
	}
	return len;
}

/* ---- a file server that knows no file ---- */

static void share_config(uint8_t *config)
{
	memcpy(config, "\x07\x00hostile", 9);
}

static void put32(uint8_t *at, uint32_t v)
{
	memcpy(at, &v, sizeof(v));
}

/* Version as it was asked for; all else does not exist. */
static uint32_t share_serve(unsigned int q, const struct seg *segs, unsigned int n)
{
	uint8_t t[64], r[64];
	uint32_t len = gather(segs, n, t, sizeof(t));

	(void)q;
	if (len < 7)
		return 0;
	memcpy(r, t, sizeof(r));
	if (t[4] == 100) {	/* Tversion */
		r[4] = 101;
		return scatter(segs, n, r, len < sizeof(r) ? len : sizeof(r));
	}
	put32(r, 11);
	r[4] = 7;		/* Rlerror */
	put32(r + 7, 2);	/* ENOENT */
	return scatter(segs, n, r, 11);
}

/* ---- all of them ---- */

static const struct kind kinds[] = {
	{ "block", BLOCK, 2, 1, CONFIG_SIZE, OFFERED, block_config, NULL, block_serve },
	{ "net", NET, 1, 2, 12, F_COMMON | 1ull << 5 | 1ull << 16, net_config, receives, net_serve },
	{ "console", CONSOLE, 3, 2, 12, F_COMMON | 1ull << 0, console_config, receives, console_serve },
	{ "ports", PORTS, 3, 4, 12, F_COMMON | F_MULTIPORT, console_config, ports_ready, ports_serve },
	{ "rng", RNG, 4, 1, 0, F_COMMON, NULL, NULL, rng_serve },
	{ "9p", SHARE, 9, 1, 9, F_COMMON | 1ull << 0, share_config, NULL, share_serve },
};

const struct kind *kind_of(const char *name)
{
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

bool kind_begin(void)
{
	pending_len = says = 0;
	if (!disk)
		disk = calloc(1, DISK_BYTES);
	return disk;
}

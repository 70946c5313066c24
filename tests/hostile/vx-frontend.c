// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A driver for one device, as a process of a guest, that does one thing wrong
 * (docs/protocol.md, section 11: what the backend must check).
 *
 *	vx-frontend --dir device/virtio/3 --fault none,node-*
 *	vx-frontend --dir device/virtio/4 --kind net --fault *
 *	vx-frontend --dir device/virtio/4 --packed yes --fault random --seed 7 --random-seconds 600
 *
 * A card's faults are those of queues that the kernel serves (vhost-net).  Frames
 * have to arrive all the time.  With --packed the device has to offer packed rings.
 *
 * The guest's own driver must have let go of the device (sysfs' unbind) and is not
 * to take it meanwhile.  One device serves for all faults: its state goes to 6, and
 * to 1 for the next.
 */
#include "hostile.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POOL_PAGES 20u
#define QUEUE_SIZE 16u
#define SECTOR 512u
#define VERSION_1 (1ull << 32)
#define PLATFORM (1ull << 33)
#define INDIRECT (1ull << 28)
#define ACCEPTED (VERSION_1 | PLATFORM | INDIRECT)
#define NET_CTRL_VQ (1ull << 17)
#define RING_RESET (1ull << 40)
#define F_PACKED (1ull << 34)
#define NEEDS_RESET 64u

#define LIMIT_MS 30000
#define SETTLE_MS 800
#define STORM_MS 2000

/* Where things are in the pool. */
#define AT_DESC 0x0000u
#define AT_AVAIL 0x0400u
#define AT_USED 0x0800u
#define AT_TABLE 0x1000u	/* indirect */
#define AT_HEADER 0x2000u
#define AT_STATUS 0x2100u
#define AT_DATA 0x3000u
/* A card's other rings. */
#define BASE_RX 0x8000u
#define BASE_CTRL 0xc000u
#define ENDED_REFS 512	/* /dev/xen/gntalloc gives 1024 in all */
#define POOL_END (VX_POOL_BASE + POOL_PAGES * VX_PAGE_SIZE)

/* What the backend is to do. */
enum outcome {
	LIVES,			/* serves us rightly */
	FAILS,			/* closes, and says why */
	REFUSES,		/* answers with an error, and goes on */
	BREAKS,			/* needs a reset, and works after it */
	WAITS,			/* stays at 2 */
	CLOSES,			/* goes to 6, as it should */
	ANEW,			/* goes to 6 and offers a new connection */
	FOLLOWS,		/* goes to 5 and waits for our 6 */
	ANYTHING,		/* but end */
};

/* How far the connection is when it happens. */
enum stage {
	OFFERED,		/* the backend's state is 2 */
	CONNECTED,		/* 4 on its side */
	DRIVER,			/* status 3 */
	FEATURES,		/* status 11 */
	QUEUE,			/* the queue is enabled */
	RUNNING,		/* status 15 */
};

enum grants {
	GRANTS_RIGHT,
	CTRL_RO, CTRL_OTHER, CTRL_ENDED,
	DIR_BAD, DIR_ENDED,
	POOL_BAD, POOL_0, POOL_RO, POOL_OTHER, POOL_TWICE, POOL_CTRL,
};

enum act {
	NOTHING,
	MESSAGE,		/* send the one that is described */
	STATE,			/* write state ARG; GARBAGE or GONE */
	STATE_IO,		/* the same with a request under way */
	POSTED,			/* req_posted is ARG, without a message */
	STORM_CTRL, STORM_QUEUE,
	SCRIBBLE_CTRL,		/* our half of the control page, which was read */
	SCRIBBLE_DIR,
	RING,			/* a request with a fault in the rings */
	BREAK_OFTEN,		/* again and again */
	QUEUE_RESET,		/* of the first ring, which is enabled again */
	RESET_BROKEN,		/* of a device that needs one as a whole */
	RANDOM,			/* requests and messages, and random bytes in them and all over the pool */
};

enum { BLOCK = 1, NET = 2, CONSOLE = 4, RNG = 8, SHARE = 16 };
#define OTHERS (CONSOLE | RNG | SHARE)
#define ALL (BLOCK | NET | OTHERS)

/* Which ring is meant: a disk has the first only. */
enum which { MAIN, RX, CTRL_VQ, RINGS_MAX };

#define GARBAGE 100
#define GONE 101

enum ring {
	ADDR_0, ADDR_LOW, ADDR_END, ADDR_CROSS, ADDR_WRAP, LEN_MAX, LEN_0,
	NEXT_OUT, NEXT_SELF, HEAD_OUT, AVAIL_JUMP, AVAIL_BACK,
	TABLE_OUT, TABLE_CROSS, TABLE_LEN, TABLE_0, TABLE_ADDR, TABLE_LOOP, TABLE_LONG, TABLE_NEXT,
	ORDER, NO_STATUS, SHORT_HEADER, SECTOR_OUT, TYPE_OUT,
};

struct patch {
	uint16_t at;
	uint8_t size;
	uint64_t bytes;
};

struct fault {
	struct entry e;
	enum outcome outcome;
	const char *node, *value;	/* NULL: without it */
	struct patch ctrl;
	enum grants grants;
	enum stage stage;
	enum act act;
	uint32_t arg;
	enum ring ring;
	enum which which;
	unsigned int kinds;		/* 0: a disk alone */
	bool packed;
	/* A message: id, and what is not zero in it (offsets in struct vx_msg). */
	uint8_t id, error;
	bool right;			/* begin with what is right for SET_VQUEUE */
	uint32_t posted;		/* added to req_posted */
	struct patch p[3];
};

#define NODE(n, node_, value_, text) \
	{ .e = { "node-" n, node_ ": " text, "node " node_ " is " }, .outcome = FAILS, .node = node_, .value = value_ }
#define NODE_WAITS(n, node_, value_, text) \
	{ .e = { "node-" n, node_ ": " text, NULL }, .outcome = WAITS, .node = node_, .value = value_ }
#define NODE_SAYS(n, node_, value_, text, says_) \
	{ .e = { "node-" n, node_ ": " text, says_ }, .outcome = FAILS, .node = node_, .value = value_ }
#define CTRL(n, field, size_, value_) \
	{ .e = { "ctrl-" n, #field " is " #value_, "control page: " #field " is " }, .outcome = FAILS, \
	  .ctrl = { offsetof(struct vx_ctrl, field), size_, value_ } }
#define CTRL_RESERVED(field) \
	{ .e = { "ctrl-" #field, #field " is not zero", "control page: " #field " is 0x1" }, .outcome = FAILS, \
	  .ctrl = { offsetof(struct vx_ctrl, field) + sizeof(((struct vx_ctrl *)0)->field) - 1, 1, 1 } }
#define GRANTS(n, text, grants_, outcome_, says_) \
	{ .e = { "grant-" n, text, says_ }, .outcome = outcome_, .grants = grants_, .stage = RUNNING }
#define MSG(n, text, stage_, id_, error_, ...) \
	{ .e = { "msg-" n, text, NULL }, .outcome = REFUSES, .stage = stage_, .act = MESSAGE, .id = id_, \
	  .error = VX_ERR_##error_, .p = { __VA_ARGS__ } }
#define SET_QUEUE(n, text, stage_, error_, ...) \
	{ .e = { "queue-" n, text, NULL }, .outcome = REFUSES, .stage = stage_, .act = MESSAGE, .id = VX_MSG_SET_VQUEUE, \
	  .error = VX_ERR_##error_, .right = true, .p = { __VA_ARGS__ } }
#define FRAME(n, text, posted_, says_, ...) \
	{ .e = { "frame-" n, text, says_ }, .outcome = FAILS, .stage = CONNECTED, .act = MESSAGE, \
	  .id = VX_MSG_GET_DEVICE_INFO, .posted = posted_, .p = { __VA_ARGS__ } }
#define ACTION(n, text, says_, outcome_, stage_, act_, arg_) \
	{ .e = { n, text, says_ }, .outcome = outcome_, .stage = stage_, .act = act_, .arg = arg_ }
#define STATE_AT(n, stage_, state_, outcome_) \
	ACTION("state-" n "-" #state_, "state " #state_ " when " #stage_, NULL, outcome_, stage_, STATE, state_)
#define STATE_WITH_IO(state_, outcome_) \
	ACTION("state-io-" #state_, "state " #state_ " with a request under way", NULL, outcome_, RUNNING, STATE_IO, state_)
#define RINGS(n, text, ring_, outcome_, says_) \
	{ .e = { "ring-" n, text, says_ }, .outcome = outcome_, .stage = RUNNING, .act = RING, .ring = ring_ }

#define NET(n, text, which_, ring_, outcome_, says_) \
	{ .e = { "net-" n, text, says_ }, .outcome = outcome_, .stage = RUNNING, .act = RING, .ring = ring_, \
	  .which = which_, .kinds = NET }
#define NET_DOES(n, text, says_, outcome_, stage_, act_) \
	{ .e = { "net-" n, text, says_ }, .outcome = outcome_, .stage = stage_, .act = act_, .kinds = NET }

#define OTHER(n, text, ring_) \
	{ .e = { "ring-" n, text, RESET }, .outcome = BREAKS, .stage = RUNNING, .act = RING, .ring = ring_, .kinds = OTHERS }
#define RANDOM_OF(n, kinds_, packed_) \
	{ .e = { n, "random bytes all over the pool", "*" }, .outcome = ANYTHING, .stage = RUNNING, .act = RANDOM, \
	  .kinds = kinds_, .packed = packed_ }

/* Offsets in struct vx_msg. */
#define M_TYPE 0
#define M_ID 1
#define M_ERROR 2
#define M_SEQ 4
#define M_U 8
#define Q_INDEX 8
#define Q_SIZE 10
#define Q_PORT 12
#define Q_DESC 16
#define Q_DRIVER 24
#define Q_DEVICE 32

#define RESET "needs a reset"

static const struct fault faults[] = {
	{ .e = { "none", "a right driver", NULL }, .outcome = LIVES, .stage = RUNNING },

	/*
	 * Rings and addresses.  A device may need only so many resets in a minute: half of
	 * them are tried later.
	 */
	RINGS("addr-0", "a buffer at 0", ADDR_0, BREAKS, RESET),
	RINGS("addr-low", "a buffer before the pool", ADDR_LOW, BREAKS, RESET),
	RINGS("addr-end", "a buffer behind the pool", ADDR_END, BREAKS, RESET),
	RINGS("addr-cross", "a buffer across the pool's end", ADDR_CROSS, BREAKS, RESET),
	RINGS("addr-wrap", "a buffer around 2^64", ADDR_WRAP, BREAKS, RESET),
	RINGS("len-max", "4294967295 bytes", LEN_MAX, BREAKS, RESET),
	RINGS("len-0", "no bytes", LEN_0, BREAKS, RESET),
	RINGS("next-out", "next is no descriptor", NEXT_OUT, BREAKS, RESET),
	RINGS("next-self", "a descriptor that points at itself", NEXT_SELF, BREAKS, RESET),
	RINGS("head-out", "the available ring names no descriptor", HEAD_OUT, BREAKS, RESET),
	RINGS("avail-jump", "the available index jumps", AVAIL_JUMP, BREAKS, RESET),
	RINGS("avail-back", "the available index goes back", AVAIL_BACK, BREAKS, RESET),
	RINGS("table-out", "an indirect table behind the pool", TABLE_OUT, BREAKS, RESET),
	RINGS("table-cross", "an indirect table across the pool's end", TABLE_CROSS, BREAKS, RESET),
	RINGS("order", "a buffer to read behind one to write", ORDER, BREAKS, RESET),
	/* Nodes: section 3. */
	NODE("version-none", VX_NODE_VERSION, NULL, "missing"),
	NODE("version-0", VX_NODE_VERSION, "0", "0"),
	NODE("version-3", VX_NODE_VERSION, "3", "newer than the backend"),
	NODE("version-01", VX_NODE_VERSION, "01", "with a leading zero"),
	NODE("version-65537", VX_NODE_VERSION, "65537", "too large"),
	NODE("mode-none", VX_NODE_MEM_MODE, NULL, "missing"),
	NODE("mode-other", VX_NODE_MEM_MODE, "grant", "not offered"),
	NODE("mode-escape", VX_NODE_MEM_MODE, "\033[2J\npool", "control characters"),
	NODE_WAITS("instance-none", VX_NODE_INSTANCE, NULL, "missing"),
	NODE_WAITS("instance-other", VX_NODE_INSTANCE, "4000000000", "of another backend"),
	NODE("ref-none", VX_NODE_CTRL_REF, NULL, "missing"),
	NODE("ref-0", VX_NODE_CTRL_REF, "0", "0"),
	NODE("ref-2to32", VX_NODE_CTRL_REF, "4294967296", "more than 32 bits"),
	NODE("ref-x", VX_NODE_CTRL_REF, "12x", "with a letter"),
	NODE_SAYS("ref-max", VX_NODE_CTRL_REF, "4294967295", "no grant", "control page, reference 4294967295: "),
	NODE("port-none", VX_NODE_EVENT_CHANNEL, NULL, "missing"),
	NODE("port-0", VX_NODE_EVENT_CHANNEL, "0", "0"),
	NODE("port-minus", VX_NODE_EVENT_CHANNEL, "-1", "with a sign"),
	NODE_SAYS("port-max", VX_NODE_EVENT_CHANNEL, "4294967295", "no port", "event channel 4294967295: "),
	NODE_SAYS("port-free", VX_NODE_EVENT_CHANNEL, "3000", "a port that is not open", "event channel 3000: "),

	/* The control page: 5.3. */
	CTRL("magic", magic, 4, 0x44425857),
	CTRL("version", version, 2, 3),
	CTRL("version-1", version, 2, 1),
	CTRL("ro-many", ro_pages, 4, POOL_PAGES / 2 + 1),
	CTRL("ro-all", ro_pages, 4, 0xffffffff),
	CTRL("pool-0", pool_pages, 4, 0),
	CTRL("pool-15", pool_pages, 4, 15),
	CTRL("pool-large", pool_pages, 4, 65536),
	CTRL("pool-all", pool_pages, 4, 0xffffffff),
	CTRL("dir-0", dir_pages, 4, 0),
	CTRL("dir-2", dir_pages, 4, 2),
	CTRL("dir-all", dir_pages, 4, 0xffffffff),
	CTRL_RESERVED(reserved0),
	CTRL_RESERVED(reserved1),
	CTRL_RESERVED(reserved2),
	CTRL_RESERVED(reserved3),
	CTRL_RESERVED(reserved8),

	/* Grants. */
	GRANTS("ctrl-read", "the control page is read-only", CTRL_RO, FAILS, "control page, reference [0-9]+: "),
	GRANTS("ctrl-other", "the control page is another domain's", CTRL_OTHER, FAILS, "control page, reference [0-9]+: "),
	GRANTS("ctrl-ended", "the control page's grant has ended", CTRL_ENDED, FAILS, "control page, reference [0-9]+: "),
	GRANTS("dir-bad", "the directory's reference is none", DIR_BAD, FAILS, "1 directory pages"),
	GRANTS("dir-ended", "the directory's grant has ended", DIR_ENDED, FAILS, "1 directory pages"),
	GRANTS("pool-bad", "a reference of the pool is none", POOL_BAD, FAILS, "the pool of 20 pages"),
	GRANTS("pool-0", "a reference of the pool is 0: the guest's console", POOL_0, LIVES, NULL),
	GRANTS("pool-read", "a page of the pool is read-only", POOL_RO, FAILS, "the pool of 20 pages"),
	GRANTS("pool-other", "a page of the pool is another domain's", POOL_OTHER, FAILS, "the pool of 20 pages"),
	GRANTS("pool-twice", "a page is in the pool twice", POOL_TWICE, LIVES, NULL),
	GRANTS("pool-ctrl", "the control page is in the pool", POOL_CTRL, LIVES, NULL),

	/* Messages: 7. */
	FRAME("type", "a response for a request", 0, "request 1 .*type 1", { M_TYPE, 1, 1 }),
	FRAME("error", "an error in a request", 0, "request 1 .*error 5", { M_ERROR, 2, 5 }),
	FRAME("seq", "another sequence number", 0, "request 1 .*number 9", { M_SEQ, 4, 9 }),
	FRAME("skip", "req_posted is one too many", 1, "request number 2 after 0", { M_SEQ, 4, 2 }),
	ACTION("posted-far", "req_posted jumps", "request number 3000000000 after ", FAILS, DRIVER, POSTED, 3000000000u),
	ACTION("posted-back", "req_posted goes back", "request number 1 after ", FAILS, DRIVER, POSTED, 1),
	ACTION("posted-0", "req_posted goes to 0", "request number 0 after ", FAILS, RUNNING, POSTED, 0),
	MSG("id-0", "no such message", CONNECTED, 0, UNKNOWN, { 0 }),
	MSG("id-255", "no such message", CONNECTED, 255, UNKNOWN, { 0 }),
	MSG("reserved-info", "a payload where there is none", CONNECTED, VX_MSG_GET_DEVICE_INFO, INVAL, { M_U, 1, 1 }),
	MSG("reserved-last", "a reserved byte is set", CONNECTED, VX_MSG_GET_VQUEUE, INVAL, { M_U + 31, 1, 1 }),
	MSG("features-more", "a feature that was not offered", DRIVER, VX_MSG_SET_FEATURES, INVAL,
	    { M_U, 8, ACCEPTED | 1ull << 63 }),
	MSG("features-high", "a feature above 64", DRIVER, VX_MSG_SET_FEATURES, INVAL, { M_U, 8, ACCEPTED }, { M_U + 8, 1, 1 }),
	MSG("features-old", "no VERSION_1", DRIVER, VX_MSG_SET_FEATURES, INVAL, { M_U, 8, PLATFORM }),
	MSG("features-platform", "no ACCESS_PLATFORM", DRIVER, VX_MSG_SET_FEATURES, INVAL, { M_U, 8, VERSION_1 }),
	MSG("features-early", "before DRIVER", CONNECTED, VX_MSG_SET_FEATURES, STATE, { M_U, 8, ACCEPTED }),
	MSG("features-late", "after FEATURES_OK", FEATURES, VX_MSG_SET_FEATURES, STATE, { M_U, 8, ACCEPTED }),
	MSG("config-past", "past the configuration's end", RUNNING, VX_MSG_SET_CONFIG, INVAL, { M_U, 4, 2040 }, { M_U + 4, 4, 24 }),
	MSG("config-far", "an offset that overflows", RUNNING, VX_MSG_SET_CONFIG, INVAL, { M_U, 4, 0xfffffff0 }, { M_U + 4, 4, 24 }),
	MSG("config-0", "no bytes", RUNNING, VX_MSG_SET_CONFIG, INVAL, { 0 }),
	MSG("config-25", "too many bytes", RUNNING, VX_MSG_SET_CONFIG, INVAL, { M_U + 4, 4, 25 }),
	MSG("config-all", "4294967295 bytes", RUNNING, VX_MSG_SET_CONFIG, INVAL, { M_U + 4, 4, 0xffffffff }),
	MSG("config-tail", "bytes behind the length", RUNNING, VX_MSG_SET_CONFIG, INVAL, { M_U + 4, 4, 1 }, { M_U + 31, 1, 1 }),
	MSG("config-early", "before DRIVER", CONNECTED, VX_MSG_SET_CONFIG, STATE, { M_U + 4, 4, 1 }),
	MSG("status-256", "an unknown bit", DRIVER, VX_MSG_SET_DEVICE_STATUS, INVAL, { M_U, 4, 0x103 }),
	MSG("status-16", "an unknown bit", DRIVER, VX_MSG_SET_DEVICE_STATUS, INVAL, { M_U, 4, 0x13 }),
	MSG("status-less", "a bit is taken back", RUNNING, VX_MSG_SET_DEVICE_STATUS, INVAL, { M_U, 4, 11 }),
	MSG("status-needs-reset", "only DEVICE_NEEDS_RESET is no reset", RUNNING, VX_MSG_SET_DEVICE_STATUS, INVAL, { M_U, 4, 64 }),
	MSG("status-no-features", "FEATURES_OK before SET_FEATURES", DRIVER, VX_MSG_SET_DEVICE_STATUS, STATE, { M_U, 4, 11 }),
	MSG("status-ok-early", "DRIVER_OK before FEATURES_OK", DRIVER, VX_MSG_SET_DEVICE_STATUS, STATE, { M_U, 4, 7 }),
	MSG("get-queue-out", "no such queue", FEATURES, VX_MSG_GET_VQUEUE, INVAL, { M_U, 4, 256 }),
	MSG("get-queue-all", "no such queue", FEATURES, VX_MSG_GET_VQUEUE, INVAL, { M_U, 4, 0xffffffff }),
	MSG("reset-queue", "RING_RESET was not negotiated", QUEUE, VX_MSG_RESET_VQUEUE, STATE, { M_U, 4, 0 }),
	MSG("reset-queue-out", "no such queue", QUEUE, VX_MSG_RESET_VQUEUE, INVAL, { M_U, 4, 0x80000000 }),
	SET_QUEUE("index", "no such queue", FEATURES, INVAL, { Q_INDEX, 2, 0xffff }),
	SET_QUEUE("size-0", "size 0", FEATURES, INVAL, { Q_SIZE, 2, 0 }),
	SET_QUEUE("size-3", "size 3", FEATURES, INVAL, { Q_SIZE, 2, 3 }),
	SET_QUEUE("size-max", "size 32768", FEATURES, INVAL, { Q_SIZE, 2, 32768 }),
	SET_QUEUE("size-all", "size 65535", FEATURES, INVAL, { Q_SIZE, 2, 65535 }),
	SET_QUEUE("port-0", "port 0", FEATURES, INVAL, { Q_PORT, 4, 0 }),
	SET_QUEUE("port-bad", "no such port", FEATURES, NOMEM, { Q_PORT, 4, 3000 }),
	SET_QUEUE("port-all", "no such port", FEATURES, NOMEM, { Q_PORT, 4, 0xffffffff }),
	SET_QUEUE("desc-0", "address 0", FEATURES, INVAL, { Q_DESC, 8, 0 }),
	SET_QUEUE("desc-low", "before the pool", FEATURES, INVAL, { Q_DESC, 8, VX_POOL_BASE - 16 }),
	SET_QUEUE("desc-end", "behind the pool", FEATURES, INVAL, { Q_DESC, 8, POOL_END }),
	SET_QUEUE("desc-cross", "across the pool's end", FEATURES, INVAL, { Q_DESC, 8, POOL_END - 16 }),
	SET_QUEUE("desc-wrap", "around 2^64", FEATURES, INVAL, { Q_DESC, 8, 0xfffffffffffffff0 }),
	SET_QUEUE("desc-odd", "not aligned", FEATURES, INVAL, { Q_DESC, 8, VX_POOL_BASE + 8 }),
	SET_QUEUE("driver-end", "behind the pool", FEATURES, INVAL, { Q_DRIVER, 8, POOL_END }),
	SET_QUEUE("driver-odd", "not aligned", FEATURES, INVAL, { Q_DRIVER, 8, VX_POOL_BASE + AT_AVAIL + 1 }),
	SET_QUEUE("device-cross", "across the pool's end", FEATURES, INVAL, { Q_DEVICE, 8, POOL_END - 4 }),
	SET_QUEUE("device-wrap", "around 2^64", FEATURES, INVAL, { Q_DEVICE, 8, 0xfffffffffffffffc }),
	SET_QUEUE("overlap", "two areas overlap", FEATURES, INVAL, { Q_DEVICE, 8, VX_POOL_BASE + AT_DESC + 16 }),
	SET_QUEUE("same", "two areas are one", FEATURES, INVAL, { Q_DRIVER, 8, VX_POOL_BASE + AT_USED }),
	SET_QUEUE("early", "before FEATURES_OK", DRIVER, STATE, { 0 }),
	SET_QUEUE("twice", "enabled already", QUEUE, STATE, { 0 }),
	SET_QUEUE("late", "after DRIVER_OK", RUNNING, STATE, { 0 }),

	/* Rings again. */
	RINGS("table-len", "an indirect table of 15 bytes", TABLE_LEN, BREAKS, RESET),
	RINGS("table-0", "an indirect table of 0 bytes", TABLE_0, BREAKS, RESET),
	RINGS("table-addr", "a buffer behind the pool, in a table", TABLE_ADDR, BREAKS, RESET),
	RINGS("table-loop", "a table's entry that points at itself", TABLE_LOOP, BREAKS, RESET),
	RINGS("table-next", "next is not in the table", TABLE_NEXT, BREAKS, RESET),
	RINGS("no-status", "a request without a status", NO_STATUS, BREAKS, RESET),
	RINGS("short-header", "a header of 4 bytes", SHORT_HEADER, BREAKS, RESET),
	RINGS("sector-out", "a sector past the disk's end", SECTOR_OUT, LIVES, NULL),
	RINGS("type-out", "an unknown request", TYPE_OUT, LIVES, NULL),

	/* What was read once is not read again. */
	ACTION("scribble-ctrl", "the control page changes", NULL, LIVES, RUNNING, SCRIBBLE_CTRL, 0),
	ACTION("scribble-dir", "the directory changes", NULL, LIVES, RUNNING, SCRIBBLE_DIR, 0),

	/* Events. */
	ACTION("storm-control", "events without end", NULL, LIVES, RUNNING, STORM_CTRL, 0),
	ACTION("storm-queue", "events without end", NULL, LIVES, RUNNING, STORM_QUEUE, 0),

	/* States at every point: 4.2. */
	STATE_AT("offered", OFFERED, 2, WAITS),
	STATE_AT("offered", OFFERED, 4, WAITS),
	STATE_AT("offered", OFFERED, 5, WAITS),
	STATE_AT("offered", OFFERED, 6, WAITS),
	STATE_AT("offered", OFFERED, 7, CLOSES),
	STATE_AT("offered", OFFERED, GARBAGE, CLOSES),
	STATE_AT("offered", OFFERED, GONE, CLOSES),
	STATE_AT("connected", CONNECTED, 1, ANEW),
	STATE_AT("connected", CONNECTED, 2, ANEW),
	STATE_AT("connected", CONNECTED, 5, FOLLOWS),
	STATE_AT("connected", CONNECTED, 6, CLOSES),
	STATE_AT("connected", CONNECTED, GONE, CLOSES),
	STATE_AT("queue", QUEUE, 1, ANEW),
	STATE_AT("queue", QUEUE, 5, FOLLOWS),
	STATE_AT("queue", QUEUE, 6, CLOSES),
	STATE_AT("queue", QUEUE, GARBAGE, CLOSES),
	STATE_AT("running", RUNNING, 3, LIVES),
	STATE_AT("running", RUNNING, 1, ANEW),
	STATE_AT("running", RUNNING, 5, FOLLOWS),
	STATE_AT("running", RUNNING, 6, CLOSES),
	STATE_AT("running", RUNNING, 8, CLOSES),
	STATE_AT("running", RUNNING, GONE, CLOSES),
	STATE_WITH_IO(1, ANEW),
	STATE_WITH_IO(2, ANEW),
	STATE_WITH_IO(5, FOLLOWS),
	STATE_WITH_IO(6, CLOSES),
	STATE_WITH_IO(GONE, CLOSES),

	/* For a minute after it the device has no more resets. */
	ACTION("ring-often", "a ring that breaks again and again", "rings were wrong [0-9]+ times", FAILS, RUNNING, BREAK_OFTEN, 0),

	/* A card: a minute has no room for more resets. */
	{ .e = { "net-none", "a right driver", NULL }, .outcome = LIVES, .stage = RUNNING, .kinds = NET },
	NET("tx-addr-0", "a frame at 0", MAIN, ADDR_0, BREAKS, "needs a reset: vhost found virtqueue 1 "),
	NET("tx-addr-end", "a frame behind the pool", MAIN, ADDR_END, BREAKS, RESET),
	NET("tx-addr-cross", "a frame across the pool's end", MAIN, ADDR_CROSS, BREAKS, RESET),
	NET("tx-addr-wrap", "a frame around 2^64", MAIN, ADDR_WRAP, BREAKS, RESET),
	NET("tx-next-out", "next is no descriptor", MAIN, NEXT_OUT, BREAKS, RESET),
	NET("tx-next-self", "a descriptor that points at itself", MAIN, NEXT_SELF, BREAKS, RESET),
	NET("tx-head-out", "the available ring names no descriptor", MAIN, HEAD_OUT, BREAKS, RESET),
	NET("tx-avail-jump", "the available index jumps", MAIN, AVAIL_JUMP, BREAKS, RESET),
	NET("tx-table-out", "an indirect table behind the pool", MAIN, TABLE_OUT, BREAKS, RESET),
	NET("tx-table-long", "a table whose last entry has a next one", MAIN, TABLE_LONG, BREAKS, RESET),
	NET("tx-order", "a buffer to read behind one to write", MAIN, ORDER, BREAKS, RESET),
	NET("rx-addr-end", "a buffer behind the pool", RX, ADDR_END, BREAKS, "needs a reset: vhost found virtqueue 0 "),
	NET("rx-order", "a buffer to read behind one to write", RX, ORDER, BREAKS, RESET),
	NET("rx-avail-jump", "the available index jumps", RX, AVAIL_JUMP, BREAKS, RESET),
	NET("ctrl-addr", "a command at 0", CTRL_VQ, ADDR_0, BREAKS, RESET),
	NET_DOES("reset-broken", "a queue's reset when the device needs one", RESET, BREAKS, RUNNING, RESET_BROKEN),
	NET_DOES("reset-early", "a queue's reset before DRIVER_OK", NULL, LIVES, QUEUE, QUEUE_RESET),
	NET_DOES("reset-queue", "a queue's reset with frames on their way", NULL, LIVES, RUNNING, QUEUE_RESET),
	NET_DOES("storm-queue", "events without end", NULL, LIVES, RUNNING, STORM_QUEUE),

	/* Console, random numbers, shared directory. */
	{ .e = { "none", "a right driver", NULL }, .outcome = LIVES, .stage = RUNNING, .kinds = OTHERS },
	OTHER("addr-0", "a buffer at 0", ADDR_0),
	OTHER("addr-end", "a buffer behind the pool", ADDR_END),
	OTHER("addr-wrap", "a buffer around 2^64", ADDR_WRAP),
	OTHER("len-max", "4294967295 bytes", LEN_MAX),
	OTHER("next-out", "next is no descriptor", NEXT_OUT),
	OTHER("head-out", "the available ring names no descriptor", HEAD_OUT),
	OTHER("avail-jump", "the available index jumps", AVAIL_JUMP),
	OTHER("table-out", "an indirect table behind the pool", TABLE_OUT),
	OTHER("table-loop", "a table's entry that points at itself", TABLE_LOOP),
	OTHER("order", "a buffer to read behind one to write", ORDER),

	/* --seed and --random-seconds; after these a device has no more resets for a while. */
	{ .e = { "none", "a right driver with packed rings", NULL }, .outcome = LIVES, .stage = RUNNING, .kinds = ALL, .packed = true },
	RANDOM_OF("random", ALL, false),
	RANDOM_OF("random", ALL, true),
};

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

struct packed_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t id;
	volatile uint16_t flags;
};

enum { NEXT = 1, WRITE = 2, TABLE = 4 };

struct ring_at {
	uint16_t index;			/* as the protocol counts queues */
	uint32_t base;			/* where it is in the pool */
	evtchn_port_t port;
	uint16_t avail, done;
};

static const struct kind {
	const char *name;
	unsigned int bit, device_id, rings;
	struct ring_at ring[RINGS_MAX];
} kinds[] = {
	{ "block", BLOCK, 2, 1, { [MAIN] = { .index = 0 } } },
	{ "net", NET, 1, 3, {
		[MAIN] = { .index = 1 }, [RX] = { .index = 0, .base = BASE_RX }, [CTRL_VQ] = { .index = 2, .base = BASE_CTRL } } },
	{ "console", CONSOLE, 3, 2, { [MAIN] = { .index = 1 }, [RX] = { .index = 0, .base = BASE_RX } } },
	{ "rng", RNG, 4, 1, { [MAIN] = { .index = 0 } } },
	{ "9p", SHARE, 9, 1, { [MAIN] = { .index = 0 } } },
};

static struct {
	const struct fault *f;
	struct vx_ctrl *ctrl;
	uint32_t *dir;
	uint8_t *pool, *extra;		/* extra: a page that takes the place of another */
	uint32_t seq;
	evtchn_port_t port;
	struct ring_at ring[RINGS_MAX], *r;	/* r: the one that is used */
	unsigned int rings;
	struct vx_msg rsp;
} fe;

static xengntshr_handle *gs;
static char fdir[128], *bdir;
static const struct kind *kind = &kinds[0];
static bool packed;
static uint32_t random_seconds;	/* 0: nothing random is tried */
static bool ring_reset = true;	/* vhost-net of Linux before 6.2 has none */
static uint32_t backend;

/* ---- states ---- */

static uint32_t backend_state(void)
{
	return get_u32(bdir, "state");
}

static void set_state(uint32_t state)
{
	if (state == GONE)
		put(XBT_NULL, fdir, "state", NULL);
	else if (state == GARBAGE)
		put(XBT_NULL, fdir, "state", "open");
	else
		put_u32(XBT_NULL, fdir, "state", state);
}

/* Until the backend's state is one of the bits; what it is. */
static uint32_t wait_state(unsigned int bits)
{
	uint64_t begin = now_ms();
	uint32_t b;

	do {
		evtchn_port_t port;

		b = backend_state();
		if (b < 32 && bits & 1u << b)
			break;
		next_event(20, &port);
	} while (now_ms() - begin < LIMIT_MS);
	return b;
}

/* ---- memory ---- */

static void *share(uint32_t domid, uint32_t n, uint32_t *refs, bool writable)
{
	void *at = xengntshr_share_pages(gs, domid, (int)n, refs, writable);

	if (!at)
		die("/dev/xen/gntalloc: %u pages: %s", n, strerror(errno));
	memset(at, 0, n * (size_t)VX_PAGE_SIZE);
	return at;
}

/*
 * A reference whose grant has ended.  Linux gives the one that was freed last to whoever
 * asks next, and other devices of this guest connect meanwhile (a pool of 128 pages
 * each): it is the one that was freed first of many.
 */
static uint32_t ended_ref(void)
{
	uint32_t refs[ENDED_REFS];
	void *at = share(backend, ENDED_REFS, refs, true);

	xengntshr_unshare(gs, at, ENDED_REFS);
	return refs[0];
}

static void release(void)
{
	for (unsigned int i = 0; i < RINGS_MAX; i++)
		if (fe.ring[i].port)
			xenevtchn_unbind(ec, fe.ring[i].port);
	if (fe.port)
		xenevtchn_unbind(ec, fe.port);
	if (fe.pool)
		xengntshr_unshare(gs, fe.pool, POOL_PAGES);
	if (fe.extra)
		xengntshr_unshare(gs, fe.extra, 1);
	if (fe.dir)
		xengntshr_unshare(gs, fe.dir, 1);
	if (fe.ctrl)
		xengntshr_unshare(gs, fe.ctrl, 1);
	memset(&fe, 0, sizeof(fe));
}

static evtchn_port_t open_port(void)
{
	xenevtchn_port_or_error_t port = xenevtchn_bind_unbound_port(ec, backend);

	if (port < 0)
		die("no event channel: %s", strerror(errno));
	return (evtchn_port_t)port;
}

/* Pages and references, with what is wrong in them; the control page's. */
static uint32_t make_memory(void)
{
	enum grants g = fe.f->grants;
	uint32_t other = 900, ctrl_ref, dir_ref, extra_ref, refs[POOL_PAGES];

	fe.ctrl = share(g == CTRL_OTHER ? other : backend, 1, &ctrl_ref, g != CTRL_RO);
	fe.dir = share(backend, 1, &dir_ref, false);
	fe.pool = share(backend, POOL_PAGES, refs, true);
	if (g == POOL_RO || g == POOL_OTHER) {
		fe.extra = share(g == POOL_OTHER ? other : backend, 1, &extra_ref, g != POOL_RO);
		refs[POOL_PAGES - 1] = extra_ref;
	}
	if (g == POOL_BAD)
		refs[POOL_PAGES - 1] = 0xfffffff0;
	if (g == POOL_0)
		refs[POOL_PAGES - 1] = 0;
	if (g == POOL_TWICE)
		refs[POOL_PAGES - 1] = refs[POOL_PAGES - 2];
	if (g == POOL_CTRL)
		refs[POOL_PAGES - 1] = ctrl_ref;
	memcpy(fe.dir, refs, sizeof(refs));
	fe.ctrl->magic = VX_MAGIC_DRIVER;
	fe.ctrl->version = VX_VERSION;
	fe.ctrl->pool_pages = POOL_PAGES;
	fe.ctrl->dir_pages = 1;
	fe.ctrl->dir[0] = g == DIR_BAD ? 0xfffffff0 : g == DIR_ENDED ? ended_ref() : dir_ref;
	if (fe.f->ctrl.size)
		poke((uint8_t *)fe.ctrl + fe.f->ctrl.at, fe.f->ctrl.bytes, fe.f->ctrl.size);
	return g == CTRL_ENDED ? ended_ref() : ctrl_ref;
}

/* ---- connection ---- */

static void write_node(xs_transaction_t t, const char *node, uint32_t value)
{
	if (!fe.f->node || strcmp(fe.f->node, node))
		put_u32(t, fdir, node, value);
	else
		put(t, fdir, node, fe.f->value);
}

static void offer_connection(void)
{
	uint32_t ctrl_ref = make_memory(), instance = get_u32(bdir, VX_NODE_INSTANCE);
	xs_transaction_t t;

	fe.port = open_port();
	do {
		t = xs_transaction_start(xs);
		write_node(t, VX_NODE_VERSION, VX_VERSION);
		write_node(t, VX_NODE_INSTANCE, instance);
		write_node(t, VX_NODE_CTRL_REF, ctrl_ref);
		write_node(t, VX_NODE_EVENT_CHANNEL, fe.port);
		if (!fe.f->node || strcmp(fe.f->node, VX_NODE_MEM_MODE))
			put(t, fdir, VX_NODE_MEM_MODE, VX_MEM_MODE_POOL);
		else
			put(t, fdir, VX_NODE_MEM_MODE, fe.f->value);
		put_u32(t, fdir, "state", 3);
	} while (!xs_transaction_end(xs, t, false) && errno == EAGAIN);
}

/* ---- messages ---- */

/* The error of the answer; -1: none came. */
static int call(struct vx_msg *m, uint32_t add)
{
	uint64_t begin = now_ms();
	evtchn_port_t port;
	uint32_t seq = fe.seq + 1 + add;

	if (!m->seq)
		m->seq = seq;
	fe.ctrl->req = *m;
	__sync_synchronize();
	*(volatile uint32_t *)&fe.ctrl->req_posted = seq;
	xenevtchn_notify(ec, fe.port);
	while (*(volatile uint32_t *)&fe.ctrl->rsp_posted != seq) {
		if (now_ms() - begin > LIMIT_MS || (!next_event(20, &port) && backend_state() >= 5))
			return -1;
	}
	__sync_synchronize();
	fe.rsp = fe.ctrl->rsp;
	fe.seq = seq;
	return fe.rsp.type == VX_MSG_RESPONSE && fe.rsp.id == m->id && fe.rsp.seq == m->seq ? fe.rsp.error : -1;
}

static int tell_status(uint32_t status)
{
	struct vx_msg m = { .id = VX_MSG_SET_DEVICE_STATUS, .u.status.status = status };
	int ret = call(&m, 0);

	return ret ? ret : fe.rsp.u.status.status == status ? 0 : -1;
}

static void right_queue(struct vx_msg *m)
{
	m->u.set_queue = (struct vx_msg_set_queue){
		.index = fe.r->index, .size = QUEUE_SIZE, .port = fe.r->port,
		.desc = VX_POOL_BASE + fe.r->base + AT_DESC, .driver = VX_POOL_BASE + fe.r->base + AT_AVAIL,
		.device = VX_POOL_BASE + fe.r->base + AT_USED,
	};
}

static int set_features(void)
{
	uint64_t more = packed ? F_PACKED : 0;
	struct vx_msg m = { .id = VX_MSG_SET_FEATURES };

	/* With packed rings QEMU serves a card: no queue is reset. */
	if (kind->bit == NET)
		more |= NET_CTRL_VQ | (ring_reset && !packed ? RING_RESET : 0);
	m.u.features.words[0] = ACCEPTED | more;

	return call(&m, 0);
}

static int set_queue(void)
{
	struct vx_msg m = { .id = VX_MSG_SET_VQUEUE };

	memset(fe.pool + fe.r->base, 0, AT_TABLE);
	fe.r->avail = fe.r->done = 0;
	right_queue(&m);
	return call(&m, 0);
}

static int set_queues(void)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < fe.rings; i++) {
		fe.r = &fe.ring[i];
		ret = set_queue();
	}
	fe.r = &fe.ring[MAIN];
	return ret;
}

/* From a device that was reset up to @stage. */
static bool negotiate(enum stage stage)
{
	if (stage >= DRIVER && (tell_status(1) || tell_status(3)))
		return false;
	if (stage >= FEATURES && (set_features() || tell_status(11)))
		return false;
	if (stage >= QUEUE && set_queues())
		return false;
	return stage < RUNNING || !tell_status(15);
}

/* ---- requests ---- */

static struct desc *descs(void)
{
	return (struct desc *)(fe.pool + fe.r->base + AT_DESC);
}

static struct desc *table(void)
{
	return (struct desc *)(fe.pool + AT_TABLE);
}

#define FRAME_HEADER 12u
#define FRAME_DATA 60u

/* A frame to all, or room for one, in three descriptors. */
static void build_frame(struct desc *d)
{
	uint64_t at = VX_POOL_BASE + fe.r->base + AT_HEADER, data = VX_POOL_BASE + fe.r->base + AT_DATA;
	uint16_t flags = fe.r == &fe.ring[RX] ? WRITE : 0;
	uint8_t *frame = fe.pool + fe.r->base + AT_DATA;

	memset(fe.pool + fe.r->base + AT_HEADER, 0, FRAME_HEADER);
	memset(frame, 0, VX_PAGE_SIZE);
	memset(frame, 0xff, 6);
	memcpy(frame + 6, "\x00\x16\x3e\x00\x00\x77\x88\xb5", 8);
	d[0] = (struct desc){ at, FRAME_HEADER, (uint16_t)(flags | NEXT), 1 };
	d[1] = (struct desc){ data, flags ? 1500 : FRAME_DATA, (uint16_t)(flags | NEXT), 2 };
	d[2] = (struct desc){ data + 2048, 600, flags, 0 };
}

/* A request of 9p for its version, and where its answer goes; or room for random numbers; or text. */
static void build_other(struct desc *d)
{
	static const uint8_t version[21] = "\x15\0\0\0\x64\xff\xff\0\x20\0\0\x08\0" "9P2000.L";
	uint64_t at = VX_POOL_BASE + fe.r->base + AT_HEADER, data = VX_POOL_BASE + fe.r->base + AT_DATA;
	bool first = kind->bit == RNG || fe.r == &fe.ring[RX], rest = first || kind->bit == SHARE;

	memcpy(fe.pool + fe.r->base + AT_HEADER, version, sizeof(version));
	memset(fe.pool + fe.r->base + AT_DATA, 'x', SECTOR);
	d[0] = (struct desc){ at, sizeof(version), (uint16_t)(NEXT | (first ? WRITE : 0)), 1 };
	d[1] = (struct desc){ data, SECTOR, (uint16_t)(NEXT | (rest ? WRITE : 0)), 2 };
	d[2] = (struct desc){ data + 2048, 64, (uint16_t)(rest ? WRITE : 0), 0 };
}

/* Header, one sector, status, in three descriptors. */
static void build(struct desc *d, uint32_t type, uint64_t sector)
{
	if (kind->bit == NET) {
		build_frame(d);
		return;
	}
	if (kind->bit != BLOCK) {
		build_other(d);
		return;
	}
	memset(fe.pool + AT_HEADER, 0, 16);
	memcpy(fe.pool + AT_HEADER, &type, sizeof(type));
	memcpy(fe.pool + AT_HEADER + 8, &sector, sizeof(sector));
	fe.pool[AT_STATUS] = 0xff;
	d[0] = (struct desc){ VX_POOL_BASE + AT_HEADER, 16, NEXT, 1 };
	d[1] = (struct desc){ VX_POOL_BASE + AT_DATA, SECTOR, (uint16_t)(NEXT | (type ? 0 : WRITE)), 2 };
	d[2] = (struct desc){ VX_POOL_BASE + AT_STATUS, 1, WRITE, 0 };
}

static void post(uint16_t head, uint16_t idx)
{
	volatile uint16_t *avail = (uint16_t *)(fe.pool + fe.r->base + AT_AVAIL);

	avail[2 + fe.r->avail % QUEUE_SIZE] = head;
	fe.r->avail++;
	__sync_synchronize();
	avail[1] = idx;
	__sync_synchronize();
	xenevtchn_notify(ec, fe.r->port);
}

/* The same in a packed ring, whatever is in @d: its first descriptor last. */
static void post_packed(const struct desc *d)
{
	struct packed_desc *ring = (struct packed_desc *)(fe.pool + fe.r->base + AT_DESC);

	for (int i = 2; i >= 0; i--) {
		unsigned int at = (fe.r->avail + (unsigned int)i) % (2 * QUEUE_SIZE);
		bool wrap = at < QUEUE_SIZE;

		ring[at % QUEUE_SIZE] = (struct packed_desc){ .addr = d[i].addr, .len = d[i].len, .id = 5 };
		__sync_synchronize();
		ring[at % QUEUE_SIZE].flags = (uint16_t)((d[i].flags & ~(1u << 7 | 1u << 15)) | (wrap ? 1u << 7 : 1u << 15));
	}
	__sync_synchronize();
	xenevtchn_notify(ec, fe.r->port);
}

static bool packed_used(void)
{
	unsigned int at = fe.r->avail % (2 * QUEUE_SIZE);
	uint16_t flags = ((struct packed_desc *)(fe.pool + fe.r->base + AT_DESC))[at % QUEUE_SIZE].flags;
	bool wrap = at < QUEUE_SIZE;

	return !!(flags & 1 << 7) == wrap && !!(flags & 1 << 15) == wrap;
}

static uint16_t used_idx(void)
{
	return ((volatile uint16_t *)(fe.pool + fe.r->base + AT_USED))[1];
}

/* The request's status (a card has none: 0), or -1. */
static int await_used(void)
{
	uint64_t begin = now_ms();
	evtchn_port_t port;

	while (packed ? !packed_used() : used_idx() == fe.r->done) {
		if (now_ms() - begin > LIMIT_MS)
			return -1;
		next_event(20, &port);
	}
	if (packed)
		fe.r->avail += 3;
	fe.r->done++;
	return kind->bit == BLOCK ? fe.pool[AT_STATUS] : 0;
}

static int transfer(uint32_t type, uint64_t sector)
{
	struct desc d[3];

	if (packed) {
		build(d, type, sector);
		post_packed(d);
		return await_used();
	}
	build(descs(), type, sector);
	post(0, (uint16_t)(fe.r->avail + 1));
	return await_used();
}

/* A frame goes, and one comes. */
static const char *frames_work(void)
{
	if (transfer(0, 0))
		return wrong("no frame can be sent");
	fe.r = &fe.ring[RX];
	if (transfer(0, 0))
		return wrong("no frame comes");
	fe.r = &fe.ring[MAIN];
	return NULL;
}

/* The kernel has let go of the device's other queues. */
static const char *all_stopped(void)
{
	uint64_t begin = now_ms();
	evtchn_port_t port;

	fe.r = &fe.ring[MAIN];
	build(descs(), 0, 0);
	post(0, (uint16_t)(fe.r->avail + 1));
	while (now_ms() - begin < SETTLE_MS) {
		next_event(20, &port);
		if (used_idx() != fe.r->done)
			return wrong("another queue goes on");
	}
	return NULL;
}

/* Writes and reads back. */
static const char *io_works(void)
{
	static uint8_t first;

	if (kind->bit == NET)
		return frames_work();
	if (kind->bit != BLOCK)
		return transfer(0, 0) ? wrong("a request is not answered") : NULL;
	first++;
	for (unsigned int i = 0; i < SECTOR; i++)
		fe.pool[AT_DATA + i] = (uint8_t)(first + i * 7);
	if (transfer(1, 5))
		return wrong("a sector cannot be written: status %d", fe.pool[AT_STATUS]);
	memset(fe.pool + AT_DATA, 0, SECTOR);
	if (transfer(0, 5))
		return wrong("a sector cannot be read: status %d", fe.pool[AT_STATUS]);
	for (unsigned int i = 0; i < SECTOR; i++)
		if (fe.pool[AT_DATA + i] != (uint8_t)(first + i * 7))
			return wrong("other data were read");
	return NULL;
}

static void ring_fault(enum ring ring)
{
	struct desc *d = descs(), *t = table();
	uint16_t head = 0, idx = (uint16_t)(fe.r->avail + 1);

	build(d, 0, 0);
	if (ring >= TABLE_OUT && ring <= TABLE_NEXT) {
		build(t, 0, 0);
		d[0] = (struct desc){ VX_POOL_BASE + AT_TABLE, 3 * sizeof(*d), TABLE, 0 };
	}
	switch (ring) {
	case ADDR_0: d[1].addr = 0; break;
	case ADDR_LOW: d[1].addr = VX_POOL_BASE - SECTOR; break;
	case ADDR_END: d[1].addr = POOL_END; break;
	case ADDR_CROSS: d[1].addr = POOL_END - d[1].len / 2; break;
	case ADDR_WRAP: d[1].addr = 0xffffffffffffff00; break;
	case LEN_MAX: d[1].len = 0xffffffff; break;
	case LEN_0: d[1].len = 0; break;
	case NEXT_OUT: d[1].next = QUEUE_SIZE; break;
	case NEXT_SELF: d[1].next = 1; break;
	case HEAD_OUT: head = 0xffff; break;
	case AVAIL_JUMP: idx = (uint16_t)(fe.r->avail + QUEUE_SIZE + 1); break;
	case AVAIL_BACK: idx = (uint16_t)(fe.r->avail - 1); break;
	case TABLE_OUT: d[0].addr = POOL_END; break;
	case TABLE_CROSS: d[0].addr = POOL_END - sizeof(*d); break;
	case TABLE_LEN: d[0].len = 15; break;
	case TABLE_0: d[0].len = 0; break;
	case TABLE_ADDR: t[1].addr = POOL_END; break;
	case TABLE_LOOP: t[1].next = 1; break;
	case TABLE_LONG: t[2].flags |= NEXT; break;
	case TABLE_NEXT: t[1].next = 3; break;
	case ORDER: d[1].flags = WRITE | NEXT; d[2].flags = 0; break;
	case NO_STATUS: d[0].flags = 0; break;
	case SHORT_HEADER: d[0].len = 4; break;
	case SECTOR_OUT: build(d, 0, 0x7fffffffffffff); break;
	case TYPE_OUT: build(d, 0x7777, 0); break;
	}
	post(head, idx);
}

/* The backend says that the device needs a reset. */
static const char *breaks(void)
{
	uint64_t begin = now_ms();
	evtchn_port_t port;

	while (!(*(volatile uint32_t *)&fe.ctrl->device_status & NEEDS_RESET)) {
		if (backend_state() >= 5)
			return wrong("the backend has closed");
		if (now_ms() - begin > LIMIT_MS)
			return wrong("the backend does not ask for a reset");
		next_event(20, &port);
	}
	return NULL;
}

/* Of the first ring; then it is enabled again. */
static const char *reset_queue(void)
{
	struct vx_msg m = { .id = VX_MSG_RESET_VQUEUE, .u.queue.index = fe.r->index };
	int ret;

	if (fe.f->stage == RUNNING && transfer(0, 0))
		return wrong("no frame can be sent");
	ret = call(&m, 0);
	if (!ring_reset) {
		if (ret != VX_ERR_STATE)
			return wrong("the queue's reset was not negotiated, and the answer is %d", ret);
	} else if (ret) {
		return wrong("the queue cannot be reset: error %d", ret);
	} else if (set_queue()) {
		return wrong("the queue cannot be enabled again");
	}
	return fe.f->stage < RUNNING && tell_status(15) ? wrong("the device does not start") : NULL;
}

static const char *reset_broken(void)
{
	struct vx_msg m = { .id = VX_MSG_RESET_VQUEUE, .u.queue.index = fe.r->index };
	const char *bad;

	ring_fault(ADDR_0);
	bad = breaks();
	/* It may refuse, but has to answer. */
	if (!bad && call(&m, 0) < 0)
		bad = wrong("no answer to the queue's reset");
	return bad;
}

static const char *break_often(void)
{
	for (int i = 0; i < 40 && backend_state() == 4; i++) {
		ring_fault(ADDR_0);
		if (breaks() || tell_status(0))
			break;
		negotiate(RUNNING);
	}
	return NULL;
}

/* ---- random requests ---- */

static bool offered(void);
static bool connects(void);

/* The backend has closed, as it may: another connection. */
static bool again(void)
{
	const struct fault *f = fe.f;

	set_state(6);
	wait_state(1u << 2 | 1u << 6);
	release();
	fe.f = f;
	if (!offered())
		return false;
	offer_connection();
	return connects();
}

/* A request of which nothing may be right. */
static void random_request(void)
{
	uint32_t what = random32();
	struct desc d[3], *at;

	fe.r = &fe.ring[what % fe.rings];
	at = packed ? d : descs();
	build(at, what >> 8 & 3, what >> 12 & 7);
	if (what >> 16 & 1) {
		build(table(), what >> 8 & 3, 1);
		at[0] = (struct desc){ VX_POOL_BASE + AT_TABLE, 3 * sizeof(at[0]), TABLE, 0 };
	}
	/* Fields of it, and bytes of what it names and of the rings. */
	for (unsigned int i = what >> 20 & 3; i; i--)
		random_fill((uint8_t *)at + random32() % (3 * sizeof(*at) - 4), 1 + random32() % 4);
	for (unsigned int i = what >> 22 & 3; i; i--)
		random_fill(fe.pool + random32() % (AT_DATA - 8), 1 + random32() % 8);
	if (!(what >> 24 & 15))
		for (int i = 0; i < 64; i++)
			random_fill(fe.pool + random32() % (POOL_PAGES * VX_PAGE_SIZE - 8), 8);
	if (packed) {
		post_packed(d);
		fe.r->avail = (uint16_t)(fe.r->avail + 3);
	} else {
		post(what >> 28 ? 0 : (uint16_t)random32(), (uint16_t)(what >> 28 == 1 ? random32() : fe.r->avail + 1u));
	}
}

static void random_message(void)
{
	struct vx_msg m = { 0 };

	random_fill(&m, sizeof(m));
	m.type = VX_MSG_REQUEST;
	m.id = (uint8_t)(random32() % 12);
	m.error = 0;
	m.seq = 0;
	if (random32() & 1)
		memset((uint8_t *)&m.u + random32() % sizeof(m.u), 0, 1);
	if (random32() & 1)
		right_queue(&m);
	call(&m, 0);
}

static const char *random_requests(void)
{
	uint64_t end = now_ms() + random_seconds * 1000ull;
	unsigned int requests = 0, resets = 0, connections = 1;
	evtchn_port_t port;

	fprintf(stderr, "vx-frontend: %s: seed %u, %u seconds\n", kind->name, seed, random_seconds);
	while (now_ms() < end) {
		bool reset = false;

		if (backend_state() != 4) {
			connections += again();
			continue;
		}
		for (int i = 0; i < 32; i++) {
			random_request();
			next_event(2, &port);
			requests++;
		}
		if (!(random32() & 7)) {
			random_message();
			reset = true;
		}
		if (reset || *(volatile uint32_t *)&fe.ctrl->device_status & NEEDS_RESET) {
			resets++;
			fe.r = &fe.ring[MAIN];
			if (!tell_status(0))
				negotiate(RUNNING);
		}
	}
	fprintf(stderr, "vx-frontend: %s: %u requests, %u resets, %u connections\n", kind->name, requests, resets, connections);
	fe.r = &fe.ring[MAIN];
	return NULL;
}

/* ---- what goes wrong ---- */

static int send_message(void)
{
	struct vx_msg m = { .id = fe.f->id };

	if (fe.f->right)
		right_queue(&m);
	for (int i = 0; i < 3; i++)
		poke((uint8_t *)&m + fe.f->p[i].at, fe.f->p[i].bytes, fe.f->p[i].size);
	return call(&m, fe.f->posted);
}

static const char *misbehave(void)
{
	const struct fault *f = fe.f;
	int ret;

	switch (f->act) {
	case MESSAGE:
		ret = send_message();
		if (f->outcome == REFUSES && ret != f->error)
			return wrong("the answer's error is %d, not %d", ret, f->error);
		break;
	case STATE_IO:
		build(descs(), 0, 0);
		post(0, (uint16_t)(fe.r->avail + 1));
		/* fallthrough */
	case STATE:
		set_state(f->arg);
		break;
	case POSTED:
		*(volatile uint32_t *)&fe.ctrl->req_posted = f->arg;
		xenevtchn_notify(ec, fe.port);
		break;
	case STORM_CTRL:
		storm(fe.port, STORM_MS);
		break;
	case STORM_QUEUE:
		storm(fe.r->port, STORM_MS);
		break;
	case SCRIBBLE_CTRL:
		memset((void *)fe.ctrl->dir, 0xee, sizeof(fe.ctrl->dir));
		memset(fe.ctrl, 0xee, offsetof(struct vx_ctrl, req_posted));
		break;
	case SCRIBBLE_DIR:
		memset(fe.dir, 0xee, VX_PAGE_SIZE);
		break;
	case RING:
		fe.r = &fe.ring[f->which];
		ring_fault(f->ring);
		if (f->outcome == LIVES && (await_used() & ~3) != 0)
			return wrong("the request is not answered");
		break;
	case BREAK_OFTEN:
		return break_often();
	case RANDOM:
		return random_requests();
	case QUEUE_RESET:
		return reset_queue();
	case RESET_BROKEN:
		return reset_broken();
	case NOTHING:
		break;
	}
	return NULL;
}

/* ---- what the backend did ---- */

static const char *says_why(void)
{
	char path[256], *text;
	unsigned int len;
	const char *bad = NULL;
	regex_t re;

	snprintf(path, sizeof(path), "%s/" VX_NODE_ERROR, bdir);
	text = xs_read(xs, XBT_NULL, path, &len);
	if (!text)
		return wrong("no node " VX_NODE_ERROR);
	if (regcomp(&re, fe.f->e.says, REG_EXTENDED | REG_NOSUB))
		die("bad expression '%s'", fe.f->e.says);
	if (regexec(&re, text, 0, NULL, 0))
		bad = wrong(VX_NODE_ERROR " is '%s'", text);
	regfree(&re);
	free(text);
	return bad;
}

static const char *settles(uint32_t state)
{
	uint64_t begin = now_ms();

	while (now_ms() - begin < SETTLE_MS) {
		evtchn_port_t port;

		if (backend_state() != state)
			return wrong("the backend's state is %u", backend_state());
		next_event(20, &port);
	}
	return NULL;
}

static const char *judge(void)
{
	const char *bad;
	uint32_t b;

	switch (fe.f->outcome) {
	case LIVES:
		return io_works();
	case REFUSES:
		/* The device goes on from where it was. */
		if (backend_state() != 4)
			return wrong("the backend's state is %u", backend_state());
		if (tell_status(0) || !negotiate(RUNNING))
			return wrong("the device cannot be used afterwards");
		return io_works();
	case BREAKS:
		bad = breaks();
		if (!bad && fe.f->which != MAIN)
			bad = all_stopped();
		if (bad)
			return bad;
		if (tell_status(0) || !negotiate(RUNNING))
			return wrong("the device cannot be reset");
		return io_works();
	case FAILS:
		b = wait_state(1u << 5 | 1u << 6);
		return b < 5 ? wrong("the backend's state is %u", b) : says_why();
	case WAITS:
		return settles(2);
	case CLOSES:
		b = wait_state(1u << 6);
		return b == 6 ? NULL : wrong("the backend's state is %u", b);
	case ANEW:
		b = wait_state(1u << 2);
		return b == 2 ? NULL : wrong("the backend's state is %u", b);
	case FOLLOWS:
		b = wait_state(1u << 5);
		return b == 5 ? NULL : wrong("the backend's state is %u", b);
	case ANYTHING:
		return NULL;
	}
	return NULL;
}

/* ---- one fault ---- */

/* The backend must come to offer a connection, whatever was before. */
static bool offered(void)
{
	set_state(6);
	wait_state(1u << 2 | 1u << 6);
	set_state(1);
	return wait_state(1u << 2) == 2;
}

static bool connects(void)
{
	struct vx_msg m = { .id = VX_MSG_GET_DEVICE_INFO };

	if (wait_state(1u << 4 | 1u << 5 | 1u << 6) != 4 || fe.ctrl->be_magic != VX_MAGIC_BACKEND)
		return false;
	fe.rings = kind->rings;
	memcpy(fe.ring, kind->ring, fe.rings * sizeof(fe.ring[0]));
	for (unsigned int i = 0; i < fe.rings; i++)
		fe.ring[i].port = open_port();
	fe.r = &fe.ring[MAIN];
	/* The first message, unless that is what will be wrong. */
	if (fe.f->stage > CONNECTED || fe.f->act != MESSAGE) {
		if (call(&m, 0) || fe.rsp.u.info.device_id != kind->device_id)
			return false;
	}
	set_state(4);
	return negotiate(fe.f->stage);
}

static const char *try(const struct fault *f)
{
	const char *bad;

	if (!offered())
		return wrong("the backend's state is %u, not 2", backend_state());
	if (f->stage == OFFERED && f->act != NOTHING) {
		set_state(f->arg);
		return judge();
	}
	offer_connection();
	/* What is wrong is in the nodes or in the pages. */
	if (f->act == NOTHING && f->outcome != LIVES)
		return judge();
	if (!connects())
		return wrong("no connection: the backend's state is %u", backend_state());
	bad = misbehave();
	return bad ? bad : judge();
}

static const char *run_fault(const void *fault, unsigned int *id)
{
	const char *bad;

	*id = (unsigned int)strtoul(strrchr(fdir, '/') + 1, NULL, 10);
	memset(&fe, 0, sizeof(fe));
	fe.f = fault;
	bad = try(fault);
	/* Reset, so that nothing is written to pages that are free again. */
	if (fe.ctrl && backend_state() == 4)
		tell_status(0);
	if (backend_state() == 4) {
		set_state(5);
		wait_state(1u << 5 | 1u << 6);
	}
	set_state(6);
	wait_state(1u << 2 | 1u << 6);
	release();
	return bad;
}

static void begin(void)
{
	char path[160];
	unsigned int len;

	if (!*fdir)
		die("--dir is missing");
	open_xen();
	gs = xengntshr_open(NULL, 0);
	if (!gs)
		die("/dev/xen/gntalloc: %s", strerror(errno));
	snprintf(path, sizeof(path), "%s/backend", fdir);
	bdir = xs_read(xs, XBT_NULL, path, &len);
	if (!bdir)
		die("%s: %s", path, strerror(errno));
	backend = get_u32(fdir, "backend-id");
}

static bool fits(const void *fault)
{
	const struct fault *f = fault;

	return (f->kinds ? f->kinds : BLOCK) & kind->bit && f->packed == packed && (f->act != RANDOM || random_seconds);
}

static bool option(const char *name, const char *value)
{
	for (size_t i = 0; !strcmp(name, "--kind") && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, value)) {
			kind = &kinds[i];
			return true;
		}
	if (!strcmp(name, "--seed") || !strcmp(name, "--random-seconds")) {
		*(name[2] == 's' ? &seed : &random_seconds) = number(value);
		return true;
	}
	if (!strcmp(name, "--packed") && (!strcmp(value, "yes") || !strcmp(value, "no"))) {
		packed = !strcmp(value, "yes");
		return true;
	}
	if (!strcmp(name, "--ring-reset") && (!strcmp(value, "yes") || !strcmp(value, "no"))) {
		ring_reset = !strcmp(value, "yes");
		return true;
	}
	if (strcmp(name, "--dir") || strlen(value) >= sizeof(fdir) || !strchr(value, '/'))
		return false;
	strcpy(fdir, value);
	return true;
}

int main(int argc, char **argv)
{
	static const struct program p = {
		.name = "vx-frontend", .options = "--dir device/virtio/N [--kind block|net|console|rng|9p] [--ring-reset yes|no] [--packed yes|no] [--seed N] [--random-seconds N]",
		.table = faults, .count = sizeof(faults) / sizeof(faults[0]), .size = sizeof(faults[0]),
		.fits = fits, .option = option, .begin = begin, .run = run_fault,
	};

	return hostile_main(argc, argv, &p);
}

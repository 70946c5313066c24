// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A backend for one device of a guest, in dom0: a block device in memory, or another
 * (vx-kinds.c), good enough for Linux's driver, that does one thing wrong
 * (docs/protocol.md, section 11: what the driver must check).
 *
 *	vx-backend --domain 3 --fault none,node-*	one device for each fault
 *	vx-backend --domain 3 --kind net --fault '*'	those that are of interest for a card
 *	vx-backend --domain 3 --devid 99 --serve yes	a right one, until SIGTERM
 *
 * It makes the nodes as the toolstack does, but with the backend's directory in
 * backend/vx-hostile/: the guest's kernel goes where its "backend" node says, and
 * xen-virtiod, which knows "virtio" and "virtio_disk", does not see the device.
 */
#include "hostile.h"
#include "vx-kinds.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define KIND "vx-hostile"
#define QUEUE_MAX 64
#define VENDOR 0x48
#define NEEDS_RESET 64u
#define F_CONFIG_WCE (1ull << 11)
#define F_INDIRECT (1ull << 28)
#define F_PACKED (1ull << 34)
#define POOL_MOST 1280u		/* pages: what a guest of 256 MiB spares, and rings */

#define SETTLE_MS 1500		/* a driver that has done nothing by then waits */
#define LIMIT_MS 40000
#define STORM_MS 2000
#define CLOSE_LATE_MS 4000

/* What the driver is to do. */
enum outcome {
	CLOSES,			/* state 6 */
	ANEW,			/* back to 1, and perhaps on to 3 with a new connection */
	WAITS,			/* stays where it is, before 4 */
	LIVES,			/* stays connected; closes when it is asked to */
	GOES,			/* its nodes are not there any more */
	ANY,			/* connected or closed */
	HELD,			/* back to 1, and no further while we map its pool */
};

/* Where it happens.  Below 256: instead of the answer to that message. */
enum step {
	AT_START = 256,		/* the state that the driver finds */
	AT_READY,		/* the driver's is 3; ours is to be 4 */
	AT_CONNECTED,		/* it is, and no message was answered */
	AT_RUNNING,		/* DRIVER_OK was answered */
	AT_IO,			/* the first request was taken, and not answered */
};

enum act {
	NOTHING,
	STATE,			/* write state ARG; GARBAGE or GONE */
	SILENT,			/* no answer, ever */
	STORM_CTRL,
	STORM_QUEUE,
	GEN_ODD,
	STATUS,			/* write ARG to device_status */
	SCRIBBLE,		/* all of the pool, again and again */
	SCRIBBLE_DESC,		/* the descriptors, after they were read */
	EARLY,			/* an answer before there was a request */
	REMOVE,			/* the driver's directory */
	CLOSE_LATE,		/* state 5, and 6 without the request being done */
	GEN_FLOOD,		/* another config_gen, again and again */
	DESC_WRITABLE,		/* try to map the rings' pages writable */
	RANDOM,			/* random bytes, until the end, while requests are served */
};

#define GARBAGE 100
#define GONE 101

enum ring {
	RING_RIGHT,
	RING_ID_SIZE, RING_ID_MAX, RING_ID_FREE,	/* used id: out of range, not in flight */
	RING_TWICE,					/* the same one again */
	RING_LEN, RING_LEN_0,
	RING_IDX_FAR, RING_IDX_BACK, RING_IDX_MAX,
};

struct fault {
	struct entry e;
	enum outcome outcome;
	/* A node with another value; NULL: without it. */
	const char *node, *value;
	/* Bytes of the control page when state becomes 4, or of the answer to a message. */
	uint8_t answer;
	uint16_t at;
	uint8_t size;
	uint64_t bytes;
	uint32_t posted;	/* added to rsp_posted */
	bool refuse;		/* the answer is an error, as it should be: without payload */
	unsigned int step;	/* enum step */
	enum act act;
	uint32_t arg;
	enum ring ring;
	bool old;		/* version 1: no pages that we can only read */
	bool pool_large;	/* we would map any pool */
	uint64_t offer, hide;	/* feature bits */
	unsigned int kinds;	/* 0: a disk alone */
	bool short_name;	/* of a port */
};

#define OTHERS (NET | CONSOLE | PORTS | RNG | SHARE)
#define ALL (BLOCK | OTHERS)

#define LONG "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LIST256 LONG LONG LONG LONG

#define NODE(n, node_, value_, text) \
	{ .e = { "node-" n, node_ ": " text, "the backend's " node_ " is " }, .outcome = CLOSES, .node = node_, .value = value_ }
#define CTRL(n, field, size_, value_) \
	{ .e = { "ctrl-" n, #field " is " #value_, #field " is " }, .outcome = CLOSES, \
	  .at = offsetof(struct vx_ctrl, field), .size = size_, .bytes = value_ }
#define ANSWER_SAYS(n, text, id, at_, size_, value_, says_) \
	{ .e = { "rsp-" n, text, says_ }, .outcome = CLOSES, .answer = VX_MSG_##id, .at = at_, .size = size_, .bytes = value_ }
#define ANSWER(n, text, id, at_, size_, value_) \
	ANSWER_SAYS(n, text, id, at_, size_, value_, "answer to message 0x.. is wrong: ")
#define POSTED(n, text, id, add) \
	{ .e = { "posted-" n, text, "rsp_posted is [0-9]+" }, .outcome = CLOSES, .answer = VX_MSG_##id, .posted = add }
#define REFUSAL(n, id, code, outcome_) \
	{ .e = { "refuse-" n, #id " is answered with error " #code, #id ".* error " #code }, .outcome = outcome_, \
	  .answer = VX_MSG_##id, .at = 2, .size = 2, .bytes = code, .refuse = true }
#define ACTION(n, text, says_, outcome_, step_, act_, arg_) \
	{ .e = { n, text, says_ }, .outcome = outcome_, .step = step_, .act = act_, .arg = arg_ }
#define STATE_AT(n, step_, state_, outcome_, says_) \
	ACTION("state-" n "-" #state_, "state " #state_ " at " #step_, says_, outcome_, step_, STATE, state_)
#define OF_ALL(n, text, says_, outcome_, step_, act_, arg_) \
	{ .e = { n, text, says_ }, .outcome = outcome_, .step = step_, .act = act_, .arg = arg_, .kinds = ALL }
#define OLD(n, text, says_, outcome_, step_, act_, arg_, kinds_) \
	{ .e = { n, text, says_ }, .outcome = outcome_, .step = step_, .act = act_, .arg = arg_, .old = true, .kinds = kinds_ }
#define PACKED(n, text, says_, outcome_, step_, act_, arg_, kinds_) \
	{ .e = { n, text, says_ }, .outcome = outcome_, .step = step_, .act = act_, .arg = arg_, .offer = F_PACKED, .kinds = kinds_ }
#define CONFIG(n, text, offer_, at_, size_, value_) \
	{ .e = { "config-" n, text, NULL }, .outcome = LIVES, .offer = offer_, \
	  .at = offsetof(struct vx_ctrl, config) + at_, .size = size_, .bytes = value_ }
#define CONFIG_OF(kind_, n, text, at_, size_, value_) \
	{ .e = { "config-" n, text, "*" }, .outcome = ANY, .at = offsetof(struct vx_ctrl, config) + at_, .size = size_, \
	  .bytes = value_, .kinds = kind_ }
#define RING(n, text, ring_, outcome_, says_) { .e = { "used-" n, text, says_ }, .outcome = outcome_, .ring = ring_ }
/* What is wrong with a queue that is full of buffers, or of which one is taken at a time, is another matter. */
#define RING_OTHERS(n, text, ring_) \
	{ .e = { "used-" n, text, "*" }, .outcome = ANY, .ring = ring_, .kinds = OTHERS }

#define LOST "reinitialising"
#define SURPRISE "the backend is gone"
#define BROKEN "its virtqueue .* is broken"
#define RESERVED "a reserved byte is set"

static const struct fault faults[] = {
	{ .e = { "none", "a right backend", NULL }, .outcome = LIVES, .kinds = ALL },

	OLD("none-old", "a right backend that speaks version 1", NULL, LIVES, AT_START, NOTHING, 0, ALL),
	PACKED("none-packed", "a right backend with packed rings", NULL, LIVES, AT_START, NOTHING, 0, ALL),
	{ .e = { "trust-02-indirect", "version 1 without INDIRECT_DESC", "neither read-only rings nor INDIRECT_DESC" }, .outcome = LIVES,
	  .old = true, .hide = F_INDIRECT, .answer = VX_MSG_GET_FEATURES },
	{ .e = { "trust-06-pool", "would map any pool, and has it large", NULL }, .outcome = LIVES, .pool_large = true },

	/* Nodes: section 3. */
	NODE("min-none", VX_NODE_VERSION_MIN, NULL, "missing"),
	NODE("min-0", VX_NODE_VERSION_MIN, "0", "0"),
	NODE("min-new", VX_NODE_VERSION_MIN, "3", "newer than the driver"),
	NODE("min-01", VX_NODE_VERSION_MIN, "01", "with a leading zero"),
	NODE("min-blank", VX_NODE_VERSION_MIN, " 1", "with a blank"),
	NODE("min-x", VX_NODE_VERSION_MIN, "1x", "with a letter"),
	NODE("max-0", VX_NODE_VERSION_MAX, "0", "0"),
	NODE("max-65536", VX_NODE_VERSION_MAX, "65536", "too large"),
	NODE("max-minus", VX_NODE_VERSION_MAX, "-1", "with a sign"),
	NODE("instance-none", VX_NODE_INSTANCE, NULL, "missing"),
	NODE("instance-0", VX_NODE_INSTANCE, "0", "0"),
	NODE("device-0", VX_NODE_DEVICE_ID, "0", "0"),
	NODE("device-65536", VX_NODE_DEVICE_ID, "65536", "too large"),
	NODE("device-long", VX_NODE_DEVICE_ID, LIST256 LIST256 LIST256, "768 letters"),
	NODE("vendor-none", VX_NODE_VENDOR_ID, NULL, "missing"),
	NODE("vendor-2to32", VX_NODE_VENDOR_ID, "4294967296", "more than 32 bits"),
	NODE("vendor-11", VX_NODE_VENDOR_ID, "00000000001", "11 digits"),
	NODE("queues-0", VX_NODE_MAX_QUEUES, "0", "0"),
	NODE("queues-257", VX_NODE_MAX_QUEUES, "257", "too many"),
	NODE("config-2049", VX_NODE_MAX_CONFIG, "2049", "too large"),
	NODE("pool-15", VX_NODE_POOL_MAX_PAGES, "15", "too small"),
	NODE("pool-65537", VX_NODE_POOL_MAX_PAGES, "65537", "too large"),
	NODE("hint-max", VX_NODE_POOL_HINT_PAGES, "1025", "more than the largest pool"),
	NODE("modes-none", VX_NODE_MEM_MODES, NULL, "missing"),
	NODE("modes-empty", VX_NODE_MEM_MODES, "", "empty"),
	NODE("modes-other", VX_NODE_MEM_MODES, "grant,pools", "without the one that is needed"),
	NODE("modes-comma", VX_NODE_MEM_MODES, "pool,", "a list that ends with a comma"),
	NODE("modes-case", VX_NODE_MEM_MODES, "POOL", "in capitals"),
	NODE("modes-256", VX_NODE_MEM_MODES, LIST256 ",pool", "a list that is too long"),
	NODE("escape", VX_NODE_MEM_MODES, "\033[2J\npool", "control characters"),

	/* The control page when state becomes 4: 5.3. */
	CTRL("magic", be_magic, 4, 0x42425857),
	CTRL("magic-0", be_magic, 4, 0),
	CTRL("version-3", be_version, 2, 3),
	CTRL("version-0", be_version, 2, 0),
	CTRL("config-61", config_size, 4, 61),
	CTRL("config-all", config_size, 4, 0xffffffff),

	/* Answers: 7.  Offsets are those of struct vx_msg. */
	ANSWER("type-0", "a request for an answer", GET_DEVICE_INFO, 0, 1, 0),
	ANSWER("type-255", "no type", GET_FEATURES, 0, 1, 255),
	ANSWER("id", "the answer to another message", GET_DEVICE_INFO, 1, 1, VX_MSG_GET_FEATURES),
	ANSWER("seq", "another sequence number", GET_FEATURES, 4, 4, 77),
	ANSWER("error-6", "an unknown error", GET_FEATURES, 2, 2, 6),
	ANSWER("error-65535", "an unknown error", SET_FEATURES, 2, 2, 65535),
	ANSWER("error-payload", "an error with a payload", GET_DEVICE_INFO, 2, 2, 5),
	ANSWER("reserved-info", RESERVED, GET_DEVICE_INFO, 8 + 20, 1, 1),
	ANSWER("reserved-features", RESERVED, GET_FEATURES, 8 + 31, 1, 1),
	ANSWER("reserved-status", RESERVED, SET_DEVICE_STATUS, 8 + 4, 1, 1),
	ANSWER("reserved-vqueue", RESERVED, GET_VQUEUE, 8 + 16, 1, 1),
	ANSWER("reserved-set", "a payload where there is none", SET_VQUEUE, 8, 1, 1),
	ANSWER("info-device", "another device", GET_DEVICE_INFO, 8, 4, 1),
	ANSWER("info-vendor", "another vendor", GET_DEVICE_INFO, 8 + 4, 4, 1),
	ANSWER("info-queues-0", "no queues", GET_DEVICE_INFO, 8 + 8, 4, 0),
	ANSWER("info-queues-many", "more queues than in xenstore", GET_DEVICE_INFO, 8 + 8, 4, 0x7fffffff),
	ANSWER("info-config", "more configuration than in xenstore", GET_DEVICE_INFO, 8 + 12, 4, CONFIG_SIZE + 1),
	ANSWER("info-flags", "an unknown flag", GET_DEVICE_INFO, 8 + 16, 4, 4),
	ANSWER("features-old", "no VERSION_1", GET_FEATURES, 8, 8, OFFERED & ~(1ull << 32)),
	ANSWER("features-platform", "no ACCESS_PLATFORM", GET_FEATURES, 8, 8, OFFERED & ~(1ull << 33)),
	ANSWER("status-more", "a status that was not asked for", SET_DEVICE_STATUS, 8, 4, 0x84),
	ANSWER("status-256", "a status above 255", SET_DEVICE_STATUS, 8, 4, 0x100),
	ANSWER("queue-index", "another queue", GET_VQUEUE, 8, 4, 1),
	ANSWER("queue-65536", "a queue that is too large", GET_VQUEUE, 8 + 4, 4, 65536),
	ANSWER("queue-size", "a size in use above the largest", GET_VQUEUE, 8 + 8, 4, QUEUE_MAX + 1),
	ANSWER("queue-enabled", "enabled without a size", GET_VQUEUE, 8 + 12, 4, VX_QUEUE_ENABLED),
	ANSWER("queue-flags", "an unknown flag", GET_VQUEUE, 8 + 12, 4, 2),
	POSTED("skip", "rsp_posted is one too many", GET_DEVICE_INFO, 1),
	POSTED("back", "rsp_posted goes back", SET_FEATURES, 0xfffffffd),
	POSTED("far", "rsp_posted jumps", GET_VQUEUE, 0x80000000),
	ACTION("posted-early", "an answer before the request", "answer to message 0x02 is wrong: ", CLOSES, AT_READY, EARLY, 0),
	REFUSAL("info", GET_DEVICE_INFO, 5, CLOSES),
	REFUSAL("features", GET_FEATURES, 5, LIVES),
	REFUSAL("status", SET_DEVICE_STATUS, 3, LIVES),
	REFUSAL("set-features", SET_FEATURES, 2, LIVES),
	REFUSAL("queue", GET_VQUEUE, 1, LIVES),
	REFUSAL("set-queue", SET_VQUEUE, 4, LIVES),
	{ .e = { "queue-none", "the queue does not exist", NULL }, .outcome = LIVES,
	  .answer = VX_MSG_GET_VQUEUE, .at = 8 + 4, .size = 4, .bytes = 0 },
	{ .e = { "queue-1", "a queue with one descriptor", NULL }, .outcome = LIVES,
	  .answer = VX_MSG_GET_VQUEUE, .at = 8 + 4, .size = 4, .bytes = 1 },
	{ .e = { "queue-63", "a split ring whose size is no power of two", NULL }, .outcome = LIVES,
	  .answer = VX_MSG_GET_VQUEUE, .at = 8 + 4, .size = 4, .bytes = 63 },
	/* reply_timeout is short when these are tried. */
	ACTION("silent-info", "no answer to the first message", "does not answer", CLOSES, VX_MSG_GET_DEVICE_INFO, SILENT, 0),
	ACTION("silent-features", "no answer", "does not answer", CLOSES, VX_MSG_SET_FEATURES, SILENT, 0),
	ACTION("silent-queue", "no answer", "does not answer", CLOSES, VX_MSG_SET_VQUEUE, SILENT, 0),

	/* Configuration and status: 5.4. */
	ACTION("gen-odd", "config_gen stays odd", "config_gen is ", CLOSES, AT_READY, GEN_ODD, 0),
	ACTION("gen-odd-late", "config_gen becomes odd", "config_gen is ", CLOSES, AT_RUNNING, GEN_ODD, 0),
	ACTION("needs-reset", "DEVICE_NEEDS_RESET", "needs to be reset", LIVES, AT_RUNNING, STATUS, NEEDS_RESET),
	ACTION("status-page", "all bits of device_status", "needs to be reset", LIVES, AT_RUNNING, STATUS, 0xffffffff),

	CONFIG("wce", "wce is 255", F_CONFIG_WCE, 32, 1, 255),
	CONFIG("capacity", "capacity is 2^64 - 1", 0, 0, 8, ~0ull),
	CONFIG("seg-max", "seg_max is 0", 0, 12, 4, 0),
	CONFIG_OF(NET, "mac", "a group's address", 0, 6, 0xffffffffffffull),
	CONFIG_OF(NET, "status", "all bits of status", 6, 2, 0xffff),
	CONFIG_OF(CONSOLE | PORTS, "size", "65535 columns, 0 rows", 0, 4, 0x0000ffff),
	CONFIG_OF(PORTS, "ports", "4294967295 ports", 4, 4, 0xffffffff),
	{ .e = { "short-name", "a port's name in a message of 4 bytes", "*" }, .outcome = ANY, .kinds = PORTS, .short_name = true },
	CONFIG_OF(SHARE, "tag-len", "a tag of 65535 bytes", 0, 2, 0xffff),
	CONFIG_OF(SHARE, "tag-0", "no tag", 0, 2, 0),
	ACTION("trust-12-flood", "config_gen changes without end", "its configuration changes too often", LIVES, AT_RUNNING, GEN_FLOOD, 0),

	/* Rings. */
	RING("id-size", "id: the queue's size", RING_ID_SIZE, CLOSES, BROKEN),
	RING("id-max", "id: 0xffffffff", RING_ID_MAX, CLOSES, BROKEN),
	RING("id-free", "id: not in flight", RING_ID_FREE, CLOSES, BROKEN),
	RING("twice", "the same one twice", RING_TWICE, CLOSES, BROKEN),
	RING("len", "len above the buffers", RING_LEN, LIVES, NULL),
	RING("idx-far", "the index jumps", RING_IDX_FAR, CLOSES, BROKEN),
	RING("idx-back", "the index goes back", RING_IDX_BACK, CLOSES, BROKEN),
	RING("idx-max", "the index is 0xffff", RING_IDX_MAX, CLOSES, BROKEN),
	RING_OTHERS("id-size", "id: the queue's size", RING_ID_SIZE),
	RING_OTHERS("id-max", "id: 0xffffffff", RING_ID_MAX),
	RING_OTHERS("id-other", "id: another one", RING_ID_FREE),
	RING_OTHERS("twice", "the same one twice", RING_TWICE),
	RING_OTHERS("len-max", "len above the buffers", RING_LEN),
	RING_OTHERS("len-0", "no byte was written", RING_LEN_0),
	RING_OTHERS("idx-far", "the index jumps", RING_IDX_FAR),
	RING_OTHERS("idx-back", "the index goes back", RING_IDX_BACK),
	RING_OTHERS("idx-max", "the index is 0xffff", RING_IDX_MAX),
	OLD("trust-02-desc", "descriptors are overwritten", "the descriptors were changed: ", CLOSES, AT_IO, SCRIBBLE_DESC, 0, 0),
	ACTION("trust-02-writable", "its rings' pages are mapped writable: they cannot be", NULL, LIVES, AT_RUNNING, DESC_WRITABLE, 0),
	OF_ALL("scribble-pool", "all of the pool is overwritten", "*", ANY, AT_IO, SCRIBBLE, 0),

	/* Events. */
	ACTION("storm-control", "events without end", NULL, LIVES, AT_RUNNING, STORM_CTRL, 0),
	ACTION("storm-queue", "events without end", NULL, LIVES, AT_RUNNING, STORM_QUEUE, 0),
	ACTION("storm-message", "events while a message waits", NULL, LIVES, VX_MSG_SET_FEATURES, STORM_CTRL, 0),

	/* States at every point: 4.1. */
	STATE_AT("start", AT_START, 1, WAITS, NULL),
	STATE_AT("start", AT_START, 3, WAITS, NULL),
	STATE_AT("start", AT_START, 4, WAITS, NULL),
	STATE_AT("start", AT_START, 5, CLOSES, NULL),
	STATE_AT("start", AT_START, 6, WAITS, NULL),
	STATE_AT("start", AT_START, 7, WAITS, NULL),
	STATE_AT("start", AT_START, GARBAGE, WAITS, NULL),
	STATE_AT("ready", AT_READY, 1, WAITS, NULL),
	STATE_AT("ready", AT_READY, 3, WAITS, NULL),
	STATE_AT("ready", AT_READY, 5, CLOSES, NULL),
	STATE_AT("ready", AT_READY, 6, CLOSES, SURPRISE),
	STATE_AT("ready", AT_READY, 8, CLOSES, SURPRISE),
	STATE_AT("ready", AT_READY, GARBAGE, CLOSES, SURPRISE),
	STATE_AT("ready", AT_READY, GONE, CLOSES, SURPRISE),
	STATE_AT("connected", AT_CONNECTED, 1, WAITS, NULL),
	STATE_AT("connected", AT_CONNECTED, 2, WAITS, NULL),
	STATE_AT("connected", AT_CONNECTED, 3, WAITS, NULL),
	STATE_AT("connected", AT_CONNECTED, 5, CLOSES, NULL),
	STATE_AT("connected", AT_CONNECTED, 6, CLOSES, SURPRISE),
	STATE_AT("connected", AT_CONNECTED, GONE, CLOSES, SURPRISE),
	STATE_AT("features", VX_MSG_SET_FEATURES, 1, ANEW, LOST),
	STATE_AT("features", VX_MSG_SET_FEATURES, 2, ANEW, LOST),
	STATE_AT("features", VX_MSG_SET_FEATURES, 3, ANEW, LOST),
	STATE_AT("features", VX_MSG_SET_FEATURES, 5, CLOSES, NULL),
	STATE_AT("features", VX_MSG_SET_FEATURES, 6, CLOSES, SURPRISE),
	STATE_AT("features", VX_MSG_SET_FEATURES, GARBAGE, CLOSES, SURPRISE),
	STATE_AT("queue", VX_MSG_SET_VQUEUE, 1, ANEW, LOST),
	STATE_AT("queue", VX_MSG_SET_VQUEUE, 2, ANEW, LOST),
	STATE_AT("queue", VX_MSG_SET_VQUEUE, 5, CLOSES, NULL),
	STATE_AT("queue", VX_MSG_SET_VQUEUE, 6, CLOSES, SURPRISE),
	STATE_AT("io", AT_IO, 1, ANEW, LOST),
	STATE_AT("io", AT_IO, 2, ANEW, LOST),
	STATE_AT("io", AT_IO, 3, ANEW, LOST),
	STATE_AT("io", AT_IO, 6, CLOSES, SURPRISE),
	STATE_AT("io", AT_IO, GARBAGE, CLOSES, SURPRISE),
	STATE_AT("io", AT_IO, GONE, CLOSES, SURPRISE),
	ACTION("state-io-5", "closes, and does not do the request", NULL, CLOSES, AT_IO, CLOSE_LATE, 0),
	{ .e = { "gone-io", "the backend is gone with a request", SURPRISE }, .outcome = CLOSES, .step = AT_IO, .act = STATE, .arg = 6, .kinds = OTHERS },
	{ .e = { "close-running", "closes", NULL }, .outcome = CLOSES, .step = AT_RUNNING, .act = STATE, .arg = 5, .kinds = OTHERS },
	STATE_AT("running", AT_RUNNING, 1, ANEW, LOST),
	STATE_AT("running", AT_RUNNING, 2, ANEW, LOST),
	STATE_AT("running", AT_RUNNING, 3, ANEW, LOST),
	STATE_AT("running", AT_RUNNING, 5, CLOSES, NULL),
	STATE_AT("running", AT_RUNNING, 6, CLOSES, SURPRISE),
	STATE_AT("running", AT_RUNNING, 7, CLOSES, SURPRISE),
	STATE_AT("running", AT_RUNNING, GONE, CLOSES, SURPRISE),
	ACTION("trust-06-held", "lost, and its pool stays mapped", LOST, HELD, AT_RUNNING, STATE, 2),

	/* Packed rings: requests end although nobody answers. */
	PACKED("trust-05-gone", "the backend is gone", SURPRISE, CLOSES, AT_IO, STATE, 6, 0),
	PACKED("trust-05-lost", "the backend is lost", LOST, ANEW, AT_IO, STATE, 1, 0),
	PACKED("trust-05-late", "closes, and does not do the request", NULL, CLOSES, AT_IO, CLOSE_LATE, 0, 0),

	/* --seed and --random-seconds */
	OF_ALL("random", "random bytes all over the pool", "*", ANY, AT_RUNNING, RANDOM, 0),
	OLD("random-old", "the same with version 1", "*", ANY, AT_RUNNING, RANDOM, 0, ALL),
	PACKED("random-packed", "the same with packed rings", "*", ANY, AT_RUNNING, RANDOM, 0, ALL),
	/* The last: the next device shows whether the guest's xenbus lives. */
	ACTION("remove-io", "the toolstack removes the nodes by force, with a request under way", "*", GOES, AT_IO, REMOVE, 0),
	{ .e = { "none-last", "a right backend, after all that", NULL }, .outcome = LIVES, .kinds = ALL },
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

struct queue {
	uint32_t index, size, port;
	struct packed_desc *packed;	/* instead of the three below */
	uint32_t next;
	bool wrap;
	struct desc *desc;
	volatile uint16_t *avail, *used;
	uint16_t seen, done;
	evtchn_port_t local;
	bool up;
};

static struct {
	const struct fault *f;
	uint32_t state;			/* that we wrote last */
	bool fired;			/* the fault has happened */
	bool silent, stuck;		/* answers no messages; no requests */
	uint64_t close_at;
	const char *bad;		/* what should not have been possible */
	uint32_t f_at;			/* the driver's state then */
	struct vx_ctrl *ctrl;
	uint8_t *pool, *ro;		/* the part that can be written, and the other */
	uint32_t refs[2 * VX_DIR_REFS];
	uint32_t pages, ro_pages, seq, status;
	uint64_t accepted;
	evtchn_port_t local;
	struct queue q[KIND_QUEUES];
} be;

static xengnttab_handle *gt;
static uint32_t domid, devid = 1000;
static bool serve_only;
static uint32_t random_seconds = 2;
static volatile sig_atomic_t stop;
static char bdir[128], fdir[128];
static const struct kind *kind;

/* ---- nodes ---- */

static void set_state(uint32_t state)
{
	be.state = state;
	if (state == GONE)
		xs_rm(xs, XBT_NULL, bdir);
	else if (state == GARBAGE)
		put(XBT_NULL, bdir, "state", "open");
	else
		put_u32(XBT_NULL, bdir, "state", state);
}

static void make_dir(xs_transaction_t t, const char *dir, unsigned int owner, unsigned int reader)
{
	struct xs_permissions p[2] = {
		{ .id = owner, .perms = XS_PERM_NONE }, { .id = reader, .perms = XS_PERM_READ },
	};

	if (!xs_mkdir(xs, t, dir) || !xs_set_permissions(xs, t, dir, p, 2))
		die("%s: %s", dir, strerror(errno));
}

static void write_offer(xs_transaction_t t)
{
	static const struct { const char *node, *value; } right[] = {
		{ VX_NODE_VERSION_MIN, "1" }, { VX_NODE_VERSION_MAX, "2" }, { VX_NODE_INSTANCE, "1" },
		{ VX_NODE_DEVICE_ID, NULL }, { VX_NODE_VENDOR_ID, "72" }, { VX_NODE_MAX_QUEUES, NULL },
		{ VX_NODE_MEM_MODES, "grant,pool" }, { VX_NODE_POOL_MAX_PAGES, "1024" },
		{ VX_NODE_POOL_HINT_PAGES, "128" }, { VX_NODE_MAX_CONFIG, NULL },
	};
	const uint32_t of_kind[] = { kind->device_id, kind->queues, kind->config_size };
	unsigned int next = 0;

	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		bool other = be.f->node && !strcmp(be.f->node, right[i].node);
		uint32_t value = right[i].value ? 0 : of_kind[next++];

		if (be.f->pool_large && !strncmp(right[i].node, "pool-", 5))
			put(t, bdir, right[i].node, "65536");
		else if (be.f->old && !strcmp(right[i].node, VX_NODE_VERSION_MAX))
			put(t, bdir, right[i].node, "1");
		else if (!other && !right[i].value)
			put_u32(t, bdir, right[i].node, value);
		else if (!other)
			put(t, bdir, right[i].node, right[i].value);
		else if (be.f->value)
			put(t, bdir, right[i].node, be.f->value);
	}
}

/* As the toolstack, and at once as the backend. */
static void make_nodes(void)
{
	bool start = be.f->act == STATE && be.f->step == AT_START;
	xs_transaction_t t;

	be.state = start ? be.f->arg : 2;
	be.fired = start || be.f->node;
	be.f_at = 1;
	snprintf(bdir, sizeof(bdir), "/local/domain/0/backend/" KIND "/%u/%u", domid, devid);
	snprintf(fdir, sizeof(fdir), "/local/domain/%u/device/virtio/%u", domid, devid);
	do {
		t = xs_transaction_start(xs);
		make_dir(t, bdir, 0, domid);
		put(t, bdir, "frontend", fdir);
		put_u32(t, bdir, "frontend-id", domid);
		put(t, bdir, "online", "1");
		write_offer(t);
		if (be.state == GARBAGE)
			put(t, bdir, "state", "open");
		else
			put_u32(t, bdir, "state", be.state);
		make_dir(t, fdir, domid, 0);
		put(t, fdir, "backend", bdir);
		put_u32(t, fdir, "backend-id", 0);
		put_u32(t, fdir, "state", 1);
	} while (!xs_transaction_end(xs, t, false) && errno == EAGAIN);
}

static void remove_nodes(void)
{
	char dir[128];

	xs_rm(xs, XBT_NULL, fdir);
	xs_rm(xs, XBT_NULL, bdir);
	/* What the driver left: a guest may have only so many nodes. */
	snprintf(dir, sizeof(dir), "/local/domain/%u/error/device/virtio/%u", domid, devid);
	xs_rm(xs, XBT_NULL, dir);
	/* The guest's part of the class, when it is the last; and the class. */
	for (int i = 0; i < 2; i++) {
		unsigned int n = 0;
		char **list;

		snprintf(dir, sizeof(dir), i ? "/local/domain/0/backend/" KIND : "/local/domain/0/backend/" KIND "/%u", domid);
		list = xs_directory(xs, XBT_NULL, dir, &n);
		if (list && !n)
			xs_rm(xs, XBT_NULL, dir);
		free(list);
	}
}

/* ---- what goes wrong ---- */

/* An event of each of its queues. */
static void notify_queues(void)
{
	for (unsigned int i = 0; i < KIND_QUEUES; i++)
		if (be.q[i].up)
			xenevtchn_notify(ec, be.q[i].local);
}

static void scribble(void *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((volatile uint8_t *)at)[i] = (uint8_t)(rand() >> 8);
}

/* Some bytes here and there; half of them where rings, headers and tables are. */
static void random_bytes(void)
{
	uint32_t size = be.pages * VX_PAGE_SIZE;

	for (int i = 0; i < 64; i++) {
		uint32_t at = random32() % (i & 1 ? size : 16 * VX_PAGE_SIZE), n = 1 + random32() % 8;

		for (uint32_t k = 0; k < n && at + k < size; k++)
			((volatile uint8_t *)be.pool)[at + k] = (uint8_t)random32();
	}
	notify_queues();
}

static void flood_config(void)
{
	uint64_t end = now_ms() + STORM_MS;

	while (now_ms() < end)
		for (int i = 0; i < 100; i++) {
			*(volatile uint32_t *)&be.ctrl->config_gen += 2;
			xenevtchn_notify(ec, be.local);
		}
}

static void try_writable(void)
{
	void *map = be.ro_pages ? xengnttab_map_domain_grant_refs(gt, 1, domid, &be.refs[be.pages], PROT_READ | PROT_WRITE) : NULL;

	if (!be.ro_pages)
		be.bad = "no page of the pool is granted read-only";
	if (map) {
		be.bad = "the descriptors can be written";
		xengnttab_unmap(gt, map, 1);
	}
}

/* True: the step is done otherwise, or not at all. */
static bool act(unsigned int step)
{
	const struct fault *f = be.f;

	if (be.fired || f->act == NOTHING || f->step != step)
		return false;
	be.fired = true;
	be.f_at = get_u32(fdir, "state");
	switch (f->act) {
	case STATE:
		set_state(f->arg);
		/* One that closes still answers; all others are gone. */
		be.silent = f->arg != 5;
		return f->arg != 5 || step == AT_READY;
	case SILENT:
		be.silent = true;
		return true;
	case STORM_CTRL:
		storm(be.local, STORM_MS);
		return false;
	case STORM_QUEUE:
		storm(be.q[0].local, STORM_MS);
		return false;
	case GEN_ODD:
		be.ctrl->config_gen = 7;
		xenevtchn_notify(ec, be.local);
		return false;
	case STATUS:
		be.ctrl->device_status = f->arg;
		xenevtchn_notify(ec, be.local);
		return false;
	case SCRIBBLE:
		for (int i = 0; i < 20; i++)
			scribble(be.pool, (size_t)be.pages * VX_PAGE_SIZE);
		notify_queues();
		return true;
	case SCRIBBLE_DESC:
		return false;	/* in serve_request() */
	case GEN_FLOOD:
		flood_config();
		return false;
	case DESC_WRITABLE:
		try_writable();
		return false;
	case RANDOM:
		fprintf(stderr, "vx-backend: %s: seed %u, %u seconds\n", f->e.name, seed, random_seconds);
		return false;	/* in step() */
	case REMOVE:
		xs_rm(xs, XBT_NULL, fdir);
		return true;
	case CLOSE_LATE:
		set_state(5);
		be.close_at = now_ms() + CLOSE_LATE_MS;
		return true;
	case EARLY:
		be.ctrl->rsp.type = VX_MSG_REQUEST;
		be.ctrl->rsp_posted = 1;
		be.silent = true;	/* a right answer could be there when the driver looks */
		return false;
	default:
		return false;
	}
}

/* ---- connection ---- */

static void drop_queues(void)
{
	for (unsigned int i = 0; i < KIND_QUEUES; i++) {
		if (be.q[i].up)
			xenevtchn_unbind(ec, be.q[i].local);
		be.q[i].up = false;
	}
}

static void unmap_all(void)
{
	drop_queues();
	if (be.local)
		xenevtchn_unbind(ec, be.local);
	if (be.pool)
		xengnttab_unmap(gt, be.pool, be.pages);
	if (be.ro)
		xengnttab_unmap(gt, be.ro, be.ro_pages);
	if (be.ctrl)
		xengnttab_unmap(gt, be.ctrl, 1);
	be.local = 0;
	be.pool = be.ro = NULL;
	be.ctrl = NULL;
}

/* In two parts: the last pages can only be read. */
static void map_pool(void)
{
	be.ro_pages = be.ctrl->ro_pages;
	be.pages = be.ctrl->pool_pages - be.ro_pages;
	be.pool = xengnttab_map_domain_grant_refs(gt, be.pages, domid, be.refs, PROT_READ | PROT_WRITE);
	if (be.pool && be.ro_pages)
		be.ro = xengnttab_map_domain_grant_refs(gt, be.ro_pages, domid, be.refs + be.pages, PROT_READ);
	if (!be.pool || (be.ro_pages && !be.ro))
		die("no pool: %s", strerror(errno));
}

static void *pool_at(uint64_t addr)
{
	uint64_t at = addr - VX_POOL_BASE, border = (uint64_t)be.pages * VX_PAGE_SIZE;

	return at < border ? be.pool + at : be.ro + (at - border);
}

/* The driver is Linux and right: what it says is believed. */
static void map_all(void)
{
	uint32_t ref = get_u32(fdir, VX_NODE_CTRL_REF), dir_refs[2], *dir;
	xenevtchn_port_or_error_t port;

	be.ctrl = xengnttab_map_domain_grant_refs(gt, 1, domid, &ref, PROT_READ | PROT_WRITE);
	if (!be.ctrl || be.ctrl->magic != VX_MAGIC_DRIVER || be.ctrl->pool_pages > POOL_MOST)
		die("no control page at reference %u, or %u pages: %s", ref, be.ctrl ? be.ctrl->pool_pages : 0, strerror(errno));
	memcpy(dir_refs, be.ctrl->dir, sizeof(dir_refs));
	dir = xengnttab_map_domain_grant_refs(gt, be.ctrl->dir_pages, domid, dir_refs, PROT_READ);
	if (!dir)
		die("no directory: %s", strerror(errno));
	memcpy(be.refs, dir, sizeof(be.refs[0]) * be.ctrl->pool_pages);
	xengnttab_unmap(gt, dir, be.ctrl->dir_pages);
	map_pool();
	port = xenevtchn_bind_interdomain(ec, domid, get_u32(fdir, VX_NODE_EVENT_CHANNEL));
	if (port < 0)
		die("no event channel: %s", strerror(errno));
	be.local = (evtchn_port_t)port;
}

static void connect_driver(void)
{
	const struct fault *f = be.f;

	map_all();
	be.seq = be.status = 0;
	memset((void *)be.ctrl->config, 0, sizeof(be.ctrl->config));
	if (kind->config)
		kind->config(be.ctrl->config);
	be.ctrl->config_size = kind->config_size;
	be.ctrl->be_version = be.ctrl->version;
	be.ctrl->be_magic = VX_MAGIC_BACKEND;
	if (act(AT_READY))
		return;
	if (f->size && !f->answer) {
		poke((uint8_t *)be.ctrl + f->at, f->bytes, f->size);
		be.fired = true;
		be.f_at = 3;
	}
	__sync_synchronize();
	set_state(4);
	/* The driver may ask at once; no event is lost, since they are looked for later. */
	act(AT_CONNECTED);
}

/* ---- messages ---- */

static void queue_set(const struct vx_msg_set_queue *m)
{
	xenevtchn_port_or_error_t port = xenevtchn_bind_interdomain(ec, domid, m->port);

	struct queue *q = &be.q[m->index % KIND_QUEUES];

	if (port < 0)
		die("no event channel for the queue: %s", strerror(errno));
	*q = (struct queue){
		.index = m->index, .size = m->size, .port = m->port, .local = (evtchn_port_t)port, .up = true,
		.desc = pool_at(m->desc),
		.avail = pool_at(m->driver),
		.used = pool_at(m->device), .wrap = true,
	};
	if (be.accepted & F_PACKED)
		q->packed = pool_at(m->desc);
}

static void carry_out(const struct vx_msg *m, struct vx_msg *r)
{
	switch (m->id) {
	case VX_MSG_GET_DEVICE_INFO:
		r->u.info.device_id = kind->device_id;
		r->u.info.vendor_id = VENDOR;
		r->u.info.num_queues = kind->queues;
		r->u.info.config_size = kind->config_size;
		break;
	case VX_MSG_GET_FEATURES:
		r->u.features.words[0] = (kind->features | be.f->offer) & ~be.f->hide;
		break;
	case VX_MSG_SET_FEATURES:
		be.accepted = m->u.features.words[0];
		break;
	case VX_MSG_SET_DEVICE_STATUS:
		be.status = m->u.status.status;
		if (!be.status)
			drop_queues();
		if (!be.status || be.f->act != STATUS)
			be.ctrl->device_status = be.status;
		/* fallthrough */
	case VX_MSG_GET_DEVICE_STATUS:
		r->u.status.status = be.status;
		break;
	case VX_MSG_GET_VQUEUE:
		r->u.queue.index = m->u.queue.index;
		r->u.queue.max_size = m->u.queue.index < kind->queues ? QUEUE_MAX : 0;
		break;
	case VX_MSG_SET_VQUEUE:
		queue_set(&m->u.set_queue);
		break;
	default:
		r->error = VX_ERR_UNKNOWN;
		break;
	}
}

static void serve_message(void)
{
	const struct fault *f = be.f;
	uint32_t posted = *(volatile uint32_t *)&be.ctrl->req_posted, add = 0;
	struct vx_msg m, r = { .type = VX_MSG_RESPONSE };

	if (posted == be.seq || be.silent)
		return;
	__sync_synchronize();
	m = be.ctrl->req;
	if (act(m.id))
		return;
	be.seq = posted;
	r.id = m.id;
	r.seq = m.seq;
	/* A reset is not what a fault of SET_DEVICE_STATUS waits for: the first one is. */
	carry_out(&m, &r);
	if (f->answer == m.id && !be.fired && (m.id != VX_MSG_SET_DEVICE_STATUS || be.status)) {
		if (f->refuse)
			memset(&r.u, 0, sizeof(r.u));
		if (f->size)
			poke((uint8_t *)&r + f->at, f->bytes, f->size);
		add = f->posted;
		be.fired = true;
		be.f_at = get_u32(fdir, "state");
	}
	be.ctrl->rsp = r;
	__sync_synchronize();
	*(volatile uint32_t *)&be.ctrl->rsp_posted = posted + add;
	xenevtchn_notify(ec, be.local);
	if (m.id == VX_MSG_SET_DEVICE_STATUS && be.status & 4)
		act(AT_RUNNING);
}

/* ---- requests ---- */

#define MAX_SEGS 64

/* In one part of the pool?  Else we have written over it ourselves. */
static bool in_pool(uint64_t addr, uint64_t len)
{
	uint64_t at = addr - VX_POOL_BASE, rw = (uint64_t)be.pages * VX_PAGE_SIZE, all = rw + (uint64_t)be.ro_pages * VX_PAGE_SIZE;

	return at < all && len <= (at < rw ? rw : all) - at;
}

static bool add_seg(struct seg *segs, unsigned int *n, uint64_t addr, uint32_t len, bool write)
{
	if (*n == MAX_SEGS || !in_pool(addr, len) || (write && addr - VX_POOL_BASE >= (uint64_t)be.pages * VX_PAGE_SIZE))
		return false;
	segs[(*n)++] = (struct seg){ pool_at(addr), len, write };
	return true;
}

/* 0: it is none. */
static unsigned int chain(const struct queue *q, uint16_t head, struct seg *segs)
{
	const struct desc *table = q->desc;
	uint32_t limit = q->size, i = head;
	unsigned int n = 0;

	if (table[i].flags & 4) {
		struct desc d = table[i];

		if (!in_pool(d.addr, d.len))
			return 0;
		limit = d.len / sizeof(*table);
		table = pool_at(d.addr);
		i = 0;
	}
	while (i < limit) {
		struct desc d = table[i];

		if (!add_seg(segs, &n, d.addr, d.len, d.flags & 2))
			return 0;
		if (!(d.flags & 1))
			break;
		i = d.next;
	}
	return n;
}

/* Of a packed ring: *@used descriptors of it, and the id of the last. */
static unsigned int packed_chain(const struct queue *q, struct seg *segs, uint32_t *used, uint16_t *id)
{
	unsigned int n = 0;
	uint32_t i = q->next;

	for (*used = 1; ; ++*used) {
		struct packed_desc d = q->packed[i];

		*id = d.id;
		if (d.flags & 4 && in_pool(d.addr, d.len)) {
			const struct packed_desc *table = pool_at(d.addr);

			for (uint32_t k = 0; k < d.len / sizeof(*table); k++) {
				struct packed_desc t = table[k];

				if (!add_seg(segs, &n, t.addr, t.len, t.flags & 2))
					return 0;
			}
			return n;
		}
		if (!add_seg(segs, &n, d.addr, d.len, d.flags & 2))
			return 0;
		if (!(d.flags & 1) || *used == q->size)
			return n;
		i = (i + 1) % q->size;
	}
}

static void push_used(struct queue *q, uint32_t id, uint32_t len)
{
	volatile uint32_t *elem = (volatile uint32_t *)(q->used + 2) + 2 * (q->done % q->size);
	uint16_t idx = (uint16_t)(q->done + 1);
	enum ring ring = be.fired ? RING_RIGHT : be.f->ring;

	if (ring != RING_RIGHT) {
		be.fired = true;
		be.f_at = 4;
	}
	elem[0] = ring == RING_ID_SIZE ? q->size : ring == RING_ID_MAX ? 0xffffffff :
		  ring == RING_ID_FREE ? (id + 1) % q->size : id;
	elem[1] = ring == RING_LEN ? 0xffffffff : ring == RING_LEN_0 ? 0 : len;
	q->done = idx;
	if (ring == RING_TWICE) {
		elem = (volatile uint32_t *)(q->used + 2) + 2 * (idx % q->size);
		elem[0] = id;
		elem[1] = len;
		idx++;
	}
	__sync_synchronize();
	q->used[1] = ring == RING_IDX_FAR ? (uint16_t)(idx + q->size + 3) :
		       ring == RING_IDX_BACK ? (uint16_t)(idx - 2) : ring == RING_IDX_MAX ? 0xffff : idx;
	xenevtchn_notify(ec, q->local);
}

/* Of a buffer that waits to be filled nothing is known yet. */
static bool may_serve(const struct queue *q)
{
	return q->up && be.status & 4 && !be.silent && !be.stuck && (!kind->ready || kind->ready(q->index));
}

static bool packed_available(const struct queue *q)
{
	uint16_t flags = q->packed[q->next].flags;

	return !!(flags & 1 << 7) == q->wrap && !!(flags & 1 << 15) != q->wrap;
}

static void serve_packed(struct queue *q)
{
	struct seg segs[MAX_SEGS];

	/* The device event area is zero: every request is an event. */
	while (may_serve(q) && packed_available(q)) {
		struct packed_desc *first = &q->packed[q->next];
		uint32_t used;
		uint16_t id;
		unsigned int n;

		if (act(AT_IO)) {
			be.stuck = true;
			return;
		}
		n = packed_chain(q, segs, &used, &id);
		first->id = id;
		first->len = n ? kind->serve(q->index, segs, n) : 0;
		__sync_synchronize();
		first->flags = q->wrap ? 0x8080 : 0;
		q->next += used;
		if (q->next >= q->size) {
			q->next -= q->size;
			q->wrap = !q->wrap;
		}
		xenevtchn_notify(ec, q->local);
	}
}

static void serve_queue(struct queue *q)
{
	struct seg segs[MAX_SEGS];

	if (q->packed) {
		serve_packed(q);
		return;
	}
	while (may_serve(q)) {
		uint16_t head;
		unsigned int n;
		uint32_t len;

		/* avail_event, behind the used ring: every request is an event. */
		q->used[2 + 4 * q->size] = q->seen;
		__sync_synchronize();
		if (q->seen == q->avail[1])
			return;
		head = q->avail[2 + q->seen % q->size];
		q->seen++;
		if (head >= q->size) {
			if (be.f->act != RANDOM)
				die("available ring: %u", head);
			be.stuck = true;	/* by ourselves */
			return;
		}
		if (be.f->act == SCRIBBLE_DESC && !be.fired) {
			n = chain(q, head, segs);
			/* The chain goes on where it did not, and ends there. */
			scribble(q->desc, sizeof(*q->desc) * q->size);
			for (unsigned int i = 0; i < q->size; i++)
				q->desc[i].flags = i == head;
			be.fired = true;
			be.f_at = 4;
		} else if (act(AT_IO)) {
			/* What is in the rings is nothing to go by any more. */
			be.stuck = true;
			return;
		} else {
			n = chain(q, head, segs);
		}
		len = n ? kind->serve(q->index, segs, n) : 0;
		push_used(q, head, len);
	}
}

/* ---- one device ---- */

static void step(void)
{
	evtchn_port_t port;

	if (next_event(10, &port)) {
		for (int i = 0; i < 100 && next_event(0, &port); i++)
			;
	}
	if (!be.ctrl) {
		if (be.state == 2 && get_u32(fdir, "state") == 3 && !be.fired)
			connect_driver();
		return;
	}
	serve_message();
	if (be.f->act == RANDOM && be.fired && be.state == 4)
		random_bytes();
	/* So that the driver looks once more at a queue that it found broken. */
	if (be.f->ring != RING_RIGHT && be.fired && !be.silent && kind->bit != BLOCK)
		notify_queues();
	for (unsigned int i = 0; i < kind->queues; i++)
		serve_queue(&be.q[i]);
	if (be.close_at && now_ms() > be.close_at && be.state == 5) {
		be.silent = true;
		set_state(6);
	}
}

/* The driver's state is at @outcome: 1; it cannot come there any more: -1. */
static int arrived(uint32_t f, uint64_t since)
{
	bool settled = now_ms() - since >= (be.f->act == RANDOM ? random_seconds * 1000 : SETTLE_MS);

	switch (be.f->outcome) {
	case CLOSES:
		return f == 6;
	case ANEW:
		return f == 6 ? -1 : settled && (f == 1 || f == 3);
	case HELD:
		return f == 3 || f == 4 || f == 6 ? (be.state == 2 && f == 4 ? 0 : -1) : settled && f == 1;
	case WAITS:
		return f == be.f_at ? settled : -1;
	case LIVES:
		return f >= 5 ? -1 : f == 4 && settled;
	case GOES:
		return settled;
	default:
		return (f == 4 || f == 6) && settled;
	}
}

static const char *watch_driver(void)
{
	uint64_t begin = now_ms(), since = 0;
	uint32_t f = 0;
	int ret = 0;

	while (!ret && now_ms() - begin < LIMIT_MS + random_seconds * 1000) {
		step();
		if (!be.fired && be.f->ring == RING_RIGHT && be.f->act == NOTHING && !be.f->answer && be.ctrl)
			be.fired = true;	/* "none" */
		if (be.fired && !since)
			since = now_ms();
		f = get_u32(fdir, "state");
		if (be.fired)
			ret = arrived(f, since);
	}
	if (!be.fired)
		return wrong("the fault was not reached: the driver's state is %u, ours %u", f, be.state);
	if (be.bad)
		return wrong("%s", be.bad);
	if (ret <= 0 && be.f->act == RANDOM)
		return wrong("seed %u: the driver's state is %u, ours %u", seed, f, be.state);
	return ret > 0 ? NULL : wrong("the driver's state is %u, ours %u", f, be.state);
}

/* A driver that has not closed does: when it is asked to, or else when its backend is gone. */
static const char *close_driver(void)
{
	uint64_t begin = now_ms();
	uint32_t f = get_u32(fdir, "state");
	const char *bad = NULL;

	if ((f == 3 || f == 4) && be.state != GONE) {
		be.silent = be.silent || be.stuck;
		/* One that waits for an answer, or a request, gets none of them while we close. */
		set_state(be.silent && f == 4 ? 6 : 5);
		while ((f = get_u32(fdir, "state")) != 6 && now_ms() - begin < LIMIT_MS)
			step();
		if (f != 6)
			bad = wrong("asked to close, the driver's state stays %u", f);
	}
	if (be.state != GONE)
		set_state(6);
	unmap_all();
	remove_nodes();
	return bad;
}

static const char *run_fault(const void *fault, unsigned int *id)
{
	const char *bad, *bad_end;

	memset(&be, 0, sizeof(be));
	be.f = fault;
	*id = devid;
	if (!kind_begin())
		die("no memory");
	kind_short_name = be.f->short_name;
	make_nodes();
	if (serve_only) {
		while (!stop)
			step();
		bad = NULL;
	} else {
		bad = watch_driver();
	}
	if (bad)
		bad = strdup(bad);
	bad_end = close_driver();
	devid++;
	return bad ? bad : bad_end;
}

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static void begin(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	if (!domid)
		die("--domain is missing");
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	open_xen();
	gt = xengnttab_open(NULL, 0);
	if (!gt)
		die("/dev/xen/gntdev: %s", strerror(errno));
}

static bool option(const char *name, const char *value)
{
	if (!strcmp(name, "--domain"))
		domid = number(value);
	else if (!strcmp(name, "--devid"))
		devid = number(value);
	else if (!strcmp(name, "--seed"))
		seed = number(value);	/* hostile.h */
	else if (!strcmp(name, "--random-seconds"))
		random_seconds = number(value);
	else if (!strcmp(name, "--kind"))
		kind = kind_of(value);
	else if (!strcmp(name, "--serve"))
		serve_only = !strcmp(value, "yes");
	else
		return false;
	return kind;
}

static bool fits(const void *fault)
{
	unsigned int kinds = ((const struct fault *)fault)->kinds;

	return (kinds ? kinds : BLOCK) & kind->bit;
}

int main(int argc, char **argv)
{
	static const struct program p = {
		.name = "vx-backend", .options = "--domain N [--kind block|net|console|ports|rng|9p] [--devid FIRST] [--serve yes] [--seed N] [--random-seconds N]",
		.table = faults, .count = sizeof(faults) / sizeof(faults[0]), .size = sizeof(faults[0]),
		.fits = fits, .option = option, .begin = begin, .run = run_fault,
	};

	kind = kind_of("block");
	return hostile_main(argc, argv, &p);
}

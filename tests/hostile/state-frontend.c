// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A stubdomain that speaks docs/state-disk.md wrongly in one thing.
 *
 * In the ramdisk it is /init: as pid 1 it leaves a child behind and becomes /init.honest,
 * which is stubdom-init.  The child waits for dom0's words and tries one fault after the other:
 *	data/lab/fault	dom0: "NUMBER NAME"
 *	data/lab/go	dom0: "NUMBER", to a fault that holds
 *	data/lab/answer	"NUMBER holding", and at its end "NUMBER WHAT"
 * WHAT is dom0's own result without the tag, or what became of the fault.  Outside of a
 * stubdomain: state-frontend --list.
 *
 * The frontend's faults ask for a disk of their own, while the kernel's blkfront is kept from
 * new devices.  Those of the writer disturb stubdom-init's in the middle of libxl's save.
 *
 * A fault of a restore is named on the kernel's command line, "labrestore=NAME", and is tried before
 * stubdom-init comes, which it does after "restore-early" only.  In all others the frontend is this
 * one: they need "initcall_blacklist=xlblk_init", too.
 */
/* First: it says which of Xen's headers are meant. */
#include "blkif_abi.h"

#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/sha256_sum.h"
#include "state/header.h"
#include "state_disk.h"

#define LAB "data/lab"
#define AUTOPROBE "/sys/bus/xen/drivers_autoprobe"

#define LIMIT_MS 20000		/* what dom0 does at once */
#define RESULT_MS 100000	/* more than all of dom0's limits for one step */
#define HOLD_MS 200000
#define ASKS_MS 20000
#define REWRITES_MS 1500
#define ENDS_MS 10000		/* libxl gives a restore 30 s, boot included */
#define FLOOD_MS 900000		/* whatever dom0 does meanwhile */
#define CONSOLES 3		/* log, state, restored state */

#define PAGES 6u
#define HEADER 0u		/* its page */
#define STATE 1u
#define STATE_PAGES 5u
#define STATE_LEN (STATE_PAGES * BLKIF_PAGE - 200)
#define STATE_SECTOR (STATE_DISK_BLOCK / STATE_DISK_SECTOR)
#define NO_ANSWER (-100)
#define NO_REF 0xfffffff0u

/* How far the transfer is when it happens. */
enum stage {
	NEVER,
	ATTACHED,		/* the backend's state is 2 */
	CONNECTED,		/* 4 */
	WRITTEN,		/* all but "done" */
	DONE,
};

enum act {
	RIGHT,
	SILENT,			/* nothing more comes */
	NODE,			/* a node of the frontend is another, or missing */
	INDICES,
	CLOSES,
	VANISHES,		/* the frontend's directory is removed */
	REQUESTS,		/* malformed ones, then all is right */
	NO_HEADER,
	PATCH,			/* a field of the header; its check is right, unless it is the field */
	NO_QEVM,
	OTHER_STATE,		/* after its sum was made */
	REWRITES,		/* on and on after "done" */
	HOLDS,			/* until dom0 says that it may go on */
	DIES,
	ASKS,			/* on and on */
	SAVES,			/* asks for a disk to save to as well */
	EARLY,			/* says that it has what it has not read */
	FLOODS,			/* its consoles, until dom0 says that it may end */
	CHILD,			/* of stubdom-init's gets a signal; one that is stopped goes on after "go" */
	WRITER,			/* stubdom-init's is stopped when QEMU writes; then after "go": */
};

/* What becomes of the writer. */
enum writer { GOES_ON, STALLS, KILLED, JUNK_HEADER };

struct fault {
	const char *name, *what;
	enum act act;
	enum stage stage;
	const char *node, *value;	/* NULL: without it */
	uint16_t at;			/* in the header */
	uint8_t size;
	uint64_t bytes;
	enum writer writer;
	bool hijack;			/* the disk that stubdom-init asked for */
	bool restore;
	const char *child;		/* the end of its argv[0] */
	int signal;
};

#define HELD(n, stage_) { .name = "hold-" n, .what = "waits when it is " n, .act = HOLDS, .stage = stage_ }
#define DEAD(n, stage_) { .name = "dies-" n, .what = "powers off when it is " n, .act = DIES, .stage = stage_ }
#define NODE_IS(n, node_, value_, text) \
	{ .name = "node-" n, .what = node_ ": " text, .act = NODE, .node = node_, .value = value_ }
#define FIELD(n, field, size_, value_) \
	{ .name = "header-" n, .what = #field " is " #value_, .act = PATCH, \
	  .at = offsetof(struct state_disk_header, field), .size = size_, .bytes = value_ }
#define RESTORE(n, text, ...) { .name = "restore-" n, .what = text, .restore = true, __VA_ARGS__ }
#define OF_WRITER(n, text, writer_) \
	{ .name = "writer-" n, .what = text, .act = WRITER, .writer = writer_ }

#define CHILD_GETS(n, what_, child_, signal_) \
	{ .name = n, .what = what_, .act = CHILD, .child = child_, .signal = signal_ }

static const struct fault faults[] = {
	{ .name = "none", .what = "a right frontend" },
	{ .name = "no-frontend", .what = "never connects", .act = SILENT, .stage = ATTACHED },
	NODE_IS("ref-none", "ring-ref", NULL, "missing"),
	NODE_IS("ref-text", "ring-ref", "8x", "no number"),
	NODE_IS("ref-2to32", "ring-ref", "4294967296", "more than 32 bits"),
	NODE_IS("ref-bad", "ring-ref", "4294967280", "no grant"),
	NODE_IS("port-none", "event-channel", NULL, "missing"),
	NODE_IS("port-minus", "event-channel", "-1", "with a sign"),
	NODE_IS("port-bad", "event-channel", "3000", "a port that is not open"),
	NODE_IS("protocol", "protocol", "x86_32-abi", "another layout"),
	{ .name = "indices", .what = "more requests than the ring has", .act = INDICES, .stage = CONNECTED },
	{ .name = "closes", .what = "closes its disk before it is done", .act = CLOSES, .stage = CONNECTED },
	{ .name = "vanishes", .what = "removes its directory", .act = VANISHES, .stage = CONNECTED },
	{ .name = "requests", .what = "malformed requests, then a right state", .act = REQUESTS, .stage = CONNECTED },
	{ .name = "header-none", .what = "no header", .act = NO_HEADER },
	FIELD("magic", magic, 1, 'Y'),
	FIELD("version", version, 4, 2),
	FIELD("size", size, 4, 257),
	FIELD("check", check, 4, 0),
	FIELD("end", end, 1, 'Y'),
	FIELD("length-0", length, 8, 0),
	FIELD("length-2to63", length, 8, 1ull << 63),
	FIELD("length-less", length, 8, STATE_LEN - 1),
	FIELD("qemu", qemu, 1, ' '),
	FIELD("machine", machine[31], 1, 'x'),
	FIELD("reserved", reserved[79], 1, 1),
	FIELD("sha256", sha256, 4, 0),
	{ .name = "no-qevm", .what = "no state of QEMU", .act = NO_QEVM },
	{ .name = "other-state", .what = "another state than the sum's", .act = OTHER_STATE },
	{ .name = "rewrites", .what = "goes on writing after done", .act = REWRITES, .stage = DONE },
	{ .name = "asks", .what = "asks in a loop", .act = ASKS },
	{ .name = "floods", .what = "writes to all of its consoles without end", .act = FLOODS },
	HELD("attached", ATTACHED), HELD("connected", CONNECTED), HELD("written", WRITTEN),
	DEAD("attached", ATTACHED), DEAD("connected", CONNECTED), DEAD("done", DONE),
	CHILD_GETS("qemu-killed", "QEMU is killed", "qemu-stubdom", SIGKILL),
	CHILD_GETS("qemu-stopped", "QEMU is stopped", "qemu-stubdom", SIGSTOP),
	CHILD_GETS("broker-killed", "the QMP broker is killed", "qmp-broker", SIGKILL),
	CHILD_GETS("broker-stopped", "the QMP broker is stopped", "qmp-broker", SIGSTOP),
	{ .name = "hijack", .what = "takes stubdom-init's disk, with a bad header", .act = PATCH, .size = 1, .bytes = 'Y',
	  .hijack = true },
	OF_WRITER("goes-on", "the writer was stopped for a while", GOES_ON),
	OF_WRITER("stalls", "the writer stops", STALLS),
	OF_WRITER("killed", "the writer is killed", KILLED),
	OF_WRITER("junk-header", "somebody else writes a header, and says done", JUNK_HEADER),
	RESTORE("none", "a right frontend"),
	RESTORE("silent", "never connects", .act = SILENT, .stage = ATTACHED),
	RESTORE("ref-bad", "ring-ref: no grant", .act = NODE, .node = "ring-ref", .value = "4294967280"),
	RESTORE("protocol", "protocol: another layout", .act = NODE, .node = "protocol", .value = "x86_32-abi"),
	RESTORE("indices", "more requests than the ring has", .act = INDICES, .stage = CONNECTED),
	RESTORE("requests", "writes, and reads beyond the end, then all is right", .act = REQUESTS, .stage = CONNECTED),
	RESTORE("closes-first", "closes its disk before it connects", .act = CLOSES, .stage = ATTACHED),
	RESTORE("closes", "closes its disk before it has read it", .act = CLOSES, .stage = CONNECTED),
	RESTORE("vanishes", "removes its directory", .act = VANISHES, .stage = CONNECTED),
	RESTORE("saves", "wants to restore and to save meanwhile", .act = SAVES, .stage = CONNECTED),
	RESTORE("early", "says twice that it has the state, before stubdom-init reads it", .act = EARLY),
};

static struct {
	const struct fault *f;
	uint32_t number;		/* dom0's, of this fault */
	char tag[STATE_DISK_TAG_LEN + 1], dir[64], *back;
	blkif_front_ring_t ring;
	uint8_t *data;
	uint32_t ring_ref, refs[PAGES];
	evtchn_port_t port;
} fe;

static xengntshr_handle *gs;

/* ---- words ---- */

/* The node's text, or NULL; to be freed. */
static char *get(const char *dir, const char *node)
{
	char path[160];
	unsigned int len;

	snprintf(path, sizeof(path), "%s%s%s", dir, *dir ? "/" : "", node);
	return xs_read(xs, XBT_NULL, path, &len);
}

static void nap(unsigned int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

static void answer(uint32_t number, const char *what)
{
	char text[512];

	snprintf(text, sizeof(text), "%u %s", number, what);
	put(XBT_NULL, LAB, "answer", text);
}

static void hold_for(uint64_t ms)
{
	uint64_t end = now_ms() + ms;

	answer(fe.number, "holding");
	while (get_u32(LAB, "go") != fe.number) {
		if (now_ms() > end)
			die("dom0 does not let it go on");
		nap(20);
	}
}

static void hold(void)
{
	hold_for(HOLD_MS);
}

/* Node @node without our tag at its beginning; NULL: not ours, not there. */
static char *for_us(const char *node)
{
	char *text = get("", node);
	size_t n = strlen(fe.tag);

	if (text && !strncmp(text, fe.tag, n) && text[n] == ' ') {
		memmove(text, text + n + 1, strlen(text + n));
		return text;
	}
	free(text);
	return NULL;
}

/* dom0's result. */
static const char *await_result(void)
{
	uint64_t end = now_ms() + RESULT_MS;
	char *text;

	while (!(text = for_us(STATE_DISK_RESULT))) {
		if (now_ms() > end)
			return "no result";
		nap(5);
	}
	return text;
}

static void blkfront_probes(bool on)
{
	int fd = open(AUTOPROBE, O_WRONLY);

	if (fd < 0 || write(fd, on ? "1" : "0", 1) != 1)
		die(AUTOPROBE ": %s", strerror(errno));
	close(fd);
}

static void new_tag(void)
{
	uint8_t raw[STATE_DISK_TAG_LEN / 2];

	if (getrandom(raw, sizeof(raw), 0) != sizeof(raw))
		die("no random numbers");
	for (unsigned int i = 0; i < sizeof(raw); i++)
		snprintf(fe.tag + 2 * i, 3, "%02x", raw[i]);
}

static void want(void)
{
	char text[STATE_DISK_TAG_LEN + 8];

	new_tag();
	snprintf(text, sizeof(text), "save %s", fe.tag);
	if (!xs_write(xs, XBT_NULL, STATE_DISK_WANT, text, (unsigned int)strlen(text)))
		die(STATE_DISK_WANT ": %s", strerror(errno));
}

static void unwant(void)
{
	xs_rm(xs, XBT_NULL, STATE_DISK_WANT);
	xs_rm(xs, XBT_NULL, STATE_DISK_DONE);
}

/* What stubdom-init wants: its tag is ours. */
static void share_want(void)
{
	uint64_t end = now_ms() + HOLD_MS;
	char *text = NULL;

	while (!text || strncmp(text, "save ", 5) || strlen(text + 5) != STATE_DISK_TAG_LEN) {
		if (now_ms() > end)
			die("stubdom-init does not ask for a disk");
		free(text);
		nap(5);
		text = get("", STATE_DISK_WANT);
	}
	strcpy(fe.tag, text + 5);
	free(text);
}

/* ---- the device ---- */

static bool backend_is(unsigned int bits, unsigned int ms)
{
	uint64_t end = now_ms() + ms;

	do {
		uint32_t state = get_u32(fe.back, "state");

		if (state < 32 && bits & 1u << state)
			return true;
		nap(5);
	} while (now_ms() < end);
	return false;
}

/* Number @devid: dom0 has made it. */
static bool is_there(const char *devid)
{
	snprintf(fe.dir, sizeof(fe.dir), "device/vbd/%u", (unsigned int)strtoul(devid, NULL, 10));
	fe.back = get(fe.dir, "backend");
	return fe.back && backend_is(1u << 2, LIMIT_MS);
}

static bool find_device(void)
{
	uint64_t end = now_ms() + LIMIT_MS;
	char *disk, *result = NULL;
	bool found;

	while (!(disk = for_us(STATE_DISK_DISK)) && !(result = for_us(STATE_DISK_RESULT)) && now_ms() < end)
		nap(5);
	free(result);
	if (!disk)
		return false;
	found = is_there(disk);
	free(disk);
	return found;
}

static void *share(uint32_t n, uint32_t *refs)
{
	void *at = xengntshr_share_pages(gs, 0, (int)n, refs, true);

	if (!at)
		die("/dev/xen/gntalloc: %s", strerror(errno));
	memset(at, 0, n * (size_t)BLKIF_PAGE);
	return at;
}

static void make_ring(void)
{
	blkif_sring_t *page = share(1, &fe.ring_ref);
	xenevtchn_port_or_error_t port = xenevtchn_bind_unbound_port(ec, 0);

	if (port < 0)
		die("no event channel: %s", strerror(errno));
	fe.port = (evtchn_port_t)port;
	fe.data = share(PAGES, fe.refs);
	SHARED_RING_INIT(page);
	FRONT_RING_INIT(&fe.ring, page, BLKIF_PAGE);
}

static void put_node(const char *node, const char *value)
{
	if (fe.f->act == NODE && !strcmp(fe.f->node, node))
		value = fe.f->value;
	if (value)
		put(XBT_NULL, fe.dir, node, value);
}

static bool connects(void)
{
	char ref[16], port[16], *there = get(fe.dir, "backend");

	/* Removed meanwhile: what is written there now would stay. */
	free(there);
	if (!there)
		return false;
	make_ring();
	snprintf(ref, sizeof(ref), "%u", fe.ring_ref);
	snprintf(port, sizeof(port), "%u", fe.port);
	put_node("ring-ref", ref);
	put_node("event-channel", port);
	put_node("protocol", STATE_DISK_ABI);
	put(XBT_NULL, fe.dir, "state", "3");
	if (!backend_is(1u << 4 | 1u << 5 | 1u << 6, LIMIT_MS) || get_u32(fe.back, "state") != 4)
		return false;
	put(XBT_NULL, fe.dir, "state", "4");
	return true;
}

/* Until dom0 has removed it. */
static void close_device(void)
{
	uint64_t end = now_ms() + LIMIT_MS;
	char *there;

	if (!*fe.dir)
		return;
	there = get(fe.dir, "backend");
	if (there && fe.f->act != VANISHES)
		put(XBT_NULL, fe.dir, "state", "6");
	free(there);
	while ((there = get(fe.dir, "backend")) && now_ms() < end) {
		free(there);
		nap(20);
	}
	free(there);
}

/* ---- requests ---- */

static int ask(const struct blkif_request *what)
{
	uint64_t end = now_ms() + LIMIT_MS;
	struct blkif_request req = *what;
	evtchn_port_t port;
	int notify, status;

	req.id = 77;
	memcpy(RING_GET_REQUEST(&fe.ring, fe.ring.req_prod_pvt), &req, sizeof(req));
	fe.ring.req_prod_pvt++;
	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&fe.ring, notify);
	if (notify)
		xenevtchn_notify(ec, fe.port);
	while (*(volatile RING_IDX *)&fe.ring.sring->rsp_prod == fe.ring.rsp_cons) {
		if (now_ms() > end)
			return NO_ANSWER;
		next_event(10, &port);
	}
	xen_rmb();
	status = RING_GET_RESPONSE(&fe.ring, fe.ring.rsp_cons)->status;
	fe.ring.rsp_cons++;
	return status;
}

/* The sectors of @bytes between our pages, from @page on, and @sector. */
static int move(uint8_t op, unsigned int page, uint32_t bytes, uint64_t sector)
{
	struct blkif_request req = { .operation = op, .sector_number = sector };

	for (uint32_t at = 0; at < bytes; at += BLKIF_PAGE) {
		uint32_t part = bytes - at < BLKIF_PAGE ? bytes - at : BLKIF_PAGE;

		req.seg[req.nr_segments++] = (struct blkif_request_segment){
			.gref = fe.refs[page++], .last_sect = (uint8_t)((part - 1) / BLKIF_SECTOR),
		};
	}
	return ask(&req);
}

static int flush(void)
{
	const struct blkif_request req = { .operation = BLKIF_OP_FLUSH_DISKCACHE };

	return ask(&req);
}

static int ask_indirect(uint16_t n, uint32_t table)
{
	struct blkif_request_indirect ind = {
		.operation = BLKIF_OP_INDIRECT, .indirect_op = BLKIF_OP_WRITE, .nr_segments = n, .sector_number = STATE_SECTOR,
	};
	struct blkif_request req = { 0 };

	ind.indirect_grefs[0] = table;
	memcpy(&req, &ind, sizeof(ind));
	return ask(&req);
}

struct bad_request {
	const char *what;
	uint8_t op, n, first, last;
	uint64_t sector;
	uint32_t ref;		/* 0: our first page's */
	int status;		/* the answer */
};

/* NULL, or the first that is not refused. */
static const char *refused(const struct bad_request *all, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct blkif_request req = { .operation = all[i].op, .nr_segments = all[i].n, .sector_number = all[i].sector };
		int status;

		req.seg[0] = (struct blkif_request_segment){
			.gref = all[i].ref ? all[i].ref : fe.refs[0], .first_sect = all[i].first, .last_sect = all[i].last,
		};
		status = ask(&req);
		if (status != all[i].status)
			return wrong("%s: the answer is %d, not %d", all[i].what, status, all[i].status);
	}
	return NULL;
}

/* Each is refused, and the disk goes on. */
static const char *bad_requests(void)
{
	static const struct bad_request all[] = {
		{ "behind the disk", BLKIF_OP_WRITE, 1, 0, 7, 1ull << 40, 0, BLKIF_RSP_ERROR },
		{ "around 2^64", BLKIF_OP_WRITE, 1, 0, 7, ~0ull, 0, BLKIF_RSP_ERROR },
		{ "no segments", BLKIF_OP_WRITE, 0, 0, 7, 0, 0, BLKIF_RSP_ERROR },
		{ "12 segments", BLKIF_OP_READ, 12, 0, 7, 0, 0, BLKIF_RSP_ERROR },
		{ "from behind its end", BLKIF_OP_WRITE, 1, 5, 4, 0, 0, BLKIF_RSP_ERROR },
		{ "out of its page", BLKIF_OP_WRITE, 1, 0, 8, 0, 0, BLKIF_RSP_ERROR },
		{ "no grant", BLKIF_OP_WRITE, 1, 0, 7, 0, NO_REF, BLKIF_RSP_ERROR },
		{ "a flush with segments", BLKIF_OP_FLUSH_DISKCACHE, 1, 0, 7, 0, 0, BLKIF_RSP_ERROR },
		{ "a barrier", BLKIF_OP_WRITE_BARRIER, 1, 0, 7, 0, 0, BLKIF_RSP_EOPNOTSUPP },
		{ "a discard", BLKIF_OP_DISCARD, 0, 0, 0, 0, 0, BLKIF_RSP_EOPNOTSUPP },
		{ "operation 99", 99, 1, 0, 7, 0, 0, BLKIF_RSP_EOPNOTSUPP },
	};
	const char *bad = refused(all, sizeof(all) / sizeof(all[0]));

	if (bad)
		return bad;
	if (ask_indirect(0, fe.refs[0]) != BLKIF_RSP_ERROR || ask_indirect(65, fe.refs[0]) != BLKIF_RSP_ERROR ||
	    ask_indirect(65535, fe.refs[0]) != BLKIF_RSP_ERROR || ask_indirect(1, NO_REF) != BLKIF_RSP_ERROR)
		return wrong("an indirect request was not refused");
	return NULL;
}

/* Of a disk to restore from, which is as long as its state. */
static const char *bad_reads(void)
{
	const uint64_t end = get_u32(fe.back, "sectors");
	const struct bad_request all[] = {
		{ "a write to the header", BLKIF_OP_WRITE, 1, 0, 0, 0, 0, BLKIF_RSP_ERROR },
		{ "a write to the state", BLKIF_OP_WRITE, 1, 0, 0, STATE_SECTOR, 0, BLKIF_RSP_ERROR },
		{ "a read behind the end", BLKIF_OP_READ, 1, 0, 0, end, 0, BLKIF_RSP_ERROR },
		{ "a read over the end", BLKIF_OP_READ, 1, 0, 1, end - 1, 0, BLKIF_RSP_ERROR },
		{ "a read around 2^64", BLKIF_OP_READ, 1, 0, 7, ~0ull, 0, BLKIF_RSP_ERROR },
		{ "a read of the last sector", BLKIF_OP_READ, 1, 0, 0, end - 1, 0, BLKIF_RSP_OKAY },
	};
	const char *bad = refused(all, sizeof(all) / sizeof(all[0]));

	return bad || ask_indirect(1, fe.refs[0]) == BLKIF_RSP_ERROR ? bad : wrong("an indirect write was not refused");
}

/* ---- the state ---- */

static void make_header(struct state_disk_header *h)
{
	struct state_info info = { .length = STATE_LEN, .qemu = "10.0.13", .machine = "xenfv" };
	const struct fault *f = fe.f;

	sha256_sum_of(fe.data + STATE * BLKIF_PAGE, STATE_LEN, info.sha256);
	state_header_make(&info, h);
	if (f->act != PATCH)
		return;
	poke((uint8_t *)h + f->at, f->bytes, f->size);
	if (f->at < offsetof(struct state_disk_header, check))
		sha256_sum_of(h, offsetof(struct state_disk_header, check), h->check);
}

static const char *write_state(void)
{
	uint8_t *state = fe.data + STATE * BLKIF_PAGE;

	for (unsigned int i = 0; i < STATE_LEN; i++)
		state[i] = (uint8_t)(i * 7 + i / 256);
	memcpy(state, fe.f->act == NO_QEVM ? "QUEM" : STATE_DISK_QEVM, 4);
	make_header((struct state_disk_header *)(fe.data + HEADER * BLKIF_PAGE));
	if (fe.f->act == OTHER_STATE)
		state[STATE_LEN / 2] ^= 1;
	if (move(BLKIF_OP_WRITE, STATE, STATE_PAGES * BLKIF_PAGE, STATE_SECTOR) || flush())
		return wrong("the state cannot be written");
	if (fe.f->act != NO_HEADER && (move(BLKIF_OP_WRITE, HEADER, BLKIF_PAGE, 0) || flush()))
		return wrong("the header cannot be written");
	return NULL;
}

/* All of it, and is it what the header says? */
static const char *read_state(void)
{
	char why[STATE_DISK_REASON_MAX + 1];
	uint8_t found[SHA256_LEN];
	struct state_disk_header h;
	struct state_info info;
	struct sha256_sum sum;
	uint32_t part;

	if (move(BLKIF_OP_READ, HEADER, sizeof(h), 0))
		return wrong("the header cannot be read");
	memcpy(&h, fe.data + HEADER * BLKIF_PAGE, sizeof(h));
	if (state_header_check(&h, (uint64_t)STATE_DISK_LIMIT_MAX << 20, &info, why))
		return wrong("%s", why);
	sha256_sum_init(&sum);
	for (uint64_t at = 0; at < info.length; at += part) {
		part = STATE_PAGES * BLKIF_PAGE;
		if (info.length - at < part)
			part = (uint32_t)(info.length - at);
		if (move(BLKIF_OP_READ, STATE, part, STATE_SECTOR + at / STATE_DISK_SECTOR))
			return wrong("the state cannot be read");
		sha256_sum_add(&sum, fe.data + STATE * BLKIF_PAGE, part);
	}
	sha256_sum_end(&sum, found);
	return memcmp(found, info.sha256, sizeof(found)) ? wrong("it reads another state") : NULL;
}

/* Another state and another header, as long as somebody might look at them. */
static void rewrite(void)
{
	uint64_t end = now_ms() + REWRITES_MS;
	evtchn_port_t port;

	memset(fe.data, 0xee, PAGES * (size_t)BLKIF_PAGE);
	while (now_ms() < end) {
		struct blkif_request req = { .operation = BLKIF_OP_WRITE, .nr_segments = 1, .id = 1 };

		req.sector_number = fe.ring.req_prod_pvt & 1 ? STATE_SECTOR + 8 : 0;
		req.seg[0] = (struct blkif_request_segment){ .gref = fe.refs[STATE], .last_sect = 7 };
		if (fe.ring.req_prod_pvt - *(volatile RING_IDX *)&fe.ring.sring->rsp_prod < RING_SIZE(&fe.ring)) {
			memcpy(RING_GET_REQUEST(&fe.ring, fe.ring.req_prod_pvt), &req, sizeof(req));
			fe.ring.req_prod_pvt++;
		}
		RING_PUSH_REQUESTS(&fe.ring);
		xenevtchn_notify(ec, fe.port);
		next_event(1, &port);
	}
}

/* In the middle of a restore: nothing of it is served. */
static const char *wants_more(void)
{
	char text[STATE_DISK_TAG_LEN + 16];

	want();
	snprintf(text, sizeof(text), "restore %s", fe.tag);
	xs_write(xs, XBT_NULL, STATE_DISK_WANT, text, (unsigned int)strlen(text));
	nap(500);
	want();
	nap(500);
	return get("", STATE_DISK_DISK) ? wrong("a second disk") : NULL;
}

/* ---- the frontend's faults ---- */

/* True: nothing more is to be done than to wait for dom0's result. */
static bool happens(enum stage stage, const char **bad)
{
	if (fe.f->stage != stage)
		return false;
	switch (fe.f->act) {
	case SILENT:
		return true;
	case INDICES:
		fe.ring.sring->req_prod = 1000;
		xenevtchn_notify(ec, fe.port);
		return true;
	case CLOSES:
		put(XBT_NULL, fe.dir, "state", "5");
		return true;
	case VANISHES:
		xs_rm(xs, XBT_NULL, fe.dir);
		return true;
	case REQUESTS:
		*bad = fe.f->restore ? bad_reads() : bad_requests();
		return *bad;
	case SAVES:
		*bad = wants_more();
		return *bad;
	case HOLDS:
		hold();
		return for_us(STATE_DISK_RESULT);
	case DIES:
		reboot(RB_POWER_OFF);
		return true;
	default:
		return false;
	}
}

static const char *transfer(void)
{
	const char *bad = NULL;

	if (!find_device() || happens(ATTACHED, &bad))
		return bad;
	if (!connects() || happens(CONNECTED, &bad))
		return bad;
	bad = write_state();
	if (bad || happens(WRITTEN, &bad))
		return bad;
	xs_write(xs, XBT_NULL, STATE_DISK_DONE, fe.tag, STATE_DISK_TAG_LEN);
	happens(DONE, &bad);
	if (fe.f->act == REWRITES)
		rewrite();
	return bad;
}

static const char *frontend(void)
{
	const char *bad, *result;

	gs = xengntshr_open(NULL, 0);
	if (!gs)
		die("/dev/xen/gntalloc: %s", strerror(errno));
	blkfront_probes(false);
	if (fe.f->hijack)
		share_want();
	else
		want();
	bad = transfer();
	result = bad ? bad : await_result();
	close_device();
	if (!fe.f->hijack)
		unwant();
	blkfront_probes(true);
	return result;
}

/* dom0's word about the restore, to be freed. */
static char *dom0_says(void)
{
	uint64_t end = now_ms() + ENDS_MS;
	char *word;

	while ((word = get("", STATE_DISK_RESTORE)) && !strcmp(word, "wait") && now_ms() < end) {
		free(word);
		nap(5);
	}
	return word;
}

static void say_restored(const char *word)
{
	xs_write(xs, XBT_NULL, STATE_DISK_RESTORED, word, (unsigned int)strlen(word));
}

static const char *take(void)
{
	const char *bad = NULL;

	if (happens(ATTACHED, &bad) || !connects() || happens(CONNECTED, &bad))
		return bad;
	bad = read_state();
	if (!bad)
		say_restored("ok");
	return bad;
}

/* dom0 has had enough of the device. */
static bool dom0_ends(void)
{
	uint64_t end = now_ms() + ENDS_MS;

	while (now_ms() < end) {
		char *state = get(fe.back, "state");
		bool ends = !state || strtoul(state, NULL, 10) >= 5;

		free(state);
		if (ends)
			return true;
		nap(5);
	}
	return false;
}

/* Its end: "ok", when dom0 had nothing against it; or what it says now, as "console". */
static const char *restore(void)
{
	char *word = dom0_says();
	const char *bad;

	gs = xengntshr_open(NULL, 0);
	if (!gs)
		die("/dev/xen/gntalloc: %s", strerror(errno));
	if (!word || !is_there(word))
		return wrong("no disk: %s", word ? word : "no word");
	bad = take();
	if (bad || fe.f->act == SILENT)
		return bad ? bad : "silent";
	if (!dom0_ends())
		return wrong("dom0 does not end it");
	close_device();
	if (fe.f->act == SAVES) {
		if (!find_device())
			return wrong("no disk to save to when the restore is over");
		unwant();
		close_device();
	}
	word = dom0_says();
	return word && strspn(word, "0123456789") < strlen(word) ? word : "ok";
}

static const char *early(void)
{
	say_restored("ok");
	say_restored("no");
	return "ok";
}

static const char *asks(void)
{
	uint64_t end = now_ms() + ASKS_MS;
	unsigned long n = 0;

	answer(fe.number, "holding");
	for (; now_ms() < end; n++) {
		want();
		if (n % 3 == 0)
			xs_write(xs, XBT_NULL, STATE_DISK_WANT, "save me", 7);
		xs_write(xs, XBT_NULL, STATE_DISK_DONE, fe.tag, STATE_DISK_TAG_LEN);
	}
	unwant();
	return wrong("%lu times", n);
}

static int open_console(int n)
{
	char path[32];
	struct termios raw;
	int fd;

	snprintf(path, sizeof(path), "/dev/hvc%d", n);
	fd = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || tcgetattr(fd, &raw))
		return fd;
	cfmakeraw(&raw);
	tcsetattr(fd, TCSANOW, &raw);
	return fd;
}

static const char *floods(void)
{
	uint64_t end = now_ms() + FLOOD_MS, bytes = 0;
	int fds[CONSOLES];
	char text[4096];

	memset(text, 'f', sizeof(text));
	text[sizeof(text) - 1] = '\n';
	for (int i = 0; i < CONSOLES; i++)
		fds[i] = open_console(i);
	answer(fe.number, "holding");
	while (get_u32(LAB, "go") != fe.number && now_ms() < end) {
		/* A look at xenstore takes as long as some of these. */
		for (int i = 0; i < 100 * CONSOLES; i++) {
			ssize_t n = fds[i % CONSOLES] < 0 ? -1 : write(fds[i % CONSOLES], text, sizeof(text));

			bytes += n > 0 ? (uint64_t)n : 0;
		}
		nap(1);
	}
	return wrong("%llu bytes", (unsigned long long)bytes);
}

/* ---- stubdom-init's writer ---- */

/* The number of the process that was made last. */
static pid_t last_pid(void)
{
	char text[64] = "", *p;
	int fd = open("/proc/loadavg", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	close(fd);
	p = n > 0 ? strrchr(text, ' ') : NULL;
	return p ? atoi(p) : 0;
}

/* Descriptors: QEMU's pipe is 3, the disk is 4.  Its name is left in @disk. */
static bool is_writer(pid_t pid, char *disk, size_t size)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/4", pid);
	n = readlink(path, disk, size - 1);
	if (n < 0)
		return false;
	disk[n] = '\0';
	return !strncmp(disk, "/dev/xvd", 8);
}

static int waiting_bytes(pid_t pid)
{
	char path[64];
	int fd, n = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd/3", pid);
	fd = open(path, O_RDONLY | O_NONBLOCK);
	if (fd >= 0)
		ioctl(fd, FIONREAD, &n);
	close(fd);
	return n;
}

/* Stopped before it reads what QEMU writes; so we have to come before everybody else. */
static pid_t stop_writer(char *disk, size_t size)
{
	const struct sched_param fifo = { .sched_priority = 1 };
	pid_t first = last_pid(), pid = 0;
	uint64_t end = now_ms() + HOLD_MS;

	sched_setscheduler(0, SCHED_FIFO, &fifo);
	answer(fe.number, "ready");
	while (!pid && now_ms() < end) {
		nap(1);
		for (pid_t p = last_pid(); !pid && p > first; p--)
			if (is_writer(p, disk, size))
				pid = p;
	}
	if (!pid || kill(pid, SIGSTOP))
		die("the writer was not found");
	while (!waiting_bytes(pid) && now_ms() < end)
		nap(1);
	return pid;
}

static void junk_header(const char *disk)
{
	static _Alignas(4096) uint8_t sector[STATE_DISK_SECTOR];
	int fd = open(disk, O_WRONLY | O_DIRECT);

	memset(sector, 0xee, sizeof(sector));
	if (fd < 0 || pwrite(fd, sector, sizeof(sector), 0) != sizeof(sector))
		die("%s: %s", disk, strerror(errno));
	close(fd);
	xs_write(xs, XBT_NULL, STATE_DISK_DONE, fe.tag, STATE_DISK_TAG_LEN);
}

static const char *writer(void)
{
	const char *result = "ok";
	char disk[64];
	pid_t pid = stop_writer(disk, sizeof(disk));

	share_want();
	hold();
	if (fe.f->writer == JUNK_HEADER)
		junk_header(disk);
	if (fe.f->writer == KILLED)
		kill(pid, SIGKILL);
	else if (fe.f->writer != GOES_ON)
		result = await_result();
	kill(pid, SIGCONT);
	return result;
}

/* ---- stubdom-init's children ---- */

/* The first of this name. */
static pid_t find_child(const char *end)
{
	char path[64], name[128];
	size_t len = strlen(end), n;

	for (pid_t pid = 2; pid < 10000; pid++) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
		f = fopen(path, "r");
		if (!f)
			continue;
		n = fread(name, 1, sizeof(name) - 1, f);
		fclose(f);
		name[n] = '\0';
		n = strlen(name);
		if (n >= len && !strcmp(name + n - len, end))
			return pid;
	}
	return 0;
}

static const char *child(void)
{
	pid_t pid = find_child(fe.f->child);

	if (!pid || kill(pid, fe.f->signal))
		return "it was not found";
	if (fe.f->signal == SIGSTOP) {
		hold_for(FLOOD_MS);
		kill(pid, SIGCONT);
	}
	return "ok";
}

/* ---- one after the other ---- */

static const char *try(void)
{
	switch (fe.f->act) {
	case ASKS:
		return asks();
	case FLOODS:
		return floods();
	case CHILD:
		return child();
	case WRITER:
		return writer();
	case EARLY:
		return early();
	default:
		return fe.f->restore ? restore() : frontend();
	}
}

/* A process of its own: what it had is gone with it. */
static void run(uint32_t number, const char *name)
{
	int status = 0;
	pid_t pid;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (!strcmp(faults[i].name, name))
			fe.f = &faults[i];
	fe.number = number;
	pid = fe.f ? fork() : -1;
	if (!pid) {
		open_xen();
		answer(number, try());
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
	if (pid < 0 || status)
		answer(number, pid < 0 ? "no such fault" : "it could not be tried: see the console");
	fe.f = NULL;
}

static void serve(void)
{
	uint32_t last = 0;

	/* stubdom-init mounts what is needed. */
	while (access("/dev/xen/xenbus", R_OK) || !(xs = xs_open(0)))
		nap(200);
	put(XBT_NULL, LAB, "answer", "0 ready");
	for (;;) {
		char *text = get(LAB, "fault"), *name = text ? strchr(text, ' ') : NULL;
		uint32_t number = text ? (uint32_t)strtoul(text, NULL, 10) : 0;

		if (name && number != last) {
			last = number;
			run(number, name + 1);
		}
		free(text);
		nap(100);
	}
}

/* Before stubdom-init has made anything ready. */
static void before_init(const char *name)
{
	pid_t pid = fork();

	if (!pid) {
		mkdir("/dev", 0755);
		mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
		xs = xs_open(0);
		if (!xs)
			die("xenstore: %s", strerror(errno));
		run(1, name);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	/* What is right in the end is stubdom-init's to show; all others have its place until libxl ends them. */
	while (strcmp(name, "restore-early"))
		pause();
}

int main(int argc, char **argv)
{
	if (getpid() == 1) {
		const char *restores = getenv("labrestore");

		if (restores)
			before_init(restores);
		else if (!fork())
			serve();
		execv("/init.honest", argv);
		die("/init.honest: %s", strerror(errno));
	}
	if (argc != 2 || strcmp(argv[1], "--list"))
		die("usage: state-frontend --list; or /init of a stubdomain");
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		printf("%-20s %s\n", faults[i].name, faults[i].what);
	return 0;
}

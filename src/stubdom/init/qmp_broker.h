/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server side of libxl's QMP connection to a stubdomain, in place of
 * vchan-socket-proxy: a process of its own, without rights.
 *
 * vchan has no connections: a ring that a client left still holds what it did
 * not read, and the next client would read it.  So each session gets a ring of
 * its own:
 *   LISTEN  a new ring, its ring-ref and event-channel are in xenstore
 *   OPEN    a client attached; the two nodes were removed before the first
 *           byte was sent, so no other can find this ring
 *   gone    the ring is closed and LISTEN starts over
 * libxenvchan_client_init() reads both nodes before it sets cli_live, and
 * libxl's proxy tries again on each change below the path until that works:
 * a client that comes too early waits, and never meets an old session.
 * Remains: a client may have read the nodes just before they went, after
 * another had attached and left unseen.  Hence GRACE, a short wait for it
 * before a ring without a client is thrown away.
 */
#ifndef QMP_BROKER_H
#define QMP_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <xenstore.h>

enum link_state { LINK_WAITING, LINK_OPEN, LINK_GONE };

/* The way to the client: vchan, or a socket in tests. */
struct qmp_link {
	/* A new ring that clients can find; negative errno. */
	int (*listen)(struct qmp_link *l);
	/* No other client may find it now. */
	void (*hide)(struct qmp_link *l);
	void (*close)(struct qmp_link *l);
	/* Readable when something changed; valid from listen to close. */
	int (*fd)(struct qmp_link *l);
	/* fd is readable: take note of it. */
	void (*event)(struct qmp_link *l);
	enum link_state (*state)(struct qmp_link *l);
	/* Never block; 0: nothing (or no room) now. */
	ssize_t (*read)(struct qmp_link *l, void *buf, size_t len);
	ssize_t (*write)(struct qmp_link *l, const void *buf, size_t len);
};

struct qmp_broker_opts {
	struct qmp_link *link;
	int qemu;		/* connected to QEMU's monitor */
	int ready;		/* gets a byte as soon as a client can come; or -1 */
	int alive;		/* gets one every BROKER_BEAT_MS; or -1 */
	int save_file;		/* see save.h; -1: no state can be saved */
	int save_qemu;
	int save_console;
	const char *save_pipe;	/* see state_save.h */
	const char *machine;	/* QEMU's machine type, "xenfv" */
	/* state_dev_open(), but in tests */
	int (*open_disk)(uint32_t devid, int flags, uint64_t *size);
	struct xs_handle *xs;	/* see save.h */
	bool again;		/* another broker may have saved a state before */
};

/* How often the broker shows that it is alive. */
#define BROKER_BEAT_MS	5000
/* How long QEMU may say nothing while it owes an answer; tests shorten it. */
extern int broker_save_ms;

/* Serve clients until QEMU closes.  0, or negative errno. */
int qmp_broker_run(const struct qmp_broker_opts *o);

/* Descriptors of "stubdom-init --qmp-broker GUEST first|again MACHINE". */
#define BROKER_FD_READY		3
#define BROKER_FD_SAVE_FILE	4
#define BROKER_FD_SAVE_CONSOLE	5
#define BROKER_FD_SAVE_QEMU	6
#define BROKER_FD_END		7

/* Its main(); an exit code. */
int qmp_broker_main(const char *guest, bool again, const char *machine);

/* The link over libxenvchan; @path is relative to this domain's own. */
struct qmp_link *link_vchan_new(const char *path, unsigned int client);

#endif

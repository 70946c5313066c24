/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP between one QEMU and a client that comes and goes.  Pure: bytes in,
 * bytes out, no system calls; qmp_broker.c moves the bytes.
 *
 * Neither side is trusted.  The client's messages are parsed and serialised again,
 * so QEMU only ever sees valid JSON objects with ids of our own; QEMU's
 * messages are parsed too, and its replies go only to the session that asked.
 */
#ifndef QMP_MSG_H
#define QMP_MSG_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qmp/stream.h"

/* A longer message is refused.  libxl sends some hundred bytes. */
#define QMP_CLIENT_MSG_MAX	(64 * 1024)
/* query-qmp-schema, the longest answer there is, has about 300 KiB. */
#define QMP_QEMU_MSG_MAX	(1024 * 1024)
/*
 * Waiting for a client that does not read: from here on events are dropped, and
 * a client that makes us answer ourselves (junk, too many commands) is ignored...
 */
#define QMP_EVENTS_MAX		(64 * 1024)
/* ... and from here on any is. */
#define QMP_OUT_MAX		(2 * QMP_QEMU_MSG_MAX)
/* Commands QEMU has not answered yet, of all sessions. */
#define QMP_PENDING_MAX		32

#define QMP_SAW_DIRTY_LOG	1	/* xen-set-global-dirty-log, on */
#define QMP_SAW_NO_DIRTY_LOG	2	/* ... off */
#define QMP_SAW_STOP		4
#define QMP_SAW_CONT		8
#define QMP_SAW_SAVE		16	/* xen-save-devices-state: it is held */

/* The broker's state between QEMU and client. */
struct qmp_pending {
	uint64_t id;			/* ours; 0: free */
	uint32_t session;
	struct json_object *client_id;
	bool has_id;			/* false: it gave none */
	bool save;			/* it asked for the device state */
};

struct qmp_relay {
	struct qmp_stream client_in, qemu_in;
	struct qmp_buf to_client, to_qemu;
	struct json_object *greeting;	/* as the client gets it */
	bool qemu_ready;		/* our own negotiation is done */
	bool attached;			/* there is a client */
	bool greeted, negotiated;	/* how far it is */
	bool ignored;			/* it does not read: until it leaves */
	uint32_t session;
	uint64_t next_id;
	struct qmp_pending pending[QMP_PENDING_MAX];

	/*
	 * With hold_saves set, xen-save-devices-state is held until save_go(), and
	 * QEMU's answer until save_done(): the state is out of this domain then.
	 */
	bool hold_saves;
	bool saving;			/* from the command to QEMU's end of it */
	uint64_t saves;			/* such commands that QEMU got */
	struct json_object *save;	/* the command */
	struct qmp_pending save_for;
	struct json_object *held;	/* the answer */
	struct qmp_pending held_for;
	/* Commands that tell of a save to come, since the broker looked: QMP_SAW_*. */
	unsigned int saw;

	uint64_t events_dropped, late_replies, bad_client, bad_qemu;
};

int qmp_relay_init(struct qmp_relay *r);
void qmp_relay_free(struct qmp_relay *r);
/* A client has come; the one before is forgotten. */
void qmp_relay_attach(struct qmp_relay *r);
void qmp_relay_detach(struct qmp_relay *r);
/*
 * -ENOMEM, or 0: whatever the bytes are.  They are always taken: libxl's proxy
 * in dom0 cannot do anything else while it waits for room in the ring, not even
 * read the answers that would make room, nor serve the next client.
 */
int qmp_relay_from_client(struct qmp_relay *r, const char *data, size_t len);
/* Also -EPROTO: this is not QMP. */
int qmp_relay_from_qemu(struct qmp_relay *r, const char *data, size_t len);
/* r->save goes to QEMU, which is to write to @file; NULL: where the client said. */
int qmp_relay_save_go(struct qmp_relay *r, const char *file);
/* r->held can go out: as it is, or as an error.  Negative errno as above. */
int qmp_relay_save_done(struct qmp_relay *r, const char *error);
/*
 * The client gets @error now, whether QEMU has answered or not: r->saving says whether
 * its answer is still to come, to nobody.
 */
int qmp_relay_save_fail(struct qmp_relay *r, const char *error);
/* Does the client wait for an answer of QEMU's? */
bool qmp_relay_waits(const struct qmp_relay *r);
/* It gets @error for each of them but a save's; what QEMU answers later goes to nobody. */
int qmp_relay_give_up(struct qmp_relay *r, const char *error);
/* QEMU's version as it greeted, "10.0.13"; "" when it is not known. */
void qmp_relay_qemu_version(const struct qmp_relay *r, char *out, size_t size);

#endif

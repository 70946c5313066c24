/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state disk: how a guest's device state goes between dom0 and its stubdomain.
 * docs/state-disk.md is the protocol; this is what both sides are built from.
 *
 * dom0's side is xen-stubdomd (nodes) and xen-state-disk (data), the other one is
 * stubdom-init.
 */
#ifndef XE_STATE_DISK_H
#define XE_STATE_DISK_H

#include <assert.h>
#include <stdint.h>

#include "stubdom.h"

#define STATE_DISK_VERSION	1

/* ---- the disk ---- */

/*
 * Offset 0: struct state_disk_header, then zeros up to STATE_DISK_BLOCK.
 * Offset STATE_DISK_BLOCK: the state, header.length bytes.
 * Behind it: not looked at.
 */
#define STATE_DISK_BLOCK	65536u
#define STATE_DISK_SECTOR	512u
/* The longest state, in MiB: unless configured, and what can be configured. */
#define STATE_DISK_LIMIT_MIB	64u
#define STATE_DISK_LIMIT_MIN	1u
#define STATE_DISK_LIMIT_MAX	1024u

/* Sectors of a disk for states of at most @limit bytes. */
#define STATE_DISK_SECTORS(limit) \
	((STATE_DISK_BLOCK + (uint64_t)(limit) + STATE_DISK_SECTOR - 1) / STATE_DISK_SECTOR)

#define STATE_DISK_MAGIC	"XE-STATE-DISK\r\n\x1a"
#define STATE_DISK_MAGIC_LEN	16
#define STATE_DISK_NAME_LEN	32

/*
 * All numbers are little endian.  The same 256 bytes stand behind the state in the
 * file that libxl reads, so that a restore knows what it has got.
 */
struct state_disk_header {
	char magic[STATE_DISK_MAGIC_LEN];	/* no NUL behind */
	uint32_t version;
	uint32_t size;				/* of this structure */
	uint64_t length;			/* of the state, in bytes; not 0 */
	uint8_t sha256[32];			/* of the state */
	/* Printable, no blanks, NUL-terminated, NULs behind; "" when it is not known. */
	char qemu[STATE_DISK_NAME_LEN];		/* version, "10.0.13" */
	char machine[STATE_DISK_NAME_LEN];	/* type, "xenfv" */
	uint8_t reserved[80];			/* 0 */
	uint8_t check[32];			/* SHA-256 of all bytes before this one */
	char end[STATE_DISK_MAGIC_LEN];		/* magic again: what is damaged is still known as a header */
};
static_assert(sizeof(struct state_disk_header) == 256, "state_disk_header");

/* The first bytes of each state: QEMU's magic number. */
#define STATE_DISK_QEVM		"QEVM"

/* ---- the device ---- */

/* Below /local/domain/0: <that>/<stubdomain>/<devid>.  Neither blkback nor a QEMU looks there. */
#define STATE_DISK_BACKEND	"backend/xe-state"
/* xvdaa to xvdaz, one after the other: no guest's disk has such a number. */
#define STATE_DISK_DEVID	268442112u
#define STATE_DISK_DEVID_STEP	256u
#define STATE_DISK_DEVIDS	26u

/* Layout of the ring, in the frontend's "protocol". */
#define STATE_DISK_ABI		"x86_64-abi"
/* Segments of an indirect request: 256 KiB. */
#define STATE_DISK_INDIRECT	64u

/* ---- nodes, below /local/domain/<stubdomain> ---- */

/* The stubdomain's. */
#define STATE_DISK_WANT		STUBDOM_DATA "/state/want"	/* "save TAG" */
#define STATE_DISK_DONE		STUBDOM_DATA "/state/done"	/* "TAG" */
#define STATE_DISK_RESTORED	STUBDOM_DATA "/state/restored"	/* "ok" or "no" */
/* dom0's: the stubdomain reads them and cannot change them. */
#define STATE_DISK_DOM0		"xen-stubdomd/state"
#define STATE_DISK_SERVED	STATE_DISK_DOM0 "/version"	/* "1" */
#define STATE_DISK_DISK		STATE_DISK_DOM0 "/disk"		/* "TAG DEVID LIMIT" */
#define STATE_DISK_RESULT	STATE_DISK_DOM0 "/result"	/* "TAG ok" or "TAG error REASON" */
#define STATE_DISK_RESTORE	STATE_DISK_DOM0 "/restore"	/* "wait", "DEVID", "console" or "refused REASON" */

#define STATE_DISK_TAG_LEN	STUBDOM_TAG_LEN
#define STATE_DISK_REASON_MAX	200

/* ---- how long each waits for the other; docs/state-disk.md has the reasons ---- */

/* The stubdomain. */
#define STATE_DISK_ANSWER_MS	3000	/* want -> disk or result */
#define STATE_DISK_APPEAR_MS	10000	/* disk, or restore's DEVID -> the block device can be opened */
#define STATE_DISK_STALL_MS	20000	/* a write or read of one block */
#define STATE_DISK_RESULT_MS	40000	/* done -> result */
#define STATE_DISK_PREPARE_MS	8000	/* restore "wait" -> anything else */
/* dom0. */
#define STATE_DISK_READY_MS	8000	/* xen-state-disk started -> its disk is there */
#define STATE_DISK_CONNECT_MS	10000	/* nodes written -> frontend Initialised; ring handed over -> mapped */
#define STATE_DISK_EARLY_MS	3600000	/* disk there -> its guest is suspended */
#define STATE_DISK_SAVE_MS	60000	/* guest suspended -> done; the stubdomain: QEMU's bytes and answer */
#define STATE_DISK_VERIFY_MS	30000	/* done -> state is written */
#define STATE_DISK_RESTORE_MS	60000	/* stubdomain runs -> restored */
#define STATE_DISK_CLOSE_MS	5000	/* backend Closing -> frontend Closed */

/* Transfers of the whole host at one time. */
#define STATE_DISK_TRANSFERS	8u

/* "/var/lib/xen/qemu-save.N<that>": what becomes qemu-save.N by rename. */
#define STATE_DISK_FILE_NEW	".disk"

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-3-Clause */
/*
 * Virtio over XenBus, version 2: constants and layouts of docs/protocol.md,
 * for the kernel module, QEMU and user space alike.
 *
 * Everything here is shared with a peer that is not trusted: copy once, check
 * the copy (msg.h has the checks), use the copy.  All numbers are little endian.
 */
#ifndef VIRTIO_XENBUS_H
#define VIRTIO_XENBUS_H

#ifdef __KERNEL__
#include <linux/stddef.h>
#include <linux/types.h>
/* For sparse; the same bytes as below. */
typedef __le16 vx_le16;
typedef __le32 vx_le32;
typedef __le64 vx_le64;
#else
#include <stddef.h>
#include <stdint.h>
typedef uint16_t vx_le16;
typedef uint32_t vx_le32;
typedef uint64_t vx_le64;
#endif

#define VX_VERSION		2
#define VX_VERSION_OLDEST	1		/* that both sides still speak */
#define VX_VERSION_READONLY	2		/* the first with ro_pages */
#define VX_PAGE_SIZE		4096
#define VX_MAGIC_DRIVER		0x44425856u	/* "VXBD" */
#define VX_MAGIC_BACKEND	0x42425856u	/* "VXBB" */

/* Address of the pool's first byte; device models read 0 as "no queue". */
#define VX_POOL_BASE		0x100000000ull
#define VX_POOL_MIN_PAGES	16
#define VX_POOL_MAX_PAGES	65536
#define VX_DIR_MAX_PAGES	64
#define VX_DIR_REFS		1024		/* in one directory page */
#define VX_DIR_PAGES(pages)	(((pages) + VX_DIR_REFS - 1) / VX_DIR_REFS)

#define VX_MAX_QUEUES		256
#define VX_MAX_QUEUE_SIZE	32768
#define VX_MAX_CONFIG		2048
#define VX_MSG_SIZE		40
#define VX_CONFIG_CHUNK		24

/* Nodes in the backend's directory, written by the backend. */
#define VX_NODE_VERSION_MIN	"virtio-xenbus-version-min"
#define VX_NODE_VERSION_MAX	"virtio-xenbus-version-max"
#define VX_NODE_DEVICE_ID	"device-id"
#define VX_NODE_VENDOR_ID	"vendor-id"
#define VX_NODE_MAX_QUEUES	"max-queues"
#define VX_NODE_MEM_MODES	"mem-modes"
#define VX_NODE_POOL_MAX_PAGES	"pool-max-pages"
#define VX_NODE_POOL_HINT_PAGES	"pool-hint-pages"
#define VX_NODE_MAX_CONFIG	"max-config"
#define VX_NODE_ERROR		"virtio-xenbus-error"
/* In both directories: the driver copies the backend's. */
#define VX_NODE_INSTANCE	"backend-instance"
/* Nodes in the frontend's directory, written by the driver. */
#define VX_NODE_VERSION		"version"
#define VX_NODE_MEM_MODE	"mem-mode"
#define VX_NODE_CTRL_REF	"ctrl-ref"
#define VX_NODE_EVENT_CHANNEL	"event-channel"

#define VX_MEM_MODE_POOL	"pool"

#define VX_MSG_REQUEST		0
#define VX_MSG_RESPONSE		1

enum vx_msg_id {
	VX_MSG_GET_DEVICE_INFO		= 0x02,
	VX_MSG_GET_FEATURES		= 0x03,
	VX_MSG_SET_FEATURES		= 0x04,
	VX_MSG_SET_CONFIG		= 0x06,
	VX_MSG_GET_DEVICE_STATUS	= 0x07,
	VX_MSG_SET_DEVICE_STATUS	= 0x08,
	VX_MSG_GET_VQUEUE		= 0x09,
	VX_MSG_SET_VQUEUE		= 0x0a,
	VX_MSG_RESET_VQUEUE		= 0x0b,
	VX_MSG_SET_INFLIGHT		= 0x0c,
};

enum vx_error {
	VX_ERR_NONE	= 0,
	VX_ERR_UNKNOWN	= 1,	/* no such message in this version */
	VX_ERR_INVAL	= 2,	/* field out of range or reserved byte set */
	VX_ERR_STATE	= 3,	/* not in the device's present state */
	VX_ERR_NOMEM	= 4,	/* backend lacks a resource */
	VX_ERR_DEVICE	= 5,	/* device failed; a reset may mend it */
	VX_ERR_MAX	= VX_ERR_DEVICE
};

#define VX_INFO_RESUME		1u	/* can adopt the queues of a dead backend */
#define VX_INFO_WRITES_ALL	2u	/* leaves no byte of a request's answer as it was */
#define VX_INFO_ALL		(VX_INFO_RESUME | VX_INFO_WRITES_ALL)
#define VX_QUEUE_ENABLED	1u
#define VX_INFLIGHT_RESUME	1u	/* adopt what the area records */
#define VX_INFLIGHT_MAGIC	0x46495856u	/* "VXIF" */

struct vx_msg_info {
	vx_le32 device_id;
	vx_le32 vendor_id;
	vx_le32 num_queues;
	vx_le32 config_size;
	vx_le32 flags;			/* VX_INFO_ */
	uint8_t reserved[12];
};

struct vx_msg_features {
	vx_le64 words[2];
	uint8_t reserved[16];
};

struct vx_msg_status {
	vx_le32 status;
	uint8_t reserved[28];
};

struct vx_msg_config {
	vx_le32 offset;
	vx_le32 length;
	uint8_t data[VX_CONFIG_CHUNK];
};

/* GET_VQUEUE, RESET_VQUEUE: a request has the index only. */
struct vx_msg_queue {
	vx_le32 index;
	vx_le32 max_size;
	vx_le32 size;
	vx_le32 flags;			/* VX_QUEUE_ */
	uint8_t reserved[16];
};

struct vx_msg_set_queue {
	vx_le16 index;
	vx_le16 size;
	vx_le32 port;
	vx_le64 desc;
	vx_le64 driver;
	vx_le64 device;
};

struct vx_msg_inflight {
	vx_le16 index;
	vx_le16 size;
	vx_le32 flags;			/* VX_INFLIGHT_RESUME */
	vx_le64 addr;
	uint8_t reserved[16];
};

struct vx_msg {
	uint8_t type;			/* VX_MSG_REQUEST, VX_MSG_RESPONSE */
	uint8_t id;			/* enum vx_msg_id */
	vx_le16 error;			/* enum vx_error */
	vx_le32 seq;
	union {
		uint8_t bytes[32];
		struct vx_msg_info info;
		struct vx_msg_features features;
		struct vx_msg_status status;
		struct vx_msg_config config;
		struct vx_msg_queue queue;
		struct vx_msg_set_queue set_queue;
		struct vx_msg_inflight inflight;
	} u;
};

/* The control page.  D: the driver writes it, B: the backend. */
struct vx_ctrl {
	vx_le32 magic;			/* D */
	vx_le16 version;		/* D */
	uint8_t reserved0[2];
	vx_le32 pool_pages;		/* D */
	vx_le32 dir_pages;		/* D */
	vx_le32 ro_pages;		/* D, the last ones of the pool; 0 in version 1 */
	uint8_t reserved1[44];

	vx_le32 req_posted;		/* D, after req */
	uint8_t reserved2[4];
	struct vx_msg req;		/* D */
	uint8_t reserved3[16];

	vx_le32 be_magic;		/* B */
	vx_le16 be_version;		/* B */
	uint8_t reserved4[2];
	vx_le32 config_gen;		/* B, odd while config changes */
	vx_le32 config_size;		/* B */
	vx_le32 device_status;		/* B */
	uint8_t reserved5[44];

	vx_le32 rsp_posted;		/* B, after rsp */
	uint8_t reserved6[4];
	struct vx_msg rsp;		/* B */
	uint8_t reserved7[16];

	vx_le32 dir[VX_DIR_MAX_PAGES];	/* D */
	uint8_t reserved8[1536];
	uint8_t config[VX_MAX_CONFIG];	/* B */
};

/* In the pool: what the backend has fetched of a split ring and not completed. */
struct vx_inflight {
	vx_le32 magic;
	vx_le16 size;
	vx_le16 used_idx;
	/* uint8_t head[size] follows */
};

#define VX_INFLIGHT_BYTES(size)	(sizeof(struct vx_inflight) + (size))

#define VX_ASSERT_MSG(what)	_Static_assert(sizeof(struct what) == 32, #what)
VX_ASSERT_MSG(vx_msg_info);
VX_ASSERT_MSG(vx_msg_features);
VX_ASSERT_MSG(vx_msg_status);
VX_ASSERT_MSG(vx_msg_config);
VX_ASSERT_MSG(vx_msg_queue);
VX_ASSERT_MSG(vx_msg_set_queue);
VX_ASSERT_MSG(vx_msg_inflight);
#undef VX_ASSERT_MSG
_Static_assert(sizeof(struct vx_msg) == VX_MSG_SIZE, "vx_msg");
_Static_assert(offsetof(struct vx_msg, u) == 8, "vx_msg.u");
_Static_assert(sizeof(struct vx_inflight) == 8, "vx_inflight");
/* No cache line is written by both sides. */
_Static_assert(offsetof(struct vx_ctrl, req_posted) == 0x040, "vx_ctrl.req_posted");
_Static_assert(offsetof(struct vx_ctrl, be_magic) == 0x080, "vx_ctrl.be_magic");
_Static_assert(offsetof(struct vx_ctrl, rsp_posted) == 0x0c0, "vx_ctrl.rsp_posted");
_Static_assert(offsetof(struct vx_ctrl, dir) == 0x100, "vx_ctrl.dir");
_Static_assert(offsetof(struct vx_ctrl, config) == 0x800, "vx_ctrl.config");
_Static_assert(sizeof(struct vx_ctrl) == VX_PAGE_SIZE, "vx_ctrl");
_Static_assert(VX_DIR_MAX_PAGES * VX_DIR_REFS == VX_POOL_MAX_PAGES, "directory");

#endif

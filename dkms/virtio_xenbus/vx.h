/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One device of the driver, and what its parts offer each other.
 *
 * Locking.  The state (state.h) is changed by steps, one at a time: the work and
 * vx_remove() hold step_lock; the callbacks of a suspend do not, but the work and all
 * processes are frozen then.  The link is changed in any context.  Both are written
 * under state_lock, a leaf that is taken with interrupts off, and read without (so is
 * the list of queues, which is read under queues_lock or state_lock): a
 * step knows that the state is its own, and whoever reads the link acts right
 * on one that is just changing, since the end of a link wakes who waits for an answer.
 *
 * step_lock is taken first; then child_lock, queues_lock or written_lock, then
 * call_lock; config_lock, pool_lock and state_lock are leaves.  The control page is there
 * while the link is open and call_lock is held.
 */
#ifndef VX_H
#define VX_H

/* A mapping is copied by its address in the kernel, which high memory has none of. */
#ifdef CONFIG_HIGHMEM
#error "virtio_xenbus is not for kernels with CONFIG_HIGHMEM (32 bits)"
#endif

#ifndef VX_PROBES_WORK
#error "Kbuild could not compile its probes against this kernel"
#endif

#include <linux/bitmap.h>
#include <linux/interrupt.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <xen/grant_table.h>
#include <xen/xenbus.h>

#include "config.h"
#include "msg.h"
#include "pool.h"
#include "rules.h"
#include "state.h"

#define VX_WHY 192		/* bytes of a line that says what is wrong */

/* Lines that a device has once. */
#define VX_TOLD_HELD	0
#define VX_TOLD_OFFERS	1
#define VX_TOLD_CONFIGS	2

/* What the backend said in xenstore. */
struct vx_offer {
	u32 instance, pool_max, pool_hint;
	u32 oldest, newest;		/* versions that it speaks */
	u32 version;			/* the one of the connection */
	struct vx_limits limits;
};

/* A split ring of which the backend can only read the first part: one piece for the ring code, two for the backend. */
struct vx_ring {
	u64 ro, rw;
	void *va;			/* NULL: there is none */
};

struct vx_queue {
	struct vx_device *vd;
	struct virtqueue *vq;
	struct list_head node;
	int irq;
	evtchn_port_t port;
	dma_addr_t inflight;		/* what the backend has fetched; 0: it does not tell */
	void *inflight_va;
	struct vx_ring ring;
};

/* The virtio device; freed with its last reference. */
struct vx_child {
	struct virtio_device vdev;
	struct vx_device *vd;
};

static inline struct vx_device *to_vx(struct virtio_device *vdev)
{
	return container_of(vdev, struct vx_child, vdev)->vd;
}

struct vx_device {
	struct xenbus_device *xdev;
	/*
	 * States are acted on here: xenwatch must not wait for a backend.  A thread of its own,
	 * for the time when there is no memory and swap is on the device.
	 */
	struct workqueue_struct *wq;
	struct work_struct work;
	enum xenbus_state backend_state;
	/* The child's driver may wait for I/O while it probes: not in the work above. */
	struct work_struct add_work;
	struct delayed_work config_work;
	struct work_struct fail_work;	/* a backend that went while we were closing */
	struct delayed_work give_up;	/* looks at the deadline */
	struct delayed_work retry;	/* when a new connection may not be offered yet */
	struct vx_pace offers, configs;
	unsigned long told;		/* a bit for each line that a device has once, VX_TOLD_... */
	struct delayed_work watch;	/* of the backend, while the guest is restored */
	unsigned long watch_end;
	bool freezing;			/* it watches a suspend: what is in flight must come to an end */
	struct vx_offer offer;

	/* See "Locking" above. */
	struct mutex step_lock;
	spinlock_t state_lock;
	enum vx_state state;
	enum vx_link link;
	unsigned long refused;		/* bit 0: a transition was, and that was logged */
	unsigned long deadline;		/* for another backend, in jiffies; while vx_state_lost() */

	/* Connection; all of it is made by vx_conn_open(). */
	struct vx_ctrl *ctrl;
	grant_ref_t ctrl_ref;
	__le32 *dir[VX_DIR_MAX_PAGES];
	grant_ref_t dir_ref[VX_DIR_MAX_PAGES];
	u32 pages;			/* of the pool that are granted */
	u32 ro_pages;			/* the last ones of them: the backend can only read them */
	struct page **page;
	void *pool_va;			/* the same pages in a row */
	struct page **old_page;		/* of the pool before: those that are not yet known to be released */
	u32 old_pages;
	unsigned long old_since;	/* jiffies */
	spinlock_t pool_lock;
	u32 mapped, unmapped;		/* live mappings that are copies; how many have ended */
	bool distrust;			/* of them: see vx_distrust() */
	struct vx_pool pool;
	struct vx_ring *ring;		/* whose memory the ring code allocates or frees just now */
	void *pool_meta;
	evtchn_port_t port;
	int irq;

	/* Control messages: one at a time. */
	struct mutex call_lock;
	wait_queue_head_t answer;
	u32 seq;
	u32 seen_posted, seen_gen;	/* the handler's own */
	bool late;			/* this one was sent, and its answer not waited for */
	u32 late_before;		/* the number before it */
	struct vx_msg late_msg;

	/* What readers of the configuration get, in every state; a leaf lock. */
	spinlock_t config_lock;
	struct vx_config config;
	/* What the device's driver has written, for the next backend; before call_lock. */
	struct mutex written_lock;
	u8 written[VX_MAX_CONFIG];
	DECLARE_BITMAP(is_written, VX_MAX_CONFIG);

	/* The virtio device: made and removed by the work alone. */
	struct mutex child_lock;	/* for others: child stays while it is held */
	struct vx_child *child;
	struct mutex queues_lock;	/* the list, not what is in it */
	struct list_head queues;
	int failed;			/* found outside the work, which closes the device */
	unsigned long finding;		/* bit 0: it has been, and why[] is being written */
	char why[VX_WHY];
	bool needs_reset;		/* the backend has set that bit */
	u8 status;			/* as the backend answered */
	bool resumable;			/* the next backend can adopt the queues */
	bool writes_all;		/* what is mapped for it to write need not be cleared */
	u32 in_flight;			/* what the last one left behind, for the log */
};

/* Files below call those above them, and no others. */

/* ---- device.c: state, link, errors ---- */

/* For what must go on when there is no memory.  Not frozen. */
extern struct workqueue_struct *vx_wq;
/* Change the state.  False, and nothing happens, when that is not allowed: it is logged once. */
bool vx_set_state(struct vx_device *vd, enum vx_state to);
/* Change the link as far as vx_link_after() lets it; who waits for an answer looks at it.  Any context. */
void vx_set_link(struct vx_device *vd, enum vx_link to);
static inline enum vx_state vx_state(const struct vx_device *vd) { return READ_ONCE(vd->state); }
static inline enum vx_link vx_link(const struct vx_device *vd) { return READ_ONCE(vd->link); }
/* Ends every wait for a request of the virtio device, if it exists.  Sleeps. */
void vx_break(struct vx_device *vd);
/* The backend is gone, with all that it had mapped: ends every wait for it.  Sleeps. */
void vx_lose(struct vx_device *vd);
/* Found in any context: the work closes the device and says why.  The first one counts. */
__printf(3, 4) void vx_fail_later(struct vx_device *vd, int err, const char *fmt, ...);
/*
 * The same; from now on nothing is copied out of the pool, and the ring code takes nothing
 * more from the device's queues.  Its free lists are not to be trusted any more.
 */
__printf(2, 3) void vx_distrust(struct vx_device *vd, const char *fmt, ...);
/* Look at what is to be done next, and at vd->failed. */
void vx_wake(struct vx_device *vd);

/* ---- backend.c: its nodes and its state ---- */

/* 0 or -errno, then *@node names the one that is wrong or missing. */
int vx_read_offer(struct vx_device *vd, struct vx_offer *o, const char **node);
/* Is what we connect to still the backend that is there? */
bool vx_same_instance(struct vx_device *vd);
/* Its state, from xenstore. */
enum xenbus_state vx_backend_now(struct vx_device *vd);
void vx_otherend_changed(struct xenbus_device *xdev, enum xenbus_state state);
/* Around what xenwatch does itself when the guest is suspended and resumes: it hears of no backend that goes meanwhile. */
void vx_watch_begin(struct vx_device *vd, bool freezing);
void vx_watch_end(struct vx_device *vd);
void vx_watch(struct work_struct *work);

/* ---- dma.c: all mappings of the xenbus device are copies in its pool ---- */

int vx_dma_set(struct vx_device *vd);
void vx_dma_clear(struct vx_device *vd);
/* Does a live mapping begin at that pool address and have that size?  Any values. */
bool vx_dma_is_mapped(struct vx_device *vd, u64 addr, u32 size);
/* Are there mappings beside the coherent ones? */
bool vx_dma_busy(struct vx_device *vd);
/* Allocate and free in the pool what both sides write. */
void *vx_dma_alloc_shared(struct vx_device *vd, size_t size, dma_addr_t *addr);
void vx_dma_free_shared(struct vx_device *vd, dma_addr_t addr);

/* ---- ctrl.c: the control page ---- */

irqreturn_t vx_control_event(int irq, void *vd);
/*
 * Send a request (id and payload are set) and wait for its answer.  0, -EPROTO
 * when the backend broke the protocol, -EIO when it is gone, -ETIMEDOUT, or
 * -EREMOTEIO when it refused: then out->error says why.  Sleeps.
 */
int vx_call(struct vx_device *vd, struct vx_msg *m, struct vx_parsed *out);
/* Does the backend answer within that time?  When it does not, nothing is lost: the next message waits for both.  Sleeps. */
bool vx_answers(struct vx_device *vd, unsigned int ms);
/* The same as vx_call(); a refusal is logged as one of @what. */
int vx_tell(struct vx_device *vd, struct vx_msg *m, struct vx_parsed *out, const char *what);
/* By name.  0 or -errno; vd->status is what the backend answered. */
int vx_tell_status(struct vx_device *vd, u8 status);
int vx_tell_features(struct vx_device *vd, u64 features);
int vx_tell_config(struct vx_device *vd, unsigned int offset, const u8 *buf, unsigned int len);
/* 0 when there is no answer. */
u64 vx_ask_features(struct vx_device *vd);
/* Is the backend's half of the control page right?  NULL or the name of the field that is not, and its value. */
const char *vx_ctrl_check(struct vx_device *vd, u32 *value);
/*
 * The control page is what readers of the configuration get from now on, and the
 * device's driver hears of it when it is another.  Before, with @replay, the backend
 * is told what was written.  0 or -errno of that.
 */
int vx_config_begin(struct vx_device *vd, u32 size, bool replay);
/* No longer: what is known is kept. */
void vx_config_end(struct vx_device *vd);
/* A backend that is new, or was reset, has defaults where the device's driver has written.  written_lock is held. */
int vx_config_replay(struct vx_device *vd);

/* ---- conn.c: the connection ---- */

/* Most entries of a virtqueue, as the administrator has set it. */
unsigned int vx_queue_size(void);
/* Make pool, control page and control channel, and tell the backend.  0 or -errno, then nothing is left. */
int vx_conn_open(struct vx_device *vd);
/* Give all back.  Pages that the backend still maps are freed when it unmaps them.  Who waits for an answer has left. */
void vx_conn_close(struct vx_device *vd);
/* Does the last backend still map a part of the pool before? */
bool vx_conn_held(struct vx_device *vd);
/* The device goes: what is held is freed when the backend unmaps it. */
void vx_conn_forget(struct vx_device *vd);
/* A pool that no backend sees, so that a driver can be removed without a backend.  0 or -errno. */
int vx_conn_loopback(struct vx_device *vd);
/* Offer what there is to the backend that took the place of another.  0 or -errno. */
int vx_conn_reconnect(struct vx_device *vd);

/* ---- queue.c: operations of the virtio device, and steps of recovery.c ---- */

int vx_queue_enable(struct vx_queue *q, bool resume);
void vx_reset(struct virtio_device *vdev);
#ifdef VX_HAVE_VIRTQUEUE_INFO
int vx_find_vqs(struct virtio_device *vdev, unsigned int n, struct virtqueue *vqs[],
		struct virtqueue_info info[], struct irq_affinity *desc);
#else
int vx_find_vqs(struct virtio_device *vdev, unsigned int n, struct virtqueue *vqs[],
		vq_callback_t *callbacks[], const char *const names[], const bool *ctx,
		struct irq_affinity *desc);
#endif
void vx_del_vqs(struct virtio_device *vdev);
void vx_synchronize_cbs(struct virtio_device *vdev);
int vx_set_vq_affinity(struct virtqueue *vq, const struct cpumask *mask);

/* ---- quiesce.c: a driver that gives its queues back for a while ---- */

extern const struct dev_pm_ops vx_pm_ops;
/* A device was there since the guest was suspended. */
extern bool vx_resumes;
/* Can its driver give back all queues at any time, and begin with new ones, as around a suspend? */
bool vx_can_quiesce(struct vx_device *vd);
/* Its network devices send nothing until its driver begins with new queues. */
void vx_virtio_detach(struct vx_device *vd);
/*
 * Its driver gives its queues back, with all that is in them: vx_state_after_quiesce().
 * vx_virtio_restore() is next.  0 or -errno, then the state is as before.
 */
int vx_quiesce(struct vx_device *vd);
/* It is quiesced, and its connection is a new one: its driver begins with new queues, and it is live.  0 or -errno. */
int vx_virtio_restore(struct vx_device *vd);
/* It is quiesced and to be removed: its driver has to have queues then, which no backend sees. */
void vx_prepare_removal(struct vx_device *vd);

/* ---- recovery.c: another backend, or no backend ---- */

/* It takes the queues as they are.  0 or -errno. */
int vx_virtio_resume(struct vx_device *vd);
/* After that: neither side knows what it missed. */
void vx_virtio_kick_all(struct vx_device *vd);
/*
 * The backend will not answer (vx_link_failed()): complete what the driver waits
 * for, as failed, or removing the device would wait for ever.
 */
void vx_virtio_fail(struct vx_device *vd);
void vx_fail_work(struct work_struct *work);

/* ---- virtio.c: the virtio device ---- */

/* Register it on an open connection; its driver may probe at once.  A failure is one to fail later. */
void vx_add_work(struct work_struct *work);
/* Its configuration is another. */
void vx_config_work(struct work_struct *work);
/* Unregister it, if there is one: its driver resets it and ends all mappings. */
void vx_virtio_del(struct vx_device *vd);

/* ---- steps.c: from one state to the next ---- */

void vx_work(struct work_struct *work);
void vx_give_up(struct work_struct *work);
void vx_retry(struct work_struct *work);
/* Remove the virtio device and the connection: VX_CLOSING, another state is next. */
void vx_down(struct vx_device *vd);
int vx_resume(struct xenbus_device *xdev);

#endif

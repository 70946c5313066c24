/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's driver of the test: what its files share. */
#ifndef GUEST_H
#define GUEST_H

#include "fakexen.h"
#include "msg.h"

#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

/* Nodes of the device under test. */
#define BE(node) node_of("/local/domain/0/backend/%s/7/%u/" node)
#define FE(node) node_of("/local/domain/7/device/%s/%u/" node)

/* Pages of the guest: control, directory, pool. */
#define CTRL_PAGE	3
#define DIR_PAGE	9
#define POOL_PAGE	100
#define POOL_PAGES	1100	/* two directory pages */
#define CTRL_PORT	1
#define QUEUE_PORT	2

/* A queue's size: the rng of QEMU 7.2 has no more than 8, as QEMU itself gave it. */
extern unsigned int qsize;
#define QSIZE		qsize
#define DESC_OFF	0
#define AVAIL_OFF	4096
#define USED_OFF	8192
#define DATA_OFF	16384
#define SLOT		(36 * 1024)	/* header, status, 32 KiB of data */
#define INFLIGHT_OFF	12288

extern uint32_t seq;
extern struct vx_ctrl *ctrl;
extern uint8_t *pool;
extern const char *kind;
extern unsigned int devid;
extern uint16_t avail_idx, used_idx;

const char *node_of(const char *format);
#define CHECK(what, ok) check(what, ok, __LINE__)
bool check(const char *what, bool ok, int line);
void report(void);

/* Connection and messages. */
bool wait_be(unsigned int state);
void grant_all(void);
void publish(uint32_t ref);
bool connected(const char *what);
uint16_t ask(uint8_t id, struct vx_msg *m);
uint16_t status(uint32_t value, uint32_t *shown);
void negotiate(void);
uint16_t ask_queue(uint32_t index, uint32_t size, uint32_t port, uint64_t used);

/* I/O: request i is a chain at descriptor 3 * i, with a slot of memory. */
struct blk_hdr { uint32_t type, prio; uint64_t sector; };

uint64_t slot_addr(unsigned int i);
uint8_t *slot_mem(unsigned int i);
uint8_t *slot_data(unsigned int i);
void put(unsigned int i, uint32_t type, uint64_t sector, uint32_t bytes);
void kick(uint16_t old);
bool complete(unsigned int n);
bool transfer(unsigned int n, uint32_t type, uint64_t sector, uint32_t bytes);

/* guest_loss.c */
void loss_disk(void);		/* areas that are right and wrong, on a connection */
void loss_rng(void);
void loss_load(unsigned int kills);	/* I/O that goes on in the next process */

#endif

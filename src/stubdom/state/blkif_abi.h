/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Xen's <xen/io/blkif.h> with what it asks of who includes it. */
#ifndef BLKIF_ABI_H
#define BLKIF_ABI_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Without it the headers are those of Xen 3. */
#ifndef __XEN_INTERFACE_VERSION__
#define __XEN_INTERFACE_VERSION__ 0x00040d00
#endif
#define xen_mb()	__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define xen_rmb()	__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define xen_wmb()	__atomic_thread_fence(__ATOMIC_RELEASE)

#include <xen/io/blkif.h>

#define BLKIF_PAGE		4096u
#define BLKIF_SECTOR		512u
#define BLKIF_SECTORS_PAGE	(BLKIF_PAGE / BLKIF_SECTOR)

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Xen in one process: what the driver of the test and fakexen.c share. */
#ifndef FAKEXEN_H
#define FAKEXEN_H

#include <stdbool.h>
#include <stdint.h>

#define FX_PAGES	2048	/* of the guest */
#define FX_PORTS	64
#define FX_DOMID	7

extern uint8_t *fx_mem;		/* the guest's memory, FX_PAGES pages; kept in the file FAKEXEN_MEM */
uint32_t fx_ref(unsigned int page);	/* its grant reference: in no order */
void fx_grant(unsigned int page, bool writable);

void fx_write(const char *path, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void fx_remove(const char *path);
char *fx_read(const char *path);	/* NULL, or to be freed */
unsigned int fx_read_u32(const char *path);

void fx_send(unsigned int port);	/* guest to backend */
bool fx_wait(unsigned int port, int ms);	/* backend to guest; false: timeout */
bool fx_bound(unsigned int port);
unsigned int fx_mapped(void);		/* pages that the backend has mapped */

/* The test itself, in a thread of its own. */
void fx_guest(void);

#endif

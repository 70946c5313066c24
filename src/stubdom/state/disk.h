/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The disk: memory that nobody else has, of a size that nobody can change.
 */
#ifndef DISK_H
#define DISK_H

#include <stddef.h>
#include <stdint.h>

#include "state_disk.h"

struct disk {
	int fd;			/* a memfd */
	uint8_t *mem;
	uint64_t sectors;
};

/* Zero all over.  Negative errno. */
int disk_make(struct disk *d, uint64_t sectors);
void disk_free(struct disk *d);

/*
 * For a restore: verify what is in @file, which libxl brought, and make the disk of it; it
 * cannot be written then.  *@length is that of the state.  Negative errno, with the
 * reason in @why.
 */
int disk_load(struct disk *d, int file, uint64_t *length, char why[STATE_DISK_REASON_MAX + 1]);

/*
 * After a save: verify what is on the disk and write the file that libxl is to read, state
 * and header, to @file; *@length is that of the file.  Nobody else may write to the disk
 * any more.  As above; @why is empty when @file cannot be written.
 */
int disk_store(const struct disk *d, int file, uint64_t *length, char why[STATE_DISK_REASON_MAX + 1]);

#endif

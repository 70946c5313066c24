/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file with a guest's device state that libxl reads.
 *
 * dom0's QEMU opens qemu-save.N when a stubdomain starts and writes all that
 * comes from console 1 into it, one state behind the other; libxl reads the
 * whole file, and restore takes the first.  So that file gets a second name,
 * which neither libxl nor anybody else removes, and for each state a new file
 * with this state alone takes the place of the first name.
 *
 * The stubdomain says how long the state is and what follows it (stubdom.h).
 * All it can achieve with that is a wrong state of its own guest.
 */
#ifndef XE_SAVEFILE_H
#define XE_SAVEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stubdom.h"

/* After "/var/lib/xen/qemu-save.N"; removed by clean_guest(). */
#define SAVEFILE_ALL	".console"	/* what dom0's QEMU writes to */
#define SAVEFILE_NEW	".new"

struct save_ask {
	uint64_t len;
	char tag[STUBDOM_TAG_LEN + 1];
};

/* Pure: "LENGTH TAG" and nothing else; -EINVAL. */
int savefile_parse(const char *text, struct save_ask *out);

/*
 * Give the file its second name, when it has none yet.  To be done before libxl
 * gets an answer, whatever that says: it removes the file when that is an error.
 */
int savefile_keep(uint32_t guest);
/*
 * Has all of the state come?  A descriptor to hand to the next two; -EAGAIN
 * when it has not, -ENOENT when libxl had removed the file before it was kept.
 */
int savefile_open(uint32_t guest, const struct save_ask *ask);
/* Put the state in place for libxl. */
int savefile_put(uint32_t guest, int fd, const struct save_ask *ask);
/* It is in place: the copy in @fd's file needs no space any more.  Closes @fd. */
void savefile_close(int fd, bool done);

/*
 * The same over a state disk (docs/state-disk.md): a new file to be written, which takes the
 * place of the first name when it has @len bytes.  Negative errno.
 */
int savefile_new(uint32_t guest);
int savefile_publish(uint32_t guest, uint64_t len);
void savefile_drop(uint32_t guest);
/* What libxl brings on restore, to be read, and its length. */
int savefile_incoming(uint32_t guest, uint64_t *len);

/* More than this no honest stubdomain sends by console 1, and each state leaves a hole. */
#define SAVEFILE_MAX	(STUBDOM_STATE_MAX + (1 << 20))
/*
 * Console 1 has brought more: all of it is dropped, and libxl finds no file, so a save fails.
 * 1 when that was so, 0, or negative errno; @path is the file's.
 */
int savefile_bound(uint32_t guest, char *path, size_t size);
/* The same for what came by console 2 of a guest that was restored, by a state of at most @limit. */
int savefile_bound_incoming(uint32_t guest, uint64_t limit, char *path, size_t size);
/* Bytes @from to @to, or to its end, take no space any more, and the size stays.  Negative errno. */
int savefile_hole(const char *path, uint64_t from, uint64_t to);

/* The stubdomain is new, or gone with its guest: nothing there is needed. */
void savefile_forget(uint32_t guest);

#endif

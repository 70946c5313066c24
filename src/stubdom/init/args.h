/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From libxl's arguments for "stubdom-dm" to the command line of the QEMU in
 * this image.  A pure function: it looks at nothing but its input.
 *
 * libxl builds the list (libxl_dm.c:libxl__build_device_model_args_new) for
 * any QEMU and partly for dom0; the image must replace, translate and drop
 * what has another meaning here, and must know which disks, NICs and consoles
 * to have ready before QEMU starts.
 */
#ifndef ARGS_H
#define ARGS_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

/* dm-argv has three digits. */
#define ARGS_MAX	999
/* libxl emulates at most so many NICs of one guest here; a bound, not a goal. */
#define ARGS_NICS_MAX	32
#define ARGS_NOTES_MAX	16

/* File descriptors QEMU inherits, always under these numbers. */
#define QEMU_FD_QMP_BROKER	3
#define QEMU_FD_QMP_INIT	4
#define QEMU_FD_RESTORE		5
#define QEMU_FD_SAVE		6
#define QEMU_FD_END		7	/* everything from here on is closed */

/* What libxl writes where an image has to put its own descriptor. */
#define ARGS_RESTORE_WORD	"$STUBDOM_RESTORE_INCOMING_ARG"

struct args_nic {
	unsigned int devid;		/* n of device/vif/<n> */
	char ifname[IFNAMSIZ];		/* the tap QEMU will open */
	char id[16];			/* what QEMU calls it, or "" */
};

struct args_plan {
	char **argv;			/* NULL-terminated, all of it malloc'd */
	unsigned int argc;

	uint32_t disks;			/* bit i: /dev/xvd<'a' + i> is used */
	uint32_t serials;		/* bit i: /dev/hvc<i> is used */
	struct args_nic nics[ARGS_NICS_MAX];
	unsigned int n_nics;
	bool restore;			/* QEMU_FD_RESTORE is wanted */
	char name[128];			/* -name, or "" */
	char machine[32];		/* the type in -machine, or "" */

	/* What was changed or dropped and the user may want to know. */
	char notes[ARGS_NOTES_MAX][160];
	unsigned int n_notes;

	char error[256];		/* set when args_rewrite() fails */
};

struct args_opts {
	const char *qemu;		/* argv[0] */
	unsigned int guest;		/* domid QEMU is for */
	bool save_fd;			/* QEMU_FD_SAVE is open: fdset 1 */
};

/*
 * 0, or negative errno with plan->error saying what is wrong and what to do.
 * args_free() in either case.
 */
int args_rewrite(const struct args_opts *o, char *const *in, unsigned int n,
		 struct args_plan *plan);
void args_free(struct args_plan *plan);

#endif

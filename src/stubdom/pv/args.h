/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line that libxl makes for the QEMU in dom0 of a stubdomain.  Pure. */
#ifndef PV_ARGS_H
#define PV_ARGS_H

#include <stdbool.h>
#include <stdint.h>

/* libxl's own and libxenstat's. */
#define ARGS_MONITORS 2

struct args_monitor {
	int fd;			/* it listens already; -1: */
	char path[108];		/* a socket to be made */
};

struct args_vnc {
	bool wanted, password;
	char host[64];
	uint32_t first, last;	/* ports: one of them */
};

struct args {
	bool probe;		/* "-machine none": libxl asks which options there are */
	uint32_t domid;
	const char *name;	/* the stubdomain's, as in argv; NULL */
	struct args_vnc vnc;
	const char *keymap;	/* the argument of -k; NULL */
	struct args_monitor monitor[ARGS_MONITORS];
	unsigned int n_monitors;
	const char *unknown;	/* the option that is QEMU's affair */
};

/*
 * 0; -ENOTSUP and a->unknown: only QEMU knows this one (device_model_args= of the guest's
 * file, a device model that is no stubdomain's); -EINVAL: not of libxl.
 */
int args_parse(int argc, char **argv, struct args *a);

/*
 * The next KEY=VALUE of a list with commas, as QEMU has it: ",," is a comma of the value.
 * What has no '=' is a key with an empty value.  1, 0 at the end, or -E2BIG.
 */
int args_next(const char **list, char *key, char *value, unsigned int size);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How big QEMU takes a disk to be, and what it may be told.  Pure. */
#ifndef XE_VD_SIZE_H
#define XE_VD_SIZE_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "ids.h"
#include "spec.h"

/* In the answer to query-block; 0 when it is not there. */
uint64_t vd_size_of(struct json_object *list, struct vd_id id);

/* "8G": a number of bytes, or of K, M, G or T (1024 each).  -EINVAL */
int vd_size_parse(const char *text, uint64_t *bytes);

/* A disk that somebody asks to be resized. */
struct vd_resize {
	const struct vd_spec *spec;
	bool blockdev;
	uint64_t have;		/* as QEMU has it */
	uint64_t now;		/* of the device or the image file */
	uint64_t asked;		/* 0: no size was given */
};

/* 0 and what QEMU is to be told: @r->have when nothing.  Or -EINVAL and @error (VD_ERROR_MAX). */
int vd_size_plan(const struct vd_resize *r, uint64_t *to, char *error);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A stubdomain's frames: linked instead of src/stubdom/vnc/frames.c. */
#ifndef FAKE_FRAMES_H
#define FAKE_FRAMES_H

#include <stdint.h>

#include "stubdom/vnc/frames.h"

/* Frames 1 to FAKE_FRAMES - 1 are its own; several that are mapped together have to follow each other. */
#define FAKE_FRAMES 1024u

extern unsigned char fake_frame[FAKE_FRAMES][4096];
extern size_t fake_frames_mapped;

#endif

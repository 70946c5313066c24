/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From what RFB clients do to what a PV keyboard and pointer say.  Pure. */
#ifndef VNC_INPUT_H
#define VNC_INPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <xen/io/kbdif.h>

/* Buttons, wheel and one place. */
#define INPUT_EVENTS 8

struct input {
	bool absolute;
	unsigned int buttons;
	uint32_t x, y;
	uint64_t down[4];		/* keys, by KEY_* below 256 */
};

/* How many events of @ev. */
unsigned int input_pointer(struct input *in, unsigned int buttons, uint32_t x, uint32_t y, union xenkbd_in_event *ev);
/* A key; again while it is down is an event of its own, as autorepeat has it. */
void input_key(struct input *in, bool down, uint32_t code, union xenkbd_in_event *ev);
/* A key or button that is still down, released: false when there is none. */
bool input_release(struct input *in, union xenkbd_in_event *ev);

#endif

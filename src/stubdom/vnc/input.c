// SPDX-License-Identifier: GPL-2.0-or-later
#include "input.h"

#include <linux/input-event-codes.h>
#include <string.h>

#define WHEEL_UP	0x08u
#define WHEEL_DOWN	0x10u

static const struct {
	unsigned int bit;
	uint32_t code;
} buttons_of[] = { { 1, BTN_LEFT }, { 2, BTN_MIDDLE }, { 4, BTN_RIGHT } };

static void key_event(union xenkbd_in_event *ev, bool down, uint32_t code)
{
	memset(ev, 0, sizeof(*ev));
	ev->key.type = XENKBD_TYPE_KEY;
	ev->key.pressed = down;
	ev->key.keycode = code;
}

static void place(struct input *in, uint32_t x, uint32_t y, int32_t z, union xenkbd_in_event *ev)
{
	memset(ev, 0, sizeof(*ev));
	if (in->absolute) {
		ev->pos = (struct xenkbd_position){ XENKBD_TYPE_POS, (int32_t)x, (int32_t)y, z };
	} else {
		ev->motion = (struct xenkbd_motion){
			XENKBD_TYPE_MOTION, (int32_t)(x - in->x), (int32_t)(y - in->y), z,
		};
	}
	in->x = x;
	in->y = y;
}

unsigned int input_pointer(struct input *in, unsigned int buttons, uint32_t x, uint32_t y, union xenkbd_in_event *ev)
{
	unsigned int changed = buttons ^ in->buttons, pressed = changed & buttons, n = 0;
	int32_t z = 0;

	/* Upwards is negative: xen-kbdfront turns it round. */
	if (pressed & WHEEL_UP)
		z--;
	if (pressed & WHEEL_DOWN)
		z++;
	/* First where, then what. */
	if (x != in->x || y != in->y || z)
		place(in, x, y, z, &ev[n++]);
	for (unsigned int i = 0; i < sizeof(buttons_of) / sizeof(buttons_of[0]); i++)
		if (changed & buttons_of[i].bit)
			key_event(&ev[n++], buttons & buttons_of[i].bit, buttons_of[i].code);
	in->buttons = buttons;
	return n;
}

void input_key(struct input *in, bool down, uint32_t code, union xenkbd_in_event *ev)
{
	uint64_t bit = UINT64_C(1) << (code % 64);

	if (code < 256 && down)
		in->down[code / 64] |= bit;
	else if (code < 256)
		in->down[code / 64] &= ~bit;
	key_event(ev, down, code);
}

bool input_release(struct input *in, union xenkbd_in_event *ev)
{
	for (unsigned int i = 0; i < 3; i++)
		if (in->buttons & buttons_of[i].bit) {
			in->buttons &= ~buttons_of[i].bit;
			key_event(ev, false, buttons_of[i].code);
			return true;
		}
	for (uint32_t code = 0; code < 256; code++)
		if (in->down[code / 64] & UINT64_C(1) << (code % 64)) {
			input_key(in, false, code, ev);
			return true;
		}
	return false;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From an RFB client's key symbols to the keys of a keyboard with a layout. */
#ifndef VNC_KEYS_H
#define VNC_KEYS_H

#include <stdint.h>

/* The layout of keymap=, as QEMU names it ("de", "en-us", "fr-ch"); "" is "en-us".  -ENOENT, -ENOMEM. */
int keys_load(const char *keymap);

/* KEY_* of <linux/input.h>; 0 when the layout has no such key. */
uint32_t keys_find(uint32_t keysym);

/* Pure: QEMU's name as xkb's layout and variant (static or inside @buf, of 16 bytes). */
const char *keys_layout(const char *keymap, char *buf);

#endif

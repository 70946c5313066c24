// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/vnc/fbring.c src/stubdom/vnc/video.c src/stubdom/vnc/input.c tests/unit/fake_frames.c */
/*
 * A framebuffer's page, its directory and its ring, and a keyboard's page, as a hostile
 * stubdomain writes them: every pixel of every rectangle lies inside of video memory.
 *
 * The input: the page's first 48 bytes, then events of 40 bytes; bit 0 of the first byte of an
 * event: the ring's index leaps.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fake_frames.h"
#include "stubdom/vnc/input.h"
#include "stubdom/vnc/video.h"

#define PAGE 1
#define DIRECTORY 2
#define MEMORY 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct xenfb_page *page = (struct xenfb_page *)fake_frame[PAGE];
static unsigned char kbd_page[4096] __attribute__((aligned(4096)));

static void must(int is)
{
	if (!is)
		abort();
}

/* As the screen copies what has changed. */
static void check(struct video *v)
{
	const struct fb_rect *r = &v->damage;
	uint64_t last;

	must(v->mode.width && v->mode.height && !fb_mode_check(&v->mode, v->length));
	must(v->length <= (FAKE_FRAMES - MEMORY) * 4096u);
	if (!r->width)
		return;
	must(r->x + r->width <= v->mode.width && r->height && r->y + r->height <= v->mode.height);
	last = v->mode.offset + (uint64_t)(r->y + r->height - 1) * v->mode.stride + (r->x + r->width) * FB_PIXEL;
	must(last <= v->length);
	must(v->memory[last - 1] == 0);
	v->damage.width = 0;
}

static void keyboard(const uint8_t *data, size_t size)
{
	struct xenkbd_page *p = (struct xenkbd_page *)kbd_page;
	union xenkbd_in_event ev[INPUT_EVENTS];
	struct input in = { .absolute = size & 1 };
	struct kbd_ring r;

	memset(kbd_page, 0, sizeof(kbd_page));
	memcpy(p, data, size < sizeof(*p) ? size : sizeof(*p));
	kbd_ring_init(&r, p);
	for (size_t i = 0; i + 8 <= size; i += 8) {
		uint32_t x, y;
		unsigned int n;

		memcpy(&x, data + i, 4);
		memcpy(&y, data + i + 4, 4);
		n = input_pointer(&in, x ^ y, x, y, ev);
		must(n <= INPUT_EVENTS);
		input_key(&in, x & 1, y, &ev[0]);
		while (n--)
			kbd_ring_put(&r, &ev[n]);
		p->in_cons = x & 2 ? y : r.in_prod;
	}
	/* Only its part of the page is written. */
	for (size_t i = sizeof(*p); i < XENKBD_IN_RING_OFFS; i++)
		must(!kbd_page[i]);
	for (size_t i = XENKBD_IN_RING_OFFS + XENKBD_IN_RING_SIZE; i < sizeof(kbd_page); i++)
		must(!kbd_page[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct video v = { .frames = frames_open(7) };

	keyboard(data, size);
	if (size < 48)
		return 0;
	memset(fake_frame, 0, 3 * 4096);
	memcpy(page, data, 48);
	page->pd[0] = DIRECTORY;
	page->pd[1] = data[1] & 1 ? DIRECTORY + 1 : 0;
	for (uint64_t i = 0; i < 512; i++)
		((uint64_t *)fake_frame[DIRECTORY])[i] = MEMORY + i;
	if (!video_connect(&v, PAGE)) {
		check(&v);
		for (size_t at = 48; at + 40 <= size; at += 40) {
			memcpy(&XENFB_OUT_RING_REF(page, page->out_prod), data + at, 40);
			page->out_prod = data[at] & 0x80 ? data[at] : page->out_prod + 1;
			if (video_events(&v))
				break;
			check(&v);
		}
		video_disconnect(&v);
	}
	must(!fake_frames_mapped);
	return 0;
}

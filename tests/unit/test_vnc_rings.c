// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/vnc/fbring.c src/stubdom/vnc/input.c src/stubdom/vnc/video.c tests/unit/fake_frames.c */
/* Framebuffer and keyboard as a stubdomain has them, and as a hostile one has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/input-event-codes.h>
#include <string.h>

#include "fake_frames.h"
#include "stubdom/vnc/input.h"
#include "stubdom/vnc/video.h"

#define PAGE 1
#define DIRECTORY 2
#define MEMORY 3
#define PAGES 512	/* 2 MiB */

static struct xenfb_page *page = (struct xenfb_page *)fake_frame[PAGE];
static struct video v;

static void stubdomain(void)
{
	memset(fake_frame, 0, sizeof(fake_frame));
	*page = (struct xenfb_page){
		.width = 800, .height = 600, .line_length = 3200, .mem_length = PAGES * 4096, .depth = 32, .pd = { DIRECTORY },
	};
	for (uint64_t i = 0; i < PAGES; i++)
		((uint64_t *)fake_frame[DIRECTORY])[i] = MEMORY + i;
	v = (struct video){ .frames = frames_open(7) };
}

static void say(const union xenfb_out_event *ev)
{
	XENFB_OUT_RING_REF(page, page->out_prod) = *ev;
	page->out_prod++;
}

static void update(int32_t x, int32_t y, int32_t width, int32_t height)
{
	union xenfb_out_event ev = { .update = { XENFB_TYPE_UPDATE, x, y, width, height } };

	say(&ev);
}

static void resize(int32_t width, int32_t height, int32_t stride, int32_t depth, int32_t offset)
{
	union xenfb_out_event ev = { .resize = { XENFB_TYPE_RESIZE, width, height, stride, depth, offset } };

	say(&ev);
}

static void modes(void **state)
{
	static const struct { struct fb_mode m; uint32_t length; int ret; } cases[] = {
		{ { 800, 600, 3200, 0 }, 1920000, 0 }, { { 800, 600, 3200, 0 }, 1919999, -EINVAL },
		{ { 800, 600, 3200, 4 }, 1920004, 0 }, { { 800, 600, 3200, 4 }, 1920000, -EINVAL },
		{ { 800, 600, 3196, 0 }, 1920000, -EINVAL }, { { 800, 600, 3202, 0 }, 4000000, -EINVAL },
		{ { 0, 600, 3200, 0 }, 1920000, -EINVAL }, { { 800, 0, 3200, 0 }, 1920000, -EINVAL },
		{ { 8193, 1, 8193 * 4, 0 }, 1 << 20, -EINVAL }, { { 1, 8192, 4, 0 }, 1 << 20, 0 },
		{ { 1, 8192, 0xfffffffc, 0 }, 0xffffffff, -EINVAL }, { { 1, 1, 4, 0xfffffffc }, 0xffffffff, -EINVAL },
		{ { 800, 600, 3200, 2 }, 4000000, -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(fb_mode_check(&cases[i].m, cases[i].length), cases[i].ret);
}

static void rectangles(void **state)
{
	const struct fb_mode m = { 800, 600, 3200, 0 };
	struct fb_rect r, all = { 0 };

	(void)state;
	assert_true(fb_clip(&m, -10, -20, 30, 40, &r));
	assert_memory_equal(&r, (&(struct fb_rect){ 0, 0, 20, 20 }), sizeof(r));
	assert_true(fb_clip(&m, 790, 590, INT32_MAX, INT32_MAX, &r));
	assert_memory_equal(&r, (&(struct fb_rect){ 790, 590, 10, 10 }), sizeof(r));
	assert_false(fb_clip(&m, 800, 0, 1, 1, &r));
	assert_false(fb_clip(&m, 0, 0, 0, 1, &r));
	assert_false(fb_clip(&m, 0, 0, -5, 1, &r));
	assert_false(fb_clip(&m, INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX, &r));
	fb_join(&all, &(struct fb_rect){ 10, 10, 5, 5 });
	fb_join(&all, &(struct fb_rect){ 0 });
	fb_join(&all, &(struct fb_rect){ 2, 12, 4, 10 });
	assert_memory_equal(&all, (&(struct fb_rect){ 2, 10, 13, 12 }), sizeof(all));
}

static void a_framebuffer(void **state)
{
	(void)state;
	stubdomain();
	assert_int_equal(video_connect(&v, PAGE), 0);
	assert_int_equal(v.mode.width, 800);
	assert_true(v.resized);
	assert_ptr_equal(v.memory, fake_frame[MEMORY]);
	update(10, 10, 5, 5);
	update(700, 500, 200, 200);
	assert_int_equal(video_events(&v), 0);
	assert_memory_equal(&v.damage, (&(struct fb_rect){ 10, 10, 790, 590 }), sizeof(v.damage));
	assert_int_equal(page->out_cons, 2);
	resize(640, 480, 2560, 32, 0);
	update(0, 0, 10, 10);
	assert_int_equal(video_events(&v), 0);
	assert_int_equal(v.mode.height, 480);
	assert_memory_equal(&v.damage, (&(struct fb_rect){ 0, 0, 10, 10 }), sizeof(v.damage));
	video_disconnect(&v);
	assert_int_equal(fake_frames_mapped, 0);
}

static void pages_that_cannot_be(void **state)
{
	struct xenfb_page good;

	(void)state;
	stubdomain();
	good = *page;
#define BAD(change) do { *page = good; page->change; assert_true(video_connect(&v, PAGE) < 0); \
		assert_int_equal(fake_frames_mapped, 0); } while (0)
	BAD(width = 0);
	BAD(height = -1);
	BAD(depth = 16);
	BAD(line_length = 100);
	BAD(mem_length = 1000);
	BAD(mem_length = 0xffffffff);
	BAD(mem_length = 64 * 1024 * 1024);	/* not so many frames */
	BAD(pd[0] = 0);
	BAD(pd[0] = 1ul << 40);
	*page = good;
	((uint64_t *)fake_frame[DIRECTORY])[100] = 7777777;
	assert_true(video_connect(&v, PAGE) < 0);
	assert_true(video_connect(&v, 0) < 0);
	assert_int_equal(fake_frames_mapped, 0);
}

static void events_that_cannot_be(void **state)
{
	static const int32_t sizes[][5] = {
		{ 800, 700, 3200, 32, 0 }, { 800, 600, 3200, 16, 0 }, { -1, 600, 3200, 32, 0 }, { 800, 600, -4, 32, 0 },
		{ 800, 600, 3200, 32, -4 }, { 800, 600, 0, 32, 0 },
	};
	union xenfb_out_event ev = { .type = 9 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) + 2; i++) {
		stubdomain();
		assert_int_equal(video_connect(&v, PAGE), 0);
		if (i < sizeof(sizes) / sizeof(sizes[0]))
			resize(sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3], sizes[i][4]);
		else if (i % 2)
			page->out_prod = 1000;
		else
			say(&ev);
		assert_int_equal(video_events(&v), -EPROTO);
		assert_int_equal(v.mode.height, 600);
		video_disconnect(&v);
	}
}

static void a_pointer(void **state)
{
	union xenkbd_in_event ev[INPUT_EVENTS];
	struct input in = { .absolute = true };

	(void)state;
	assert_int_equal(input_pointer(&in, 1, 30, 40, ev), 2);
	assert_int_equal(ev[0].type, XENKBD_TYPE_POS);
	assert_int_equal(ev[0].pos.abs_x, 30);
	assert_int_equal(ev[0].pos.abs_y, 40);
	assert_int_equal(ev[1].key.keycode, BTN_LEFT);
	assert_int_equal(ev[1].key.pressed, 1);
	assert_int_equal(input_pointer(&in, 1, 30, 40, ev), 0);
	assert_int_equal(input_pointer(&in, 8, 30, 40, ev), 2);
	assert_int_equal(ev[0].pos.rel_z, -1);
	assert_int_equal(ev[1].key.pressed, 0);
	assert_int_equal(input_pointer(&in, 0, 30, 40, ev), 0);
	in.absolute = false;
	assert_int_equal(input_pointer(&in, 2, 20, 45, ev), 2);
	assert_int_equal(ev[0].type, XENKBD_TYPE_MOTION);
	assert_int_equal(ev[0].motion.rel_x, -10);
	assert_int_equal(ev[0].motion.rel_y, 5);
	assert_int_equal(input_pointer(&in, ~0u, 0, 0, ev), 3);
}

static void keys(void **state)
{
	union xenkbd_in_event ev;
	struct input in = { .buttons = 4 };

	(void)state;
	input_key(&in, true, KEY_LEFTSHIFT, &ev);
	assert_int_equal(ev.key.keycode, KEY_LEFTSHIFT);
	input_key(&in, true, KEY_A, &ev);
	input_key(&in, false, KEY_A, &ev);
	assert_int_equal(ev.key.pressed, 0);
	input_key(&in, true, 5000, &ev);
	assert_true(input_release(&in, &ev));
	assert_int_equal(ev.key.keycode, BTN_RIGHT);
	assert_true(input_release(&in, &ev));
	assert_int_equal(ev.key.keycode, KEY_LEFTSHIFT);
	assert_int_equal(ev.key.pressed, 0);
	assert_false(input_release(&in, &ev));
}

static void a_keyboard_that_is_not_read(void **state)
{
	static unsigned char mem[4096] __attribute__((aligned(4096)));
	struct xenkbd_page *p = (struct xenkbd_page *)mem;
	const union xenkbd_in_event ev = { .key = { XENKBD_TYPE_KEY, 1, KEY_A } };
	struct kbd_ring r;

	(void)state;
	kbd_ring_init(&r, p);
	for (unsigned int i = 0; i < XENKBD_IN_RING_LEN; i++)
		assert_int_equal(kbd_ring_put(&r, &ev), 1);
	assert_int_equal(kbd_ring_put(&r, &ev), 0);
	assert_int_equal(p->in_prod, XENKBD_IN_RING_LEN);
	assert_int_equal(XENKBD_IN_RING_REF(p, 5).key.keycode, KEY_A);
	p->in_cons = 1;
	assert_int_equal(kbd_ring_put(&r, &ev), 1);
	p->in_cons = 1000;
	assert_int_equal(kbd_ring_put(&r, &ev), -EPROTO);
	for (size_t i = 1024 + 2048; i < sizeof(mem); i++)
		assert_int_equal(mem[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modes), cmocka_unit_test(rectangles), cmocka_unit_test(a_framebuffer),
		cmocka_unit_test(pages_that_cannot_be), cmocka_unit_test(events_that_cannot_be), cmocka_unit_test(a_pointer),
		cmocka_unit_test(keys), cmocka_unit_test(a_keyboard_that_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

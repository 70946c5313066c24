// SPDX-License-Identifier: GPL-2.0-or-later
#include "video.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PER_PAGE (FB_PAGE / sizeof(uint64_t))

static size_t pages(uint64_t bytes)
{
	return (bytes + FB_PAGE - 1) / FB_PAGE;
}

/* The frame numbers of video memory, which stand in pages of their own; copied once. */
static int read_directory(struct video *v, uint64_t *gfns, size_t n)
{
	uint64_t dirs[sizeof(v->page->pd) / sizeof(v->page->pd[0])];
	size_t n_dirs = pages(n * sizeof(uint64_t));
	void *map;

	if (n_dirs > sizeof(dirs) / sizeof(dirs[0]))
		return -EINVAL;
	for (size_t i = 0; i < n_dirs; i++)
		dirs[i] = ((volatile unsigned long *)v->page->pd)[i];
	map = frames_map(v->frames, dirs, n_dirs, false);
	if (!map)
		return errno ? -errno : -EIO;
	memcpy(gfns, map, n * sizeof(uint64_t));
	frames_unmap(v->frames, map, n_dirs);
	return 0;
}

static int map_memory(struct video *v)
{
	size_t n = pages(v->length);
	uint64_t *gfns = calloc(n, sizeof(*gfns));
	int ret = gfns ? read_directory(v, gfns, n) : -ENOMEM;

	if (!ret) {
		v->memory = frames_map(v->frames, gfns, n, false);
		ret = v->memory ? 0 : errno ? -errno : -EIO;
	}
	free(gfns);
	return ret;
}

int video_connect(struct video *v, uint64_t gfn)
{
	int ret;

	v->page = frames_map(v->frames, &gfn, 1, true);
	if (!v->page)
		return errno ? -errno : -EIO;
	ret = fb_page_read(v->page, &v->mode, &v->length);
	if (!ret)
		ret = map_memory(v);
	if (ret) {
		video_disconnect(v);
		return ret;
	}
	fb_ring_init(&v->ring, v->page);
	v->resized = true;
	return 0;
}

void video_disconnect(struct video *v)
{
	if (v->memory)
		frames_unmap(v->frames, (void *)v->memory, pages(v->length));
	if (v->page)
		frames_unmap(v->frames, v->page, 1);
	v->memory = NULL;
	v->page = NULL;
	v->damage.width = 0;
	v->resized = false;
}

static int on_resize(struct video *v, const struct xenfb_resize *r)
{
	struct fb_mode m = {
		.width = (uint32_t)r->width, .height = (uint32_t)r->height, .stride = (uint32_t)r->stride,
		.offset = (uint32_t)r->offset,
	};

	if (r->depth != 8 * FB_PIXEL || fb_mode_check(&m, v->length))
		return -EPROTO;
	v->mode = m;
	v->resized = true;
	v->damage.width = 0;
	return 0;
}

static int on_event(struct video *v, const union xenfb_out_event *ev)
{
	struct fb_rect r;

	if (ev->type == XENFB_TYPE_RESIZE)
		return on_resize(v, &ev->resize);
	if (ev->type != XENFB_TYPE_UPDATE)
		return -EPROTO;
	if (fb_clip(&v->mode, ev->update.x, ev->update.y, ev->update.width, ev->update.height, &r))
		fb_join(&v->damage, &r);
	return 0;
}

int video_events(struct video *v)
{
	int n = fb_ring_count(&v->ring), ret = n < 0 ? n : 0;

	/* Those that are there now, and no more: others have their turn. */
	while (!ret && n-- > 0) {
		union xenfb_out_event ev;

		fb_ring_take(&v->ring, &ev);
		ret = on_event(v, &ev);
	}
	if (!ret)
		fb_ring_done(&v->ring);
	return ret;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "screen.h"

#include <errno.h>
#include <rfb/rfb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include "base/ratelimit.h"

static struct {
	rfbScreenInfoPtr rfb;
	const struct screen_ops *ops;
	void *arg;
	const struct log_about *about;
	struct limit lines;
	const struct video *video;	/* what is shown */
	char password[9], *passwords[2];
	unsigned int clients;
} screen;

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- pixels ---- */

static void copy_rect(const struct fb_rect *r)
{
	const struct video *v = screen.video;
	size_t stride = (size_t)screen.rfb->width * FB_PIXEL;

	if (!v || !v->memory || !screen.rfb->frameBuffer)
		return;
	for (uint32_t y = r->y; y < r->y + r->height; y++)
		memcpy(screen.rfb->frameBuffer + y * stride + r->x * FB_PIXEL,
		       v->memory + v->mode.offset + (size_t)y * v->mode.stride + r->x * FB_PIXEL, (size_t)r->width * FB_PIXEL);
}

static void copy_all(void)
{
	const struct fb_rect all = { 0, 0, (uint32_t)screen.rfb->width, (uint32_t)screen.rfb->height };

	copy_rect(&all);
}

/* x8r8g8b8, not what libvncserver takes for granted. */
static void set_format(void)
{
	rfbClientIteratorPtr it = rfbGetClientIterator(screen.rfb);
	rfbClientPtr cl;

	screen.rfb->serverFormat.redShift = 16;
	screen.rfb->serverFormat.greenShift = 8;
	screen.rfb->serverFormat.blueShift = 0;
	screen.rfb->serverFormat.depth = 24;
	while ((cl = rfbClientIteratorNext(it)))
		screen.rfb->setTranslateFunction(cl);
	rfbReleaseClientIterator(it);
}

/* A copy of the screen is there while somebody looks at it. */
static bool new_copy(uint32_t width, uint32_t height)
{
	char *old = screen.rfb->frameBuffer, *new = screen.clients ? calloc(height, (size_t)width * FB_PIXEL) : NULL;

	if (screen.clients && !new)
		return false;
	rfbNewFramebuffer(screen.rfb, new, (int)width, (int)height, 8, 3, FB_PIXEL);
	set_format();
	free(old);
	copy_all();
	return true;
}

void screen_update(struct video *v)
{
	static const struct fb_mode none = { .width = 640, .height = 400 };
	const struct fb_mode *m = v->memory ? &v->mode : &none;
	bool change = screen.video != v || v->resized || !v->memory;

	screen.video = v;
	v->resized = false;
	if (change && !new_copy(m->width, m->height))
		screen.video = NULL;
	if (!change && v->damage.width) {
		copy_rect(&v->damage);
		if (screen.clients)
			rfbMarkRectAsModified(screen.rfb, (int)v->damage.x, (int)v->damage.y, (int)(v->damage.x + v->damage.width),
					      (int)(v->damage.y + v->damage.height));
	}
	v->damage.width = 0;
}

/* ---- clients ---- */

static void on_key(rfbBool down, rfbKeySym sym, rfbClientPtr cl)
{
	(void)cl;
	screen.ops->key(screen.arg, down, (uint32_t)sym);
}

static void on_pointer(int buttons, int x, int y, rfbClientPtr cl)
{
	screen.ops->pointer(screen.arg, (unsigned int)buttons, x < 0 ? 0 : (uint32_t)x, y < 0 ? 0 : (uint32_t)y);
	rfbDefaultPtrAddEvent(buttons, x, y, cl);
}

static void on_gone(rfbClientPtr cl)
{
	(void)cl;
	if (--screen.clients)
		return;
	free(screen.rfb->frameBuffer);
	screen.rfb->frameBuffer = NULL;
}

static enum rfbNewClientAction on_client(rfbClientPtr cl)
{
	/* When it came, for screen_serve(). */
	cl->clientData = (void *)(uintptr_t)now_ms();
	cl->clientGoneHook = on_gone;
	screen.clients++;
	if (!screen.rfb->frameBuffer)
		screen.rfb->frameBuffer = calloc((size_t)screen.rfb->height, (size_t)screen.rfb->width * FB_PIXEL);
	if (!screen.rfb->frameBuffer)
		return RFB_CLIENT_REFUSE;
	copy_all();
	return RFB_CLIENT_ACCEPT;
}

static void no_text(char *text, int len, rfbClientPtr cl)
{
	(void)text;
	(void)len;
	(void)cl;
}

static void on_log(const char *fmt, ...)
{
	char line[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	log_clean(line, sizeof(line), line, strcspn(line, "\n"));
	if (limit_take(&screen.lines, now_ms(), 3600 * 1000, 20))
		log_info(screen.about, "VNC: %s", line);
}

static void no_log(const char *fmt, ...)
{
	(void)fmt;
}

/* Its challenges come from random(), which it would seed with the time. */
static void seed(void)
{
	unsigned int n = (unsigned int)now_ms();

	if (getrandom(&n, sizeof(n), GRND_NONBLOCK) != sizeof(n))
		on_log("no random numbers");
	srandom(n);
}

int screen_init(const char *name, bool password, const struct screen_ops *ops, void *arg, const struct log_about *about)
{
	unsigned char challenge[16];

	rfbLogEnable(1);
	rfbLog = no_log;
	rfbErr = on_log;
	screen.ops = ops;
	screen.arg = arg;
	screen.about = about;
	screen.rfb = rfbGetScreen(NULL, NULL, 640, 400, 8, 3, FB_PIXEL);
	if (!screen.rfb)
		return -ENOMEM;
	screen.rfb->desktopName = name;
	screen.rfb->port = screen.rfb->ipv6port = 0;	/* it makes no socket of its own */
	screen.rfb->alwaysShared = TRUE;
	screen.rfb->deferUpdateTime = 0;
	screen.rfb->maxClientWait = rfbMaxClientWait = SCREEN_STALL_MS;
	screen.rfb->cursor = NULL;
	screen.rfb->kbdAddEvent = on_key;
	screen.rfb->ptrAddEvent = on_pointer;
	screen.rfb->setXCutText = no_text;
	screen.rfb->newClientHook = on_client;
	if (password) {
		screen.passwords[0] = screen.password;
		/* Nobody guesses it; libxl sets another by QMP. */
		if (getrandom(screen.password, 8, 0) != 8)
			return -EIO;
		screen.rfb->authPasswdData = screen.passwords;
		screen.rfb->passwordCheck = rfbCheckPasswordByList;
	}
	set_format();
	rfbInitServer(screen.rfb);
	/* Ciphers are loaded now. */
	rfbRandomBytes(challenge);
	rfbEncryptBytes(challenge, (char *)"warm up");
	return 0;
}

void screen_password(const char *text)
{
	if (!*text)
		return;
	memset(screen.password, 0, sizeof(screen.password));
	strncpy(screen.password, text, 8);
}

void screen_accept(int listen)
{
	int fd = accept4(listen, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (screen.clients >= SCREEN_CLIENTS) {
		close(fd);
		return;
	}
	seed();
	rfbNewClient(screen.rfb, fd);
}

unsigned int screen_poll(struct pollfd *fds)
{
	rfbClientIteratorPtr it = rfbGetClientIterator(screen.rfb);
	unsigned int n = 0;
	rfbClientPtr cl;

	while ((cl = rfbClientIteratorNext(it)) && n < SCREEN_CLIENTS)
		if (cl->sock >= 0)
			fds[n++] = (struct pollfd){ .fd = cl->sock, .events = POLLIN };
	rfbReleaseClientIterator(it);
	return n;
}

/* How long until one of them has to have logged in; -1: all have.  *@dropped: some went. */
static int judge_clients(bool *dropped)
{
	rfbClientIteratorPtr it = rfbGetClientIterator(screen.rfb);
	uint64_t now = now_ms();
	rfbClientPtr cl;
	int wait = -1;

	*dropped = false;
	while ((cl = rfbClientIteratorNext(it))) {
		uint64_t age = now - (uintptr_t)cl->clientData;
		bool late = cl->state != RFB_NORMAL && age >= SCREEN_AUTH_MS;

		/* A screen that is scaled for a client is libvncserver's own, and does not follow modes. */
		if (late || cl->scaledScreen != screen.rfb) {
			rfbCloseClient(cl);
			*dropped = true;
		} else if (cl->state != RFB_NORMAL && (wait < 0 || (int)(SCREEN_AUTH_MS - age) < wait)) {
			wait = (int)(SCREEN_AUTH_MS - age);
		}
	}
	rfbReleaseClientIterator(it);
	return wait;
}

int screen_serve(void)
{
	bool dropped;
	int wait;

	do {
		rfbProcessEvents(screen.rfb, 0);
		wait = judge_clients(&dropped);
	} while (dropped);
	return wait;
}

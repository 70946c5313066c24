// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/vnc/display.c src/stubdom/vnc/screen.c src/stubdom/vnc/video.c src/stubdom/vnc/fbring.c src/stubdom/vnc/input.c src/stubdom/vnc/keys.c src/stubdom/vnc/rights.c src/lib/daemon/confine.c src/lib/base/log.c tests/unit/fake_foreign.c tests/unit/fake_frames.c */
/* test-pkgs: libvncserver xkbcommon libseccomp */
/* A stubdomain that paints on one side, RFB clients on the other, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <linux/input-event-codes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confined.h"
#include "fake_foreign.h"
#include "fake_frames.h"
#include "stubdom/vnc/display.h"
#include "stubdom/vnc/keys.h"
#include "stubdom/vnc/rights.h"

#define PAGE 1
#define DIRECTORY 2
#define MEMORY 3
#define PAGES 512
/* A picture that a socket takes at once: client and server are one thread. */
#define WIDTH 160
#define HEIGHT 100

static struct xenfb_page *page = (struct xenfb_page *)fake_frame[PAGE];
static struct log_about about = { .guest = "web", .domid = 4 };
static struct display d;
static struct sockaddr_un place = { .sun_family = AF_UNIX };
static int sock;
static bool remote;		/* another process serves */

static void quiet(int level, const struct log_about *a, const char *line)
{
	(void)level;
	(void)a;
	(void)line;
}

static int group(void **state)
{
	int fds[2];

	(void)state;
	log_open("test", quiet, LOG_INFO);
	d.about = &about;
	d.foreign = foreign_open(7);
	d.video.frames = frames_open(7);
	/* Where packages are built there may be no network at all. */
	snprintf(place.sun_path, sizeof(place.sun_path), "/tmp/test_vnc_display-%d", (int)getpid());
	d.listen = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(d.listen, (struct sockaddr *)&place, sizeof(place)), 0);
	assert_int_equal(listen(d.listen, 8), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	sock = fds[0];
	d.sock = fds[1];
	assert_int_equal(keys_load("de"), 0);
	assert_int_equal(display_init(&d, "web", true), 0);
	return 0;
}

static int group_end(void **state)
{
	(void)state;
	unlink(place.sun_path);
	return 0;
}

static void rounds(int n)
{
	if (remote)
		poll(NULL, 0, 5 * n);
	while (!remote && n--)
		assert_int_equal(display_round(&d, 5), 0);
}

static struct link_msg tell(const struct link_msg *m)
{
	struct link_msg answer = { .what = 99 };

	assert_int_equal(send(sock, m, sizeof(*m), 0), sizeof(*m));
	rounds(5);
	recv(sock, &answer, sizeof(answer), MSG_DONTWAIT);
	return answer;
}

static void framebuffer(void)
{
	const struct link_msg m = { .what = LINK_CONNECT, .n = LINK_VFB, .a = PAGE, .b = 3 };

	memset(fake_frame, 0, sizeof(fake_frame));
	*page = (struct xenfb_page){
		.width = WIDTH, .height = HEIGHT, .line_length = WIDTH * 4, .mem_length = PAGES * 4096, .depth = 32,
		.pd = { DIRECTORY },
	};
	for (uint64_t i = 0; i < PAGES; i++)
		((uint64_t *)fake_frame[DIRECTORY])[i] = MEMORY + i;
	assert_int_equal(tell(&m).what, LINK_CONNECTED);
}

static void paint(uint32_t x, uint32_t y, uint32_t colour)
{
	union xenfb_out_event ev = { .update = { XENFB_TYPE_UPDATE, (int32_t)x, (int32_t)y, 1, 1 } };

	((uint32_t *)fake_frame[MEMORY])[y * WIDTH + x] = colour;
	XENFB_OUT_RING_REF(page, page->out_prod) = ev;
	page->out_prod++;
	fake_foreign_event(3);
}

/* ---- a client ---- */

static void hear(int fd, void *buf, size_t len)
{
	size_t got = 0;

	for (int i = 0; i < 2000 && got < len; i++) {
		ssize_t n = recv(fd, (char *)buf + got, len - got, MSG_DONTWAIT);

		if (n > 0)
			got += (size_t)n;
		else
			rounds(1);
	}
	assert_int_equal(got, len);
}

static void say(int fd, const void *data, size_t len)
{
	assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
	rounds(2);
}

static bool hung_up(int fd)
{
	char c;

	for (int i = 0; i < 1000; i++) {
		ssize_t n = recv(fd, &c, 1, MSG_DONTWAIT);

		if (!n || (n < 0 && errno == ECONNRESET))
			return true;
		rounds(1);
	}
	return false;
}

static int client(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&place, sizeof(place)), 0);
	rounds(3);
	return fd;
}

/* DES as VNC has it is libvncserver's own. */
void rfbEncryptBytes(unsigned char *bytes, char *passwd);

static uint32_t log_in(int fd, const char *password)
{
	unsigned char buf[32];
	uint32_t result;

	hear(fd, buf, 12);
	assert_memory_equal(buf, "RFB 003.008\n", 12);
	say(fd, "RFB 003.008\n", 12);
	hear(fd, buf, 1);
	assert_in_range(buf[0], 1, 8);
	hear(fd, buf + 1, buf[0]);
	say(fd, "\x02", 1);
	hear(fd, buf, 16);
	rfbEncryptBytes(buf, (char *)password);
	say(fd, buf, 16);
	hear(fd, &result, 4);
	return ntohl(result);
}

/* In: the size that the server says. */
static int viewer(uint16_t size[2])
{
	static const unsigned char encodings[] = { 2, 0, 0, 2, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x21 };	/* raw, DesktopSize */
	unsigned char init[24], name[64];
	uint32_t len;
	int fd = client();

	assert_int_equal(log_in(fd, "geheim"), 0);
	say(fd, "\x01", 1);
	hear(fd, init, 24);
	memcpy(size, init, 4);
	size[0] = ntohs(size[0]);
	size[1] = ntohs(size[1]);
	/* x8r8g8b8 */
	assert_int_equal(init[4], 32);
	assert_int_equal(init[14], 16);
	assert_int_equal(init[15], 8);
	assert_int_equal(init[16], 0);
	memcpy(&len, init + 20, 4);
	assert_in_range(ntohl(len), 1, sizeof(name));
	hear(fd, name, ntohl(len));
	say(fd, encodings, sizeof(encodings));
	return fd;
}

static void ask(int fd, uint16_t width, uint16_t height, bool incremental)
{
	uint16_t m[5] = { htons((uint16_t)(0x300 | incremental)), 0, 0, htons(width), htons(height) };

	say(fd, m, sizeof(m));
}

struct rect {
	uint16_t x, y, width, height;
	uint32_t encoding;
};

static struct rect next_rect(int fd)
{
	struct rect r;

	hear(fd, &r, 12);
	return (struct rect){ ntohs(r.x), ntohs(r.y), ntohs(r.width), ntohs(r.height), ntohl(r.encoding) };
}

static unsigned int update(int fd)
{
	uint16_t head[2];

	hear(fd, head, 4);
	assert_int_equal(ntohs(head[0]) >> 8, 0);
	return ntohs(head[1]);
}

/* ---- what must hold ---- */

static void nobody_is_let_in_without_the_password(void **state)
{
	const struct link_msg m = { .what = LINK_PASSWORD, .n = LINK_VFB, .text = "geheim" };
	int fd = client();

	(void)state;
	assert_int_not_equal(log_in(fd, ""), 0);
	assert_true(hung_up(fd));
	close(fd);
	tell(&m);
	fd = client();
	assert_int_not_equal(log_in(fd, "falsch"), 0);
	assert_true(hung_up(fd));
	close(fd);
	fd = client();
	assert_int_equal(log_in(fd, "geheim"), 0);
	close(fd);
	rounds(5);
}

static void a_picture(void **state)
{
	uint32_t *pixels = calloc(WIDTH * HEIGHT, 4), one;
	uint16_t size[2];
	struct rect r;
	int fd;

	(void)state;
	framebuffer();
	paint(5, 6, 0x00123456);
	rounds(10);
	fd = viewer(size);
	assert_int_equal(size[0], WIDTH);
	assert_int_equal(size[1], HEIGHT);
	ask(fd, WIDTH, HEIGHT, false);
	assert_int_equal(update(fd), 1);
	r = next_rect(fd);
	assert_int_equal(r.width, WIDTH);
	assert_int_equal(r.encoding, 0);
	hear(fd, pixels, WIDTH * HEIGHT * 4);
	assert_memory_equal(pixels, fake_frame[MEMORY], WIDTH * HEIGHT * 4);
	/* Damage alone. */
	ask(fd, WIDTH, HEIGHT, true);
	paint(150, 90, 0x00abcdef);
	assert_int_equal(update(fd), 1);
	r = next_rect(fd);
	assert_int_equal(r.x, 150);
	assert_int_equal(r.y, 90);
	assert_int_equal(r.width * r.height, 1);
	hear(fd, &one, 4);
	assert_int_equal(one, 0x00abcdef);
	close(fd);
	free(pixels);
	rounds(5);
}

static void another_mode(void **state)
{
	union xenfb_out_event ev = { .resize = { XENFB_TYPE_RESIZE, 128, 96, 512, 32, 0 } };
	uint32_t *pixels = calloc(WIDTH * HEIGHT, 4);
	uint16_t size[2];
	struct rect r;
	int fd = viewer(size);

	(void)state;
	/* Who is new is shown everything first. */
	ask(fd, WIDTH, HEIGHT, false);
	assert_int_equal(update(fd), 1);
	next_rect(fd);
	hear(fd, pixels, WIDTH * HEIGHT * 4);
	free(pixels);
	ask(fd, WIDTH, HEIGHT, true);
	XENFB_OUT_RING_REF(page, page->out_prod) = ev;
	page->out_prod++;
	fake_foreign_event(3);
	assert_int_equal(update(fd), 1);
	r = next_rect(fd);
	assert_int_equal(r.encoding, (uint32_t)-223);
	assert_int_equal(r.width, 128);
	assert_int_equal(r.height, 96);
	close(fd);
	rounds(5);
}

static void input(void **state)
{
	static const unsigned char press_z[] = { 4, 1, 0, 0, 0, 0, 0, 'z' };
	static const unsigned char click[] = { 5, 1, 0, 30, 0, 40 };
	const struct link_msg m = { .what = LINK_CONNECT, .n = LINK_VKBD, .a = 2, .b = 2, .c = 1 };
	const struct xenkbd_page *kbd = (struct xenkbd_page *)fake_page[2];
	uint16_t size[2];
	int fd;

	(void)state;
	assert_int_equal(tell(&m).what, LINK_CONNECTED);
	fd = viewer(size);
	say(fd, press_z, sizeof(press_z));
	rounds(5);
	assert_int_equal(kbd->in_prod, 1);
	assert_int_equal(XENKBD_IN_RING_REF(kbd, 0).key.keycode, KEY_Y);	/* it is a German one */
	say(fd, click, sizeof(click));
	rounds(5);
	assert_int_equal(kbd->in_prod, 3);
	assert_int_equal(XENKBD_IN_RING_REF(kbd, 1).pos.abs_x, 30);
	assert_int_equal(XENKBD_IN_RING_REF(kbd, 2).key.keycode, BTN_LEFT);
	/* The viewer is gone: nothing stays pressed. */
	close(fd);
	rounds(10);
	assert_int_equal(kbd->in_prod, 5);
	assert_int_equal(XENKBD_IN_RING_REF(kbd, 3).key.pressed, 0);
	assert_int_equal(XENKBD_IN_RING_REF(kbd, 4).key.pressed, 0);
	assert_int_equal(XENKBD_IN_RING_REF(kbd, 4).key.keycode, KEY_Y);
}

static void a_stubdomain_that_is_wrong(void **state)
{
	struct link_msg m = { .what = 99 };

	(void)state;
	page->out_prod += 1000;
	fake_foreign_event(3);
	rounds(30);
	recv(sock, &m, sizeof(m), MSG_DONTWAIT);
	assert_int_equal(m.what, LINK_REFUSED);
	assert_int_equal(m.n, LINK_VFB);
	assert_int_equal(fake_frames_mapped, 0);
	/* The others go on; a framebuffer may come again. */
	framebuffer();
	m = (struct link_msg){ .what = LINK_CONNECT, .n = LINK_VFB, .a = 5000, .b = 3 };
	assert_int_equal(tell(&m).what, LINK_REFUSED);
	m = (struct link_msg){ .what = LINK_DISCONNECT, .n = LINK_VFB };
	tell(&m);
	assert_int_equal(fake_frames_mapped, 0);
	m.a = 5000;
	m.what = LINK_CONNECT;
	assert_int_equal(tell(&m).what, LINK_REFUSED);
}

static void too_many_clients(void **state)
{
	int fd[SCREEN_CLIENTS + 1];
	char buf[12];

	(void)state;
	for (int i = 0; i <= SCREEN_CLIENTS; i++)
		fd[i] = client();
	hear(fd[SCREEN_CLIENTS - 1], buf, 12);
	assert_true(hung_up(fd[SCREEN_CLIENTS]));
	for (int i = 0; i <= SCREEN_CLIENTS; i++)
		close(fd[i]);
	rounds(10);
}

/* A picture in one encoding: so much of it as tells that it came. */
static void see_encoded(uint32_t encoding)
{
	uint32_t set[2] = { htonl(0x02000001), htonl(encoding) };
	uint16_t size[2];
	int fd = viewer(size);
	struct rect r;
	char byte;

	say(fd, set, sizeof(set));
	ask(fd, size[0], size[1], false);
	assert_int_not_equal(update(fd), 0);
	r = next_rect(fd);
	assert_true(r.width && r.height);
	hear(fd, &byte, 1);
	close(fd);
}

static void confined(void **state)
{
	static const uint32_t encodings[] = { 0, 2, 5, 6, 7, 16 };	/* raw, RRE, hextile, zlib, tight, ZRLE */
	static const unsigned char press[] = { 4, 1, 0, 0, 0, 0, 0, 'z', 5, 1, 0, 30, 0, 40 };
	const char *what = "";
	uint16_t size[2];
	int fd, status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (!pid) {
		close(sock);
		if (CAN_CONFINE && rights_give_up(65534, 65534, &what))
			_exit(99);
		while (!display_round(&d, -1))
			;
		_exit(0);
	}
	close(d.sock);
	remote = true;
	for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++)
		see_encoded(encodings[i]);
	fd = client();
	assert_int_not_equal(log_in(fd, "falsch"), 0);
	close(fd);
	fd = viewer(size);
	say(fd, press, sizeof(press));
	close(fd);
	close(sock);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void layouts(void **state)
{
	static const char *const cases[][2] = {
		{ "", "us" }, { "en-us", "us" }, { "de", "de" }, { "fr-ch", "ch" }, { "da", "dk" }, { "../x", "us" },
		{ "aaaaaaaaaaaaaaaaaaaaaa", "us" },
	};
	char buf[16];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(keys_layout(cases[i][0], buf), cases[i][1]);
	assert_int_equal(keys_find('y'), KEY_Z);
	assert_int_equal(keys_find('Q'), KEY_Q);
	assert_int_equal(keys_find(0xff0d), KEY_ENTER);
	assert_int_equal(keys_find(0xffe1), KEY_LEFTSHIFT);
	assert_int_equal(keys_find(0xffbe), KEY_F1);
	assert_int_equal(keys_find(0x12345678), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_is_let_in_without_the_password), cmocka_unit_test(a_picture), cmocka_unit_test(another_mode),
		cmocka_unit_test(input), cmocka_unit_test(a_stubdomain_that_is_wrong), cmocka_unit_test(too_many_clients),
		cmocka_unit_test(layouts), cmocka_unit_test(confined),
	};

	return cmocka_run_group_tests(tests, group, group_end);
}

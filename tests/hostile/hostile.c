// SPDX-License-Identifier: GPL-2.0-or-later
#include "hostile.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct xs_handle *xs;
xenevtchn_handle *ec;
static const char *program = "hostile";

void die(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", program);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

const char *wrong(const char *fmt, ...)
{
	static char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return text;
}

uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint32_t number(const char *text)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (!*text || *end || v > UINT32_MAX)
		die("'%s' is no number", text);
	return (uint32_t)v;
}

void open_xen(void)
{
	xs = xs_open(0);
	if (!xs)
		die("xenstore: %s", strerror(errno));
	ec = xenevtchn_open(NULL, 0);
	if (!ec)
		die("/dev/xen/evtchn: %s", strerror(errno));
}

/* ---- xenstore ---- */

bool put(xs_transaction_t t, const char *dir, const char *node, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, node);
	return value ? xs_write(xs, t, path, value, (unsigned int)strlen(value)) : xs_rm(xs, t, path);
}

bool put_u32(xs_transaction_t t, const char *dir, const char *node, uint32_t value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	return put(t, dir, node, text);
}

uint32_t get_u32(const char *dir, const char *node)
{
	char path[256], *text;
	unsigned int len;
	uint32_t value;

	snprintf(path, sizeof(path), "%s/%s", dir, node);
	text = xs_read(xs, XBT_NULL, path, &len);
	value = text ? (uint32_t)strtoul(text, NULL, 10) : 0;
	free(text);
	return value;
}

/* ---- event channels ---- */

bool next_event(int ms, evtchn_port_t *port)
{
	struct pollfd p = { .fd = xenevtchn_fd(ec), .events = POLLIN };
	xenevtchn_port_or_error_t pending;

	if (poll(&p, 1, ms) <= 0)
		return false;
	pending = xenevtchn_pending(ec);
	if (pending < 0)
		return false;
	*port = (evtchn_port_t)pending;
	xenevtchn_unmask(ec, *port);
	return true;
}

void storm(evtchn_port_t port, unsigned int ms)
{
	uint64_t end = now_ms() + ms;

	while (now_ms() < end)
		for (int i = 0; i < 100; i++)
			xenevtchn_notify(ec, port);
}

uint32_t seed = 1;

uint32_t random32(void)
{
	static uint64_t x;

	if (!x)
		x = seed * 0x9e3779b97f4a7c15ull + 1;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (uint32_t)(x >> 16);
}

void random_fill(volatile void *at, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		((volatile uint8_t *)at)[i] = (uint8_t)random32();
}

void poke(volatile void *at, uint64_t value, unsigned int size)
{
	volatile uint8_t *p = at;

	for (unsigned int i = 0; i < size; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

/* ---- command line ---- */

static const struct entry *entry_at(const struct program *p, size_t i)
{
	return (const struct entry *)((const char *)p->table + i * p->size);
}

static void usage(const struct program *p)
{
	die("usage: %s %s [--fault NAME,PREFIX*,...] | --list", p->name, p->options);
}

/* NAME, or PREFIX* */
static bool matches(const struct entry *e, const char *word, size_t len)
{
	if (len && word[len - 1] == '*')
		return !strncmp(e->name, word, len - 1);
	return strlen(e->name) == len && !memcmp(e->name, word, len);
}

static bool fits(const struct program *p, size_t i)
{
	return !p->fits || p->fits(entry_at(p, i));
}

static int run_word(const struct program *p, const char *word, size_t len)
{
	unsigned int tried = 0, bad = 0;

	for (size_t i = 0; i < p->count; i++) {
		const struct entry *e = entry_at(p, i);
		unsigned int devid = 0;
		const char *result;

		if (!fits(p, i) || !matches(e, word, len))
			continue;
		tried++;
		result = p->run(e, &devid);
		printf("%s;%u;%s;%s\n", e->name, devid, result ? result : "ok", e->says ? e->says : "-");
		fflush(stdout);
		bad += result != NULL;
	}
	if (!tried)
		die("no fault '%.*s': see --list", (int)len, word);
	return bad ? 1 : 0;
}

int hostile_main(int argc, char **argv, const struct program *p)
{
	const char *faults = "none";
	int ret = 0;

	program = p->name;
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--list")) {
			for (size_t k = 0; k < p->count; k++)
				if (fits(p, k))
					printf("%-24s %s\n", entry_at(p, k)->name, entry_at(p, k)->what);
			return 0;
		}
		if (i + 1 == argc)
			usage(p);
		if (!strcmp(argv[i], "--fault"))
			faults = argv[++i];
		else if (p->option(argv[i], argv[i + 1]))
			i++;
		else
			usage(p);
	}
	p->begin();
	while (*faults) {
		size_t len = strcspn(faults, ",");

		ret |= run_word(p, faults, len);
		faults += len + (faults[len] == ',');
	}
	return ret;
}

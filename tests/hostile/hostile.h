/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vx-backend and vx-frontend share: the command line over a table of
 * faults, xenstore, waiting.
 *
 * Both are right by themselves ("none") and wrong in one thing at a time.  Each
 * fault that was tried prints one line for the scenario to judge with the logs:
 *	NAME;DEVID;ok or what went wrong;what the log must say, or -
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "virtio_xenbus.h"

/* Begins each entry of a table.  says: regular expression (grep -E) of one line; NULL: no line; "*": any. */
struct entry {
	const char *name, *what, *says;
};

struct program {
	const char *name, *options;
	const void *table;
	size_t count, size;
	/* Is this entry for what the options say?  NULL: all are. */
	bool (*fits)(const void *fault);
	/* One of its own options and its value.  False: unknown. */
	bool (*option)(const char *name, const char *value);
	/* Connections that all faults need; exits when there are none. */
	void (*begin)(void);
	/* Tries it.  NULL: all is as expected; else what is not. */
	const char *(*run)(const void *fault, unsigned int *devid);
};

int hostile_main(int argc, char **argv, const struct program *p);

extern struct xs_handle *xs;
extern xenevtchn_handle *ec;

__attribute__((format(printf, 1, 2), noreturn)) void die(const char *fmt, ...);
/* What went wrong with a fault: a static buffer. */
__attribute__((format(printf, 1, 2))) const char *wrong(const char *fmt, ...);

void open_xen(void);
uint64_t now_ms(void);
uint32_t number(const char *text);

/* xenstore.  NULL value: remove.  Reading: 0, when it is missing or no number. */
bool put(xs_transaction_t t, const char *dir, const char *node, const char *value);
bool put_u32(xs_transaction_t t, const char *dir, const char *node, uint32_t value);
uint32_t get_u32(const char *dir, const char *node);

/* Event channels.  True: an event came within @ms; its port is in *@port and is open again. */
bool next_event(int ms, evtchn_port_t *port);
/* Events without end, for some seconds. */
void storm(evtchn_port_t port, unsigned int ms);

/* The same numbers for the same seed. */
extern uint32_t seed;
uint32_t random32(void);
/* @n of them, byte by byte. */
void random_fill(volatile void *at, uint32_t n);

/* Little endian, 1 to 8 bytes. */
void poke(volatile void *at, uint64_t value, unsigned int size);

#endif

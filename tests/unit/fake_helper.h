/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A xen-state-disk that says what the test has it say: linked instead of helper.c. */
#ifndef FAKE_HELPER_H
#define FAKE_HELPER_H

#include "stubdom/daemon/helper.h"

struct fake_helper {
	bool running, restore;
	uint32_t stub;
	uint64_t sectors;
	int file;		/* the test's own descriptor of it */
	unsigned int started;
	int fail_start;		/* negative errno */
	char told[64];		/* the daemon's last line */
	/* Of the one that refuses: whether it runs, and on what. */
	bool refusing;
	uint32_t ref, port;
};

/* The one that was started last. */
extern struct fake_helper fake_helper;

void fake_helper_reset(void);
void fake_helper_say(const char *line);
void fake_helper_die(void);

#endif

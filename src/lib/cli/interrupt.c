// SPDX-License-Identifier: GPL-2.0-or-later
#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t caught;

static void note(int sig)
{
	caught = sig;
}

void interrupt_catch(void)
{
	/* No SA_RESTART: waitpid() and flock() must come back. */
	struct sigaction sa = { .sa_handler = note };

	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
}

int interrupted(void)
{
	return caught;
}

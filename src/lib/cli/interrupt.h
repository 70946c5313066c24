/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ctrl-C and systemd's SIGTERM during a build: noted, acted upon at the next
 * safe point, so that what was begun is always taken away again.
 */
#ifndef XE_INTERRUPT_H
#define XE_INTERRUPT_H

/* Catch SIGINT, SIGTERM and SIGHUP from here on; ignores SIGPIPE. */
void interrupt_catch(void);
/* The signal that came, or 0. */
int interrupted(void);

#endif

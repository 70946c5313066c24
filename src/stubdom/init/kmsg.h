/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one log of a stubdomain: the kernel's, which console 0 shows. */
#ifndef KMSG_H
#define KMSG_H

#include "base/log.h"

/* Open /dev/kmsg; falls back to stderr (the console) when it is missing. */
void kmsg_open(const char *program);
log_sink_fn kmsg_sink;

/* What log.c keeps and what the console shows, both. */
void kmsg_set_level(int level);

#endif

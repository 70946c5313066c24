/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Can a test give root's rights up as a program does?  A sanitizer's own memory is over any limit. */
#ifndef CONFINED_H
#define CONFINED_H

#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#define CAN_CONFINE 0
#else
#define CAN_CONFINE (!getuid())
#endif

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* I/O errors of a guest's disks, in the log: the host's administrator can do something about them. */
#ifndef XE_VD_DISK_ERRORS_H
#define XE_VD_DISK_ERRORS_H

#include "guest.h"

/* Listen to its QEMU, when it runs. */
void disk_errors_listen(struct guest *g);

#endif

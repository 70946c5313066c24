/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MOUNTS_H
#define MOUNTS_H

#define INIT_RUN_DIR "/run/stubdom"

/* The file systems pid 1 finds missing.  Works before there is a log. */
int mounts_setup(void);
/* Kernel settings QEMU and libxenvchan need. */
void mounts_sysctl(void);
/* Write a short text to a file of /proc or /sys; negative errno. */
int write_file(const char *path, const char *text);
/* Read at most @size - 1 bytes and terminate; the length or negative errno. */
int read_file(const char *path, char *buf, unsigned int size);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small texts that init reads: pure functions, bounded, no system calls. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A "Key:   123 kB" line of /proc/meminfo; -ENOENT or -EINVAL. */
int meminfo_get(const char *text, const char *key, uint64_t *kib);

/*
 * A word of the kernel's command line: "key" or "key=value".  Returns whether
 * it is there; the last one wins.  @value may be NULL; it is "" for a word
 * without '='.
 */
bool cmdline_get(const char *cmdline, const char *key, char *value, size_t size);

/* "MAJOR.MINOR" of a longer version ("4.20.3+127" gives "4.20"); -EINVAL. */
int version_series(const char *version, char *out, size_t size);

/*
 * Check the names below dm-argv: exactly three digits, from 001, without gaps.
 * @names is sorted.  0, or the index of the name at which it breaks plus one.
 */
unsigned int dmargv_check(char *const *names, unsigned int count);

#endif

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# checker-valid.sh SPARSE FLAGS...: prints 1 when the checker finds an error that is one.
# Linux asks a script of this name before it runs sparse; Debian's headers of 7.x lack it.
t=$(mktemp --suffix=.c) || exit 1
trap 'rm -f "$t"' EXIT
echo 'static int f(int __attribute__((noderef)) *p) { return *p; }' >"$t"
if "$@" "$t" 2>&1 | grep -q 'noderef expression'; then echo 1; else echo 0; fi

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds vx-backend, vx-frontend and state-frontend; static, since two of them run where
# there are no libraries.  Runs inside the build chroot:   build.sh OUT
# leaves in OUT the programs, and hostile.cpio.gz with vx-frontend, to be put behind the
# guest's initramfs: the kernel unpacks both.
set -eu
here=$(dirname "$(readlink -f "$0")") out=$(readlink -f "$1")
cd "$here"
build() {	# PROGRAM SOURCE...
	p=$1; shift
	# shellcheck disable=SC2046 # flags
	gcc -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -I../../src/protocol \
		-I../../src/include -I../../src/lib -I../../src/stubdom/state \
		-static -s -o "$out/$p" "$p.c" hostile.c "$@" $(pkg-config --static --cflags --libs xenstore xengnttab xenevtchn)
}
build vx-backend vx-kinds.c
build vx-frontend
build state-frontend ../../src/lib/state/header.c ../../src/lib/base/sha256_sum.c
mkdir -p "$out/tree/sbin"
install -m 755 "$out/vx-frontend" "$out/tree/sbin/vx-frontend"
(cd "$out/tree" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet | gzip -9n) >"$out/hostile.cpio.gz"
rm -r "$out/tree"

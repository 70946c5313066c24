#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# check.sh QEMU       qemu-virtio against a driver and a xenstore that are
#                     preloaded into it: no Xen, no privilege
set -eu

here=$(dirname "$(readlink -f "$0")")
top=$here/../..
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
gcc -O2 -g -Wall -Wextra -Werror -std=gnu11 -fPIC -shared -I"$top/src/protocol" -I"$top/dkms/virtio_xenbus" \
	-o "$tmp/fakexen.so" "$here/fakexen.c" "$here/guest_blk.c" "$here/guest_loss.c" "$top/src/protocol/msg.c" -lpthread
timeout 300 python3 "$here/run.py" "$1" "$tmp/fakexen.so"

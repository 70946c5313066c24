#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# check.sh QEMU       the binary offers what required.list says and nothing of
#                     forbidden.list
set -eu

here=$(dirname "$(readlink -f "$0")")
qemu=$(readlink -f "$1")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0
fail() { echo "check-qemu-virtio: $*"; bad=1; }

for kind in machine accel device netdev chardev display object; do
	case $kind in
	netdev | chardev) set -- -machine none,accel=qtest -$kind help ;;
	*) set -- -$kind help ;;
	esac
	"$qemu" "$@" 2>&1 | sed -n 's/^name "\([^"]*\)".*/\1/p; s/^ *\([A-Za-z0-9][^ ,]*\).*/\1/p' |
		sort -u >"$tmp/$kind"
done
grep -v '^#' "$here/required.list" >"$tmp/required"
grep -v '^#' "$here/forbidden.list" >"$tmp/forbidden"
while read -r kind name; do
	grep -qxF -- "$name" "$tmp/$kind" || fail "$kind $name is missing"
done <"$tmp/required"
while read -r kind name; do
	! grep -qxF -- "$name" "$tmp/$kind" || fail "$kind $name must not be there"
done <"$tmp/forbidden"

[ "$bad" = 1 ] || echo "check-qemu-virtio: $(wc -l <"$tmp/required") things there," \
	"$(wc -l <"$tmp/forbidden") not there"
exit "$bad"

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# check.sh QEMU       the binary offers what required.list says, nothing of
#                     forbidden.list, takes libxl's arguments and is hardened
#
# Runs where the libraries of the binary are: in the suite's chroot.
set -eu

here=$(dirname "$(readlink -f "$0")")
qemu=$(readlink -f "$1")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0
fail() { echo "check-qemu: $*"; bad=1; }

version=$("$qemu" -version | sed -n '1s/.*version \([0-9]*\.[0-9]*\).*/\1/p')
[ -n "$version" ] || { echo "check-qemu: $qemu does not run"; exit 1; }

# $tmp/KIND: one name a line, whatever the form of that kind's help
for kind in machine accel device netdev chardev display; do
	case $kind in
	netdev) set -- -netdev help ;;
	chardev) set -- -chardev help ;;
	*) set -- -$kind help ;;
	esac
	"$qemu" "$@" 2>&1 | sed -n 's/^name "\([^"]*\)".*/\1/p; s/^ *\([A-Za-z0-9][^ ,]*\).*/\1/p' |
		sort -u >"$tmp/$kind"
	[ "$(wc -l <"$tmp/$kind")" -ge 1 ] || fail "-$kind help says nothing"
done
list() { sed 's/#.*//' "$1" | sed "s/^$version: *//; /^[0-9.]*: /d" | grep -v '^[ 	]*$'; }
list "$here/required.list" >"$tmp/required"
list "$here/forbidden.list" >"$tmp/forbidden"
while read -r kind name; do
	grep -qxF -- "$name" "$tmp/$kind" || fail "$kind $name is missing"
done <"$tmp/required"
while read -r kind name; do
	! grep -qxF -- "$name" "$tmp/$kind" || fail "$kind $name must not be there"
done <"$tmp/forbidden"
[ "$bad" = 1 ] || echo "check-qemu: $(wc -l <"$tmp/required") things there, $(wc -l <"$tmp/forbidden") not there"
exit "$bad"

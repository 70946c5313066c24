#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# check.sh QEMU       the binary offers what required.list says, nothing of
#                     forbidden.list, and takes the arguments libxl gives
#
# Runs where the libraries and ROMs are: on a user's machine, or its like.
set -eu

here=$(dirname "$(readlink -f "$0")")
# shellcheck source=src/qemu/series.sh
. "$here/series.sh"
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
	netdev) set -- -machine none,accel=qtest -netdev help ;;
	chardev) set -- -chardev help ;;
	*) set -- -$kind help ;;
	esac
	"$qemu" "$@" 2>&1 | sed -n 's/^name "\([^"]*\)".*/\1/p; s/^ *\([A-Za-z0-9][^ ,]*\).*/\1/p' |
		sort -u >"$tmp/$kind"
	[ "$(wc -l <"$tmp/$kind")" -ge 1 ] || fail "-$kind help says nothing"
done
of_series "$version" required.list >"$tmp/required"
of_series "$version" forbidden.list >"$tmp/forbidden"
while read -r kind name; do
	grep -qxF -- "$name" "$tmp/$kind" || fail "$kind $name is missing"
done <"$tmp/required"
while read -r kind name; do
	! grep -qxF -- "$name" "$tmp/$kind" || fail "$kind $name must not be there"
done <"$tmp/forbidden"
# Every device really made, with its ROM: qtest is the one accelerator that
# needs no Xen.  An image format must be refused, a device node taken.
start() {
	printf '%s\n' '{"execute":"qmp_capabilities"}' '{"execute":"quit"}' |
		timeout 60 "$qemu" -xen-domid 1 -no-shutdown -nodefaults -no-user-config -name g \
			-display none -machine pc,accel=qtest,suppress-vmdesc=on -qmp stdio "$@" \
			>"$tmp/qmp" 2>"$tmp/err" 3>"$tmp/fdset" && grep -q SHUTDOWN "$tmp/qmp"
}
n=0
grep '^-' "$here/libxl.args" >"$tmp/args"
while read -r line; do
	n=$((n + 1))
	# shellcheck disable=SC2086	# one word an argument
	start $line || fail "arguments $n refused: $(tail -n 3 "$tmp/err")"
done <"$tmp/args"
head -c 65536 /dev/zero >"$tmp/disk"
! start -drive file="$tmp/disk",if=ide,format=qcow2 || fail "opens image formats"
grep -q 'whitelist\|allowed' "$tmp/err" || fail "qcow2 refused for another reason: $(cat "$tmp/err")"

[ "$bad" = 1 ] || echo "check-qemu: $(wc -l <"$tmp/required") things there," \
	"$(wc -l <"$tmp/forbidden") not there, $n argument lists taken"
exit "$bad"

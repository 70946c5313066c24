#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# check-elf.sh QEMU [KIND]   the binary is hardened and links nothing but
#                            libs.list; QEMU.info beside it names its version
set -eu

here=$(dirname "$(readlink -f "$0")")
# shellcheck source=src/qemu/series.sh
. "$here/series.sh"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0
fail() { echo "check-qemu: $*"; bad=1; }

readelf -hldW "$1" >"$tmp/elf"
# PIE, relocations bound at start and then read-only, no executable stack.
for want in 'Type: *DYN' GNU_RELRO 'FLAGS_1.*NOW' 'GNU_STACK.* RW '; do
	grep -q "$want" "$tmp/elf" || fail "not in the ELF headers: $want"
done
! grep -qE 'R(UN)?PATH' "$tmp/elf" || fail "has a library path"
for symbol in __stack_chk_fail __memcpy_chk; do
	readelf --dyn-syms -W "$1" | grep -q " $symbol@" || fail "built without $symbol"
done
sed -n 's/.*NEEDED.*\[\(.*\)\.so.*/\1/p' "$tmp/elf" | sort -u >"$tmp/needed"
series=$(sed -n 's/^qemu \([0-9]*\.[0-9]*\).*/\1/p' "$1.info")
[ -n "$series" ] || fail "no version in $1.info"
lists=.
[ "${2:-stubdom}" = stubdom ] || lists=$2
of_series "$series" "$lists/libs.list" | xargs -n 1 | sort -u >"$tmp/allowed"
extra=$(comm -23 "$tmp/needed" "$tmp/allowed" | xargs)
[ -z "$extra" ] || fail "links what libs.list does not know: $extra"
[ "$bad" = 1 ] || echo "check-qemu: hardened, links $(xargs <"$tmp/needed")"
exit "$bad"

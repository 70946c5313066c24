#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# mmdebstrap's setup hook for the chroot the emulator runs in: setup.sh ROOT
# QEMU of the suite's backports, with the firmware it asks for.
set -eu
list=$1/etc/apt/sources.list
backports=$(sed -n 's/^deb \([^ ]*\) trixie main$/deb \1 trixie-backports main/p' "$list" | head -n 1)
[ -n "$backports" ] || { echo "setup.sh: no trixie main in $list" >&2; exit 1; }
echo "$backports" >>"$list"
printf 'Package: src:qemu src:seabios src:ipxe\nPin: release n=trixie-backports\nPin-Priority: 600\n' \
	>"$1/etc/apt/preferences.d/emulator"

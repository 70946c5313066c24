#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# mmdebstrap's customize hook for the lab's Debian guests:  debian.sh ROOT
# After agent.sh.
set -eu
root=$1
put() { mkdir -p "$(dirname "$root$1")" && cat >"$root$1"; }

echo debian >"$root/etc/hostname"
put /etc/fstab <<-'E'
	PARTUUID=786c6162-01 / ext4 defaults 0 1
E
put /etc/systemd/network/lab.network <<-'E'
	[Match]
	Type=ether
	[Network]
	Address=10.77.0.41/24
E

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# What must be true in dom0 after our packages were installed.
#   installed.sh XEN-VERSION PACKAGE...
set -eu
version=$1; shift
for p; do
	state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$p")
	[ "$state" = 'ii ' ] || { echo "$p is in state '$state', not installed"; exit 1; }
done
[ -z "$(dpkg --audit)" ] || { dpkg --audit; exit 1; }
if dpkg-query -W "xen-stubdom-linux-$version" >/dev/null 2>&1; then
	# The two names libxl looks for.
	for f in qemu-stubdom-linux-kernel qemu-stubdom-linux-rootfs; do
		[ -s "/usr/lib/xen-$version/boot/$f" ] || { echo "/usr/lib/xen-$version/boot/$f is missing or empty"; exit 1; }
	done
fi
failed=$(systemctl --failed --plain --no-legend)
[ -z "$failed" ] || { echo "failed units: $failed"; exit 1; }
[ "$(xl list | wc -l)" = 2 ] || { echo "the installation left a domain"; xl list; exit 1; }

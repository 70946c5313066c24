#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Builds the Debian packages from the source package, on a machine of its suite.
#
#   deb-build.sh       src/*.dsc beside this script -> packages beside it
#
# Kernel and QEMU are taken from prebuilt/, when that is there (`make deb` makes
# the directory, see debian/README.source).
set -eu
umask 022
cd "$(dirname "$(readlink -f "$0")")"
dpkg-source --no-check -x src/*.dsc tree
cd tree
may_lack=''
if [ -d ../prebuilt ]; then
	XE_PREBUILT=$(readlink -f ../prebuilt) may_lack=linux-source-6.12
	export XE_PREBUILT
fi
# -d below would let all of them be missing.
dpkg-checkbuilddeps 2>../missing || true
for d in $(sed 's/.*: //; s/([^)]*)//g' ../missing); do
	[ "$d" = "$may_lack" ] || { cat ../missing >&2; exit 1; }
done
exec dpkg-buildpackage -us -uc -b -d

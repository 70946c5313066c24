#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The package of a ready-made image, from our packages of a suite.
#
#   build.sh SUITE DEBS OUTDIR [REVISION]    leaves the .deb, kernel, rootfs, manifest and
#                                            sbom.spdx.json in OUTDIR
#
# On a machine on which nothing else is installed (mk/packages/plain), from the
# suite as it is now; the build itself has no network.  A library's update makes
# another image of the same version of xen-extras: that is what REVISION counts.
set -eu
umask 022

here=$(dirname "$(readlink -f "$0")")
top=$(readlink -f "$here/../..")
suite=$1 debs=$(readlink -f "$2") revision=${4:-1}
mkdir -p "$3"
out=$(readlink -f "$3")
: "${SOURCE_DATE_EPOCH:?}"

version=$(dpkg-deb -f "$debs"/xen-stubdom-utils_*.deb Version)
maintainer=$(dpkg-deb -f "$debs"/xen-stubdom-utils_*.deb Maintainer)
xenv=$(echo "$debs"/xen-stubdom-linux-[0-9]*_*.deb | sed 's/.*xen-stubdom-linux-\([0-9.]*\)_.*/\1/')
work=$(mktemp -d "${TMPDIR:-/var/tmp}/xen-extras-prebuilt.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
chmod 755 "$work"
mkdir -p "$work/upper/src" "$work/upper/repo" "$work/work" "$work/root" "$work/out"
cp "$debs"/*.deb "$work/upper/repo/"
cp -r "$here/debian" "$work/upper/src/debian"
for f in control xen-stubdom-linux-prebuilt.postinst xen-stubdom-linux-prebuilt.prerm; do
	sed "s/@XENV@/$xenv/g; s/@VERSION@/$version/g; s/@MAINTAINER@/$maintainer/" "$here/debian/$f.in" \
		>"$work/upper/src/debian/$(echo "$f" | sed "s/prebuilt/prebuilt-$xenv/")"
	rm "$work/upper/src/debian/$f.in"
done
printf 'xen-extras-prebuilt (%s) %s; urgency=medium\n\n  * Image of xen-extras %s.\n\n -- %s  %s\n' \
	"$version+$revision" "$suite" "$version" "$maintainer" "$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")" >"$work/upper/src/debian/changelog"
"$top/mk/chroot.sh" run "$suite" build --bind "$work/upper/repo:/mnt/repo" --dir /mnt/repo -- \
	sh -c 'dpkg-scanpackages -m . 2>/dev/null >Packages'

# A mount namespace of its own: nothing to unmount.
low=$("$top/mk/chroot.sh" path "$suite" plain)
LOW=$low WORK=$work unshare -m sh -euc '
	r=$WORK/root
	mount --make-rprivate /
	mount -t overlay overlay -o "lowerdir=$LOW,upperdir=$WORK/upper,workdir=$WORK/work" "$r"
	mount -t proc proc "$r/proc"
	mount --rbind /dev "$r/dev"
	mkdir -p "$r/out" && mount --bind "$WORK/out" "$r/out"
	[ ! -e /etc/resolv.conf ] || cat /etc/resolv.conf >"$r/etc/resolv.conf"
	echo "deb [trusted=yes] file:/repo ./" >"$r/etc/apt/sources.list.d/xen-extras.list"
	echo force-unsafe-io >"$r/etc/dpkg/dpkg.cfg.d/prebuilt"
	in_root() { chroot "$r" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
	in_root apt-get -q update
	in_root apt-get -q -y --no-install-recommends build-dep /src
	unshare -n chroot "$r" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
		sh -euc "cd /src && dpkg-buildpackage -us -uc -b && cp image/* /*.deb /out/"
' >"$work/log" 2>&1 || { tail -n 40 "$work/log" >&2; echo "prebuilt: failed" >&2; exit 1; }
rm -f "$out"/*
cp "$work/out"/* "$out/"
cp "$work/log" "$out/log"

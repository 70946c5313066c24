#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Makes the Debian source package of a suite.
#
#   mk/deb-source.sh SUITE OUTDIR QEMU_SOURCE     leaves .dsc, tarballs and _source.changes in OUTDIR
#
# QEMU_SOURCE is a directory with the suite's source package of QEMU. How the
# package is put together, and why so: debian/README.source.  The same tree and
# the same QEMU give the same tarballs, wherever and whenever.
set -eu
umask 022

here=$(dirname "$(readlink -f "$0")")
top=$(readlink -f "$here/..")
cd "$top"
suite=$1
rm -rf "$2"
mkdir -p "$2"
out=$(readlink -f "$2") qemu=$(readlink -f "$3")

die() { echo "deb-source: $*" >&2; exit 1; }

# 0.1.0-1: upstream version and Debian revision, stated in debian/changelog alone.
version=$(awk -F'[()]' '{ print $2; exit }' debian/changelog)
upstream=${version%-*}
# Older suites get a lower version, as in Debian's own updates of them: all are
# in one pool, and an upgrade of the release replaces them.
case $suite in
trixie) suffix='' ;;
bookworm) suffix='~deb12u1' ;;
*) die "what is the version's suffix in $suite?" ;;
esac
: "${SOURCE_DATE_EPOCH:?}"

# Sorted, without users, umask or times of this tree.
pack() {
	LC_ALL=C tar -c --sort=name --format=gnu --owner=0 --group=0 --numeric-owner \
		--mode=u+rwX,go+rX,go-w --mtime="@$SOURCE_DATE_EPOCH" "$@"
}

# Upstream: the tracked files but for debian/; the same file for every suite.
name=xen-extras-$upstream
work=$out/.work
tree=$work/$name
mkdir -p "$tree"
# Deleted and not yet committed: not there either.
git -c safe.directory='*' ls-files -z | xargs -0 sh -c 'for f; do [ ! -e "$f" ] || printf "%s\0" "$f"; done' sh |
	tar -c --null -T - | tar -x -C "$tree"
# dpkg-source takes the modes of debian/ as they are.
chmod -R u=rwX,go=rX "$tree"
mv "$tree/debian" "$work/debian"
pack -C "$work" "$name" | xz -T1 -6 >"$out/xen-extras_$upstream.orig.tar.xz"

# QEMU: Debian's source package as it is, in a tarball of its own ("component").
# Its name carries the version, so that each content has a name in the pool.
set -- "$qemu"/*.dsc
{ [ $# -eq 1 ] && [ -f "$1" ]; } || die "no single .dsc in $qemu"
qemu_version=$(sed -n 's/^Version: *\([0-9]*:\)\?//p' "$1" | head -n 1)
component=qemu-$(echo "$qemu_version" | tr -c 'A-Za-z0-9\n' -)
mkdir "$tree/$component"
for f in $(basename "$1") $(sed -n '/^Files:/,/^[^ F]/s/^ [0-9a-f]* [0-9]* //p' "$1"); do
	cp "$qemu/$f" "$tree/$component/"
done
pack -C "$tree" "$component" | xz -T1 -0 >"$out/xen-extras_$upstream.orig-$component.tar.xz"

# debian/: a source package has a control file, made for this suite's Xen.
mv "$work/debian" "$tree/debian"
sed -i "1s/(.*) [^;]*;/($version$suffix) $suite;/" "$tree/debian/changelog"
mv "$out"/*.tar.xz "$work/"
"$top/mk/chroot.sh" run "$suite" build --net-off --bind "$work:/build/src" --dir "/build/src/$name" -- \
	sh -euc 'make -s -f debian/rules debian/control && dpkg-buildpackage -S -us -uc -d -nc' \
	>"$out/log" 2>&1 || { cat "$out/log"; die "no source package; log: $out/log"; }
mv "$work"/*.tar.* "$work"/*.dsc "$work"/*.changes "$work"/*.buildinfo "$out/"
rm -rf "$work"

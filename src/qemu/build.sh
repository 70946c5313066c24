#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Build one of our QEMUs from the distribution's source and our series.
#
#   build.sh SOURCE OUTDIR [KIND]  leaves qemu-KIND, qemu-KIND.info and
#                                  qemu-source-version in OUTDIR
#
# KIND is stubdom (the default) or virtio, the backend of virtio over XenBus.
# SOURCE is a directory with a Debian source package (one .dsc and its files),
# or an unpacked source tree with debian/changelog, its patches applied.
# Needs the toolchain only: no network, no chroot, no root.
#   JOBS=N  ninja -jN (default: number of processors)
#   LOG=F   where the output goes (default: OUTDIR/build.log)
set -eu
umask 022

here=$(dirname "$(readlink -f "$0")")
# shellcheck source=src/qemu/series.sh
. "$here/series.sh"
kind=${3:-stubdom}
case $#:$kind in
[23]:stubdom) lists=. ;;
3:virtio) lists=virtio ;;
*) echo "usage: build.sh SOURCE OUTDIR [stubdom|virtio]" >&2; exit 2 ;;
esac
mkdir -p "$2"
source=$(readlink -f "$1") out=$(readlink -f "$2")
log=${LOG:-$out/build.log}
tree=$out/source
start=$(date +%s)

step() { echo "qemu: $(($(date +%s) - start))s: $*"; }
die() { echo "qemu: $*" >&2; exit 1; }
run() {
	"$@" >>"$log" 2>&1 || { tail -n 25 "$log" >&2; die "'$1' failed: see $log"; }
}

: >"$log"
rm -rf "$tree"
step "unpacking"
if [ -e "$source/debian/changelog" ]; then
	run cp -a "$source" "$tree"
else
	set -- "$source"/*.dsc
	{ [ $# -eq 1 ] && [ -f "$1" ]; } || die "no single .dsc and no source tree in $source"
	run dpkg-source --no-check -x "$1" "$tree"
fi
cd "$tree"
version=$(dpkg-parsechangelog -S Version)
epoch=$(dpkg-parsechangelog -S Timestamp)
# 1:10.0.13+ds-0+deb13u1 is of series 10.0
series=$(cut -d. -f1,2 VERSION)
[ -f "$here/$series/series" ] || die "QEMU $version: no patch series src/qemu/$series"

count=0
for p in $(of_series "$series" "$series/series"); do
	run patch -p1 --fuzz=0 -i "$here/$series/$p"
	count=$((count + 1))
done
# Files that are new live whole beside the series, the same for all; virtio over
# XenBus shares the protocol and its checks with the driver.
cp -r "$here/files/." .
mkdir -p hw/virtio/xenbus
cp "$here"/../protocol/*.[ch] hw/virtio/xenbus/
of_series "$series" "$lists/devices.mak" >"configs/devices/i386-softmmu/xen-$kind.mak"
step "QEMU $version with $count patches: configuring"

# Debian's flags without debug information; bytes must not know the directory.
# The rest is for size, all of it memory of each stubdomain: unused functions go,
# relocations are packed (2 MB), and C needs no tables to unwind the stack (1 MB).
export SOURCE_DATE_EPOCH="$epoch" LC_ALL=C.UTF-8 DEB_BUILD_MAINT_OPTIONS=hardening=+all
map="-ffile-prefix-map=$tree=."
size="-ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables"
flags() { DEB_CFLAGS_MAINT_STRIP=-g DEB_CFLAGS_MAINT_APPEND="$map $size" dpkg-buildflags --get "$1"; }
cflags="$(flags CFLAGS) $(flags CPPFLAGS)" ldflags="$(flags LDFLAGS) -Wl,--as-needed,--gc-sections,-z,pack-relative-relocs"
unset CFLAGS CPPFLAGS CXXFLAGS LDFLAGS MAKEFLAGS || true
mkdir b
cd b
set -- --extra-cflags="$cflags" --extra-ldflags="$ldflags" --with-pkgversion="xen-extras on Debian $version"
for o in $(of_series "$series" "$lists/configure.options"); do
	set -- "$@" "$o"
done
run ../configure "$@"
step "compiling"
run ninja -j"${JOBS:-$(nproc)}" qemu-system-i386
strip --strip-all -R .comment -o "$out/qemu-$kind" qemu-system-i386
cp i386-softmmu-config-devices.mak "$out/config-devices.mak"
echo "$version" >"$out/qemu-source-version"
# libxenctrl's ABI is that of one Xen version: what is installed must match it.
xen=$(objdump -p "$out/qemu-$kind" | sed -n 's/.*NEEDED *libxenctrl\.so\.//p')
[ -n "$xen" ] || die "the binary does not link libxenctrl"
printf 'xen %s\nqemu %s\n' "$xen" "$(cat ../VERSION)" >"$out/qemu-$kind.info"
step "qemu-$kind has $(stat -c %s "$out/qemu-$kind") bytes"

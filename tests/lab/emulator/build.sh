#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Build the emulator of the lab's host: trixie's QEMU with our patch, and only
# what that host is made of.
#
#   build.sh SOURCE OUTDIR         SOURCE: a .dsc and its files; leaves
#                                  qemu-system-x86_64 in OUTDIR
set -eu
umask 022
here=$(dirname "$(readlink -f "$0")")
source=$(readlink -f "$1") out=$(readlink -f "$2")
log=$out/build.log
run() { "$@" >>"$log" 2>&1 || { tail -n 25 "$log" >&2; echo "emulator: '$1' failed" >&2; exit 1; }; }

: >"$log"
set -- "$source"/*.dsc
run dpkg-source --no-check -x "$1" "$out/source"
cd "$out/source"
for p in "$here"/*.patch; do
	run patch -p1 --fuzz=0 -i "$p"
done
cp "$here/devices.mak" configs/devices/x86_64-softmmu/xen-lab.mak
mkdir b
cd b
run ../configure --target-list=x86_64-softmmu --without-default-features --without-default-devices \
	--with-devices-x86_64=xen-lab --enable-system --enable-tcg --disable-kvm --disable-xen --enable-pixman \
	--disable-tools --disable-docs --disable-rust --disable-download --disable-debug-info --disable-qom-cast-debug \
	--enable-malloc-trim --disable-install-blobs --disable-fdt --audio-drv-list= --disable-relocatable --prefix=/usr \
	--firmwarepath=/usr/share/qemu:/usr/share/seabios:/usr/lib/ipxe/qemu
run ninja -j"${JOBS:-$(nproc)}" qemu-system-x86_64
strip -o "$out/qemu-system-x86_64" qemu-system-x86_64
rm -rf "$out/source"

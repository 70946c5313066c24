#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Build the stubdomain's kernel from Debian's linux-source tarball.
#
#   build.sh TARBALL OUTDIR        leaves vmlinuz, config and version in OUTDIR
#
# Needs the toolchain only: no network, no chroot, no root.  The bytes depend on
# the tarball, the fragments beside this file and the toolchain: not on the
# directory, the user, the machine or the time (KBUILD_* below; the date is that
# of the source, so a new changelog entry of ours does not make a new kernel).
#   JOBS=N  make -jN (default: number of processors)
#   LOG=F   where the output of make goes (default: OUTDIR/build.log)
set -eu
umask 022

here=$(dirname "$(readlink -f "$0")")
[ $# -eq 2 ] || { echo "usage: build.sh TARBALL OUTDIR" >&2; exit 2; }
mkdir -p "$2"
tarball=$(readlink -f "$1") out=$(readlink -f "$2")
log=${LOG:-$out/build.log}
tree=$out/linux
start=$(date +%s)

step() { echo "kernel: $(($(date +%s) - start))s: $*"; }
die() { echo "kernel: $*" >&2; exit 1; }
run() {
	"$@" >>"$log" 2>&1 || { tail -n 25 "$log" >&2; die "'$*' failed: see $log"; }
}

[ -f "$tarball" ] || die "no source at $1: install linux-source-6.12 or set KERNEL_SOURCE_TARBALL"
: >"$log"

if [ ! -e "$tree/.unpacked" ]; then
	step "unpacking ${tarball##*/}"
	rm -rf "$tree"
	mkdir -p "$tree"
	run tar -xf "$tarball" -C "$tree" --strip-components=1 --no-same-owner
	touch -r "$tree/Makefile" "$tree/.date"
	while read -r p; do
		run patch -d "$tree" -p1 --fuzz=0 -i "$here/patches/$p"
	done <"$here/patches/series"
	mv "$tree/.date" "$tree/.unpacked"
fi
cd "$tree"

export LC_ALL=C TZ=UTC KBUILD_BUILD_USER=xen-extras KBUILD_BUILD_HOST=xen-extras KBUILD_BUILD_VERSION=1
KBUILD_BUILD_TIMESTAMP=$(date -u -d "@$(stat -c %Y .unpacked)" '+%a %b %e %H:%M:%S UTC %Y')
export KBUILD_BUILD_TIMESTAMP
# Not for us what a package build exports for user space.
unset CFLAGS CPPFLAGS CXXFLAGS LDFLAGS MAKEFLAGS MAKELEVEL ARCH CROSS_COMPILE || true

step "configuring from tinyconfig and $(find "$here" -name '[0-9]*.config' | wc -l) fragments"
run make ARCH=x86_64 tinyconfig
# -n: what no fragment asks for stays off, instead of Kconfig's default.
run env ARCH=x86_64 scripts/kconfig/merge_config.sh -n -r .config "$here"/[0-9]*.config
awk -f "$here/check-config.awk" "$here"/[0-9]*.config .config >"$out/check-config.txt" || {
	cat "$out/check-config.txt" >&2
	die "the fragments ask for what this kernel does not give"
}
step "$(cat "$out/check-config.txt")"

step "compiling"
run make ARCH=x86_64 -j"${JOBS:-$(nproc)}" KCFLAGS="-ffile-prefix-map=$tree=." \
	KAFLAGS="-ffile-prefix-map=$tree=." bzImage
cp arch/x86/boot/bzImage "$out/vmlinuz"
cp .config "$out/config"
make -s ARCH=x86_64 kernelrelease >"$out/version"
step "$(cat "$out/version"): vmlinuz has $(stat -c %s "$out/vmlinuz") bytes"

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# One of our QEMUs for a Debian suite, from the cache or built into it.
#
#   cached.sh SUITE DESTDIR FILE...  puts these files of the build into DESTDIR
#   cached.sh SUITE --again          builds once more elsewhere and compares
#   cached.sh SUITE --check          runs check.sh on it in the suite's chroot
#   cached.sh SUITE --source         prints the directory of the source package
#
# QEMU_KIND is stubdom (the default) or virtio: see build.sh.
# Key: version of the source package, toolchain and libraries (the chroot's
# packages), patches, devices, options and scripts.
# QEMU_SOURCE_DIR, when set, takes the place of the suite's source package.
# shellcheck disable=SC2034,SC2154 # mk/cached.sh reads and sets them
set -eu

here=$(dirname "$(readlink -f "$0")")
top=$(readlink -f "$here/../..")
cache=${XEN_EXTRAS_CACHE:?}/qemu
name=qemu suite=$1 dest=$2
kind=${QEMU_KIND:-stubdom}
log=$top/build/log/qemu-$kind-$suite.log
shift 2
. "$top/mk/cached.sh"

facts=$(in_chroot -- sh -euc "
	apt-cache showsrc qemu | sed -n 's/^Version: //p' | sort -V | tail -n 1
	dpkg-query -W gcc binutils libc6-dev libglib2.0-dev libpixman-1-dev libseccomp-dev \
		libxen-dev zlib1g-dev meson | xargs
	dpkg-query -W liburing-dev libaio-dev libattr1-dev libzstd-dev 2>/dev/null | xargs
	dpkg-query -W \"\$(readlink -f /usr/bin/gcc | sed 's|.*/x86_64-linux-gnu-||')\"")
version=$(echo "$facts" | sed -n 1p)
tools=$(echo "$facts" | sed 1d)
[ -n "$version" ] || die "suite $suite has no source package qemu"
# No colon in the name (the epoch): chroot.sh would split it there.
source=${QEMU_SOURCE_DIR:-$cache/src/$suite-${version#*:}}
[ -z "${QEMU_SOURCE_DIR:-}" ] || version=$(find "$source" -type f -exec sha256sum {} + | sort | sha256sum)

lock
if [ ! -d "$source" ]; then
	fetch "source $version" apt-get -qq -o APT::Sandbox::User=root --download-only source "qemu=$version"
	mv "$fetched" "$source"
fi

if [ "$dest" = --source ]; then
	echo "$source"
	exit
fi

# All series count: a patch for one suite makes the others build anew, rarely.
lists=. kept=$suite
[ "$kind" = stubdom ] || lists=$kind kept=$kind-$suite
hit=$cache/$kept-$({ echo "$version $tools"; cd "$here"; cat build.sh series.sh $lists/devices.mak $lists/configure.options
	find . \( -path './[0-9]*' -o -path './files/*' \) -type f | LC_ALL=C sort | xargs cat
	cat ../protocol/*.[ch]; } | key)

# build DIRECTORY_IN_CHROOT JOBS: into a fresh $work
build() {
	compile "$1" source --bind "$top:/mnt/xen-extras" --bind "$(readlink -f "$source"):/mnt/qemu-source" -- \
		env JOBS="$2" LOG="$1/build.log" /mnt/xen-extras/src/qemu/build.sh /mnt/qemu-source "$1" "$kind"
}

if [ ! -d "$hit" ]; then
	echo "qemu: building qemu-$kind for $suite (some minutes), log: build/log/${log##*/}"
	build /mnt/build 2
	mv "$work" "$hit"
fi
case $dest in
--again)
	again "$hit" "qemu-$kind" ;;
--check)
	in_chroot --net-off --bind "$hit:/mnt/build" --bind "$here:/mnt/qemu" -- \
		/mnt/qemu/check-elf.sh "/mnt/build/qemu-$kind" "$kind"
	# The chroot of a user's machine: has the libraries and ROMs that QEMU needs there.
	# Where it is installed: 7.2 looks for its ROMs relative to that.
	if [ "$kind" = virtio ]; then
		for check in src/qemu/virtio tests/qemu; do
			in_chroot --net-off --bind "$hit:/mnt/build" --bind "$top:/mnt/xen-extras" -- \
				"/mnt/xen-extras/$check/check.sh" /mnt/build/qemu-virtio
		done
		exit
	fi
	"$top/mk/chroot.sh" run "$suite" image --net-off --bind "$hit:/usr/libexec/xen-extras" --bind "$here:/mnt/qemu" -- \
		/mnt/qemu/check.sh /usr/libexec/xen-extras/qemu-stubdom ;;
*)
	mkdir -p "$dest"
	for f; do cp "$hit/$f" "$dest/"; done
	echo "qemu: $(cat "$hit/qemu-source-version") ($suite, $(stat -c %s "$hit/qemu-$kind") bytes) in $dest" ;;
esac

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
set -eu

here=$(dirname "$(readlink -f "$0")")
top=$(readlink -f "$here/../..")
cache=${XEN_EXTRAS_CACHE:?}/qemu
suite=$1 dest=$2
kind=${QEMU_KIND:-stubdom}
shift 2

in_chroot() { "$top/mk/chroot.sh" run "$suite" build "$@"; }
die() { echo "qemu: $*" >&2; exit 1; }

mkdir -p "$cache/src" "$top/build/log"
log=$top/build/log/qemu-$kind-$suite.log

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

exec 9>"$cache/.lock-$suite"
flock 9
if [ ! -d "$source" ]; then
	echo "qemu: fetching source $version" >&2
	tmp=$(mktemp -d "$cache/src/.new-XXXXXX")
	in_chroot --bind "$tmp:/mnt/qemu-source" --dir /mnt/qemu-source -- \
		apt-get -qq -o APT::Sandbox::User=root --download-only source "qemu=$version" \
		>"$log" 2>&1 || { cat "$log" >&2; rm -rf "$tmp"; die "cannot fetch $version (old lists? remove the chroot)"; }
	chmod 755 "$tmp"
	mv "$tmp" "$source"
fi

if [ "$dest" = --source ]; then
	echo "$source"
	exit
fi

# All series count: a patch for one suite makes the others build anew, rarely.
lists=. name=$suite
[ "$kind" = stubdom ] || lists=$kind name=$kind-$suite
key=$( { echo "$version $tools"; cd "$here"; cat build.sh series.sh $lists/devices.mak $lists/configure.options
	find . \( -path './[0-9]*' -o -path './files/*' \) -type f | LC_ALL=C sort | xargs cat
	cat ../protocol/*.[ch]; } | sha256sum | cut -c1-16)
hit=$cache/$name-$key

# build DIRECTORY_IN_CHROOT JOBS: into a fresh $work
build() {
	work=$(mktemp -d "$cache/.build-XXXXXX")
	chmod 755 "$work"
	nice "$top/mk/chroot.sh" run "$suite" build --net-off --bind "$work:$1" --bind "$top:/mnt/xen-extras" \
		--bind "$(readlink -f "$source"):/mnt/qemu-source" -- \
		env JOBS="$2" LOG="$1/build.log" /mnt/xen-extras/src/qemu/build.sh /mnt/qemu-source "$1" "$kind" || {
		cp "$work/build.log" "$log" 2>/dev/null || :
		rm -rf "$work"
		die "build failed, log: $log"
	}
	cp "$work/build.log" "$log"
	rm -rf "$work/source"
}

if [ ! -d "$hit" ]; then
	echo "qemu: building qemu-$kind for $suite (some minutes), log: build/log/${log##*/}"
	build /mnt/build 2
	mv "$work" "$hit"
fi
case $dest in
--again)
	build /var/tmp/xen-extras/quite/another/directory 1
	cmp "$hit/qemu-$kind" "$work/qemu-$kind" || die "not reproducible; keeping $work"
	rm -rf "$work"
	echo "qemu: built twice, in two directories: $(sha256sum <"$hit/qemu-$kind" | cut -c1-64)" ;;
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

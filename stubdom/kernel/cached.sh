#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The stubdomain's kernel for a Debian suite, from the cache or built into it.
#
#   cached.sh SUITE DESTDIR        puts vmlinuz, config and version into DESTDIR
#   cached.sh SUITE --again        builds once more elsewhere and compares
#
# Key: version of linux-source, toolchain, fragments and scripts.
# KERNEL_SOURCE_TARBALL, when set, takes the place of the suite's package.
# shellcheck disable=SC2034,SC2154 # mk/cached.sh reads and sets them
set -eu

here=$(dirname "$(readlink -f "$0")")
top=$(readlink -f "$here/../..")
cache=${XEN_EXTRAS_CACHE:?}/kernel
name=kernel suite=$1 dest=$2
src=linux-source-6.12
log=$top/build/log/kernel-$suite.log
. "$top/mk/cached.sh"

# One visit for all that names the inputs.  linux-source is not installed:
# its 150 MB are kept once, for all chroots.
facts=$(in_chroot -- sh -euc "
	apt-cache show --no-all-versions $src | sed -n 's/^Version: //p'
	dpkg-query -W gcc binutils \"\$(readlink -f /usr/bin/gcc | sed 's|.*/x86_64-linux-gnu-||')\" | xargs")
version=$(echo "$facts" | sed -n 1p)
tools=$(echo "$facts" | sed -n 2p)
tarball=${KERNEL_SOURCE_TARBALL:-$cache/src/$src-$version.tar.xz}
[ -z "${KERNEL_SOURCE_TARBALL:-}" ] || version=$(sha256sum <"$KERNEL_SOURCE_TARBALL" | cut -c1-32)
[ -n "$version" ] || die "suite $suite has no package $src"

lock
if [ ! -f "$tarball" ]; then
	fetch "$src $version" sh -euc "
		apt-get -qq -o APT::Sandbox::User=root download '$src=$version'
		dpkg-deb --fsys-tarfile ./*.deb | tar -xO ./usr/src/$src.tar.xz >/mnt/source/source"
	mv "$fetched/source" "$tarball"
	rm -rf "$fetched"
fi

hit=$cache/$suite-$({ echo "$version $tools"; cd "$here"; cat [0-9]*.config build.sh check-config.awk patches/*; } | key)

# build DIRECTORY_IN_CHROOT JOBS: into a fresh $work
build() {
	compile "$1" linux --bind "$here:/mnt/kernel" --bind "$(readlink -f "$tarball"):/mnt/source.tar.xz" -- \
		env JOBS="$2" LOG="$1/build.log" /mnt/kernel/build.sh /mnt/source.tar.xz "$1"
}

if [ ! -d "$hit" ]; then
	echo "kernel: building $src $version for $suite (some minutes), log: build/log/${log##*/}"
	build /mnt/build 2
	echo "$version" >"$work/source-version"
	mv "$work" "$hit"
fi
if [ "$dest" = --again ]; then
	again "$hit" vmlinuz config
else
	mkdir -p "$dest"
	cp "$hit/vmlinuz" "$hit/config" "$hit/version" "$dest/"
	echo "kernel: $(cat "$hit/version") ($suite, $(stat -c %s "$hit/vmlinuz") bytes) in $dest"
fi

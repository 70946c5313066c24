# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154
# What the cached.sh of the kernel and of QEMU share: a program that is compiled in a suite's build
# chroot, without network, and kept in the cache under a key of its inputs.
#
# Set before it is read: name (in messages), top (of the tree), suite, cache (a directory), log.

in_chroot() { "$top/mk/chroot.sh" run "$suite" build "$@"; }
die() { echo "$name: $*" >&2; exit 1; }

mkdir -p "$cache/src" "$top/build/log"

# One at a time; until the program ends.
lock() {
	exec 9>"$cache/.lock-$suite"
	flock 9
}

# What stands for its input.
key() { sha256sum | cut -c1-16; }

# fetch WHAT COMMAND...: into a new directory, $fetched, which is /mnt/source there.
fetch() {
	echo "$name: fetching $1" >&2
	fetched=$(mktemp -d "$cache/src/.new-XXXXXX")
	chmod 755 "$fetched"
	_what=$1; shift
	in_chroot --bind "$fetched:/mnt/source" --dir /mnt/source -- "$@" >"$log" 2>&1 ||
		{ cat "$log" >&2; rm -rf "$fetched"; die "cannot fetch $_what (old lists? remove the chroot)"; }
}

# compile DIRECTORY TREE ARGUMENT...: into a new directory, $work, which is DIRECTORY in the chroot; ARGUMENTs are those of
# `chroot.sh run`. TREE, below it, is not kept.
compile() {
	work=$(mktemp -d "$cache/.build-XXXXXX")
	chmod 755 "$work"
	_dir=$1 _tree=$2; shift 2
	nice "$top/mk/chroot.sh" run "$suite" build --net-off --bind "$work:$_dir" "$@" || {
		cp "$work/build.log" "$log" 2>/dev/null || :
		rm -rf "$work"
		die "build failed, log: $log"
	}
	cp "$work/build.log" "$log"
	rm -rf "${work:?}/$_tree"
}

# again HIT FILE...: build DIRECTORY JOBS, which the reader has, in another directory; the FILEs must be those of HIT.
again() {
	build /var/tmp/xen-extras/quite/another/directory 1
	_hit=$1; shift
	for f; do cmp "$_hit/$f" "$work/$f" || die "not reproducible: $f; keeping $work"; done
	rm -rf "$work"
	echo "$name: built twice, in two directories: $(sha256sum <"$_hit/$1" | cut -c1-64)"
}

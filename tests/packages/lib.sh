# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# What the packages' tests have in common, with tests/lib/expect.sh; read by run.sh before each of them, in a
# mount namespace of the test's own: nothing has to be unmounted.

export SUITE="${SUITE:-trixie}"
TOP=$PWD
# Scratch space of this test, gone when it ends.
WORK=$(mktemp -d "${TMPDIR:-/var/tmp}/xen-extras-packages.XXXXXX") || exit 1
chmod 755 "$WORK"
trap 'below_work && rm -rf --one-file-system "$WORK"' EXIT
# What is mounted below it goes first, the newest first: rm -rf would empty /dev and the
# directories that bind() shows there.  (umount -R wants a mount point, which $WORK is none.)
below_work() {
	cd /
	awk -v p="$WORK/" 'index($5, p) == 1 { print $5 }' /proc/self/mountinfo | tac | while read -r _m; do umount -l "$_m"; done
	! grep -qF " $WORK/" /proc/self/mountinfo || { echo "not ok - mounts are left below $WORK"; exit 1; }
}
OUT=$WORK/out
# shellcheck disable=SC2034 # expect.sh reads it
SHOW='    '
. tests/lib/expect.sh

# re TEXT: a regular expression that matches just that (a kernel's name has dots and +).
re() { printf '%s\n' "$1" | sed 's/[].[*+?(){}|^$\\]/\\&/g'; }

# root NAME SUITE KIND: a machine called NAME to do as one likes with: the chroot of
# mk/packages/KIND with what changes in $WORK.  Its path is $WORK/NAME/root.
# The kind `plain` is Debian's least system.
root() {
	_low=$("$TOP/mk/chroot.sh" path "$2" "$3") || return 1
	_r=$WORK/$1/root
	mkdir -p "$WORK/$1/upper" "$WORK/$1/work" "$_r"
	mount -t overlay overlay -o "lowerdir=$_low,upperdir=$WORK/$1/upper,workdir=$WORK/$1/work" "$_r"
	mount -t proc proc "$_r/proc"
	mount -t sysfs -o ro sysfs "$_r/sys"
	own_dev "$_r/dev"
	# What is written here is thrown away: nothing need reach a disk.
	echo force-unsafe-io >"$_r/etc/dpkg/dpkg.cfg.d/xen-extras-test"
	[ ! -e /etc/resolv.conf ] || cat /etc/resolv.conf >"$_r/etc/resolv.conf"
}

# own_dev DIRECTORY: a /dev with what programs expect and no device of this machine:
# nothing that goes wrong in there can reach it.
own_dev() {
	mount -t tmpfs -o mode=755 tmpfs "$1"
	for _n in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0"; do
		# shellcheck disable=SC2086 # name, major, minor
		(set -- "$1" $_n; mknod -m 666 "$1/$2" c "$3" "$4")
	done
	mkdir "$1/pts" "$1/shm"
	mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$1/pts"
	mount -t tmpfs tmpfs "$1/shm"
	ln -s pts/ptmx "$1/ptmx"
	for _n in "fd" "fd/0 stdin" "fd/1 stdout" "fd/2 stderr"; do ln -s "/proc/self/${_n% *}" "$1/${_n#* }"; done
}

# in_root NAME COMMAND...: run in it; no process outlives the command.
in_root() {
	_r=$WORK/$1/root; shift
	unshare -p -f --kill-child chroot "$_r" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive TERM=dumb ${SOURCE_DATE_EPOCH:+"SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH"} "$@"
}

# bind NAME SOURCE PLACE: a directory of this machine, seen in the other one at PLACE.
bind() { mkdir -p "$WORK/$1/root$3" && mount --bind "$2" "$WORK/$1/root$3"; }

# gone NAME: that machine is needed no more.
gone() { umount -R -l "$WORK/$1/root" && rm -rf --one-file-system "${WORK:?}/$1"; }

# debs SUITE: the directory with our packages of that suite; built when there are none.
debs() {
	ls "$TOP/build/deb/$1"/xen-extras_*.deb >/dev/null 2>&1 || make -C "$TOP" deb SUITE="$1" >&2 || return 1
	echo "$TOP/build/deb/$1"
}

# flat_repo NAME DIRECTORY: *.deb of DIRECTORY as an apt source of machine NAME, at
# /repo there; called again it is read again (the second version of a package, say).
flat_repo() {
	mkdir -p "$WORK/$1/repo"
	cp "$2"/*.deb "$WORK/$1/repo/"
	"$TOP/mk/chroot.sh" run "$SUITE" build --bind "$WORK/$1/repo:/mnt/repo" --dir /mnt/repo -- \
		sh -c 'dpkg-scanpackages -m . 2>/dev/null >Packages'
	mountpoint -q "$WORK/$1/root/repo" || bind "$1" "$WORK/$1/repo" /repo
	echo 'deb [trusted=yes] file:/repo ./' >"$WORK/$1/root/etc/apt/sources.list.d/xen-extras.list"
	in_root "$1" apt-get -q update
}

# --- The driver, built by dkms ---

# dkms_machine NAME SUITE: a guest with dkms and initramfs-tools, no kernel, and our
# package as /driver.deb.
dkms_machine() {
	root "$1" "$2" dkms || return 1
	cp "$(debs "$2")"/virtio-xenbus-dkms_*_all.deb "$WORK/$1/root/driver.deb"
	# An initramfs has what packages ask for, and is made in seconds.
	echo MODULES=list >"$WORK/$1/root/etc/initramfs-tools/conf.d/xen-extras-test"
	# Kernels are fetched once for all of these tests, the lists once for each.
	mkdir -p "$TOP/build/packages/apt-$2/partial"
	bind "$1" "$TOP/build/packages/apt-$2" /var/cache/apt/archives
	if [ -d "$WORK/lists-$2" ]; then
		bind "$1" "$WORK/lists-$2" /var/lib/apt/lists
	else
		cp -a "$WORK/$1/root/var/lib/apt/lists" "$WORK/lists-$2"
		bind "$1" "$WORK/lists-$2" /var/lib/apt/lists
		in_root "$1" apt-get -q update >"$OUT" 2>&1 || { fail "$1: apt-get update"; show_out; }
	fi
}

# add NAME PACKAGE...: install just these.
add() {
	_n=$1; shift
	in_root "$_n" apt-get -q -y --no-install-recommends install "$@"
}

# driver_version NAME: what dkms calls the version of /driver.deb, which is upstream's.
driver_version() { in_root "$1" dpkg-deb -f /driver.deb Version | sed 's/-[^-]*$//'; }

# kernels NAME FLAVOUR SERIES COUNT: the newest that have image and headers, oldest first.
kernels() {
	in_root "$1" apt-cache pkgnames linux-headers- | sed -n "s/^linux-headers-\($3[^ ]*[0-9]-$2\)\$/\1/p" |
		while read -r _k; do
			case $2,$_k in amd64,*-cloud-* | amd64,*-rt-*) continue ;; esac
			[ -z "$(in_root "$1" apt-cache madison "linux-image-$_k")" ] || echo "$_k"
		done | sort -V | tail -n "$4" | xargs
}

# builds TEXT COUNT: how often what ran last has compiled the driver.
builds() { same "$1" "$2" "$(grep -c '^Building module' "$OUT")" || show_out 60; }

# driver_is TEXT NAME KERNEL VERSION: it is installed there, signed, and would be loaded
# for a device (headers without their kernel have no modules.alias: the module's own then).
driver_is() {
	_ko=$(cd "$WORK/$2/root" && echo lib/modules/"$3"/updates/dkms/virtio_xenbus.ko*)
	same "$1" "$3: $4 installed, DKMS module signing key, $3, xen:virtio xen:virtio_disk" \
		"$3: $(in_root "$2" modinfo -F version "/$_ko") $(
			in_root "$2" dkms status virtio-xenbus -k "$3" | sed -n 's/.*: //p'), $(
			in_root "$2" modinfo -F signer "/$_ko"), $(
			in_root "$2" modinfo -F vermagic "/$_ko" | cut -d' ' -f1), $(
			if [ -e "$WORK/$2/root/lib/modules/$3/modules.alias" ]; then
				sed -n 's/^alias \(.*\) virtio_xenbus$/\1/p' "$WORK/$2/root/lib/modules/$3/modules.alias"
			else in_root "$2" modinfo -F alias "/$_ko"; fi | sort | xargs)"
}

# initramfs_has TEXT NAME KERNEL COUNT: how many drivers of ours (0 or 1).
initramfs_has() {
	same "$1" "$4" "$(in_root "$2" lsinitramfs "/boot/initrd.img-$3" | grep -c '/updates/dkms/virtio_xenbus\.ko')"
}

# no_driver_left TEXT NAME: nothing of the package nor of what it has built.
no_driver_left() {
	same "$1" "" "$(cd "$WORK/$2/root" && find lib/modules var/lib/dkms usr/src etc/kernel usr/libexec -name '*virtio[-_]xenbus*')"
}

# repack DEB VERSION DIRECTORY [SCRIPT]: the package again as VERSION, into DIRECTORY; the
# script (of sh) runs in its unpacked tree before.
repack() {
	_t=$WORK/repack
	rm -rf "$_t"
	dpkg-deb -R "$1" "$_t" &&
		(cd "$_t" && sh -euc "${4-}") &&
		sed -i "s/^Version: .*/Version: $2/" "$_t/DEBIAN/control" &&
		dpkg-deb -b --root-owner-group -Znone "$_t" "$3" >/dev/null
}

# The suites whose packages are tested; DEB_SUITES=trixie for one of them.
deb_suites() { echo "${DEB_SUITES:-trixie bookworm}"; }

# changes SUITE DIRECTORY: all that belongs to that suite's .changes files, source
# and debug symbols too, in DIRECTORY.
changes() {
	_d=$(debs "$1") || return 1
	ls "$TOP/build/deb-src/$1"/*.dsc >/dev/null 2>&1 || make -C "$TOP" deb-src SUITE="$1" >&2 || return 1
	mkdir -p "$2"
	cp "$_d"/*.* "$_d"/dbgsym/*.deb "$TOP/build/deb-src/$1"/*.* "$2/"
}

# previous DIRECTORY OUT [VERSION]: the packages of DIRECTORY as their predecessor, with
# a lower version and another stubdom-init.
previous() {
	_new=${3:-0.0.9-1}
	mkdir -p "$2"
	for _d in "$1"/*.deb; do
		_t=$WORK/previous
		rm -rf "$_t"
		dpkg-deb -R "$_d" "$_t" || return 1
		_old=$(dpkg-deb -f "$_d" Version)
		sed -i "s/^Version: .*/Version: $_new/; s/= $_old)/= $_new)/g" "$_t/DEBIAN/control"
		# One byte behind an ELF file does no harm.
		_f=usr/libexec/xen-extras/stubdom-init
		[ ! -f "$_t/$_f" ] || printf 'x' >>"$_t/$_f"
		_src=$_t/usr/src/virtio-xenbus-${_old%-*}
		if [ -d "$_src" ]; then
			mv "$_src" "${_src%/*}/virtio-xenbus-${_new%-*}"
			sed -i "s/${_old%-*}/${_new%-*}/g" "$_t/DEBIAN/postinst" "$_t/DEBIAN/prerm" \
				"${_src%/*}/virtio-xenbus-${_new%-*}/dkms.conf"
		fi
		[ ! -f "$_t/DEBIAN/md5sums" ] ||
			(cd "$_t" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | LC_ALL=C sort -z | xargs -0 md5sum >DEBIAN/md5sums)
		dpkg-deb --root-owner-group -Zxz -z0 -b "$_t" "$2" >/dev/null || return 1
	done
	rm -rf "$_t"
}

# files_of NAME: every file of that machine, and a sum of each in /etc; without what
# apt, dpkg and the loader keep for themselves.
files_of() {
	(cd "$WORK/$1/root" && find . -xdev \
		\( -path ./repo -o -path ./tmp -o -path ./run -o -path ./root -o -path ./var/tmp -o -path ./var/cache -o -path ./var/log -o -path ./var/lib/apt \) -prune \
		-o ! -path './var/lib/dpkg/*-old' ! -path './var/lib/dpkg/lock*' ! -path './var/lib/dpkg/triggers/*' -printf '%y %m %p %l\n'
	find etc -type f ! -name ld.so.cache ! -name '*-' -exec sha256sum {} +) | LC_ALL=C sort
}

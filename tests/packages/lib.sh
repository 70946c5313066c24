# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# What the packages' tests have in common; read by run.sh before each of them, in a
# mount namespace of the test's own: nothing has to be unmounted.

export SUITE="${SUITE:-trixie}"
TOP=$PWD
# Scratch space of this test, gone when it ends.
WORK=$(mktemp -d "${TMPDIR:-/var/tmp}/xen-extras-packages.XXXXXX") || exit 1
chmod 755 "$WORK"
trap 'below_work; rm -rf "$WORK"' EXIT
# What is mounted below it goes first, the newest first: rm -rf would empty /dev and the
# directories that bind() shows there.  (umount -R wants a mount point, which $WORK is none.)
below_work() {
	cd /
	awk -v p="$WORK/" 'index($5, p) == 1 { print $5 }' /proc/self/mountinfo | tac | while read -r _m; do umount -l "$_m"; done
	! grep -qF " $WORK/" /proc/self/mountinfo || { echo "not ok - mounts are left below $WORK"; exit 1; }
}
OUT=$WORK/out

ok() { echo "ok - $*"; }
fail() { echo "not ok - $*"; }
note() { echo "note $*"; }
# The last LINES (25) of what ran, below its failure.
show_out() { tail -n "${1-25}" "$OUT" | sed 's/^/    /'; }

# expect TEXT COMMAND...: the command succeeds; its output is shown when not.
expect() {
	_text=$1; shift
	if "$@" >"$OUT" 2>&1; then ok "$_text"; else _rc=$?; fail "$_text (status $_rc)"; show_out 25; return 1; fi
}

# expect_text TEXT REGEX COMMAND...: it succeeds and prints a line that matches.
expect_text() {
	_text=$1 _re=$2; shift 2
	if ! "$@" >"$OUT" 2>&1; then _rc=$?; fail "$_text (status $_rc)"; show_out 25; return 1
	elif grep -Eq -e "$_re" "$OUT"; then ok "$_text"
	else fail "$_text (no line matches $_re)"; show_out 25; return 1; fi
}

# refuse TEXT COMMAND...: the command fails.
refuse() {
	_text=$1; shift
	if "$@" >"$OUT" 2>&1; then fail "$_text (it succeeded)"; show_out 25; return 1; else ok "$_text"; fi
}

# same TEXT EXPECTED FOUND
same() {
	if [ "$2" = "$3" ]; then ok "$1"; else fail "$1: expected '$2', found '$3'"; return 1; fi
}

# root NAME SUITE KIND: a machine called NAME to do as one likes with: the chroot of
# mk/packages/KIND with what changes in $WORK.  Its path is $WORK/NAME/root.
# The kind `plain` is Debian's least system.
root() {
	_low=$("$TOP/mk/chroot.sh" path "$2" "$3") || return 1
	_r=$WORK/$1/root
	mkdir -p "$WORK/$1/upper" "$WORK/$1/work" "$_r"
	mount -t overlay overlay -o "lowerdir=$_low,upperdir=$WORK/$1/upper,workdir=$WORK/$1/work" "$_r"
	mount -t proc proc "$_r/proc"
	mount --rbind /sys "$_r/sys"
	mount --rbind /dev "$_r/dev"
	# What is written here is thrown away: nothing need reach a disk.
	echo force-unsafe-io >"$_r/etc/dpkg/dpkg.cfg.d/xen-extras-test"
	[ ! -e /etc/resolv.conf ] || cat /etc/resolv.conf >"$_r/etc/resolv.conf"
}

# in_root NAME COMMAND...: run in it; no process outlives the command.
in_root() {
	_r=$WORK/$1/root; shift
	unshare -p -f --kill-child chroot "$_r" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive TERM=dumb ${SOURCE_DATE_EPOCH:+"SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH"} "$@"
}

# bind NAME SOURCE PLACE: a directory of this machine, seen in the other one at PLACE.
bind() { mkdir -p "$WORK/$1/root$3" && mount --bind "$2" "$WORK/$1/root$3"; }

# debs SUITE: the directory with our packages of that suite; built when there are none.
debs() {
	ls "$TOP/build/deb/$1"/xen-extras_*.deb >/dev/null 2>&1 || make -C "$TOP" deb SUITE="$1" >&2 || return 1
	echo "$TOP/build/deb/$1"
}

# flat_repo NAME DIRECTORY: *.deb of DIRECTORY as an apt source of machine NAME, at
# /repo there; called again it is read anew (the second version of a package, say).
flat_repo() {
	mkdir -p "$WORK/$1/repo"
	cp "$2"/*.deb "$WORK/$1/repo/"
	"$TOP/mk/chroot.sh" run "$SUITE" build --bind "$WORK/$1/repo:/mnt/repo" --dir /mnt/repo -- \
		sh -c 'dpkg-scanpackages -m . 2>/dev/null >Packages'
	mountpoint -q "$WORK/$1/root/repo" || bind "$1" "$WORK/$1/repo" /repo
	echo 'deb [trusted=yes] file:/repo ./' >"$WORK/$1/root/etc/apt/sources.list.d/xen-extras.list"
	in_root "$1" apt-get -q update
}

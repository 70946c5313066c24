#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Per-suite chroots, made by mmdebstrap and kept in the cache outside the tree.
#
#   mk/chroot.sh path SUITE KIND                  make it when it is not there; print its path
#   mk/chroot.sh run  SUITE KIND [--bind SRC:DST]... [--net-off] [--dir DIR] -- COMMAND...
#
# KIND names a list of packages, mk/packages/KIND or, when a suite needs its
# own, mk/packages/KIND.SUITE.  SUITE may be one with its backports
# (trixie-backports; the list says what comes from there: PACKAGE/SUITE).  A chroot is keyed on that list and on this
# file, so changing either makes a new one; it is never changed in place.
# A failed build leaves nothing behind: the directory gets its name last.
set -eu

here=$(dirname "$(readlink -f "$0")")
cache=${XEN_EXTRAS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/xen-extras}

die() { echo "chroot.sh: $*" >&2; exit 1; }

list_of() {
	for f in "$here/packages/$2.$1" "$here/packages/$2"; do
		[ ! -f "$f" ] || { sed 's/#.*//' "$f" | xargs; return; }
	done
	die "no package list for $2 (mk/packages/$2)"
}

path_of() {
	pkgs=$(list_of "$1" "$2")
	key=$( { echo "$pkgs"; cat "$0"; } | sha256sum | cut -c1-12)
	echo "$cache/chroot/$1-$2-$key"
}

make_chroot() {
	root=$(path_of "$1" "$2")
	[ ! -d "$root" ] || return 0
	mkdir -p "$cache/chroot"
	exec 9>"$cache/chroot/.lock-$1-$2"
	flock 9
	[ ! -d "$root" ] || return 0
	echo "chroot $1/$2: installing with mmdebstrap (about a minute)" >&2
	tmp=$(mktemp -d "$cache/chroot/.new-XXXXXX")
	chmod 755 "$tmp"
	base=${1%-backports} more=
	[ "$base" = "$1" ] || more="h;s/ $base / $1 /p;g;"
	# deb-src: QEMU's source comes from the suite itself.
	# The lists stay: apt-get works in the chroot without a new update.
	mmdebstrap --mode=root --variant=minbase --quiet \
		--include="$(list_of "$1" "$2" | tr ' ' ,)" \
		--setup-hook='sed -i "p;'"$more"'s/^deb /deb-src /" "$1/etc/apt/sources.list"' \
		--skip=cleanup/apt/lists \
		--customize-hook='rm -f "$1/usr/sbin/policy-rc.d"; printf "#!/bin/sh\nexit 101\n" >"$1/usr/sbin/policy-rc.d"; chmod 755 "$1/usr/sbin/policy-rc.d"' \
		"$base" "$tmp" >&2 || { rm -rf "$tmp"; die "mmdebstrap failed for $1/$2"; }
	mv "$tmp" "$root"
}

run_in() {
	root=$(path_of "$1" "$2"); shift 2
	binds='' dir=/ net=''
	while [ "$1" != -- ]; do
		case $1 in
		--bind) binds="$binds $2"; shift 2 ;;
		--dir) dir=$2; shift 2 ;;
		--net-off) net=-n; shift ;;
		*) die "run: unknown option $1" ;;
		esac
	done
	shift
	# A mount namespace of its own: nothing to unmount, whatever happens.
	ROOT=$root BINDS=$binds DIR=$dir exec unshare -m $net sh -euc '
		mount --make-rprivate /
		mount --bind "$ROOT" "$ROOT"
		mount -t proc proc "$ROOT/proc"
		mount --rbind /sys "$ROOT/sys"
		mount --rbind /dev "$ROOT/dev"
		[ ! -e /etc/resolv.conf ] || cat /etc/resolv.conf >"$ROOT/etc/resolv.conf"
		for b in $BINDS; do
			src=${b%%:*} dst=$ROOT${b#*:}
			if [ -d "$src" ]; then mkdir -p "$dst"; else mkdir -p "${dst%/*}"; touch "$dst"; fi
			mount --rbind "$src" "$dst"
		done
		exec chroot "$ROOT" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive TERM="${TERM:-dumb}" \
			${SOURCE_DATE_EPOCH:+"SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH"} \
			sh -euc "cd \"\$1\"; shift; exec \"\$@\"" sh "$DIR" "$@"
	' sh "$@"
}

[ $# -ge 3 ] || die "usage: chroot.sh path|run SUITE KIND ..."
cmd=$1; shift
make_chroot "$1" "$2"
case $cmd in
path) path_of "$1" "$2" ;;
run) run_in "$@" ;;
*) die "unknown command $cmd" ;;
esac

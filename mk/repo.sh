#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A signed apt repository and a signed dnf repository of packages that are built.
#
#   mk/repo.sh OUT [SUITE=DIRECTORY of *.deb]... [src:SUITE=DIRECTORY of *.dsc]... [rpm:NAME=DIRECTORY of *.rpm]...
#
# From the environment:
#   REPO_KEY         the key to sign with, as its owner's gpg knows it.  Without it a key
#                    is made that signs what is built in this tree and nothing else.
#   REPO_KEY_HOME    where that one is kept (build/repo-key)
#   REPO_URL         where hosts will find OUT; stands in the files they are given
#   REPO_VALID_DAYS  apt refuses the index after so many days (none: it never does)
#
# repo-index.sh does it, in a chroot.  The owner's secret key does not go there: gpg's
# agent, which has it (or the card) and asks for the passphrase, is reached by its socket.
set -eu

die() { echo "repo.sh: $*" >&2; exit 1; }

top=$(dirname "$(dirname "$(readlink -f "$0")")")
[ $# -ge 2 ] || die "usage: repo.sh OUT SUITE=DIRECTORY|src:SUITE=DIRECTORY|rpm:NAME=DIRECTORY..."
out=$1; shift
new=$out.new
rm -rf "$new"
mkdir -p "$new"
for source; do
	name=${source%%=*} dir=${source#*=}
	case $name in
	rpm:*)
		mkdir -p "$new/rpm/${name#rpm:}"
		cp "$dir"/*.rpm "$new/rpm/${name#rpm:}/" || die "no packages in $dir"
		;;
	src:*)
		pool=$new/deb/pool/${name#src:}/main
		mkdir -p "$pool"
		for dsc in "$dir"/*.dsc; do
			cp "$dsc" "$pool/" || die "no source package in $dir"
			sed -n '/^Files:/,/^[^ ]/s/^ [0-9a-f]* [0-9]* //p' "$dsc" | while read -r f; do cp "$dir/$f" "$pool/"; done
		done
		;;
	*)
		# A pool for each suite: a package of the same name and version is another
		# file there, built with that suite's compiler and libraries.
		pool=$new/deb/pool/$name
		mkdir -p "$pool/main"
		cp "$dir"/*.deb "$pool/main/" || die "no packages in $dir"
		! ls "$dir"/dbgsym/*.deb >/dev/null 2>&1 || { mkdir "$pool/debug" && cp "$dir"/dbgsym/*.deb "$pool/debug/"; }
		;;
	esac
done

# As make says it, for whoever calls this without make.
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(date -d "$(sed -n '/^ -- /{s/.*>  //p;q}' "$top/debian/changelog")" +%s)}"
set --
home=${REPO_KEY_HOME:-$top/build/repo-key}
if [ -n "${REPO_KEY:-}" ]; then
	gpg --batch --list-secret-keys "$REPO_KEY" >/dev/null || die "gpg knows no secret key $REPO_KEY"
	home=$(mktemp -d)
	trap 'rm -rf "$home"' EXIT
	gpg --batch --export "$REPO_KEY" >"$home/theirs"
	gpgconf --launch gpg-agent
	set -- --bind "$(gpgconf --list-dirs agent-socket):/mnt/gnupg/S.gpg-agent"
fi
mkdir -p "$home"
chmod 700 "$home"
# The environment of the chroot is a clean one.
key=$("$top/mk/chroot.sh" run trixie repo --net-off --bind "$(readlink -f "$new"):/mnt/repo" --bind "$(readlink -f "$home"):/mnt/gnupg" "$@" \
	--bind "$top/mk/repo-index.sh:/mnt/repo-index.sh" --dir /mnt/repo -- \
	env "REPO_URL=${REPO_URL:-file:///srv/xen-extras}" "REPO_VALID_DAYS=${REPO_VALID_DAYS:-}" sh /mnt/repo-index.sh)
rm -rf "$out"
mv "$new" "$out"
echo "repo: $out, signed by $key${REPO_KEY:+ ($REPO_KEY)}"

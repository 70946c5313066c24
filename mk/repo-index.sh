#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What mk/repo.sh runs in the chroot: makes and signs the indexes of what lies in
# /mnt/repo (deb/pool/SUITE/COMPONENT/, rpm/NAME/), with the key in /mnt/gnupg.
#
# apt-ftparchive and createrepo_c belong to apt and to dnf, and have no data base of
# their own: the result depends on the packages alone.
set -eu
export GNUPGHOME=/mnt/gnupg
umask 022
# One sum is enough; apt asks for by-hash/ of the strongest that there is.
cat >/tmp/apt.conf <<'END'
APT::FTPArchive::MD5 "false";
APT::FTPArchive::SHA1 "false";
APT::FTPArchive::SHA512 "false";
END
export APT_CONFIG=/tmp/apt.conf

apt_suite() {	# SUITE: the index of deb/pool/SUITE/COMPONENT/
	dist=dists/$1 components=$(ls "pool/$1" | sort -r | xargs)
	for c in $components; do
		mkdir -p "$dist/$c/binary-amd64"
		apt-ftparchive packages "pool/$1/$c" >"$dist/$c/binary-amd64/Packages"
		[ -z "$(find "pool/$1/$c" -name '*.dsc')" ] || {
			mkdir -p "$dist/$c/source"
			apt-ftparchive sources "pool/$1/$c" >"$dist/$c/source/Sources"
		}
	done
	find "$dist" -name Packages -o -name Sources | while read -r index; do
		xz -k "$index"
		# What a host that has fetched the Release file before this one, or after
		# the next, still finds.
		mkdir -p "${index%/*}/by-hash/SHA256"
		for f in "$index" "$index.xz"; do
			cp "$f" "${f%/*}/by-hash/SHA256/$(sha256sum <"$f" | cut -c1-64)"
		done
	done
	date() { command date -u -R "$@" | sed 's/+0000/UTC/'; }
	set -- Origin=xen-extras Label=xen-extras "Suite=$1" "Codename=$1" "Components=$components" \
		'Architectures=all amd64' 'No-Support-for-Architecture-all=Packages' Acquire-By-Hash=yes \
		'Description=Linux stubdomains and virtio for Xen hosts' "Date=$(date -d "@$SOURCE_DATE_EPOCH")" \
		${REPO_VALID_DAYS:+"Valid-Until=$(date -d "$REPO_VALID_DAYS days")"}
	for f; do echo "${f%%=*}: ${f#*=}"; done >Release.new
	# Its own fields are the date of today and nothing else.
	apt-ftparchive release "$dist" | sed -n '/^SHA256:/,$p' >>Release.new
	mv Release.new "$dist/Release"
	$gpg --clearsign -o "$dist/InRelease" "$dist/Release"
	$gpg --armor --detach-sign -o "$dist/Release.gpg" "$dist/Release"
	apt_file "${dist#*/}" "$dist" >"../xen-extras-${dist#*/}.sources"
}

apt_file() {	# SUITE DIST: for /etc/apt/sources.list.d/, with the key in it
	cat <<-END
	# xen-extras for Debian $1: goes to /etc/apt/sources.list.d/
	Types: deb$(ls "$2"/*/source >/dev/null 2>&1 && echo ' deb-src')
	URIs: $REPO_URL/deb
	Suites: $1
	Components: main
	Architectures: amd64
	Signed-By:
	$(sed 's/^$/./; s/^/ /' ../xen-extras-archive-keyring.asc)
	END
}

dnf_repo() {	# NAME: rpm/NAME/*.rpm
	rpmsign --define "_gpg_name $key" --define "_gpg_path $GNUPGHOME" --addsign "$1"/*.rpm >/tmp/rpmsign.log 2>&1 ||
		{ cat /tmp/rpmsign.log >&2; exit 1; }
	# gz: read by every dnf there is.
	createrepo_c --quiet --no-database --general-compress-type=gz \
		--revision="$SOURCE_DATE_EPOCH" --set-timestamp-to-revision "$1"
	$gpg --armor --detach-sign -o "$1/repodata/repomd.xml.asc" "$1/repodata/repomd.xml"
	case $1 in
	fedora-*) dnf_file fedora 'fedora-$releasever' ;;
	el*) dnf_file el 'el$releasever' ;;
	esac
}

dnf_file() {	# SYSTEM DIRECTORY: for /etc/yum.repos.d/
	cat >"../xen-extras-$1.repo" <<-END
	# xen-extras: goes to /etc/yum.repos.d/
	[xen-extras]
	name=xen-extras
	baseurl=$REPO_URL/rpm/$2
	gpgkey=$REPO_URL/xen-extras-archive-keyring.asc
	gpgcheck=1
	repo_gpgcheck=1
	enabled=1
	END
}

gpg="gpg --batch --quiet --no-tty --yes"
key() { $gpg --list-keys --with-colons 2>/dev/null | sed -n '/^fpr:/{s/^fpr:*//;s/:*$//;p;q}'; }
if [ -f /mnt/gnupg/theirs ]; then
	$gpg --import /mnt/gnupg/theirs
	echo no-autostart >/mnt/gnupg/gpg.conf
elif [ -z "$(key)" ]; then
	# RSA: every apt, dnf and rpm that is in use can check it.
	$gpg --pinentry-mode loopback --passphrase '' --quick-gen-key \
		'xen-extras packages built from one tree, by whoever built them' rsa4096 sign never
fi
key=$(key)
gpg="$gpg --local-user $key"
cd /mnt/repo
$gpg --export-options export-minimal --export "$key" >xen-extras-archive-keyring.gpg
$gpg --export-options export-minimal --armor --export "$key" >xen-extras-archive-keyring.asc
if [ -d deb ]; then
	cd deb
	for s in pool/*; do apt_suite "${s#*/}"; done
	cd ..
fi
if [ -d rpm ]; then
	cd rpm
	for n in *; do dnf_repo "$n"; done
fi
[ -f /mnt/gnupg/theirs ] || gpgconf --kill all
echo "$key"

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# summary: make repo: apt and dnf install what is right, and nothing else
# time-limit: 2400

suites=${DEB_SUITES:-trixie bookworm}
export REPO_KEY_HOME="$WORK/key" REPO_KEY='' REPO_URL='' REPO_VALID_DAYS=''
out=$WORK/out.repo
key=$out/xen-extras-archive-keyring

# flip FILE: one bit of the byte in its middle is another.
flip() { python3 -c 'import sys; f = open(sys.argv[1], "r+b"); n = f.seek(0, 2) // 2; f.seek(n); b = f.read(1)[0]; f.seek(n); f.write(bytes([b ^ 1]))' "$1"; }
# keep DIRECTORY, back DIRECTORY: what the test does to it in between is undone.
keep() { rm -rf "$1.kept"; cp -al "$1" "$1.kept"; }
back() { rm -rf "$1" && mv "$1.kept" "$1"; }
# A changed file is written as a new file: the kept one is the same inode.
own() { cp -p "$1" "$1.own" && mv "$1.own" "$1"; }

# why TEXT REGEX: so said the command that was refused.
why() { if grep -Eq -e "$2" "$OUT"; then ok "$1"; else fail "$1 (no line matches $2)"; show_out; return 1; fi; }

# ---- what is made ---------------------------------------------------------------------------------------------

# A package for dnf that needs nothing; the real ones are signed beside it.
mkdir -p "$WORK/rpm"
cat >"$WORK/rpm/xe-test.spec" <<'END'
Name: xe-test
Version: 1
Release: 1
Summary: a package that needs nothing
License: GPL-2.0-or-later
BuildArch: noarch
%description
%{summary}.
%install
mkdir -p %{buildroot}/usr/share/xe-test
echo hello >%{buildroot}/usr/share/xe-test/hello
%files
/usr/share/xe-test
END
mkdir -p "$WORK/rpm/fedora-43"
expect "an rpm for the test is built" "$TOP/mk/chroot.sh" run trixie repo --net-off --bind "$WORK/rpm:/mnt/rpm" -- \
	rpmbuild -bb --define '_topdir /tmp/rpmbuild' --define '_rpmdir /mnt/rpm/fedora-43' \
	--define '_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' /mnt/rpm/xe-test.spec
cp "$TOP"/build/rpm/fedora-43/*.rpm "$WORK/rpm/fedora-43/" 2>/dev/null
cp -r "$WORK/rpm/fedora-43" "$WORK/rpm/unsigned"

set --
for s in $suites; do set -- "$@" "$s=$(debs "$s")"; done
expect "the repositories are made" "$TOP/mk/repo.sh" "$out" "$@" "rpm:fedora-43=$WORK/rpm/fedora-43" || exit 0
expect_fail "the exported key is no secret one" sh -c "gpg --batch --list-packets $key.gpg | grep -q 'secret key'"
expect "they are made again" "$TOP/mk/repo.sh" "$WORK/again" "$@" "rpm:fedora-43=$WORK/rpm/fedora-43"
same "all but the signatures is the same, byte for byte" '' \
	"$(diff -rq --exclude=InRelease --exclude=Release.gpg "$out/deb" "$WORK/again/deb"; diff "$out/xen-extras-fedora.repo" "$WORK/again/")"
rm -rf "$WORK/again"
expect "Packages names every deb" sh -c "for s in $suites; do
	[ \$(grep -c ^Filename: $out/deb/dists/\$s/main/binary-amd64/Packages) = \$(ls $out/deb/pool/\$s/main/*.deb | wc -l) ] || exit; done"

# ---- apt ------------------------------------------------------------------------------------------------------

# only NAME FILE: apt reads the one source FILE, into lists of its own.
only='rm -rf /tmp/lists; mkdir -p /tmp/lists/partial; f=$1; shift
	apt-get -q -o Dir::State::lists=/tmp/lists -o Dir::Etc::sourcelist=$f -o Dir::Etc::sourceparts=/dev/null -o APT::Update::Error-Mode=any update &&
	apt-cache -o Dir::State::lists=/tmp/lists -o Dir::Etc::sourcelist=$f -o Dir::Etc::sourceparts=/dev/null policy xen-virtio-utils'
only() { in_root "$1" sh -c "$only" sh "$2"; }
# refused NAME TEXT REGEX: the update fails, for that reason, and apt knows no package of ours.
refused() {
	expect_fail "$1: $2" only "$1" /etc/apt/sources.list.d/xen-extras.sources || return
	why "$1: that is why" "$3"
}

for s in $suites; do
	expect "$s: a fresh machine" root "$s" "$s" plain || continue
	r=$WORK/$s/root
	served=$WORK/$s/served
	cp -al "$out" "$served"
	bind "$s" "$WORK/$s/served" /srv/xen-extras
	cp "$served/xen-extras-$s.sources" "$r/etc/apt/sources.list.d/xen-extras.sources"
	mkdir -p "$r/etc/apt/keyrings"
	cp "$key.asc" "$key.gpg" "$r/etc/apt/keyrings/"
	version=$(dpkg-deb -f "$served/deb/pool/$s/main"/xen-virtio-utils_*.deb Version)
	for k in asc gpg; do
		echo "deb [signed-by=/etc/apt/keyrings/xen-extras-archive-keyring.$k] file:///srv/xen-extras/deb $s main" >"$r/tmp/$k.list"
		expect_text "$s: with signed-by= the exported key (.$k) apt accepts it" "Candidate: $version" only "$s" "/tmp/$k.list"
	done
	expect_text "$s: the .sources file alone is enough" "Candidate: $version" only "$s" /etc/apt/sources.list.d/xen-extras.sources
	expect "$s: apt update, with Debian's sources" in_root "$s" apt-get -q -o APT::Update::Error-Mode=any update
	expect "$s: apt install xen-virtio-utils" in_root "$s" apt-get -q -y --no-install-recommends install xen-virtio-utils
	same "$s: it is installed" "install ok installed $version" "$(in_root "$s" dpkg-query -W -f '${Status} ${Version}' xen-virtio-utils)"
	expect_text "$s: and runs" "^xen-virtio .*${version%%[-~+]*}" in_root "$s" xen-virtio --version
	# What a package installed from here says about itself.
	expect_text "$s: apt knows where it is from" 'file:/srv/xen-extras/deb' in_root "$s" apt-cache policy xen-virtio-utils

	dist=$served/deb/dists/$s
	binary=$dist/main/binary-amd64
	keep "$served/deb"
	for f in "$binary/Packages" "$dist/InRelease"; do own "$f"; done
	sed -i '0,/^Description: ./s/^Description: ./Description: X/' "$binary/Packages"
	xz -kf "$binary/Packages"
	for h in "$binary"/by-hash/SHA256/*; do rm "$h"; done
	# By the names that the Release file has for what was there.
	sed -n '/^SHA256/,$s/^ \([0-9a-f]*\) .* main\(.*\)/\1 \2/p' "$dist/Release" | while read -r sum name; do
		cp "$dist/main$name" "$dist/main${name%/*}/by-hash/SHA256/$sum"
	done
	refused "$s" "a changed byte in Packages is refused" 'Hash Sum mismatch|unexpected size'
	back "$served/deb"

	keep "$served/deb"
	own "$dist/InRelease"
	sed -i 's/^Origin: xen-extras/Origin: xen-extraz/' "$dist/InRelease"
	refused "$s" "a changed byte in InRelease is refused" 'BADSIG|[Bb]ad signature|signature.*invalid|Message has been manipulated'
	back "$served/deb"

	keep "$served/deb"
	rm "$dist/InRelease" "$dist/Release.gpg"
	refused "$s" "an index that is not signed is refused" 'not signed'
	back "$served/deb"
	expect_text "$s: with all as it was it is accepted again" "Candidate: $version" only "$s" /etc/apt/sources.list.d/xen-extras.sources
done

# Over HTTP, where apt uses by-hash: the plain name has the next publication's index already.
s=${suites%% *}
served=$WORK/$s/served
python3 -u -m http.server --bind 127.0.0.1 --directory "$served" 0 >"$WORK/http.log" 2>&1 &
http=$!
for _ in $(seq 100); do grep -q 'port [0-9]' "$WORK/http.log" && break; sleep 0.1; done
port=$(sed -n 's/.* port \([0-9]*\).*/\1/p' "$WORK/http.log")
sed -i "s,^URIs: .*,URIs: http://127.0.0.1:$port/deb," "$WORK/$s/root/etc/apt/sources.list.d/xen-extras.sources"
binary=$served/deb/dists/$s/main/binary-amd64
for f in "$binary/Packages" "$binary/Packages.xz"; do own "$f"; echo next >>"$f"; done
expect_text "over HTTP, an index is found by its hash while another has taken its name" "Candidate: " \
	only "$s" /etc/apt/sources.list.d/xen-extras.sources
expect_text "it was that name that was asked for" 'GET .*/by-hash/SHA256/[0-9a-f]{64} .* 200' cat "$WORK/http.log"
download() { in_root "$s" sh -euc 'cd /tmp; apt-get -q -o APT::Update::Error-Mode=any update; rm -f *.deb; apt-get -q download xen-virtio-utils; ls *.deb'; }
expect "a package is fetched" download
deb=$(ls "$served/deb/pool/$s/main"/xen-virtio-utils_*.deb)
own "$deb"
flip "$deb"
expect_fail "a changed byte in it is refused" download && why "that is why" 'Hash Sum mismatch'
kill $http

# ---- keys and dates ---------------------------------------------------------------------------------------------

# A small package is enough for these.
mkdir -p "$WORK/small/x/DEBIAN" "$WORK/small/deb"
printf '%s\n' 'Package: xen-virtio-utils' 'Version: 9' 'Architecture: all' 'Maintainer: test <test@localhost>' 'Description: test' \
	>"$WORK/small/x/DEBIAN/control"
dpkg-deb -b "$WORK/small/x" "$WORK/small/deb/xen-virtio-utils_9_all.deb" >/dev/null
# And a source package.
mkdir -p "$WORK/small/src"
tar -C "$WORK/small" -cJf "$WORK/small/src/xen-extras_9.tar.xz" x
(cd "$WORK/small/src" && {
	printf '%s\n' 'Format: 3.0 (native)' 'Source: xen-extras' 'Binary: xen-virtio-utils' 'Architecture: all' 'Version: 9' 'Maintainer: test <test@localhost>'
	echo 'Checksums-Sha256:'; echo " $(sha256sum <xen-extras_9.tar.xz | cut -c1-64) $(stat -c %s xen-extras_9.tar.xz) xen-extras_9.tar.xz"
	echo 'Files:'; echo " $(md5sum <xen-extras_9.tar.xz | cut -c1-32) $(stat -c %s xen-extras_9.tar.xz) xen-extras_9.tar.xz"
} >xen-extras_9.dsc)
root dates "$s" plain
bind dates "$WORK/small" /srv/small
from_small() { cp "$WORK/small/repo/xen-extras-$s.sources" "$WORK/dates/root/etc/apt/sources.list.d/xen-extras.sources"; }
export REPO_URL=file:///srv/small/repo

expect "an index that ended yesterday" env REPO_VALID_DAYS=-1 "$TOP/mk/repo.sh" "$WORK/small/repo" "$s=$WORK/small/deb"
from_small
refused dates "is refused" 'expired'
expect "one that is good for a month, with a source package" env REPO_VALID_DAYS=30 "$TOP/mk/repo.sh" "$WORK/small/repo" \
	"$s=$WORK/small/deb" "src:$s=$WORK/small/src"
from_small
expect_text "is accepted" 'Candidate: 9' only dates /etc/apt/sources.list.d/xen-extras.sources

sources() {
	in_root dates sh -euc 'cd /tmp; o="-o Dir::State::lists=/tmp/lists -o Dir::Etc::sourcelist=/etc/apt/sources.list.d/xen-extras.sources -o Dir::Etc::sourceparts=/dev/null"
		rm -f xen-extras_*; apt-get -q $o --download-only source xen-extras; sha256sum xen-extras_9.tar.xz'
}
expect_text "apt fetches the source" "^$(sha256sum <"$WORK/small/src/xen-extras_9.tar.xz" | cut -c1-64)" sources

# The key of a user, with a passphrase that his agent has been told.
mine() { env GNUPGHOME="$WORK/mine" gpg --batch --quiet --pinentry-mode loopback --passphrase secret "$@"; }
mkdir -m 700 "$WORK/mine"
expect "a user has a key with a passphrase" mine --quick-gen-key 'A user <user@example.org>' rsa3072 sign never
echo x | mine --sign >/dev/null
expect "REPO_KEY= signs with it, by the agent" env GNUPGHOME="$WORK/mine" REPO_KEY=user@example.org "$TOP/mk/repo.sh" "$WORK/small/repo" \
	"$s=$WORK/small/deb" "rpm:fedora-43=$WORK/rpm/fedora-43"
env GNUPGHOME="$WORK/mine" gpgconf --kill all
refused dates "a host that has the other key refuses it" 'NO_PUBKEY|[Mm]issing key|public key is not available|not signed'
from_small
expect_text "one that has this key accepts it" 'Candidate: 9' only dates /etc/apt/sources.list.d/xen-extras.sources
expect_fail "REPO_KEY= nobody's is refused" env GNUPGHOME="$WORK/mine" REPO_KEY=nobody@example.org "$TOP/mk/repo.sh" "$WORK/small/none" "$s=$WORK/small/deb"
expect_fail "and leaves no repository" test -e "$WORK/small/none"

# ---- dnf --------------------------------------------------------------------------------------------------------

expect "a machine with dnf" root dnf trixie repo || exit 0
cp -al "$out" "$WORK/dnf/served"
bind dnf "$WORK/dnf/served" /srv/xen-extras
mkdir -p "$WORK/dnf/root/etc/yum.repos.d"
cp "$out/xen-extras-fedora.repo" "$WORK/dnf/root/etc/yum.repos.d/"
# install_rpm [OPTION...]: into a system that is empty, by a dnf that knows nothing yet.
install_rpm() {
	in_root dnf sh -euc 'rm -rf /tmp/r /tmp/cache; mkdir -p /tmp/r
		dnf -y --installroot=/tmp/r --releasever=43 --setopt=reposdir=/etc/yum.repos.d --setopt=cachedir=/tmp/cache "$@" install xe-test
		cat /tmp/r/usr/share/xe-test/hello' sh "$@"
}
# dnf_refuses TEXT REGEX [OPTION...]
dnf_refuses() {
	_t=$1 _why=$2; shift 2
	expect_fail "dnf: $_t is refused" install_rpm "$@" && why "dnf: that is why" "$_why"
}
expect_text "dnf, gpgcheck=1 and repo_gpgcheck=1: installs" '^hello$' install_rpm
expect "every rpm has our signature" in_root dnf sh -euc 'rpmkeys --dbpath /tmp/keys --import /srv/xen-extras/xen-extras-archive-keyring.asc
	for f in /srv/xen-extras/rpm/*/*.rpm; do rpmkeys --dbpath /tmp/keys --checksig -v "$f"; done | grep -i "signature.*: OK"'
served=$WORK/dnf/served/rpm rpm=$WORK/dnf/served/rpm/fedora-43/xe-test-1-1.noarch.rpm
repodata=$served/fedora-43/repodata

keep "$served"; own "$rpm"; flip "$rpm"
dnf_refuses "a changed byte in a package" 'checksum|[Dd]igest'
back "$served"; keep "$served"
for f in "$repodata"/*-primary.xml.gz; do own "$f"; flip "$f"; done
dnf_refuses "a changed byte in the index" 'checksum|[Cc]annot download|repomd'
back "$served"; keep "$served"
own "$repodata/repomd.xml"
sed -i 's,</repomd>, </repomd>,' "$repodata/repomd.xml"
dnf_refuses "a changed byte in repomd.xml" '[Bb]ad.*signature|GPG'
back "$served"; keep "$served"
rm "$repodata/repomd.xml.asc"
dnf_refuses "an index that is not signed" 'repomd.xml.asc|GPG'
back "$served"; keep "$served"
cp "$WORK/small/repo/rpm/fedora-43/repodata/repomd.xml.asc" "$repodata/repomd.xml.asc.new"
mv "$repodata/repomd.xml.asc.new" "$repodata/repomd.xml.asc"
dnf_refuses "another key's signature" '[Bb]ad.*signature|GPG'
back "$served"; keep "$served"
# By whoever has the key, once: the index is right and signed, a package is not.
rm -rf "$served/fedora-43"
cp -r "$WORK/rpm/unsigned" "$served/fedora-43"
in_root dnf createrepo_c -q --no-database /srv/xen-extras/rpm/fedora-43
bind dnf "$REPO_KEY_HOME" /mnt/gnupg
expect "an index of packages without signatures, signed" in_root dnf env GNUPGHOME=/mnt/gnupg \
	gpg --batch --armor --detach-sign /srv/xen-extras/rpm/fedora-43/repodata/repomd.xml
dnf_refuses "a package that is not signed" 'not signed|GPG check FAILED'
back "$served"
expect_text "dnf: with all as it was it installs" '^hello$' install_rpm

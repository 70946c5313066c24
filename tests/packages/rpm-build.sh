# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# summary: SRPM and rpms: build, rpmlint, the same bytes again elsewhere and later, the parts of the debs
# time-limit: 5400
. "$TOP/tests/packages/rpm/build.sh"

first=$(rpms) || exit 1
version=$(rpm_version "$first")
parts='qemu-xen-extras virtio-xenbus-dkms xen-extras xen-stubdom-kernel xen-stubdom-linux xen-stubdom-utils xen-virtio-utils'

same 'Fedora: one rpm for each part' "$parts" "$(cd "$first/fedora-43" && ls ./*.rpm | sed "s,^./,,; s/-$version-.*//" | sort | paste -sd' ')"
same 'EL: the driver' "virtio-xenbus-dkms-$version-1.el10.noarch.rpm" "$(cd "$first/el10" && ls)"
same 'the source, for Fedora' "xen-extras-$version-1.fc43.nosrc.rpm" "$(cd "$first/source" && ls)"
expect 'debuginfo has the programs of both utils packages' in_rpm sh -euc '
	rpm -qpl /mnt/top/build/rpm/fedora-43/debug/xen-extras-debuginfo-*.rpm >/tmp/list
	for p in xen-stubdom xen-stubdomd xen-state-disk xen-stubdom-pv xen-stubdom-vnc xen-virtiod xen-virtio stubdom-init; do grep -q "/$p-.*\.debug$" /tmp/list || { echo "no $p"; exit 1; }; done'
expect_text 'rpmlint finds nothing to object to' ' 0 errors, 0 warnings,' in_rpm sh -euc \
	'cd /mnt/top && rpmlint -c rpm/rpmlint.toml build/rpm/fedora-43/*.rpm build/rpm/el10/*.rpm build/rpm/source/*.rpm'
expect 'rpm -K: digests of every package' in_rpm sh -euc 'cd /mnt/top/build/rpm && rpm -K fedora-43/*.rpm el10/*.rpm source/*.rpm >/tmp/k; cat /tmp/k; ! grep -v "digests OK$" /tmp/k'
same 'architectures: x86_64, and the driver none' 'noarch x86_64' "$(in_rpm sh -c 'rpm -qp --qf "%{ARCH}\n" /mnt/top/build/rpm/fedora-43/*.rpm' | sort -u | paste -sd' ')"
same 'licences are SPDX expressions' '' "$(in_rpm sh -c 'rpm -qp --qf "%{LICENSE}\n" /mnt/top/build/rpm/*/*.rpm' |
	tr -d '()' | sed 's/ AND /\n/g; s/ OR /\n/g; s/ WITH /\n/g' | sort -u |
	grep -vxE 'GPL-2.0-(only|or-later)|LGPL-2.1-or-later|BSD-[23]-Clause|MIT|Linux-syscall-note')"
expect 'the SBOM is JSON and has the bytes that are in the package' in_rpm sh -euc '
	mkdir /tmp/q; cd /tmp/q
	rpm2cpio /mnt/top/build/rpm/fedora-43/qemu-xen-extras-*.rpm | cpio -id --quiet
	python3 - usr/share/doc/qemu-xen-extras/xen-extras.spdx.json <<-END
	import hashlib, json, sys
	d = json.load(open(sys.argv[1]))
	assert d["spdxVersion"] == "SPDX-2.3" and len(d["packages"]) == 3, d
	for p in d["packages"]:
	    assert p["versionInfo"], p
	    if p["name"] == "qemu":
	        f = open(p["packageFileName"].lstrip("/"), "rb").read()
	        assert hashlib.sha256(f).hexdigest() == p["checksums"][0]["checksumValue"], p
	END
	rm -r /tmp/q'

# The way it is built on Fedora, as far as the sources at hand go: QEMU's release as
# Debian has it (without some firmware), and Debian's kernel in the place of Linux's own.
mkdir -p "$WORK/tarballs"
stated() { sed -n "s/.*%global $1 \([0-9.]*\)}*\$/\1/p" "$TOP/rpm/xen-extras.spec"; }
cache=${XEN_EXTRAS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/xen-extras}
cp "$(find "$cache/kernel/src" -name 'linux-source-6.12-*.tar.xz' | sort | tail -n 1)" "$WORK/tarballs/linux-$(stated kernel_version).tar.xz"
cp "$(find "$cache/qemu/src" -name 'qemu_10.0.*.orig.tar.xz' | sort | tail -n 1)" "$WORK/tarballs/qemu-$(stated qemu_version).tar.xz"
expect 'a source package that has both tarballs' make -C "$TOP" rpm-srpm RPM_OUT=build/rpm-full RPM_TARBALLS="$WORK/tarballs"
full=$TOP/build/rpm-full
expect_text 'its name is that of one' '^linux-[0-9.]*\.tar\.xz$' in_rpm rpm -qpl "/mnt/top/build/rpm-full/source/xen-extras-$version-1.fc43.src.rpm"
expect '%prep of the way that compiles' in_rpm sh -euc "cp /mnt/top/rpm/macros.debian /mnt/work/.rpmmacros
	HOME=/mnt/work rpmbuild -rp --target x86_64-linux --nodeps --define 'fedora 43' --define 'dist .fc43' --define '_topdir /mnt/work/prep' \
		/mnt/top/build/rpm-full/source/*.src.rpm"
tree=$WORK/prep/BUILD/xen-extras-$version-build/xen-extras-$version
same 'QEMU has the version that build.sh asks for' "1:$(stated qemu_version)" "$(cd "$tree/qemu" && dpkg-parsechangelog -S Version)"
expect "the series applies to QEMU's release, without fuzz" sh -euc "cd $tree/qemu; . ../src/qemu/series.sh
	for p in \$(of_series 10.0 ../src/qemu/10.0/series); do patch -p1 --fuzz=0 -i ../src/qemu/10.0/\$p; done"
rm -rf "$WORK/prep" "$WORK/tarballs" "$full"

# The same parts as in the debs, file by file; names that differ are named.
payload() {	# the rpms' files
	in_rpm sh -c 'for f in /mnt/top/build/rpm/fedora-43/*.rpm; do n=$(rpm -qp --qf "%{NAME}" $f); rpm -qpl $f | sed "s,^,$n ,"; done' |
		grep -v -e '/usr/share/\(doc\|licenses\)/' -e '/usr/lib/\.build-id' | sed 's/\.gz$//'
}
deb_payload() {
	for f in "$(debs trixie)"/*.deb; do
		n=$(dpkg-deb -f "$f" Package | sed 's/^xen-stubdom-linux-.*/xen-stubdom-linux/')
		dpkg-deb -c "$f" | awk '{ print $6 }' | sed "s,^\.,$n ,; s/\.gz$//"
	done | grep -v -e '/$' -e '/usr/share/\(doc\|lintian\)/'
}
payload | sort >"$WORK/rpm.all"
deb_payload | sed 's,/usr/lib/xen-4\.20/boot/,/usr/libexec/xen/boot/,' | sort >"$WORK/deb.all"
# Directories are listed by rpm alone.
awk 'NR == FNR { deb[$0]; next } { line[++n] = $0 } END { for (i = 1; i <= n; i++) { dir = 0; p = line[i] "/"
	for (j = i + 1; j <= n && !dir; j++) dir = index(line[j], p) == 1; if (!dir) print line[i] } }' "$WORK/deb.all" "$WORK/rpm.all" |
	grep -vE ' /usr/lib/(dracut(/dracut.conf.d)?|xen-extras)$| /usr/(libexec|share)/xen-extras$' | sort >"$WORK/rpm.list"
# What only a Debian machine has a use for: kernels' hooks and what they run,
# initramfs-tools, needrestart.
grep -vE ' /etc/kernel/| /usr/libexec/virtio-xenbus-dkms$| /usr/share/initramfs-tools/| /etc/needrestart/' "$WORK/deb.all" >"$WORK/deb.list"
expect 'the debs are there to compare with' test -s "$WORK/deb.list"
if diff "$WORK/deb.list" "$WORK/rpm.list" >"$OUT"; then ok "the rpms have the debs' files ($(grep -c . "$WORK/rpm.list"))"
else fail "the rpms have other files than the debs (<: deb, >: rpm)"; show_out 30; fi

# Again: later, from another directory.  Within the chroot it is /builddir, as in mock: rpm
# puts the expanded spec into a source package, and that has the path in it.
mkdir -p "$WORK/elsewhere/a/longer/path"
git -c safe.directory='*' -C "$TOP" ls-files -z | (cd "$TOP" && xargs -0 sh -c 'for f; do [ ! -e "$f" ] || printf "%s\0" "$f"; done' sh | tar -c --null -T -) |
	tar -x -C "$WORK/elsewhere/a/longer/path"
git -C "$WORK/elsewhere/a/longer/path" init -q && git -C "$WORK/elsewhere/a/longer/path" add -A
expect 'it builds again, elsewhere' make -C "$WORK/elsewhere/a/longer/path" rpm 'RPM_FLAGS=--without unit_tests'
(cd "$first" && find . -name '*.rpm' | sort | xargs sha256sum) >"$WORK/sums1"
(cd "$WORK/elsewhere/a/longer/path/build/rpm" && find . -name '*.rpm' | sort | xargs sha256sum) >"$WORK/sums2"
expect 'there are rpms to compare' grep -q fc43 "$WORK/sums1"
if diff "$WORK/sums1" "$WORK/sums2" >"$OUT"; then ok "all $(grep -c . "$WORK/sums1") rpms have the same bytes"
else fail 'some rpms have other bytes'; show_out 30; fi

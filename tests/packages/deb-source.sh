# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154
# summary: the source packages: whole, one upstream tarball for both suites, the same bytes anywhere
# time-limit: 3600

field() { sed -n "s/^$1: *//p" "$2" | head -n 1; }

version=$(awk -F'[()]' '{ print $2; exit }' "$TOP/debian/changelog")
orig=xen-extras_${version%-*}.orig.tar.xz
sums=''
# The same files at another place, with other permissions.
mkdir "$WORK/clone"
git -C "$TOP" -c safe.directory='*' ls-files -z | (cd "$TOP" && xargs -0 sh -c 'for f; do [ ! -e "$f" ] || printf "%s\0" "$f"; done' sh) |
	tar -C "$TOP" -c --null -T - | tar -C "$WORK/clone" -x
chmod -R go-rwx "$WORK/clone"
(cd "$WORK/clone" && git init -q . && git add -f -A)

for s in $(deb_suites); do
	case $s in trixie) xenv=4.20 suffix='' ;; *) xenv=4.17 suffix='~deb12u1' ;; esac
	expect "$s: make deb-src" make -C "$TOP" deb-src SUITE="$s" || continue
	d=$TOP/build/deb-src/$s
	dsc=$d/xen-extras_$version$suffix.dsc
	same "$s: format" "3.0 (quilt)" "$(field Format "$dsc")"
	same "$s: version" "$version$suffix" "$(field Version "$dsc")"
	same "$s: tests" "autopkgtest, autopkgtest-pkg-dkms" "$(field Testsuite "$dsc")"
	expect_text "$s: packages" "xen-stubdom-linux-$xenv deb" cat "$dsc"
	rm -rf "$WORK/x"
	expect "$s: unpacked" "$TOP/mk/chroot.sh" run "$s" build --net-off --bind "$d:/mnt/src" --bind "$WORK:/mnt/out" -- \
		sh -euc 'dpkg-source --no-check -x /mnt/src/*.dsc /mnt/out/x' || continue
	expect_text "$s: control is in it, for this Xen" "^Package: xen-stubdom-linux-$xenv\$" cat "$WORK/x/debian/control"
	same "$s: its changelog is the suite's" "xen-extras ($version$suffix) $s; urgency=medium" "$(head -n 1 "$WORK/x/debian/changelog")"
	# Nothing but tracked files, control and QEMU; the one line of changelog apart they are the same.
	same "$s: the tree is this tree" "Only in $WORK/x/debian: control" \
		"$(diff -rq -x .git -x 'qemu-*' -x .pc -x changelog "$WORK/clone" "$WORK/x" 2>&1)"
	# Its .dsc is Debian's own, signed; what that names is there, unchanged.
	expect_text "$s: QEMU's source package is in it, whole" 'orig.tar.xz: OK' \
		sh -euc 'cd "$1"/qemu-*/ && sed -n "/^Checksums-Sha256:/,/^[^ C]/s/^ \([0-9a-f]*\) [0-9]* /\1  /p" ./*.dsc | sha256sum -c' sh "$WORK/x"
	q=$(make -s -C "$TOP" SUITE="$s" --eval='where: ; @$(QEMU_CACHED) --source' where)
	expect "$s: made elsewhere, with another umask and in another zone" \
		sh -c 'cd "$1" && umask 077 && TZ=Asia/Tokyo mk/deb-source.sh "$2" "$3" "$4"' sh "$WORK/clone" "$s" "$WORK/again-$s" "$q"
	for f in "$d"/*.tar.* "$dsc"; do
		expect "$s: ${f##*/} is the same there" cmp "$f" "$WORK/again-$s/${f##*/}"
	done
	sums="$sums $(sha256sum <"$d/$orig" | cut -c1-64)"
done
same "one upstream tarball for all suites" 1 "$(echo "$sums" | xargs -n 1 | sort -u | wc -l)"

# DEP-3: who, what, and whether it was sent upstream.
for p in $(cd "$TOP" && git -c safe.directory='*' ls-files '*.patch'); do
	sed '/^---/,$d; /^diff /,$d' "$TOP/$p" >"$WORK/header"
	for f in From Subject Forwarded Last-Update; do
		grep -q "^$f: *[^ ]" "$WORK/header" || fail "$p has no $f"
	done
	grep -Eq '^Last-Update: [0-9]{4}-[0-9]{2}-[0-9]{2}$' "$WORK/header" || fail "$p: Last-Update is no date"
done
same "patches with a DEP-3 header" "$(cd "$TOP" && git -c safe.directory='*' ls-files '*.patch' | wc -l)" \
	"$(cd "$TOP" && git -c safe.directory='*' ls-files '*.patch' | xargs grep -l '^Forwarded: ' | wc -l)"
# DEP-5: what debian/copyright says of a file is what its SPDX tag says.
expect "debian/copyright and the files agree" python3 "$TOP/tests/packages/copyright.py" "$TOP"

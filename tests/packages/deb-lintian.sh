# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# summary: lintian finds no error and no warning in source and binary packages
# time-limit: 3600

# lint SUITE CHANGES: the suite's own lintian, in a network of its own.  Bookworm's has
# status 2 for a warning that is overridden, too: what it prints decides.
lint() {
	_status=0
	"$TOP/mk/chroot.sh" run "$1" build --net-off --bind "$WORK/$1:/mnt/changes" --dir /mnt/changes -- \
		lintian --allow-root --pedantic -EI --show-overrides --fail-on error,warning "$2" >"$WORK/lint" 2>&1 || _status=$?
	cat "$WORK/lint"
	! grep -q '^[EW]: ' "$WORK/lint" || return 2
	[ "$_status" = 2 ] || return "$_status"
	grep -q '^O: ' "$WORK/lint"
}

for s in $(deb_suites); do
	changes "$s" "$WORK/$s" || { fail "packages of $s"; continue; }
	for c in "$WORK/$s"/*.changes; do
		c=${c##*/}
		expect "$s: no error or warning in $c" lint "$s" "$c"
		# For the log: what it would have us know, and what is overridden.
		cat "$OUT"
		grep -E 'unused-override|mismatched-override' "$OUT" | sed 's/-4\.[0-9]*//; s/ \[.*//' >>"$WORK/unused.$s"
	done
	# It can fail: a package without its copyright file does.
	rm -rf "$WORK/bare"
	dpkg-deb -R "$WORK/$s"/xen-extras_*.deb "$WORK/bare" && rm "$WORK/bare/usr/share/doc/xen-extras/copyright" &&
		dpkg-deb --root-owner-group -b "$WORK/bare" "$WORK/$s/bare.deb" >/dev/null
	expect_fail "$s: a package that lacks something" lint "$s" bare.deb
done

# One that overrides nothing, in any suite, is not justified by anything.
if [ "$(deb_suites)" = "$(DEB_SUITES='' deb_suites)" ]; then
	n=$(deb_suites | wc -w)
	same "every override is for something" "" "$(for s in $(deb_suites); do sort -u "$WORK/unused.$s"; done | sort | uniq -c | awk -v n="$n" '$1 == n')"
fi
for f in "$TOP"/debian/*lintian-overrides* "$TOP"/debian/source/lintian-overrides; do
	same "${f##*debian/}: each override follows a comment" "" \
		"$(awk '/^#/ { why = 1; next } !NF { why = 0; next } !why { print }' "$f")"
done

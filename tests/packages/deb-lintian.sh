# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# summary: lintian finds no error and no warning in source and binary packages
# time-limit: 3600

lint() {	# SUITE CHANGES: the suite's own lintian, in a network of its own
	"$TOP/mk/chroot.sh" run "$1" build --net-off --bind "$WORK/$1:/mnt/changes" --dir /mnt/changes -- \
		lintian --allow-root --pedantic -EI --show-overrides --fail-on error,warning "$2"
}

for s in $(deb_suites); do
	changes "$s" "$WORK/$s" || { fail "packages of $s"; continue; }
	for c in "$WORK/$s"/*.changes; do
		c=${c##*/}
		expect "$s: no error or warning in $c" lint "$s" "$c"
		# For the log: what it would have us know, and what is overridden.
		cat "$OUT"
		# One that overrides nothing is not justified by anything. (Only an upload's first
		# revision is asked for a bug, and 0.1.0-1~deb12u1 does not look like one.)
		same "$s: every override in $c is for something" "" \
			"$(grep -E 'unused-override|mismatched-override' "$OUT" | { [ "$s" = trixie ] && cat || grep -v initial-upload-closes-no-bugs; })"
	done
	# It would have failed: a package without the overrides has warnings.
	rm -rf "$WORK/bare" && dpkg-deb -R "$WORK/$s"/xen-extras_*.deb "$WORK/bare" && rm -r "$WORK/bare/usr/share/lintian" &&
		dpkg-deb --root-owner-group -b "$WORK/bare" "$WORK/$s/bare.deb" >/dev/null
	refuse "$s: the same package without overrides" lint "$s" bare.deb
done

for f in "$TOP"/debian/*lintian-overrides* "$TOP"/debian/source/lintian-overrides; do
	same "${f##*debian/}: each override follows a comment" "" \
		"$(awk '/^#/ { why = 1; next } !NF { why = 0; next } !why { print }' "$f")"
done

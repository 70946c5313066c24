# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154
# summary: debian/tests, run by autopkgtest from the source package on a new machine
# time-limit: 5400

for s in $(deb_suites); do
	mkdir -p "$WORK/$s-debs"
	# The tests of this tree, and the packages that there are.
	make -C "$TOP" deb-src SUITE="$s" >"$OUT" 2>&1 && changes "$s" "$WORK/$s-debs" || { fail "packages of $s"; continue; }
	root "$s" "$s" deb-test || { fail "a machine of $s"; continue; }
	bind "$s" "$WORK/$s-debs" /debs
	# The machine is thrown away: it is its own testbed.
	expect "$s: the tests of the source package" in_root "$s" sh -c 'cd /debs && rm -f *-dbgsym_*.deb &&
		autopkgtest --no-built-binaries --output-dir /var/tmp/results ./*.deb ./*.dsc -- null' || true
	cat "$OUT"
	for t in $(sed -n 's/^Tests: *//p' "$TOP/debian/tests/control"); do
		expect_text "$s: $t" "^$t +PASS" cat "$WORK/$s/root/var/tmp/results/summary"
	done
	gone "$s"
	rm -rf "$WORK/$s-debs"
done

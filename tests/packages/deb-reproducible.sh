# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154
# summary: every .deb, debug symbols too, built again elsewhere and another year, is the same bytes
# time-limit: 5400

# Kernel and QEMU come from the cache in both builds; check-kernel-reproducible,
# check-qemu-reproducible and check-qemu-virtio-reproducible build those twice.
for s in $(deb_suites); do
	d=$(debs "$s") || { fail "packages of $s"; continue; }
	expect "$s: what a build is made of" make -C "$TOP" deb-tree SUITE="$s" DEB_TREE="$WORK/tree" || continue
	root "$s" "$s" build
	expect "$s: faketime" in_root "$s" apt-get -qq -y --no-install-recommends install faketime || continue
	bind "$s" "$WORK/tree" /var/tmp/quite/another/place
	# Another directory, year, zone and number of jobs; no date from outside. The unit
	# tests, which need the right time, are left out.
	expect "$s: built again, without network" in_root "$s" env -u SOURCE_DATE_EPOCH TZ=Asia/Tokyo DEB_BUILD_OPTIONS="nocheck parallel=3" \
		unshare -n faketime -f '+400d' sh -c 'date; /var/tmp/quite/another/place/deb-build.sh; rc=$?; date; exit $rc' || continue
	cp "$OUT" "$WORK/second"
	expect_text "$s: the second build was in another year" " $(date -d '+400 days' +%Y)$" sed -n 1p "$WORK/second"
	n=0
	for f in "$d"/*.deb "$d"/dbgsym/*.deb; do
		expect "$s: ${f##*/}" cmp "$f" "$WORK/tree/${f##*/}" || {
			for x in "$f" "$WORK/tree/${f##*/}"; do dpkg-deb -c "$x" >"$WORK/list.$n"; n=$((n + 1)); done
			diff "$WORK/list.$((n - 2))" "$WORK/list.$((n - 1))" | head -n 20 | sed 's/^/    /'
		}
	done
	same "$s: as many packages" "$(find "$d" -name '*.deb' | wc -l)" "$(find "$WORK/tree" -maxdepth 1 -name '*.deb' | wc -l)"
	gone "$s"
	rm -rf "$WORK/tree"
done

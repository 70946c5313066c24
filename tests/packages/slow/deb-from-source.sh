# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154
# summary: from the source package alone, as on a distribution's build machine: the same bytes
# time-limit: 14400

# A machine with build-essential and what Build-Depends names, nothing else. Kernel and
# both QEMUs are compiled within the package build: an hour of two processors for each
# suite. `make deb` takes them from the cache and gives the same packages.
for s in $(deb_suites); do
	d=$(debs "$s") || { fail "packages of $s"; continue; }
	mkdir -p "$WORK/$s-tree/src"
	cp "$TOP/build/deb-src/$s"/*.* "$WORK/$s-tree/src/" && cp "$TOP/mk/deb-build.sh" "$WORK/$s-tree/"
	root "$s" "$s" plain
	bind "$s" "$WORK/$s-tree" /var/tmp/from/source
	expect "$s: what Build-Depends names" in_root "$s" sh -euc '
		apt-get -qq update
		apt-get -qq -y --no-install-recommends install build-essential
		apt-get -qq -y --no-install-recommends build-dep /var/tmp/from/source/src/*.dsc' || continue
	# With a /proc of its own processes: a unit test ends some.
	expect "$s: built, without network" in_root "$s" sh -c 'mount -t proc proc /proc && exec nice unshare -n /var/tmp/from/source/deb-build.sh' || {
		cp "$OUT" "$TOP/build/packages/slow/deb-from-source-$s.log"; continue; }
	same "$s: nothing was missing" "" "$(cat "$WORK/$s-tree/missing")"
	for f in "$d"/*.deb "$d"/dbgsym/*.deb; do
		expect "$s: ${f##*/} is the same" cmp "$f" "$WORK/$s-tree/${f##*/}"
	done
	gone "$s"
done

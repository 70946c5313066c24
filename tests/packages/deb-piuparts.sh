# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154
# summary: piuparts: nothing is left after install, upgrade and purge
# time-limit: 7200

for s in $(deb_suites); do
	d=$(debs "$s") || { fail "packages of $s"; continue; }
	root "$s" "$s" deb-test || { fail "a machine of $s"; continue; }
	# The archive it upgrades from: Debian's, and a version of ours that is lower.
	expect "$s: predecessors" previous "$d" "$WORK/$s-repo" || continue
	(cd "$WORK/$s-repo" && "$TOP/mk/chroot.sh" run "$s" build --bind "$PWD:/mnt/repo" --dir /mnt/repo -- sh -c 'dpkg-scanpackages -m . 2>/dev/null >Packages')
	bind "$s" "$WORK/$s-repo" /repo
	mkdir -p "$WORK/$s/root/base" "$WORK/$s/root/debs" "$WORK/$s/root/var/tmp/piuparts"
	cp "$d"/*.deb "$WORK/$s/root/debs/"
	# The chroot's own sources are kept (the mirror is theirs), and piuparts adds none then.
	mkdir -p "$WORK/$s-more/etc/apt/sources.list.d"
	echo 'deb [trusted=yes] file:/repo ./' >"$WORK/$s-more/etc/apt/sources.list.d/repo.list"
	tar -C "$("$TOP/mk/chroot.sh" path "$s" plain)" --one-file-system -czf "$WORK/$s/root/base/base.tgz" . \
		-C "$WORK/$s-more" ./etc/apt/sources.list.d/repo.list
	# trixie's lsof 4.99.4 can die of a smashed stack in `lsof +D`: who is in there, by
	# /proc alone.  piuparts takes any output for processes that were left.
	install -m 755 /dev/stdin "$WORK/$s/root/usr/bin/lsof" <<-'EOF'
		#!/bin/sh
		for dir; do :; done
		for p in /proc/[0-9]*; do
			for l in "$p/root" "$p/cwd" "$p/exe" "$p"/fd/*; do
				case $(readlink "$l") in "$dir" | "$dir"/*) echo "${p#/proc/} ${l#"$p/"} $(tr '\0' ' ' <"$p/cmdline")" ;; esac
			done
		done
	EOF
	expect "$s: a process that was left would be seen" in_root "$s" sh -euc 'mkdir /var/tmp/left
		(cd /var/tmp/left && exec sleep 60) &
		sleep 60 >/var/tmp/left/file &
		sleep 1
		seen=$(lsof +D /var/tmp/left)
		echo "$seen" | grep " cwd sleep" && echo "$seen" | grep " fd/1 sleep"
		[ "$(echo "$seen" | wc -l)" = 2 ] && [ -z "$(lsof +D /var/tmp/left/none)" ]'
	# The directory alone, which systemd's packages leave behind; none of ours is in it.
	expect "$s: piuparts" in_root "$s" sh -c 'piuparts -b /base/base.tgz -t /var/tmp/piuparts -d "$1" --keep-sources-list --no-eatmydata \
		--ignore-regex "^/usr/lib/udev/?$" --bindmount /repo /debs/*.deb' sh "$s"
	cp "$OUT" "$TOP/build/packages/piuparts-$s.log"
	for p in "$d"/*.deb; do
		p=$(dpkg-deb -f "$p" Package)
		expect_text "$s: $p was upgraded" "Unpacking $p(:amd64)? \(.*\) over \(0\.0\.9-1\)" cat "$TOP/build/packages/piuparts-$s.log"
	done
	for t in "Installation and purging test" "Installation, upgrade and purging test" "Installation-purge-installation"; do
		grep -o "PASS: $t.*" "$TOP/build/packages/piuparts-$s.log" | sed "s/^/note $s: /"
	done
	gone "$s"
done

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The packages' tests:  run.sh [NAME...]   (none: all, in the order of their names)
#
# Each tests/packages/NAME.sh is run by itself, in a shell that has read lib.sh,
# within the seconds of its "# time-limit:" line; its output is kept in
# build/packages/NAME.log.  It prints a line "ok - ..." or "not ok - ..." for each thing
# it asserts; one that prints none, dies or takes too long is a failure.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
logs=build/packages
mkdir -p $logs
pass=0 fail=0
if [ $# = 0 ]; then
	for f in tests/packages/*.sh; do
		f=${f##*/}
		case $f in run.sh | lib.sh) ;; *) set -- "$@" "${f%.sh}" ;; esac
	done
fi
for t; do
	f=tests/packages/$t.sh
	[ -f "$f" ] || { echo "not ok - there is no test $f"; fail=$((fail + 1)); continue; }
	limit=$(sed -n 's/^# time-limit: *//p' "$f" | head -n 1)
	echo "== $t: $(sed -n 's/^# summary: *//p' "$f" | head -n 1)"
	{ timeout --kill-after=30 "${limit:-600}" unshare -m --propagation private sh -u -c '. tests/packages/lib.sh; . "$0"; exit 0' "./$f"; echo "exit status $?"; } 2>&1 |
		tee "$logs/$t.log" | grep --line-buffered -e '^ok - ' -e '^not ok - ' -e '^skip - ' -e '^note ' -e '^    '
	rc=$(sed -n 's/^exit status //p' "$logs/$t.log" | tail -n 1)
	n=$(grep -c '^ok - ' "$logs/$t.log")
	bad=$(grep -c '^not ok - ' "$logs/$t.log")
	if [ "$rc" != 0 ] || [ $((n + bad)) = 0 ]; then
		echo "not ok - $t ended with status $rc after $n checks (see $logs/$t.log)"
		bad=$((bad + 1))
	fi
	pass=$((pass + n)) fail=$((fail + bad))
done
echo "$pass passed, $fail failed"
[ "$fail" -eq 0 ]

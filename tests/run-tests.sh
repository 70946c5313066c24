#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs cmocka test programs, each within a time limit; a line for each and the sum.
set -u
pass=0 fail=0
[ $# -gt 0 ] || { echo "run-tests: no test given" >&2; exit 1; }
for t; do
	log=$t.log
	timeout 120 "$t" >"$log" 2>&1
	rc=$?
	n=$(grep -c '^\[ *OK *\]' "$log")
	bad=$(grep -c '^\[ *FAILED *\] [a-z_]*[a-z0-9_]*$' "$log")
	# A program that dies, or runs no test at all, is a failure by itself.
	[ $rc -eq 0 ] && [ "$n" -gt 0 ] || { [ "$bad" -gt 0 ] || bad=1; }
	if [ "$bad" -gt 0 ]; then
		echo "not ok - ${t##*/} (exit $rc)"
		tail -n 40 "$log" | sed 's/^/    /'
	else
		echo "ok - ${t##*/}: $n tests"
	fi
	pass=$((pass + n)) fail=$((fail + bad))
done
echo "$pass passed, $fail failed"
[ "$fail" -eq 0 ]

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs cmocka test programs, each within a time limit; a line for each and the sum.
# A test that is skipped is a failure too, but not with TESTS_MAY_SKIP set: a
# distribution's build machine lets nobody make a network device.
set -u
pass=0 fail=0 skip=0
# tests_that FAILED|SKIPPED LOG: how many; cmocka names each again in a list at the end.
tests_that() { grep "^\[ *$1 *\] [a-z_]*[a-z0-9_]*\$" "$2" | sort -u | wc -l; }
[ $# -gt 0 ] || { echo "run-tests: no test given" >&2; exit 1; }
for t; do
	log=$t.log
	timeout 120 "$t" >"$log" 2>&1
	rc=$?
	n=$(grep -c '^\[ *OK *\]' "$log")
	bad=$(tests_that FAILED "$log")
	skipped=$(tests_that SKIPPED "$log")
	[ -n "${TESTS_MAY_SKIP:-}" ] || { bad=$((bad + skipped)) skipped=0; }
	# A program that dies, or runs no test at all, is a failure by itself.
	[ $rc -eq 0 ] && [ $((n + skipped)) -gt 0 ] || { [ "$bad" -gt 0 ] || bad=1; }
	if [ "$bad" -gt 0 ]; then
		echo "not ok - ${t##*/} (exit $rc)"
		tail -n 40 "$log" | sed 's/^/    /'
	else
		echo "ok - ${t##*/}: $n tests$([ $skipped = 0 ] || echo ", $skipped skipped")"
	fi
	pass=$((pass + n)) fail=$((fail + bad)) skip=$((skip + skipped))
done
echo "$pass passed, $fail failed$([ $skip = 0 ] || echo ", $skip skipped")"
[ "$fail" -eq 0 ]

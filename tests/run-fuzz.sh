#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs libFuzzer targets on a copy of their committed corpus for FUZZ_SECONDS each.
set -u
here=$(dirname "$0") pass=0 fail=0
[ $# -gt 0 ] || { echo "run-fuzz: no target given" >&2; exit 1; }
for t; do
	name=${t##*/fuzz_}
	corpus=$(mktemp -d)
	[ ! -d "$here/fuzz/corpus/$name" ] || cp "$here/fuzz/corpus/$name"/* "$corpus/"
	if "$t" -max_total_time="${FUZZ_SECONDS:-10}" -timeout=10 -rss_limit_mb=2048 \
		-artifact_prefix="$t-" -print_final_stats=1 "$corpus" >"$t.log" 2>&1; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$t.log")
		echo "ok - fuzz_$name: $runs runs"
		pass=$((pass + 1))
	else
		echo "not ok - fuzz_$name"
		tail -n 30 "$t.log" | sed 's/^/    /'
		fail=$((fail + 1))
	fi
	rm -rf "$corpus"
done
echo "$pass passed, $fail failed"
[ "$fail" -eq 0 ]

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs libFuzzer targets on a copy of their committed corpus for FUZZ_SECONDS each,
# as many at a time as there are processors.
set -u
here=$(dirname "$0")
# One target: its line, and the end of its log when it fails.
if [ "${1:-}" = --one ]; then
	t=$2 name=${2##*/fuzz_}
	corpus=$(mktemp -d)
	trap 'rm -rf "$corpus"' EXIT
	[ ! -d "$here/fuzz/corpus/$name" ] || cp "$here/fuzz/corpus/$name"/* "$corpus/"
	if "$t" -max_total_time="${FUZZ_SECONDS:-60}" -timeout=10 -rss_limit_mb=2048 \
		-artifact_prefix="$t-" -print_final_stats=1 "$corpus" >"$t.log" 2>&1; then
		echo "ok - fuzz_$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$t.log") runs"
	else
		# At once, so that another's line does not come between.
		printf '%s\n' "not ok - fuzz_$name
$(tail -n 30 "$t.log" | sed 's/^/    /')"
	fi
	exit 0
fi
[ $# -gt 0 ] || { echo "run-fuzz: no target given" >&2; exit 1; }
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 "$0" --one | tee "$lines"
pass=$(grep -c '^ok - ' "$lines")
fail=$(($# - pass))
echo "$pass passed, $fail failed"
[ "$fail" -eq 0 ]

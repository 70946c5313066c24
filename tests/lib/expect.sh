# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# How the lab's scenarios and the packages' tests state what they expect: read by
# tests/lab/dom0/lib.sh and tests/packages/lib.sh.  Lines "ok - TEXT", "not ok - TEXT: WHY",
# "skip - TEXT: WHY" and "note KEY VALUE" are the results; all others are the log.
#
# Set before it is read: OUT, the file that holds the output of the last command here, and
# SHOW, with which each line of shown output begins.

ok() { echo "ok - $1"; }
fail() { echo "not ok - $1${2:+: $2}"; }
skip() { echo "skip - $1${2:+: $2}"; }
note() { echo "note $*"; }		# a measurement: note boot_seconds 3.2
log() { echo "$SHOW$*"; }

# show_out [LINES]: the end of what the last command printed, for the log.
# shellcheck disable=SC2120 # some give LINES
show_out() { [ ! -s "$OUT" ] || tail -n "${1:-40}" "$OUT" | sed "s/^/$SHOW/"; }
last_line() { grep -v '^[[:space:]]*$' "$OUT" | tail -n 1 | cut -c1-300; }
_command() { printf '%s' "$*" | tr '\n\t' '  ' | cut -c1-120; }

# expect TEXT COMMAND...: it succeeds; its output is shown when not.
expect() {
	_text=$1; shift
	if "$@" >"$OUT" 2>&1; then
		ok "$_text"
	else
		_status=$?
		fail "$_text" "'$(_command "$@")' ended with $_status: $(last_line)"
		show_out
		return 1
	fi
}

# expect_fail TEXT COMMAND...: it ends with an error.
expect_fail() {
	_text=$1; shift
	if ! "$@" >"$OUT" 2>&1; then ok "$_text"; return; fi
	fail "$_text" "'$(_command "$@")' should have failed"
	show_out
	return 1
}

# expect_text TEXT PATTERN COMMAND...: it succeeds and prints a line that matches (grep -E).
expect_text() {
	_text=$1 _pattern=$2; shift 2
	if "$@" >"$OUT" 2>&1; then
		if grep -Eq -e "$_pattern" "$OUT"; then ok "$_text"; return; fi
		fail "$_text" "no '$_pattern' in: $(last_line)"
	else
		_status=$?
		fail "$_text" "'$(_command "$@")' ended with $_status: $(last_line)"
	fi
	show_out
	return 1
}

# same TEXT EXPECTED FOUND
same() {
	if [ "$2" = "$3" ]; then ok "$1"; return; fi
	fail "$1" "expected '$2', found '$3'"
	return 1
}

# run COMMAND...: no expectation; its output goes to the log.
run() { "$@" >"$OUT" 2>&1; _status=$?; log "$* -> $_status"; show_out; return $_status; }

# wait_for SECONDS COMMAND...: until it succeeds; prints the end of its output when it never does.
# LAB_SLOW: what seconds are multiplied by.
wait_for() {
	_deadline=$(($(date +%s) + $1 * ${LAB_SLOW:-1})); shift
	until "$@" >"$OUT.wait" 2>&1; do
		if [ "$(date +%s)" -ge $_deadline ]; then
			tail -n 5 "$OUT.wait"
			return 1
		fi
		sleep 0.3
	done
}

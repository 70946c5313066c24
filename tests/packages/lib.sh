# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# What the packages' tests have in common; read by run.sh before each of them.

export SUITE="${SUITE:-trixie}"
CHROOT=mk/chroot.sh
# Scratch space of this test, gone when it ends.
WORK=$(mktemp -d "${TMPDIR:-/var/tmp}/xen-extras-packages.XXXXXX") || exit 1
trap 'rm -rf "$WORK"' EXIT
OUT=$WORK/out

ok() { echo "ok - $*"; }
fail() { echo "not ok - $*"; }
note() { echo "note $*"; }
# The last lines of what ran, below its failure.
show_out() { tail -n "${1:-25}" "$OUT" | sed 's/^/    /'; }

# expect TEXT COMMAND...: the command succeeds; its output is shown when not.
expect() {
	_text=$1; shift
	if "$@" >"$OUT" 2>&1; then ok "$_text"; else _rc=$?; fail "$_text (status $_rc)"; show_out; return 1; fi
}

# refuse TEXT COMMAND...: the command fails.
refuse() {
	_text=$1; shift
	if "$@" >"$OUT" 2>&1; then fail "$_text (it succeeded)"; show_out; return 1; else ok "$_text"; fi
}

# same TEXT EXPECTED FOUND
same() {
	if [ "$2" = "$3" ]; then ok "$1"; else fail "$1: expected '$2', found '$3'"; return 1; fi
}

# SPDX-License-Identifier: GPL-2.0-or-later
# summary: the sources that our QEMU and kernel are built of, against the suite's newest: a warning when they are older
# time-limit: 900

OURS=$(debs "$SUITE")
root h "$SUITE" plain
expect "the suite's lists" in_root h apt-get -q update

newest() { in_root h apt-cache madison "$1" 2>/dev/null | sed -n "s/^ *$1 | *\([^ ]*\) |.*/\1/p" | sed 's/+b[0-9]*$//' | sort -V | tail -n 1; }

# compare WHAT PACKAGE SOURCE-PATTERN OF: PACKAGE's Built-Using against the newest OF.
compare() {
	_field=$(dpkg-deb -f "$OURS/$2"_*.deb Built-Using)
	_ours=$(echo "$_field" | tr ',' '\n' | sed -n "s/^ *$3 (= \([^)]*\)).*/\1/p" | head -n 1)
	[ -n "$_ours" ] && ok "$2 says what $1 is built of ($_ours)" || { fail "$2: Built-Using '$_field' has no source of $1"; return; }
	_of=$4
	[ "$_of" != linux-source ] || _of=linux-source-$(echo "$_ours" | cut -d. -f1,2)
	_new=$(newest "$_of")
	[ -n "$_new" ] && ok "the suite has $_of $_new" || { fail "the suite has no $_of"; return; }
	if dpkg --compare-versions "$_ours" lt "$_new"; then
		note "WARNING: $1 is of $_ours, $SUITE has $_new by now: remove it from the cache, and make a release"
	else
		note "$1 is of $SUITE's newest source"
	fi
}
compare QEMU qemu-xen-extras qemu qemu-system-xen
compare "the kernel" xen-stubdom-kernel 'linux[a-z0-9.-]*' linux-source

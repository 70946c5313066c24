# SPDX-License-Identifier: GPL-2.0-or-later
# summary: a stubdomain that writes to its consoles without end fills no disk of dom0's, and its guest runs on
# time-limit: 1800
# shellcheck disable=SC2154

. $LAB/lib-state.sh

before=$(host_state)
drop=/run/systemd/system/xen-stubdomd.service.d
limit=1048576
small_logs() {
	mkdir -p $drop && printf '[Service]\nExecStart=\nExecStart=/usr/sbin/xen-stubdomd --log-limit=1\n' >$drop/flood.conf &&
		systemctl daemon-reload && systemctl restart xen-stubdomd
}
used() { echo $(($(stat -c '%b * %B' "$1"))); }
size() { stat -c %s "$1"; }
is_small() { [ "$(used "$1")" -le "$2" ] || { echo "$1 takes $(used "$1") bytes"; return 1; }; }
is_long() { [ "$(size "$1")" -ge "$2" ]; }
grows() {
	_size=$(size "$1")
	wait_for 60 is_long "$1" $((_size + 65536)) || { echo "$1 does not grow beyond $_size bytes"; return 1; }
}
told() { journal | grep -F "guest f: stubdomain $stub makes $1 longer than it may be: what is too much was dropped"; }

expect "a log may take 1 MiB" small_logs
expect "a stubdomain's image that can be told to be wrong" state_image || exit 1
expect "its guest counts" hostile_up f || { show_stubdom f; exit 1; }
console=/var/log/xen/qemu-dm-f.log
head -c 512 $console >$LAB/tmp/head
save=/var/lib/xen/qemu-save.$guest
mark
floods() { fault_tell f floods && fault_waits; }
expect "the stubdomain floods its consoles" floods || exit 1

# --- console 0: a log with a beginning and an end
expect "its log has been written four times as long as it may be" wait_for 600 is_long $console $((4 * limit)) || run ls -ls $console
expect "one line says so" wait_for 30 told $console || run journal
expect "dom0's QEMU writes on" grows $console
same "the log still has its beginning" "$(cksum <$LAB/tmp/head)" "$(head -c 512 $console | cksum)"

# --- console 1: as if it had flooded it for an hour; this QEMU has the same file open
fill() { dd if=/dev/urandom of="$save" bs=1M count=26 conv=notrunc status=none; }
expect "26 MiB are in the file of console 1" fill
expect "all of it is dropped: one line" wait_for 30 told "$save.console" || run journal
expect_fail "libxl finds no file that it would read into memory" test -e "$save"
expect "it takes no space" wait_for 30 is_small "$save.console" $((2 * limit)) || run ls -ls /var/lib/xen
takes_some() { [ "$(used "$save.console")" -gt 0 ]; }
expect "dom0's QEMU writes on, behind a hole" wait_for 60 takes_some || run ls -ls /var/lib/xen

# --- the rest goes on
expect "the guest runs on" counting f
fault_go
expect "the flood ends" wait_for 120 fault_over
note flooded "$(fault_answer)"
expect "the log is as short as it may be" wait_for 30 is_small $console $limit || run ls -ls $console
expect_text "xen-stubdom logs says what was dropped, and ends" 'bytes were dropped here' timeout 120 sh -c 'xen-stubdom logs f | tail -c 2000000'
same "a line in an hour for each file" 2 "$(journal | grep -c 'longer than it may be')"
expect "xl save by disk is as always" save_now f ok ok || { run journal; show_stubdom f; }
expect "the guest is destroyed" xl destroy f
expect "nothing is left" nothing_left "$before"
rm -r $drop
expect "the daemon is as it was" sh -c 'systemctl daemon-reload && systemctl restart xen-stubdomd'

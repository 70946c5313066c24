# SPDX-License-Identifier: GPL-2.0-or-later
# summary: a save by state disk, everything that can go wrong: one line, xl comes to its end, the guest runs on, nothing is left
# time-limit: 3000
# shellcheck disable=SC2154

. $LAB/lib-state.sh

# A /var of its own, to be filled up.
cp -a /var/lib/xen $LAB/tmp/var
mount -t tmpfs -o size=32m,mode=755 tmpfs /var/lib/xen && cp -a $LAB/tmp/var/. /var/lib/xen
expect "/var/lib/xen is a file system of its own, and the daemon sees it" systemctl restart xen-stubdomd
before=$(host_state)

expect "a stubdomain's image that can be told to be wrong" state_image || exit 1
expect "its guest counts" hostile_up s || { show_stubdom s; exit 1; }
expect "xl save -c by disk" save_now s ok ok || { show_stubdom s; exit 1; }
# From here on libxl has no part in most of them.
fault s none ok || { show_stubdom s; exit 1; }

# --- the frontend
ring="the stubdomain's ring-ref, event-channel or protocol is malformed"
map="the stubdomain's ring cannot be mapped: "
closed="the stubdomain closed its disk before the state was complete"
fault s no-frontend "the stubdomain did not connect its disk in time"
fault s node-ref-none "$ring"
fault s node-ref-text "$ring"
fault s node-ref-2to32 "$ring"
fault s node-ref-bad "$map"
fault s node-port-none "$ring"
fault s node-port-minus "$ring"
fault s node-port-bad "$map"
fault s node-protocol "$ring"
fault s indices "the stubdomain's ring is malformed"
fault s closes "$closed"
fault s vanishes "$closed"
fault s requests ok

# --- header and state
header="the header is malformed: "
damaged="the state is damaged: its SHA-256 is not that of its header"
fault s header-none "there is no header: the state is not complete"
fault s header-magic "${header}magic"
fault s header-version "the header has version 2: this host knows 1"
fault s header-size "${header}size"
fault s header-check "${header}check"
fault s header-end "${header}end"
fault s header-length-0 "${header}length"
fault s header-length-2to63 "a state of 9223372036854775808 bytes: at most 67108864 are allowed"
fault s header-length-less "$damaged"
fault s header-qemu "${header}qemu"
fault s header-machine "${header}machine"
fault s header-reserved "${header}reserved"
fault s header-sha256 "$damaged"
fault s no-qevm "this is no device state of QEMU"
fault s other-state "$damaged"

# What it writes after "done" may come before the ring is unmapped; then it is refused.
sound() { python3 -c "import hashlib; d = open('$1', 'rb').read(); h = d[-256:]; assert h[:16] == h[240:] and hashlib.sha256(d[:-256]).digest() == h[32:64]"; }
rewrites() {
	fault_pace; mark
	fault_tell s rewrites
	wait_for 120 fault_over
	if fault_said ok; then after_save s ok && sound "/var/lib/xen/qemu-save.$guest"; else fault_is s "(${header}magic|$damaged)"; fi
}
expect "it rewrites its state after done: what dom0 has is whole, or refused" rewrites || run journal

# --- words
ignored() {
	mark
	for _want in '' save 'save ' 'save x' "save $(printf %031d 0)" "save $(printf %033d 0)" "save ABCDEF$(printf %026d 0)" \
		"SAVE $(printf %032d 0)" "save $(printf %032d 0) " "restore $(printf %032d 0)" "$(printf %0400d 0)"; do
		xenstore-write "/local/domain/$stub/data/xen-stubdom/state/want" "$_want" || return 1
		sleep 0.3
		! xenstore-exists "/local/domain/$stub/xen-stubdomd/state/disk" || { echo "a disk for '$_want'"; return 1; }
	done
	xenstore-rm "/local/domain/$stub/data/xen-stubdom/state/want"
	after_save s -
}
expect "wishes that are malformed are ignored" ignored || run journal

daemon_ticks() { awk '{ print $14 + $15 }' "/proc/$(systemctl show -P MainPID xen-stubdomd)/stat"; }
asks() {
	mark
	fault_tell s asks && fault_waits || return 1
	_before=$(daemon_ticks) _begin=$(now)
	wait_for 120 fault_over
	_used=$(($(daemon_ticks) - _before)) _time=$(since "$_begin")
	note asks_daemon_percent "$(echo "$_used $_time" | awk '{ printf "%.0f", $1 / $2 }')"
	fault_answer | grep -E '^[0-9]+ times$' || return 1
	[ "$_used" -lt "$(echo "$_time" | awk '{ printf "%.0f", $1 * 50 }')" ] || { echo "the daemon used $_used ticks in $_time s"; return 1; }
	after_save s -
}
expect "it asks in a loop: the daemon has other things to do" asks || run journal
# Those that began within the last 10 s count.
fault s none ok

# --- dom0: the helper
died="xen-state-disk ended before its work was done"
during s hold-attached "$died" kill_helper
during s hold-connected "$died" kill_helper
during s hold-written "$died" kill_helper
during s hold-attached "the stubdomain did not connect its disk in time" stop_helper
during s hold-written "the state was not verified and written in time" stop_helper
helper=/usr/libexec/xen-extras/xen-state-disk
mv $helper $helper.away
fault s none "xen-state-disk cannot be started: No such file or directory"
mv $helper.away $helper

# --- dom0: the daemon
over_again s hold-attached daemon_restarts
over_again s hold-connected daemon_is_killed
over_again s hold-written daemon_restarts
fault s none ok

# --- dom0: the file
drop=/run/systemd/system/xen-stubdomd.service.d
read_only() {
	mkdir -p $drop && printf '[Service]\nReadWritePaths=\nReadWritePaths=-/run/xen\n' >$drop/read-only.conf &&
		systemctl daemon-reload && systemctl restart xen-stubdomd
}
writable() { rm -r $drop && systemctl daemon-reload && systemctl restart xen-stubdomd; }
expect "/var/lib/xen is read-only for the daemon" read_only
fault s none "/var/lib/xen/qemu-save.$guest: Read-only file system"
expect "it is writable again" writable
fill() { dd if=/dev/zero of=/var/lib/xen/fill bs=64k; [ "$(stat -f -c %a /var/lib/xen)" = 0 ]; }
expect "/var/lib/xen is full" fill
expect "it is full: xl save ends with an error" save_now s error "No space left on device" || run journal
rm -f /var/lib/xen/fill
expect "it has room again: xl save" save_now s ok ok || { run journal; show_stubdom s; }

# --- in the middle of a save of libxl's
# in_save FAULT RESULT REASON [COMMAND...]: the stubdomain's writer is held when QEMU writes, COMMAND is done, then the fault.
in_save() {
	_fault=$1 _result=$2 _reason=$3; shift 3
	fault_pace; mark
	fault_tell s "$_fault" && wait_for 30 fault_said ready || return 1
	save_begin s $LAB/tmp/x.save
	fault_waits || { save_ends 240; echo "the stubdomain's program says: $(fault_answer)"; return 1; }
	[ $# = 0 ] || "$@" || return 1
	fault_go
	_after=${after:-}
	[ -z "$_after" ] || { wait_for 60 fault_over; sleep 2; $_after || return 1; }
	save_is s "$_result" "$_reason"
}
expect "its writer stands still for a while: xl save" in_save writer-goes-on ok ok || run journal
expect "its writer ends: xl save ends with an error" in_save writer-killed error - || run journal
expect "a wrong header comes: xl save ends with an error" in_save writer-junk-header error "${header}magic" || run journal
expect "its writer stalls: xl save ends with an error" in_save writer-stalls error "no complete state came in time" || run journal
hijack() {
	fault_pace; mark
	fault_tell s hijack
	sleep 2
	save_begin s $LAB/tmp/x.save
	save_is s ok "${header}magic"
}
expect "its disk is taken from stubdom-init: xl save, by console" hijack || run journal
expect "xl save by disk again" save_now s ok ok || { run journal; show_stubdom s; }

# A request is on the ring that nobody answers any more: blkfront would wait for that for ever, and with
# it all of the stubdomain's devices and watches.
after=kill_helper
expect "the helper dies over a request: xl save ends with an error" in_save writer-goes-on error "$died" stop_helper || run journal
expect "xl save by disk again" save_now s ok ok || { run journal; show_stubdom s; }
after='systemctl restart xen-stubdomd'
expect "the daemon is restarted over a request: xl save ends with an error" in_save writer-goes-on error - stop_helper || run journal
after=
expect "xl save by disk again" save_now s ok ok || { run journal; show_stubdom s; }

# --- the ends of a guest
destroyed() {
	mark
	fault_tell s hold-connected && fault_waits && xl destroy s && said_nothing && wait_for 30 transfer_gone && nothing_left "$before"
}
expect "the guest is destroyed meanwhile: no line, nothing is left" destroyed || { run journal; run transfer_left; }
dies() {
	hostile_up d || return 1
	mark
	fault_tell d "$1"
	wait_for 120 domain_gone d && said_nothing && wait_for 30 transfer_gone && nothing_left "$before"
}
for at in attached connected 'done'; do
	expect "the stubdomain dies when it is $at: no line, nothing is left" dies dies-$at || { run journal; show_stubdom d; xl destroy d; }
done

expect "nothing is left" nothing_left "$before"
umount -l /var/lib/xen
expect "the daemon has its old /var/lib/xen" systemctl restart xen-stubdomd

# SPDX-License-Identifier: GPL-2.0-or-later
# summary: a restore by state disk of a file that is damaged anywhere is refused with the reason; what is dom0's fault goes by console; a stubdomain that is hostile then
# time-limit: 3600
# shellcheck disable=SC2154

. $LAB/lib-state.sh

before=$(host_state)
good=$LAB/tmp/good.save bad=$LAB/tmp/bad.save
state_config r
expect "a guest is started" xl create $GUESTS/r.cfg || { show_stubdom r; exit 1; }
expect "it counts" wait_for 60 counting r || { show_stubdom r; exit 1; }
state_numbers r
mark
expect "xl save" xl save r $good || { show_stubdom r; exit 1; }
expect "it went by disk" wait_for 15 said_saved r || run journal
expect "nothing is left" nothing_left "$before"
expect_text "its device state is found in the file" '^[0-9]+$' state_size $good || exit 1
size=$(state_size $good)
run echo "the device state has $size bytes, 256 of them header"

# refused REASON EDIT...
try_refused() {
	_reason=$1; shift
	state_edit $good $bad "$@" || return 1
	mark
	! timeout 400 xl restore $bad || { echo "xl restore should have failed"; xl destroy r; return 1; }
	[ "$_reason" = - ] || wait_for 15 said_once r "$_reason" || { echo "not one line with '$_reason': $(errors)"; return 1; }
	nothing_left "$before"
}
refused() { _r=$1; shift; expect "$*: it is refused: $_r" try_refused "$_r" "$@" || { run journal; show_stubdom r; }; }
# restored COMMAND...: xl restore of the file bad, COMMAND while it runs; the guest is there. Then it is destroyed.
try_restored() {
	mark
	timeout 400 xl restore $bad &
	_xl=$!
	"$@" || { wait $_xl; return 1; }
	wait $_xl && state_numbers r && wait_for 60 counting r && wait_for 30 transfer_gone
	_status=$?
	xl destroy r
	[ $_status = 0 ] && nothing_left "$before"
}
restored() { _t=$1; shift; expect "$_t: xl restore" try_restored "$@" || { run journal; show_stubdom r; }; }

header="the header is malformed: "
damaged="the state is damaged: its SHA-256 is not that of its header"
refused "$damaged" flip 4
refused "$damaged" flip $(((size - 256) / 2))
refused "$damaged" flip -257
refused "this is no device state of QEMU" flip 0
refused "${header}magic" flip -256
refused "the header has version 0: this host knows 1" flip -240
refused "${header}size" flip -236
refused "${header}check" flip -232
refused "${header}check" flip -200
refused "${header}check" flip -48
refused "${header}end" flip -1
refused "the file has $((size - 1000)) bytes, and its header asks for $size" drop 2000 3000
refused "this is no device state of QEMU" cut 3

# Without both of the header's ends it is a file that was saved by console.
unverified() { wait_for 15 sh -c "journalctl -u xen-stubdomd --after-cursor '$cursor' -q -o cat | grep -F 'it could not be verified'"; }
state_edit $good $bad cut -100
restored "no header" true
expect "no header: a line says that nothing could be verified" unverified || run journal
refused - cut $((size / 2))
expect "half of a state: a line says that nothing could be verified" unverified || run journal

# What is dom0's own fault: the console has the same bytes.
cp $good $bad
helper=/usr/libexec/xen-extras/xen-state-disk
mv $helper $helper.away
restored "the helper is missing" true
expect "the helper is missing: a line says so" said_once r "xen-state-disk cannot be started: No such file or directory"
mv $helper.away $helper
kill_at_once() { wait_for 60 helpers && helpers | xargs kill -KILL; }
restored "the helper is killed" kill_at_once
expect "the helper is killed: a line says so" said_once r "xen-state-disk ended before its work was done" || run journal
restart_at_once() { wait_for 60 helpers && systemctl restart xen-stubdomd; }
restored "the daemon is restarted" restart_at_once
restored "all is right" true

# --- a stubdomain that is hostile when it restores: its own frontend, in the kernel's place. It starts no QEMU:
# libxl gives up after 30 s.
expect "a stubdomain's image that is wrong" state_image || exit 1
# restoring FAULT [PARAMETER]: xl restore, to its end, with what the stubdomain says in the file answer.
restoring() {
	state_config r "stubdomain_ramdisk = \"$STATE_IMAGE/rootfs\"" "stubdomain_cmdline = \"labrestore=restore-$1 ${2:-}\""
	rm -f $LAB/tmp/answer $LAB/tmp/restore.status
	(timeout 300 xl restore $GUESTS/r.cfg $good; echo $? >$LAB/tmp/restore.status) &
	until [ -s $LAB/tmp/restore.status ]; do
		_stub=$(xl domid r-dm 2>/dev/null) && xenstore-read "/local/domain/$_stub/data/lab/answer" >$LAB/tmp/said 2>/dev/null &&
			mv $LAB/tmp/said $LAB/tmp/answer
		sleep 0.5
	done
	[ "$(cat $LAB/tmp/restore.status)" != 124 ] || { echo "xl restore does not come to its end"; xl destroy r; return 1; }
}
# try_hostile FAULT ANSWER REASON: REASON as after_save has it.
try_hostile() {
	mark
	restoring "$1" initcall_blacklist=xlblk_init || return 1
	[ "$(cat $LAB/tmp/restore.status)" != 0 ] || { echo "xl restore should have failed"; xl destroy r; return 1; }
	grep -qx "1 $2" $LAB/tmp/answer || { echo "the stubdomain's program says: $(cat $LAB/tmp/answer)"; return 1; }
	case $3 in
	-) said_nothing || { echo "unexpected: $(errors)"; return 1; } ;;
	*) wait_for 15 said_once r "$3" || { echo "not one line with '$3': $(errors)"; return 1; } ;;
	esac
	nothing_left "$before"
}
hostile() { expect "the stubdomain that restores: $1: $3" try_hostile "$@" || { run journal; show_stubdom r; }; }

hostile none ok -
hostile requests ok -
hostile silent silent -
hostile ref-bad console "the stubdomain's ring cannot be mapped: "
hostile protocol console "the stubdomain's ring-ref, event-channel or protocol is malformed"
hostile indices console "the stubdomain's ring is malformed"
hostile closes-first console "the stubdomain closed its disk before the state was complete"
hostile closes ok -
hostile vanishes ok -
hostile saves ok -
# The disk is gone when stubdom-init comes to it. Whether the console is fast enough for libxl is not the question.
early() {
	mark
	restoring early || return 1
	grep -qx "1 ok" $LAB/tmp/answer || { echo "the stubdomain's program says: $(cat $LAB/tmp/answer)"; return 1; }
	said_nothing || { echo "unexpected: $(errors)"; return 1; }
	! xl domid r || { state_numbers r && wait_for 30 transfer_gone; _gone=$?; xl destroy r; [ $_gone = 0 ] || return 1; }
	nothing_left "$before"
}
expect "the stubdomain that restores says at once that it has: the disk goes, no line" early || { run journal; show_stubdom r; }
expect "nothing is left" nothing_left "$before"

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154,SC2034
# What the scenarios about faults of state disks share:   . $LAB/lib-state.sh
# docs/state-disk.md has the faults and the words; tests/hostile/state-frontend.c is what is
# wrong in the stubdomain.

STATE_IMAGE=$LAB/state-image

# state_image: the registered image, with state-frontend as its /init and stubdom-init behind it.
state_image() {
	_current=/var/lib/xen-stubdom/$(xl info xen_version | cut -d. -f1,2)/current
	rm -rf $STATE_IMAGE && mkdir -p $STATE_IMAGE/tree && zstd -dcq "$_current/rootfs" >$STATE_IMAGE/plain || return 1
	(
		cd $STATE_IMAGE/tree || exit 1
		cpio -i --quiet init ./init <../plain && mv init init.honest && cp $MEDIA/state-frontend init && chmod 755 init || exit 1
		# A second archive: its /init replaces the first's.
		truncate -s %512 ../plain && printf '%s\n' init init.honest | cpio -o -H newc -R 0:0 --quiet >>../plain
	) || return 1
	zstd -q $STATE_IMAGE/plain -o $STATE_IMAGE/rootfs && rm -r $STATE_IMAGE/plain $STATE_IMAGE/tree
}

# A guest that counts the ticks of its clock at 0x600 and does nothing else: it boots at
# once, and whether it runs shows in its memory.
#	xor ax,ax; mov ds,ax; sti; 1: hlt; inc word [0x600]; jmp 1b
count_disk() {
	truncate -s 1M $GUESTS/count.img
	printf '\061\300\216\330\373\364\377\006\000\006\353\371' | dd of=$GUESTS/count.img conv=notrunc status=none
	printf '\125\252' | dd of=$GUESTS/count.img bs=1 seek=510 conv=notrunc status=none
}

# state_config NAME [LINE...]
state_config() {
	_n=$1; shift
	[ -e $GUESTS/count.img ] || count_disk
	guest_config "$_n" hvm 'memory = 64' 'device_model_version = "qemu-xen"' 'device_model_stubdomain_override = 1' \
		"disk = [ '$GUESTS/count.img,raw,hda,rw' ]" 'serial = "pty"' 'on_crash = "destroy"' "$@" >/dev/null
}

# state_numbers NAME: guest and stub are its numbers and its stubdomain's.
state_numbers() { guest=$(xl domid "$1") && stub=$(xl domid "$1-dm"); }

# hostile_up NAME [LINE...]: starts one whose stubdomain can be told to be wrong.
hostile_up() {
	_up=$1; shift
	state_config "$_up" "stubdomain_ramdisk = \"$STATE_IMAGE/rootfs\"" "$@"
	xl create "$GUESTS/$_up.cfg" && state_numbers "$_up" && wait_for 60 xenstore-exists "/local/domain/$stub/data/lab/answer" &&
		wait_for 60 counting "$_up"
}

# counting NAME: the guest runs, and QEMU says so.
count() { timeout 60 xl qemu-monitor-command "$1" 'xp /1hx 0x600' | sed -n 's/.*: *0x//p'; }
counting() {
	_a=$(count "$1") && [ -n "$_a" ] || return 1
	for _i in 1 2 3 4 5 6 7 8; do
		_b=$(count "$1")
		[ -z "$_b" ] || [ "$_a" = "$_b" ] || return 0
		sleep 0.5
	done
	echo "the guest's counter stays at $_a"
	return 1
}

# ---- the daemon's log ----

mark() { cursor=$(journalctl -u xen-stubdomd -n 0 --show-cursor -q | sed -n 's/^-- cursor: //p'); }
journal() { journalctl -u xen-stubdomd --after-cursor "$cursor" -q -o cat --no-pager; }
errors() { journal | grep -F 'its device state is not '; }
# said_once NAME REASON: since the mark there is one line about a transfer that failed, and it is this one.
said_once() { [ "$(errors | wc -l)" = 1 ] && errors | grep -E -- "guest $1: its device state is not (saved|restored) by disk: $2"; }
said_saved() { [ "$(errors | wc -l)" = 0 ] && journal | grep -E -- "guest $1: device state saved by disk: [0-9]+ bytes"; }
said_nothing() { [ "$(errors | wc -l)" = 0 ]; }

# ---- what a transfer may leave ----

helpers() { pgrep -x xen-state-disk; }
# Its process, both directories of its device, its file; "want" is the stubdomain's own.
transfer_gone() {
	! helpers && ! xenstore-ls /local/domain/0/backend/xe-state 2>/dev/null | grep . &&
		! xenstore-list "/local/domain/$stub/device/vbd" 2>/dev/null | grep '^268[45]' &&
		! ls /var/lib/xen/qemu-save.*.disk 2>/dev/null
}

# after_save NAME REASON: one line (REASON: "ok", or "-" for none), the guest runs on,
# nothing of the transfer is left.
after_save() {
	case $2 in
	ok) wait_for 15 said_saved "$1" || { echo "no line about a saved state; errors: $(errors)"; return 1; } ;;
	-) said_nothing || { echo "unexpected: $(errors)"; return 1; } ;;
	*) wait_for 15 said_once "$1" "$2" || { echo "not one line with '$2': $(errors)"; return 1; } ;;
	esac
	# 5 s until the frontend is given up, and what ends a second later.
	wait_for 30 transfer_gone || { echo "of the transfer is left: $(transfer_left)"; return 1; }
	counting "$1" || { echo "the guest does not run on"; return 1; }
}
transfer_left() {
	helpers
	xenstore-ls /local/domain/0/backend/xe-state 2>/dev/null | head -n 3
	xenstore-list "/local/domain/$stub/device/vbd" 2>/dev/null | grep '^268[45]'
	ls /var/lib/xen/qemu-save.*.disk 2>/dev/null
}

# ---- faults of the stubdomain ----

fault_no=0 fault_at=0
# The daemon says at most 20 lines in a minute about one stubdomain.
fault_pace() {
	_rest=$((fault_at + 4 - $(date +%s)))
	[ $_rest -le 0 ] || sleep $_rest
	fault_at=$(date +%s)
}
# fault_tell NAME FAULT: begins it; fault_answer prints what it said last; fault_ends SECONDS WORD waits
# for that; fault_go lets one that holds go on.
fault_tell() {
	fault_no=$((fault_no + 1))
	xenstore-write "/local/domain/$(xl domid "$1-dm")/data/lab/fault" "$fault_no $2"
}
fault_answer() { xenstore-read "/local/domain/$stub/data/lab/answer" | sed -n "s/^$fault_no //p" | grep .; }
fault_said() { fault_answer | grep -Eqx -- "$1"; }
fault_waits() { wait_for 60 fault_said holding; }
fault_go() { xenstore-write "/local/domain/$stub/data/lab/go" "$fault_no"; }
fault_over() { fault_answer | grep -vqE '^(holding|ready)$'; }

# fault_is NAME REASON: the end of the fault that was begun, its result, and after_save.
fault_is() {
	wait_for 150 fault_over || { echo "the stubdomain's program does not come to an end: $(fault_answer)"; return 1; }
	case $2 in
	ok) fault_said ok ;;
	*) fault_said "error $2.*" ;;
	esac || { echo "the stubdomain's program says: $(fault_answer)"; return 1; }
	after_save "$1" "$2"
}

# fault NAME FAULT REASON: one line of a table.
try_fault() { fault_pace; mark; fault_tell "$1" "$2" && fault_is "$1" "$3"; }
fault() { expect "the stubdomain: $2: $3" try_fault "$1" "$2" "$3" || run journal; }

# during NAME FAULT REASON COMMAND...: COMMAND is done while the fault holds.
held() {
	_n=$1 _f=$2; shift 2
	fault_pace; mark
	fault_tell "$_n" "$_f" && fault_waits && "$@" && fault_go
}
try_during() { held "$1" "$2" "$4" && fault_is "$1" "$3"; }
during() { expect "$4, the stubdomain $2: $3" try_during "$@" || run journal; }

# What may be done. The stubdomain hears of it before it goes on.
kill_helper() { helpers | xargs kill -KILL && wait_for 15 some_error; }
some_error() { errors | grep .; }
stop_helper() { helpers | xargs kill -STOP; }
daemon_restarts() { systemctl restart xen-stubdomd && restarted; }
daemon_is_killed() { systemctl kill -s KILL xen-stubdomd && sleep 1 && restarted; }
restarted() { wait_for 60 systemctl -q is-active xen-stubdomd && wait_for 30 xenstore-exists "/local/domain/$stub/xen-stubdomd/state/result"; }

# over_again NAME FAULT COMMAND: another daemon comes meanwhile, and says so to the stubdomain.
try_over_again() {
	held "$@" || return 1
	wait_for 150 fault_over
	fault_said 'error xen-stubdomd was restarted meanwhile: try again' || { echo "the stubdomain's program says: $(fault_answer)"; return 1; }
	after_restart "$1"
}
after_restart() {
	wait_for 15 said_removed "$1" || { echo "no line about the old disk: $(journal)"; return 1; }
	after_save "$1" -
}
said_removed() { journal | grep -F "guest $1: removed its state disk, left by an earlier xen-stubdomd"; }
over_again() { expect "$3, the stubdomain $2: it is told" try_over_again "$@" || run journal; }

# ---- saves by libxl ----

# save_begin NAME FILE: xl save -c in the background; save_ends SECONDS: its status.
save_begin() {
	rm -f $LAB/tmp/save.status
	(xl save -c "$1" "$2" >$LAB/tmp/save.out 2>&1; echo $? >$LAB/tmp/save.status) &
}
save_ended() { [ -s $LAB/tmp/save.status ]; }
save_ends() { wait_for "$1" save_ended || { echo "xl save has not ended within $1 s"; return 124; }; cat $LAB/tmp/save.out; return "$(cat $LAB/tmp/save.status)"; }
# save_is NAME RESULT REASON: xl ends with RESULT (ok or error), and after_save.
save_is() {
	save_ends 240
	case $2-$? in
	ok-0) ;;
	*-124 | ok-* | error-0) echo "xl save should have ended with: $2"; return 1 ;;
	esac
	rm -f $LAB/tmp/x.save
	after_save "$1" "$3"
}
# save_now NAME RESULT REASON: the whole of it.
save_now() { mark; save_begin "$1" $LAB/tmp/x.save; save_is "$1" "$2" "$3"; }

# ---- the file that xl saves to ----

# state_edit FILE OUT WHAT...: a copy whose device state (the record EMULATOR_CONTEXT of libxl's
# stream) is another: "flip N" a byte, "cut N" to N bytes, "drop A B" its bytes A to B; N may
# be negative, from its end.  state_size FILE: how long it is.
state_size() { state_edit "$1" -; }
state_edit() {
	cat >$LAB/tmp/edit.py <<-'E'
		import struct, sys
		data = open(sys.argv[1], "rb").read()
		# type 3, length; id 2 (QEMU), index; the state.  Memory may have the same bytes: the last one counts.
		at = data.rfind(b"QEVM")
		while at > 0:
		    kind, length, ident, index = struct.unpack("<IIII", data[at - 16:at])
		    if kind == 3 and ident == 2 and not index and at - 8 + length <= len(data):
		        break
		    at = data.rfind(b"QEVM", 0, at)
		assert at > 0, "no device state in the file"
		state = bytearray(data[at:at - 8 + length])
		rest = data[at - 8 + (length + 7) // 8 * 8:]
		what, numbers = sys.argv[3] if len(sys.argv) > 3 else "size", [int(n) for n in sys.argv[4:]]
		if what == "size":
		    print(len(state))
		    sys.exit()
		if what == "flip":
		    state[numbers[0]] ^= 1
		elif what == "cut":
		    del state[numbers[0]:]
		elif what == "drop":
		    del state[numbers[0]:numbers[1]]
		body = struct.pack("<II", 2, 0) + bytes(state)
		out = data[:at - 16] + struct.pack("<II", 3, len(body)) + body + bytes(-len(body) % 8) + rest
		open(sys.argv[2], "wb").write(out)
	E
	python3 $LAB/tmp/edit.py "$@"
}

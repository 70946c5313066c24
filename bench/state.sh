# SPDX-License-Identifier: GPL-2.0-or-later
# summary: a guest's device state on its way to xl save's file: by disk, by console, and from a QEMU in dom0
# time-limit: 5400
#
# Run by `make bench-state`; state_report.py makes tables of the notes.  One run, and in each round each way after
# the other; figures are ratios: the host is emulated.  lib-qmp.py says what the times are.
#
#   SET_WAY_ROUND_{reply,done,file}	seconds; WAY is dom0, disk or console
#   SET_WAY_ROUND_bytes			device state in libxl's file, header included
#   SET_memory_ROUND_kib		of the stubdomain's memory, while its transfer is held with all buffers full
# shellcheck disable=SC2154
. $LAB/lib-save.sh

ROUNDS="1 2 3 4 5"
HOLD=$LAB/tmp/hold
stub='device_model_stubdomain_override = 1'

# set_lines SET FILE: what xl gives a guest that asks for nothing, and four disks, four cards, std VGA and tablet.
# No sound card: QEMU 10 in dom0 does not start with one (libxl names no audiodev).
set_lines() {
	[ "$1" = largest ] || { printf '%s\n' "disk = [ '$2-a.img,raw,hda,rw' ]" 'vif = [ "bridge=xenbr0" ]'; return; }
	printf '%s\n' "disk = [ '$2-a.img,raw,hda,rw', '$2-b.img,raw,hdb,rw', '$2-c.img,raw,hdc,rw', '$2-d.img,raw,hdd,rw' ]" \
		'vif = [ "bridge=xenbr0,model=e1000", "bridge=xenbr0,model=e1000", "bridge=xenbr0,model=e1000", "bridge=xenbr0,model=e1000" ]' \
		'vga = "stdvga"' 'usb = 1' 'usbdevice = "tablet"'
}

# begin NAME default|largest [LINE]: a guest is created; its disk only halts, as its devices' state needs no kernel.
begin() {
	halt_disk "$GUESTS/$1-a.img"
	for _d in b c d; do truncate -s 8M "$GUESTS/$1-$_d.img"; done
	guest_config "$1" hvm 'memory = 64' 'on_crash = "destroy"' 'serial = "pty"' 'device_model_version = "qemu-xen"' \
		'device_model_args_hvm = [ "-global", "e1000.romfile=", "-global", "rtl8139.romfile=" ]' ${3:+"$3"} >/dev/null
	set_lines "$2" "$GUESTS/$1" >>"$GUESTS/$1.cfg"
	expect "$2: xl create $1" xl create "$GUESTS/$1.cfg" || { show_stubdom "$1"; exit 1; }
}

# Has the helper of guest s mapped its ring?
connected() { xenstore-ls "/local/domain/0/backend/xe-state/$(xl domid s-dm)" | grep -q '^ state = "4"'; }
# free_kib GUEST: its stubdomain's free memory, as its kernel prints it; sysrq 9 was sent before.
free_lines() { grep -acE ' free:[0-9]+ free_pcp:[0-9]+' "/var/log/xen/qemu-dm-$1.log"; }
more_lines() { [ "$(free_lines "$1")" -gt "$2" ]; }
free_kib() {
	_lines=$(free_lines "$1")
	xl sysrq "$1-dm" m
	wait_for 8 more_lines "$1" "$_lines" >&2 || return 1
	grep -aoE ' free:[0-9]+ free_pcp:[0-9]+' "/var/log/xen/qemu-dm-$1.log" | tail -n 1 | tr -dc '0-9 ' | awk '{ print ($1 + $2) * 4 }'
}

# between GUEST PROGRAM COMMAND...: with lib-qmp.py on its QMP socket; its line is in $LAB/tmp/qmp.log.
between() {
	_id=$(xl domid "$1") _dm=$(xl domid "$1-dm" 2>/dev/null || echo 0) _program=$2; shift 2
	rm -f $LAB/tmp/qmp.log
	# shellcheck disable=SC2086 # or no argument
	python3 $LAB/lib-qmp.py "$_id" "$_dm" $LAB/tmp/qmp.log $_program & _proxy=$!
	if wait_for 20 test -S "/run/xen/lab-qmp-$_id" -a -S "/run/xen/qmp-libxl-$_id"; then "$@"; else false; fi
	_ended=$?
	kill $_proxy; wait $_proxy
	[ $_ended = 0 ] && grep '^ok ' $LAB/tmp/qmp.log
}

# timed SET WAY ROUND GUEST [-c]: one save, and its notes.
timed() {
	_set=$1 _way=$2 _round=$3 _guest=$4; shift 4
	expect "$_set, $_way, round $_round: xl save" between "$_guest" '' xl save "$@" "$_guest" $LAB/tmp/state.save || { show_stubdom "$_guest"; return 1; }
	_header=console
	[ "$_way" != disk ] || _header=disk
	saved_by $_header $LAB/tmp/state.save "$_set, $_way, round $_round: $_header" || return 1
	note "${_set}_${_way}_${_round}_bytes" "$(cut -d' ' -f2 $OUT)"
	# shellcheck disable=SC2046 # ok and three times
	set -- $(tail -n 1 $LAB/tmp/qmp.log)
	note "${_set}_${_way}_${_round}_reply" "$2"
	note "${_set}_${_way}_${_round}_done" "$3"
	note "${_set}_${_way}_${_round}_file" "$4"
}

# What lib-qmp.py runs for memory_of: the helper stops before QEMU gets the command, so that pipe, block and ring
# fill; then the stubdomain is looked at three times. Less than the 20 s after which a disk is given up.
cat >$HOLD <<'E2'
#!/bin/sh
. /lab/lib.sh
. /lab/tmp/bench-functions
case $1 in
before) wait_for 8 connected && kill -STOP $(pgrep -x xen-state-disk) && touch $LAB/tmp/stopped ;;
after)
	[ -e $LAB/tmp/stopped ] || exit 1
	for i in 1 2 3; do sleep 1; free_kib s >>$LAB/tmp/held; done
	kill -CONT $(pgrep -x xen-state-disk) ;;
esac
E2
chmod 755 $HOLD
# The functions above, as they stand here.
sed -n '/^connected()/,/^}/p' $LAB/scenario.sh >$LAB/tmp/bench-functions

# memory_of SET ROUND: least free memory while a save is held, next to before.
memory_of() {
	rm -f $LAB/tmp/held $LAB/tmp/stopped
	_idle=$(free_kib s)
	expect "$1, memory, round $2: xl save, held for some seconds" between s $HOLD xl save -c s $LAB/tmp/state.save || { show_stubdom s; return 1; }
	saved_by disk $LAB/tmp/state.save "$1, memory, round $2: by disk all the same" || return 1
	expect_text "$1, memory, round $2: the stubdomain was looked at" '^3$' sh -c "grep -c '^[0-9]' $LAB/tmp/held" || return 1
	note "${1}_memory_${2}_kib" $((_idle - $(sort -n $LAB/tmp/held | head -n 1)))
	note "${1}_memory_${2}_free_before_kib" "$_idle"
}

# by_console SET ROUND: without the daemon, the first save of a stubdomain; then a new one.
by_console() {
	expect "xen-stubdomd is stopped" systemctl stop xen-stubdomd
	timed "$1" console "$2" c
	expect "xen-stubdomd is started" systemctl start xen-stubdomd
	expect "$1, round $2: xl restore" xl restore $LAB/tmp/state.save || { show_stubdom c; exit 1; }
}

before=$(host_state)
for set in default largest; do
	begin d $set
	begin s $set "$stub"
	begin c $set "$stub"
	xl sysrq s-dm 9
	for round in $ROUNDS; do
		timed $set dom0 $round d -c
		timed $set disk $round s -c
		memory_of $set $round
		by_console $set $round
	done
	for g in d s c; do expect "$set: xl destroy $g" xl destroy $g; done
done
rm -f $LAB/tmp/state.save
expect "nothing is left" nothing_left "$before"

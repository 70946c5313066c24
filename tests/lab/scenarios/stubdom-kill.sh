# SPDX-License-Identifier: GPL-2.0-or-later
# summary: SIGKILL and SIGSTOP of xen-stubdomd, dom0's QEMU and stubdom-init's children at each step: all ends in time, nothing is left
# time-limit: 3600
# shellcheck disable=SC2154,SC2016

. $LAB/lib-state.sh
. $LAB/lib-kill.sh

before=$(host_state)
said() { tail -c 20000 /var/log/xen/qemu-dm-s.log | tr -d '\0' | grep -aF -- "$1"; }
# The guest counts, and xl can talk to its QEMU; or it is gone, and so is all of it.
all_or_nothing() {
	wait_for 200 systemctl -q is-active xen-stubdomd || { echo "xen-stubdomd does not come back"; return 1; }
	if xl domid s >/dev/null 2>&1 && xl domid s-dm >/dev/null 2>&1; then wait_for 120 counting s; else gone; fi
}
# Its stubdomain may have gone first: on_crash ends the guest then.
gone() { wait_for 60 domain_gone s && nothing_left "$before"; }
no_guest() { ! xl domid s >/dev/null 2>&1 || xl destroy s; nothing_left "$before"; }
guest() {
	xl domid s >/dev/null 2>&1 && counting s && { state_numbers s; return; }
	no_guest; hostile_up s
}
# step WHO SIGNAL TEXT WHEN COMMAND...
step() {
	_text="$2 to ${1%% *}: $3" _w=$1 _s=$2 _when=$4; shift 4
	expect "$_text: it ends in time" strike "$_w" "$_s" "$_when" 300 "$@" || show_stubdom s
	cat $OUT
	expect "$_text: all or nothing is there" all_or_nothing || { show_stubdom s; no_guest >/dev/null; }
}
stub_is() { xl domid s-dm; }
consoles_are() { stub_is && pid_of "consoles s"; }
suspends() { xl list s | grep -q ' [r-][b-]-s' || xenstore-exists "/local/domain/$stub/data/xen-stubdom/state/want"; }

expect "a stubdomain's image that can be told to be wrong" state_image || exit 1
state_config s "stubdomain_ramdisk = \"$STATE_IMAGE/rootfs\""
for signal in KILL STOP; do
	# --- dom0: the daemon, and the QEMU that serves consoles
	for who in xen-stubdomd "consoles s"; do
		if [ "$who" = xen-stubdomd ]; then at=stub_is; else at=consoles_are; fi
		expect "no guest is there" no_guest || show_stubdom s
		step "$who" $signal "xl create" $at xl create $GUESTS/s.cfg
		expect "a guest runs" guest || { show_stubdom s; continue; }
		step "$who" $signal "xl save -c" suspends xl save -c s $LAB/tmp/x.save
		rm -f $LAB/tmp/x.save
		expect "a guest runs" guest || { show_stubdom s; continue; }
		expect "it is saved" xl save s $LAB/tmp/x.save || continue
		step "$who" $signal "xl restore" $at xl restore $LAB/tmp/x.save
		expect "a guest runs" guest || { show_stubdom s; continue; }
		step "$who" $signal "xl destroy" at_once xl destroy s
		rm -f $LAB/tmp/x.save
	done
done

# --- the stubdomain: stubdom-init's children
expect "a guest runs" guest || { show_stubdom s; exit 1; }
answers() { timeout 60 xl qemu-monitor-command s 'info status' | grep -q running; }
# signals FAULT: it is told, and done.
signals() { mark; fault_tell s "$1" && wait_for 60 fault_said "$2"; }
expect "the QMP broker is killed" signals broker-killed ok
expect "it is started again, and xl reaches QEMU" wait_for 60 answers || show_stubdom s
expect "one line says so" said "QMP broker ended: starting it again"
expect "the guest runs on" counting s

expect "the QMP broker is stopped" signals broker-stopped holding
save_ends_soon() { save_begin s $LAB/tmp/x.save; save_ends 240; [ $? != 124 ]; }
expect "xl save ends meanwhile" save_ends_soon || show_stubdom s
cat $LAB/tmp/save.out
expect "it is replaced, and xl reaches QEMU" wait_for 120 answers || show_stubdom s
expect "one line says so" said "QMP broker has not moved for 60 s: ending it"
fault_go
expect "the guest runs on" counting s || show_stubdom s
rm -f $LAB/tmp/x.save

expect "QEMU is stopped" signals qemu-stopped holding
expect "one line says so" wait_for 120 said "QEMU has not answered for 30 s" || show_stubdom s
expect "xl save ends with an error meanwhile" sh -c "! timeout 240 xl save -c s $LAB/tmp/x.save" || show_stubdom s
fault_go
expect "it goes on: one line says so" wait_for 60 said "QEMU answers again" || show_stubdom s
rm -f $LAB/tmp/x.save
# What libxl does after a save that failed and a QEMU that did not answer is libxl's: the guest may be suspended.
runs_on() { xl unpause s 2>/dev/null; wait_for 30 counting s || xl destroy s; }
expect "the guest runs on, or is destroyed" runs_on || show_stubdom s

expect "a guest runs" guest || { show_stubdom s; exit 1; }
expect "QEMU is killed" signals qemu-killed ok
expect "one line says so" wait_for 60 sh -c "journalctl -u xen-stubdomd -o cat --no-pager | grep -E 'guest s: .*(SIGKILL|signal 9)'" || show_stubdom s
expect "xl does what on_crash says" wait_for 120 domain_gone s
expect "nothing is left" nothing_left "$before"
expect "xen-stubdomd runs" systemctl -q is-active xen-stubdomd

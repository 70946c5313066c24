# SPDX-License-Identifier: GPL-2.0-or-later
# summary: the shortest way through: a stubdomain starts, answers, is destroyed, leaves nothing
# time-limit: 900

before=$(host_state)
expect "xen-stubdom check finds nothing to fix" xen-stubdom check
guest_config m1 hvm 'device_model_version = "qemu-xen"' 'device_model_stubdomain_override = 1' \
	'disk = [ ]' 'serial = "pty"' 'on_crash = "destroy"' >/dev/null
start=$(now)
expect "xl create starts the guest" xl create $GUESTS/m1.cfg || { show_stubdom m1; exit 1; }
note create_seconds "$(since "$start")"
expect_text "xl list shows its stubdomain" '^m1-dm ' xl list
expect_text "xen-stubdom status shows it running" '^m1 .*running' xen-stubdom status
run xen-stubdom status
expect_text "QEMU answers through the broker" 'running' xl qemu-monitor-command m1 'info status'
stub=$(xl domid m1-dm)
note mem_total_kib "$(xenstore-read "/local/domain/$stub/data/xen-stubdom/mem-total")"
note mem_available_kib "$(xenstore-read "/local/domain/$stub/data/xen-stubdom/mem-available")"
expect "every process in the stubdomain but init is killed" xl sysrq m1-dm i
expect "the daemon says which guest lost its device model" \
	wait_for 90 sh -c "journalctl -u xen-stubdomd -o cat --no-pager | grep -E 'guest m1: .*(SIGKILL|signal 9)'"
run journalctl -u xen-stubdomd -n 5 -o cat --no-pager
expect "xl does what on_crash says: the guest goes" wait_for 120 domain_gone m1
expect "nothing is left" nothing_left "$before"

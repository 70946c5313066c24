# SPDX-License-Identifier: GPL-2.0-or-later
# summary: the host reboots, twice: xendomains saves a guest with a stubdomain by state disk, and restores it
# time-limit: 2700
# reboots: yes

. $LAB/lib-save.sh
. $LAB/lib-hosts.sh

kept=$LAB/tmp/kept
saves=/var/lib/xen/save

if [ "$LAB_BOOT" = 1 ]; then
	before=$(host_state)
	expect_text "xendomains saves and restores guests" '^active$' systemctl is-active xendomains
	expect "it keeps them where Debian does" grep -q "^XENDOMAINS_SAVE=$saves\$" /etc/default/xendomains
	# As from a login: what xl leaves running is in the session's scope, which ends with the host.
	# shellcheck disable=SC2034 # saved_guest uses it
	session='systemd-run --quiet --scope --slice=user-0.slice --unit=session-lab1'
	saved_guest v1
	expect "its processes are in the session" sh -c 'systemctl status session-lab1.scope | grep -E "qemu-system|vchan-socket-proxy"'
	# xendomains would create the guest from here, had it not been restored.
	mkdir -p /etc/xen/auto && ln -sf "$GUESTS/v1.cfg" /etc/xen/auto/v1.cfg
	# shellcheck disable=SC2154 # saved_guest sets them
	printf '%s\n' "before='$before'" "boot_id='$boot_id'" "sum='$sum'" >$kept
	reboot_host
fi

# shellcheck source=/dev/null
. $kept
round="reboot $((LAB_BOOT - 1))"
# earlier PATTERN: it is in the daemon's log of the boot before.
earlier() { journalctl -b -1 -u xen-stubdomd -o cat --no-pager | grep -E -- "$1"; }
# save_in_time: the daemon had the state before it was told to stop.
save_in_time() {
	journalctl -b -1 -u xen-stubdomd -o cat --no-pager |
		awk '/guest v1: device state saved by disk/ { saved = NR } /^Stopping / { stopped = NR }
			END { print "saved: line " saved ", stopped: line " stopped; exit !(saved && stopped && saved < stopped) }'
}
show_boots() {
	show_stubdom v1
	run journalctl -b -1 -u xen-stubdomd -u xendomains -n 40 --no-pager
	run journalctl -b -u xen-stubdomd -u xendomains -n 40 --no-pager
}

expect "$round: the host is up" wait_for 600 host_up || show_boots
expect "$round: no unit failed" no_unit_failed
expect "$round: the state was saved by disk" earlier 'guest v1: device state saved by disk: [0-9]+ bytes' || show_boots
expect "$round: before xen-stubdomd was stopped" save_in_time || show_boots
expect_fail "$round: xen-stubdomd had no error" earlier 'device state is not'
expect "$round: xen-stubdomd was ready before xendomains restored" started_before xen-stubdomd.service xendomains.service
expect "$round: so was the image" started_before xen-stubdom-register.service xendomains.service
expect "$round: the guest is there" domain_exists v1 || { show_boots; exit 1; }
expect "$round: and is not saved any more" test ! -e $saves/v1
restored_by_disk v1 || show_boots
expect "$round: the guest answers" wait_for 120 guest_cmd v1 true || show_boots
expect_same_run v1
expect_same_disk v1 "$round: its emulated disk works"
expect "$round: its emulated network card works" guest_cmd v1 ping -c 2 -W 20 10.77.0.1
expect_text "$round: xen-stubdom status shows it" '^v1 .*running' xen-stubdom status

[ "$LAB_BOOT" -ge 3 ] || reboot_host

rm -f /etc/xen/auto/v1.cfg
expect "xl shutdown stops it" guest_stop v1 200
expect "nothing is left, of three boots" nothing_left "$before"

# SPDX-License-Identifier: GPL-2.0-or-later
# summary: a stock Debian Xen host starts PV and PVH guests
# layer: base
# time-limit: 600

expect_text "the hypervisor can run every guest type" 'virt_caps.*pv.*hvm.*hap' xl info
expect "xen.service is active" systemctl is-active xen.service
expect "no other domain exists" only_dom0

for type in pvh pv; do
	guest_config g-$type $type 'vif = [ "bridge=xenbr0,mac=00:16:3e:00:00:11" ]' \
		'cmdline = "console=hvc0 panic=-1 lab.ip=10.77.0.11/24"' >/dev/null
	start=$(now)
	expect "a $type guest boots to GUEST READY" guest_start g-$type
	note ${type}_ready_seconds "$(since "$start")"
	expect_text "a command runs in the $type guest" '^Linux guest 6' guest_cmd g-$type uname -a
	expect_text "long output of the $type guest arrives whole" '^10000 2000$' \
		sh -c ". /lab/lib.sh; guest_cmd g-$type 'seq -w 10001 12000 | tr -d \"\\n\" | fold -w 10' | tee /lab/tmp/long | tr -d '\\n' | wc -c | tr '\\n' ' '; tr -d '\\n' </lab/tmp/long | fold -w 5 | sort -u | wc -l"
	expect_fail "a failing command's status comes back from the $type guest" guest_cmd g-$type false
	expect "the $type guest reaches dom0 over xenbr0" guest_cmd g-$type 'ping -c 2 -W 10 10.77.0.1'
	expect "xl shutdown stops the $type guest" guest_stop g-$type
done
expect "no domain is left" only_dom0

# SPDX-License-Identifier: GPL-2.0-or-later
# summary: what make demo shows: an HVM guest whose QEMU is in a domain of its own
# time-limit: 900

cfg=$(guest_config web1 hvm 'device_model_version = "qemu-xen"' 'device_model_stubdomain_override = 1' \
	'vif = [ "bridge=xenbr0,model=e1000,mac=00:16:3e:00:00:31" ]')
guest_disk web1 'xen_emul_unplug=never quiet lab.ip=10.77.0.31/24' >/dev/null
log "dom0 is Debian $(cat /etc/debian_version), Xen $(xl info xen_version), stock xl; the guest's file:"
sed 's/^/|     /' "$cfg"
run dpkg -l 'xen-stubdom*' qemu-xen-extras
expect "xl create web1" xl create "$cfg" || { show_stubdom web1; exit 1; }
expect "the guest boots from its disk" guest_says web1 500 'GUEST READY' || show_stubdom web1
log "the guest's own output:"
tr -d '\r' <"$(console_log web1)" | grep -a . | tail -n 12 | sed 's/^/|     /'
run guest_cmd web1 'uname -a; cat /sys/block/sda/device/model; ip -br addr'
expect "the guest reaches dom0 through its emulated network card" guest_cmd web1 'ping -c 2 -W 10 10.77.0.1'
run xl list
expect_text "web1-dm is the domain its QEMU runs in" '^web1-dm ' xl list
run xen-stubdom status
expect "xl shutdown web1" guest_stop web1 200

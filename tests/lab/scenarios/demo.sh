# SPDX-License-Identifier: GPL-2.0-or-later
# summary: what make demo shows: an HVM guest whose QEMU is in a domain of its own
# time-limit: 900
# show-log: yes

guest_disk web1 'xen_emul_unplug=never quiet lab.ip=10.77.0.31/24' >/dev/null
cat >$GUESTS/web1.cfg <<E
type = "hvm"
name = "web1"
memory = 128
disk = [ "$GUESTS/web1.img,raw,hda,rw" ]
vif = [ "bridge=xenbr0" ]
serial = "file:/var/log/xen/serial-web1.log"
device_model_version = "qemu-xen"
device_model_stubdomain_override = 1
E
log "dom0 is Debian $(cat /etc/debian_version), Xen $(xl info xen_version), stock xl; ours in it:"
dpkg-query -W 'xen-stubdom*' qemu-xen-extras | sed 's/^/|     /'
log "the guest's file:"
sed 's/^/|     /' $GUESTS/web1.cfg
expect "xl create web1" xl create $GUESTS/web1.cfg || { show_stubdom web1; exit 1; }
expect "the guest boots from its disk" guest_says web1 500 'GUEST READY' || show_stubdom web1
log "the guest's own output:"
# GRUB moves the cursor about.
tr -d '\r' <"$(console_log web1)" | sed 's/\o33\[[0-9;]*[A-Za-z]//g' | grep -a . | tail -n 12 | sed 's/^/|     /'
run guest_cmd web1 'uname -a; cat /sys/block/sda/device/model; ip addr show eth0'
expect "the guest reaches dom0 through its emulated network card" guest_cmd web1 'ping -c 2 -W 10 10.77.0.1'
run xl list
expect_text "web1-dm is the domain its QEMU runs in" '^web1-dm ' xl list
run xen-stubdom status
expect "xl shutdown web1" guest_stop web1 200

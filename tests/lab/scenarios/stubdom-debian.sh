# SPDX-License-Identifier: GPL-2.0-or-later
# summary: a whole Debian, as it comes: boots from the emulated disk, then goes over to PV drivers
# extra: debian
# time-limit: 1500

before=$(host_state)
# AHCI: through IDE, GRUB takes minutes to load 30 MB on the emulated host.
cat >$GUESTS/deb1.cfg <<E
type = "hvm"
name = "deb1"
memory = 512
hdtype = "ahci"
disk = [ "phy:/dev/vdd,hda,w" ]
vif = [ "bridge=xenbr0,mac=00:16:3e:00:00:41" ]
serial = "file:/var/log/xen/serial-deb1.log"
device_model_version = "qemu-xen"
device_model_stubdomain_override = 1
E
start=$(now)
expect "xl create starts it" xl create $GUESTS/deb1.cfg || { show_stubdom deb1; exit 1; }
note create_seconds "$(since "$start")"
expect "it boots: its agent answers" wait_for 900 guest_cmd deb1 true || show_stubdom deb1
note ready_seconds "$(since "$start")"
expect_text "it is Debian's own kernel" '-amd64$' guest_cmd deb1 uname -r
expect_text "systemd has started everything" '^running$' guest_cmd deb1 systemctl is-system-running --wait
expect_text "the emulated disk is unplugged: root is the PV disk" '^/dev/xvda1 ' guest_cmd deb1 'findmnt -n -o SOURCE / | sed "s/$/ /"'
expect "it reaches dom0 over its network card" wait_for 120 guest_cmd deb1 ping -c 1 -W 10 10.77.0.1
expect_text "which is PV: the emulated one is unplugged" '^vif vif-0$' guest_cmd deb1 'for i in /sys/class/net/e*; do
	echo $(basename $(readlink -f $i/device/driver)) $(basename $(readlink -f $i/device)); done'
# Of libxl's PV keyboard, which nobody serves; without xen-stubdomd 25 s.
expect_fail "its kernel waited for no device" guest_cmd deb1 'dmesg | grep "Waiting for devices to initialise"'
expect_text "xen-stubdom status shows it" '^deb1 .*running' xen-stubdom status
stub=$(xl domid deb1-dm)
note mem_available_kib "$(xenstore-read "/local/domain/$stub/data/xen-stubdom/mem-available")"

# A reboot is a new pair of domains under the same name.
expect "it reboots itself" sh -c 'xl reboot deb1'
expect "a new stubdomain runs then" wait_for 300 sh -c "d=\$(xl domid deb1-dm) && [ \"\$d\" != $stub ]"
expect "and the guest is up again" wait_for 900 guest_cmd deb1 true || show_stubdom deb1
expect "the old stubdomain is gone" wait_for 60 sh -c "! xl list $stub"
expect "xl shutdown stops it" guest_stop deb1 300
expect "nothing is left" nothing_left "$before"

# SPDX-License-Identifier: GPL-2.0-or-later
# summary: xen-stubdom-pv serves a stubdomain in the place of dom0's QEMU: log, xl console, saves with and without the daemon, qcow2
# time-limit: 3000
# extra: tools

. $LAB/lib-save.sh
. $LAB/lib-pv.sh

before=$(host_state)
saved_guest p1 "$PV_LINE" 'serial = "pty"'
expect "no QEMU serves its stubdomain in dom0" no_dom0_qemu p1 || show_pv p1
expect "two processes do" pv_two p1 || { show_pv p1; exit 1; }
uid=$(id -u _xen-stubdom-pv)
expect "they are a user of their own" pv_status p1 Uid "${uid}[[:space:]]+${uid}[[:space:]]+${uid}"
expect "they have no capability" pv_status p1 CapEff '0+$'
expect "they have a list of system calls" pv_status p1 Seccomp '2$'
note dom0_private_kib "$(pv_kib p1)"
expect_text "the stubdomain's messages are logged" 'device model is running' cat /var/log/xen/qemu-dm-p1.log || show_pv p1
expect_text "xen-stubdom status shows it" '^p1 .*running' xen-stubdom status

# xl console takes input from a terminal only.
type_at() {
	{ sleep 5; echo; sleep 2; echo "$2"; sleep 20; } |
		timeout 60 socat -t 1 - "EXEC:xl console $1,pty,setsid,ctty,echo=0" | tr -d '\r'
	true
}
expect_text "it answers on xl console" '^console-42' type_at p1 "echo console-\$((40 + 2))" || show_pv p1
expect_text "and again" '^console-43' type_at p1 "echo console-\$((40 + 3))" || show_pv p1

expect "xl save" xl save p1 $LAB/tmp/p1.save || show_pv p1
saved_by disk $LAB/tmp/p1.save
expect "the guest and its stubdomain are gone" wait_for 60 only_dom0
expect "xl restore" xl restore $LAB/tmp/p1.save || { show_pv p1; exit 1; }
restored_by_disk p1 || show_pv p1
expect_same_run p1
expect_same_disk p1

expect "xen-stubdomd is stopped" systemctl stop xen-stubdomd
expect "xl save, by console" xl save p1 $LAB/tmp/p1.save || show_pv p1
saved_by console $LAB/tmp/p1.save
expect "the guest and its stubdomain are gone" wait_for 60 only_dom0
# With dom0's QEMU no guest starts now.
expect "xl restore, by console" xl restore $LAB/tmp/p1.save || { show_pv p1; exit 1; }
expect_same_run p1
expect_same_disk p1
expect "xen-stubdomd is started" systemctl start xen-stubdomd
rm -f $LAB/tmp/p1.save
expect "xl shutdown stops it" guest_stop p1 200
expect "its stubdomain goes with it" wait_for 60 domain_gone p1-dm
expect "nothing is left" nothing_left "$before"

# What only QEMU can do, it does: the same line in the guest's file.
mkdir -p /mnt/tools && mount -o ro /dev/vdd /mnt/tools && mount --bind $GUESTS /mnt/tools/mnt
expect "a qcow2 image is made" chroot /mnt/tools qemu-img create -q -f qcow2 /mnt/p2.qcow2 64M
umount /mnt/tools/mnt /mnt/tools
expect "a bootable disk is made" guest_disk p2 xen_emul_unplug=never
guest_config p2 hvm 'device_model_version = "qemu-xen"' 'device_model_stubdomain_override = 1' "$PV_LINE" \
	"disk = [ '$GUESTS/p2.img,raw,hda,rw', '$GUESTS/p2.qcow2,qcow2,hdb,rw' ]" >/dev/null
expect "xl create starts a guest with a qcow2 disk" guest_start p2 300 || { show_pv p2; exit 1; }
expect "QEMU serves its stubdomain in dom0" dom0_qemu p2
expect_text "the log says why" 'disk [0-9]+ is one that only QEMU serves' cat /var/log/xen/qemu-dm-p2-dm.log
expect "the disk is there" guest_cmd p2 'dd if=/dev/urandom of=/dev/sdb bs=64k count=1'
expect "xl destroy ends it" xl destroy p2
rm -f $GUESTS/p2.qcow2
expect "nothing is left" nothing_left "$before"

# What is serving ends: it is said, and the guest can be destroyed.
halt_disk $GUESTS/halt.img
guest_config p3 hvm 'device_model_version = "qemu-xen"' 'device_model_stubdomain_override = 1' "$PV_LINE" \
	"disk = [ '$GUESTS/halt.img,raw,hda,rw' ]" \
	'serial = "pty"' 'vnc = 1' >/dev/null
expect "xl create starts a guest that asks for VNC" xl create $GUESTS/p3.cfg || { show_pv p3; exit 1; }
expect "the process that has its rings is killed" sh -c "kill -KILL $(pv_pids p3 | tail -n 1)"
expect_text "the other one says so and ends" "guest p3: .*ended" wait_for 30 grep -a ended /var/log/xen/qemu-dm-p3-dm.log || show_pv p3
expect "xl destroy ends the guest" xl destroy p3
expect "nothing is left" nothing_left "$before"

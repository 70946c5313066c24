# SPDX-License-Identifier: GPL-2.0-or-later
# summary: virtio devices whose backend is a PV driver domain
# time-limit: 1800
# extra: driver
# suites: trixie
# shellcheck disable=SC2154,SC2016
. $LAB/lib-virtio.sh

before=$(host_state)
mkdir -p /mnt/drv && mount -o ro,noload /dev/vdd /mnt/drv
cp /mnt/drv/boot/vmlinuz $LAB/tmp/drv-vmlinuz
cp /mnt/drv/boot/initrd.img $LAB/tmp/drv-initrd
umount /mnt/drv
disk=$(loop_disk v 96) more=$(loop_disk w 48)
# Debian with xen-virtio-utils and nothing else of ours.  Two disks for its guests,
# and as their tools' disk its own root, which nobody writes to.
guest_config drv pv 'memory = 512' 'vcpus = 2' 'driver_domain = 1' 'maxmem = 512' \
	"kernel = '$LAB/tmp/drv-vmlinuz'" "ramdisk = '$LAB/tmp/drv-initrd'" "cmdline = 'root=/dev/xvda ro console=hvc0 net.ifnames=0 quiet'" \
	"disk = [ 'phy:/dev/vdd,xvda,r', 'phy:$disk,xvdb,w', 'phy:$more,xvdc,w' ]" >/dev/null
expect "the driver domain starts" xl create $GUESTS/drv.cfg
expect_text "its system is up" 'running|degraded' sh -c '. /lab/lib.sh; wait_for 900 guest_cmd drv true; GUEST_TIMEOUT=600 guest_cmd drv "systemctl is-system-running --wait; true"' || show_virtio drv
expect "its xen-virtiod runs" guest_cmd drv systemctl is-active xen-virtiod
expect_text "xen-virtio check finds nothing to fix there" 'ok' guest_cmd drv xen-virtio check
drv=$(xl domid drv)

guest_config v pv 'memory = 256' 'vcpus = 2' "cmdline = 'console=hvc0 panic=-1 lab.ip=10.79.0.51/24 lab.mods=virtio_xenbus,virtio-rng'" \
	"disk = [ 'vdev=xvda,backendtype=standalone,specification=virtio,backend=drv,target=/dev/xvdb' ]" \
	"virtio = [ 'type=virtio,device1;bridge=xenbr0;mac=$VIRTIO_MAC;queues=2,backend=drv,transport=mmio', 'type=virtio,device4,backend=drv,transport=mmio', 'type=virtio,device2;path=/dev/xvda;readonly,backend=drv,transport=mmio' ]" >/dev/null
expect "a guest of it boots" guest_start v 300 || { show_virtio v; run guest_cmd drv journalctl -b --no-pager -n 60; }
expect "its disk is there" wait_for 60 disk_of v
id=$(xl domid v)
expect_text "its backend is the driver domain" "^$drv\$" xenstore-read "/local/domain/$id/device/virtio_disk/51712/backend-id"
expect_text "where a unit serves it" '^active$' guest_cmd drv systemctl is-active "xen-virtio-backend@$id"
expect_text "in dom0 none does" '^0$' sh -c "systemctl list-units --all --plain --no-legend 'xen-virtio-backend@*' | wc -l"
expect_text "xen-virtio list shows them there" '/51712 +block +connected +connected' guest_cmd drv xen-virtio list
expect_text "and in dom0" '^v .*/51712 +block +connected +connected' xen-virtio list --backend drv v
expect "fio verifies the disk" fio_verify v "/dev/$(disk_of v)" 32M || show_virtio v
expect "the driver domain answers over the NIC" guest_cmd v 'ping -c 3 -W 10 10.79.0.1'
sum=$(guest_cmd drv 'head -c 8388608 /dev/urandom >/tmp/in; sha256sum </tmp/in' | cut -c1-64)
guest_cmd drv 'systemd-run -q socat -u OPEN:/tmp/in TCP-LISTEN:7001,reuseaddr' >/dev/null
expect_text "8 MB come in whole" "^$sum" guest_cmd v 'nc 10.79.0.1 7001 </dev/null | tee /tmp/f | sha256sum'
guest_cmd drv 'systemd-run -q socat -u TCP-LISTEN:7002,reuseaddr CREATE:/tmp/out' >/dev/null
expect "8 MB go out" guest_cmd v 'nc 10.79.0.1 7002 </tmp/f; rm /tmp/f'
expect_text "they arrive whole" "^$sum" guest_cmd drv 'sleep 2; sha256sum </tmp/out'
expect_text "random numbers come" '^64 ' guest_cmd v 'head -c 64 /dev/hwrng | wc -c | sed "s/$/ /"'

expect "a second disk is attached, from dom0" xen-virtio attach --backend drv v "disk;path=/dev/xvdc" || run guest_cmd drv journalctl -n 30 --no-pager
new=$(tail -n 1 $OUT)
expect "the guest sees it" wait_for 60 disk_of v "$new"
expect "fio verifies it" fio_verify v "/dev/$(disk_of v "$new")" 8M
expect "it is detached" xen-virtio detach --backend drv v "$new"
expect_fail "what is not there: attach fails" xen-virtio attach v 'disk;path=/dev/none,backend=drv'
expect_text "it says which" '/dev/none' sh -c "xen-virtio attach v 'disk;path=/dev/none,backend=drv' 2>&1; true"

pid=$(guest_cmd drv systemctl show -P MainPID "xen-virtio-backend@$id")
expect_text "trust-01: its QEMU is a user of its own there, too" "^$((2146400000 + id))\$" guest_cmd drv stat -c %u "/proc/$pid"
expect "its backend is killed" guest_cmd drv kill -9 "$pid"
expect "and back: fio verifies the disk" wait_for 90 sh -c '. /lab/lib.sh; . /lab/lib-virtio.sh; d=$(disk_of v) && fio_verify v /dev/$d 4M' || show_virtio v

expect "the guest is destroyed" xl destroy v
expect "nothing of it is left in the driver domain" wait_for 60 guest_cmd drv "[ -z \"\$(systemctl list-units --all --plain --no-legend 'xen-virtio-backend@*')\$(ls -d /sys/class/net/vx* 2>/dev/null)\" ]" ||
	run guest_cmd drv "systemctl list-units --all 'xen-virtio*'; ls /sys/class/net"
expect "nor in xenstore" wait_for 60 sh -c "[ -z \"\$(xenstore-list /local/domain/$drv/backend/virtio 2>/dev/null; xenstore-list /local/domain/$drv/backend/virtio_disk 2>/dev/null)\" ]" ||
	run xenstore-ls -f /local/domain/"$drv"/backend
expect "the driver domain shuts down" guest_stop drv 300
losetup -d "$disk" "$more"
expect "nothing is left" nothing_left "$before"

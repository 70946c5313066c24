# SPDX-License-Identifier: GPL-2.0-or-later
# summary: every kind of virtio device and what it can be told: qcow2, serial, discard, packed rings, console, 9p
# time-limit: 1200
# extra: tools
# shellcheck disable=SC2154,SC2016
. $LAB/lib-virtio.sh

before=$(host_state)
# qemu-img comes from the tools' disk; an administrator has Debian's.
mkdir -p /mnt/tools && mount -o ro /dev/vdd /mnt/tools && mount --bind $GUESTS /mnt/tools/mnt
expect "a qcow2 image is made" chroot /mnt/tools qemu-img create -q -f qcow2 /mnt/q.qcow2 64M
umount /mnt/tools/mnt /mnt/tools
raw=$GUESTS/d.raw
truncate -s 64M $raw && dd if=/dev/urandom of=$raw bs=1M count=64 conv=notrunc status=none
sum=$(sha256sum <$raw | cut -c1-64)
mkdir -p $GUESTS/share && echo from-dom0 >$GUESTS/share/a
# What the guest may write to belongs to a user, who its QEMU is then.
chown -R 1000:1000 $GUESTS/share

# The shared directory is the first: attached with Xen 4.17, it must be there when
# its QEMU starts.
args='lab.mods=virtio_xenbus,virtio_console,9p,9pnet_virtio'
! xl_knows_virtio || args="lab.ip=$VIRTIO_IP/24 $args"
guest_config v pvh 'memory = 256' 'vcpus = 2' "cmdline = 'console=hvc0 panic=-1 $args'" \
	"$(virtio_line v "device9;path=$GUESTS/share;tag=share" 'device2;path=/dev/vdd;readonly' \
		"device2;path=$GUESTS/q.qcow2;format=qcow2;serial=QQ-1;cache=writeback;aio=threads" \
		"device2;path=$raw;readonly;discard=off;queues=1" "device2;path=$raw.packed;packed;queues=4" \
		device3 "device1;bridge=xenbr0;mac=$VIRTIO_MAC;packed")" >/dev/null
truncate -s 64M $raw.packed
expect "a guest with all of them boots" virtio_start v || { show_virtio v; return; }
all_connected() {
	xen-virtio list --json v >$LAB/tmp/list &&
		jq -e 'length == 7 and all(.backend_state == 4 and .frontend_state == 4 and .error == null)' $LAB/tmp/list
}
expect "all are connected, none has an error" wait_for 60 all_connected || { run cat $LAB/tmp/list; show_virtio v; }

expect_text "trust-07: xen-virtio check adds up what their pools use" 'pools of 7 devices of 1 guest use [1-9][0-9]* of [1-9][0-9]* maptrack entries' sh -c 'xen-virtio check; true'
expect_text "trust-07: and the host's AIO requests, of which there are many" 'of 1048576 AIO requests are taken' sh -c 'xen-virtio check; true'

q=$(disk_of v virtio/2) r=$(disk_of v virtio/3) p=$(disk_of v virtio/4)
expect_text "qcow2: it has the size that the image is for" '^131072$' guest_cmd v "cat /sys/block/$q/size"
expect_text "qcow2: its serial number" '^QQ-1$' guest_cmd v "cat /sys/block/$q/serial"
expect "qcow2: fio verifies it" fio_verify v "/dev/$q" 24M || show_virtio v
expect_text "qcow2: the file has grown" '^[0-9]{8,}$' stat -c %s $GUESTS/q.qcow2
grown=$(stat -c %b $GUESTS/q.qcow2)
expect "qcow2: all is discarded" guest_cmd v "blkdiscard /dev/$q"
expect_text "qcow2: which frees what it took" '^freed$' sh -c "sleep 2; n=\$(stat -c %b $GUESTS/q.qcow2); [ \$n -lt $((grown / 4)) ] && echo freed || echo \$n of $grown"
expect_text "read-only: its content" "^$sum" guest_cmd v "sha256sum </dev/$r"
expect_fail "read-only: it cannot be written" guest_cmd v "dd if=/dev/zero of=/dev/$r bs=4k count=1 conv=fsync"
expect_text "read-only: nor was it" "^$sum" sha256sum $raw
expect_text "read-only: no discard, one queue" '^0 1$' guest_cmd v "echo \$(cat /sys/block/$r/queue/discard_max_bytes) \$(ls /sys/block/$r/mq | wc -l)"
# Feature bit 34.
expect_text "packed rings: the disk uses them" '^1$' guest_cmd v "cut -c35 /sys/block/$p/device/features"
expect "packed rings: fio verifies it" fio_verify v "/dev/$p" 32M || show_virtio v
expect_text "packed rings: the NIC uses them" '^1$' guest_cmd v "cut -c35 /sys/class/net/eth0/device/features"
expect "packed rings: the NIC works" guest_cmd v 'ping -c 3 -W 20 10.77.0.1'
head -c 8388608 /dev/urandom >$LAB/tmp/in
socat -u OPEN:$LAB/tmp/in TCP-LISTEN:7001,reuseaddr & in=$!
expect_text "packed rings: 8 MB come in whole" "^$(sha256sum <$LAB/tmp/in | cut -c1-64)" guest_cmd v 'nc 10.77.0.1 7001 </dev/null | sha256sum'
wait $in

sock=/run/xen-virtio/$(xl domid v)/console-5
guest_cmd v '(while read -r l; do echo "guest has $l"; done) </dev/hvc1 >/dev/hvc1 2>/dev/null &'
expect_text "console: it answers" 'guest has hello' sh -c "{ sleep 2; echo hello; sleep 5; } | timeout 30 socat -t 5 - UNIX-CONNECT:$sock; true"
expect "9p: it is mounted" guest_cmd v 'mkdir -p /tmp/s && mount -t 9p -o trans=virtio,version=9p2000.L share /tmp/s'
expect_text "9p: the guest reads it" '^from-dom0$' guest_cmd v 'cat /tmp/s/a'
expect "9p: the guest writes it" guest_cmd v 'dd if=/dev/urandom of=/tmp/s/b bs=64k count=16 2>/dev/null && sha256sum </tmp/s/b >/tmp/s/sum && umount /tmp/s'
expect "9p: it is right here" sh -c "[ \$(sha256sum <$GUESTS/share/b | cut -c1-64) = \$(cut -c1-64 <$GUESTS/share/sum) ]"
expect_text "9p: its QEMU is the owner" '^1000$' stat -c %u "/proc/$(systemctl show -P MainPID "xen-virtio-backend@$(xl domid v)")"
expect "xen-virtio stats counts" sh -c "xen-virtio stats --json v | jq -e 'length > 0'"

expect "it is destroyed" xl destroy v
expect "nothing is left" nothing_left "$before"

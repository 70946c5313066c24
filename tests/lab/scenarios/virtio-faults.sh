# SPDX-License-Identifier: GPL-2.0-or-later
# summary: a hostile backend and a hostile driver: one device stops, with a line on each side; all else lives on
# time-limit: 900
# shellcheck disable=SC2154,SC2016
. $LAB/lib-virtio.sh
. $LAB/lib-hostile.sh
before=$(host_state)
disk=$(loop_disk v 32) victim=$(loop_disk bad 4)

# virtio/0, a disk, and virtio/2, a card that the kernel serves, are what vx-frontend will play with.
hostile_guest v "$disk" "device2;path=$victim" device4 "device1;bridge=xenbr0;mac=$VIRTIO_MAC;vhost=on" || return
good_disk_works v

# ---- a hostile backend and a hostile driver, at the same time ----
# The first has a device of its own for each fault, which its driver's lines name;
# the second always the same, and the lines of its backend come in the faults' order.
start=$(now)
guest_cmd v 'echo 8 >/sys/module/virtio_xenbus/parameters/reply_timeout'
expect "the guest's driver lets go of virtio/0" lets_go v 0
here_now
$MEDIA/vx-backend --domain "$id" --fault '*' >$LAB/tmp/be.out 2>$LAB/tmp/be.err & playing=$!
GUEST_TIMEOUT=900 run guest_cmd v "vx-frontend --dir device/virtio/0 --fault '*'"
cp $OUT $LAB/tmp/fe.out
note driver_faults_seconds "$(since "$start")"
wait $playing
note backend_faults_seconds "$(since "$start")"
run cat $LAB/tmp/be.out $LAB/tmp/be.err

judge_backend v $LAB/tmp/be.out backend
expect "all faults of a backend were tried" [ $tried = "$($MEDIA/vx-backend --list | wc -l)" ]

judge_driver $LAB/tmp/fe.out block
expect "all faults of a block's driver were tried" [ $tried = "$($MEDIA/vx-frontend --kind block --list | wc -l)" ]
all_lives v "after all faults"

# ---- a hostile driver of a card ----
expect_text "the kernel serves the card" '^1$' vhost_threads v
expect "the guest's driver lets go of virtio/2" lets_go v 2
# Nobody has this address: a frame to all each second.
(while [ ! -e $LAB/tmp/quiet ]; do ping -c 1 -W 1 10.77.0.250; done) >/dev/null 2>&1 & frames=$!
start=$(now)
here_now
dmesg -c >$LAB/tmp/dmesg.before
# vhost-net of Linux before 6.2 resets no single ring.
case $(uname -r) in 6.1.*) reset=no ;; *) reset=yes ;; esac
GUEST_TIMEOUT=600 run guest_cmd v "vx-frontend --dir device/virtio/2 --kind net --ring-reset $reset --fault '*'"
cp $OUT $LAB/tmp/fe.out
note card_faults_seconds "$(since "$start")"
touch $LAB/tmp/quiet
wait $frames
judge_driver $LAB/tmp/fe.out net
expect "all faults of a net's driver were tried" [ $tried = "$($MEDIA/vx-frontend --kind net --list | wc -l)" ]
expect "dom0's kernel has no complaint" sh -c "! dmesg | grep -E 'BUG:|WARNING:|Oops|Call Trace|hung'"
all_lives v "after a card's faults"
expect "the guest's driver takes virtio/2 again" takes v 2
expect "the card works" guest_cmd v "n=\$(ls /sys/devices/virtio-2/virtio*/net) && ip link set \$n up && ip addr add $VIRTIO_IP/24 dev \$n && ping -c 3 -W 20 10.77.0.1" || show_virtio v

# ---- trust-09: a QEMU that does not stop to talk ----
cgroup=/sys/fs/cgroup$(systemctl show -P ControlGroup "$unit")
cursor=$(journalctl -u "$unit" -n 0 --show-cursor -q | sed -n 's/^-- cursor: //p')
# A process of the unit, as far as journald can tell.
run sh -c "echo \$\$ >$cgroup/cgroup.procs && seq -f 'flood %.0f' 5000 | systemd-cat -t xen-virtio-backend"
journalctl --sync
journalctl -u "$unit" --after-cursor "$cursor" -q -o cat | grep '^flood' >$LAB/tmp/flood
expect "some of its lines are in the journal" [ -s $LAB/tmp/flood ]
expect "not all of them" [ "$(wc -l <$LAB/tmp/flood)" -lt 1000 ]
for p in MemoryMax TasksMax; do
	expect_text "its unit has a limit: $p" '^[0-9]+$' systemctl show -P $p "$unit"
done

# ---- all is as before ----
expect "the guest's driver takes virtio/0 again" takes v 0
expect "it is a disk" wait_for 60 disk_of v virtio/0 || show_virtio v
expect "it serves right data" guest_cmd v "d=/dev/$(disk_of v virtio/0); dd if=/tmp/p of=\$d bs=64k oflag=direct && dd if=\$d bs=64k count=4 iflag=direct | cmp - /tmp/p"
expect_text "xen-virtio list has no error" '^v .*connected +connected' xen-virtio list v
expect "it says nothing of errors any more" sh -c '! xen-virtio list v | grep error:'
guest_cmd v 'touch /tmp/stop'
expect "the guest is destroyed" xl destroy v
losetup -d "$disk" "$victim"
expect "nothing is left" nothing_left "$before"

# SPDX-License-Identifier: GPL-2.0-or-later
# summary: a backend that is killed or stopped, a daemon that restarts, a disk that is not there
# time-limit: 1200
# extra: tools
# shellcheck disable=SC2154,SC2016
. $LAB/lib-virtio.sh
export FIO_TIMEOUT=60
before=$(host_state)
disk=$(loop_disk v 96)
load='while [ ! -e /tmp/stop ]; do dd if=/dev/vda of=/dev/null bs=64k count=256 iflag=direct || sleep 0.2; done >/dev/null 2>&1'

virtio_config v pv "$disk" >/dev/null
expect "a guest boots" guest_start v 300 || { show_virtio v; return; }
expect "its disk is there" wait_for 60 disk_of v
# fio on the disk, whatever its name is by now.
verify() { _d=$(disk_of v) && fio_verify v "/dev/$_d" 8M; }
guest_cmd v "($load) & ($load) &"

unit=xen-virtio-backend@$(xl domid v)
pid=$(systemctl show -P MainPID "$unit")
expect "xen-virtiod restarts" systemctl restart xen-virtiod
expect "that harms no backend" [ "$(systemctl show -P MainPID "$unit")" = "$pid" ]
expect "fio verifies the disk meanwhile" verify || show_virtio v

for n in 1 2; do
	pid=$(systemctl show -P MainPID "$unit")
	expect "kill -9 of the backend ($n)" kill -9 "$pid"
	expect "the guest lives on ($n)" guest_cmd v true
	expect "systemd has started another ($n)" wait_for 30 sh -c "p=\$(systemctl show -P MainPID $unit); [ \$p != 0 ] && [ \$p != $pid ]"
	expect "the disk is back ($n)" wait_for 60 verify || show_virtio v
	expect "the network is back ($n)" wait_for 60 guest_cmd v 'ip link set eth0 up; ip addr add 10.77.0.51/24 dev eth0 2>/dev/null; ping -c 2 -W 20 10.77.0.1' || show_virtio v
done
guest_cmd v 'touch /tmp/stop'; sleep 1

expect "the driver lets go of its disk" guest_cmd v 'cd /sys/bus/xen/drivers/virtio_xenbus && echo virtio_disk-51712 >unbind && ! ls /sys/devices/virtio_disk-51712/virtio*' || show_virtio v
expect "and takes it again" guest_cmd v 'echo virtio_disk-51712 >/sys/bus/xen/drivers/virtio_xenbus/bind'
expect "the disk is back" wait_for 60 verify || show_virtio v

expect_fail "a disk that is not there: attach fails" xen-virtio attach v 'disk;path=/srv/none.raw'
expect_text "it says which and why" '/srv/none.raw.*No such file' sh -c "xen-virtio attach v 'disk;path=/srv/none.raw' 2>&1; true"
expect "the guest's other devices work on" verify

# Stopped for good: requests fail, nothing hangs.
expect "the backend is stopped" systemctl stop "$unit"
expect "the guest lives on" guest_cmd v true
expect "nothing in it hangs" guest_cmd v 'dd if=/dev/vda of=/dev/null bs=4k count=1 iflag=direct; true' || show_virtio v
expect_text "xen-virtio says why" 'backend was stopped' xen-virtio list v
expect "it is destroyed" xl destroy v
losetup -d "$disk"
expect "nothing is left" nothing_left "$before"

# SPDX-License-Identifier: GPL-2.0-or-later
# summary: processes read all that the kernel shows of virtio devices, while the guest is saved and restored, and its backend lost
# time-limit: 1200
# extra: tools
# shellcheck disable=SC2154,SC2016
. $LAB/lib-virtio.sh
before=$(host_state)
disk=$(loop_disk v 64)
dropin=/run/systemd/system/xen-virtio-backend@.service.d/lab.conf

# What any user may read; not the serial number, which is a request to the disk.
cat >$LAB/tmp/readers <<'END'
rm -f /tmp/enough; echo 0 >/tmp/rounds
while [ ! -e /tmp/enough ]; do
	cat $(find /sys/devices/virtio*-* -type f ! -name serial) /proc/net/dev >/dev/null 2>&1
	devask /dev/vda /dev/vdb eth0 >/dev/null
	cat /sys/block/vd*/cache_type /sys/class/net/*/speed >/dev/null 2>&1
	echo $(($(cat /tmp/rounds) + 1)) >/tmp/rounds
done
END
readers_begin() { guest_cmd v "echo $(base64 -w0 <$LAB/tmp/readers) | base64 -d >/tmp/readers; for i in 1 2; do sh /tmp/readers >/dev/null 2>&1 & done"; }
readers_go_on() {
	_n=$(guest_cmd v cat /tmp/rounds)
	expect "$1: the readers go on" wait_for 60 guest_cmd v "[ \$(cat /tmp/rounds) -gt $((${_n:-0} + 1)) ]"
}

# right TEXT: values of the disk, whose cache was set, in every state of its connection.
right() {
	expect_text "$1: the disk's cache is what it was set to" '^write through write through$' guest_cmd v "echo \$(cat /sys/block/$vd/cache_type /sys/block/$vd/queue/write_cache)"
	expect_text "$1: its geometry and size are what they were" "^$geometry\$" guest_cmd v "devask /dev/$vd"
}
back() {
	expect "$1: the disk can be read" guest_cmd v "dd if=/dev/$vd of=/dev/null bs=4k count=64 iflag=direct" || show_virtio v
	! xl_knows_virtio || expect "$1: the network is there" wait_for 60 guest_cmd v "ping -c 1 -W 5 10.77.0.1 && devask eth0 | grep 'link 1'" || show_virtio v
	right "$1"
	readers_go_on "$1"
}
virtio_kept v pvh "$disk" >/dev/null
expect "the guest boots" guest_start v 300 || { show_virtio v; return; }
expect "its disk is there" wait_for 60 disk_of v || { show_virtio v; return; }
vd=$(disk_of v)
geometry=$(guest_cmd v "devask /dev/$vd")
expect_text "it has a geometry" "^/dev/$vd: [1-9][0-9]* heads, [1-9][0-9]* sectors, [1-9][0-9]* cylinders, 67108864 bytes\$" echo "$geometry"
expect "its cache is set to write through" guest_cmd v "echo write through >/sys/block/$vd/cache_type"
expect "readers begin" readers_begin
back "before"

# Saved again at once: the guest answers before it has its devices back.
for n in 1 2 3; do
	expect "save $n" xl save v $LAB/tmp/v.save || show_virtio v
	expect "restore $n" xl restore $LAB/tmp/v.save || show_virtio v
	expect "the guest answers ($n)" wait_for 60 guest_cmd v true
	right "restored ($n)"
done
back "restored"
expect "xl save -c" xl save -c v $LAB/tmp/v.save
back "after a save that is not the end"
rm -f $LAB/tmp/v.save

# A backend that is away for a while: disks wait, network cards are quiesced.
mkdir -p "${dropin%/*}" && printf '[Service]\nRestartSec=25\n' >$dropin && systemctl daemon-reload
unit=xen-virtio-backend@$(xl domid v)
for n in 1 2; do
	expect "kill -9 of the backend ($n)" kill -9 "$(systemctl show -P MainPID "$unit")"
	expect "the guest notices ($n)" wait_for 60 guest_cmd v 'dmesg | grep "virtio_disk-51712: backend was lost" && dmesg -c >>/tmp/dmesg' || show_virtio v
	right "backend away ($n)"
	if [ $n = 2 ]; then
		expect "its cache is set meanwhile" guest_cmd v "echo write back >/sys/block/$vd/cache_type && echo write through >/sys/block/$vd/cache_type"
		right "backend away, cache set"
		! xl_knows_virtio || expect "its network card is closed meanwhile" guest_cmd v 'timeout 20 ip link set eth0 down'
	fi
	readers_go_on "backend away ($n)"
	expect "the disk goes on with another ($n)" wait_for 120 guest_cmd v 'dmesg | grep "virtio_disk-51712: goes on with a new backend"' || show_virtio v
	! xl_knows_virtio || expect "its network card is open ($n)" guest_cmd v 'ip link set eth0 up'
	back "with another backend ($n)"
	systemctl reset-failed "$unit"
done
rm -r "${dropin%/*}" && systemctl daemon-reload

expect "the backend is stopped for good" systemctl stop "$unit"
expect "the disk is gone" wait_for 60 guest_cmd v '! ls /sys/devices/virtio_disk-51712/virtio*'
readers_go_on "without devices"
guest_cmd v 'touch /tmp/enough'
expect "the readers end" wait_for 60 guest_cmd v '! pgrep -f /tmp/readers' || run guest_cmd v 'ps'
expect "the guest's kernel has nothing to complain of" guest_cmd v '! { cat /tmp/dmesg; dmesg; } | grep -E "BUG|Oops|WARNING|Call Trace|use-after-free|cannot be"' || run guest_cmd v 'cat /tmp/dmesg; dmesg | tail -n 60'
expect "it is destroyed" xl destroy v
losetup -d "$disk"
expect "nothing is left" nothing_left "$before"

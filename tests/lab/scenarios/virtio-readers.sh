# SPDX-License-Identifier: GPL-2.0-or-later
# summary: processes read all that the kernel shows of virtio devices, in each state of the driver
# time-limit: 2000
# extra: tools
# shellcheck disable=SC2154,SC2016
. $LAB/lib-virtio.sh
before=$(host_state)
disk=$(loop_disk v 64)
dropin=/run/systemd/system/xen-virtio-backend@.service.d/lab.conf

# What any user may read, driver_state, carrier, speed and features among it; not the
# serial number, which is a request to the disk.
cat >$LAB/tmp/readers <<'END'
rm -f /tmp/enough; echo 0 >/tmp/rounds
while [ ! -e /tmp/enough ]; do
	cat $(find /sys/devices/virtio*-* -type f ! -name serial) /proc/net/dev >/dev/null 2>&1
	devask /dev/vda /dev/vdb eth0 >/dev/null
	cat /sys/block/vd*/cache_type /sys/class/net/*/speed >/dev/null 2>&1
	echo $(($(cat /tmp/rounds) + 1)) >/tmp/rounds
done
END
readers_begin() { guest_cmd "$1" "echo $(base64 -w0 <$LAB/tmp/readers) | base64 -d >/tmp/readers; for i in 1 2; do sh /tmp/readers >/dev/null 2>&1 & done"; }
# readers_go_on TEXT [GUEST]
readers_go_on() {
	_g=${2:-v}
	_n=$(guest_cmd "$_g" cat /tmp/rounds)
	expect "$1: the readers go on" wait_for 60 guest_cmd "$_g" "[ \$(cat /tmp/rounds) -gt $((${_n:-0} + 1)) ]"
}

# state TEXT DEVICE STATE LINK [GUEST]: what the driver says of the device; patterns.
state() {
	expect "$1: $2 is $3, its link $4" wait_for 120 guest_cmd "${5:-v}" \
		"cd /sys/bus/xen/devices/$2 && echo \$(cat driver_state driver_link) | grep -Ex '($3) ($4)'" ||
		run guest_cmd "${5:-v}" 'head -v -n 1 /sys/bus/xen/devices/virtio*/driver_*'
}
no_complaint() {
	expect "$1: the guest's kernel has nothing to complain of" guest_cmd "${2:-v}" '! { cat /tmp/dmesg; dmesg; } 2>/dev/null | grep -E "BUG|Oops|WARNING|Call Trace|use-after-free|cannot be"' ||
		run guest_cmd "${2:-v}" 'cat /tmp/dmesg; dmesg | tail -n 60'
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
	state "$1" virtio_disk-51712 live open
	! xl_knows_virtio || state "$1" virtio-0 live open
	readers_go_on "$1"
}
# Backends that come back late, and have time to say that one has ended: processes are slow
# beside the readers.
stay_away() { mkdir -p "${dropin%/*}" && printf '[Service]\nRestartSec=75\nTimeoutStopSec=30\n' >$dropin && systemctl daemon-reload; }
virtio_kept v pvh "$disk" >/dev/null
expect "the guest boots" guest_start v 300 || { show_virtio v; return; }
expect "its disk is there" wait_for 60 disk_of v || { show_virtio v; return; }
vd=$(disk_of v)
geometry=$(guest_cmd v "devask /dev/$vd")
expect_text "it has a geometry" "^/dev/$vd: [1-9][0-9]* heads, [1-9][0-9]* sectors, [1-9][0-9]* cylinders, 67108864 bytes\$" echo "$geometry"
expect "its cache is set to write through" guest_cmd v "echo write through >/sys/block/$vd/cache_type"
expect "readers begin" readers_begin v
back "before"

# Saved again at once: the guest answers before it has its devices back.
for n in 1 2 3; do
	expect "save $n" xl save v $LAB/tmp/v.save || show_virtio v
	expect "restore $n" xl restore $LAB/tmp/v.save || show_virtio v
	expect "the guest answers ($n)" wait_for 60 guest_cmd v true
	right "restored ($n)"
	state "restored ($n)" virtio_disk-51712 'restoring|live' 'closed|open'
done
back "restored"
expect "xl save -c" xl save -c v $LAB/tmp/v.save
back "after a save that is not the end"
rm -f $LAB/tmp/v.save

# A backend that is away for a while: disks wait, network cards are detached.
stay_away
unit=xen-virtio-backend@$(xl domid v)
# A look at the guest takes seconds while its readers run.
expect "the driver waits for four minutes" guest_cmd v 'echo 240 >/sys/module/virtio_xenbus/parameters/backend_timeout'
for n in 1 2; do
	expect "kill -9 of the backend ($n)" kill -9 "$(systemctl show -P MainPID "$unit")"
	expect "the guest notices ($n)" wait_for 60 guest_cmd v 'dmesg | grep "virtio_disk-51712: backend was lost" && dmesg -c >>/tmp/dmesg' || show_virtio v
	right "backend away ($n)"
	state "backend away ($n)" virtio_disk-51712 reconnecting silent
	! xl_knows_virtio || state "backend away ($n)" virtio-0 reconnecting silent
	if [ $n = 2 ]; then
		expect "its cache is set meanwhile" guest_cmd v "echo write back >/sys/block/$vd/cache_type && echo write through >/sys/block/$vd/cache_type"
		right "backend away, cache set"
		! xl_knows_virtio || expect "its network card is closed meanwhile" guest_cmd v 'timeout 20 ip link set eth0 down'
	fi
	readers_go_on "backend away ($n)"
	expect "the disk goes on with another ($n)" wait_for 240 guest_cmd v 'dmesg | grep "virtio_disk-51712: goes on with a new backend"' || show_virtio v
	! xl_knows_virtio || expect "its network card is open ($n)" guest_cmd v 'ip link set eth0 up'
	back "with another backend ($n)"
	systemctl reset-failed "$unit"
done

# One that is away for longer than the driver waits: the device goes, and comes as a new one.
expect "the driver waits for 5 seconds only" guest_cmd v 'echo 5 >/sys/module/virtio_xenbus/parameters/backend_timeout'
expect "kill -9 of the backend (3)" kill -9 "$(systemctl show -P MainPID "$unit")"
state "not in time" virtio_disk-51712 expired closed
readers_go_on "not in time"
expect "a disk comes with the next backend" wait_for 120 disk_of v || show_virtio v
state "a new device" virtio_disk-51712 live open
rm -r "${dropin%/*}" && systemctl daemon-reload

expect "the backend is stopped for good" systemctl stop "$unit"
expect "the disk is gone" wait_for 60 guest_cmd v '! ls /sys/devices/virtio_disk-51712/virtio*'
state "without devices" virtio_disk-51712 closed closed
readers_go_on "without devices"
guest_cmd v 'touch /tmp/enough'
expect "the readers end" wait_for 60 guest_cmd v '! pgrep -f /tmp/readers' || run guest_cmd v 'ps'
no_complaint "all"
expect "it is destroyed" xl destroy v
losetup -d "$disk"

# A card alone, which is quiesced when the guest is to be saved while its backend is
# away; a disk would refuse.
quiesced_card() {
	guest_config n pvh "cmdline = 'console=hvc0 panic=-1 lab.mods=virtio_xenbus lab.ip=$VIRTIO_IP/24'" \
		"$(virtio_line n "device1;bridge=xenbr0;mac=$VIRTIO_MAC;queues=2")" >/dev/null
	expect "a guest with a card alone boots" guest_start n 300 || { show_virtio n; return; }
	state "booted" virtio-0 live open n
	expect "readers begin there" readers_begin n
	guest_cmd n 'echo 240 >/sys/module/virtio_xenbus/parameters/backend_timeout'
	stay_away
	unit=xen-virtio-backend@$(xl domid n)
	for n in 1 2; do
		expect "kill -9 of the card's backend ($n)" kill -9 "$(systemctl show -P MainPID "$unit")"
		state "card's backend away ($n)" virtio-0 reconnecting silent n
		readers_go_on "card's backend away ($n)" n
		expect "xl save -c meanwhile ($n)" xl save -c n $LAB/tmp/n.save || show_virtio n
		state "saved meanwhile ($n)" virtio-0 quiesced silent n
		readers_go_on "quiesced ($n)" n
		[ $n = 1 ] || break
		state "with another backend" virtio-0 live open n
		expect "the network is there" wait_for 60 guest_cmd n 'ping -c 1 -W 5 10.77.0.1' || show_virtio n
		systemctl reset-failed "$unit"
	done
	expect "a save while it is quiesced" xl save n $LAB/tmp/n.save || show_virtio n
	rm -r "${dropin%/*}" && systemctl daemon-reload
	expect "a restore" xl restore $LAB/tmp/n.save || show_virtio n
	state "restored" virtio-0 live open n
	expect "the network is there after the restore" wait_for 60 guest_cmd n 'ping -c 1 -W 5 10.77.0.1' || show_virtio n
	readers_go_on "restored" n
	guest_cmd n 'touch /tmp/enough'
	expect "the readers there end" wait_for 60 guest_cmd n '! pgrep -f /tmp/readers' || run guest_cmd n 'ps'
	no_complaint "quiesced" n
	expect "it is destroyed too" xl destroy n
	rm -f $LAB/tmp/n.save
}
! xl_knows_virtio || quiesced_card
expect "nothing is left" nothing_left "$before"

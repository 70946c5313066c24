# SPDX-License-Identifier: GPL-2.0-or-later
# summary: a hostile backend and a hostile driver: one device stops, with a line on each side; all else lives on
# time-limit: 900
# shellcheck disable=SC2154,SC2016
. $LAB/lib-virtio.sh
before=$(host_state)
disk=$(loop_disk v 32) victim=$(loop_disk bad 4)

# The guest has vx-frontend in its initramfs; virtio/0, a disk, and virtio/2, a card
# that the kernel serves, are what it will play with.
cat $MEDIA/initramfs.gz $MEDIA/hostile.cpio.gz >$GUESTS/hostile.gz
guest_config v pv 'memory = 256' 'vcpus = 2' "ramdisk = '$GUESTS/hostile.gz'" \
	"cmdline = 'console=hvc0 panic=-1 lab.mods=virtio_xenbus,virtio-rng'" \
	"disk = [ 'vdev=xvda,backendtype=standalone,specification=virtio,target=$disk' ]" \
	"$(virtio_line v "device2;path=$victim" device4 "device1;bridge=xenbr0;mac=$VIRTIO_MAC;vhost=on")" >/dev/null
expect "a guest boots" virtio_start v || { show_virtio v; return; }
expect "its disk is there" wait_for 60 disk_of v virtio_disk/51712 || { show_virtio v; return; }
vd=$(disk_of v virtio_disk/51712) id=$(xl domid v)
unit=xen-virtio-backend@$id
qemu=$(systemctl show -P MainPID "$unit") daemon=$(systemctl show -P MainPID xen-virtiod)

# The guest's good disk is written and read all the time.
guest_cmd v "head -c 262144 /dev/urandom >/tmp/p; (n=0; while [ ! -e /tmp/stop ]; do
	dd if=/tmp/p of=/dev/$vd bs=64k seek=\$((n % 100)) oflag=direct && dd if=/dev/$vd bs=64k skip=\$((n % 100)) count=4 iflag=direct |
	cmp - /tmp/p || echo bad >>/tmp/bad; cat /sys/block/*/cache_type; n=\$((n + 1)); echo \$n >/tmp/rounds; sleep 0.5; done) >/dev/null 2>&1 &"
rounds() { [ "$(guest_cmd v 'cat /tmp/rounds')" -gt "$1" ]; }
all_lives() {
	expect "$1: the guest lives" guest_cmd v true
	expect "$1: its other disk serves right data" wait_for 60 rounds "$(guest_cmd v 'cat /tmp/rounds')"
	expect "$1: no wrong data until now" guest_cmd v '! [ -e /tmp/bad ]'
	expect "$1: the guest's kernel has no complaint" guest_cmd v "! dmesg | grep -E 'BUG:|WARNING:|Oops|Call Trace|hung'"
	expect "$1: the same QEMU runs" [ "$(systemctl show -P MainPID "$unit")" = "$qemu" ]
	expect "$1: the same daemon runs" [ "$(systemctl show -P MainPID xen-virtiod)" = "$daemon" ]
}

# judge SIDE NAME RESULT SAYS FILE: FILE has the log's lines about this fault.
judge() {
	_n=$(grep -c . "$5")
	if [ "$3" != ok ]; then fail "$1 $2" "$3; log: $(head -n 2 "$5" | tr '\n' ' ')"
	elif [ "$4" = '*' ]; then ok "$1 $2"
	elif [ "$4" = - ] && [ "$_n" -gt 0 ]; then fail "$1 $2" "$_n lines in the log: $(head -n 1 "$5")"
	elif [ "$4" != - ] && [ "$_n" != 1 ]; then fail "$1 $2" "$_n lines in the log, not one: $(head -n 2 "$5" | tr '\n' ' ')"
	elif [ "$4" != - ] && ! grep -Eq -- "$4" "$5"; then fail "$1 $2" "no '$4' in: $(cat "$5")"
	else ok "$1 $2"
	fi
}

# ---- a hostile backend and a hostile driver, at the same time ----
# The first has a device of its own for each fault, which its driver's lines name;
# the second always the same, and the lines of its backend come in the faults' order.
start=$(now)
guest_cmd v 'echo 8 >/sys/module/virtio_xenbus/parameters/reply_timeout'
expect "the guest's driver lets go of virtio/0" guest_cmd v 'echo virtio-0 >/sys/bus/xen/drivers/virtio_xenbus/unbind'
cursor=$(journalctl -u "$unit" -n 0 --show-cursor -q | sed -n 's/^-- cursor: //p')
$MEDIA/vx-backend --domain "$id" --fault '*' >$LAB/tmp/be.out 2>&1 & playing=$!
GUEST_TIMEOUT=900 run guest_cmd v "vx-frontend --dir device/virtio/0 --fault '*'"
cp $OUT $LAB/tmp/fe.out
note driver_faults_seconds "$(since "$start")"
wait $playing
note backend_faults_seconds "$(since "$start")"
run cat $LAB/tmp/be.out

# What succeeded is said too, and how many requests went with a device; and
# CONFIG_XEN_VIRTIO speaks about each virtio device below a xenbus device.
tr -d '\r' <"$(console_log v)" | grep -v -e 'virtio device [0-9]*, ' -e 'requests failed' -e 'Using dom0 as backend' \
	-e 'Xen grant DMA data' >$LAB/tmp/be.log
tried=0
while IFS=';' read -r name dev result says; do
	grep -- " virtio-$dev: " $LAB/tmp/be.log >$LAB/tmp/be.one
	judge "backend:" "$name" "$result" "$says" $LAB/tmp/be.one
	tried=$((tried + 1))
done <$LAB/tmp/be.out
expect "all faults of a backend were tried" [ $tried = "$($MEDIA/vx-backend --list | wc -l)" ]

# judge_driver KIND: fe.out has what vx-frontend says, and the journal from the cursor
# on the backend's lines.  libxengnttab has a line of its own for a reference that
# cannot be mapped.
judge_driver() {
	journalctl -u "$unit" --after-cursor "$cursor" -q -o cat | grep -v '^gnttab: error: ' >$LAB/tmp/fe.log
	tried=0
	while IFS=';' read -r name dev result says; do
		: >$LAB/tmp/fe.one
		if [ "$name" = ring-often ]; then
			# Lines of resets come first.
			grep -v 'needs a reset' $LAB/tmp/fe.log >$LAB/tmp/fe.one
			: >$LAB/tmp/fe.log
		elif [ "$says" != - ]; then
			head -n 1 $LAB/tmp/fe.log >$LAB/tmp/fe.one
			sed -i 1d $LAB/tmp/fe.log
		fi
		[ "$says" = - ] || grep -q "domain $id virtio/$dev: " $LAB/tmp/fe.one || result="$result, but the line names no device"
		judge "driver:" "$name" "$result" "$says" $LAB/tmp/fe.one
		tried=$((tried + 1))
	done <$LAB/tmp/fe.out
	expect "all faults of a $1's driver were tried" [ $tried = "$($MEDIA/vx-frontend --kind "$1" --list | wc -l)" ]
	expect "no other line is in the backend's journal" sh -c "! grep . $LAB/tmp/fe.log"
}
judge_driver block
all_lives "after all faults"

# ---- a hostile driver of a card ----
expect_text "the kernel serves the card" '^1$' vhost_threads v
expect "the guest's driver lets go of virtio/2" guest_cmd v 'echo virtio-2 >/sys/bus/xen/drivers/virtio_xenbus/unbind'
# Nobody has this address: a frame to all each second.
(while [ ! -e $LAB/tmp/quiet ]; do ping -c 1 -W 1 10.77.0.250; done) >/dev/null 2>&1 & frames=$!
start=$(now)
cursor=$(journalctl -u "$unit" -n 0 --show-cursor -q | sed -n 's/^-- cursor: //p')
dmesg -c >$LAB/tmp/dmesg.before
# vhost-net of Linux before 6.2 resets no single ring.
case $(uname -r) in 6.1.*) reset=no ;; *) reset=yes ;; esac
GUEST_TIMEOUT=600 run guest_cmd v "vx-frontend --dir device/virtio/2 --kind net --ring-reset $reset --fault '*'"
cp $OUT $LAB/tmp/fe.out
note card_faults_seconds "$(since "$start")"
touch $LAB/tmp/quiet
wait $frames
judge_driver net
expect "dom0's kernel has no complaint" sh -c "! dmesg | grep -E 'BUG:|WARNING:|Oops|Call Trace|hung'"
all_lives "after a card's faults"
expect "the guest's driver takes virtio/2 again" guest_cmd v 'echo virtio-2 >/sys/bus/xen/drivers/virtio_xenbus/bind'
expect "the card works" guest_cmd v "n=\$(ls /sys/devices/virtio-2/virtio*/net) && ip link set \$n up && ip addr add $VIRTIO_IP/24 dev \$n && ping -c 3 -W 20 10.77.0.1" || show_virtio v

# ---- all is as before ----
expect "the guest's driver takes virtio/0 again" guest_cmd v 'echo virtio-0 >/sys/bus/xen/drivers/virtio_xenbus/bind'
expect "it is a disk" wait_for 60 disk_of v virtio/0 || show_virtio v
expect "it serves right data" guest_cmd v "d=/dev/$(disk_of v virtio/0); dd if=/tmp/p of=\$d bs=64k oflag=direct && dd if=\$d bs=64k count=4 iflag=direct | cmp - /tmp/p"
expect_text "xen-virtio list has no error" '^v .*connected +connected' xen-virtio list v
expect "it says nothing of errors any more" sh -c '! xen-virtio list v | grep error:'
guest_cmd v 'touch /tmp/stop'
expect "the guest is destroyed" xl destroy v
losetup -d "$disk" "$victim"
expect "nothing is left" nothing_left "$before"

# SPDX-License-Identifier: GPL-2.0-or-later
# summary: a backend that is killed, again and again: no I/O error; one that is stopped, a daemon that restarts, a disk that is not there
# time-limit: 2400
# extra: tools
# shellcheck disable=SC2154,SC2016
. $LAB/lib-virtio.sh
export FIO_TIMEOUT=120
before=$(host_state)
# On a file system of its own: while that is frozen, writes that the backend has taken wait.
fs=$LAB/tmp/fs
own_fs() {
	truncate -s 192M $LAB/tmp/fs.raw && mkfs.ext4 -q $LAB/tmp/fs.raw && mkdir -p $fs && mount -o loop $LAB/tmp/fs.raw $fs &&
		mountpoint -q $fs
}
# Without it fsfreeze would stop dom0's own root.
expect "the disk's image is on a file system of its own" own_fs || return
truncate -s 96M $fs/v.raw
disk=$(losetup -f --show $fs/v.raw)

# fio on the disk, whatever its name is by now.
verify() { _d=$(disk_of v) && fio_verify v "/dev/$_d" 8M; }
backend() { systemctl show -P MainPID "$unit"; }
another() { _p=$(backend); [ "$_p" != 0 ] && [ "$_p" != "$pid" ]; }
writes_wait() { guest_cmd v "set -- \$(cat /sys/block/$name/inflight); [ \$2 -ge 4 ]"; }
# Lines of the guest's kernel that say a device has come back.
came_back() { guest_cmd v "[ \$(dmesg | grep -c 'with a new backend') -ge $1 ]"; }

for t in pvh pv; do
	virtio_config v $t "$disk" >/dev/null
	expect "a $t guest boots" virtio_start v || { show_virtio v; return; }
	expect "its disk is there" wait_for 60 disk_of v
	unit=xen-virtio-backend@$(xl domid v)
	name=$(disk_of v)
	expect "fio begins" fio_begin v "/dev/$name"
	fio_goes_on v "$t, before"

	# A connection that is open all the while.
	head -c 4194304 /dev/urandom >$LAB/tmp/in
	(while dd bs=32k count=1 status=none iflag=fullblock >$LAB/tmp/chunk && [ -s $LAB/tmp/chunk ]; do cat $LAB/tmp/chunk; sleep 0.3; done <$LAB/tmp/in) |
		timeout 900 socat -u STDIN TCP-LISTEN:7001,reuseaddr & send=$!
	guest_cmd v '(nc 10.77.0.1 7001 </dev/null | md5sum >/tmp/sum) >/dev/null 2>&1 &'

	for n in 1 2 3 4; do
		pid=$(backend)
		# In two of the rounds it dies with requests that it has taken and not answered.
		if [ $((n % 2)) = 0 ]; then
			expect "$t: writes wait ($n)" fsfreeze -f $fs
			expect "$t: some are in flight ($n)" wait_for 120 writes_wait
		fi
		expect "$t: kill -9 of the backend ($n)" kill -9 "$pid"
		[ $((n % 2)) = 1 ] || fsfreeze -u $fs
		expect "$t: the guest lives on ($n)" guest_cmd v true
		expect "$t: systemd has started another ($n)" wait_for 60 another
		expect "$t: disk, NIC and rng go on with it ($n)" wait_for 120 came_back $((n * 4)) || show_virtio v
		systemctl reset-failed "$unit"
		[ $n != 2 ] || fio_goes_on v "$t, killed twice"
	done
	fio_goes_on v "$t, killed four times"
	expect "$t: the network is there, with its address" guest_cmd v 'ping -c 3 -W 20 10.77.0.1' || show_virtio v
	expect_text "$t: random numbers come" '^64$' guest_cmd v 'head -c 64 /dev/hwrng | wc -c'
	expect "$t: a TCP connection comes to its end" wait_for 300 guest_cmd v '[ -s /tmp/sum ]'
	expect_text "$t: all of it has come, whole" "^$(md5sum <$LAB/tmp/in | cut -c1-32)" guest_cmd v cat /tmp/sum
	kill $send 2>/dev/null
	expect "$t: requests were in flight" guest_cmd v "dmesg | grep 'with a new backend, [1-9]'"
	expect "$t: no request was failed" guest_cmd v '! dmesg | grep -E "requests failed|I/O error"'
	[ $t = pv ] || { expect "$t: it is destroyed" xl destroy v; wait_for 60 only_dom0; }
done

pid=$(backend)
expect "xen-virtiod restarts" systemctl restart xen-virtiod
expect "that harms no backend" [ "$(backend)" = "$pid" ]
fio_goes_on v "meanwhile"

# trust-14: detached, and another one attached with its number, while nobody looks.
for w in old new; do printf $w >$GUESTS/$w.raw && truncate -s 1M $GUESTS/$w.raw; done
has_new() { _d=$(disk_of v "$id") && [ "$(guest_cmd v "head -c 3 /dev/$_d")" = new ]; }
expect "a small disk is attached" xen-virtio attach v "disk;path=$GUESTS/old.raw"
id=$(tail -n 1 $OUT)
expect "the guest has it" wait_for 60 disk_of v "$id"
systemctl stop xen-virtiod
expect "it is detached without xen-virtiod" xen-virtio detach v "$id"
xen-virtio attach v "disk;path=$GUESTS/new.raw" >$LAB/tmp/attached 2>&1 & attach=$!
expect "another one gets its number" wait_for 10 xenstore-read "/local/domain/0/backend/virtio/$(xl domid v)/${id#virtio/}/state"
systemctl start xen-virtiod
wait $attach
expect_text "it is attached when xen-virtiod is back" "^$id\$" cat $LAB/tmp/attached || show_virtio v
expect "the guest has the new one, not the old" wait_for 60 has_new || show_virtio v
expect "it is detached" xen-virtio detach v "$id"
guest_cmd v 'touch /tmp/stop'
expect "fio ends" wait_for 120 guest_cmd v '! pgrep -x fio'

expect "the driver lets go of its disk" guest_cmd v 'cd /sys/bus/xen/drivers/virtio_xenbus && echo virtio_disk-51712 >unbind && ! ls /sys/devices/virtio_disk-51712/virtio*' || show_virtio v
expect "and takes it again" guest_cmd v 'echo virtio_disk-51712 >/sys/bus/xen/drivers/virtio_xenbus/bind'
expect "the disk is back" wait_for 60 verify || show_virtio v

expect_fail "a disk that is not there: attach fails" xen-virtio attach v 'disk;path=/srv/none.raw'
expect_text "it says which and why" '/srv/none.raw: no such file' sh -c "xen-virtio attach v 'disk;path=/srv/none.raw' 2>&1; true"
expect "the guest's other devices work on" verify

# Stopped for good, in the midst of I/O: requests fail, nothing hangs.
expect "fio begins" fio_begin v "/dev/$(disk_of v)"
sleep 3
expect "the backend is stopped" systemctl stop "$unit"
expect "the guest lives on" guest_cmd v true
expect "what is in flight fails, with an I/O error" wait_for 120 guest_cmd v '[ -e /tmp/bad ]' || show_virtio v
expect "the disk is gone" wait_for 60 guest_cmd v '! ls /sys/devices/virtio_disk-51712/virtio*'
expect "the network card is gone" wait_for 60 guest_cmd v '! [ -e /sys/class/net/eth0 ]' || show_virtio v
expect_text "xen-virtio says why" 'backend was stopped' xen-virtio list v
expect "the guest's kernel has nothing to complain of" guest_cmd v '! dmesg | grep -E "BUG|Oops|WARNING|Call Trace|use-after-free"' || run guest_cmd v 'dmesg | tail -n 60'
expect "it is destroyed" xl destroy v
losetup -d "$disk"
umount $fs
expect "nothing is left" nothing_left "$before"

# SPDX-License-Identifier: GPL-2.0-or-later
# summary: wrong backends and wrong drivers of every kind of device, split and packed rings, and random bytes from both sides
# time-limit: 2700
# length: 60
# shellcheck disable=SC2154,SC2016
. $LAB/lib-virtio.sh
. $LAB/lib-hostile.sh
before=$(host_state)
disk=$(loop_disk v 32) victim=$(loop_disk bad 4) packed=$(loop_disk pack 4)
mkdir -p $GUESTS/share
# Random bytes for so long in all, from each side; LAB_SEED=N does the same again, as far as the guest does.
seed=${LAB_SEED:-$(date +%s)}
note seed "$seed"
backend_seconds=$((LAB_LENGTH / 18 + 1)) driver_seconds=$((LAB_LENGTH / 7 + 1))

# The shared directory is the first: attached with Xen 4.17, it must be there when its QEMU starts.
hostile_guest v "$disk" "device9;path=$GUESTS/share;tag=share" "device2;path=$victim" "device1;bridge=xenbr0;mac=$VIRTIO_MAC;vhost=on" \
	device3 device4 "device2;path=$packed;packed" "device1;bridge=xenbr0;mac=00:16:3e:00:00:52;packed" || return
good_disk_works v

# Something uses whatever devices there are: a write to a console that is never taken stands still, so one at a time.
cat >$LAB/tmp/use.sh <<'END'
once() { [ -e /tmp/busy-$1 ] || { touch /tmp/busy-$1; (eval "$2"; rm -f /tmp/busy-$1) & }; }
while [ ! -e /tmp/stop ]; do
	for n in /sys/class/net/eth*; do
		n=${n##*/}
		[ ! -e /sys/class/net/$n ] || { ip link set $n up; once $n "arping -D -c 1 -w 1 -I $n 10.9.9.9"; }
	done
	for c in /dev/hvc[1-9] /dev/vport*; do
		[ ! -c $c ] || once ${c##*/} "echo hello >$c"
	done
	once rng 'head -c 16 /dev/hwrng'
	mkdir -p /tmp/m
	once 9p 'timeout -s KILL 20 mount -t 9p -o trans=virtio,version=9p2000.L hostile /tmp/m'
	sleep 0.5
done
END
put_use() { guest_cmd v "echo $(gzip -9 <$LAB/tmp/use.sh | base64 -w0) | base64 -d | gunzip >/tmp/use.sh; sh /tmp/use.sh >/dev/null 2>&1 &"; }
expect "all devices are used" put_use
guest_cmd v 'echo 8 >/sys/module/virtio_xenbus/parameters/reply_timeout'

# ---- wrong backends, one kind after the other, and meanwhile wrong drivers ----
backends() {
	first=2000
	for k in net console ports rng 9p; do
		$MEDIA/vx-backend --domain "$id" --kind $k --devid $first --seed "$seed" --random-seconds "$backend_seconds" --fault '*' \
			>$LAB/tmp/be.$k 2>$LAB/tmp/be.$k.err
		first=$((first + 100))
	done
	$MEDIA/vx-backend --domain "$id" --devid $first --seed "$seed" --random-seconds "$backend_seconds" --fault 'random*' \
		>$LAB/tmp/be.block 2>$LAB/tmp/be.block.err
}
backends & playing=$!
# vhost-net of Linux before 6.2 resets no single ring.
case $(uname -r) in 6.1.*) reset=no ;; *) reset=yes ;; esac
# drives KIND N FAULTS [OPTION...]
drives() {
	_kind=$1 _n=$2 _faults=$3; shift 3
	expect "the guest's driver lets go of virtio/$_n" lets_go v "$_n" || return
	here_now
	GUEST_TIMEOUT=$((600 + driver_seconds)) run guest_cmd v "vx-frontend --dir device/virtio/$_n --kind $_kind --seed $seed --random-seconds $driver_seconds $* --fault '$_faults'"
	cp $OUT $LAB/tmp/fe.out
	judge_driver $LAB/tmp/fe.out "$_kind"
	expect "faults of a $_kind's driver were tried" [ $tried -gt 0 ]
}
# Blocks' and cards' faults, one at a time, are those of virtio-faults.
drives 9p 0 '*'
drives block 1 'random'
drives net 2 'random' --ring-reset $reset
drives console 3 '*'
drives rng 4 '*'
drives block 5 '*' --packed yes
drives net 6 '*' --packed yes
wait $playing
for k in net console ports rng 9p block; do
	run cat $LAB/tmp/be.$k.err
	judge_backend v $LAB/tmp/be.$k "$k's backend"
	expect "faults of a $k's backend were tried" [ $tried -gt 0 ]
done
all_lives v "after all of them"
expect "dom0's kernel has no complaint" sh -c "! dmesg | grep -E 'BUG:|WARNING:|Oops|Call Trace|hung'"

# ---- all is as before ----
guest_cmd v 'touch /tmp/stop'
# A device may need only so many resets in a minute.
sleep 60
for n in 0 1 2 3 4 5 6; do
	expect "the guest's driver takes virtio/$n again" takes v $n
	expect "virtio/$n is live" wait_for 60 guest_cmd v "[ \$(cat /sys/bus/xen/devices/virtio-$n/driver_state) = live ]" || show_virtio v
done
right() { guest_cmd v "d=/dev/$(disk_of v "$1"); dd if=/tmp/p of=\$d bs=64k oflag=direct && dd if=\$d bs=64k count=4 iflag=direct | cmp - /tmp/p"; }
expect "the disk serves right data" right virtio/1
expect "the one with packed rings, too" right virtio/5
expect "the guest is destroyed" xl destroy v
losetup -d "$disk" "$victim" "$packed"
expect "nothing is left" nothing_left "$before"

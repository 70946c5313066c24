# SPDX-License-Identifier: GPL-2.0-or-later
# summary: each allocation of the guest's driver fails once, while a device connects and while it closes: no splat, and it comes back
# time-limit: 1200
# kernel: sanitizer
# shellcheck disable=SC2154,SC2016
. $LAB/lib-virtio.sh

before=$(host_state)
disk=$(loop_disk v 32)
mkdir -p $GUESTS/share
# The shared directory is the first: attached with Xen 4.17, it must be there when its QEMU starts.
guest_config v pvh 'memory = 640' 'vcpus = 2' \
	"cmdline = 'console=hvc0 panic=-1 lab.mods=virtio_xenbus,virtio-rng,virtio_console,9p,9pnet_virtio'" \
	"$(virtio_line v "device9;path=$GUESTS/share;tag=share" "device2;path=$disk" "device1;bridge=xenbr0;mac=$VIRTIO_MAC;queues=2" device4 device3)" >/dev/null
expect "a guest with five kinds of devices boots" virtio_start v || { show_virtio v; return; }
all_live() { guest_cmd v '[ "$(cat /sys/bus/xen/devices/virtio-*/driver_state | sort | uniq -c | xargs)" = "5 live" ]'; }
expect "all are live" wait_for 60 all_live || { show_virtio v; return; }

# What follows runs in the guest: alloc WHEN KIND DEVICE N: with the Nth allocation (of those that have the
# driver in their call chain; Linux counts on from one time to the next) failing once.  A line for each.
cat >$LAB/tmp/alloc.sh <<'END'
fi=/sys/kernel/debug
[ -d $fi/failslab ] || mount -t debugfs debugfs $fi
set -- $(awk '$1 == "virtio_xenbus" { print $2, $6 }' /proc/modules)
for kind in failslab fail_page_alloc; do
	for f in "require-start $2" "require-end $(printf '0x%x' $(($2 + $1)))" 'verbose 1' 'times 0' 'ignore-gfp-wait N' 'min-order 0'; do
		[ ! -e "$fi/$kind/${f% *}" ] || echo "${f#* }" >"$fi/$kind/${f% *}"
	done
done
drv=/sys/bus/xen/drivers/virtio_xenbus
state() { cat /sys/bus/xen/devices/$1/driver_state 2>/dev/null || echo unbound; }
settles() {	# DEVICE SECONDS STATE...: one of these
	dev=$1 left=$(($2 * 5)); shift 2
	while [ $left -gt 0 ]; do
		now=$(state $dev)
		for s; do [ $now != $s ] || return 0; done
		left=$((left - 1)); sleep 0.2
	done
	return 1
}
bind() { [ "$(state $1)" != unbound ] || echo $1 >$drv/bind; } 2>/dev/null
unbind() { [ "$(state $1)" = unbound ] || echo $1 >$drv/unbind; } 2>/dev/null
arm() { echo $2 >$fi/$1/interval; echo 1 >$fi/$1/times; echo 100 >$fi/$1/probability; }
disarm() { hit=$((1 - $(cat $fi/$1/times))); echo 0 >$fi/$1/probability; echo 0 >$fi/$1/times; }
alloc() {
	if [ $1 = connects ]; then
		unbind $3; arm $2 $4; bind $3
		# In vain, or all the same: each comes to an end.
		settles $3 60 live closed expired unbound || { disarm $2; echo "bad $*: stays $(state $3)"; return; }
	else
		arm $2 $4; unbind $3
	fi
	disarm $2
	unbind $3; bind $3
	settles $3 60 live || { echo "bad $*: afterwards it is $(state $3)"; unbind $3; return; }
	echo "ok $* $hit"
}
END
# The first ones, then ever fewer: a disk needs hundreds.
few='1 2 3 4 5 6 8 12 24 48 96 192' many="$few 7 9 10 11 13 14 15 16 32 64 128 256 384 512"
put_script() { guest_cmd v "echo $(gzip -9 <$LAB/tmp/alloc.sh | base64 -w0) | base64 -d | gunzip >/tmp/alloc.sh"; }
expect "its kernel can let allocations fail" put_script

# try DEVICE WHAT WHEN N...: with slabs, then with pages.
try() {
	_dev=$1 _what=$2 _when=$3; shift 3
	GUEST_TIMEOUT=900 run guest_cmd v ". /tmp/alloc.sh; for k in failslab fail_page_alloc; do for n in $*; do alloc $_when \$k $_dev \$n; done; done"
	cat $OUT >>$LAB/tmp/all.out
	same "$_what that $_when: it is live again after each" "$(($# * 2))" "$(grep -c '^ok ' $OUT)" || { grep '^bad' $OUT | head -n 5; show_virtio v; }
}
: >$LAB/tmp/all.out
try virtio-1 "a disk" connects $many
try virtio-1 "a disk" closes $few
for d in '0 share' '2 card' '3 rng' '4 console'; do
	try "virtio-${d% *}" "a ${d#* }" connects $few
	try "virtio-${d% *}" "a ${d#* }" closes 1 2 3 4 8 16
done
hits=$(awk '$1 == "ok" { n += $NF } END { print n + 0 }' $LAB/tmp/all.out)
note allocations_failed "$hits"
# Otherwise this has shown nothing.
expect "at least 60 allocations did fail" [ "$hits" -ge 60 ]

expect "all are live" wait_for 60 all_live || show_virtio v
vd=$(disk_of v virtio/1)
expect "the disk serves right data" guest_cmd v "head -c 262144 /dev/urandom >/tmp/p && dd if=/tmp/p of=/dev/$vd bs=64k oflag=direct && dd if=/dev/$vd bs=64k count=4 iflag=direct | cmp - /tmp/p"
expect "the guest's kernel has no complaint" guest_cmd v "! dmesg | grep -E 'BUG:|WARNING:|Oops|hung|blocked for'"
expect "it is destroyed" xl destroy v
losetup -d "$disk"
expect "nothing is left" nothing_left "$before"

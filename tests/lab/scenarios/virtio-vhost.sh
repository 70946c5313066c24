# SPDX-License-Identifier: GPL-2.0-or-later
# summary: who serves a network card: the kernel if it can, else QEMU, and the guest sees no difference
# time-limit: 900
# shellcheck disable=SC2154,SC2016
. $LAB/lib-virtio.sh
before=$(host_state)
disk=$(loop_disk v 8)
head -c 4194304 /dev/urandom >$LAB/tmp/in
sum=$(sha256sum <$LAB/tmp/in | cut -c1-64)

# Cards come and go one at a time, with one address.
guest_config v pvh 'memory = 192' 'vcpus = 2' "cmdline = 'console=hvc0 panic=-1 lab.mods=virtio_xenbus'" \
	"disk = [ 'vdev=xvda,backendtype=standalone,specification=virtio,target=$disk' ]" >/dev/null
expect "a guest boots" guest_start v 300 || { show_virtio v; return; }
expect "its backend runs" wait_for 60 disk_of v || { show_virtio v; return; }
unit=xen-virtio-backend@$(xl domid v)
qemu=$(systemctl show -P MainPID "$unit")

# attach TEXT KEYS: a card; its name is in $id then.
attach() {
	expect "$1: a card is attached" xen-virtio attach v "net;bridge=xenbr0;mac=$VIRTIO_MAC$2" || { show_virtio v; return 1; }
	id=$(tail -n 1 $OUT)
	expect "$1: the guest has it" wait_for 60 guest_cmd v "ls /sys/devices/$(echo "$id" | tr / -)/virtio*/net" || { show_virtio v; return 1; }
}

# works TEXT: frames go both ways, whole.
works() {
	expect "$1: it has an address" guest_cmd v "n=\$(ls /sys/devices/$(echo "$id" | tr / -)/virtio*/net) && ip link set \$n up && ip addr add $VIRTIO_IP/24 dev \$n"
	expect "$1: dom0 answers" guest_cmd v 'ping -c 3 -W 20 10.77.0.1' || { show_virtio v; return 1; }
	timeout 120 socat -u OPEN:$LAB/tmp/in TCP-LISTEN:7001,reuseaddr & _in=$!
	expect_text "$1: 4 MB come in whole" "^$sum" guest_cmd v 'nc 10.77.0.1 7001 </dev/null | tee /tmp/f | sha256sum'
	wait $_in
	timeout 120 socat -u TCP-LISTEN:7002,reuseaddr CREATE:$LAB/tmp/back & _in=$!
	sleep 1
	expect "$1: and go out" guest_cmd v 'nc 10.77.0.1 7002 </tmp/f; rm /tmp/f'
	wait $_in
	expect "$1: and arrive whole" cmp $LAB/tmp/in $LAB/tmp/back
}

unserved() { [ "$(vhost_threads v)" = 0 ]; }
gone() {
	expect "$1: it is detached" xen-virtio detach v "$id" || show_virtio v
	expect "$1: the guest has lost it" wait_for 60 guest_cmd v "! [ -e /sys/devices/$(echo "$id" | tr / -) ]"
	expect "$1: the kernel serves nothing any more" wait_for 30 unserved
}

if attach "vhost=on" ';vhost=on'; then
	expect_text "vhost=on: the kernel serves it" '^1$' vhost_threads v
	works "vhost=on"
	gone "vhost=on"
fi
if attach "vhost=off" ';vhost=off'; then
	expect_text "vhost=off: QEMU does" '^0$' vhost_threads v
	works "vhost=off"
	gone "vhost=off"
fi

# A kernel without vhost-net.
mv /dev/vhost-net /dev/vhost-net.away
expect_text "no vhost-net: a card with vhost=on is refused, with the reason" 'modprobe vhost_net' sh -c "! xen-virtio attach v 'net;bridge=xenbr0;mac=$VIRTIO_MAC;vhost=on'"
if attach "no vhost-net" ''; then
	expect_text "no vhost-net: QEMU serves it" '^0$' vhost_threads v
	works "no vhost-net"
	gone "no vhost-net"
fi
mv /dev/vhost-net.away /dev/vhost-net

# A vhost that is there and cannot start: it takes no memory region at all.
expect "vhost-net is not in use" wait_for 30 modprobe -r vhost_net
modprobe -r vhost; modprobe vhost max_mem_regions=0 && modprobe vhost_net
expect_text "a vhost that cannot start is there" '^0$' cat /sys/module/vhost/parameters/max_mem_regions
if attach "it cannot start" ''; then
	works "it cannot start"
	expect "it cannot start: the journal says who serves it" sh -c "journalctl -u $unit -o cat | grep -i 'falling back on userspace virtio'"
	gone "it cannot start"
fi
modprobe -r vhost_net; modprobe -r vhost; modprobe vhost_net
if attach "vhost again" ';vhost=on'; then
	expect_text "vhost again: the kernel serves it" '^1$' vhost_threads v
	works "vhost again"
	gone "vhost again"
fi
expect "the same QEMU runs" [ "$(systemctl show -P MainPID "$unit")" = "$qemu" ]
expect "the guest's kernel has no complaint" guest_cmd v "! dmesg | grep -E 'BUG:|WARNING:|Oops|Call Trace|hung'"
expect "dom0's kernel has no complaint" sh -c "! dmesg | grep -E 'BUG:|WARNING:|Oops|Call Trace|hung'"
expect "it is destroyed" xl destroy v
losetup -d "$disk"
expect "nothing is left" nothing_left "$before"

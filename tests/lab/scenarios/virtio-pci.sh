# SPDX-License-Identifier: GPL-2.0-or-later
# summary: an HVM guest with virtio on its PCI bus: QEMU in dom0, then in the stubdomain
# time-limit: 1800
# extra: tools
# shellcheck disable=SC2154,SC2016
. $LAB/lib-virtio.sh

# No emulated disk at all: the BIOS, GRUB and the kernel use the virtio disk.
# What xen-virtio-config(5) tells users to write, but for the BIOS's network boot:
# the emulated host would be busy with that ROM for minutes.
NO_PXE='"-global", "virtio-net-pci.romfile="'
VIF="vif = [ 'type=ioemu,model=virtio-net,bridge=xenbr0,mac=$VIRTIO_MAC' ]"

# in_dom0 NAME DISK, in_stubdom NAME DISK: the guest's configuration.
in_dom0() {
	guest_config "$1" hvm 'memory = 192' "$VIF" 'disk = []' "device_model_args_hvm = [ $NO_PXE,
		'-drive', 'if=none,id=vd0,format=raw,cache=writeback,file=$2', '-device', 'virtio-blk-pci,drive=vd0',
		'-drive', 'if=none,id=vd1,format=raw,readonly=on,file=/dev/vdd', '-device', 'virtio-blk-pci,drive=vd1' ]"
}
in_stubdom() {
	guest_config "$1" hvm 'memory = 192' "$VIF" 'device_model_version = "qemu-xen"' 'device_model_stubdomain_override = 1' \
		"disk = [ 'vdev=xvde,format=raw,access=rw,target=$2', 'vdev=xvdf,format=raw,access=ro,backendtype=phy,target=/dev/vdd' ]" \
		"device_model_args_hvm = [ $NO_PXE,
		'-drive', 'if=none,id=vd0,format=raw,cache=writeback,file=/dev/xvde', '-device', 'virtio-blk-pci,drive=vd0',
		'-drive', 'if=none,id=vd1,format=raw,readonly=on,file=/dev/xvdf', '-device', 'virtio-blk-pci,drive=vd1' ]"
}

before=$(host_state)
head -c 4194304 /dev/urandom >$LAB/tmp/in
sum=$(sha256sum <$LAB/tmp/in | cut -c1-64)
for where in dom0 stubdom; do
	image=$(guest_disk p "xen_emul_unplug=never quiet lab.ip=$VIRTIO_IP/24")
	truncate -s 160M "$image"
	in_$where p "$image" >/dev/null
	expect "$where: xl create" xl create $GUESTS/p.cfg || { show_stubdom p; continue; }
	[ $where = dom0 ] || expect_text "$where: its device model is in the stubdomain" '^p-dm ' xl list
	expect "$where: the guest boots from its virtio disk" wait_for 600 guest_cmd p true || { show_stubdom p; continue; }
	expect_text "$where: that is where its root is" '^/dev/(vda1|root) / ' guest_cmd p cat /proc/mounts
	expect_text "$where: it has no other disks" '^vda vdb $' guest_cmd p 'echo $(ls /sys/block | grep -v -e loop -e ram) ""'
	expect_text "$where: they are on its PCI bus" '/pci0000:00/.*/virtio[0-9]*/block/vda$' guest_cmd p 'readlink -f /sys/block/vda'
	expect_text "$where: so is its only NIC" '^/sys/devices/pci0000:00/.*/virtio[0-9]* 1$' guest_cmd p 'echo $(readlink -f /sys/class/net/eth0/device) $(ls -d /sys/class/net/eth* | wc -l)'
	expect_text "$where: the NIC is virtio" '/virtio_net$' guest_cmd p 'readlink -f /sys/class/net/eth0/device/driver'
	expect "$where: fio verifies the disk" fio_verify p /dev/vda 16M --offset=128M || show_stubdom p
	expect "$where: dom0 answers over the NIC" guest_cmd p 'ping -c 3 -W 20 10.77.0.1'
	socat -u OPEN:$LAB/tmp/in TCP-LISTEN:7001,reuseaddr & in=$!
	expect_text "$where: 4 MB come in whole" "^$sum" guest_cmd p 'nc 10.77.0.1 7001 </dev/null | tee /tmp/f | sha256sum'
	wait $in
	socat -u TCP-LISTEN:7002,reuseaddr,readbytes=4194304 "CREATE:$LAB/tmp/up" & in=$!
	sleep 1
	expect "$where: 4 MB go out" guest_cmd p 'nc 10.77.0.1 7002 </tmp/f'
	wait $in
	expect "$where: they arrive whole" cmp $LAB/tmp/in $LAB/tmp/up
	expect "$where: it shuts down" guest_stop p 200
	expect "$where: nothing is left" nothing_left "$before"
done

# Why "never": Linux asks the host to take the emulated devices away.
# Said at a level that "quiet" keeps from the console.
image=$(guest_disk p 'loglevel=7')
in_dom0 p "$image" >/dev/null
expect "without xen_emul_unplug=never: xl create" xl create $GUESTS/p.cfg
expect "Linux has the disk taken away and finds no root" guest_says p 400 'Waiting for root device'
expect "it is destroyed" xl destroy p
expect "nothing is left" nothing_left "$before"

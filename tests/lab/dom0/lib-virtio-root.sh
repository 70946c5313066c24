# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154,SC2034
# What the scenarios with root on a virtio disk share:   . $LAB/lib-virtio-root.sh
# /dev/vdd (extra: root-...) is a whole Debian with our package; its root is the first
# partition.

ROOT_DISK=/dev/vdd
ROOT_NIC='type=virtio,device1;bridge=xenbr0;mac=00:16:3e:00:00:41,transport=mmio'

# root_config pv|pvh LINE...: guest r, with LINE for how it finds its kernel.
root_config() {
	guest_config r "$1" 'memory = 768' 'vcpus = 2' 'on_reboot = "restart"' \
		"disk = [ 'vdev=xvda,backendtype=standalone,specification=virtio,target=$ROOT_DISK' ]" \
		"virtio = [ '$ROOT_NIC' ]" >/dev/null
	sed -i '/^kernel =\|^ramdisk =\|^cmdline =/d' $GUESTS/r.cfg
	shift
	for _line; do echo "$_line" >>$GUESTS/r.cfg; done
}

# in_root COMMAND...: with the guest's file system on /lab/root, while no guest has it.
# The disk was put under a kernel that was already running: it has not seen the partition.
in_root() {
	[ -b ${ROOT_DISK}1 ] || blockdev --rereadpt $ROOT_DISK || return 1
	mkdir -p $LAB/root && mount -o ro ${ROOT_DISK}1 $LAB/root || return 1
	"$@"; _status=$?
	umount $LAB/root
	return $_status
}

root_kernel() { cp $LAB/root/boot/vmlinuz-* $GUESTS/vmlinuz && cp $LAB/root/boot/initrd.img-* $GUESTS/initrd.img; }

root_up() { wait_for 900 guest_cmd "$1" true; }

show_root() {
	log "guest:"; tail -n 40 "$(console_log "$1")" 2>/dev/null | tr -d '\033\r' | sed 's/^/|   /'
	journalctl -u xen-virtiod -u 'xen-virtio-backend@*' -n 30 --no-pager -o cat 2>/dev/null | sed 's/^/|   /'
}

# The root disk as the guest sees it, from its file system down to our driver.
root_is_virtio() {
	expect_text "root is on a disk that hangs on virtio over XenBus" \
		'^/sys/devices/virtio_?[a-z]*-[0-9]+/virtio[0-9]+/block/vd[a-z]/vd[a-z]1$' \
		guest_cmd "$1" 'readlink -f /sys/class/block/$(basename $(findmnt -n -o SOURCE /))'
	expect_text "it is virtio_blk's, on virtio_xenbus" '^virtio_blk virtio_xenbus$' guest_cmd "$1" \
		'd=$(readlink -f /sys/class/block/$(basename $(findmnt -n -o SOURCE /))/../device) &&
		echo $(basename $(readlink -f $d/driver)) $(basename $(readlink -f $d/../driver))'
}

# virtio_root pv|pvh LISTER: LISTER lists an initramfs of the guest's.
virtio_root() {
	t=$1 lister=$2
	GUEST_TIMEOUT=400
	before=$(host_state)
	root_config "$t" 'bootloader = "pygrub"'
	expect "xen-virtio check finds nothing wrong" xen-virtio check $GUESTS/r.cfg
	start=$(now)
	expect "xl create starts a $t guest with root on a virtio disk, by pygrub" xl create $GUESTS/r.cfg || { show_root r; return 1; }
	expect "it boots: its agent answers" root_up r || { show_root r; return 1; }
	note boot_seconds "$(since "$start")"
	expect_text "it is Debian's own kernel" '-amd64$' guest_cmd r uname -r
	expect_text "systemd has started everything" '^running$' guest_cmd r systemctl is-system-running --wait ||
		run guest_cmd r 'systemctl --failed; systemctl list-jobs'
	root_is_virtio r
	expect_text "it has no PV disk" '^0$' guest_cmd r 'ls /sys/bus/xen/devices | grep -c ^vbd-; true'
	expect_text "dkms says that the driver is installed" \
		'^virtio-xenbus/.*, [^ ]*-amd64, x86_64: installed' guest_cmd r dkms status
	expect_text "it is dkms's module that is loaded" \
		'^(/usr)?/lib/modules/[^ ]*-amd64/updates/dkms/virtio_xenbus.ko.* [1-9]' guest_cmd r \
		'echo $(modinfo -n virtio_xenbus) $(grep -c ^virtio_xenbus /proc/modules)'
	expect_text "the initramfs has it" 'lib/modules/[^ ]*/updates/dkms/virtio_xenbus.ko' guest_cmd r \
		"$lister /boot/initrd.img-\$(uname -r) | grep xenbus"
	expect_text "its NIC is virtio_net's" '^virtio_net$' guest_cmd r \
		'basename $(readlink -f /sys/class/net/e*/device/driver)'
	expect "dom0 answers over it" wait_for 120 guest_cmd r ping -c 1 -W 10 10.77.0.1

	expect "32 MB are written and synced" guest_cmd r \
		'cd /root && dd if=/dev/urandom of=data bs=1M count=32 && md5sum data >data.md5 && sync && echo 3 >/proc/sys/vm/drop_caches'
	expect "they are read back right" guest_cmd r 'cd /root && md5sum -c data.md5'
	sum=$(guest_cmd r cat /root/data.md5 | cut -c1-32)
	old=$(xl domid r)
	expect "it reboots itself" guest_cmd r '(sleep 2; systemctl reboot) >/dev/null 2>&1 &'
	expect "it is a new domain" wait_for 300 sh -c "n=\$(xl domid r) && [ \$n != $old ]" || show_root r
	start=$(now)
	expect "it is up again" root_up r || { show_root r; return 1; }
	note reboot_seconds "$(since "$start")"
	root_is_virtio r
	expect "the data is there" guest_cmd r 'cd /root && md5sum -c data.md5'
	expect_fail "its file system had no error" guest_cmd r 'dmesg | grep -E "EXT4-fs.*(error|warning|recover|orphan)|I/O error"'
	expect "xl shutdown stops it" guest_stop r 300 || { show_root r; return 1; }
	expect "nothing is left" nothing_left "$before"
	expect "its file system is clean" e2fsck -fn ${ROOT_DISK}1
	expect_text "dom0 reads the same data" "^$sum" in_root md5sum $LAB/root/root/data

	expect "kernel and initramfs are copied out of the guest's disk" in_root root_kernel || return 1
	root_config "$t" "kernel = '$GUESTS/vmlinuz'" "ramdisk = '$GUESTS/initrd.img'" \
		"cmdline = 'root=PARTUUID=786c6162-01 ro console=hvc0'"
	expect "with kernel= and ramdisk= it starts, too" xl create $GUESTS/r.cfg || { show_root r; return 1; }
	expect "and boots" root_up r || { show_root r; return 1; }
	root_is_virtio r
	expect "the data is there" guest_cmd r 'cd /root && md5sum -c data.md5'
	expect "xl shutdown stops it" guest_stop r 300 || show_root r
	expect "nothing is left" nothing_left "$before"
}

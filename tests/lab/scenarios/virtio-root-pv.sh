# SPDX-License-Identifier: GPL-2.0-or-later
# summary: a PV Debian with root on a virtio disk, its initramfs made by initramfs-tools
# extra: root-initramfs-tools
# suites: trixie
# time-limit: 2700
. $LAB/lib-virtio-root.sh
virtio_root pv lsinitramfs || exit 1

# pygrub: not with such a disk, but with a small PV disk for /boot beside it, which is
# what lets the guest update its own kernel.
before=$(host_state)
guest_config p pv 'bootloader = "pygrub"' \
	"disk = [ 'vdev=xvda,backendtype=standalone,specification=virtio,target=$ROOT_DISK' ]" >/dev/null
sed -i '/^kernel\|^ramdisk\|^cmdline/d' $GUESTS/p.cfg
expect_text "xen-virtio check: pygrub cannot open a virtio disk" 'pygrub cannot open a virtio disk' \
	sh -c "! xen-virtio check $GUESTS/p.cfg"
expect_fail "xl create fails, indeed" sh -c "xl create $GUESTS/p.cfg >$LAB/tmp/pygrub 2>&1"
run cat $LAB/tmp/pygrub
expect "nothing is left" nothing_left "$before"

rm -rf $LAB/tmp/boot && mkdir -p $LAB/tmp/boot/grub && cp $GUESTS/vmlinuz $GUESTS/initrd.img $LAB/tmp/boot
cat >$LAB/tmp/boot/grub/grub.cfg <<E
set timeout=0
set default=0
menuentry 'Debian' {
	linux /vmlinuz $ROOT_ARGS
	initrd /initrd.img
}
E
rm -f $GUESTS/boot.raw && truncate -s 128M $GUESTS/boot.raw
expect "a disk for /boot is made" mke2fs -q -F -t ext4 -d $LAB/tmp/boot $GUESTS/boot.raw
guest_config p pv 'memory = 768' 'vcpus = 2' 'on_reboot = "restart"' 'bootloader = "pygrub"' \
	"disk = [ 'format=raw,vdev=xvda,access=rw,target=$GUESTS/boot.raw' ]" \
	"virtio = [ 'type=virtio,device2;path=$ROOT_DISK,transport=mmio', '$ROOT_NIC' ]" >/dev/null
sed -i '/^kernel\|^ramdisk\|^cmdline/d' $GUESTS/p.cfg
expect "xen-virtio check finds nothing wrong" xen-virtio check $GUESTS/p.cfg
expect "pygrub boots from a PV disk a guest with root on a virtio disk" xl create $GUESTS/p.cfg || exit 1
expect "it boots: its agent answers" root_up p || { show_root p; exit 1; }
root_is_virtio p
expect_text "it has the disk for /boot" '^/dev/xvda$' guest_cmd p 'ls /dev/xvda'
expect "xl shutdown stops it" guest_stop p 300 || show_root p
expect "nothing is left" nothing_left "$before"

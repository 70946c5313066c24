# SPDX-License-Identifier: GPL-2.0-or-later
# summary: a virtio disk has its device's sectors and grows with it; a full disk in dom0 is an I/O error, no more
# time-limit: 900
# extra: tools
# shellcheck disable=SC2154,SC2016
. $LAB/lib-virtio.sh

before=$(host_state)
# A file system of 24 MB for images, as a disk that an administrator has mounted.
small=$(loop_disk small 24)
mkdir -p /srv/small && mkfs.ext4 -q "$small" && mount "$small" /srv/small
mkdir -p /mnt/tools && mount -o ro /dev/vdd /mnt/tools && mount --bind /srv/small /mnt/tools/mnt
expect "a qcow2 image is made" chroot /mnt/tools qemu-img create -q -f qcow2 /mnt/q.qcow2 64M
umount /mnt/tools/mnt /mnt/tools
truncate -s 64M /srv/small/r.raw

# Two disks of each kind of line: with sectors of 512 bytes and of 4096, and the images.
disk=$(loop_disk v 64) more=$(loop_disk w 64)
truncate -s 64M $GUESTS/k.raw $GUESTS/l.raw
four=$(losetup -b 4096 -f --show $GUESTS/k.raw) four2=$(losetup -b 4096 -f --show $GUESTS/l.raw)
guest_config v pvh 'memory = 256' "cmdline = 'console=hvc0 panic=-1 lab.mods=virtio_xenbus'" \
	"disk = [ 'vdev=xvda,backendtype=standalone,specification=virtio,target=$disk', 'vdev=xvdb,backendtype=standalone,specification=virtio,target=$four' ]" \
	"$(virtio_line v "device2;path=$more" "device2;path=$four2" "device2;path=/srv/small/r.raw" "device2;path=/srv/small/q.qcow2;format=qcow2")" >/dev/null
expect "a guest with all of them boots" virtio_start v || { show_virtio v; return; }
expect "its six disks are there" wait_for 60 guest_cmd v '[ $(ls -d /sys/block/vd* | wc -l) = 6 ]' || { show_virtio v; return; }
a=$(disk_of v virtio_disk/51712) b=$(disk_of v virtio_disk/51728) c=$(disk_of v virtio/0) d=$(disk_of v virtio/1) r=$(disk_of v virtio/2) q=$(disk_of v virtio/3)

sectors() { guest_cmd v "for d in $*; do echo \$(cat /sys/block/\$d/queue/logical_block_size /sys/block/\$d/queue/physical_block_size); done | sort -u"; }
expect_text "disk=, virtio=: sectors of 4096 bytes" '^4096 4096$' sectors "$b" "$d"
expect_text "disk=, virtio=, images: sectors of 512 bytes" '^512 512$' sectors "$a" "$c" "$r" "$q"
expect "4096-byte sectors: what is written can be read" guest_cmd v "dd if=/dev/urandom of=/tmp/x bs=4096 count=256 && dd if=/tmp/x of=/dev/$b bs=4096 seek=7 oflag=direct && dd if=/dev/$b bs=4096 skip=7 count=256 iflag=direct | cmp - /tmp/x" || show_virtio v

# size_is DISK MEGABYTES
size_is() { guest_cmd v "grep -qx $(($2 * 2048)) /sys/block/$1/size"; }
truncate -s 128M $GUESTS/v.raw; losetup -c "$disk"
truncate -s 128M $GUESTS/l.raw; losetup -c "$four2"
expect "disk=: it grows with its device" wait_for 30 size_is "$a" 128 || show_virtio v
expect "virtio=: so does one with sectors of 4096 bytes" wait_for 30 size_is "$d" 128 || show_virtio v
expect "what was added can be written" guest_cmd v "dd if=/tmp/x of=/dev/$a bs=4096 seek=20000 oflag=direct conv=notrunc"
# Not seen while the daemon is away, but when it is back.
systemctl stop xen-virtiod
truncate -s 96M $GUESTS/w.raw; losetup -c "$more"
systemctl start xen-virtiod
expect "growth while xen-virtiod was away is seen, too" wait_for 30 size_is "$c" 96 || show_virtio v

expect_text "an image: nothing has changed" '^virtio/2: 67108864 bytes, as before$' xen-virtio resize v virtio/2
truncate -s 80M /srv/small/r.raw
expect_text "a raw image that has grown" '^virtio/2: 83886080 bytes, and the guest is told$' xen-virtio resize v virtio/2
expect "the guest sees it" wait_for 30 size_is "$r" 80 || show_virtio v
expect "a raw image is made bigger" xen-virtio resize v virtio/2 96M
expect "the guest sees it, too" wait_for 30 size_is "$r" 96
expect_text "so is the file" '^100663296$' stat -c %s /srv/small/r.raw
expect_fail "nothing is made smaller" xen-virtio resize v virtio/2 64M
expect_fail "qcow2 needs a size" xen-virtio resize v virtio/3
expect "qcow2 is made bigger" xen-virtio resize v virtio/3 96M
expect "the guest sees it" wait_for 30 size_is "$q" 96 || show_virtio v
expect_fail "a block device has its own size" xen-virtio resize v xvda 1G
expect "which is told by this command as well" xen-virtio resize v xvda

# Full: each image in its turn, with the same file in the way.
fill() { guest_cmd v "dd if=/dev/zero of=/dev/$1 bs=64k count=640 seek=$2 oflag=direct conv=notrunc 2>&1 >/dev/null | grep -q 'Input/output error'"; }
told() { journalctl -u xen-virtiod -o cat --no-pager | grep -c "^guest v ([0-9]*): $1: .*: a write failed, no space left: make space there, until then the guest gets I/O errors"; }
expect "a write to the raw image fails in the guest when dom0's disk is full" fill "$r" 0 || show_virtio v
expect "the journal names guest and disk" wait_for 10 told virtio/2 || show_virtio v
expect "a write to the qcow2 image fails, too" fill "$q" 0 || show_virtio v
expect "the journal names it" wait_for 10 told virtio/3 || show_virtio v
expect_text "one line for each" '^1$' told virtio/2
expect "the other disks work on" guest_cmd v "dd if=/tmp/x of=/dev/$a bs=4096 oflag=direct conv=notrunc && dd if=/dev/$a bs=4096 count=256 iflag=direct | cmp - /tmp/x"
expect "once the raw image's blocks are given back" guest_cmd v "blkdiscard /dev/$r"
expect "qcow2 can be written again, and holds it" guest_cmd v "dd if=/tmp/x of=/dev/$q bs=4096 oflag=direct conv=notrunc && dd if=/dev/$q bs=4096 count=256 iflag=direct | cmp - /tmp/x" || show_virtio v
expect "and so can the raw image" guest_cmd v "dd if=/tmp/x of=/dev/$r bs=4096 oflag=direct conv=notrunc && dd if=/dev/$r bs=4096 count=256 iflag=direct | cmp - /tmp/x" || show_virtio v
expect_text "all on one and the same QEMU" '^0$' systemctl show -P NRestarts "xen-virtio-backend@$(xl domid v)"

# trust-17: requests that would be larger than the pool.
small_pool() {
	guest_cmd v 'cd /sys/bus/xen/drivers/virtio_xenbus && for d in virtio*; do echo $d >unbind; done; cd /; rmmod virtio_xenbus && modprobe virtio_xenbus pool_pages=32'
}
expect "the driver is loaded again, with a pool of 128 KiB for each disk" small_pool
expect "the disks are there again" wait_for 60 disk_of v virtio_disk/51712 || show_virtio v
expect "a request of 1 MiB comes to its end" guest_cmd v "d=/dev/$(disk_of v virtio_disk/51712); echo 4096 >/sys/block/\${d#/dev/}/queue/max_sectors_kb; dd if=/dev/zero of=\$d bs=1M count=4 oflag=direct && dd if=\$d of=/dev/null bs=1M count=4 iflag=direct" || show_virtio v

expect "it is destroyed" xl destroy v
wait_for 20 umount /srv/small
losetup -d "$disk" "$more" "$four" "$four2" "$small"
expect "nothing is left" nothing_left "$before"

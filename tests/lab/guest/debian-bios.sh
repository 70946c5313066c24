#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# After debian.sh, for the guest that GRUB loads from an emulated disk:  debian-bios.sh ROOT
set -eu
root=$1
getty=$root/etc/systemd/system/serial-getty@ttyS0.service.d

mkdir -p "$getty"
cat >"$getty/lab.conf" <<-'E'
	[Service]
	ExecStart=
	ExecStart=-/sbin/agetty --autologin root --keep-baud 115200 - $TERM
E
chroot "$root" systemctl -q enable serial-getty@ttyS0
# GRUB's menu (guests.py) names no version; the initramfs has what finds the
# root disk, emulated or not: loading "most" modules takes GRUB a minute here.
echo MODULES=list >"$root/etc/initramfs-tools/conf.d/lab"
cat >>"$root/etc/initramfs-tools/modules" <<-'E'
	ahci
	ata_piix
	sd_mod
	virtio_pci
	virtio_blk
	xen-blkfront
	ext4
E
chroot "$root" update-initramfs -u
ln -sf "$(basename "$(ls "$root"/boot/vmlinuz-*)")" "$root/boot/vmlinuz"
ln -sf "$(basename "$(ls "$root"/boot/initrd.img-*)")" "$root/boot/initrd.img"

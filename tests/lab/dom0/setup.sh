#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# mmdebstrap's setup hook for the lab's dom0: setup.sh ROOT
# Before the kernel is installed: a ramdisk with only what the disk needs, as
# every megabyte of it is unpacked by an emulated CPU.
set -eu
root=$1
mkdir -p "$root/etc/initramfs-tools/conf.d" "$root/etc/initramfs-tools/hooks"
printf 'MODULES=list\nCOMPRESS=zstd\nRESUME=none\n' >"$root/etc/initramfs-tools/conf.d/lab"
cat >"$root/etc/initramfs-tools/hooks/lab" <<-'E'
	#!/bin/sh
	[ "$1" != prereqs ] || exit 0
	. /usr/share/initramfs-tools/hook-functions
	manual_add_modules virtio_pci virtio_blk ext4
E
chmod 755 "$root/etc/initramfs-tools/hooks/lab"

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# After debian.sh, for a guest that pygrub starts.  If its root is a virtio disk: what its
# user does, which is to install our package by apt, with all that it recommends, and nothing else.
#   debian-virtio.sh ROOT [REPOSITORY]
set -eu
root=$1
list=$root/etc/apt/sources.list.d/lab.list

if [ -n "${2:-}" ]; then
	cp -r "$2" "$root/srv/repo"
	echo 'deb [trusted=yes] file:/srv/repo ./' >"$list"
	chroot "$root" apt-get -q update
	DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get -q -y -o APT::Install-Recommends=true install virtio-xenbus-dkms
	rm -r "$root/srv/repo" "$list"
fi

# For pygrub: what update-grub writes where it finds the root disk, here it does not.
version=$(basename "$root"/lib/modules/*)
mkdir "$root/boot/grub"
cat >"$root/boot/grub/grub.cfg" <<E
set timeout=0
set default=0
menuentry 'Debian' {
	linux /boot/vmlinuz-$version root=PARTUUID=786c6162-01 ro console=hvc0
	initrd /boot/initrd.img-$version
}
E

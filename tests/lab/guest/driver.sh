#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# mmdebstrap's customize hook for the lab's driver domain:  driver.sh ROOT DEB...
# Its root is mounted read-only, so that a guest can have the same disk as its
# tools' disk (lib-virtio.sh).  After agent.sh.
set -eu
root=$1; shift
put() { mkdir -p "$(dirname "$root$1")" && cat >"$root$1"; }

mkdir -p "$root/tmp/debs"
cp "$@" "$root/tmp/debs"
# As its administrator would, from files: apt finds what they depend on.
chroot "$root" sh -c 'DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends /tmp/debs/*.deb'
rm -r "$root/tmp/debs"

echo driver >"$root/etc/hostname"
echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
put /etc/fstab <<END
/dev/xvda / ext4 ro,noload 0 0
tmpfs /tmp tmpfs defaults 0 0
tmpfs /var/tmp tmpfs defaults 0 0
tmpfs /var/log tmpfs defaults 0 0
tmpfs /var/lib/systemd tmpfs defaults 0 0
END
put /etc/systemd/network/br.netdev <<END
[NetDev]
Name=xenbr0
Kind=bridge
END
put /etc/systemd/network/br.network <<END
[Match]
Name=xenbr0
[Link]
RequiredForOnline=no
[Network]
Address=10.79.0.1/24
ConfigureWithoutCarrier=yes
END
# Nothing waits for them, and the emulated processor has enough to do.
chroot "$root" systemctl -q mask systemd-networkd-wait-online xendomains systemd-rfkill.socket
ln -sf "$(basename "$(ls "$root"/boot/vmlinuz-*)")" "$root/boot/vmlinuz"
ln -sf "$(basename "$(ls "$root"/boot/initrd.img-*)")" "$root/boot/initrd.img"

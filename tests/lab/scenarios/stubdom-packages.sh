# SPDX-License-Identifier: GPL-2.0-or-later
# summary: apt purge leaves nothing, apt install works at once, on the running host
# time-limit: 1800

version=$(xl info xen_version | cut -d. -f1,2)
pkg=xen-stubdom-linux-$version
ours="$pkg xen-stubdom-utils xen-stubdom-kernel qemu-xen-extras"
boot=/usr/lib/xen-$version/boot
traces() {
	find / -xdev \( -path /proc -o -path /lab -o -path /var/log -o -path /var/cache -o -path /var/lib/apt -o -path /var/lib/dpkg \) -prune \
		-o \( -name '*xen-stubdom*' -o -name '*xen-extras*' -o -name 'qemu-stubdom*' \) -print | grep -v xen-extras-lab
}

expect_text "the package owns the name libxl looks up" "^$pkg: " dpkg -S $boot/qemu-stubdom-linux-kernel
expect_text "and its ramdisk" "^$pkg: " dpkg -S $boot/qemu-stubdom-linux-rootfs
expect "both point to an image" test -s $boot/qemu-stubdom-linux-kernel -a -s $boot/qemu-stubdom-linux-rootfs
expect "xen-stubdom check finds nothing to fix" xen-stubdom check
expect_text "the image is up to date: nothing is built again" "up to date" xen-stubdom build --if-needed
note kernel_bytes "$(stat -L -c %s $boot/qemu-stubdom-linux-kernel)"
note rootfs_bytes "$(stat -L -c %s $boot/qemu-stubdom-linux-rootfs)"
sum=$(sha256sum <$boot/qemu-stubdom-linux-rootfs)

start=$(now)
expect "a forced build" xen-stubdom build --force
note build_seconds "$(since "$start")"
expect_text "gives the same bytes" "^${sum%% *}" sha256sum $boot/qemu-stubdom-linux-rootfs

expect "apt purge" apt-get purge -y -q $ours
expect_fail "no unit is left" systemctl is-active xen-stubdomd
no_traces() { traces; [ -z "$(traces)" ]; }
expect "no file of ours is left" no_traces
expect "apt install" apt-get install -y -q $pkg
expect "the daemon runs" systemctl is-active xen-stubdomd
expect_text "the image is there again, the same" "^${sum%% *}" sha256sum $boot/qemu-stubdom-linux-rootfs
guest_config p1 hvm 'device_model_version = "qemu-xen"' 'device_model_stubdomain_override = 1' 'disk = [ ]' >/dev/null
expect "xl create works at once" xl create $GUESTS/p1.cfg || show_stubdom p1
expect "xl destroy" xl destroy p1

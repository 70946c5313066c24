#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The guest's userland: busybox, init, the xenstore agent, kernel modules; as
# a directory, an initramfs and GRUB's core image.  Runs inside a chroot:
#   build-tree.sh SRC KERNEL MODULE OUT
# where KERNEL is what build-kernel.sh left, and MODULE our driver's sources.
set -eu
src=$1 kernel=$2 module=$3 out=$4
tree=$out/tree
mkdir -p "$out/deb"
cd "$out/deb"
debs='busybox-static grub-pc-bin grub-common libdevmapper1.02.1'
# shellcheck disable=SC2086 # a list
apt-get download -q $debs 2>/dev/null || { apt-get update -q && apt-get download -q $debs; }
for d in ./*.deb; do dpkg-deb -x "$d" x; done

for d in bin sbin proc sys dev tmp root mnt etc lib; do mkdir -p "$tree/$d"; done
install -m 755 x/usr/bin/busybox "$tree/bin/busybox" 2>/dev/null || install -m 755 x/bin/busybox "$tree/bin/busybox"
for a in $("$tree/bin/busybox" --list); do
	[ "$a" = busybox ] || ln -sf busybox "$tree/bin/$a"
done
install -m 755 "$src/init" "$tree/init"
ln -s ../init "$tree/sbin/init"
# The kernel runs this for xl shutdown; busybox's own would ask its init.
for a in poweroff reboot; do
	printf '#!/bin/sh\nsync\nexec /bin/busybox %s -f\n' $a >"$tree/sbin/$a"
	chmod 755 "$tree/sbin/$a"
	rm -f "$tree/bin/$a"
done
gcc -std=gnu11 -Os -static -s -Wall -Wextra -Werror -o "$out/xsagent" "$src/xsagent.c"
install -m 755 "$out/xsagent" "$tree/sbin/xsagent"
for a in devask devstate; do
	gcc -std=gnu11 -Os -static -s -Wall -Wextra -Werror -o "$tree/bin/$a" "$src/$a.c"
done
cp -a "$kernel/modules/lib/modules" "$tree/lib/modules"
version=$(cat "$kernel/version")
cp -r "$module" "$out/module"
make -s -C "$kernel/build" M="$out/module" modules
install -D -m 644 "$out/module/virtio_xenbus.ko" "$tree/lib/modules/$version/updates/virtio_xenbus.ko"
/sbin/depmod -b "$tree" "$version"
rm -rf "$out/module"
mknod -m 600 "$tree/dev/console" c 5 1
(cd "$tree" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet | gzip -9n) >"$out/initramfs.gz"

# GRUB: reads its menu from raw sectors, so that a test can change it with dd.
cat >grub.cfg <<-'E'
	serial --unit=0 --speed=115200
	terminal_input serial console
	terminal_output serial console
	echo GRUB lab
	configfile (hd0)2000+8
E
LD_LIBRARY_PATH=$(echo "$PWD"/x/usr/lib/*-linux-gnu) x/usr/bin/grub-mkimage -d x/usr/lib/grub/i386-pc -O i386-pc -p '(hd0,msdos1)/boot/grub' -c grub.cfg \
	-o "$out/core.img" biosdisk part_msdos ext2 linux serial terminal normal configfile echo test halt
cp x/usr/lib/grub/i386-pc/boot.img "$out/boot.img"
cd "$out" && rm -rf deb

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# summary: a kernel without Xen, and one that the driver cannot be built for, cost nobody their initramfs
# time-limit: 3600

# fake_headers NAME KERNEL TEXT SCRIPT: KERNEL's headers as a newer package, changed by
# SCRIPT, in which $common is the directory of the files that all flavours share.
fake_headers() {
	in_root "$1" sh -euc '
		apt-get -q update >/dev/null; mkdir -p /fake; cd /fake
		apt-get -q download "linux-headers-$1" "linux-headers-${1%%-*}-common" 2>/dev/null ||
			apt-get -q download "linux-headers-$1" "linux-headers-$(echo "$1" | cut -d- -f1,2)-common"
		for deb in linux-headers-*-common_*.deb; do [ -d common ] || dpkg-deb -x "$deb" common; done
		common=$(echo /fake/common/usr/src/linux-headers-*-common)
		dpkg-deb -R linux-headers-"$1"_*.deb new
		sed -i "s/^Version: .*/&+$2/" new/DEBIAN/control
		cd new/usr/src/linux-headers-"$1"; eval "$3"; cd /fake
		dpkg-deb -Znone -b new "/fake-$2.deb"; rm -rf /fake' sh "$2" "$3" "$4"
}
# state NAME PACKAGE: what dpkg thinks of it.
state() { in_root "$1" dpkg-query -W -f '${db:Status-Abbrev}' "$2"; }

for s in $(deb_suites); do
	case $s in trixie) series=6.12. ;; *) series=6.1.0- ;; esac
	dkms_machine m-$s $s
	root=$WORK/m-$s/root
	v=$(driver_version m-$s)
	# shellcheck disable=SC2046
	set -- $(kernels m-$s cloud-amd64 $series 2)
	expect "$s: headers of $1 without Xen" fake_headers m-$s "$1" noxen \
		'sed -i "/CONFIG_XEN/d" .config include/config/auto.conf include/generated/autoconf.h'
	# What this kernel includes first is a file in which a function has another name.
	# shellcheck disable=SC2016
	expect "$s: headers of $2 with a changed interface" fake_headers m-$s "$2" future \
		'mkdir -p arch/x86/include/generated/xen; sed s/xenbus_switch_state/xenbus_change_state/g "$common/include/xen/xenbus.h" >arch/x86/include/generated/xen/xenbus.h'

	expect "$s: the package" add m-$s /driver.deb
	expect_text "$s: the kernel without Xen installs, and says that it is skipped" \
		"^virtio-xenbus: Linux $(re "$1") is not made for guests of Xen" add m-$s /fake-noxen.deb "linux-image-$1"
	builds "nothing was built" 0
	same "dpkg has nothing against it" "ii  ii " "$(state m-$s "linux-image-$1") $(state m-$s "linux-headers-$1")"
	expect "it has an initramfs" test -s "$root/boot/initrd.img-$1"

	expect_text "$s: the kernel of the future installs, and warns" \
		"^virtio-xenbus: WARNING: there is no driver for Linux $(re "$2"): it could not be built" add m-$s /fake-future.deb "linux-image-$2"
	same "dpkg has nothing against it" "ii  ii " "$(state m-$s "linux-image-$2") $(state m-$s "linux-headers-$2")"
	expect "it has an initramfs" test -s "$root/boot/initrd.img-$2"
	expect_text "the log that the warning names has the reason" 'error: .*xenbus_switch_state' \
		cat "$root/var/lib/dkms/virtio-xenbus/$v/build/make.log"
	same "dkms has no driver for either" "virtio-xenbus/$v: added" "$(in_root m-$s dkms status)"
	same "and the machine is in order" "" "$(in_root m-$s dpkg --audit)"
	expect_text "$s: the package installs again beside them" \
		"^virtio-xenbus: WARNING: there is no driver for Linux $(re "$2")" add m-$s --reinstall /driver.deb
	same "dpkg has nothing against it" "ii " "$(state m-$s virtio-xenbus-dkms)"

	# dkms-autopkgtest does this: a driver that cannot be built must not look like one
	# that need not be.
	touch "$root/etc/dkms/no-autoinstall"
	in_root m-$s dkms build -m virtio-xenbus -v "$v" -k "$2" >"$OUT" 2>&1
	same "$s: built by hand, it fails" 10 $?
	rm "$root/etc/dkms/no-autoinstall"

	# dracut is told to add a driver that is not there.
	expect "$s: dracut instead of initramfs-tools" add m-$s dracut
	rm -f "$root/boot/initrd.img-$2"
	expect "$s: the kernel of the future installs with dracut" in_root m-$s dpkg-reconfigure "linux-image-$2"
	expect "it has an initramfs" test -s "$root/boot/initrd.img-$2"

	# What the distribution does next: headers that fit.
	real=$(in_root m-$s apt-cache madison "linux-headers-$2" | awk '{ print $3; exit }')
	expect "$s: headers that fit" add m-$s --allow-downgrades "linux-headers-$2=$real"
	builds "build the driver" 1
	driver_is "it is installed" m-$s "$2" "$v"
	same "and in dracut's initramfs" 1 "$(in_root m-$s lsinitrd "/boot/initrd.img-$2" | grep -c '/updates/dkms/virtio_xenbus\.ko')"
	expect "$s: purge" in_root m-$s apt-get -q -y purge virtio-xenbus-dkms
	no_driver_left "which leaves nothing" m-$s
done

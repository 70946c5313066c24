# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# summary: the driver is built for each of two kernels, whatever is installed first
# time-limit: 3600

# warned TEXT KERNEL: the last command has warned, once, that KERNEL has no headers.
warned() { same "$1" 1 "$(grep -Ec "^virtio-xenbus: WARNING: there is no driver for Linux $(re "$2"): its headers are not installed" "$OUT")" || show_out; }

for s in $(deb_suites); do
	case $s in trixie) series=6.12. ;; *) series=6.1.0- ;; esac

	# Package first.
	dkms_machine a-$s $s
	v=$(driver_version a-$s)
	# shellcheck disable=SC2046
	set -- $(kernels a-$s cloud-amd64 $series 2)
	same "$s has two kernels" 2 $#
	note "$s: dkms $(in_root a-$s dpkg-query -W -f '${Version}' dkms), Linux $1 and $2"
	expect "$s, package first: it installs without a kernel" add a-$s /driver.deb
	builds "and builds nothing" 0
	expect "$s, package first: then a kernel" add a-$s "linux-image-$1" "linux-headers-$1"
	builds "which builds it once" 1
	driver_is "it is installed, signed, and known by its aliases" a-$s "$1" "$v"
	initramfs_has "and in the initramfs" a-$s "$1" 1
	expect "$s, package first: then another" add a-$s "linux-image-$2" "linux-headers-$2"
	builds "which builds it once" 1
	same "without a warning" 0 "$(grep -c 'virtio-xenbus: WARNING' "$OUT")"
	driver_is "it is installed for the new kernel" a-$s "$2" "$v"
	driver_is "and for the old one" a-$s "$1" "$v"
	initramfs_has "and in the new initramfs" a-$s "$2" 1
	expect "$s: a kernel is removed" in_root a-$s apt-get -q -y purge "linux-image-$1" "linux-headers-$1"
	same "and its driver with it" "virtio-xenbus/$v, $2, x86_64: installed" "$(in_root a-$s dkms status virtio-xenbus)"
	expect "$s: the package is removed" in_root a-$s apt-get -q -y remove virtio-xenbus-dkms
	initramfs_has "and the driver from the initramfs" a-$s "$2" 0
	expect "$s: headers do no harm then" in_root a-$s dpkg-reconfigure "linux-headers-$2"
	expect "$s: it is purged" in_root a-$s apt-get -q -y purge virtio-xenbus-dkms
	no_driver_left "and nothing is left" a-$s

	# Headers first: in trixie they bring the image.
	dkms_machine b-$s $s
	expect "$s, headers first" add b-$s "linux-headers-$1"
	expect "$s, headers first: then the package" add b-$s /driver.deb
	builds "which builds it once" 1
	driver_is "it is installed" b-$s "$1" "$v"
	expect "$s, headers first: then another kernel's" add b-$s "linux-headers-$2"
	builds "which builds it once" 1
	driver_is "it is installed for the new kernel" b-$s "$2" "$v"
	expect "$s, headers first: then the image" add b-$s "linux-image-$2"
	builds "for which it is built already" 0
	initramfs_has "and it is in the initramfs" b-$s "$2" 1

	# Images first.
	dkms_machine c-$s $s
	expect "$s, images first" add c-$s "linux-image-$1" "linux-image-$2"
	expect "$s, images first: then the package" add c-$s /driver.deb
	builds "which builds nothing" 0
	for k; do
		warned "it says so" "$k"
		same "and which headers to install" 1 "$(grep -Ec "Run 'apt install linux-headers-$(re "$k") linux-headers-cloud-amd64'" "$OUT")"
	done
	expect "$s, images first: then the headers" add c-$s "linux-headers-$1" "linux-headers-$2"
	builds "which build it once for each" 2
	for k; do
		driver_is "it is installed" c-$s "$k" "$v"
		initramfs_has "and in the initramfs, which was older" c-$s "$k" 1
	done
	expect "$s: purge" in_root c-$s apt-get -q -y purge virtio-xenbus-dkms
	no_driver_left "which leaves nothing" c-$s

	# A kernel's update without its headers.  What the test's machine shows in /sys is not
	# the guest's: this one has a virtio disk.
	dkms_machine d-$s $s
	expect "$s, kernel without headers: the package, a kernel and its headers" add d-$s /driver.deb "linux-image-$1" "linux-headers-$1"
	umount "$WORK/d-$s/root/sys"
	mkdir -p "$WORK/d-$s/root/sys/bus/xen/drivers/virtio_xenbus/virtio_disk-51712"
	expect "$s: then a kernel without headers" add d-$s "linux-image-$2"
	builds "which has nothing to build with" 0
	warned "it says so" "$2"
	same "and that its disk would be missing" 1 "$(grep -Ec "^virtio-xenbus: WARNING: .*do not boot Linux $(re "$2")," "$OUT")"
	expect "it has an initramfs" test -s "$WORK/d-$s/root/boot/initrd.img-$2"
	sed -i '/^CONFIG_XEN=/d' "$WORK/d-$s/root/boot/config-$2"
	expect "$s: a kernel without Xen is configured" in_root d-$s dpkg-reconfigure "linux-image-$2"
	same "and needs no warning" 0 "$(grep -c 'virtio-xenbus: WARNING' "$OUT")"

	# Package last.
	expect "$s, package last" add c-$s /driver.deb
	builds "which is built once for each kernel" 2
	for k; do
		driver_is "it is installed" c-$s "$k" "$v"
		initramfs_has "and in the initramfs" c-$s "$k" 1
	done
done

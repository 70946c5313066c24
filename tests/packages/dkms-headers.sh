# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# summary: a kernel without headers: what virtio-xenbus-dkms says, by flavour and machine (dkms and apt are stand-ins)
# time-limit: 300

s=trixie
root h $s build || { fail "no machine"; exit 1; }
r=$WORK/h/root
umount "$r/sys"
install -m 755 "$TOP/debian/virtio-xenbus-dkms.build" "$r/usr/libexec/virtio-xenbus-dkms"
install -m 755 "$TOP/debian/virtio-xenbus-dkms.postinst" "$r/postinst"

# program PATH: a stand-in, from standard input.
program() { mkdir -p "$r${1%/*}"; { echo '#!/bin/sh'; cat; } >"$r$1.new"; chmod 755 "$r$1.new"; mv "$r$1.new" "$r$1"; }
program /usr/sbin/dkms <<'END'
case "$*" in *" -k 6.1.0-9-amd64") echo "virtio-xenbus/1.0, 6.1.0-9-amd64, x86_64: installed" ;; status*) echo "virtio-xenbus/1.0: added" ;; esac
END
# The archive: a kernel of each flavour, and the metapackages.
program /usr/bin/apt-cache <<'END'
case $2 in linux-headers-6.12.2+deb13-* | linux-headers-amd64 | linux-headers-cloud-amd64 | linux-headers-rt-amd64) echo "Package: $2" ;; *) exit 100 ;; esac
END
program /usr/bin/uname <<'END'
echo 6.12.2+deb13-cloud-amd64
END

# hook KERNEL: a kernel is installed.  says TEXT PATTERN [COUNT]: lines of what it printed.
hook() { in_root h /usr/libexec/virtio-xenbus-dkms "$1" >"$OUT" 2>&1 || fail "the hook failed for $1"; }
says() { same "$1" "${3:-1}" "$(grep -c -- "^virtio-xenbus: $2" "$OUT")" || show_out; }
runs() { says "$1" "WARNING: Run '$2'\\.\$"; }

hook 6.12.2+deb13-amd64
says "a kernel without headers: a warning" 'WARNING: there is no driver for Linux 6\.12\.2+deb13-amd64: its headers are not installed\.$'
runs "which headers" 'apt install linux-headers-6\.12\.2+deb13-amd64 linux-headers-amd64'
says "no word of the boot menu, where no such device is used" '.*boot menu' 0
hook 6.12.2+deb13-rt-amd64
runs "the flavour rt" 'apt install linux-headers-6\.12\.2+deb13-rt-amd64 linux-headers-rt-amd64'
hook 6.12.2+deb13-cloud-amd64
runs "the flavour cloud" 'apt install linux-headers-6\.12\.2+deb13-cloud-amd64 linux-headers-cloud-amd64'
says "it is the kernel that runs" 'WARNING: .*cloud-amd64 (which runs now): '
hook 6.1.0-44-cloud-amd64
runs "headers that the archive has no more" 'apt install linux-image-cloud-amd64 linux-headers-cloud-amd64'
hook 6.8.0-31-generic
runs "a flavour that apt does not know" 'apt update && apt install linux-headers-6\.8\.0-31-generic linux-headers-generic'
hook 6.1.0-9-amd64
says "a driver that was built while there were headers" '' 0
mkdir -p "$r/lib/modules/6.1.0-7-amd64/updates/dkms" && touch "$r/lib/modules/6.1.0-7-amd64/updates/dkms/virtio_xenbus.ko.xz"
hook 6.1.0-7-amd64
says "one of which dkms knows nothing" '' 0
echo CONFIG_VIRTIO=y >"$r/boot/config-6.12.2+deb13-rt-amd64"
hook 6.12.2+deb13-rt-amd64
says "a kernel without Xen: no warning" 'WARNING' 0
says "but a word" 'Linux 6\.12\.2+deb13-rt-amd64 is not made for guests of Xen: no driver for it$'

mkdir -p "$r/sys/bus/xen/drivers/virtio_xenbus/virtio_disk-51712"
hook 6.12.2+deb13-amd64
says "a machine with virtio disks" 'WARNING: This machine uses such devices now: do not boot Linux 6\.12\.2+deb13-amd64,$'
says "what to boot" 'WARNING: choose 6\.12\.2+deb13-cloud-amd64 in the boot menu'
hook 6.12.2+deb13-cloud-amd64
says "the kernel that runs" 'WARNING: This machine uses such devices now: do not boot it again before that\.$'

# Installation: a cloud kernel runs, and the recommended headers are another flavour's.
mkdir -p "$r/lib/modules/6.12.2+deb13-cloud-amd64/kernel" "$r/lib/modules/6.1.0-9-amd64/kernel" "$r/lib/modules/6.1.0-8-amd64/updates"
rm -rf "$r/sys/bus"
expect "the package is configured" in_root h sh /postinst configure
says "one warning, for the cloud kernel" 'WARNING: there is no driver' 1
runs "which headers" 'apt install linux-headers-6\.12\.2+deb13-cloud-amd64 linux-headers-cloud-amd64'
rm -rf "$r/lib/modules/6.12.2+deb13-cloud-amd64" "$r/lib/modules/6.1.0-9-amd64"
expect "the package is configured, without a kernel" in_root h sh /postinst configure
says "it says so" 'there is no kernel: ' 1
mkdir -p "$r/etc/dkms" && touch "$r/etc/dkms/no-autoinstall"
hook 6.12.2+deb13-amd64
says "where nothing is built automatically, nothing is said" '' 0

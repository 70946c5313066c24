# SPDX-License-Identifier: GPL-2.0-or-later
# summary: a PV Debian with root on a virtio disk, its initramfs made by initramfs-tools
# extra: root-initramfs-tools
# suites: trixie
# time-limit: 1800
. $LAB/lib-virtio-root.sh
virtio_root pv lsinitramfs

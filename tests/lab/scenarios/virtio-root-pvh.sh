# SPDX-License-Identifier: GPL-2.0-or-later
# summary: a PVH Debian with root on a virtio disk, its initramfs made by dracut
# extra: root-dracut
# suites: trixie
# time-limit: 1800
. $LAB/lib-virtio-root.sh
virtio_root pvh lsinitrd

# SPDX-License-Identifier: GPL-2.0-or-later
# summary: a PVH guest uses virtio disk, NIC and rng over XenBus
# time-limit: 1800
# extra: tools
. $LAB/lib-virtio.sh
virtio_guest pvh

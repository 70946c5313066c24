#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# dracut's module virtio-xenbus: the root file system may be on a virtio disk of Xen.
# Not add_drivers= in a configuration file: a kernel that has no virtio_xenbus would
# lose all drivers that come after it in that list.

check() { return 0; }

depends() { return 0; }

# Also where this machine does not use them yet.
installkernel() { hostonly='' instmods virtio_xenbus virtio_blk; }

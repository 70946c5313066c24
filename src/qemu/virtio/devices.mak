# SPDX-License-Identifier: GPL-2.0-or-later
# Everything qemu-virtio can emulate: virtio devices on XenBus, one machine.
# It has no PCI, no firmware, no display.

# Machine xen-virtio, and with it the transport.
CONFIG_XEN_VIRTIO=y

# xl's disk= with specification=virtio, and type=virtio,deviceN of virtio=.
CONFIG_VIRTIO_BLK=y
CONFIG_VIRTIO_NET=y
CONFIG_VIRTIO_SERIAL=y
CONFIG_VIRTIO_RNG=y
CONFIG_VIRTIO_9P=y

# What 7.2's target and its Xen files do not link without; later versions select
# or stub it.  The machine has none of it, and no bus to plug it in.
7.2: CONFIG_APIC=y
7.2: CONFIG_IOAPIC=y
7.2: CONFIG_PCI=y
7.2: CONFIG_ISA_BUS=y
7.2: CONFIG_MC146818RTC=y

# SPDX-License-Identifier: GPL-2.0-or-later
# What the emulated Xen host is made of (xenlab/emulator.py, machine_args).
CONFIG_Q35=y
CONFIG_VIRTIO_PCI=y
CONFIG_VIRTIO_BLK=y
CONFIG_VIRTIO_SERIAL=y
# machine: iommu
CONFIG_VTD=y
CONFIG_E1000_PCI=y
CONFIG_E1000E_PCI_EXPRESS=y

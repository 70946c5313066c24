# SPDX-License-Identifier: GPL-2.0-or-later
# Everything the stubdomain's QEMU can emulate.  The build starts from nothing
# (--without-default-devices): what is not here, and not needed by what is here,
# does not exist in the binary.  The list follows what libxl can ask for
# (libxl_dm.c, libxl_usb.c); required.list and forbidden.list prove it.
# A line "SERIES: CONFIG_X=y" holds for that series only.

# Machines: xenfv and "pc,accel=xen".
CONFIG_I440FX=y

# Disks hd* and CD: IDE, or AHCI with hdtype="ahci".
CONFIG_IDE_PIIX=y
CONFIG_AHCI_ICH9=y
# Disks sd*.
CONFIG_LSI_SCSI_PCI=y

# Network cards: model=rtl8139 (libxl's default), e1000, virtio-net-pci.
CONFIG_RTL8139_PCI=y
CONFIG_E1000_PCI=y
CONFIG_VIRTIO_PCI=y
CONFIG_VIRTIO_NET=y
# For guests without PV drivers, by device_model_args_hvm.
CONFIG_VIRTIO_BLK=y

# Screen: vga="stdvga" and vga="cirrus".
CONFIG_VGA_PCI=y
CONFIG_VGA_CIRRUS=y

# USB: usbversion 1 (UHCI), 2 (ICH9 EHCI with its UHCI companions), 3 (NEC xHCI);
# tablet, mouse and keyboard, and the hub they need when there are more than two.
CONFIG_USB_UHCI=y
CONFIG_USB_EHCI_PCI=y
CONFIG_USB_XHCI_NEC=y
# QEMU 7.2 has HID and hub in its USB core.
10.0: CONFIG_USB_HID=y
10.0: CONFIG_USB_HUB=y

# Sound cards: soundhw= hda, ac97, es1370.  Silent: no audio backend is built.
CONFIG_HDA=y
CONFIG_AC97=y
CONFIG_ES1370=y

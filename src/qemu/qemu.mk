# SPDX-License-Identifier: GPL-2.0-or-later
# The stubdomain's QEMU: the suite's source package, our series on top, and only
# the devices of devices.mak.  Installed as $(LIBEXECDIR)/qemu-stubdom.
#
# Within a package build (no network, no chroot) use qemu-build:
#   make qemu-build QEMU_SOURCE_DIR=dir-with-dsc-or-tree O=dir
QEMU_DIR := src/qemu
QEMU_SOURCE_DIR ?=
QEMU_CACHED = QEMU_SOURCE_DIR=$(QEMU_SOURCE_DIR) $(QEMU_DIR)/cached.sh $(SUITE)

.PHONY: qemu qemu-build check-qemu check-qemu-reproducible
qemu:		## the stubdomain's QEMU: build/stubdom/SUITE/qemu-stubdom
	@$(QEMU_CACHED) $(BUILD)/stubdom/$(SUITE)

qemu-build:
	@$(QEMU_DIR)/build.sh $(or $(QEMU_SOURCE_DIR),$(error set QEMU_SOURCE_DIR)) $(or $(O),$(BUILD)/qemu)

check-qemu:	## that QEMU offers every device it must, none that it must not
	@$(QEMU_CACHED) --check

check-qemu-reproducible:	## build that QEMU again elsewhere: must be the same bytes
	@$(QEMU_CACHED) --again

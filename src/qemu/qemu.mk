# SPDX-License-Identifier: GPL-2.0-or-later
# The stubdomain's QEMU: the suite's source package, our series on top, and only
# the devices of devices.mak.  Installed as $(LIBEXECDIR)/qemu-stubdom.
#
# Within a package build (NO_CHROOT=1: no network, no chroot) it is built in place
# from QEMU_SOURCE_DIR, unless it is there already.  The same by hand:
#   make qemu-build QEMU_SOURCE_DIR=dir-with-dsc-or-tree O=dir
QEMU_DIR := src/qemu
QEMU_OUT = $(BUILD)/stubdom/$(SUITE)
QEMU_FILES := qemu-stubdom qemu-stubdom.info qemu-source-version
QEMU_SOURCE_DIR ?=
QEMU_CACHED = QEMU_SOURCE_DIR=$(QEMU_SOURCE_DIR) $(QEMU_DIR)/cached.sh $(SUITE)

.PHONY: qemu qemu-build check-qemu check-qemu-reproducible
qemu:		## the stubdomain's QEMU: build/stubdom/SUITE/qemu-stubdom
ifeq ($(NO_CHROOT),)
	@$(QEMU_CACHED) $(QEMU_OUT) $(QEMU_FILES)
else
	@test -e $(QEMU_OUT)/qemu-stubdom || $(MAKE) qemu-build O=$(BUILD)/qemu/$(SUITE)
	@test -e $(QEMU_OUT)/qemu-stubdom || install -D -p -t $(QEMU_OUT) \
		$(addprefix $(BUILD)/qemu/$(SUITE)/,$(QEMU_FILES))
endif

qemu-build:
	@$(QEMU_DIR)/build.sh $(or $(QEMU_SOURCE_DIR),$(error set QEMU_SOURCE_DIR: a .dsc's directory or a source tree)) \
		$(or $(O),$(BUILD)/qemu/$(SUITE))

check-qemu:	## that QEMU offers every device it must, none that it must not
	@$(QEMU_CACHED) --check

check-qemu-reproducible:	## build that QEMU again elsewhere: must be the same bytes
	@$(QEMU_CACHED) --again

# The backend of virtio over XenBus, from the same source and series.  Installed
# as $(LIBEXECDIR)/qemu-virtio.
QEMU_VIRTIO_OUT = $(BUILD)/virtio/$(SUITE)
QEMU_VIRTIO_FILES := qemu-virtio qemu-virtio.info qemu-source-version

.PHONY: qemu-virtio qemu-virtio-build check-qemu-virtio check-qemu-virtio-reproducible
qemu-virtio:	## QEMU for virtio over XenBus: build/virtio/SUITE/qemu-virtio
ifeq ($(NO_CHROOT),)
	@QEMU_KIND=virtio $(QEMU_CACHED) $(QEMU_VIRTIO_OUT) $(QEMU_VIRTIO_FILES)
else
	@test -e $(QEMU_VIRTIO_OUT)/qemu-virtio || $(MAKE) qemu-virtio-build O=$(BUILD)/qemu-virtio/$(SUITE)
	@test -e $(QEMU_VIRTIO_OUT)/qemu-virtio || install -D -p -t $(QEMU_VIRTIO_OUT) \
		$(addprefix $(BUILD)/qemu-virtio/$(SUITE)/,$(QEMU_VIRTIO_FILES))
endif

qemu-virtio-build:
	@$(QEMU_DIR)/build.sh $(or $(QEMU_SOURCE_DIR),$(error set QEMU_SOURCE_DIR: a .dsc's directory or a source tree)) \
		$(or $(O),$(BUILD)/qemu-virtio/$(SUITE)) virtio

check-qemu-virtio:	## that it offers what it must, and serves a driver without Xen (tests/qemu)
	@QEMU_KIND=virtio $(QEMU_CACHED) --check

check-qemu-virtio-reproducible:	## build it again elsewhere: must be the same bytes
	@QEMU_KIND=virtio $(QEMU_CACHED) --again

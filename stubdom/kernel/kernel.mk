# SPDX-License-Identifier: GPL-2.0-or-later
# The stubdomain's kernel: Debian's linux-source, tinyconfig and the numbered
# fragments in stubdom/kernel.
#
# Within a package build (NO_CHROOT=1: no network, no chroot) it is built in place
# from KERNEL_SOURCE_TARBALL, unless it is there already.  The same by hand:
#   make kernel-build KERNEL_SOURCE_TARBALL=/usr/src/linux-source-6.12.tar.xz O=dir
KERNEL_DIR := stubdom/kernel
KERNEL_OUT = $(BUILD)/stubdom/$(SUITE)
KERNEL_SOURCE_TARBALL ?=
KERNEL_CACHED = KERNEL_SOURCE_TARBALL=$(KERNEL_SOURCE_TARBALL) $(KERNEL_DIR)/cached.sh $(SUITE)

.PHONY: kernel kernel-build check-kernel-reproducible
kernel:		## the stubdomain's kernel: build/stubdom/SUITE/vmlinuz
ifeq ($(NO_CHROOT),)
	@$(KERNEL_CACHED) $(KERNEL_OUT)
else
	@test -e $(KERNEL_OUT)/vmlinuz || $(MAKE) kernel-build O=$(BUILD)/kernel/$(SUITE)
	@test -e $(KERNEL_OUT)/vmlinuz || install -D -m 644 -t $(KERNEL_OUT) \
		$(addprefix $(BUILD)/kernel/$(SUITE)/,config version vmlinuz)
endif

kernel-build:
	@$(KERNEL_DIR)/build.sh \
		$(or $(KERNEL_SOURCE_TARBALL),/usr/src/linux-source-6.12.tar.xz) $(or $(O),$(BUILD)/kernel/$(SUITE))

check-kernel-reproducible:	## build the kernel again elsewhere: must be the same bytes
	@$(KERNEL_CACHED) --again

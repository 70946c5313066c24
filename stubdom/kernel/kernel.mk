# SPDX-License-Identifier: GPL-2.0-or-later
# The stubdomain's kernel: Debian's linux-source, tinyconfig and the numbered
# fragments in stubdom/kernel.
#
# Within a package build (no network, no chroot) use kernel-build:
#   make kernel-build KERNEL_SOURCE_TARBALL=/usr/src/linux-source-6.12.tar.xz O=dir
KERNEL_DIR := stubdom/kernel
KERNEL_SOURCE_TARBALL ?=

.PHONY: kernel kernel-build check-kernel-reproducible
kernel:		## the stubdomain's kernel: build/stubdom/SUITE/vmlinuz
	@KERNEL_SOURCE_TARBALL=$(KERNEL_SOURCE_TARBALL) \
		$(KERNEL_DIR)/cached.sh $(SUITE) $(BUILD)/stubdom/$(SUITE)

kernel-build:
	@$(KERNEL_DIR)/build.sh \
		$(or $(KERNEL_SOURCE_TARBALL),/usr/src/linux-source-6.12.tar.xz) $(or $(O),$(BUILD)/kernel)

check-kernel-reproducible:	## build the kernel again elsewhere: must be the same bytes
	@KERNEL_SOURCE_TARBALL=$(KERNEL_SOURCE_TARBALL) $(KERNEL_DIR)/cached.sh $(SUITE) --again

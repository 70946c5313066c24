# SPDX-License-Identifier: GPL-2.0-or-later
# The stubdomain's image from the parts in build/, assembled by `xen-stubdom
# build` in a chroot that has only what a user's machine has to have.
#   make image SUITE=trixie [IMAGE_ARGS=--debug]
IMAGE_PARTS = $(BUILD)/stubdom/$(SUITE)
IMAGE_OUT = $(IMAGE_PARTS)/image
IMAGE_ARGS ?=
# The programs as this suite's compiler and libraries make them.
USER_SUITE = $(BUILD)/user-$(SUITE)

.PHONY: user-suite image image-only check-image
user-suite:
	@$(CHROOT) run $(SUITE) build --bind $(CURDIR):/xen-extras --dir /xen-extras -- \
		$(MAKE) user SUITE=$(SUITE) OUT=$(USER_SUITE) CFLAGS="-O2 -g -ffile-prefix-map=/xen-extras=."

image: kernel qemu user-suite image-only	## stubdomain image: build/stubdom/SUITE/image/{kernel,rootfs,manifest}

# From what is in build/ already; a developer's stand-ins, too.
image-only:
	@for p in vmlinuz qemu-stubdom qemu-stubdom.info; do \
		test -s $(IMAGE_PARTS)/$$p || { echo "image: $(IMAGE_PARTS)/$$p is missing: run 'make kernel qemu SUITE=$(SUITE)'" >&2; exit 1; }; done
	@mkdir -p $(IMAGE_OUT)
	@$(CHROOT) run $(SUITE) image --bind $(CURDIR):/xen-extras --dir /xen-extras -- \
		$(USER_SUITE)/xen-stubdom build --kernel $(IMAGE_PARTS)/vmlinuz \
		--qemu $(IMAGE_PARTS)/qemu-stubdom --init $(USER_SUITE)/stubdom-init \
		--module stubdom/dracut/50xen-stubdom --output $(IMAGE_OUT) $(IMAGE_ARGS)

# For hosts that build nothing themselves: the image in a package of its own, of
# another source package (stubdom/prebuilt), built on a clean machine of SUITE
# with our packages installed.  REVISION: another image of the same xen-extras.
PREBUILT_OUT = $(BUILD)/prebuilt/$(SUITE)
REVISION ?= 1

.PHONY: prebuilt
prebuilt:	## package with a ready-made image of SUITE: build/prebuilt/SUITE/
	@ls $(BUILD)/deb/$(SUITE)/xen-stubdom-utils_*.deb >/dev/null 2>&1 || $(MAKE) deb SUITE=$(SUITE)
	@echo "prebuilt $(SUITE): building the package of the image"
	@stubdom/prebuilt/build.sh $(SUITE) $(BUILD)/deb/$(SUITE) $(PREBUILT_OUT) $(REVISION)
	@cd $(PREBUILT_OUT) && ls -l *.deb kernel rootfs | awk '{ printf "prebuilt: %s (%d KB)\n", $$NF, $$5 / 1024 }'

# Needs root (mounts). The suite's real kernel and QEMU: `make image` made them.
check-image: kernel qemu user-suite	## the image: same bytes again; broken, interrupted, full disk: the old one stays
	@tests/image/test_image.py $(SUITE) $(IMAGE_PARTS) $(USER_SUITE) $(TESTS)

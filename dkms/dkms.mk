# SPDX-License-Identifier: GPL-2.0-or-later
# The guest's driver, built as dkms builds it: against a distribution's headers.
# MODULE_SUITE is a suite of Debian, or one with its backports.
MODULE_SUITES := trixie bookworm trixie-backports
MODULE_SUITE ?= $(SUITE)
MODULE_OUT = $(BUILD)/module/$(MODULE_SUITE)
MODULE_FILES := $(wildcard dkms/virtio_xenbus/*.[ch]) dkms/virtio_xenbus/Kbuild $(wildcard src/protocol/*.[ch])

.PHONY: module check-module
module:		## the guest's driver for MODULE_SUITE's kernel: build/module/SUITE/virtio_xenbus.ko
	@rm -rf $(MODULE_OUT)
	@install -D -m 644 -t $(MODULE_OUT) $(MODULE_FILES)
	@$(CHROOT) run $(MODULE_SUITE) module --bind $(abspath $(MODULE_OUT)):/mnt/module --bind $(CURDIR)/tests/dkms:/mnt/dkms --dir /mnt/module -- sh -euc ' \
		h=$$(echo /lib/modules/*/build) && \
		echo "module: $(MODULE_SUITE), Linux $$(basename $${h%/build})" && \
		c=$(if $(SPARSE),2,0); v=$$(readlink -f /usr/src/linux-headers-*-common/scripts 2>/dev/null || :) cf=; \
		if [ $$c = 2 ] && grep -qs checker-valid.sh /usr/src/linux-headers-*-common/Makefile && \
			[ ! -e "$$v/checker-valid.sh" ]; then \
			mkdir -p /mnt/module/.scripts/up /mnt/module/.scripts/work; \
			cf="-include /mnt/dkms/sparse.h"; cp /mnt/dkms/checker-valid.sh /mnt/module/.scripts/up/; \
			mount -t overlay overlay -o "lowerdir=$$v,upperdir=/mnt/module/.scripts/up,workdir=/mnt/module/.scripts/work" "$$v"; fi; \
		make -s -C "$$h" M=/mnt/module W=1 C=$$c CF="-Wsparse-error $$cf" KCFLAGS=-Werror modules && \
		modinfo -F vermagic virtio_xenbus.ko >vermagic'

check-module:	## build the driver for every kernel it is for: no warning, sparse clean
	@passed=0 failed=0; for s in $(MODULE_SUITES); do \
		if $(MAKE) --no-print-directory module MODULE_SUITE=$$s SPARSE=1; then \
			echo "ok - module for $$s"; passed=$$((passed + 1)); \
		else echo "not ok - module for $$s"; failed=$$((failed + 1)); fi; done; \
	echo "$$passed passed, $$failed failed"; [ $$failed = 0 ]

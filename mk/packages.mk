# SPDX-License-Identifier: GPL-2.0-or-later
# Installation of the parts, and the packages made of them.

# Xen version of the suite the parts are built for: the names that libxl looks
# up stand in a directory of that version.
XENV ?= $(if $(filter bookworm,$(SUITE)),4.17,4.20)
XEN_BOOT ?= $(PREFIX)/lib/xen-$(XENV)/boot
STUBDOM_OUT := $(BUILD)/stubdom/$(SUITE)
DRACUT_MODULES ?= $(PREFIX)/lib/dracut/modules.d
COMPLETIONS ?= $(PREFIX)/share/bash-completion/completions

# What xen-virtiod and xen-virtio bring; everything else is the stubdomains'.
VIRTIO_UNITS := systemd/xen-virtiod.service systemd/xen-virtio-backend@.service
VIRTIO_MAN := docs/man/xen-virtiod.8 docs/man/xen-virtio.8 docs/man/xen-virtio-config.5

.PHONY: install-utils install-virtio install-kernel install-qemu install-links install-dkms install
install: install-utils install-virtio install-kernel install-qemu install-links install-dkms	## install everything below DESTDIR

install-utils: install-user
	install -D -m 644 -t $(DESTDIR)$(UNITDIR) $(filter-out $(VIRTIO_UNITS),$(wildcard systemd/*.service))
	install -D -m 755 -t $(DESTDIR)$(DRACUT_MODULES)/50xen-stubdom stubdom/dracut/50xen-stubdom/module-setup.sh
	for m in $(filter-out $(VIRTIO_MAN) docs/man/virtio_xenbus.4,$(wildcard docs/man/*.[0-9])); do install -D -m 644 -t $(DESTDIR)$(MANDIR)/man$${m##*.} $$m || exit; done
	ln -sf xen-stubdomd.8 $(DESTDIR)$(MANDIR)/man8/xen-stubdomd.service.8
	[ ! -f src/stubdom-cli/xen-stubdom.bash ] || \
		install -D -m 644 src/stubdom-cli/xen-stubdom.bash $(DESTDIR)$(COMPLETIONS)/xen-stubdom

install-virtio: install-user-virtio
	install -D -m 644 -t $(DESTDIR)$(UNITDIR) $(VIRTIO_UNITS)
	for m in $(VIRTIO_MAN); do install -D -m 644 -t $(DESTDIR)$(MANDIR)/man$${m##*.} $$m || exit; done
	ln -sf xen-virtiod.8 $(DESTDIR)$(MANDIR)/man8/xen-virtiod.service.8
	ln -sf xen-virtiod.8 $(DESTDIR)$(MANDIR)/man8/xen-virtio-backend@.service.8
	install -D -m 644 src/virtio-cli/xen-virtio.bash $(DESTDIR)$(COMPLETIONS)/xen-virtio

# Kernel and QEMU are built by targets of their own (`make kernel qemu`, or
# kernel-build and qemu-build within a package build).
install-kernel:
	install -D -m 644 $(STUBDOM_OUT)/vmlinuz $(DESTDIR)$(PREFIX)/lib/xen-extras/stubdom/vmlinuz
	install -D -m 644 $(STUBDOM_OUT)/config $(DESTDIR)$(PREFIX)/share/doc/xen-stubdom-kernel/config

install-qemu:
	install -D -m 755 $(STUBDOM_OUT)/qemu-stubdom $(DESTDIR)$(LIBEXECDIR)/qemu-stubdom
	install -D -m 644 $(STUBDOM_OUT)/qemu-stubdom.info $(DESTDIR)$(DATADIR)/qemu-stubdom.info

install-qemu-virtio:
	install -D -m 755 $(QEMU_VIRTIO_OUT)/qemu-virtio $(DESTDIR)$(LIBEXECDIR)/qemu-virtio
	install -D -m 644 $(QEMU_VIRTIO_OUT)/qemu-virtio.info $(DESTDIR)$(DATADIR)/qemu-virtio.info

# Owned by the package, so that `dpkg -S` knows them; the image they point to
# is assembled on the host.
install-links:
	mkdir -p $(DESTDIR)$(XEN_BOOT)
	ln -sfn /var/lib/xen-stubdom/$(XENV)/current/kernel $(DESTDIR)$(XEN_BOOT)/qemu-stubdom-linux-kernel
	ln -sfn /var/lib/xen-stubdom/$(XENV)/current/rootfs $(DESTDIR)$(XEN_BOOT)/qemu-stubdom-linux-rootfs

# The driver's sources, for dkms; its dkms.conf gets its version from dh_dkms or
# the spec.  Root on a virtio disk: both makers of an initramfs are told.
install-dkms:
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/src/virtio-xenbus-$(VERSION) $(MODULE_FILES)
	install -m 755 -t $(DESTDIR)$(PREFIX)/src/virtio-xenbus-$(VERSION) dkms/virtio_xenbus/build-or-skip
	install -D -m 644 docs/man/virtio_xenbus.4 $(DESTDIR)$(MANDIR)/man4/virtio_xenbus.4
	install -D -m 644 dkms/initramfs-tools $(DESTDIR)$(PREFIX)/share/initramfs-tools/modules.d/virtio-xenbus
	install -D -m 755 dkms/dracut-module.sh $(DESTDIR)$(DRACUT_MODULES)/50virtio-xenbus/module-setup.sh

DEB_OUT := $(BUILD)/deb/$(SUITE)
DEB_SRC := $(BUILD)/deb-src/$(SUITE)/xen-extras-$(VERSION)

# Built in the suite's chroot from a copy of the tracked files. Kernel and QEMU
# are built (or taken from the cache) first, where the network is; the package
# build itself has none.  Debug symbols go to dbgsym/: *.deb is what to install.
.PHONY: deb
deb: deps kernel qemu qemu-virtio	## Debian packages of SUITE, into build/deb/SUITE/
	@rm -rf $(BUILD)/deb-src/$(SUITE) $(DEB_OUT).new && mkdir -p $(DEB_SRC) $(DEB_OUT).new
	@git -c safe.directory='*' ls-files -z | xargs -0 sh -c 'for f; do [ ! -e "$$f" ] || printf "%s\0" "$$f"; done' sh | \
		tar -c --null -T - | tar -x -C $(DEB_SRC)
	@mkdir -p $(DEB_SRC)/$(STUBDOM_OUT) && cp -p $(addprefix $(STUBDOM_OUT)/,vmlinuz config qemu-stubdom qemu-stubdom.info qemu-source-version) $(DEB_SRC)/$(STUBDOM_OUT)/
	@mkdir -p $(DEB_SRC)/$(QEMU_VIRTIO_OUT) && cp -p $(addprefix $(QEMU_VIRTIO_OUT)/,$(QEMU_VIRTIO_FILES)) $(DEB_SRC)/$(QEMU_VIRTIO_OUT)/
	@echo "deb $(SUITE): building packages (log: $(BUILD)/log/deb-$(SUITE).log)"
	@mkdir -p $(BUILD)/log
	@$(CHROOT) run $(SUITE) build --net-off --bind $(CURDIR)/$(BUILD)/deb-src/$(SUITE):/build/deb \
		--dir /build/deb/xen-extras-$(VERSION) -- \
		env XEN_EXTRAS_CACHE=/nonexistent \
		sh -euc 'make -f debian/rules debian/control && dpkg-buildpackage -us -uc -b -d' \
		>$(BUILD)/log/deb-$(SUITE).log 2>&1 || { tail -n 40 $(BUILD)/log/deb-$(SUITE).log; exit 1; }
	@mkdir $(DEB_OUT).new/dbgsym && mv $(BUILD)/deb-src/$(SUITE)/*-dbgsym_*.deb $(DEB_OUT).new/dbgsym/
	@mv $(BUILD)/deb-src/$(SUITE)/*.deb $(BUILD)/deb-src/$(SUITE)/*.changes $(BUILD)/deb-src/$(SUITE)/*.buildinfo $(DEB_OUT).new/
	@rm -rf $(DEB_OUT) && mv $(DEB_OUT).new $(DEB_OUT)
	@cd $(DEB_OUT) && ls -l *.deb | awk '{ printf "deb: %s (%d KB)\n", $$NF, $$5 / 1024 }'

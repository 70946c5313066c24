# SPDX-License-Identifier: GPL-2.0-or-later
# Installation of the parts, and the packages made of them.

# Xen version of the suite the parts are built for: the names that libxl looks
# up stand in a directory of that version.
XENV ?= $(if $(filter bookworm,$(SUITE)),4.17,4.20)
XEN_BOOT ?= $(PREFIX)/lib/xen-$(XENV)/boot
STUBDOM_OUT := $(BUILD)/stubdom/$(SUITE)
DRACUT_MODULES ?= $(PREFIX)/lib/dracut/modules.d
COMPLETIONS ?= $(PREFIX)/share/bash-completion/completions

SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
PRESETDIR ?= $(PREFIX)/lib/systemd/system-preset
SYSCTLDIR ?= $(PREFIX)/lib/sysctl.d
SYSCONFDIR ?= /etc

# What xen-virtiod and xen-virtio bring; everything else is the stubdomains'.
VIRTIO_UNITS := systemd/xen-virtiod.service systemd/xen-virtio-backend@.service
VIRTIO_MAN := docs/man/xen-virtiod.8 docs/man/xen-virtio.8 docs/man/xen-virtio-config.5

.PHONY: install-utils install-virtio install-kernel install-qemu install-links install-dkms install
install: install-utils install-virtio install-kernel install-qemu install-links install-dkms	## install everything below DESTDIR

install-utils: install-user
	install -D -m 644 -t $(DESTDIR)$(UNITDIR) $(filter-out $(VIRTIO_UNITS),$(wildcard systemd/*.service))
	install -D -m 644 systemd/session-xendomains.conf $(DESTDIR)$(UNITDIR)/session-.scope.d/50-xendomains.conf
	install -D -m 644 -t $(DESTDIR)$(PRESETDIR) systemd/90-xen-stubdom.preset
	install -D -m 644 systemd/xen-stubdom.sysusers $(DESTDIR)$(SYSUSERSDIR)/xen-stubdom.conf
	install -D -m 755 -t $(DESTDIR)$(DRACUT_MODULES)/50xen-stubdom stubdom/dracut/50xen-stubdom/module-setup.sh
	for m in $(filter-out $(VIRTIO_MAN) docs/man/virtio_xenbus.4,$(wildcard docs/man/*.[0-9])); do install -D -m 644 -t $(DESTDIR)$(MANDIR)/man$${m##*.} $$m || exit; done
	ln -sf xen-stubdomd.8 $(DESTDIR)$(MANDIR)/man8/xen-stubdomd.service.8
	[ ! -f src/stubdom/cli/xen-stubdom.bash ] || \
		install -D -m 644 src/stubdom/cli/xen-stubdom.bash $(DESTDIR)$(COMPLETIONS)/xen-stubdom

install-virtio: install-user-virtio
	install -D -m 644 -t $(DESTDIR)$(UNITDIR) $(VIRTIO_UNITS)
	install -D -m 644 -t $(DESTDIR)$(PRESETDIR) systemd/90-xen-virtio.preset
	install -D -m 644 systemd/xen-virtio.sysctl $(DESTDIR)$(SYSCTLDIR)/60-xen-virtio.conf
	install -D -m 644 systemd/needrestart-xen-virtio.conf $(DESTDIR)$(SYSCONFDIR)/needrestart/conf.d/xen-virtio.conf
	for m in $(VIRTIO_MAN); do install -D -m 644 -t $(DESTDIR)$(MANDIR)/man$${m##*.} $$m || exit; done
	ln -sf xen-virtiod.8 $(DESTDIR)$(MANDIR)/man8/xen-virtiod.service.8
	ln -sf xen-virtiod.8 $(DESTDIR)$(MANDIR)/man8/xen-virtio-backend@.service.8
	install -D -m 644 src/virtio/cli/xen-virtio.bash $(DESTDIR)$(COMPLETIONS)/xen-virtio

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
DEB_SRC := $(BUILD)/deb-src/$(SUITE)
DEB_TREE ?= $(BUILD)/deb-tree/$(SUITE)
DEB_LOG = $(BUILD)/log/deb-$(SUITE).log

.PHONY: deb deb-src deb-tree check-deb-from-source
deb-src: deps	## Debian source package of SUITE, into build/deb-src/SUITE/
	@q=$$($(QEMU_CACHED) --source) && mk/deb-source.sh $(SUITE) $(DEB_SRC) "$$q"
	@cd $(DEB_SRC) && ls -l *.dsc *.tar.* | awk '{ printf "deb-src: %s (%d KB)\n", $$NF, $$5 / 1024 }'

# All that deb-build.sh needs in a chroot.  Kernel and QEMU are built (or taken from
# the cache) first, where the network is.  Which source package the kernel is of:
# the same question as stubdom/kernel/cached.sh asks.
deb-tree: deb-src kernel qemu qemu-virtio
	@rm -rf $(DEB_TREE) && mkdir -p $(addprefix $(DEB_TREE)/prebuilt/,stubdom/$(SUITE) virtio/$(SUITE))
	@cp -r $(DEB_SRC) $(DEB_TREE)/src && cp mk/deb-build.sh $(DEB_TREE)/
	@cp -p $(addprefix $(STUBDOM_OUT)/,vmlinuz config $(QEMU_FILES)) $(DEB_TREE)/prebuilt/stubdom/$(SUITE)/
	@cp -p $(addprefix $(QEMU_VIRTIO_OUT)/,$(QEMU_VIRTIO_FILES)) $(DEB_TREE)/prebuilt/virtio/$(SUITE)/
	@$(CHROOT) run $(SUITE) build --net-off -- apt-cache show --no-all-versions linux-source-6.12 | \
		awk '/^Version:/ { v = $$2 } /^Source:/ { s = $$2; if ($$3) v = $$3 } \
			END { gsub(/[()]/, "", v); if (!s || !v) exit 1; print s " (= " v ")" }' \
		>$(DEB_TREE)/prebuilt/stubdom/$(SUITE)/kernel-source

# From that source package, in the suite's chroot and without network.  Debug symbols
# go to dbgsym/: *.deb is what to install.
deb: deb-tree	## Debian packages of SUITE, into build/deb/SUITE/
	@echo "deb $(SUITE): building packages (log: $(DEB_LOG))"
	@mkdir -p $(BUILD)/log
	@$(CHROOT) run $(SUITE) build --net-off --bind $(abspath $(DEB_TREE)):/build/deb -- /build/deb/deb-build.sh \
		>$(DEB_LOG) 2>&1 || { tail -n 40 $(DEB_LOG); exit 1; }
	@rm -rf $(DEB_OUT).new && mkdir -p $(DEB_OUT).new/dbgsym
	@mv $(DEB_TREE)/*-dbgsym_*.deb $(DEB_OUT).new/dbgsym/
	@mv $(DEB_TREE)/*.deb $(DEB_TREE)/*.changes $(DEB_TREE)/*.buildinfo $(DEB_OUT).new/
	@rm -rf $(DEB_TREE) $(DEB_OUT) && mv $(DEB_OUT).new $(DEB_OUT)
	@cd $(DEB_OUT) && ls -l *.deb | awk '{ printf "deb: %s (%d KB)\n", $$NF, $$5 / 1024 }'

# Nothing from the cache: kernel and both QEMUs are compiled within the package build.
check-deb-from-source:	## build the packages from the .dsc alone: must be the same bytes (an hour)
	@mkdir -p $(BUILD)/packages/slow
	@DEB_SUITES=$(SUITE) tests/packages/run.sh slow/deb-from-source

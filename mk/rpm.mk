# SPDX-License-Identifier: GPL-2.0-or-later
# The rpms, from rpm/xen-extras.spec, built in a Debian chroot with Fedora's and
# EL's macros set by hand; docs/fedora.md says what that shows and what not.
#
#   build/rpm/fedora-43/  build/rpm/el10/  build/rpm/source/
#
# Kernel and QEMU are those of `make deb`.  On Fedora the spec compiles them; what
# it needs there is `make rpm-source`.

RPM_SUITE := trixie
# As debian/changelog's, without a Debian revision.
RPM_VERSION ?= $(shell echo '$(VERSION)' | sed 's/-[^-]*$$//')
RPM_RELEASE ?= 1
RPM_OUT ?= $(BUILD)/rpm
# Where it is built in the chroot, and more of rpmbuild's options.
RPM_TOPDIR ?= /builddir
RPM_FLAGS ?=
# A directory with the two tarballs that the spec names: then the source package
# has them in it.
RPM_TARBALLS ?=

RPM_WORK = $(RPM_OUT).work
RPM_STUBDOM = $(BUILD)/stubdom/$(RPM_SUITE)
RPM_VIRTIO = $(BUILD)/virtio/$(RPM_SUITE)
RPM_LOG = $(BUILD)/log/$(notdir $(RPM_OUT)).log
# x86_64: rpm would take the level of this machine's processor for the architecture.
# With --target, --load is forgotten: the macros are the user's own.
RPM_BUILD = $(CHROOT) run $(RPM_SUITE) rpm --net-off --bind $(abspath $(RPM_WORK)):$(RPM_TOPDIR) --dir $(RPM_TOPDIR) -- \
	env LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) HOME=$(RPM_TOPDIR) rpmbuild --target x86_64-linux --nodeps --define '_topdir $(RPM_TOPDIR)'
RPM_FEDORA = --define 'fedora 43' --define 'dist .fc43'
RPM_EL = --define 'rhel 10' --define 'dist .el10'
RPM_RUN = >>$(RPM_LOG) 2>&1 || { tail -n 40 $(RPM_LOG); exit 1; }

# A version as the spec states it.
RPM_STATED = $(shell sed -n 's/.*%global $(1) \([0-9.]*\)}*$$/\1/p' rpm/xen-extras.spec)

.PHONY: rpm rpm-source rpm-srpm rpm-parts rpm-version
rpm-version:
	@echo $(RPM_VERSION)

# Not `deps`: this runs on a Fedora machine too.
rpm-source:	## rpm sources: spec and tarball, for a Fedora machine: build/rpm.work/
	@rm -rf $(RPM_WORK) && mkdir -p $(RPM_WORK)/SPECS $(RPM_WORK)/SOURCES $(BUILD)/log
	@cp rpm/macros.debian $(RPM_WORK)/.rpmmacros
	@awk -v newest=$(RPM_VERSION)-$(RPM_RELEASE) -f rpm/changelog.awk debian/changelog >$(RPM_WORK)/changelog
	@sed -e 's/@VERSION@/$(RPM_VERSION)/; s/@RELEASE@/$(RPM_RELEASE)/' \
		-e '/^@CHANGELOG@$$/{r $(RPM_WORK)/changelog' -e 'd}' rpm/xen-extras.spec >$(RPM_WORK)/SPECS/xen-extras.spec
	@git -c safe.directory='*' ls-files | LC_ALL=C sort | while read -r f; do [ ! -e "$$f" ] || echo "$$f"; done | \
		tar -c -T - --owner=0 --group=0 --numeric-owner --mode=u+rw,go+r,go-w --mtime=@$(SOURCE_DATE_EPOCH) \
		--transform='s,^,xen-extras-$(RPM_VERSION)/,' | gzip -n >$(RPM_WORK)/SOURCES/xen-extras-$(RPM_VERSION).tar.gz

# What the bcond prebuilt_parts takes instead of compiling.
rpm-parts: deps rpm-source
	@$(MAKE) SUITE=$(RPM_SUITE) kernel qemu qemu-virtio
	@mkdir -p $(RPM_WORK)/parts/build/stubdom/rpm $(RPM_WORK)/parts/build/virtio/rpm
	@cp $(addprefix $(RPM_STUBDOM)/,vmlinuz config qemu-stubdom qemu-stubdom.info) $(RPM_WORK)/parts/build/stubdom/rpm/
	@cp $(addprefix $(RPM_VIRTIO)/,qemu-virtio qemu-virtio.info) $(RPM_WORK)/parts/build/virtio/rpm/
	@cd $(RPM_WORK)/parts && tar -c --sort=name --owner=0 --group=0 --numeric-owner --mtime=@$(SOURCE_DATE_EPOCH) build | \
		gzip -1 -n >../SOURCES/xen-extras-parts-$(RPM_VERSION).tar.gz

# (rpm looks for sources even when the spec says that they are not to be in.)
rpm-srpm: rpm-source
	@sed -n 's,^Source[12]:.*/,,p' $(RPM_WORK)/SPECS/xen-extras.spec | \
		sed 's/%{kernel_version}/$(call RPM_STATED,kernel_version)/; s/%{qemu_version}/$(call RPM_STATED,qemu_version)/' | while read -r f; do \
		$(if $(RPM_TARBALLS),cp $(RPM_TARBALLS)/$$f,: >)$(if $(RPM_TARBALLS), )$(RPM_WORK)/SOURCES/$$f || exit; done
	@: >$(RPM_LOG)
	@$(RPM_BUILD) $(RPM_FEDORA) $(if $(RPM_TARBALLS),,--without tarballs) -bs SPECS/xen-extras.spec $(RPM_RUN)
	@rm -rf $(RPM_OUT) && mkdir -p $(RPM_OUT)/source && cp $(RPM_WORK)/SRPMS/*.rpm $(RPM_OUT)/source/

rpm: rpm-srpm rpm-parts	## rpms for Fedora 43 and EL 10 (the driver) and their source: build/rpm/
	@echo "rpm: building packages (log: $(RPM_LOG))"
	@$(RPM_BUILD) $(RPM_EL) -bb SPECS/xen-extras.spec $(RPM_RUN)
	@$(RPM_BUILD) $(RPM_FEDORA) --with prebuilt_parts $(RPM_FLAGS) \
		--define "kernel_version $$(cut -d- -f1 $(RPM_STUBDOM)/version)" \
		--define "qemu_version $$(sed -n 's/^qemu //p' $(RPM_STUBDOM)/qemu-stubdom.info)" \
		-bb SPECS/xen-extras.spec $(RPM_RUN)
	@mkdir -p $(RPM_OUT)/fedora-43/debug $(RPM_OUT)/el10
	@cp $(RPM_WORK)/RPMS/noarch/*.el10.noarch.rpm $(RPM_OUT)/el10/
	@cp $(RPM_WORK)/RPMS/*/*.fc43.*.rpm $(RPM_OUT)/fedora-43/
	@mv $(RPM_OUT)/fedora-43/*-debuginfo-*.rpm $(RPM_OUT)/fedora-43/debug/
	@rm -rf $(RPM_WORK)
	@cd $(RPM_OUT) && ls -l fedora-43/*.rpm el10/*.rpm source/*.rpm | awk '{ printf "rpm: %s (%d KB)\n", $$NF, $$5 / 1024 }'

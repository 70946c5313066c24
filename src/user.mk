# SPDX-License-Identifier: GPL-2.0-or-later
# The user-space programs.  One line per program: what it is made of and what it links.
#
# The same rules serve `make` on a developer's machine, the package build in a
# suite's chroot and the unit tests (tests/tests.mk reuses the object lists).

CC ?= gcc
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla $(if $(CI)$(WERROR),-Werror)
XE_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DXE_VERSION='"$(VERSION)"' -Isrc/include -Isrc/common $(WARN) -MMD -MP
OUT ?= $(BUILD)/user

XEN_LIBS := xenstore
COMMON := src/common/log.c src/common/xsh.c

# Each program's own sources, libraries (pkg-config names) and place.
stubdom-init_SRC = $(wildcard src/stubdom-init/*.c) $(COMMON) src/common/rtnl.c src/common/qmp_stream.c
stubdom-init_PKG = xenstore xenvchan xenevtchn json-c libmnl
stubdom-init_DIR = $(LIBEXECDIR)

xen-stubdomd_SRC = $(wildcard src/stubdomd/*.c) $(COMMON) src/common/sink_journal.c src/common/sha256file.c
xen-stubdomd_PKG = xenstore xencontrol libsystemd libcrypto
xen-stubdomd_DIR = $(SBINDIR)

xen-stubdom_SRC = $(wildcard src/stubdom-cli/*.c) src/stubdomd/ident.c $(COMMON) src/common/host.c src/common/findings.c src/common/sha256file.c
xen-stubdom_PKG = xenstore xencontrol xlutil xenlight json-c libarchive libcrypto
xen-stubdom_DIR = $(SBINDIR)

xen-virtiod_SRC = $(wildcard src/virtiod/*.c) $(COMMON) src/common/sink_journal.c src/common/rtnl.c src/common/qmp_stream.c
xen-virtiod_PKG = xenstore libsystemd libmnl json-c
xen-virtiod_DIR = $(SBINDIR)

xen-virtio_SRC = $(wildcard src/virtio-cli/*.c) $(addprefix src/virtiod/,nodes.c spec.c ids.c probe.c blockdev.c size.c qmp.c) \
	src/stubdom-cli/packages.c $(COMMON) src/common/host.c src/common/findings.c src/common/qmp_stream.c
xen-virtio_PKG = xenstore xlutil libsystemd json-c
xen-virtio_DIR = $(SBINDIR)

STUBDOM_PROGRAMS := stubdom-init xen-stubdomd xen-stubdom
VIRTIO_PROGRAMS := xen-virtiod xen-virtio
PROGRAMS := $(STUBDOM_PROGRAMS) $(VIRTIO_PROGRAMS)

.PHONY: user install-user install-user-virtio
user: $(PROGRAMS:%=$(OUT)/%)

# $(1): program
define PROGRAM_RULE
$(1)_OBJ := $$(sort $$(patsubst src/%.c,$(OUT)/obj/$(1)/%.o,$$($(1)_SRC)))
$(OUT)/$(1): $$($(1)_OBJ)
	@echo "  LD    $$@"
	@$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(shell pkg-config --libs $$($(1)_PKG)) $$($(1)_LIBS)
$$($(1)_OBJ): $(OUT)/obj/$(1)/%.o: src/%.c
	@mkdir -p $$(@D)
	@echo "  CC    $$<"
	@$$(CC) $$(XE_CFLAGS) $$(shell pkg-config --cflags $$($(1)_PKG)) $$(CPPFLAGS) $$(CFLAGS) -c -o $$@ $$<
-include $$($(1)_OBJ:.o=.d)
endef
$(foreach p,$(PROGRAMS),$(eval $(call PROGRAM_RULE,$(p))))

install-user: user
	$(foreach p,$(STUBDOM_PROGRAMS),install -D -m 755 $(OUT)/$(p) $(DESTDIR)$($(p)_DIR)/$(p);)

install-user-virtio: user
	$(foreach p,$(VIRTIO_PROGRAMS),install -D -m 755 $(OUT)/$(p) $(DESTDIR)$($(p)_DIR)/$(p);)

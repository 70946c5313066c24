# SPDX-License-Identifier: GPL-2.0-or-later
# The user-space programs.  One line per program: what it is made of and what it links.
#
# The same rules serve `make` on a developer's machine, the package build in a
# suite's chroot and the unit tests.

CC ?= gcc
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla $(if $(CI)$(WERROR),-Werror)
XE_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DXE_VERSION='"$(VERSION)"' -iquote src/lib -iquote src/include -iquote src/protocol $(WARN) -MMD -MP
OUT ?= $(BUILD)/user

# What programs share: a program takes of it what it uses, and links what that needs.
LIB_SRC := $(sort $(wildcard src/lib/*/*.c))
LIB_PKG := xenstore xlutil libsystemd libmnl json-c libcrypto libseccomp xengnttab xenevtchn

# Each program's own sources, libraries (pkg-config names) and place.
stubdom-init_SRC = $(wildcard src/stubdom/init/*.c)
stubdom-init_PKG = xenstore xenvchan xenevtchn json-c libmnl
stubdom-init_DIR = $(LIBEXECDIR)

xen-stubdomd_SRC = $(wildcard src/stubdom/daemon/*.c)
xen-stubdomd_PKG = xenstore xencontrol libsystemd libcrypto
xen-stubdomd_DIR = $(SBINDIR)

xen-state-disk_SRC = $(wildcard src/stubdom/state/*.c)
xen-state-disk_PKG = xengnttab xenevtchn libseccomp
xen-state-disk_DIR = $(LIBEXECDIR)

xen-stubdom-pv_SRC = $(wildcard src/stubdom/pv/*.c)
xen-stubdom-pv_PKG = xenstore xengnttab xenevtchn json-c libseccomp
xen-stubdom-pv_DIR = $(LIBEXECDIR)

xen-stubdom-vnc_SRC = $(wildcard src/stubdom/vnc/*.c)
xen-stubdom-vnc_PKG = xengnttab xenevtchn xenforeignmemory libvncserver xkbcommon libseccomp
xen-stubdom-vnc_DIR = $(LIBEXECDIR)

xen-stubdom_SRC = $(wildcard src/stubdom/cli/*.c)
xen-stubdom_PKG = xenstore xencontrol xlutil xenlight json-c libarchive libcrypto libelf libsystemd
xen-stubdom_DIR = $(SBINDIR)

xen-virtiod_SRC = $(wildcard src/virtio/daemon/*.c)
xen-virtiod_PKG = xenstore libsystemd libmnl json-c
xen-virtiod_DIR = $(SBINDIR)

xen-virtio_SRC = $(wildcard src/virtio/cli/*.c)
xen-virtio_PKG = xenstore xlutil xenlight libsystemd json-c
xen-virtio_DIR = $(SBINDIR)

STUBDOM_PROGRAMS := stubdom-init xen-stubdomd xen-state-disk xen-stubdom-pv xen-stubdom-vnc xen-stubdom
VIRTIO_PROGRAMS := xen-virtiod xen-virtio
PROGRAMS := $(STUBDOM_PROGRAMS) $(VIRTIO_PROGRAMS)

.PHONY: user install-user install-user-virtio
user: $(PROGRAMS:%=$(OUT)/%)

# $(1): name, $(2): sources, $(3): pkg-config names
define OBJECTS_RULE
$(1)_OBJ := $$(sort $$(patsubst src/%.c,$(OUT)/obj/%.o,$(2)))
$$($(1)_OBJ): $(OUT)/obj/%.o: src/%.c
	@mkdir -p $$(@D)
	@echo "  CC    $$<"
	@$$(CC) $$(XE_CFLAGS) $$(shell pkg-config --cflags $(3)) $$(CPPFLAGS) $$(CFLAGS) -c -o $$@ $$<
-include $$($(1)_OBJ:.o=.d)
endef
$(eval $(call OBJECTS_RULE,LIB,$(LIB_SRC),$(LIB_PKG)))
$(OUT)/libxe.a: $(LIB_OBJ)
	@echo "  AR    $@"
	@rm -f $@ && $(AR) rcsD $@ $^

# $(1): program
define PROGRAM_RULE
$(call OBJECTS_RULE,$(1),$($(1)_SRC),$($(1)_PKG))
$(OUT)/$(1): $$($(1)_OBJ) $(OUT)/libxe.a
	@echo "  LD    $$@"
	@$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(shell pkg-config --libs $$($(1)_PKG)) $$($(1)_LIBS)
endef
$(foreach p,$(PROGRAMS),$(eval $(call PROGRAM_RULE,$(p))))

install-user: user
	$(foreach p,$(STUBDOM_PROGRAMS),install -D -m 755 $(OUT)/$(p) $(DESTDIR)$($(p)_DIR)/$(p);)

install-user-virtio: user
	$(foreach p,$(VIRTIO_PROGRAMS),install -D -m 755 $(OUT)/$(p) $(DESTDIR)$($(p)_DIR)/$(p);)

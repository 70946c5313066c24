# SPDX-License-Identifier: GPL-2.0-or-later
# xen-extras: the only entry point.  `make help` lists every target.
#
# A target whose line ends in "## text" is shown by `make help`.  Each part
# brings its own rules in a *.mk beside its sources.

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:

# Debian suite the packages, the stubdomain's QEMU and the lab's dom0 are of.
SUITE ?= trixie
# Version: stated once, in debian/changelog, with the revision of the packaging (-1).
VERSION := $(shell sed -n "1s/.*(\\(.*\\)).*/\\1/; 1s/-[^-]*$$//; 1p" debian/changelog 2>/dev/null)
# Heavy results are kept here, keyed on their inputs; deleting it is safe.
export XEN_EXTRAS_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/xen-extras
# Made for reproducible output: the date of the newest changelog entry.
export SOURCE_DATE_EPOCH ?= $(shell sed -n '/^ -- /{s/.*>  //p;q}' debian/changelog 2>/dev/null | xargs -I{} date -d '{}' +%s)

BUILD := build
CHROOT := mk/chroot.sh

# Compiled-in paths, the same for every package (see docs/design.md).
PREFIX ?= /usr
SBINDIR ?= $(PREFIX)/sbin
LIBEXECDIR ?= $(PREFIX)/libexec/xen-extras
DATADIR ?= $(PREFIX)/share/xen-extras
MANDIR ?= $(PREFIX)/share/man
UNITDIR ?= $(PREFIX)/lib/systemd/system

.PHONY: all help
all: user	## build the user-space programs for this machine (default)

help:		## show this list
	@echo "xen-extras $(VERSION): make TARGET [SUITE=trixie|bookworm]"
	@sed -n 's/^\([a-z][a-z0-9-]*\):[^#]*##[ 	]*\(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | \
		awk -F'\t' '{ printf "  %-30s %s\n", $$1, $$2 }'

include src/user.mk
include stubdom/kernel/kernel.mk
include src/qemu/qemu.mk
include stubdom/image.mk
include mk/packages.mk
include mk/rpm.mk
include mk/repo.mk
include mk/deps.mk
include dkms/dkms.mk
include tests/lab/lab.mk
include tests/packages/packages.mk
include tests/tests.mk

.PHONY: clean
clean:		## remove build/ (the cache outside the tree stays)
	rm -rf $(BUILD)

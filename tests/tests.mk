# SPDX-License-Identifier: GPL-2.0-or-later
# The tests that need no Xen, `make check`, and `make check-all`, which runs everything.
#
# A unit test (tests/unit/test_NAME.c, cmocka) and a fuzz target
# (tests/fuzz/fuzz_NAME.c, libFuzzer) name in their first lines what they are
# built from:
#	/* test-sources: src/lib/xen/xs_util.c tests/unit/fake_xenstore.c */
#	/* test-pkgs: json-c */
# so that adding one needs no change here.

UNIT_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
T_SOURCES = $(shell sed -n '1,12s,.*test-sources: *\(.*\)\*/.*,\1,p' $(1))
T_PKGS = $(shell sed -n '1,12s,.*test-pkgs: *\(.*\)\*/.*,\1,p' $(1))
T_WERROR ?= -Werror
T_CFLAGS = $(XE_CFLAGS) $(T_WERROR) -DVD_VHOST_NET='"./vhost-net"' -DVD_SYSTEMD_DIR='"./systemd"' -iquote tests/unit -iquote src -iquote dkms/virtio_xenbus -O1 -g
SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FUZZ_SECONDS ?= 60
# Run in the build chroot of SUITE: the compilers and Xen headers users get.
IN_CHROOT = $(CHROOT) run $(SUITE) build --bind $(CURDIR):/xen-extras --bind $(XEN_EXTRAS_CACHE):/cache --dir /xen-extras -- \
	env CI=$(CI) XEN_EXTRAS_CACHE=/cache make SUITE=$(SUITE)

# $(1): test, $(2): variant directory, $(3): extra flags
define UNIT_RULE
$(BUILD)/$(2)/$(SUITE)/$(1): tests/unit/$(1).c $$(call T_SOURCES,tests/unit/$(1).c) $$(wildcard src/*/*.h src/*/*/*.h dkms/*/*.h tests/unit/*.h)
	@mkdir -p $$(@D)
	@echo "  CC    $$@"
	@$$(CC) $$(T_CFLAGS) $(3) $$(if $$(call T_PKGS,$$<),$$(shell pkg-config --cflags $$(call T_PKGS,$$<))) -o $$@ $$(filter %.c,$$^) \
		$$(if $$(call T_PKGS,$$<),$$(shell pkg-config --libs $$(call T_PKGS,$$<))) -lcmocka
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call UNIT_RULE,$(t),unit,)))
$(foreach t,$(UNIT_TESTS),$(eval $(call UNIT_RULE,$(t),unit-asan,$(SAN))))

$(BUILD)/fuzz/$(SUITE)/fuzz_%: tests/fuzz/fuzz_%.c $(wildcard src/*/*.[ch] src/*/*/*.[ch] dkms/*/*.[ch])
	@mkdir -p $(@D)
	@echo "  CC    $@"
	@clang $(T_CFLAGS) $(SAN) -fsanitize=fuzzer $(if $(call T_PKGS,$<),$(shell pkg-config --cflags $(call T_PKGS,$<))) -o $@ $< \
		$(call T_SOURCES,$<) $(if $(call T_PKGS,$<),$(shell pkg-config --libs $(call T_PKGS,$<)))

.PHONY: unit-native asan-native fuzz-native lint-native
# What the stubdomain's init says to QEMU is said to the stubdomain's QEMU.
# TEST="test_init_args ..." and TEST="fuzz_init_args ...": these alone.
unit-native: $(patsubst %,$(BUILD)/unit/$(SUITE)/%,$(or $(TEST),$(UNIT_TESTS)))
	@XE_QEMU=$(wildcard $(STUBDOM_OUT)/qemu-stubdom) tests/run-tests.sh $^
asan-native: $(patsubst %,$(BUILD)/unit-asan/$(SUITE)/%,$(or $(TEST),$(UNIT_TESTS)))
	@XE_QEMU=$(wildcard $(STUBDOM_OUT)/qemu-stubdom) ASAN_OPTIONS=detect_leaks=1:abort_on_error=1 tests/run-tests.sh $^
fuzz-native: $(patsubst %,$(BUILD)/fuzz/$(SUITE)/%,$(or $(TEST),$(FUZZERS)))
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run-fuzz.sh $^
lint-native:
	@tests/lint.sh

.PHONY: demo
demo: deps deb	## build everything, then run an HVM guest with its QEMU in a stubdomain, in the emulated host
	@$(MAKE) lab-run SCENARIO=demo

.PHONY: check-unit check-asan check-fuzz check-lint check check-all
# test_init_broker and test_init_qmp talk to the stubdomain's QEMU: with TEST=, `make qemu` is yours to run.
check-unit: $(if $(TEST),,qemu)	## unit tests (cmocka), in the suite's build chroot; TEST="test_NAME ..." for some of them
	@$(IN_CHROOT) TEST="$(TEST)" unit-native
check-asan: $(if $(TEST),,qemu)	## the unit tests again, with address and undefined-behaviour sanitizers (TEST=)
	@$(IN_CHROOT) TEST="$(TEST)" asan-native
check-fuzz:	## each parser's fuzz target for FUZZ_SECONDS (60); TEST="fuzz_NAME ..." for some of them
	@$(IN_CHROOT) TEST="$(TEST)" FUZZ_SECONDS=$(FUZZ_SECONDS) fuzz-native
check-lint:	## the include rule, compilers' warnings, cppcheck, shellcheck, man pages, SPDX tags
	@$(IN_CHROOT) lint-native

check: deps	## lint, unit, sanitizers, fuzz, packages, image, lab; says at its end what it leaves out (STEP="lint lab")
	@SUITE=$(SUITE) tests/check.py $(STEP)
check-all: deps	## every test, scenario and package test on both suites: a day (STEP="lab-bookworm ...")
	@tests/check.py --all $(STEP)

# SPDX-License-Identifier: GPL-2.0-or-later
# The repositories that hosts install from (docs/repository.md).

REPO_SUITES ?= trixie bookworm
REPO_OUT ?= $(BUILD)/repo
export REPO_KEY REPO_KEY_HOME REPO_URL REPO_VALID_DAYS

# Packages that are there are taken as they are: `make deb`, `make rpm` bring them up to date.
.PHONY: repo
repo: deps	## signed apt and dnf repositories in build/repo/: REPO_KEY= REPO_URL= REPO_SUITES=
	@for s in $(REPO_SUITES); do \
		ls $(BUILD)/deb/$$s/*.deb >/dev/null 2>&1 || $(MAKE) deb SUITE=$$s || exit; \
	done
	@set -- $(REPO_OUT); \
	for s in $(REPO_SUITES); do \
		set -- "$$@" "$$s=$(BUILD)/deb/$$s"; \
		! ls $(BUILD)/deb-src/$$s/*.dsc >/dev/null 2>&1 || set -- "$$@" "src:$$s=$(BUILD)/deb-src/$$s"; \
	done; \
	for d in $(BUILD)/rpm/*; do \
		! ls $$d/*.rpm >/dev/null 2>&1 || set -- "$$@" "rpm:$${d##*/}=$$d"; \
	done; \
	mk/repo.sh "$$@"

# SPDX-License-Identifier: GPL-2.0-or-later
# What the machine that builds and tests needs; all else lives in chroots.

DEPS := mmdebstrap debian-archive-keyring e2fsprogs util-linux python3 make git ca-certificates cpio zstd gnupg

.PHONY: deps
deps:		## install what this machine lacks (root; Debian packages only)
	@missing=; for p in $(DEPS); do \
		[ "$$(dpkg-query -W -f '$${db:Status-Status}' $$p 2>/dev/null)" = installed ] || missing="$$missing $$p"; \
	done; \
	if [ -n "$$missing" ]; then \
		echo "deps: installing$$missing"; \
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing; \
	fi

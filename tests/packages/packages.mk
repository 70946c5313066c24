# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of what is installed: deb, rpm, dkms, updates.  Each is a script here.

.PHONY: check-packages
check-packages: deps	## tests of the packages; TEST="name ..." for some of them
	@tests/packages/run.sh $(TEST)

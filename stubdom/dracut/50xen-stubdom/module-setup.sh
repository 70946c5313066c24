#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# dracut module of the stubdomain's ramdisk; `xen-stubdom build` runs it.
#
# What goes in is decided there, not here: a plan of lines "dir DST" and
# "file SRC DST" (tab-separated) in $XEN_STUBDOM_PLAN.  The ramdisk has no
# shell, no udev, no modules, so none of dracut's hooks apply.

# 255: only when asked for by name.  This never gets into the host's own
# initramfs; asked for without a plan it refuses.
check() {
	[[ ${XEN_STUBDOM_PLAN-} ]] || return 1
	return 255
}

depends() {
	return 0
}

install() {
	local what src dst
	while IFS=$'\t' read -r what src dst; do
		case $what in
		dir) inst_dir "$src" ;;
		# Not inst(): that would add libraries found through the host's
		# ld.so.cache.  The plan names each one.
		file) inst_simple "$src" "$dst" ;;
		*) false ;;
		esac || {
			dfatal "xen-stubdom: cannot install $src"
			return 1
		}
	done <"$XEN_STUBDOM_PLAN"
}

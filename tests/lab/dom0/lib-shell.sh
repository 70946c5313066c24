# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# A shell in a stubdomain:   . $LAB/lib.sh; . $LAB/lib-shell.sh; stubdom_shell web1
#
# An image made with `xen-stubdom build --debug` has a shell, which stubdom-init starts on its
# console instead of powering off after a failure. In dom0 that console is a log file, written by the
# QEMU that libxl starts for it; device_model_override= names a program in that QEMU's place, which
# makes the console a terminal and then becomes QEMU.

SHELL_IMAGE=$LAB/debug-image
SHELL_DM=$LAB/debug-dm

# shell_image: the image and the program, made once.
shell_image() {
	[ -s $SHELL_IMAGE/rootfs ] || xen-stubdom build --debug --output $SHELL_IMAGE || return 1
	cat >$SHELL_DM <<-'E'
		#!/bin/sh
		id=$(echo "$*" | sed -n 's/.*-xen-domid \([0-9]*\).*/\1/p')
		[ -z "$id" ] || xenstore-write "/local/domain/$id/console/output" pty
		exec /usr/libexec/xen-qemu-system-i386 "$@"
	E
	chmod 755 $SHELL_DM
}

# shell_lines: what such a guest's file says; for guest_config, or to be appended by hand.
shell_lines() {
	printf '%s\n' "stubdomain_kernel = \"$SHELL_IMAGE/kernel\"" "stubdomain_ramdisk = \"$SHELL_IMAGE/rootfs\"" \
		'stubdomain_cmdline = "debug"' "device_model_override = \"$SHELL_DM\""
}

# shell_tty NAME: the terminal of the stubdomain's console.
shell_tty() { xenstore-read "/local/domain/$(xl domid "$1-dm")/console/tty"; }

# stubdom_shell NAME: starts an HVM guest that way, unless it runs, kills its QEMU and attaches the
# terminal to the shell; Ctrl-] leaves it. The guest hangs meanwhile; xl destroy ends both.
stubdom_shell() {
	shell_image || return 1
	if ! xl domid "$1" >/dev/null 2>&1; then
		guest_config "$1" hvm 'device_model_version = "qemu-xen"' 'device_model_stubdomain_override = 1' >/dev/null
		shell_lines >>"$GUESTS/$1.cfg"
		xl create "$GUESTS/$1.cfg" || return 1
	fi
	# Every process in it but init.
	xl sysrq "$1-dm" i
	echo "a shell in $1-dm; Ctrl-] leaves it, 'exit' powers the stubdomain off"
	socat -,raw,echo=0,escape=0x1d "$(shell_tty "$1")",raw,echo=0
}

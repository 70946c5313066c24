# SPDX-License-Identifier: GPL-2.0-or-later
# summary: a debug image's shell in a stubdomain, at the terminal that its console is in dom0
# time-limit: 900

. $LAB/lib-shell.sh
before=$(host_state)
expect "a debug image is built" shell_image || exit 1
guest_config s1 hvm 'device_model_version = "qemu-xen"' 'device_model_stubdomain_override = 1' 'disk = [ ]' \
	'serial = "pty"' >/dev/null
shell_lines >>$GUESTS/s1.cfg
expect "xl create starts the guest" xl create $GUESTS/s1.cfg || { show_stubdom s1; exit 1; }
expect "the stubdomain's console is a terminal" wait_for 30 shell_tty s1 || exit 1
# A reader that is there before the shell.
socat -u "$(shell_tty s1)",raw,echo=0 - >$LAB/tmp/shell.log &
reader=$!
reads() { find /proc/$reader/fd -lname '/dev/pts/*' | grep . && sleep 1; }
expect "its output is read" wait_for 30 reads
expect "its QEMU is killed" xl sysrq s1-dm i
expect "stubdom-init starts a shell" wait_for 60 grep -a 'a shell on the console' $LAB/tmp/shell.log
echo 'echo answer $((40 + 2)); busybox grep ^xen /etc/xen-stubdom/image' >"$(shell_tty s1)"
expect "the shell answers" wait_for 60 grep -a 'answer 42' $LAB/tmp/shell.log
expect "it sees the image's files" wait_for 30 grep -aE '^xen 4\.[0-9]+' $LAB/tmp/shell.log
run tail -n 30 $LAB/tmp/shell.log
kill $reader
expect "xl destroy ends both" xl destroy s1
expect "nothing is left" nothing_left "$before"

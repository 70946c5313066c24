# SPDX-License-Identifier: GPL-2.0-or-later
# summary: ten guests with a stubdomain, one after the other, leave nothing behind
# time-limit: 1500

before=$(host_state)
guest_config ten hvm 'device_model_version = "qemu-xen"' 'device_model_stubdomain_override = 1' >/dev/null
for i in 1 2 3 4 5 6 7 8 9 10; do
	expect "round $i: create" xl create $GUESTS/ten.cfg || { show_stubdom ten; break; }
	expect "round $i: destroy" xl destroy ten
done
expect "ten rounds: nothing is left" nothing_left "$before"

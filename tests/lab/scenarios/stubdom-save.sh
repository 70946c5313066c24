# SPDX-License-Identifier: GPL-2.0-or-later
# summary: xl save and xl restore of a guest with a stubdomain: it goes on where it was
# time-limit: 1200

. $LAB/lib-save.sh

before=$(host_state)
saved_guest v1

expect "xl save" xl save v1 $LAB/tmp/v1.save || show_stubdom v1
saved_by disk $LAB/tmp/v1.save || show_stubdom v1
expect "the guest and its stubdomain are gone" wait_for 60 only_dom0
expect "xl restore" xl restore $LAB/tmp/v1.save || { show_stubdom v1; exit 1; }
restored_by_disk v1 || show_stubdom v1
expect_same_run v1
expect_same_disk v1
expect "its emulated network card works" guest_cmd v1 ping -c 2 -W 20 10.77.0.1
expect_text "xen-stubdom status shows it" '^v1 .*running' xen-stubdom status

expect "xen-stubdomd is stopped" systemctl stop xen-stubdomd
expect "the first save of this stubdomain works all the same" xl save v1 $LAB/tmp/v1.save || show_stubdom v1
saved_by console $LAB/tmp/v1.save
expect "xen-stubdomd is started" systemctl start xen-stubdomd
expect "the guest and its stubdomain are gone" wait_for 60 only_dom0
expect "xl restore" xl restore $LAB/tmp/v1.save || { show_stubdom v1; exit 1; }
restored_by_disk v1 || show_stubdom v1
expect_same_run v1

expect "xl shutdown stops it" guest_stop v1 200
expect "nothing is left" nothing_left "$before"

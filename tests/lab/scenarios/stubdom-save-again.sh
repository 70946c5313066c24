# SPDX-License-Identifier: GPL-2.0-or-later
# summary: saves of a guest that goes on in the same stubdomain: each file has the newest state alone
# time-limit: 1800

. $LAB/lib-save.sh

before=$(host_state)
saved_guest v1

expect "xl save -c" xl save -c v1 $LAB/tmp/a.save || show_stubdom v1
expect_same_disk v1 "the guest works on"
expect "xl save -c again" xl save -c v1 $LAB/tmp/b.save || show_stubdom v1
for f in a b; do saved_by disk $LAB/tmp/$f.save || show_stubdom v1; done
more=$(($(stat -c %s $LAB/tmp/b.save) - $(stat -c %s $LAB/tmp/a.save)))
rm -f $LAB/tmp/a.save
# A page that the guest touched in between costs 4 KiB; an old state is 12 KiB and more.
expect "the second is not bigger by the first's state ($more)" test $more -lt 8192
expect_same_disk v1 "the guest works on"

expect "xen-stubdomd is stopped" systemctl stop xen-stubdomd
expect_fail "a next save is refused then" xl save -c v1 $LAB/tmp/c.save
cp $OUT $LAB/tmp/why
expect_text "xl says why" 'is xen-stubdomd running' cat $LAB/tmp/why
expect_same_disk v1 "and the guest works on" || show_stubdom v1
expect_fail "so is xl migrate" timeout 300 xl migrate -s '' v1 'exec xl migrate-receive'
expect_same_disk v1 "and the guest works on" || show_stubdom v1
expect "xen-stubdomd is started" systemctl start xen-stubdomd
expect "xl save, though libxl removed its file" xl save v1 $LAB/tmp/b.save || show_stubdom v1
saved_by disk $LAB/tmp/b.save || show_stubdom v1
expect "xl restore" xl restore $LAB/tmp/b.save || { show_stubdom v1; exit 1; }
expect_same_run v1
expect_same_disk v1
rm -f $LAB/tmp/?.save
expect "xl shutdown stops it" guest_stop v1 200
expect "nothing is left" nothing_left "$before"

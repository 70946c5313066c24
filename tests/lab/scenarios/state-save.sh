# SPDX-License-Identifier: GPL-2.0-or-later
# summary: ten rounds of xl save and xl restore under load, then ten xl save -c of which each file is restored
# time-limit: 5400

. $LAB/lib-state-guest.sh

before=$(host_state)
free=$(df --output=avail -BM / | tail -n 1 | tr -dc 0-9)
note dom0_free_mb "$free"
# Ten files of what the guest has, and 150 MB for all else.
expect "dom0's disk has room for ten files ($free MB)" test "$free" -gt 1350 || exit 1

state_guest s1
load_begin s1
load_goes_on s1

# restores GUEST FILE: all that follows needs it.
restores() {
	expect "xl restore" xl restore "$2" || { show_stubdom "$1"; exit 1; }
	restored_by_disk "$1" || show_stubdom "$1"
}

for i in 1 2 3 4 5 6 7 8 9 10; do
	log "round $i"
	set_moment s1 $i
	expect "round $i: xl save" xl save s1 $LAB/tmp/s1.save || { show_stubdom s1; exit 1; }
	saved_by disk $LAB/tmp/s1.save || show_stubdom s1
	expect "the guest and its stubdomain are gone" wait_for 60 only_dom0
	restores s1 $LAB/tmp/s1.save
	expect_whole s1 $i
done
rm -f $LAB/tmp/s1.save

# xl saves no disk: what the guest goes on to write must not surprise an older memory. Its root is read only from
# here on, and its program is between two blocks of the other disk.
expect "the disk's program pauses" guest_cmd s1 'touch /tmp/pause; for i in $(seq 60); do [ ! -e /tmp/paused ] || exit 0; sleep 1; done; exit 1'
expect "its root becomes read only" guest_cmd s1 'sync; mount -o remount,ro /'
for i in 11 12 13 14 15 16 17 18 19 20; do
	set_moment s1 $i
	expect "xl save -c to file $i" xl save -c s1 $LAB/tmp/s1.$i || { show_stubdom s1; exit 1; }
	saved_by disk $LAB/tmp/s1.$i || show_stubdom s1
	expect_moment s1 $i
done
expect "xl destroy" xl destroy s1
# Neither the order in which they were made nor its reverse.
for i in 17 11 20 14 12 19 15 13 18 16; do
	log "file $i"
	restores s1 $LAB/tmp/s1.$i
	expect "the disk's program goes on" guest_cmd s1 'rm -f /tmp/pause'
	expect_whole s1 $i
	expect "xl destroy" xl destroy s1
	rm -f $LAB/tmp/s1.$i
done

load_end
expect "nothing is left" nothing_left "$before"

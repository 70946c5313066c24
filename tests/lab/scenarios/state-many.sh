# SPDX-License-Identifier: GPL-2.0-or-later
# summary: xl save -c of nine guests with a stubdomain at once, and eight transfers that last: who gets a disk, who is told what, and that all run on
# time-limit: 3600
# shellcheck disable=SC2154,SC2034

. $LAB/lib-state.sh

before=$(host_state)
busy="other guests are being saved at this moment: try again"
way="ended in favour of a guest that is suspended"
# 64 MB and its stubdomain's 128, with what Xen and libxl need for both.
free=$(xl info free_memory)
n=$(((free - 64) / 256))
[ $n -le 9 ] || n=9
note free_mb "$free"
note guests $n
expect "there is memory for at least three guests ($free MB)" [ $n -ge 3 ] || exit 1
free=$(df --output=avail -BM / | tail -n 1 | tr -dc 0-9)
expect "dom0's disk has room for their files ($free MB)" test "$free" -gt $((n * 72 + 150)) || exit 1

expect "a stubdomain's image that can be told what to do" state_image || exit 1
guests=
count_disk
for i in $(seq $n); do
	cp $GUESTS/count.img $GUESTS/m$i.img
	expect "guest $i of $n counts" hostile_up m$i "disk = [ '$GUESTS/m$i.img,raw,hda,rw' ]" || { show_stubdom m$i; exit 1; }
	guests="$guests m$i"
done
all_count() { for _g in $guests; do counting "$_g" || { echo "$_g does not run on"; return 1; }; done; }
# What no transfer may leave, of any of them.
all_gone() { for _g in $guests; do state_numbers "$_g" && transfer_gone || return 1; done; }
said() { journal | grep -E -- "guest $1: $2"; }
under_way() { helpers | wc -l; }

# --- all at once
ended() { for _g in $guests; do [ -s "$LAB/tmp/$_g.status" ] || return 1; done; }
save_all() {
	mark
	for _g in $guests; do
		(xl save -c "$_g" "$LAB/tmp/$_g.save" >"$LAB/tmp/$_g.out" 2>&1; echo $? >"$LAB/tmp/$_g.status") &
	done
	most=0
	_end=$(($(date +%s) + 900))
	until ended; do
		[ "$(date +%s)" -lt $_end ] || { echo "xl save has not ended"; return 1; }
		_now=$(under_way)
		[ "$_now" -le $most ] || most=$_now
		sleep 0.2
	done
}
# By disk; or it had to wait for a place for too long, has a line about it, and went by console.
went() {
	cat "$LAB/tmp/$1.out"
	[ "$(cat "$LAB/tmp/$1.status")" = 0 ] || { echo "xl save ended with $(cat "$LAB/tmp/$1.status")"; return 1; }
	_file=$(python3 $LAB/lib-saved.py "$LAB/tmp/$1.save")
	case $_file in
	disk*) said "$1" 'device state saved by disk: [0-9]+ bytes' ;;
	*) said "$1" "its device state is not saved by disk: $busy" || { echo "$_file, and no line says why"; return 1; } ;;
	esac
}
expect "xl save -c of all $n at once comes to its end" save_all || { run journal; exit 1; }
note transfers_at_once $most
for g in $guests; do
	expect "$g was saved by disk, or told that others are" went $g || { run journal; show_stubdom $g; }
done
by_disk=$(for g in $guests; do python3 $LAB/lib-saved.py $LAB/tmp/$g.save; done | grep -c ^disk)
note by_disk "$by_disk"
expect "as many by disk as have a place ($by_disk)" [ "$by_disk" -ge $((n < 8 ? n : 8)) ]
rm -f $LAB/tmp/m*.save $LAB/tmp/m*.status
expect "nothing is left of the transfers" wait_for 30 all_gone || run transfer_left
expect "all of them run on" all_count

# --- eight that last
if [ $n -lt 9 ]; then
	skip "who gets a place when all are taken" "$n guests, and it takes nine"
else
	last=m9 held_at=
	mark
	for i in 1 2 3 4 5 6 7 8; do
		fault_tell m$i hold-connected
		state_numbers m$i
		expect "m$i holds a disk while its guest runs" fault_waits || run journal
		held_at="$held_at $fault_no"
	done
	expect_text "eight transfers are under way" '^8$' under_way
	# A ninth whose guest runs is told to come again; one whose guest is suspended gets the place of the first.
	fault_tell $last none
	state_numbers $last
	expect "a ninth that is early: $busy" wait_for 60 fault_said "error $busy"
	expect "a line says so" said $last "its device state is not saved by disk: $busy"
	expect_text "eight are under way" '^8$' under_way
	expect "a ninth that is suspended: xl save -c" timeout 200 xl save -c $last $LAB/tmp/$last.save || { run journal; show_stubdom $last; }
	expect_text "it was saved by disk" '^disk' python3 $LAB/lib-saved.py $LAB/tmp/$last.save || run journal
	expect "the first gave way, and a line says so" said m1 "its device state is not saved by disk: $way"
	set -- $held_at
	for i in 1 2 3 4 5 6 7 8; do
		fault_no=$1; shift
		state_numbers m$i
		fault_go
		result=ok
		[ $i != 1 ] || result="error $way"
		expect "m$i goes on: $result" wait_for 120 fault_said "$result" || run fault_answer
	done
	# xl asks as soon as it begins to save: that can have been too early for a place.
	same "no other line about a transfer" '' "$(errors | grep -vF -e "$busy" -e "$way")" || run journal
	expect "nothing is left of the transfers" wait_for 30 all_gone || run transfer_left
	expect "all of them run on" all_count
fi

for g in $guests; do expect "xl destroy $g" xl destroy $g; done
expect "nothing is left" nothing_left "$before"

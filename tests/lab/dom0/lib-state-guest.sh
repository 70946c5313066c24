# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154,SC2016
# A guest with many emulated devices that never rests, for state-save: . $LAB/lib-state-guest.sh
# Its programs write to /tmp (memory) and to the second disk, which has no file system:
#	/tmp/{timer,disk,net}.n	how often each has done its work
#	/tmp/bad		what was wrong, a line each; not there when nothing was
. $LAB/lib-save.sh

STATE_NET=10.78.0	# of the rtl8139; the e1000 is the first card, which lab.ip= is for
BLOB=524288

# state_guest GUEST: boots it with two disks, two cards, VGA, tablet, sound and serial port.
state_guest() {
	truncate -s 32M "$GUESTS/$1-b.img"
	saved_guest "$1" 'memory = 112' 'vga = "stdvga"' 'usb = 1' 'usbdevice = "tablet"' 'soundhw = "hda"' \
		"disk = [ 'format=raw,vdev=hda,access=rw,target=$GUESTS/$1.img', 'format=raw,vdev=hdb,access=rw,target=$GUESTS/$1-b.img' ]" \
		'vif = [ "bridge=xenbr0,model=e1000,mac=00:16:3e:00:00:51", "bridge=xenbr0,model=rtl8139,mac=00:16:3e:00:00:52" ]' \
		'device_model_args_hvm = [ "-global", "e1000.romfile=", "-global", "rtl8139.romfile=" ]'
	# Each card answers for its own address only: both are on one bridge.
	expect "its second card gets an address" guest_cmd "$1" "echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore && ip link set eth1 up && ip addr add $STATE_NET.51/24 dev eth1"
	expect_text "one card is an e1000, the other an rtl8139" '^e1000 8139' guest_cmd "$1" \
		'echo $(for i in 0 1; do basename $(readlink /sys/class/net/eth$i/device/driver); done)'
	# Of its memory, which tmpfs is.
	mem=$(guest_cmd "$1" 'head -c 16777216 /dev/urandom >/tmp/mem; sha256sum </tmp/mem')
	mem=${mem%% *}
	expect "16 MB of its memory are filled" test ${#mem} = 64
}

# guest_program GUEST NAME <SCRIPT: runs it in the guest's background.
guest_program() { guest_cmd "$1" "echo 0 >/tmp/$2.n; echo $(base64 -w0) | base64 -d >/tmp/$2; sh /tmp/$2 >/dev/null 2>&1 &"; }

# A sleep never ends too early. One that was too long says nothing here: a guest that is saved does not see that time.
timer_program() {
	guest_program "$1" timer <<'P'
n=0
while :; do
	read -r a _ </proc/uptime
	sleep 1
	read -r b _ </proc/uptime
	[ $((${b%.*}${b#*.} - ${a%.*}${a#*.})) -ge 99 ] || echo "timer: a sleep of one second, from $a to $b" >>/tmp/bad
	n=$((n + 1))
	echo $n >/tmp/timer.new && mv /tmp/timer.new /tmp/timer.n
done
P
}

# A megabyte goes to the second disk and comes back from there; /tmp/pause stops it between two.
disk_program() {
	guest_program "$1" disk <<'P'
n=0
while :; do
	while [ -e /tmp/pause ]; do touch /tmp/paused; sleep 1; done
	rm -f /tmp/paused
	a=$(head -c 1048576 /dev/urandom | tee /tmp/block | sha256sum)
	dd if=/tmp/block of=/dev/sdb bs=1M seek=$((n % 32)) conv=notrunc,fsync || echo "disk: block $n cannot be written" >>/tmp/bad
	echo 1 >/proc/sys/vm/drop_caches
	b=$(dd if=/dev/sdb bs=1M skip=$((n % 32)) count=1 | sha256sum)
	[ "$a" = "$b" ] || echo "disk: block $n is $b, not $a" >>/tmp/bad
	n=$((n + 1))
	echo $n >/tmp/disk.new && mv /tmp/disk.new /tmp/disk.n
done
P
}

# A file from dom0. One that ends early is no fault: dom0 forgets connections of a guest that was away.
net_program() {
	sed "s/BLOB_SUM/$blob/; s/BLOB_LEN/$BLOB/; s/DOM0/$STATE_NET.1/" <<'P' >$LAB/tmp/net
n=0
while :; do
	rm -f /tmp/got
	wget -q -T 10 -O /tmp/got http://DOM0:8080/blob || sleep 1
	[ "$(stat -c %s /tmp/got)" = BLOB_LEN ] || continue
	s=$(sha256sum </tmp/got)
	[ "${s%% *}" = BLOB_SUM ] || echo "net: file $n came as $s" >>/tmp/bad
	n=$((n + 1))
	echo $n >/tmp/net.new && mv /tmp/net.new /tmp/net.n
done
P
	guest_program "$1" net <$LAB/tmp/net
}

# load_begin GUEST; load_end, in dom0, when the guest has gone.
load_begin() {
	ip addr add $STATE_NET.1/24 dev xenbr0
	mkdir -p $LAB/tmp/www
	head -c $BLOB /dev/urandom >$LAB/tmp/www/blob
	blob=$(sha256sum <$LAB/tmp/www/blob)
	blob=${blob%% *}
	busybox httpd -f -p 8080 -h $LAB/tmp/www &
	httpd=$!
	for _p in timer disk net; do expect "the guest's $_p program starts" ${_p}_program "$1"; done
}
load_end() {
	kill $httpd
	ip addr del $STATE_NET.1/24 dev xenbr0
	rm -rf $LAB/tmp/www
}

# load_goes_on GUEST: timer, disk and network have done more, and nothing was wrong. What was under way when
# the guest was saved, and another.
got_further() { [ $# = 4 ] && guest_cmd "$1" "[ \$(cat /tmp/timer.n) -gt $(($2 + 1)) -a \$(cat /tmp/disk.n) -gt $(($3 + 1)) -a \$(cat /tmp/net.n) -gt $(($4 + 1)) ]"; }
load_goes_on() {
	# shellcheck disable=SC2046 # three numbers
	set -- "$1" $(guest_cmd "$1" 'cat /tmp/timer.n /tmp/disk.n /tmp/net.n')
	expect "timer ($2), disk ($3) and network ($4) go on" wait_for 300 got_further "$@" ||
		run guest_cmd "$1" 'cat /tmp/*.n; ps; dmesg | tail -n 20'
	expect "and all of it was right" guest_cmd "$1" '! cat /tmp/bad 2>/dev/null'
}

# The moment that a save is of: a number in registers of three devices, and in memory.
set_moment() { expect "RTC, network card and serial port get number $2" guest_cmd "$1" "echo $2 >/tmp/moment && devstate set $2"; }
expect_moment() {
	expect_text "RTC, network card and serial port have number $2" "^rtc $2, nic $2, serial $2\$" guest_cmd "$1" devstate get
	expect_text "and memory is of the same moment" "^$2\$" guest_cmd "$1" cat /tmp/moment
}

KERNEL_ERRORS='I/O error|EXT4-fs error|BUG:|Oops|Call Trace|WARNING:|NETDEV WATCHDOG|exception Emask|lost interrupt|irq .*: nobody cared'
# expect_whole GUEST NUMBER: what has to be true of a restored guest.
expect_whole() {
	expect_moment "$1" "$2"
	expect_same_run "$1"
	expect_text "its memory is the same" "^$mem" guest_cmd "$1" 'sha256sum </tmp/mem'
	expect_same_disk "$1" "its disk is the same"
	expect "its e1000 works" guest_cmd "$1" ping -c 2 -W 20 10.77.0.1
	load_goes_on "$1"
	expect "its kernel reports no error" guest_cmd "$1" "! dmesg | grep -E '$KERNEL_ERRORS'"
}

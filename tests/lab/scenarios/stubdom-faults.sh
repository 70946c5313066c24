# SPDX-License-Identifier: GPL-2.0-or-later
# summary: every bad input ends in one clear line, and leaves nothing behind
# time-limit: 3000

before=$(host_state)
version=$(xl info xen_version | cut -d. -f1,2)
state=/var/lib/xen-stubdom/$version
gen=$state/$(readlink $state/current)

# A BIOS that reboots would end a guest in the middle of a case.
halt_disk $GUESTS/halt.img

config() {	# NAME [LINE...]
	_n=$1; shift
	guest_config "$_n" hvm 'device_model_version = "qemu-xen"' 'device_model_stubdomain_override = 1' \
		"disk = [ '$GUESTS/halt.img,raw,hda,rw' ]" 'serial = "pty"' 'on_crash = "destroy"' "$@" >/dev/null
}
mark() { since_mark=$(date '+%Y-%m-%d %H:%M:%S'); sleep 1; }
journal() { journalctl -u xen-stubdomd --since "$since_mark" -o cat --no-pager; }
said() { journal | grep -E -- "$1"; }
# fails NAME TEXT PATTERN: xl create fails; the daemon's line names guest and fix.
fails() {
	mark
	expect_fail "$2: xl create fails" xl create "$GUESTS/$1.cfg"
	expect "$2: one line names the guest and the fix" wait_for 30 said "guest $1: .*$3" || run journal
	grep -E "guest $1: " $OUT | head -n 2 | while read -r l; do log "$l"; done
	expect "$2: nothing is left" nothing_left "$before"
}

# --- the image
config f1
mv $state/current $state/current.away
expect_fail "image missing: xl create fails" xl create $GUESTS/f1.cfg
expect_text "image missing: check names the fix" "xen-stubdom (register|build)" sh -c "xen-stubdom check $GUESTS/f1.cfg; true"
mv $state/current.away $state/current
expect "image missing: nothing is left" nothing_left "$before"

config f2
cp $gen/rootfs $LAB/tmp/rootfs
truncate -s $(($(stat -c %s $gen/rootfs) / 2)) $gen/rootfs
fails f2 "image truncated" "xen-stubdom build --force"
expect_fail "image truncated: check sees it" xen-stubdom check
cat $LAB/tmp/rootfs >$gen/rootfs
expect "image restored: check passes" xen-stubdom check

# xen-stubdom builds no such image; it can only come from another host.
other_image() {
	mkdir -p $LAB/tmp/other/d && cd $LAB/tmp/other/d && zstd -dcq $gen/rootfs | cpio -idm --quiet &&
		sed -i 's/^xen .*/xen 4.99/' etc/xen-stubdom/image &&
		find . | cpio -o -H newc --quiet | zstd -q >../rootfs
}
expect "an image for another Xen is made" other_image
cd /
config f3 "stubdomain_ramdisk = \"$LAB/tmp/other/rootfs\""
fails f3 "image for another Xen" "for Xen 4.99.*xen-stubdom build"

# --- the configuration
config f4 'stubdomain_memory = 16'
fails f4 "stubdomain_memory=16" "stubdomain_memory"

# Written as soon as libxl has written its own: seconds before init reads them.
uuid=$(cat /proc/sys/kernel/random/uuid)
config f5 "uuid = \"$uuid\""
(
	until xenstore-exists "/vm/$uuid/image/dm-argv/001"; do :; done
	xenstore-write "/vm/$uuid/image/dm-argv/4x7" junk
) &
fails f5 "malformed dm-argv" "dm-argv"

truncate -s 8M $GUESTS/a.img $GUESTS/b.img
config f6 "disk = [ '$GUESTS/a.img,raw,hda,rw', '$GUESTS/b.img,raw,xvda,rw' ]"
fails f6 "a disk that cannot be opened" "xvda"

config f7 'device_model_args_hvm = [ "-device", "no-such-device" ]'
fails f7 "an argument QEMU refuses" "no-such-device"

# --- while it runs
config f8
expect "a guest starts" xl create $GUESTS/f8.cfg || show_stubdom f8
mark
expect "every process in its stubdomain but init is killed" xl sysrq f8-dm i
expect "QEMU killed: one line names the guest" wait_for 60 said 'guest f8: .*(SIGKILL|signal 9)'
while read -r l; do log "$l"; done <$OUT
expect "QEMU killed: xl does what on_crash says" wait_for 120 domain_gone f8
expect "QEMU killed: nothing is left" nothing_left "$before"

config f9
expect "another guest starts" xl create $GUESTS/f9.cfg || show_stubdom f9
sock=/run/xen/qmp-libxl-$(xl domid f9)
# Xen's proxy in dom0 must come back each time, or xl would wait for ever.
send() { timeout 60 socat -t 20 - "UNIX-CONNECT:$sock" >/dev/null 2>&1; }
sent=0
for i in 1 2 3 4 5; do
	{ head -c 65536 /dev/urandom; printf '\n{"execute": '; } | send && sent=$((sent + 1))
	printf '{"execute":"qmp_capabilities"}{"execute":"query-status"' | send && sent=$((sent + 1))
done
expect "junk on the QMP channel: every client comes to its end" [ $sent = 10 ]
expect_text "junk on the QMP channel: QEMU still answers" 'running' timeout 60 xl qemu-monitor-command f9 'info status'
mon=
for i in 1 2 3 4 5; do
	timeout 120 xl qemu-monitor-command f9 'info status' >$LAB/tmp/mon$i 2>&1 &
	mon="$mon $!"
done
wait $mon
expect_text "five clients one after the other each get an answer" '^5$' sh -c "grep -l running $LAB/tmp/mon? | wc -l"
expect "destroy" xl destroy f9
expect "junk: nothing is left" nothing_left "$before"

# --- the daemon, while guests are being created
config g1
(
	sleep 0.5; systemctl kill -s KILL xen-stubdomd
	sleep 2; systemctl restart xen-stubdomd
	sleep 1; systemctl kill -s KILL xen-stubdomd
) &
expect "the daemon is killed while a guest is created: it starts" xl create $GUESTS/g1.cfg || show_stubdom g1
wait
systemctl stop xen-stubdomd
config g2
(sleep 12; systemctl start xen-stubdomd) &
expect "the daemon comes up late: the guest starts" xl create $GUESTS/g2.cfg || show_stubdom g2
wait
expect "the daemon runs" wait_for 20 systemctl is-active xen-stubdomd
systemctl restart xen-stubdomd
expect_text "a restart harms no guest" '^running$' xenstore-read "/local/domain/$(xl domid g1-dm)/device-model/$(xl domid g1)/state"
expect "both are destroyed" sh -c 'xl destroy g1 && xl destroy g2'
expect "nothing is left" nothing_left "$before"

# SPDX-License-Identifier: GPL-2.0-or-later
# summary: xl migrate of a guest with a stubdomain, on one host, to another and back, and again after each way to fail
# time-limit: 5400
# hosts: 2

. $LAB/lib-hosts.sh

# Not covered: what the guest writes to a disk on the way, as no disk is shared. Its root is its initramfs, in
# memory; both hosts have the same disk image, which it only reads.
before1=$(host_state) before2=$(host2 host_state)
bus=ahci
! xen_before 4 18 || bus=ide	# lib-save.sh says why

disk_with_initramfs() {
	_disk=$(guest_disk v1 'xen_emul_unplug=never quiet lab.ip=10.77.0.51/24\ninitrd /boot/initramfs.gz') &&
		dd if="$_disk" of=$LAB/tmp/fs bs=1M skip=1 status=none &&
		debugfs -w -R "write $MEDIA/initramfs.gz boot/initramfs.gz" $LAB/tmp/fs &&
		dd if=$LAB/tmp/fs of="$_disk" bs=1M seek=1 conv=notrunc status=none && rm -f $LAB/tmp/fs
}
counting="saved_by_disk() { journalctl -u xen-stubdomd -o cat --no-pager | grep -c 'guest v1: device state saved by disk'; }"
eval "$counting"	# and on host 2
show() {
	show_stubdom v1
	log "host 2:"
	host2 show_stubdom v1
	run host2 eval 'xl list; tail -n 20 /var/log/xen/xl-v1--incoming.log'
}
# goes_on HOST TEXT: the same run of its kernel, with its memory, disk and network.
goes_on() {
	expect_text "$2: it is the same run of its kernel" "^$boot_id" on "$1" guest_cmd v1 cat /proc/sys/kernel/random/boot_id || { show; return 1; }
	expect_text "$2: its memory is right" "^$mem" on "$1" guest_cmd v1 'sha256sum </root/f'
	expect_text "$2: its emulated disk works" "^$disk" on "$1" guest_cmd v1 "$read_disk"
	expect "$2: its emulated network card works" on "$1" guest_cmd v1 'ping -c 2 -W 20 10.77.0.1' || show
}
# by_disk FROM TO SAVED TEXT: both ends used the state disk; SAVED is how many times FROM had before.
by_disk() {
	expect "$4: it was saved by disk" [ "$(on "$1" eval "$counting; saved_by_disk")" -gt "$3" ] || show
	expect_text "$4: and restored from one" '^ok$' on "$2" eval 'xenstore-read "/local/domain/$(xl domid v1-dm)/data/xen-stubdom/state/restored"' || show
}
to2() { timeout 900 xl migrate -s "$REMOTE" v1 $HOST2; }
to1() { host2 timeout 900 xl migrate -s "$REMOTE" v1 $HOST1; }
# strikes TEXT CONDITION BLOW: a migration fails, as BLOW comes on host 2 when CONDITION is met there.
strikes() {
	host2 eval "for i in \$(seq 1200); do if $2; then $3; exit 0; fi; sleep 0.2; done; exit 1" >$LAB/tmp/blow 2>&1 & _blow=$!
	expect_fail "$1: xl migrate fails" to2 || { show; exit 1; }
	run tail -n 5 $OUT
	expect "$1: it came to that" wait $_blow || run cat $LAB/tmp/blow
	# xl, when it was killed, could not.
	host2 eval 'for d in v1--incoming v1; do ! xl domid $d || xl destroy $d; done' >/dev/null 2>&1
	expect "$1: nothing is left on host 2" host2 nothing_left "$before2"
	goes_on 1 "$1"
}

expect "a bootable disk is made" disk_with_initramfs || exit 1
guest_config v1 hvm "hdtype = '$bus'" 'device_model_version = "qemu-xen"' 'device_model_stubdomain_override = 1' \
	'vif = [ "bridge=xenbr0,model=rtl8139,mac=00:16:3e:00:00:51" ]' >/dev/null
expect "host 2 has it, too" host2_put $GUESTS/v1.img || exit 1
expect "xl create starts it" xl create $GUESTS/v1.cfg || { show_stubdom v1; exit 1; }
expect "the guest boots" wait_for 400 guest_cmd v1 true || { show_stubdom v1; exit 1; }
expect_text "its root is in memory" 'rootfs|ramfs|tmpfs|^none' guest_cmd v1 'awk "\$2 == \"/\" { print \$3 }" /proc/mounts'
boot_id=$(guest_cmd v1 cat /proc/sys/kernel/random/boot_id)
mem=$(guest_cmd v1 'mkdir -p /root; dd if=/dev/urandom of=/root/f bs=1M count=4 2>/dev/null; sha256sum </root/f')
mem=${mem%% *}
read_disk='echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/sda bs=1M count=8 2>/dev/null | sha256sum'
disk=$(head -c 8388608 $GUESTS/v1.img | sha256sum)
disk=${disk%% *}
goes_on 1 "before"

n=$(saved_by_disk)
expect "xl migrate to the same host" timeout 900 xl migrate -s '' v1 'exec xl migrate-receive' || show
goes_on 1 "the same host"
by_disk 1 1 "$n" "the same host"

# --- ways to fail; each leaves the guest where it was, and is repeated at the end by one that does not fail
expect_fail "the other side refuses: xl migrate fails" timeout 300 xl migrate -s '' v1 "exec $REMOTE $HOST2 false"
goes_on 1 "the other side refuses"

arriving="[ \"\$(xl list v1--incoming 2>/dev/null | awk 'NR == 2 { print \$3 }')\" -ge 32 ] 2>/dev/null"
strikes "the receiver fails while memory is copied" "$arriving" 'pkill -KILL -f libxl-save-help[e]r'
strikes "the receiver is killed while memory is copied" "$arriving" 'pkill -KILL -x xl'
strikes "the receiver is killed when it has the device state" 'ls /var/lib/xen/qemu-resume.* >/dev/null 2>&1' 'pkill -KILL -x xl'

image=/var/lib/xen-stubdom/$(xl info xen_version | cut -d. -f1,2)/current
expect "the image is taken away from host 2" host2 mv "$image" "$image.away"
expect_fail "no image there: xl migrate fails" to2
run tail -n 5 $OUT
expect "the image is put back" host2 mv "$image.away" "$image"
expect "no image there: nothing is left on host 2" host2 nothing_left "$before2"
goes_on 1 "no image there"

expect "xen-stubdomd is stopped" systemctl stop xen-stubdomd
expect_fail "no xen-stubdomd here: xl migrate is refused, as there was a state before" to2
expect "xen-stubdomd is started" systemctl start xen-stubdomd
expect "no xen-stubdomd here: nothing is left on host 2" host2 nothing_left "$before2"
goes_on 1 "no xen-stubdomd here"

# --- after all that, there and back
n=$(saved_by_disk)
expect "xl migrate to host 2" to2 || { show; exit 1; }
expect "nothing is left on host 1" nothing_left "$before1"
goes_on 2 "on host 2"
by_disk 1 2 "$n" "to host 2"

expect "xen-stubdomd of host 2 is stopped" host2 systemctl stop xen-stubdomd
expect "xl migrate back goes by console" to1 || { show; exit 1; }
expect "xen-stubdomd of host 2 is started" host2 systemctl start xen-stubdomd
expect "by console: nothing is left on host 2" host2 nothing_left "$before2"
expect_text "by console: host 1 says that it could not verify it" 'guest v1.*: its saved state has no sum' journalctl -u xen-stubdomd -o cat --no-pager
goes_on 1 "back by console"

n=$(saved_by_disk)
expect "xl migrate to host 2 again" to2 || { show; exit 1; }
by_disk 1 2 "$n" "again"
goes_on 2 "again on host 2"
n=$(host2 eval "$counting; saved_by_disk")
expect "xl migrate back" to1 || { show; exit 1; }
by_disk 2 1 "$n" "back"
goes_on 1 "back on host 1"

expect "xl shutdown stops it" guest_stop v1 200
expect "nothing is left on host 1" nothing_left "$before1"
expect "nothing is left on host 2" host2 nothing_left "$before2"

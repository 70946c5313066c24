# SPDX-License-Identifier: GPL-2.0-or-later
# summary: guests come, are saved, restored and go, for as long as one likes: nothing in dom0 grows
# time-limit: 900
# length: 600
# shellcheck disable=SC2154,SC2016
. $LAB/lib-virtio.sh
. $LAB/lib-state.sh
. $LAB/lib-kill.sh

before=$(host_state)
disk=$(loop_disk v 16)
guest_config v pvh 'memory = 96' "cmdline = 'console=hvc0 panic=-1 lab.mods=virtio_xenbus,virtio-rng'" \
	"disk = [ 'vdev=xvda,backendtype=standalone,specification=virtio,target=$disk' ]" \
	"$(virtio_line v "device1;bridge=xenbr0;mac=$VIRTIO_MAC" device4)" >/dev/null
state_config s

# What must not grow, one "WHAT NUMBER" a line.
rss() { awk '/^VmRSS:/ { print $2 }' "/proc/$1/status"; }
fds() { find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l; }
grants() {
	xl dmesg -c >/dev/null 2>&1; xl debug-keys g; sleep 1
	xl dmesg | grep -c '^(XEN) *\[0x'
}
measure() {
	for _d in xen-stubdomd xen-virtiod; do
		_p=$(pid_of $_d)
		echo "kib_of_$_d $(rss "$_p")"
		echo "descriptors_of_$_d $(fds "$_p")"
		echo "restarts_of_$_d $(systemctl show -P NRestarts $_d)"
	done
	_p=$(pgrep -x xenstored || pgrep -x oxenstored)
	echo "kib_of_xenstored $(rss "$_p")"
	echo "descriptors_of_xenstored $(fds "$_p")"
	echo "nodes $(xenstore-ls -f / | wc -l)"
	echo "grants $(grants)"
	echo "loop_devices $(losetup -a | wc -l)"
	echo "processes $(ps -e --no-headers | grep -vc 'kworker')"
	echo "units $(systemctl list-units --all --plain --no-legend 'xen-virtio*' | wc -l)"
}
# What each may be more by: memory in KiB, as allocators and the page cache of xenstored have it; kernel threads.
may_grow() { case $1 in kib_of_xenstored) echo 4096 ;; kib_*) echo 1024 ;; processes) echo 4 ;; grants) echo 8 ;; *) echo 0 ;; esac; }

saves=0
save_and_restore() {
	xl save "$1" $LAB/tmp/soak.save && wait_for 60 domain_gone "$1" && xl restore $LAB/tmp/soak.save && saves=$((saves + 1))
	_ended=$?
	rm -f $LAB/tmp/soak.save
	return $_ended
}
virtio_works() { guest_cmd v "d=/dev/$(disk_of v); head -c 65536 /dev/urandom >/tmp/x && dd if=/tmp/x of=\$d bs=64k oflag=direct 2>/dev/null && dd if=\$d bs=64k count=1 iflag=direct 2>/dev/null | cmp - /tmp/x"; }
# cycle N: one of each kind; every fourth is saved and restored.  With Xen 4.17 xl does not save what it does not know.
cycle() {
	virtio_start v && wait_for 60 virtio_works || { echo "the guest with virtio devices"; return 1; }
	if [ $(($1 % 4)) = 1 ] && xl_knows_virtio; then save_and_restore v && wait_for 120 virtio_works || { echo "save of the guest with virtio devices"; return 1; }; fi
	xl create $GUESTS/s.cfg && wait_for 60 counting s || { echo "the guest with a stubdomain"; return 1; }
	if [ $(($1 % 4)) = 1 ]; then save_and_restore s && wait_for 60 counting s || { echo "save of the guest with a stubdomain"; return 1; }; fi
	xl destroy s && xl destroy v && nothing_left "$before"
}

# The first ones fill caches.
n=0
for n in 1 2; do expect "cycle $n" cycle $n || { show_stubdom s; show_virtio v; return; }; done
measure >$LAB/tmp/first
run cat $LAB/tmp/first
end=$(($(date +%s) + LAB_LENGTH)) bad=
while [ "$(date +%s)" -lt $end ] && [ -z "$bad" ]; do
	n=$((n + 1))
	run cycle $n || bad=$(last_line)
	[ $((n % 10)) != 0 ] || { ok "cycle $n"; measure | tr '\n' ' ' | sed 's/^/| /'; echo; }
done
[ -z "$bad" ] && ok "each cycle is right" || { fail "each cycle is right" "cycle $n: $bad"; show_stubdom s; show_virtio v; }
note cycles $n
note saves $saves
expect "nothing is left" nothing_left "$before"
measure >$LAB/tmp/last
while read -r what was; do
	is=$(sed -n "s/^$what //p" $LAB/tmp/last)
	note "$what" "$was $is"
	if [ "${is:-999999999}" -le $((was + $(may_grow "$what"))) ]; then ok "$what does not grow"; else fail "$what does not grow" "$was after two cycles, $is after $n"; fi
done <$LAB/tmp/first
losetup -d "$disk"

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154,SC2016
# What the scenarios with wrong backends and wrong drivers share:   . $LAB/lib-virtio.sh; . $LAB/lib-hostile.sh
# tests/hostile/README.md has the programs.

# hostile_guest NAME DISK SPEC...: a PV guest with vx-frontend in its initramfs, a right disk, and the
# devices of SPECs (virtio/0 and so on), with which vx-frontend plays.
hostile_guest() {
	_name=$1 _disk=$2; shift 2
	cat $MEDIA/initramfs.gz $MEDIA/hostile.cpio.gz >$GUESTS/hostile.gz
	guest_config "$_name" pv 'memory = 256' 'vcpus = 2' "ramdisk = '$GUESTS/hostile.gz'" \
		"cmdline = 'console=hvc0 panic=-1 lab.mods=virtio_xenbus,virtio-rng,virtio_console,9p,9pnet_virtio'" \
		"disk = [ 'vdev=xvda,backendtype=standalone,specification=virtio,target=$_disk' ]" \
		"$(virtio_line "$_name" "$@")" >/dev/null
	expect "a guest boots" virtio_start "$_name" || { show_virtio "$_name"; return 1; }
	expect "its disk is there" wait_for 60 disk_of "$_name" virtio_disk/51712 || { show_virtio "$_name"; return 1; }
	vd=$(disk_of "$_name" virtio_disk/51712) id=$(xl domid "$_name")
	unit=xen-virtio-backend@$id
	qemu=$(systemctl show -P MainPID "$unit") daemon=$(systemctl show -P MainPID xen-virtiod)
}

# The guest's good disk is written and read all the time, until /tmp/stop is there.
good_disk_works() {
	guest_cmd "$1" "head -c 262144 /dev/urandom >/tmp/p; (n=0; while [ ! -e /tmp/stop ]; do
	dd if=/tmp/p of=/dev/$vd bs=64k seek=\$((n % 100)) oflag=direct && dd if=/dev/$vd bs=64k skip=\$((n % 100)) count=4 iflag=direct |
	cmp - /tmp/p || echo bad >>/tmp/bad; cat /sys/block/*/cache_type; n=\$((n + 1)); echo \$n >/tmp/rounds; sleep 0.5; done) >/dev/null 2>&1 &"
}
rounds() { [ "$(guest_cmd "$1" 'cat /tmp/rounds')" -gt "$2" ]; }

# all_lives NAME WHEN
all_lives() {
	expect "$2: the guest lives" guest_cmd "$1" true
	expect "$2: its other disk serves right data" wait_for 60 rounds "$1" "$(guest_cmd "$1" 'cat /tmp/rounds')"
	expect "$2: no wrong data until now" guest_cmd "$1" '! [ -e /tmp/bad ]'
	expect "$2: the guest's kernel has no complaint" guest_cmd "$1" "! dmesg | grep -E 'BUG:|WARNING:|Oops|Call Trace|hung'"
	expect "$2: the same QEMU runs" [ "$(systemctl show -P MainPID "$unit")" = "$qemu" ]
	expect "$2: the same daemon runs" [ "$(systemctl show -P MainPID xen-virtiod)" = "$daemon" ]
}

# judge SIDE NAME RESULT SAYS FILE: FILE has the log's lines about this fault.
judge() {
	_n=$(grep -c . "$5")
	if [ "$3" != ok ]; then fail "$1 $2" "$3; log: $(head -n 2 "$5" | tr '\n' ' ')"
	elif [ "$4" = '*' ]; then ok "$1 $2"
	elif [ "$4" = - ] && [ "$_n" -gt 0 ]; then fail "$1 $2" "$_n lines in the log: $(head -n 1 "$5")"
	elif [ "$4" != - ] && [ "$_n" != 1 ]; then fail "$1 $2" "$_n lines in the log, not one: $(head -n 2 "$5" | tr '\n' ' ')"
	elif [ "$4" != - ] && ! grep -Eq -- "$4" "$5"; then fail "$1 $2" "no '$4' in: $(cat "$5")"
	else ok "$1 $2"
	fi
}

# judge_backend NAME FILE WHO: FILE has what vx-backend says; each fault had a device of its own, which the
# guest's lines name.  What succeeded is said too, and how many requests went with a device; and
# CONFIG_XEN_VIRTIO speaks about each virtio device below a xenbus device.  Then tried is how many there were.
judge_backend() {
	tr -d '\r' <"$(console_log "$1")" | grep -v -e 'virtio device [0-9]*, ' -e 'requests failed' -e 'Using dom0 as backend' \
		-e 'Xen grant DMA data' >$LAB/tmp/be.log
	grep ';.*;.*;' "$2" >$LAB/tmp/judged
	tried=0
	while IFS=';' read -r name dev result says; do
		grep -- " virtio-$dev: " $LAB/tmp/be.log >$LAB/tmp/be.one
		judge "$3:" "$name" "$result" "$says" $LAB/tmp/be.one
		tried=$((tried + 1))
	done <$LAB/tmp/judged
}

# judge_driver FILE KIND: FILE has what vx-frontend says, and the journal from the cursor on the backend's
# lines, in the faults' order.  libxengnttab has a line of its own for a reference that cannot be mapped.
judge_driver() {
	journalctl -u "$unit" --after-cursor "$cursor" -q -o cat | grep -v '^gnttab: error: ' >$LAB/tmp/fe.log
	grep ';.*;.*;' "$1" >$LAB/tmp/judged
	tried=0
	while IFS=';' read -r name dev result says; do
		: >$LAB/tmp/fe.one
		case $name,$says in
		ring-often,*)
			# Lines of resets come first.
			grep -v 'needs a reset' $LAB/tmp/fe.log >$LAB/tmp/fe.one
			: >$LAB/tmp/fe.log ;;
		*,'*') : >$LAB/tmp/fe.log ;;	# the last: any number of them
		*,-) ;;
		*)
			head -n 1 $LAB/tmp/fe.log >$LAB/tmp/fe.one
			sed -i 1d $LAB/tmp/fe.log ;;
		esac
		[ "$says" = - ] || [ "$says" = '*' ] || grep -q "domain $id virtio/$dev: " $LAB/tmp/fe.one || result="$result, but the line names no device"
		judge "$2's driver:" "$name" "$result" "$says" $LAB/tmp/fe.one
		tried=$((tried + 1))
	done <$LAB/tmp/judged
	expect "no other line is in the backend's journal" sh -c "! grep . $LAB/tmp/fe.log"
}
here_now() { cursor=$(journalctl -u "$unit" -n 0 --show-cursor -q | sed -n 's/^-- cursor: //p'); }
lets_go() { guest_cmd "$1" "echo virtio-$2 >/sys/bus/xen/drivers/virtio_xenbus/unbind"; }
takes() { guest_cmd "$1" "echo virtio-$2 >/sys/bus/xen/drivers/virtio_xenbus/bind"; }

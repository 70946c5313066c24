# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# What a scenario may call, with tests/lib/expect.sh; it runs in dom0.  docs/lab.md describes each.

set -u
LAB=/lab
MEDIA=$LAB/media
GUESTS=$LAB/guests
# shellcheck disable=SC2034 # expect.sh reads both
OUT=$LAB/tmp/out		# output of the last expect or run
# shellcheck disable=SC2034
SHOW='| '
mkdir -p $LAB/tmp $GUESTS

. $LAB/expect.sh

now() { date +%s.%N; }
since() { echo "$(now) $1" | awk '{ printf "%.1f", $1 - $2 }'; }

domain_exists() { xl domid "$1"; }
domain_gone() { ! xl domid "$1"; }
domain_count() { xl list | tail -n +2 | wc -l; }
only_dom0() { [ "$(domain_count)" = 1 ]; }

# guest_disk NAME [KERNEL ARGUMENTS]: a fresh copy of the bootable BIOS disk; prints its path.
guest_disk() {
	_disk=$GUESTS/$1.img
	cp --sparse=always $MEDIA/disk.img "$_disk" || return 1
	[ $# -lt 2 ] || guest_menu "$_disk" "$2" || return 1
	echo "$_disk"
}

# guest_menu DISK ARGUMENTS: more kernel arguments for the disk's GRUB.  The
# menu is 8 raw sectors from sector 2000 on, filled up with newlines.
guest_menu() {
	dd if="$1" bs=512 skip=2000 count=8 status=none | sed '/^$/d' |
		sed "s|\(linux /boot/vmlinuz .*panic=-1\).*|\1 $2|" >$LAB/tmp/menu
	yes '' | head -c 4096 >>$LAB/tmp/menu
	head -c 4096 $LAB/tmp/menu | dd of="$1" bs=512 seek=2000 conv=notrunc status=none
}

# halt_disk FILE: what boots from it only halts (sti; hlt; jmp; with interrupts off Xen would take it as
# powered off): a BIOS that finds no disk reboots after a minute.
halt_disk() {
	truncate -s 1M "$1"
	printf '\373\364\353\375' | dd of="$1" conv=notrunc status=none
	printf '\125\252' | dd of="$1" bs=1 seek=510 conv=notrunc status=none
}

# xen_before MAJOR MINOR: the hypervisor that runs is older.
xen_before() {
	_major=$(cat /sys/hypervisor/version/major) _minor=$(cat /sys/hypervisor/version/minor)
	[ "$_major" -lt "$1" ] || { [ "$_major" -eq "$1" ] && [ "$_minor" -lt "$2" ]; }
}

# guest_config NAME pv|pvh|hvm [LINE...]: writes an xl configuration, prints its
# path.  A LINE replaces a default.  pv and pvh boot the small kernel directly,
# hvm its BIOS disk (made by guest_disk when there is none).
guest_config() {
	_name=$1 _type=$2 _cfg=$GUESTS/$1.cfg; shift 2
	{
		echo "name = \"$_name\""
		echo "type = \"$_type\""
		echo 'memory = 128'
		echo 'vcpus = 1'
		echo 'on_crash = "preserve"'
		echo 'on_reboot = "destroy"'
		if [ "$_type" = hvm ]; then
			[ -e "$GUESTS/$_name.img" ] || guest_disk "$_name" >/dev/null || return 1
			echo "disk = [ \"format=raw,vdev=hda,access=rw,target=$GUESTS/$_name.img\" ]"
			echo "serial = \"file:$(console_log "$_name" hvm)\""
			echo 'vnc = 0'
		else
			echo "kernel = \"$MEDIA/vmlinuz\""
			echo "ramdisk = \"$MEDIA/initramfs.gz\""
			echo 'cmdline = "console=hvc0 panic=-1"'
		fi
		for _line; do echo "$_line"; done
	} >"$_cfg"
	echo "$_cfg"
}

# console_log NAME [pv|pvh|hvm]: where the guest's console is recorded.
console_log() {
	_kind=${2:-$(sed -n 's/^type = "\(.*\)"/\1/p' "$GUESTS/$1.cfg" 2>/dev/null | tail -n 1)}
	if [ "$_kind" = hvm ]; then echo "/var/log/xen/serial-$1.log"; else echo "/var/log/xen/console/guest-$1.log"; fi
}

# guest_says NAME SECONDS PATTERN: waits for it on the guest's console.
guest_says() {
	_log=$(console_log "$1")
	wait_for "$2" grep -aEq -- "$3" "$_log" && return
	echo "its console ends with:"
	tail -n 8 "$_log" | tr -d '\033\r'
	echo "no '$3' on the console of $1 within $2 s"
	return 1
}

# guest_start NAME [SECONDS]: xl create and wait for GUEST READY.  A function
# for expect; guest_config was called before.
guest_start() {
	xl create "$GUESTS/$1.cfg" || return 1
	guest_says "$1" "${2:-180}" 'GUEST READY'
}

# guest_cmd NAME COMMAND...: runs it in the guest (through xenstore, see
# guest/xsagent.c); prints its output, returns its status.  GUEST_TIMEOUT: seconds.
guest_cmd() {
	_id=$(xl domid "$1") || return 125
	_dir=/local/domain/$_id/data/lab _tag=$(date +%s%N); shift
	_end=$(($(date +%s) + ${GUEST_TIMEOUT:-120}))
	until xenstore-read "$_dir/ready" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt $_end ] || { echo "guest_cmd: no agent in the guest"; return 124; }
		sleep 0.3
	done
	xenstore-rm "$_dir/out" 2>/dev/null
	xenstore-write "$_dir/cmd" "$_tag $*" || return 125
	while :; do
		# shellcheck disable=SC2046 # three words: tag, status, chunks
		set -- $(xenstore-read "$_dir/done" 2>/dev/null)
		[ "${1:-}" != "$_tag" ] || break
		[ "$(date +%s)" -lt $_end ] || { echo "guest_cmd: no answer in ${GUEST_TIMEOUT:-120} s"; return 124; }
		sleep 0.1
	done
	if [ "$3" -gt 0 ]; then
		# shellcheck disable=SC2046 # one path per chunk
		xenstore-read $(seq -f "$_dir/out/%.0f" 0 $(($3 - 1))) | base64 -d
	fi
	return "$2"
}

# guest_stop NAME [SECONDS]: clean shutdown, then the domain must be gone.
guest_stop() {
	xl shutdown -F "$1" || return 1
	wait_for "${2:-120}" domain_gone "$1" && return
	echo "$1 still exists ${2:-120} s after xl shutdown"
	return 1
}

# host_state: what guests may leave behind in dom0, one line each, sorted; and
# nothing_left STATE: the same now as then, within half a minute.  What cannot
# be looked at is a line too: a state that could not be read equals no other.
host_state() {
	{
		xl list | awk 'NR > 1 { print "domain", $1 }'
		for _n in /local/domain /libxl /vm /local/domain/0/backend /local/domain/0/device-model; do
			! xenstore-exists "$_n" || xenstore-ls -f -p "$_n"
		done | sed 's/ = .*//' | awk -F/ '
			# A class of backends stays when its last device goes; its domains do not.
			$2 == "local" && $4 != 0 { print "node", "/local/domain/" $4 }
			$2 == "libxl" && NF > 2 { print "node", "/libxl/" $3 }
			$2 == "vm" && NF > 2 { print "node", "/vm/" $3 }
			$5 == "backend" && NF > 6 { print "node", "backend", $6, $7 }
			$5 == "device-model" && NF > 5 { print "node", "device-model", $6 }'
		losetup -a | sed 's/^/loop /'
		ps -eo args= | grep -E '^[^ ]*(qemu-system-i386|qemu-virtio|xen-qemu|vchan-socket-proxy|xl|xen-state-disk|xen-stubdom-(pv|vnc))\]? ' |
			grep -v -e 'xl list' -e 'xen-domid 0 ' | sed 's/^/process /'
		find /var/lib/xen /run/xen -ignore_readdir_race -name 'qemu-*' -o -name 'qmp-libxl-*' -o -name 'empty-cdrom*' |
			sed 's/^/file /'
		systemctl list-units --all --plain --no-legend 'xen-virtio-backend@*' | awk '{ print "unit", $1 }'
		for _n in /sys/class/net/vif* /sys/class/net/vx*; do [ ! -e "$_n" ] || echo "interface ${_n##*/}"; done
	} 2>$LAB/tmp/state.err | sort -u
	sed "s/^/error $(now) /" $LAB/tmp/state.err
}
nothing_left() {
	_before=$1
	for _i in $(seq 60); do
		_after=$(host_state)
		[ "$_before" != "$_after" ] || return 0
		sleep 0.5
	done
	echo "$_before" >$LAB/tmp/before; echo "$_after" >$LAB/tmp/after
	diff $LAB/tmp/before $LAB/tmp/after | sed -n 's/^[<>] /&/p'
	return 1
}

# show_stubdom NAME: what a failed start leaves to read.
show_stubdom() {
	log "stubdomain's console:"; tail -n 60 "/var/log/xen/qemu-dm-$1.log" 2>/dev/null | sed 's/^/|   /'
	log "xen-stubdomd:"; journalctl -u xen-stubdomd -n 30 --no-pager -o cat 2>/dev/null | sed 's/^/|   /'
	log "xl:"; tail -n 20 "/var/log/xen/xl-$1.log" 2>/dev/null | sed 's/^/|   /'
}

mountpoint -q $MEDIA || { mkdir -p $MEDIA && mount LABEL=labmedia $MEDIA; }

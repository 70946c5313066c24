# SPDX-License-Identifier: GPL-2.0-or-later
# summary: the same guest with its QEMU in a stubdomain and in dom0: start, memory, sizes
# time-limit: 2400
#
# Run by `make bench-stubdom`: figures are ratios within one run; the emulated
# host is 10 to 30 times slower than hardware.

boot=/usr/lib/xen-$(xl info xen_version | cut -d. -f1,2)/boot
note kernel_bytes "$(stat -L -c %s "$boot/qemu-stubdom-linux-kernel")"
note rootfs_bytes "$(stat -L -c %s "$boot/qemu-stubdom-linux-rootfs")"

# hvmloader's first line in Xen's log: the guest executes.
bios_lines() { xl dmesg | grep -c 'HVM Loader'; }

measure() {	# NAME ROUND [LINE...]
	_g=$1 _r=$2; shift 2
	guest_config "$_g" hvm 'disk = [ ]' 'serial = "pty"' 'on_crash = "destroy"' "$@" >/dev/null
	_lines=$(bios_lines) _start=$(now)
	expect "$_g, round $_r: create" xl create "$GUESTS/$_g.cfg" || { show_stubdom "$_g"; return 1; }
	note "${_g}_create_seconds_$_r" "$(since "$_start")"
	wait_for 60 sh -c "[ \$(xl dmesg | grep -c 'HVM Loader') -gt $_lines ]" &&
		note "${_g}_bios_seconds_$_r" "$(since "$_start")"
	if domain_exists "$_g-dm" >/dev/null 2>&1; then
		_d=/local/domain/$(xl domid "$_g-dm")/data/xen-stubdom
		sleep 5
		note "${_g}_mem_total_kib_$_r" "$(xenstore-read "$_d/mem-total")"
		note "${_g}_mem_available_kib_$_r" "$(xenstore-read "$_d/mem-available")"
	fi
	_pid=$(pgrep -f "[x]en-domid $(xl domid "$_g-dm" 2>/dev/null || xl domid "$_g") " | head -n 1)
	[ -z "$_pid" ] || note "${_g}_dom0_qemu_rss_kib_$_r" "$(awk '/VmRSS/ { print $2 }' "/proc/$_pid/status")"
	xl destroy "$_g"
}

stub='device_model_version = "qemu-xen"'
for round in 1 2 3; do
	measure dom0 $round
	measure stub $round "$stub" 'device_model_stubdomain_override = 1'
done

# Two NICs, four disks and std VGA in libxl's default memory, then in less:
# stubdomain_memory + 16 MB of video memory is what the domain gets.
for d in a b c d; do truncate -s 8M "$GUESTS/$d.img"; done
full="disk = [ '$GUESTS/a.img,raw,hda,rw', '$GUESTS/b.img,raw,hdb,rw', '$GUESTS/c.img,raw,hdc,rw', '$GUESTS/d.img,raw,hdd,rw' ]"
nics='vif = [ "bridge=xenbr0,model=e1000", "bridge=xenbr0,model=rtl8139" ]'
measure full 1 "$stub" 'device_model_stubdomain_override = 1' "$full" "$nics" 'vga = "stdvga"'
for mb in 64 48; do
	measure full$mb 1 "$stub" 'device_model_stubdomain_override = 1' "$full" "$nics" "stubdomain_memory = $mb"
done

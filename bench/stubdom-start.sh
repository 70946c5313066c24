# SPDX-License-Identifier: GPL-2.0-or-later
# summary: the same guest with its QEMU in a stubdomain and in dom0: start, memory, sizes
# time-limit: 2400
#
# Run by `make bench-stubdom`: figures are ratios within one run; the emulated
# host is 10 to 30 times slower than hardware.

boot=/usr/lib/xen-$(xl info xen_version | cut -d. -f1,2)/boot
note kernel_bytes "$(stat -L -c %s "$boot/qemu-stubdom-linux-kernel")"
note rootfs_bytes "$(stat -L -c %s "$boot/qemu-stubdom-linux-rootfs")"

# Xen logs what hvmloader says only at this level.
expect "Xen logs what guests say" xl set-parameters guest_loglvl=all
# hvmloader's first line: the guest executes.
bios_lines() { xl dmesg | grep -c 'HVM Loader'; }

measure() {	# NAME ROUND [LINE...]
	_g=$1 _r=$2; shift 2
	guest_config "$_g" hvm 'disk = [ ]' 'serial = "pty"' 'on_crash = "destroy"' "$@" >/dev/null
	_lines=$(bios_lines) _start=$(now)
	expect "$_g, round $_r: create" xl create "$GUESTS/$_g.cfg" || { show_stubdom "$_g"; return 1; }
	note "${_g}_create_seconds_$_r" "$(since "$_start")"
	expect "$_g, round $_r: its BIOS runs" \
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

# Two NICs, four disks and std VGA in libxl's default memory.
for d in a b c d; do truncate -s 8M "$GUESTS/$d.img"; done
full="disk = [ '$GUESTS/a.img,raw,hda,rw', '$GUESTS/b.img,raw,hdb,rw', '$GUESTS/c.img,raw,hdc,rw', '$GUESTS/d.img,raw,hdd,rw' ]"
nics='vif = [ "bridge=xenbr0,model=e1000", "bridge=xenbr0,model=rtl8139" ]'
measure full 1 "$stub" 'device_model_stubdomain_override = 1' "$full" "$nics" 'vga = "stdvga"'

# And the least it starts and stays in; xl adds the 16 MB of the guest's video
# memory to what is asked for.
for mb in 64 56 48 40 36 32 28 24; do
	guest_config "full$mb" hvm 'serial = "pty"' 'on_crash = "destroy"' "$stub" 'device_model_stubdomain_override = 1' \
		"$full" "$nics" 'vga = "stdvga"' "stubdomain_memory = $mb" >/dev/null
	if run xl create "$GUESTS/full$mb.cfg"; then
		sleep 20
		_d=/local/domain/$(xl domid "full$mb-dm")/data/xen-stubdom
		[ "$(xenstore-read "$_d/stage")" = running ] || break
		note least_stubdomain_memory_mib $mb
		note "full${mb}_mem_total_kib" "$(xenstore-read "$_d/mem-total")"
		note "full${mb}_mem_available_kib" "$(xenstore-read "$_d/mem-available")"
		xl destroy "full$mb"
	else
		run journalctl -u xen-stubdomd -n 3 -o cat --no-pager
		break
	fi
done

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# For scenarios that save a guest with a stubdomain: a guest to be saved, and what has
# to be the same after it.  A scenario reads it with: . $LAB/lib-save.sh

# saved_guest GUEST [LINE...]: boots it; its disk and its card are emulated ones, unless a LINE says otherwise.
# $session: what xl runs in.
saved_guest() {
	_g=$1; shift
	# With Xen 4.17 a Linux guest gets an emulated device's MSI as one of Xen's physical
	# interrupts, and after a restore none comes, wherever QEMU runs: there, IDE.
	_bus=ahci
	! xen_before 4 18 || _bus=ide
	expect "a bootable disk is made" guest_disk "$_g" 'xen_emul_unplug=never quiet lab.ip=10.77.0.51/24'
	guest_config "$_g" hvm "hdtype = '$_bus'" 'device_model_version = "qemu-xen"' 'device_model_stubdomain_override = 1' \
		'vif = [ "bridge=xenbr0,model=rtl8139,mac=00:16:3e:00:00:51" ]' "$@" >/dev/null
	expect "xl create starts it" ${session:-} xl create "$GUESTS/$_g.cfg" || { show_stubdom "$_g"; exit 1; }
	expect "the guest boots" wait_for 300 guest_cmd "$_g" true || show_stubdom "$_g"
	boot_id=$(guest_cmd "$_g" cat /proc/sys/kernel/random/boot_id)
	sum=$(guest_cmd "$_g" 'dd if=/dev/urandom of=/root/f bs=1M count=4 2>/dev/null; sync; sha256sum </root/f')
}

# The same run of its kernel, and the same data, read from the disk.
expect_same_run() { expect_text "it is the same run of its kernel" "^$boot_id" guest_cmd "$1" cat /proc/sys/kernel/random/boot_id; }
expect_same_disk() { expect_text "${2:-its emulated disk works}" "^${sum%% *}" guest_cmd "$1" 'echo 3 >/proc/sys/vm/drop_caches; sha256sum </root/f'; }

# saved_by disk|console FILE [TEXT]: the way of the device state into a file of xl save.
saved_by() { expect_text "${3:-its device state went by $1}" "^$1 [0-9]" python3 $LAB/lib-saved.py "$2"; }
# restored_by_disk GUEST: so did it come back.
took_disk() { [ "$(xenstore-read "/local/domain/$(xl domid "$1-dm")/data/xen-stubdom/state/restored")" = ok ]; }
restored_by_disk() { expect "its device state came back by disk" wait_for 30 took_disk "$1"; }

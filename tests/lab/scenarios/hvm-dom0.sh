# SPDX-License-Identifier: GPL-2.0-or-later
# summary: an HVM guest boots from its emulated IDE disk, device model in dom0
# layer: base
# time-limit: 1800

# xen_emul_unplug=never: the guest keeps the emulated disk when Linux runs.
expect "a bootable disk is made" guest_disk h1 'xen_emul_unplug=never lab.ip=10.77.0.12/24'
guest_config h1 hvm 'vif = [ "bridge=xenbr0,model=rtl8139,mac=00:16:3e:00:00:12" ]' >/dev/null
start=$(now)
expect "GRUB starts from the emulated IDE disk" sh -c '. /lab/lib.sh; xl create $GUESTS/h1.cfg && guest_says h1 600 "GRUB lab"'
note grub_seconds "$(since "$start")"
expect "Linux boots to GUEST READY" guest_says h1 900 'GUEST READY'
note ready_seconds "$(since "$start")"
expect_text "its root is the emulated disk" '^/dev/(sda1|root) / ' guest_cmd h1 "cat /proc/mounts; ls /sys/block"
expect_text "the disk is a QEMU disk" QEMU guest_cmd h1 'cat /sys/block/sda/device/model'
expect "the emulated network card reaches dom0" guest_cmd h1 'ping -c 2 -W 10 10.77.0.1'
expect "xl shutdown stops it" guest_stop h1
expect "no domain is left" only_dom0

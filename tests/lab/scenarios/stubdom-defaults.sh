# SPDX-License-Identifier: GPL-2.0-or-later
# summary: two lines in the guest's file are enough: no path, no command line, no memory
# time-limit: 900

before=$(host_state)
expect "a bootable disk is made" guest_disk d1 'xen_emul_unplug=never quiet'
# Nothing but what xl demands of any HVM guest, and the two lines.
cat >$GUESTS/d1.cfg <<E
type = "hvm"
name = "d1"
memory = 128
disk = [ "$GUESTS/d1.img,raw,hda,rw" ]
vif = [ "bridge=xenbr0" ]
device_model_version = "qemu-xen"
device_model_stubdomain_override = 1
E
start=$(now)
expect "xl create starts it" xl create $GUESTS/d1.cfg || { show_stubdom d1; exit 1; }
note create_seconds "$(since "$start")"
expect "the guest boots from its disk" wait_for 500 guest_cmd d1 true || show_stubdom d1
stub=$(xl domid d1-dm)
# 128 MB and the guest's video memory, 8 MB.
expect_text "the stubdomain has libxl's default memory" '^ *d1-dm  *[0-9]+  *136 ' xl list
expect_text "and most of it is free" '^[0-9]{5,}$' xenstore-read /local/domain/"$stub"/data/xen-stubdom/mem-available
note mem_total_kib "$(xenstore-read /local/domain/"$stub"/data/xen-stubdom/mem-total)"
note mem_available_kib "$(xenstore-read /local/domain/"$stub"/data/xen-stubdom/mem-available)"
expect_text "the network card is libxl's default, rtl8139" '/8139cp$' guest_cmd d1 readlink /sys/class/net/eth0/device/driver
expect "xl shutdown stops it" guest_stop d1 200
expect "nothing is left" nothing_left "$before"

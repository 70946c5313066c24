# SPDX-License-Identifier: GPL-2.0-or-later
# summary: a CD in the guest's drive is read, ejected and changed while it runs
# time-limit: 900
# suites: trixie

# Xen 4.17 refuses to change the CD of a guest with a stubdomain.
before=$(host_state)
expect "a bootable disk is made" guest_disk c1 'xen_emul_unplug=never quiet'
for cd in a b; do
	truncate -s 2M $GUESTS/$cd.iso
	echo "this is CD $cd" | dd of=$GUESTS/$cd.iso conv=notrunc status=none
done
guest_config c1 hvm 'hdtype = "ahci"' 'device_model_version = "qemu-xen"' 'device_model_stubdomain_override = 1' \
	"disk = [ '$GUESTS/c1.img,raw,hda,rw', 'format=raw,vdev=hdc,access=ro,devtype=cdrom,backendtype=phy,target=$GUESTS/a.iso' ]" >/dev/null
read_cd() { guest_cmd c1 'head -c 13 /dev/sr0 && cat /sys/block/sr0/size'; }
# The first command after a change is answered "unit attention", which Linux hands
# on as an I/O error where nothing polls the drive: what udev does.
reads() { read_cd | grep -q "^this is CD $1"; }
no_medium() { ! guest_cmd c1 'head -c 1 /dev/sr0'; }

expect_fail "xen-stubdom check has nothing to say of its CD" sh -c "xen-stubdom check $GUESTS/c1.cfg | grep 'disk hdc'"
expect "xl create starts it" xl create $GUESTS/c1.cfg || { show_stubdom c1; exit 1; }
expect "the guest boots" wait_for 300 guest_cmd c1 true || show_stubdom c1
expect_text "it reads the CD" '^this is CD a' read_cd
expect_text "whole, and no more" '^4096$' read_cd
expect "xl cd-eject" xl cd-eject c1 hdc || show_stubdom c1
expect "the drive is empty" wait_for 60 no_medium
expect "xl cd-insert" xl cd-insert c1 hdc $GUESTS/b.iso || show_stubdom c1
expect "it reads the other CD" wait_for 30 reads b
expect "the same again" xl cd-insert c1 hdc $GUESTS/a.iso
expect "and the first again" wait_for 30 reads a
expect_text "its device model still runs" '^c1 .*running' xen-stubdom status
expect "xl shutdown stops it" guest_stop c1 200
expect "nothing is left" nothing_left "$before"

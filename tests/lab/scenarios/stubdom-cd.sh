# SPDX-License-Identifier: GPL-2.0-or-later
# summary: CDs of a guest: read, ejected, changed while it runs, drives that start empty
# time-limit: 1200

before=$(host_state)
expect "a bootable disk is made" guest_disk c1 'xen_emul_unplug=never quiet'
for cd in a b; do
	truncate -s 2M $GUESTS/$cd.iso
	echo "this is CD $cd" | dd of=$GUESTS/$cd.iso conv=notrunc status=none
done
# Xen 4.17 has CDs served by QEMU only, and cannot change one of a stubdomain.
phy='backendtype=phy,'
! xen_before 4 20 || phy=
guest_config c1 hvm 'hdtype = "ahci"' 'device_model_version = "qemu-xen"' 'device_model_stubdomain_override = 1' \
	"disk = [ '$GUESTS/c1.img,raw,hda,rw', ',empty,hdb:cdrom,r', 'format=raw,vdev=hdc,access=ro,devtype=cdrom,${phy}target=$GUESTS/a.iso', '${phy}format=empty,vdev=hdd,access=ro,devtype=cdrom' ]" >/dev/null

# The guest's drive at hdX is the sr that hangs on that IDE channel and unit.
drive() { guest_cmd c1 "cd /sys/block && for s in sr*; do echo \$s \$(readlink \$s); done"; }
sr_hdb=sr0 sr_hdc=sr1 sr_hdd=sr2
read_cd() { guest_cmd c1 "head -c 13 /dev/$1 && cat /sys/block/$1/size"; }
# The first command after a change is answered "unit attention", which Linux hands
# on as an I/O error where nothing polls the drive: what udev does.
reads() { read_cd "$1" | grep -q "^this is CD $2"; }
no_medium() { ! guest_cmd c1 "head -c 1 /dev/$1"; }

xen_before 4 20 || expect_fail "xen-stubdom check has nothing to say of its CDs" sh -c "xen-stubdom check $GUESTS/c1.cfg | grep 'disk hd'"
expect "xl create starts it" xl create $GUESTS/c1.cfg || { show_stubdom c1; exit 1; }
expect "the guest boots" wait_for 300 guest_cmd c1 true || show_stubdom c1
run drive
expect_text "it has three drives" '^3$' guest_cmd c1 'ls -d /sys/block/sr* | wc -l'
expect_text "it reads the CD" '^this is CD a' read_cd $sr_hdc
expect_text "whole, and no more" '^4096$' read_cd $sr_hdc
expect "a drive that starts empty has no medium" no_medium $sr_hdb
expect "nor has the other" no_medium $sr_hdd
if xen_before 4 20; then
	expect_fail "xl cd-insert is refused" xl cd-insert c1 hdb $GUESTS/b.iso
else
	expect "xl cd-insert into a drive that started empty" xl cd-insert c1 hdb $GUESTS/b.iso || show_stubdom c1
	expect "its CD is read" wait_for 30 reads $sr_hdb b
	expect "the same with backendtype=phy" xl cd-insert c1 hdd $GUESTS/b.iso || show_stubdom c1
	expect "its CD is read, too" wait_for 30 reads $sr_hdd b
	expect "xl cd-eject from a drive that started empty" xl cd-eject c1 hdb || show_stubdom c1
	expect "it is empty again" wait_for 60 no_medium $sr_hdb
	expect "and takes another CD" xl cd-insert c1 hdb $GUESTS/a.iso
	expect "which is read" wait_for 30 reads $sr_hdb a

	expect "xl cd-eject" xl cd-eject c1 hdc || show_stubdom c1
	expect "the drive is empty" wait_for 60 no_medium $sr_hdc
	expect "xl cd-insert" xl cd-insert c1 hdc $GUESTS/b.iso || show_stubdom c1
	expect "it reads the other CD" wait_for 30 reads $sr_hdc b
	expect "the same again" xl cd-insert c1 hdc $GUESTS/a.iso
	expect "and the first again" wait_for 30 reads $sr_hdc a
fi
expect_text "its device model still runs" '^c1 .*running' xen-stubdom status
expect "xl shutdown stops it" guest_stop c1 200
expect "nothing is left" nothing_left "$before"

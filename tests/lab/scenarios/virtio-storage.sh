# SPDX-License-Identifier: GPL-2.0-or-later
# summary: dom0's storage fails, is slow, or does not answer: the guest gets that and nothing else, and all ends in time
# time-limit: 1200
# shellcheck disable=SC2154,SC2016
. $LAB/lib-virtio.sh

before=$(host_state)
good=$(loop_disk v 32) under=$(loop_disk w 32)
sectors=65536
modprobe dm-delay
# faulty linear|error|delay: what the second disk does from now on; requests that wait are done that way.
faulty() {
	case $1 in
	linear) _table="0 $sectors linear $under 0" ;;
	error) _table="0 $sectors error" ;;
	delay) _table="0 $sectors delay $under 0 2000" ;;
	esac
	if [ -e /dev/mapper/faulty ]; then
		dmsetup suspend --noflush --nolockfs faulty 2>/dev/null
		dmsetup load faulty --table "$_table" && dmsetup resume faulty
	else
		dmsetup create faulty --table "$_table"
	fi
}
expect "a disk that can be made faulty" faulty linear || return
guest_config v pvh 'memory = 128' 'vcpus = 2' "cmdline = 'console=hvc0 panic=-1 lab.mods=virtio_xenbus'" \
	"disk = [ 'vdev=xvda,backendtype=standalone,specification=virtio,target=$good', 'vdev=xvdb,backendtype=standalone,specification=virtio,target=/dev/mapper/faulty' ]" >/dev/null
expect "a guest with both boots" guest_start v 300 || { show_virtio v; return; }
expect "its disks are there" wait_for 60 disk_of v virtio_disk/51728 || { show_virtio v; return; }
a=$(disk_of v virtio_disk/51712) b=$(disk_of v virtio_disk/51728)
unit=xen-virtio-backend@$(xl domid v)
qemu=$(systemctl show -P MainPID "$unit")

guest_cmd v 'head -c 262144 /dev/urandom >/tmp/p'
right() { guest_cmd v "dd if=/tmp/p of=/dev/$1 bs=64k oflag=direct && dd if=/dev/$1 bs=64k count=4 iflag=direct | cmp - /tmp/p"; }
other_works() { expect "$1: the other disk works on" right "$a" || show_virtio v; expect "$1: the same QEMU runs" [ "$(systemctl show -P MainPID "$unit")" = "$qemu" ]; }
lines() { journalctl -u xen-virtiod -o cat --no-pager | grep -c "^guest v ([0-9]*): virtio_disk/51728: "; }
expect "both serve right data" right "$b"

# --- it fails
expect "the disk fails" faulty error
expect_fail "the guest gets an I/O error" right "$b"
expect "which the journal says of guest and disk" wait_for 30 sh -c "journalctl -u xen-virtiod -o cat --no-pager | grep '^guest v ([0-9]*): virtio_disk/51728: '" || show_virtio v
guest_cmd v "for i in \$(seq 200); do dd if=/tmp/p of=/dev/$b bs=64k count=1 oflag=direct; done >/dev/null 2>&1"
expect "two hundred more errors are a few lines" [ "$(lines)" -le 5 ] || run journalctl -u xen-virtiod -n 20 -o cat --no-pager
other_works "a disk that fails"
expect "xl save -c ends" sh -c "timeout 200 xl save -c v $LAB/tmp/v.save; [ \$? != 124 ]"
expect "the disk is well" faulty linear
expect "it serves right data again" wait_for 30 right "$b" || show_virtio v

# --- it is slow
expect "each request takes two seconds" faulty delay
expect "data are right" right "$b" || show_virtio v
other_works "a slow disk"
guest_cmd v "(dd if=/tmp/p of=/dev/$b bs=4k oflag=direct; echo \$? >/tmp/slow) >/dev/null 2>&1 &"
expect "xl save -c in the midst of that ends" sh -c "timeout 300 xl save -c v $LAB/tmp/v.save; [ \$? != 124 ]"
expect "the guest answers" wait_for 60 guest_cmd v true
expect "the disk is quick again" faulty linear
expect_text "the slow write has come to its end, without an error" '^0$' sh -c ". $LAB/lib.sh; wait_for 200 guest_cmd v 'cat /tmp/slow' && guest_cmd v 'cat /tmp/slow'"

# --- it does not answer at all
guest_cmd v "rm -f /tmp/slow; (dd if=/tmp/p of=/dev/$b bs=64k oflag=direct; echo \$? >/tmp/slow) >/dev/null 2>&1 & sleep 0"
expect "the disk does not answer" dmsetup suspend --noflush --nolockfs faulty
guest_cmd v "(dd if=/tmp/p of=/dev/$b bs=64k seek=8 oflag=direct; echo \$? >/tmp/slow) >/dev/null 2>&1 &"
other_works "a disk that does not answer"
expect "xl save -c ends with an error" sh -c "! timeout 200 xl save -c v $LAB/tmp/v.save"
expect "the guest runs on" wait_for 60 guest_cmd v true
expect "xen-virtiod serves others meanwhile: a guest comes" sh -c ". $LAB/lib.sh; guest_config w pvh 'memory = 96' >/dev/null; guest_start w && guest_stop w"
expect "the disk answers again" dmsetup resume faulty
expect_text "the write has come to its end, without an error" '^0$' sh -c ". $LAB/lib.sh; wait_for 120 guest_cmd v 'cat /tmp/slow' && guest_cmd v 'cat /tmp/slow'"
expect "the disk serves right data" right "$b" || show_virtio v

# --- the guest is destroyed while it does not answer
guest_cmd v "(dd if=/tmp/p of=/dev/$b bs=64k seek=16 oflag=direct) >/dev/null 2>&1 &"
expect "the disk does not answer" dmsetup suspend --noflush --nolockfs faulty
guest_cmd v "(dd if=/tmp/p of=/dev/$b bs=64k seek=24 oflag=direct) >/dev/null 2>&1 & sleep 1"
expect "xl destroy ends" timeout 120 xl destroy v
expect "the disk answers again" dmsetup resume faulty
rm -f $LAB/tmp/v.save
expect "its disk is free" wait_for 60 dmsetup remove faulty || run dmsetup info
losetup -d "$good" "$under"
expect "nothing is left" nothing_left "$before"

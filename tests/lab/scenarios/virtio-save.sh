# SPDX-License-Identifier: GPL-2.0-or-later
# summary: save, restore, a cancelled save and a migration, with fio checking all the while
# time-limit: 1800
# extra: tools
# shellcheck disable=SC2154,SC2016
. $LAB/lib-virtio.sh
before=$(host_state)
disk=$(loop_disk v 96)

# In the guest: fio writes and verifies, again and again, until it is told to stop.
worker='rm -f /tmp/stop /tmp/bad; echo 0 >/tmp/rounds
while [ ! -e /tmp/stop ]; do
	chroot /mnt fio --name=v --filename=/dev/DISK --size=24M --rw=randrw --bsrange=512-128k --direct=1 --ioengine=libaio \
		--iodepth=8 --verify=crc32c --verify_fatal=1 >/tmp/fio.log 2>&1 || { touch /tmp/bad; break; }
	echo $(($(cat /tmp/rounds) + 1)) >/tmp/rounds
done'
# goes_on TEXT: two more rounds, none of them bad.
goes_on() {
	_n=$(guest_cmd v cat /tmp/rounds)
	expect "$1: fio goes on, with every byte right" wait_for 240 guest_cmd v "[ -e /tmp/bad ] || [ \$(cat /tmp/rounds) -gt $((${_n:-0} + 1)) ]" || show_virtio v
	expect "$1: no I/O error" guest_cmd v '! [ -e /tmp/bad ]' || { run guest_cmd v 'cat /tmp/fio.log; dmesg | tail -n 20'; return 1; }
	expect "$1: the network is there" guest_cmd v 'ping -c 2 -W 20 10.77.0.1'
	expect_text "$1: random numbers come" '^16$' guest_cmd v 'head -c 16 /dev/hwrng | wc -c'
}

# Debian 13's Xen has no shadow paging, which a PV guest needs for that.
pv_migrates() {
	guest_config p pv 'memory = 96' >/dev/null
	guest_start p >$OUT 2>&1 || return 1
	run xl migrate -s '' p 'xl migrate-receive'
	_done=$?
	xl destroy p
	return $_done
}

for t in pv pvh; do
	virtio_config v $t "$disk" >/dev/null
	expect "a $t guest boots" guest_start v 300 || { show_virtio v; continue; }
	expect "its disk is there" wait_for 60 disk_of v
	name=$(disk_of v)
	expect "fio is there" in_tools v fio --version
	echo "$worker" | sed "s/DISK/$name/" >$LAB/tmp/worker
	guest_cmd v "echo $(base64 -w0 <$LAB/tmp/worker) | base64 -d >/tmp/worker; sh /tmp/worker >/dev/null 2>&1 &"
	goes_on "$t, before"
	expect "$t: xl save -c" xl save -c v $LAB/tmp/v.save
	goes_on "$t, after a save that is not the end"
	boot_id=$(guest_cmd v cat /proc/sys/kernel/random/boot_id)
	expect "$t: xl save" xl save v $LAB/tmp/v.save
	expect "$t: nothing of it is left" wait_for 60 only_dom0
	expect "$t: xl restore" xl restore $LAB/tmp/v.save || show_virtio v
	goes_on "$t, restored"
	if [ $t = pv ] && ! pv_migrates; then
		skip "pv: xl migrate to this host" "this Xen migrates no PV guest, with or without virtio (no log-dirty mode)"
	else
		expect "$t: xl migrate to this host" xl migrate -s '' v 'xl migrate-receive' || show_virtio v
		goes_on "$t, migrated"
	fi
	expect_text "$t: it is the same run of its kernel" "^$boot_id" guest_cmd v cat /proc/sys/kernel/random/boot_id
	rm -f $LAB/tmp/v.save
	expect "$t: it is destroyed" xl destroy v
done
losetup -d "$disk"
expect "nothing is left" nothing_left "$before"

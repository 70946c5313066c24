# SPDX-License-Identifier: GPL-2.0-or-later
# summary: save, restore, a cancelled save and a migration, with fio checking all the while
# time-limit: 1800
# extra: tools
# shellcheck disable=SC2154,SC2016
. $LAB/lib-virtio.sh
before=$(host_state)
disk=$(loop_disk v 96)

# goes_on TEXT: two more rounds, none of them bad.
goes_on() {
	fio_goes_on v "$1" || return 1
	xl_knows_virtio || return 0
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

# trust-03: a backend that does nothing while the guest is saved.
stopped_backend() {
	_pid=$(systemctl show -P MainPID "xen-virtio-backend@$(xl domid v)")
	kill -STOP "$_pid"
	expect "$1: trust-03: xl save ends with an error when the backend does nothing" sh -c "! timeout 150 xl save v $LAB/tmp/v.stopped"
	kill -CONT "$_pid"
	rm -f $LAB/tmp/v.stopped
	expect "$1: trust-03: the guest is not paused" sh -c "xl list v | tail -n 1 | grep -q ' [r-][b-]---- '"
	goes_on "$1, after a save that could not be"
}

for t in pv pvh; do
	virtio_kept v $t "$disk" >/dev/null
	expect "a $t guest boots" guest_start v 300 || { show_virtio v; continue; }
	expect "its disk is there" wait_for 60 disk_of v
	expect "fio begins" fio_begin v "/dev/$(disk_of v)"
	goes_on "$t, before"
	expect "$t: xl save -c" xl save -c v $LAB/tmp/v.save
	goes_on "$t, after a save that is not the end"
	stopped_backend $t
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

# SPDX-License-Identifier: GPL-2.0-or-later
# summary: the shortest way through a lost backend: I/O goes on, a save without a backend ends, the guest runs on
# time-limit: 400
# shellcheck disable=SC2154,SC2016
. $LAB/lib-virtio.sh

before=$(host_state)
disk=$(loop_disk v 32)
guest_config v pvh 'memory = 128' "cmdline = 'console=hvc0 panic=-1 lab.mods=virtio_xenbus'" \
	"disk = [ 'vdev=xvda,backendtype=standalone,specification=virtio,target=$disk' ]" >/dev/null
expect "a guest with a virtio disk boots" guest_start v 300 || { show_virtio v; return; }
expect "its disk is there" wait_for 60 disk_of v || { show_virtio v; return; }
vd=$(disk_of v) unit=xen-virtio-backend@$(xl domid v)
backend() { systemctl show -P MainPID "$unit"; }
another() { _p=$(backend); [ "$_p" != 0 ] && [ "$_p" != "$pid" ]; }

# Writes and reads back, all the time.
guest_cmd v "head -c 262144 /dev/urandom >/tmp/p; (n=0; while [ ! -e /tmp/stop ]; do
	dd if=/tmp/p of=/dev/$vd bs=64k seek=\$((n % 100)) oflag=direct && dd if=/dev/$vd bs=64k skip=\$((n % 100)) count=4 iflag=direct |
	cmp - /tmp/p || echo bad >>/tmp/bad; n=\$((n + 1)); echo \$n >/tmp/rounds; done) >/dev/null 2>&1 &"
more_rounds() { [ "$(guest_cmd v cat /tmp/rounds)" -gt "$n" ]; }
goes_on() {
	n=$(guest_cmd v cat /tmp/rounds); n=$((${n:-0} + 2))
	expect "$1: I/O goes on" wait_for 60 more_rounds || show_virtio v
	expect "$1: no wrong data, no I/O error" guest_cmd v '! [ -e /tmp/bad ]' || run guest_cmd v 'dmesg | tail'
}
goes_on "before"

pid=$(backend)
expect "kill -9 of the backend" kill -9 "$pid"
expect "systemd has started another" wait_for 60 another
goes_on "with another backend"

# trust-03: a save when the backend dies, and when it does nothing.  It may succeed or not.
pid=$(backend)
save_dies() {
	rm -f $LAB/tmp/ended
	(xl save -c v $LAB/tmp/v.save >$LAB/tmp/save.out 2>&1; echo $? >$LAB/tmp/ended) &
	kill -9 "$pid"
	wait_for 120 test -s $LAB/tmp/ended
}
expect "trust-03: xl save with a backend that is killed ends" save_dies || show_virtio v
run cat $LAB/tmp/save.out
expect "the guest answers" wait_for 60 guest_cmd v true
goes_on "after that save"

pid=$(backend)
kill -STOP "$pid"
expect "trust-03: xl save with a backend that does nothing ends with an error" sh -c "! timeout 120 xl save -c v $LAB/tmp/v.save"
kill -CONT "$pid"
goes_on "after a save that could not be"
expect_text "it is not paused" ' [r-][b-]---- ' xl list v
expect "xl save -c works" xl save -c v $LAB/tmp/v.save
goes_on "after a save"
guest_cmd v 'touch /tmp/stop'
expect "the guest's kernel has no complaint" guest_cmd v "! dmesg | grep -E 'BUG:|WARNING:|Oops|Call Trace|hung'"
expect "it is destroyed" xl destroy v
rm -f $LAB/tmp/v.save
losetup -d "$disk"
expect "nothing is left" nothing_left "$before"

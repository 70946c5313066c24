# SPDX-License-Identifier: GPL-2.0-or-later
# summary: SIGKILL and SIGSTOP of a backend's QEMU and of xen-virtiod at each step of a guest's life: all ends in time, nothing is left
# time-limit: 3600
# shellcheck disable=SC2154,SC2016
. $LAB/lib-virtio.sh
. $LAB/lib-kill.sh

before=$(host_state)
disk=$(loop_disk v 32) more=$(loop_disk w 8)
guest_config v pvh 'memory = 128' "cmdline = 'console=hvc0 panic=-1 lab.mods=virtio_xenbus'" \
	"disk = [ 'vdev=xvda,backendtype=standalone,specification=virtio,target=$disk' ]" >/dev/null
# The number that the guest has, or is getting.
newest() { id=$(xl domid v 2>/dev/null) && [ -n "$id" ]; }

works() { guest_cmd v "d=/dev/$(disk_of v); head -c 65536 /dev/urandom >/tmp/x && dd if=/tmp/x of=\$d bs=64k oflag=direct 2>/dev/null && dd if=\$d bs=64k count=1 iflag=direct 2>/dev/null | cmp - /tmp/x"; }
# The guest is there and its disk works, or it is gone and so is all of it.
all_or_nothing() {
	if newest; then
		wait_for 180 guest_cmd v true || { echo "the guest does not answer"; return 1; }
		wait_for 120 works
	else
		nothing_left "$before"
	fi
}
# A guest for the next step, if there is none.
guest() {
	! newest || ! works || return 0
	xl destroy v >/dev/null 2>&1
	systemctl reset-failed 'xen-virtio-backend@*' >/dev/null 2>&1
	guest_start v 300 && newest && wait_for 60 works
}
no_guest() { ! xl domid v >/dev/null 2>&1 || xl destroy v; nothing_left "$before"; }

qemu_runs() { newest && pid_of backend; }
front_is() { newest && xenstore-exists "/local/domain/$id/device/virtio_disk/51712"; }
offers() { newest && [ "$(xenstore-read "/local/domain/0/backend/virtio_disk/$id/51712/state")" -ge 2 ]; }
second_is() { xenstore-exists "/local/domain/0/backend/virtio/$id"; }
closes() { [ "$(xenstore-read "/local/domain/0/backend/virtio/$id/$second/state")" -ge 5 ] || [ "$(xenstore-read "/local/domain/0/backend/virtio/$id/$second/online")" = 0 ]; }
suspends() { [ -n "$(xenstore-read "/local/domain/$id/control/shutdown")" ] || xl list v | grep -q ' [r-][b-]-s'; }
seconds() { xen-virtio list --json v | jq -r '.[].device' | sed -n 's,^virtio/,,p'; }
# The guest has its one disk; or, second is the number of another.
no_second() { for _n in $(seconds); do xen-virtio detach v "virtio/$_n"; done; [ -z "$(seconds)" ]; }
a_second() {
	second=$(seconds | tail -n 1)
	[ -n "$second" ] || second=$(xen-virtio attach v "disk;path=$more" | sed -n 's,^virtio/,,p' | tail -n 1)
	[ -n "$second" ]
}

# step WHO SIGNAL TEXT WHEN COMMAND...
step() {
	_text="$2 to $1: $3" _w=$1 _s=$2 _when=$4; shift 4
	expect "$_text: it ends in time" strike "$_w" "$_s" "$_when" 300 "$@" || show_virtio v
	cat $OUT
	expect "$_text: all or nothing is there" all_or_nothing || { show_virtio v; no_guest >/dev/null; }
	systemctl reset-failed 'xen-virtio-backend@*' xen-virtiod >/dev/null 2>&1
}

for signal in KILL STOP; do
	for who in backend xen-virtiod; do
		if [ $who = backend ]; then at=qemu_runs; else at=front_is; fi
		expect "no guest is there" no_guest || show_virtio v
		step $who $signal "xl create" $at xl create $GUESTS/v.cfg
		expect "no guest is there" no_guest || show_virtio v
		step $who $signal "xl create, when the disk is offered" offers xl create $GUESTS/v.cfg

		expect "a guest runs" guest || { show_virtio v; continue; }
		step $who $signal "attach" at_once xen-virtio attach v "disk;path=$more"
		expect "a guest with one disk runs" guest && expect "it has one disk" wait_for 60 no_second || { show_virtio v; continue; }
		step $who $signal "attach, when it is announced" second_is xen-virtio attach v "disk;path=$more"
		expect "a guest runs" guest && expect "it has a second disk" a_second || { show_virtio v; continue; }
		step $who $signal "detach" at_once xen-virtio detach v "virtio/$second"
		expect "a guest runs" guest && expect "it has a second disk" a_second || { show_virtio v; continue; }
		step $who $signal "detach, when it closes" closes xen-virtio detach v "virtio/$second"

		expect "a guest runs" guest || continue
		step $who $signal "xl save -c" suspends xl save -c v $LAB/tmp/v.save
		expect "a guest runs" guest || continue
		rm -f $LAB/tmp/v.save
		expect "it has one disk" wait_for 60 no_second || show_virtio v
		expect "it is saved" xl save v $LAB/tmp/v.save || continue
		step $who $signal "xl restore" $at xl restore $LAB/tmp/v.save
		expect "a guest runs" guest || continue
		step $who $signal "xl destroy" at_once xl destroy v
		rm -f $LAB/tmp/v.save
	done
done
expect "xen-virtiod runs" wait_for 200 systemctl -q is-active xen-virtiod
expect "the last guest is destroyed" no_guest
losetup -d "$disk" "$more"
expect "nothing is left" nothing_left "$before"

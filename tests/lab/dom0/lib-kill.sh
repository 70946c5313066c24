# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154
# For scenarios that kill and stop what a command needs while it is done:   . $LAB/lib-kill.sh

# pid_of WHO: a unit's process; "backend": that of domain $id's; "consoles GUEST": the QEMU of dom0's that serves
# a stubdomain's consoles.
pid_of() {
	case $1 in
	backend) systemctl show -P MainPID "xen-virtio-backend@$id" | grep -v '^0$' ;;
	consoles\ *) pgrep -f -- "-xen-domid $(xl domid "${1#* }-dm") .*-machine xenpv" | head -n 1 ;;
	*) systemctl show -P MainPID "$1" | grep -v '^0$' ;;
	esac
}

# strike WHO SIGNAL WHEN SECONDS COMMAND...: COMMAND is begun, and WHO gets the signal as soon as WHEN succeeds;
# it may fail or not, but ends within so many seconds, with WHO stopped, if that is it.  Then WHO goes on.
strike() {
	_who=$1 _signal=$2 _when=$3 _limit=$4; shift 4
	rm -f $LAB/tmp/ended
	("$@" >$LAB/tmp/struck 2>&1; echo $? >$LAB/tmp/ended) &
	_stop=$(($(date +%s) + _limit)) _pid=
	until [ -n "$_pid" ] || [ -s $LAB/tmp/ended ] || [ "$(date +%s)" -ge $_stop ]; do
		! $_when >/dev/null 2>&1 || _pid=$(pid_of "$_who")
		[ -n "$_pid" ] || sleep 0.05
	done
	[ -z "$_pid" ] || kill "-$_signal" "$_pid"
	wait_for "$_limit" test -s $LAB/tmp/ended
	_ended=$?
	[ -z "$_pid" ] || [ "$_signal" != STOP ] || kill -CONT "$_pid" 2>/dev/null
	[ -n "$_pid" ] || { echo "it had ended, with $(cat $LAB/tmp/ended), before $_who could get the signal"; return 1; }
	[ $_ended = 0 ] || { echo "it has not ended within $_limit s"; return 1; }
	log "'$*' ended with $(cat $LAB/tmp/ended): $(tail -n 1 $LAB/tmp/struck)"
}
at_once() { :; }

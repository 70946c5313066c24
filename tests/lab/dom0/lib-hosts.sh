# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# For scenarios with a host that is booted again, or with two hosts.  A scenario reads it with: . $LAB/lib-hosts.sh

# reboot_host: ends this run of the scenario and reboots the host; then the scenario's file is run from
# its beginning, with LAB_BOOT one higher.  Needs `reboots: yes`.  What has to be known then must be in a
# file of dom0's disk.  Not in a subshell: it ends the shell with the status that lab's runner waits for.
reboot_host() {
	log "dom0 reboots"
	sync
	exit 88
}

# host_up: the boot is over, whatever became of each unit.
host_up() { case $(systemctl is-system-running) in running | degraded) ;; *) return 1 ;; esac; }
no_unit_failed() { _failed=$(systemctl --failed --plain --no-legend); echo "$_failed"; [ -z "$_failed" ]; }

# unit_time UNIT PROPERTY: microseconds from the boot to the unit's becoming so.
unit_time() { systemctl show -P "$2TimestampMonotonic" "$1"; }
# started_before A B: A had been started when the start of B began.
started_before() {
	_a=$(unit_time "$1" ActiveEnter) _b=$(unit_time "$2" InactiveExit)
	echo "$1 was active at $_a us, $2 began at $_b us"
	[ "${_a:-0}" -gt 0 ] && [ "${_b:-0}" -gt "$_a" ]
}

# With `hosts: 2` the scenario runs in host 1; both have the same disk, clock and guests' bridge (10.77.0.1),
# and this network.  host2 COMMAND ARG...: runs it there, with lib.sh's functions; a pipe needs `host2 eval '...'`.
# shellcheck disable=SC2034 # for scenarios
HOST1=10.78.0.1 HOST2=10.78.0.2
# As ssh for xl: xl migrate -s "$REMOTE" GUEST $HOST2
REMOTE="python3 $LAB/lib-hosts.py run"
host2() { python3 $LAB/lib-hosts.py call $HOST2 "$@" </dev/null; }
# host2_put FILE: to the same place there.
host2_put() { gzip -1 -c "$1" | $REMOTE $HOST2 "mkdir -p '${1%/*}' && gzip -dc >'$1'"; }
# on 1|2 COMMAND ARG...
on() { _host=$1; shift; if [ "$_host" = 1 ]; then "$@"; else host2 "$@"; fi; }

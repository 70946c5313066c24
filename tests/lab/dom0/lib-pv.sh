# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034
# A guest's stubdomain that xen-stubdom-pv serves in dom0, in the place of a QEMU:   . $LAB/lib-pv.sh

PV_LINE='device_model_override = "/usr/libexec/xen-extras/xen-stubdom-pv"'

# pv_pids GUEST: the processes that serve its stubdomain.
pv_pids() { pgrep -f "^/usr/libexec/xen-extras/xen-stubdom-pv -xen-domid $(xl domid "$1-dm") "; }
pv_two() { [ "$(pv_pids "$1" | wc -l)" = 2 ]; }
# pv_status GUEST FIELD VALUE: every one of them has this in /proc/PID/status.
pv_status() {
	for _p in $(pv_pids "$1"); do
		grep -Eq "^$2:[[:space:]]+$3" "/proc/$_p/status" || { grep "^$2:" "/proc/$_p/status"; return 1; }
	done
}
# pv_kib GUEST: memory that is theirs alone, in KiB.
pv_kib() { for _p in $(pv_pids "$1"); do cat "/proc/$_p/smaps_rollup"; done | awk '/^Private_/ { n += $2 } END { print n }'; }
# dom0_qemu GUEST: the QEMU in dom0 that serves its stubdomain.
dom0_qemu() { pgrep -f "^[^ ]*qemu-system-i386 -xen-domid $(xl domid "$1-dm") "; }
no_dom0_qemu() { ! dom0_qemu "$1"; }

show_pv() {
	show_stubdom "$1"
	log "xen-stubdom-pv:"; tail -n 20 "/var/log/xen/qemu-dm-$1-dm.log" 2>/dev/null | sed 's/^/|   /'
	_stub=$(xl domid "$1-dm") || return 0
	log "nodes:"; { xenstore-ls -f "/local/domain/0/backend/console/$_stub"; xenstore-ls -f "/local/domain/$_stub/device/console"
		xenstore-ls -f "/local/domain/$_stub/console"; xenstore-ls -f "/local/domain/0/device-model/$_stub"; } 2>&1 | sed 's/^/|   /'
	for _p in $(pv_pids "$1"); do
		log "process $_p: $(tr '\0' ' ' </proc/"$_p"/cmdline)"
		grep -E '^(State|Uid|Seccomp|NoNewPrivs|VmRSS)' "/proc/$_p/status" | sed 's/^/|   /'
		find "/proc/$_p/fd" -printf '%f -> %l\n' | sed 's/^/|   /'
	done
}

# SPDX-License-Identifier: GPL-2.0-or-later
# summary: the stubdomain's framebuffer as a VNC server of xen-stubdom-pv: picture, ports, passwords
# time-limit: 1800

. $LAB/lib-pv.sh
. $LAB/lib-shell.sh

before=$(host_state)
# A stubdomain with a shell, which paints; its console is a terminal.
expect "a debug image is built" shell_image || exit 1
sed -i 's#exec .*#exec /usr/libexec/xen-extras/xen-stubdom-pv "$@"#' $SHELL_DM
halt_disk $GUESTS/halt.img
config() {	# NAME [LINE...]
	_n=$1; shift
	guest_config "$_n" hvm 'device_model_version = "qemu-xen"' 'device_model_stubdomain_override = 1' "$PV_LINE" \
		"disk = [ '$GUESTS/halt.img,raw,hda,rw' ]" 'serial = "pty"' 'vnc = 1' "$@" >/dev/null
}
# vnc_port GUEST: as libxl wrote it for its stubdomain.
vnc_port() { xenstore-read "/local/domain/$(xl domid "$1-dm")/console/vnc-port"; }
rfb() { _port=$(vnc_port "$1") || return 1; shift; timeout 120 python3 $LAB/lib-rfb.py "$_port" "$@"; }
vnc_runs() { pgrep -f "^/usr/libexec/xen-extras/xen-stubdom-vnc $(xl domid "$1-dm") "; }

config d1
shell_lines >>$GUESTS/d1.cfg
expect "xl create starts the guest" xl create $GUESTS/d1.cfg || { show_pv d1; exit 1; }
expect "it has a VNC server" vnc_runs d1 || { show_pv d1; exit 1; }
note vnc_private_kib "$(awk '/^Private_/ { n += $2 } END { print n }' "/proc/$(vnc_runs d1)/smaps_rollup")"
expect_text "its port is that of a first guest" '^5900$' vnc_port d1
connected() { [ "$(xenstore-read "/local/domain/0/backend/$1/$(xl domid d1-dm)/0/state")" = 4 ]; }
expect "the stubdomain's framebuffer is connected" wait_for 60 connected vfb || show_pv d1
expect "its keyboard is connected" wait_for 60 connected vkbd || show_pv d1
expect_text "a client sees the framebuffer's size" '^800x600$' rfb d1 size || show_pv d1
expect_text "it is black" '^000000$' rfb d1 pixel 400 300
expect "every process in the stubdomain is killed" xl sysrq d1-dm i
expect "its console is a terminal" wait_for 30 shell_tty d1 || exit 1
sleep 5
# 300 lines of 800 pixels.
printf '%s\n' "busybox tr '\\000' '\\377' </dev/zero | busybox dd of=/dev/fb0 bs=3200 count=300" >"$(shell_tty d1)"
white() { [ "$(rfb d1 pixel 400 100)" = ffffff ]; }
expect "the shell paints, and it is seen" wait_for 90 white || show_pv d1
expect_text "what it has not painted is black" '^000000$' rfb d1 pixel 400 400
expect "a client presses a key" rfb d1 key 0x61
expect "the VNC server lives" vnc_runs d1

config d2 'vncpasswd = "secret"'
expect "a second guest, with a password, starts" xl create $GUESTS/d2.cfg || { show_pv d2; exit 1; }
expect_text "it has the next port" '^5901$' vnc_port d2
expect "a wrong password is refused" rfb d2 wrong-password || show_pv d2
hidden() { for _n in "/local/domain/0/backend/vfb/$(xl domid d2-dm)/0/vncpasswd" "/local/domain/$(xl domid d2-dm)/console/vnc-pass"; do
	[ "$(xenstore-read "$_n")" = secret ] && xenstore-ls -p "${_n%/*}" | grep "${_n##*/}" | grep -E '[(]n0[)]' || return 1; done; }
expect "the stubdomain cannot read the password" hidden || run xenstore-ls -fp /local/domain/0/backend/vfb
config d3 'vncdisplay = 1' 'vncunused = 0'
expect_fail "a third one cannot have the second's port" xl create $GUESTS/d3.cfg
expect_text "a line says so" 'guest d3: VNC: 127.0.0.1, ports 5901 to 5901: Address already in use' cat /var/log/xen/qemu-dm-d3-dm.log
expect "the VNC server of the second is killed" sh -c "kill -KILL $(vnc_runs d2)"
expect_text "a line says so" 'guest d2: its VNC server ended' wait_for 30 grep -a 'VNC server ended' /var/log/xen/qemu-dm-d2-dm.log
expect "its consoles are served on" pv_two d2
for g in d1 d2; do expect "xl destroy ends $g" xl destroy $g; done
expect "nothing is left" nothing_left "$before"

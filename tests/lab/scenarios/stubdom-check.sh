# SPDX-License-Identifier: GPL-2.0-or-later
# summary: xen-stubdom check speaks of every key that has another effect with a stubdomain
# time-limit: 300

# says LEVEL KEY LINE...: check has a line of that level that begins with the key.
says() {
	_level=$1 _key=$2; shift 2
	guest_config k hvm 'device_model_version = "qemu-xen"' 'device_model_stubdomain_override = 1' "$@" >/dev/null
	expect_text "$_level for $_key: $1" "^$_level  $_key: .*: [^ ]" sh -c "xen-stubdom check $GUESTS/k.cfg; true"
}

guest_config k hvm 'device_model_version = "qemu-xen"' 'device_model_stubdomain_override = 1' 'vkb_device = 0' >/dev/null
expect "nothing is wrong with a plain guest" xen-stubdom check $GUESTS/k.cfg
expect_fail "and nothing said of its keys" sh -c "xen-stubdom check $GUESTS/k.cfg | grep -E '^(note|FAIL)  [a-z_0-9]*: '"
expect_fail "a key that fails makes check fail" sh -c "echo 'pci = [ \"00:03.0\" ]' >>$GUESTS/k.cfg; xen-stubdom check $GUESTS/k.cfg"
says FAIL pci 'pci = [ "00:03.0" ]'
says FAIL bios 'bios = "ovmf"'
says FAIL channel 'channel = [ "connection=pty,name=org.qemu.guest_agent.0" ]'
says FAIL p9 'p9 = [ "tag=share,path=/srv,security_model=none" ]'
says FAIL spice 'spice = 1'
says FAIL sdl 'sdl = 1'
says FAIL vnc 'vnc = 1'
says FAIL vncpasswd 'vncpasswd = "secret"' 'vnc = 1'
says FAIL usbdev 'usbdev = [ "hostbus=1,hostaddr=2" ]'
says FAIL usbctrl 'usbctrl = [ "type=pv" ]'
says FAIL usbdevice 'usbdevice = [ "host:1.2" ]'
says FAIL soundhw 'soundhw = "sb16"'
says note soundhw 'soundhw = "hda"'
says note dm_restrict 'dm_restrict = 1'
says note device_model_args 'device_model_args = [ "-msg", "timestamp=on" ]'
says FAIL device_model_args 'device_model_args = [ "-device", "edu" ]'
says FAIL device_model_args_hvm 'device_model_args_hvm = [ "-device", "edu" ]'

# SPDX-License-Identifier: GPL-2.0-or-later
# summary: xl network-detach takes the emulated card off the network
# time-limit: 1500

before=$(host_state)
ip link add xenbr1 type bridge && ip addr add 10.78.0.1/24 dev xenbr1 && ip link set xenbr1 up
# The BIOS would start the cards' PXE ROMs, minutes of emulated register access.
NO_PXE='device_model_args_hvm = [ "-global", "rtl8139.romfile=" ]'
config() {	# NAME [LINE...]
	_n=$1; shift
	guest_config "$_n" hvm 'hdtype = "ahci"' 'device_model_version = "qemu-xen"' \
		'device_model_stubdomain_override = 1' "$NO_PXE" "$@" >/dev/null
}
off() { ! guest_cmd "$1" "ping -c 2 -W 5 $2"; }
no_vif() { [ ! -e "/sys/class/net/vif$1" ]; }
said() { journalctl -u xen-stubdomd -o cat --no-pager | grep -E -- "$1"; }

expect "a bootable disk is made" guest_disk n1 'xen_emul_unplug=never quiet'
config n1 'vif = [ "bridge=xenbr0,model=rtl8139,mac=00:16:3e:00:00:31", "bridge=xenbr1,model=rtl8139,mac=00:16:3e:00:00:32" ]'
expect "a guest with two emulated cards starts" xl create $GUESTS/n1.cfg || { show_stubdom n1; exit 1; }
stub=$(xl domid n1-dm)
expect "it boots" wait_for 300 guest_cmd n1 true
for i in 0 1; do
	expect "card $i reaches dom0" guest_cmd n1 "ip link set eth$i up && ip addr add 10.7$((7 + i)).0.31/24 dev eth$i && sleep 3 && ping -c 2 -W 20 10.7$((7 + i)).0.1"
done

expect "xl network-detach" xl network-detach n1 0
expect "the stubdomain's interface goes with the guest's" wait_for 30 no_vif "$stub.0" || run said 'guest n1'
expect "card 0 does not reach dom0 any more" off n1 10.77.0.1
expect "the guest sees that its cable is unplugged" wait_for 30 guest_cmd n1 'test "$(cat /sys/class/net/eth0/carrier)" = 0'
expect_text "one line names guest and card" 'guest n1: network card 0 was detached' said 'guest n1: network card'
expect "card 1 still does" guest_cmd n1 'ping -c 2 -W 20 10.78.0.1'
expect_text "its device model still runs" '^n1 .*running' xen-stubdom status

expect "xl network-attach to another bridge" xl network-attach n1 bridge=xenbr1 mac=00:16:3e:00:00:31
sleep 3
expect "the emulated card stays off: the PV interface is what comes" off n1 10.77.0.1

systemctl stop xen-stubdomd
expect "xl network-detach while the daemon is down" xl network-detach n1 1
systemctl start xen-stubdomd
expect "is made up for when it comes" wait_for 30 no_vif "$stub.1"
expect "card 1 does not reach dom0 any more" off n1 10.78.0.1
expect "it is destroyed" xl destroy n1
expect "nothing is left" nothing_left "$before"

expect "another disk is made" guest_disk n2 quiet
config n2 'vif = [ "bridge=xenbr0,model=rtl8139,mac=00:16:3e:00:00:41" ]'
expect "a guest with PV drivers starts" xl create $GUESTS/n2.cfg || { show_stubdom n2; exit 1; }
stub=$(xl domid n2-dm)
expect "it boots" wait_for 300 guest_cmd n2 true
expect "it reaches dom0" guest_cmd n2 'ip link set eth0 up && ip addr add 10.77.0.41/24 dev eth0 && sleep 3 && ping -c 2 -W 20 10.77.0.1'
expect "xl network-detach" xl network-detach n2 0
expect "the stubdomain's interface goes, too" wait_for 30 no_vif "$stub.0"
expect "xl network-attach to another bridge" xl network-attach n2 bridge=xenbr1 mac=00:16:3e:00:00:42
expect "its PV interface is there" wait_for 30 guest_cmd n2 'grep -q 00:16:3e:00:00:42 /sys/class/net/eth*/address'
expect "and works" guest_cmd n2 'e=$(grep -l 00:16:3e:00:00:42 /sys/class/net/eth*/address | cut -d/ -f5) && ip link set $e up && ip addr add 10.78.0.41/24 dev $e && sleep 3 && ping -c 2 -W 20 10.78.0.1'
expect "xl shutdown stops it" guest_stop n2 200
ip link del xenbr1
expect "nothing is left" nothing_left "$before"

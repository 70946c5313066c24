# SPDX-License-Identifier: GPL-2.0-or-later
# summary: an HVM guest with its device model in the Linux stubdomain
# time-limit: 1500

before=$(host_state)
expect "the daemon runs" systemctl is-active xen-stubdomd.service
expect "xen-stubdom check finds nothing to fix" xen-stubdom check

ip addr add 10.78.0.1/24 dev xenbr0
mkdir -p $LAB/tmp/www
head -c 4194304 /dev/urandom >$LAB/tmp/www/blob
sum=$(sha256sum <$LAB/tmp/www/blob)
busybox httpd -f -p 8080 -h $LAB/tmp/www &
httpd=$!

# The BIOS would start both cards' PXE ROMs, minutes of emulated register access.
NO_PXE='device_model_args_hvm = [ "-global", "e1000.romfile=", "-global", "rtl8139.romfile=" ]'
truncate -s 64M $GUESTS/data.img
expect "a bootable disk is made" guest_disk s1 'xen_emul_unplug=never quiet'
guest_config s1 hvm 'hdtype = "ahci"' 'device_model_version = "qemu-xen"' 'device_model_stubdomain_override = 1' \
	"disk = [ 'format=raw,vdev=hda,access=rw,target=$GUESTS/s1.img', 'format=raw,vdev=hdb,access=rw,target=$GUESTS/data.img' ]" \
	'vif = [ "bridge=xenbr0,model=e1000,mac=00:16:3e:00:00:21", "bridge=xenbr0,model=rtl8139,mac=00:16:3e:00:00:22" ]' \
	'serial = "pty"' "$NO_PXE" >/dev/null

start=$(now)
expect "xl create starts it" xl create $GUESTS/s1.cfg || { show_stubdom s1; exit 1; }
note create_seconds "$(since "$start")"
expect_text "xl list shows the guest" '^s1 ' xl list
expect_text "xl list shows its stubdomain" '^s1-dm ' xl list
run xl list
stub=$(xl domid s1-dm)
guest=$(xl domid s1)
expect_text "the device model in the stubdomain is running" '^running$' \
	xenstore-read "/local/domain/$stub/device-model/$guest/state"
expect_text "the stubdomain says so itself" '^running$' xenstore-read "/local/domain/$stub/data/xen-stubdom/stage"
expect_text "no QEMU in dom0 serves the guest" '^0$' sh -c "pgrep -fc '[x]en-domid $guest ' || true"

expect "the guest boots from its emulated disk through GRUB" wait_for 600 guest_cmd s1 true || show_stubdom s1
note ready_seconds "$(since "$start")"
expect_text "its root is the emulated disk" '^/dev/(sda1|root) / ' guest_cmd s1 cat /proc/mounts
expect_text "the disk is a QEMU disk" QEMU guest_cmd s1 cat /sys/block/sda/device/model

expect "16 MB go to the second disk and come back after a remount" guest_cmd s1 '
	mkdir -p /mnt && mke2fs -q /dev/sdb && mount -t ext4 /dev/sdb /mnt &&
	dd if=/dev/urandom of=/mnt/f bs=1M count=16 2>/dev/null && a=$(sha256sum </mnt/f) &&
	umount /mnt && mount -t ext4 /dev/sdb /mnt && b=$(sha256sum </mnt/f) && umount /mnt && [ "$a" = "$b" ]'

nic() {	# INDEX DRIVER SUBNET
	expect_text "NIC $1 is an emulated $2" "/$2\$" guest_cmd s1 "readlink /sys/class/net/eth$1/device/driver"
	expect "NIC $1 comes up" guest_cmd s1 "ip link set eth$1 up && ip addr add $3.21/24 dev eth$1 && sleep 3 && ping -c 3 -W 20 $3.1"
	expect_text "4 MB come in over the $2" "^${sum%% *}" guest_cmd s1 "wget -q -O - http://$3.1:8080/blob | sha256sum"
	# busybox nc ends when the other side closes: after these bytes.
	socat -u "TCP-LISTEN:900$1,reuseaddr,readbytes=4194304" "CREATE:$LAB/tmp/up$1" &
	GUEST_TIMEOUT=400 expect "4 MB go out over the $2" guest_cmd s1 "
		wget -q -O /tmp/blob http://$3.1:8080/blob && nc $3.1 900$1 </tmp/blob && rm /tmp/blob"
	expect_text "they arrive whole" "^${sum%% *}" sha256sum $LAB/tmp/up"$1"
}
nic 0 e1000 10.77.0
nic 1 8139cp 10.78.0

# xl console takes input from a terminal only.
type_at() {
	{ sleep 5; echo; sleep 2; echo "$2"; sleep 20; } |
		timeout 60 socat -t 1 - "EXEC:xl console $1,pty,setsid,ctty,echo=0" | tr -d '\r'
	true
}
expect_text "it answers on xl console" '^console-42' type_at s1 "echo console-\$((40 + 2))"
expect_text "xen-stubdom status shows it" '^s1 .*running' xen-stubdom status
run xen-stubdom status
expect "the same for scripts" sh -c 'xen-stubdom status --json | jq -e ".guests[] | select(.name == \"s1\")"'
note stub_mem_total_kib "$(xenstore-read /local/domain/"$stub"/data/xen-stubdom/mem-total)"
note stub_mem_available_kib "$(xenstore-read /local/domain/"$stub"/data/xen-stubdom/mem-available)"

expect "xl shutdown stops the guest" guest_stop s1 200
expect "its stubdomain goes with it" wait_for 60 domain_gone s1-dm
kill $httpd; ip addr del 10.78.0.1/24 dev xenbr0; rm -rf $LAB/tmp/www
expect "nothing is left" nothing_left "$before"

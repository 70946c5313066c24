# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154
# What the virtio scenarios share:   . $LAB/lib-virtio.sh
# The guest gets fio and iperf3 from /dev/vdd (extra: tools), read-only, as a virtio
# disk too: libxl forgets the disks of a guest that has both kinds when it reboots
# or is saved.  For the same reason an HVM guest, which boots from an emulated disk,
# has both by virtio= lines.

VIRTIO_MAC=00:16:3e:00:00:51
VIRTIO_IP=10.77.0.51

# loop_disk NAME MEGABYTES: a fresh file as block device; prints it.
loop_disk() {
	rm -f "$GUESTS/$1.raw" && truncate -s "${2}M" "$GUESTS/$1.raw" && losetup -f --show "$GUESTS/$1.raw"
}

# virtio_node GUEST KIND DEVID NODE: what the backend's directory says.
virtio_node() { xenstore-read "/local/domain/0/backend/$2/$(xl domid "$1")/$3/$4"; }

# Lines virtio= came with Xen 4.18.  With 4.17 virtio_rest adds what they would say,
# and a guest that is saved has only what is in disk= (see virtio_kept).
xl_knows_virtio() { ! xen_before 4 18; }

# virtio_line NAME SPEC...: the line virtio= of a guest's file, or nothing where xl
# does not know it; then virtio_rest attaches them.
virtio_line() {
	_virtio='' _rest=$GUESTS/$1.rest; shift
	: >"$_rest"
	for _spec; do
		if xl_knows_virtio; then _virtio="$_virtio'type=virtio,$_spec,transport=mmio', "; else echo "virtio,$_spec" >>"$_rest"; fi
	done
	[ -z "$_virtio" ] || echo "virtio = [ $_virtio]"
}

# virtio_config NAME pv|pvh|hvm DISK [LINE...]: a guest with a disk, a NIC with two queues and an rng.
virtio_config() {
	_v=$1 _t=$2 _d=$3 _first='' _args="lab.mods=virtio_xenbus,virtio-rng"; shift 3
	! xl_knows_virtio || _args="lab.ip=$VIRTIO_IP/24 $_args"
	if [ "$_t" = hvm ]; then
		guest_disk "$_v" "$_args" >/dev/null || return 1
		set -- 'hdtype = "ahci"' "disk = [ 'format=raw,vdev=hda,access=rw,target=$GUESTS/$_v.img' ]" "$@"
		_first="device2;path=$_d;queues=2"
	else
		set -- "cmdline = 'console=hvc0 panic=-1 $_args'" \
			"disk = [ 'vdev=xvda,backendtype=standalone,specification=virtio,target=$_d' ]" "$@"
	fi
	guest_config "$_v" "$_t" 'memory = 256' 'vcpus = 2' "$@" \
		"$(virtio_line "$_v" ${_first:+"$_first"} "device1;bridge=xenbr0;mac=$VIRTIO_MAC;queues=2" device4 'device2;path=/dev/vdd;readonly')"
}

# virtio_kept NAME pv|pvh DISK: the same for a guest that xl saves, of which Xen 4.17
# knows disks only.
virtio_kept() {
	if xl_knows_virtio; then virtio_config "$@"; return; fi
	guest_config "$1" "$2" 'memory = 256' 'vcpus = 2' "cmdline = 'console=hvc0 panic=-1 lab.mods=virtio_xenbus'" \
		"disk = [ 'vdev=xvda,backendtype=standalone,specification=virtio,target=$3', 'vdev=xvdb,access=ro,backendtype=standalone,specification=virtio,target=/dev/vdd' ]"
}

# virtio_rest GUEST, once it runs: with Xen 4.17 the devices that xl did not make;
# virtio_start GUEST: starts it with all its devices.
virtio_rest() {
	while read -r _spec; do xen-virtio attach "$1" "$_spec" || return 1; done <"$GUESTS/$1.rest"
	! grep -q '^virtio,device1;' "$GUESTS/$1.rest" ||
		guest_cmd "$1" "until [ -e /sys/class/net/eth0 ]; do sleep 0.2; done; ip link set eth0 up && ip addr add $VIRTIO_IP/24 dev eth0"
}
virtio_start() { guest_start "$1" 300 && virtio_rest "$1"; }

# disk_of GUEST: the name that the disk of virtio_config has in the guest; disk_of
# GUEST virtio/N: that of another.
disk_of() {
	case ${2:-} in
	'') guest_cmd "$1" 'basename $(ls -d /sys/devices/virtio_disk-*/virtio*/block/* /sys/devices/virtio-0/virtio*/block/* 2>/dev/null | head -n 1) | grep ^vd' ;;
	*) guest_cmd "$1" "basename /sys/devices/$(echo "$2" | tr / -)/virtio*/block/* | grep ^vd" ;;
	esac
}

# in_tools GUEST COMMAND...: with the tools' disk as root; mounts it when it is not there.
in_tools() {
	_v=$1; shift
	guest_cmd "$_v" "[ -e /mnt/usr/bin/fio ] || { mount -o ro LABEL=tools /mnt && mount --bind /dev /mnt/dev && mount -t proc proc /mnt/proc && mount -t tmpfs t /mnt/tmp; } && chroot /mnt $*"
}

# How many threads of the kernel serve network cards of a guest.
vhost_threads() { ps -eLo comm= | grep -c "^vhost-$(systemctl show -P MainPID "xen-virtio-backend@$(xl domid "$1")")$" || true; }

show_virtio() {
	log "xen-virtiod and backends:"
	journalctl -u xen-virtiod -u 'xen-virtio-backend@*' -n 40 --no-pager -o cat 2>/dev/null | sed 's/^/|   /'
	log "guest:"; tail -n 25 "$(console_log "$1")" 2>/dev/null | tr -d '\033\r' | sed 's/^/|   /'
	xenstore-ls -f /local/domain/0/backend 2>/dev/null | grep virtio | sed 's/^/|   /'
}

# fio writes and reads back with checksums: fio_verify GUEST DEVICE SIZE [OPTION...]
fio_verify() {
	_g=$1 _dev=$2 _size=$3; shift 3
	GUEST_TIMEOUT=${FIO_TIMEOUT:-600} in_tools "$_g" fio --name=v --filename="$_dev" --size="$_size" --rw=randrw --bsrange=512-256k \
		--direct=1 --ioengine=libaio --iodepth=16 --verify=crc32c --verify_fatal=1 --do_verify=1 --group_reporting "$@"
}

# fio in the guest, which writes and verifies again and again until it is told to stop:
# fio_begin GUEST DEVICE; fio_goes_on GUEST TEXT: two more rounds, every byte right.
fio_begin() {
	in_tools "$1" fio --version || return 1
	cat >$LAB/tmp/worker <<-EOF
	rm -f /tmp/stop /tmp/bad; echo 0 >/tmp/rounds
	while [ ! -e /tmp/stop ]; do
		chroot /mnt fio --name=v --filename=$2 --size=24M --rw=randrw --bsrange=512-128k --direct=1 --ioengine=libaio \
			--iodepth=8 --verify=crc32c --verify_fatal=1 >/tmp/fio.log 2>&1 || { touch /tmp/bad; break; }
		echo \$((\$(cat /tmp/rounds) + 1)) >/tmp/rounds
	done
	EOF
	guest_cmd "$1" "echo $(base64 -w0 <$LAB/tmp/worker) | base64 -d >/tmp/worker; sh /tmp/worker >/dev/null 2>&1 &"
}
fio_goes_on() {
	_n=$(guest_cmd "$1" cat /tmp/rounds)
	expect "$2: fio goes on, with every byte right" wait_for 300 guest_cmd "$1" "[ -e /tmp/bad ] || [ \$(cat /tmp/rounds) -gt $((${_n:-0} + 1)) ]" || show_virtio "$1"
	expect "$2: no I/O error" guest_cmd "$1" '! [ -e /tmp/bad ]' || { run guest_cmd "$1" 'cat /tmp/fio.log; dmesg | tail -n 20'; return 1; }
}

# What every kind of guest must be able to do: virtio_guest pv|pvh|hvm.
virtio_guest() {
	t=$1
	before=$(host_state)
	disk=$(loop_disk v 96) more=$(loop_disk w 48)
	virtio_config v "$t" "$disk" 'on_reboot = "restart"' >/dev/null
	expect "a $t guest with a virtio disk, NIC and rng boots" guest_start v 300 || { show_virtio v; return; }
	xl_knows_virtio || expect "xen-virtio attaches what xl does not know" virtio_rest v || { show_virtio v; return; }
	expect "its disk is there" wait_for 60 disk_of v || { show_virtio v; return; }
	vd=$(disk_of v)
	expect_text "it has its size" '^196608$' guest_cmd v "cat /sys/block/$vd/size"
	expect_text "the disk has two queues" '^2$' guest_cmd v "ls /sys/block/$vd/mq | wc -l"
	expect_text "the NIC has two queues" '^2$' guest_cmd v 'ls -d /sys/class/net/eth0/queues/rx-* | wc -l'
	expect_text "the kernel serves the NIC, each pair of queues by a thread" '^2$' vhost_threads v
	expect_text "the NIC has its address" "$VIRTIO_MAC" guest_cmd v 'cat /sys/class/net/eth0/address'
	expect_text "random numbers come" '^64 ' guest_cmd v 'grep virtio_rng /sys/class/misc/hw_random/rng_current && head -c 64 /dev/hwrng | wc -c | sed "s/$/ /"'
	expect "fio verifies 64 MB of mixed sizes" fio_verify v /dev/$vd 64M || show_virtio v

	expect "dom0 answers over the NIC" guest_cmd v 'ping -c 3 -W 10 10.77.0.1'
	head -c 16777216 /dev/urandom >$LAB/tmp/in
	socat -u OPEN:$LAB/tmp/in TCP-LISTEN:7001,reuseaddr & in=$!
	expect_text "16 MB come in whole" "^$(md5sum <$LAB/tmp/in | cut -c1-32)" guest_cmd v 'nc 10.77.0.1 7001 </dev/null | tee /tmp/f | md5sum'
	wait $in
	socat -u TCP-LISTEN:7002,reuseaddr CREATE:$LAB/tmp/out16 & in=$!
	sleep 1
	expect "16 MB go out" guest_cmd v 'nc 10.77.0.1 7002 </tmp/f; rm /tmp/f'
	wait $in
	expect "they arrive whole" cmp $LAB/tmp/in $LAB/tmp/out16
	iperf3 -s -1 -p 7003 -D >/dev/null
	expect "iperf3 sends" in_tools v iperf3 -c 10.77.0.1 -p 7003 -t 3 && note iperf_send "$(sed -n 's/.* \([0-9.]* .bits.sec\) .*sender/\1/p' $OUT)"
	iperf3 -s -1 -p 7003 -D >/dev/null
	expect "iperf3 receives" in_tools v iperf3 -c 10.77.0.1 -p 7003 -t 3 -R && note iperf_receive "$(sed -n 's/.* \([0-9.]* .bits.sec\) .*receiver/\1/p' $OUT)"

	# Hot-plug, and unplug while the disk is in use.
	expect "a second disk is attached" xen-virtio attach v "disk;path=$more" || show_virtio v
	id=$(tail -n 1 $OUT)
	expect_text "xen-virtio list shows it" "^v .* $id .*connected +connected" xen-virtio list v
	expect "the guest sees it" wait_for 60 disk_of v "$id" || show_virtio v
	vdb=$(disk_of v "$id")
	expect "fio verifies it" fio_verify v "/dev/$vdb" 24M
	guest_cmd v "(while [ -b /dev/$vdb ]; do dd if=/dev/$vdb of=/dev/null bs=64k; done) >/dev/null 2>&1 & (while [ -b /dev/$vdb ]; do dd if=/dev/zero of=/dev/$vdb bs=64k; done) >/dev/null 2>&1 &"
	sleep 2
	expect "it is detached under load" xen-virtio detach v "$id" || show_virtio v
	expect "the guest has lost it" wait_for 60 guest_cmd v "! [ -e /sys/block/$vdb ]"
	expect "the other disk works on" fio_verify v "/dev/$vd" 8M

	expect "the guest reboots" guest_cmd v '(sleep 1; /sbin/reboot) >/dev/null 2>&1 &'
	old=$(xl domid v)
	expect "it is a new domain" wait_for 120 sh -c "n=\$(xl domid v) && [ \$n != $old ]"
	xl_knows_virtio || expect "its other devices are attached again" virtio_rest v || show_virtio v
	expect "its disk is back" wait_for 240 disk_of v || show_virtio v
	expect "fio verifies it" fio_verify v "/dev/$(disk_of v)" 4M || show_virtio v
	expect "its network is back" guest_cmd v 'ping -c 3 -W 10 10.77.0.1'
	expect "it is destroyed" xl destroy v
	losetup -d "$disk" "$more"
	expect "nothing is left" nothing_left "$before"
}

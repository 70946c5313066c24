# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154
# What the virtio scenarios share:   . $LAB/lib-virtio.sh
# The guest gets fio and iperf3 from /dev/vdd (extra: tools), read-only as xvdz.

VIRTIO_MAC=00:16:3e:00:00:51
VIRTIO_IP=10.77.0.51

# loop_disk NAME MEGABYTES: a fresh file as block device; prints it.
loop_disk() {
	rm -f "$GUESTS/$1.raw" && truncate -s "${2}M" "$GUESTS/$1.raw" && losetup -f --show "$GUESTS/$1.raw"
}

# virtio_node GUEST KIND DEVID NODE: what the backend's directory says.
virtio_node() { xenstore-read "/local/domain/0/backend/$2/$(xl domid "$1")/$3/$4"; }

# virtio_config NAME pv|pvh|hvm DISK [LINE...]: a guest with a disk, a NIC with two queues and an rng.
virtio_config() {
	_v=$1 _t=$2 _d=$3; shift 3
	guest_config "$_v" "$_t" 'memory = 256' 'vcpus = 2' \
		"disk = [ 'vdev=xvdz,format=raw,access=ro,backendtype=phy,target=/dev/vdd', 'vdev=xvda,backendtype=standalone,specification=virtio,target=$_d' ]" \
		"virtio = [ 'type=virtio,device1;bridge=xenbr0;mac=$VIRTIO_MAC;queues=2,transport=mmio', 'type=virtio,device4,transport=mmio' ]" \
		"cmdline = 'console=hvc0 panic=-1 lab.ip=$VIRTIO_IP/24 lab.mods=virtio_xenbus,virtio-rng'" "$@"
}

# in_tools GUEST COMMAND...: with the tools' disk as root; mounts it when it is not there.
in_tools() {
	_v=$1; shift
	guest_cmd "$_v" "[ -e /mnt/usr/bin/fio ] || { mount -o ro /dev/xvdz /mnt && mount --bind /dev /mnt/dev && mount -t proc proc /mnt/proc && mount -t tmpfs t /mnt/tmp; } && chroot /mnt $*"
}

show_virtio() {
	log "xen-virtiod and backends:"
	journalctl -u xen-virtiod -u 'xen-virtio-backend@*' -n 40 --no-pager -o cat 2>/dev/null | sed 's/^/|   /'
	log "guest:"; tail -n 25 "$(console_log "$1")" 2>/dev/null | tr -d '\033\r' | sed 's/^/|   /'
	xenstore-ls -f /local/domain/0/backend 2>/dev/null | grep virtio | sed 's/^/|   /'
}

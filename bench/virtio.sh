# SPDX-License-Identifier: GPL-2.0-or-later
# summary: virtio over XenBus next to what xl offers without it: disks and network of a PV guest
# time-limit: 3600
# extra: tools
#
# Run by `make bench-virtio`.  Same guest, same dom0, one run: the disks are RAM
# disks of dom0 (what is measured is the way there), the network is dom0's bridge.
# Figures are ratios; the emulated host's own speed means nothing.
# shellcheck disable=SC2086,SC2154
. $LAB/lib-virtio.sh

SECONDS_EACH=${SECONDS_EACH:-3}
expect "dom0 has RAM disks" modprobe brd rd_nr=3 rd_size=65536 max_part=0
for i in 0 1 2; do dd if=/dev/urandom of=/dev/ram$i bs=1M count=64 status=none; done

guest_config b pv 'memory = 384' 'vcpus = 2' \
	"disk = [ 'vdev=xvdz,format=raw,access=ro,backendtype=phy,target=/dev/vdd', 'vdev=xvdb,backendtype=phy,format=raw,target=/dev/ram0', 'vdev=xvdc,backendtype=qdisk,format=raw,target=/dev/ram1', 'vdev=xvdd,backendtype=standalone,specification=virtio,target=/dev/ram2' ]" \
	"vif = [ 'bridge=xenbr0,mac=00:16:3e:00:00:61' ]" \
	"virtio = [ 'type=virtio,device1;bridge=xenbr0;mac=00:16:3e:00:00:62;queues=2,transport=mmio' ]" \
	"cmdline = 'console=hvc0 panic=-1 lab.mods=virtio_xenbus'" >/dev/null
expect "the guest boots" guest_start b 300 || { show_virtio b; return; }
expect "it has its virtio disk" wait_for 60 guest_cmd b '[ -e /sys/block/vda ]' || { show_virtio b; return; }

# iops NAME DEVICE RW BS DEPTH
iops() {
	GUEST_TIMEOUT=240 in_tools b fio --name=x --filename="$2" --rw="$3" --bs="$4" --iodepth="$5" --direct=1 \
		--ioengine=libaio --time_based --runtime="$SECONDS_EACH" --size=64M --output-format=terse --terse-version=3 >$OUT 2>&1 ||
		{ show_out; fail "fio $1 $3 $4 $5"; return 1; }
	awk -F';' '/^3;/ { print $8 + $49 }' $OUT
}

for bs in 4k 128k; do
	for depth in 1 32; do
		for rw in read write randread randwrite randrw; do
			phy=$(iops phy /dev/xvdb $rw $bs $depth)
			qdisk=$(iops qdisk /dev/xvdc $rw $bs $depth)
			virtio=$(iops virtio /dev/vda $rw $bs $depth)
			note "disk_${rw}_${bs}_$depth" "$(echo "$phy ${qdisk:-0} ${virtio:-0}" |
				awk '{ printf "iops: blkback %d qdisk %d virtio %d; virtio/qdisk %.2f virtio/blkback %.2f", $1, $2, $3, $3 / ($2 + 1e-9), $3 / ($1 + 1e-9) }')"
		done
	done
done

# net NAME INTERFACE ADDRESS OPTION...: bits a second
net() {
	_if=$2 _a=$3; shift 3
	guest_cmd b "for i in eth0 eth1; do ip addr flush dev \$i; ip link set \$i down; done; ip link set $_if up; ip addr add $_a/24 dev $_if; ping -c 2 -W 10 10.77.0.1" >/dev/null 2>&1
	iperf3 -s -1 -p 7003 -D >/dev/null
	GUEST_TIMEOUT=120 in_tools b iperf3 -c 10.77.0.1 -p 7003 -t $SECONDS_EACH -J "$@" >$OUT 2>&1
	jq '.end.sum_received.bits_per_second // .end.sum.bits_per_second // 0 | floor' $OUT 2>/dev/null
}
vif=$(guest_cmd b 'for i in eth0 eth1; do [ "$(cat /sys/class/net/$i/address)" != 00:16:3e:00:00:61 ] || echo $i; done')
vio=$(guest_cmd b 'for i in eth0 eth1; do [ "$(cat /sys/class/net/$i/address)" != 00:16:3e:00:00:62 ] || echo $i; done')
for way in send receive; do
	[ $way = send ] && more='' || more=-R
	a=$(net netback $vif 10.77.0.61 $more) b=$(net virtio $vio 10.77.0.62 $more)
	note "net_$way" "$(echo "${a:-0} ${b:-0}" | awk '{ printf "Mbit/s: netback %.0f virtio %.0f; virtio/netback %.2f", $1 / 1e6, $2 / 1e6, $2 / ($1 + 1e-9) }')"
done
expect "the guest is destroyed" xl destroy b

# SPDX-License-Identifier: GPL-2.0-or-later
# summary: virtio over XenBus next to what xl offers without it: disks and network of PV and HVM guests
# time-limit: 5400
# extra: tools
#
# Run by `make bench-virtio`; report.py makes tables of the notes.  Same guest, same
# dom0, one run, and each shape on one device after the other; the disks are RAM
# disks of dom0 (what is measured is the way there), the network is dom0's bridge.
# The figures mean something as ratios only: the host is emulated.
#
#   disk_TYPE_SHAPE_DEVICE     requests a second
#   net_TYPE_WAY_DEVICE        bits or packets a second
#   events_DEVICE_...          of 4 KiB requests at depth 32
# shellcheck disable=SC2086,SC2154,SC2016
. $LAB/lib-virtio.sh

SECONDS_EACH=${SECONDS_EACH:-3}
expect "dom0 has RAM disks" modprobe brd rd_nr=3 rd_size=65536 max_part=0
for i in 0 1 2; do dd if=/dev/urandom of=/dev/ram$i bs=1M count=64 status=none; done

# disks GUEST SHAPES DEVICE=FILE...: SHAPES are RW:BS:DEPTH.  One fio does them all.
disks() {
	_g=$1 _t=$2 _shapes=$3; shift 3
	in_tools $_g true
	guest_cmd $_g "for s in $(echo $_shapes); do for d in $*; do
		printf '[%s:%s]\nstonewall\nfilename=%s\nrw=%s\nbs=%s\niodepth=%s\n' \$s \${d%=*} \${d#*=} \$(echo \$s | tr : ' ')
		done; done >/mnt/tmp/jobs" >$OUT 2>&1
	GUEST_TIMEOUT=1500 in_tools $_g fio --direct=1 --ioengine=libaio --thread --time_based --runtime=$SECONDS_EACH --size=64M \
		--group_reporting=0 --output-format=terse --terse-version=3 /tmp/jobs >$OUT 2>&1 || { show_out; fail "fio in $_g"; return 1; }
	ok "fio in $_g: $(grep -c '^3;' $OUT) shapes and devices"
	grep '^3;' $OUT | tr : ';' | awk -F';' -v t=$_t '{ printf "note disk_%s_%s_%s_%s_%s %d\n", t, $3, $4, $5, $6, $11 + $52 }'
}

# nic GUEST TYPE DEVICE MAC ADDRESS: throughput both ways, and small packets.
nic() {
	_g=$1 _t=$2 _d=$3 _m=$4 _a=$5
	guest_cmd $_g "for i in /sys/class/net/eth*; do i=\${i##*/}; ip addr flush dev \$i; ip link set \$i down; [ \$(cat /sys/class/net/\$i/address) != $_m ] || n=\$i; done
		ip link set \$n up; ip addr add $_a/24 dev \$n; ping -c 3 -W 20 10.77.0.1" >$OUT 2>&1 || { show_out; fail "$_g: network by $_d"; return 1; }
	for _w in send receive small; do
		case $_w in send) _o='' ;; receive) _o=-R ;; small) _o='-u -b 0 -l 64' ;; esac
		iperf3 -s -1 -p 7003 -D >/dev/null
		GUEST_TIMEOUT=200 in_tools $_g iperf3 -c 10.77.0.1 -p 7003 -t $SECONDS_EACH -J $_o >$OUT 2>&1
		if [ $_w = small ]; then _v=$(jq '(.end.sum.packets - .end.sum.lost_packets) / .end.sum.seconds | floor' $OUT 2>/dev/null)
		else _v=$(jq '.end.sum_received.bits_per_second | floor' $OUT 2>/dev/null); fi
		if [ "${_v:-0}" -gt 0 ]; then note net_${_t}_${_w}_$_d "$_v"; else show_out; fail "$_g: iperf3 $_w by $_d"; fi
	done
}

# Interrupts so far whose name matches: irqs PATTERN </proc/interrupts
irqs() { awk -v p="$1" '$0 ~ p { for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++) n += $i } END { print n + 0 }'; }
# events GUEST DEVICE FILE GUEST-PATTERN DOM0-PATTERN: events that arrived, both ways, for each request.
events() {
	_g0=$(guest_cmd $1 cat /proc/interrupts | irqs "$4") _h0=$(irqs "$5" </proc/interrupts)
	in_tools $1 fio --name=e --filename=$3 --rw=randrw --bs=4k --iodepth=32 --direct=1 --ioengine=libaio --time_based --runtime=5 --size=64M \
		--output-format=terse --terse-version=3 >$OUT 2>&1 || { show_out; fail "fio on $3"; return; }
	_n=$(awk -F';' '/^3;/ { print int(($6 + $47) / 4) }' $OUT)
	_g1=$(guest_cmd $1 cat /proc/interrupts | irqs "$4") _h1=$(irqs "$5" </proc/interrupts)
	note events_$2_to_guest "$(echo "$_g1 $_g0 $_n" | awk '{ printf "%.3f", ($1 - $2) / $3 }')"
	note events_$2_to_backend "$(echo "$_h1 $_h0 $_n" | awk '{ printf "%.3f", ($1 - $2) / $3 }')"
}

all=$(for bs in 4k 128k; do for depth in 1 32; do for rw in read write randread randwrite randrw; do echo $rw:$bs:$depth; done; done; done)

# ---- PV: blkback, qdisk, netback ----
guest_config b pv 'memory = 384' 'vcpus = 2' \
	"disk = [ 'vdev=xvdb,backendtype=phy,format=raw,target=/dev/ram0', 'vdev=xvdc,backendtype=qdisk,format=raw,target=/dev/ram1' ]" \
	"vif = [ 'bridge=xenbr0,mac=00:16:3e:00:00:61' ]" \
	"virtio = [ 'type=virtio,device2;path=/dev/ram2,transport=mmio', 'type=virtio,device1;bridge=xenbr0;mac=00:16:3e:00:00:62;queues=2,transport=mmio', 'type=virtio,device2;path=/dev/vdd;readonly,transport=mmio' ]" \
	"cmdline = 'console=hvc0 panic=-1 lab.mods=virtio_xenbus'" >/dev/null
expect "the PV guest boots" guest_start b 300 || { show_virtio b; return; }
expect "it has its virtio disk" wait_for 60 disk_of b virtio/0 || { show_virtio b; return; }
vd=/dev/$(disk_of b virtio/0)
disks b pv "$all" blkback=/dev/xvdb qdisk=/dev/xvdc virtio=$vd
events b blkback /dev/xvdb 'blkif' 'blkif-backend'
events b qdisk /dev/xvdc 'blkif' 'evtchn:(xen-)?qemu-sys'
events b virtio $vd ' req\\.[0-9]' 'evtchn:qemu-virtio'
run guest_cmd b 'cat /proc/interrupts'
run cat /proc/interrupts
# What the backend asks its kernel for meanwhile: memory of the guest must not be in it.
pid=$(systemctl show -P MainPID "xen-virtio-backend@$(xl domid b)")
timeout 60 strace -f -qq -e trace=ioctl -o $LAB/tmp/strace -p "$pid" & tracer=$!
sleep 2
in_tools b fio --name=e --filename=$vd --rw=randrw --bs=4k --iodepth=32 --direct=1 --ioengine=libaio --time_based --runtime=3 --size=64M \
	--output-format=terse --terse-version=3 >$OUT 2>&1
n=$(awk -F';' '/^3;/ { print int(($6 + $47) / 4) }' $OUT)
kill $tracer; wait $tracer 2>/dev/null
note virtio_requests_traced "${n:-0}"
note virtio_gntdev_calls "$(grep -c -i 'gnt' $LAB/tmp/strace)"
expect "the backend maps no memory for a request" sh -c "[ ${n:-0} -gt 100 ] && ! grep -i gnt $LAB/tmp/strace"
note virtio_ioctls "$(grep -c 'ioctl(' $LAB/tmp/strace)"
sort $LAB/tmp/strace | sed 's/^[0-9]* *//; s/(\([0-9]*\), \([^,]*\).*/ \2/' | sort | uniq -c | sort -n | tail -n 8 >$OUT; show_out
nic b pv netback 00:16:3e:00:00:61 10.77.0.61
nic b pv virtio 00:16:3e:00:00:62 10.77.0.62
expect "the PV guest is destroyed" xl destroy b

# ---- HVM: virtio-pci, and what is emulated ----
guest_disk h 'xen_emul_unplug=never quiet lab.mods=virtio_xenbus' >/dev/null
guest_config h hvm 'memory = 384' 'vcpus = 2' \
	"disk = [ 'format=raw,vdev=hda,access=rw,target=$GUESTS/h.img', 'vdev=hdb,format=raw,target=/dev/ram0' ]" \
	"vif = [ 'type=ioemu,model=e1000,bridge=xenbr0,mac=00:16:3e:00:00:71', 'type=ioemu,model=virtio-net,bridge=xenbr0,mac=00:16:3e:00:00:73' ]" \
	"virtio = [ 'type=virtio,device2;path=/dev/ram2,transport=mmio', 'type=virtio,device1;bridge=xenbr0;mac=00:16:3e:00:00:72;queues=2,transport=mmio', 'type=virtio,device2;path=/dev/vdd;readonly,transport=mmio' ]" \
	"device_model_args_hvm = [ '-global', 'e1000.romfile=', '-global', 'virtio-net-pci.romfile=', '-drive', 'if=none,id=vd1,format=raw,cache=writeback,file=/dev/ram1', '-device', 'virtio-blk-pci,drive=vd1' ]" >/dev/null
expect "the HVM guest boots" sh -c '. /lab/lib.sh; xl create /lab/guests/h.cfg && wait_for 600 guest_cmd h true' || { show_virtio h; return; }
expect "it has its virtio disk" wait_for 120 disk_of h virtio/0 || { show_virtio h; return; }
pci=$(guest_cmd h 'basename /sys/devices/pci*/*/virtio*/block/*')
disks h hvm "randread:4k:1 randread:4k:32 randwrite:4k:32 read:128k:32 write:128k:32" ide=/dev/sdb virtio-pci=/dev/"$pci" virtio=/dev/"$(disk_of h virtio/0)"
nic h hvm e1000 00:16:3e:00:00:71 10.77.0.71
nic h hvm virtio-pci 00:16:3e:00:00:73 10.77.0.73
nic h hvm virtio 00:16:3e:00:00:72 10.77.0.72
expect "the HVM guest is destroyed" xl destroy h

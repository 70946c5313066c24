# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034
# summary: in a running Debian guest: apt install virtio-xenbus-dkms builds the driver, which serves a hot-plugged disk; purge
# layer: base
# repo: signed
# extra: dkms
# suites: trixie
# time-limit: 7200
. $LAB/lib-packages.sh
# The guest has dkms, a compiler and its kernel's headers already, as Debian's packages:
# to unpack those takes longer here than all else.

GUEST_TIMEOUT=400
show() {
	log "guest:"; tail -n 40 "$(console_log g)" 2>/dev/null | tr -d '\033\r' | sed 's/^/|   /'
	journalctl -u xen-virtiod -u 'xen-virtio-backend@*' -n 30 --no-pager -o cat 2>/dev/null | sed 's/^/|   /'
}
# in_guest COMMAND: a long one.
in_guest() { GUEST_TIMEOUT=3600 guest_cmd g "$@"; }
guest_files() {
	guest_cmd g "find / -xdev \( -path /srv -o -path /mnt -o -path /tmp -o -path /var/tmp -o -path /var/log -o -path /var/cache -o -path /var/lib/apt -o -path /var/lib/dpkg \
		-o -path /var/lib/systemd -o -name __pycache__ \) -prune -o -printf '%y %p %l\n' | sort"
}

expect "the repository is there" publish xen-extras || exit
expect "apt update accepts it in dom0" use_repository || exit
before=$(host_state)
expect "apt install xen-virtio-utils in dom0" apt-get -q -y install xen-virtio-utils || exit
expect "its daemon runs" systemctl is-active xen-virtiod

guest_config g pv 'memory = 1024' 'vcpus = 2' 'bootloader = "pygrub"' "disk = [ 'phy:/dev/vdd,xvda,w', 'phy:/dev/vdc,xvdb,r' ]" >/dev/null
sed -i '/^kernel =\|^ramdisk =\|^cmdline =/d' $GUESTS/g.cfg
start=$(now)
expect "xl create starts a Debian, whose disks are Xen's own" xl create $GUESTS/g.cfg || { show; exit; }
expect "it boots" wait_for 900 guest_cmd g true || { show; exit; }
note boot_seconds "$(since "$start")"
expect_text "it is Debian's own kernel" '-amd64$' guest_cmd g uname -r
kernel=$(guest_cmd g uname -r)
kernel_re=$(echo "$kernel" | sed 's/[.+]/\\&/g')
expect "that knows no virtio over XenBus" guest_cmd g '! modinfo virtio_xenbus && ! ls /sys/bus/xen/drivers | grep -q virtio'

# The repository on its second disk, and an initramfs of no more than it needs.
expect "its repository is there" guest_cmd g 'mkdir -p /srv/xen-extras && mount -o ro /dev/xvdb /mnt && mount --bind /mnt/xen-extras /srv/xen-extras &&
	cp /srv/xen-extras/xen-extras-trixie.sources /etc/apt/sources.list.d/ && : >/etc/apt/sources.list && echo MODULES=dep >/etc/initramfs-tools/conf.d/lab'
expect "apt update accepts it" in_guest 'apt-get -q -o APT::Update::Error-Mode=any update'
expect "its initramfs is made again" in_guest update-initramfs -u
guest_files >$LAB/tmp/files
start=$(now)
expect "apt install virtio-xenbus-dkms" in_guest 'DEBIAN_FRONTEND=noninteractive apt-get -q -y install virtio-xenbus-dkms' || { show_out; show; exit; }
note install_seconds "$(since "$start")"
run cat $OUT
expect_text "dkms has built and installed it" "^virtio-xenbus/.*, $kernel_re, x86_64: installed" guest_cmd g dkms status
expect_text "its module is there" "/lib/modules/$kernel_re/updates/dkms/virtio_xenbus.ko" guest_cmd g modinfo -n virtio_xenbus
expect_text "in the initramfs too" 'updates/dkms/virtio_xenbus.ko' in_guest "lsinitramfs /boot/initrd.img-$kernel | grep xenbus.ko"
expect "nothing has loaded it yet" guest_cmd g '! grep -q ^virtio_xenbus /proc/modules'

truncate -s 32M $GUESTS/plug.raw
disk=$(losetup -f --show $GUESTS/plug.raw)
expect "a disk is attached to the running guest" xen-virtio attach g "disk;path=$disk" || show
id=$(tail -n 1 $OUT)
expect "the guest has loaded the driver by itself" wait_for 240 guest_cmd g 'grep -q ^virtio_xenbus /proc/modules' || show
vd() { guest_cmd g "basename /sys/devices/$(echo "$id" | tr / -)/virtio*/block/* | grep ^vd"; }
expect "and has the disk" wait_for 240 vd || show
dev=$(vd)
expect_text "xen-virtio list shows it connected" "^g .* $id .*connected +connected" xen-virtio list g
expect_text "it has its size" '^65536$' guest_cmd g cat "/sys/block/$dev/size"
expect "a file system is made on it" in_guest "mkfs.ext4 -q /dev/$dev && mkdir -p /tmp/plug && mount /dev/$dev /tmp/plug"
expect "8 MB are written, and read back right" in_guest 'cd /tmp/plug && head -c 8388608 /dev/urandom >data && sync && md5sum data >sum && echo 3 >/proc/sys/vm/drop_caches && md5sum -c sum'
sum=$(guest_cmd g cut -c1-32 /tmp/plug/sum)
expect "it is unmounted" in_guest umount /tmp/plug
expect "it is detached" xen-virtio detach g "$id"
expect "the guest has lost it" wait_for 60 guest_cmd g "! [ -e /sys/block/$dev ]"
mkdir -p $LAB/plug
expect "dom0 finds a clean file system" e2fsck -fn "$disk"
expect_text "and the same data in it" "^${sum:-none} " sh -c "mount -o ro $disk $LAB/plug && md5sum $LAB/plug/data; umount $LAB/plug"
losetup -d "$disk"

expect "apt purge virtio-xenbus-dkms" in_guest 'DEBIAN_FRONTEND=noninteractive apt-get -q -y purge virtio-xenbus-dkms && rmmod virtio_xenbus'
expect "no module of it is left" guest_cmd g '! modinfo virtio_xenbus && ! find /lib/modules /usr/src /var/lib/dkms -name "*virtio?xenbus*" | grep .'
expect "nor in the initramfs" in_guest "! lsinitramfs /boot/initrd.img-$kernel | grep xenbus.ko"
guest_files >$LAB/tmp/files.after
# dkms keeps the key it has made for all its modules.
expect "the guest's files are what they were" sh -c "! diff $LAB/tmp/files $LAB/tmp/files.after | grep '^[<>]' | grep -v ' /var/lib/dkms/mok\.'"
expect "xl shutdown stops it" guest_stop g 400 || show
expect "nothing is left" nothing_left "$before"

# SPDX-License-Identifier: GPL-2.0-or-later
# summary: trust-01: what a program in QEMU's place reaches from within a guest's real backend unit
# time-limit: 1200
# shellcheck disable=SC2154,SC2016
. $LAB/lib-virtio.sh

before=$(host_state)
own=$(loop_disk own 64) readonly=$(loop_disk readonly 64) foreign=$(loop_disk foreign 64) more=$(loop_disk more 64)
# A name in which all that systemd could take for syntax stands.
odd="$GUESTS/odd:name %i.raw"
truncate -s 64M "$GUESTS/image.raw" "$GUESTS/foreign-image.raw" "$GUESTS/plugged.raw" "$odd"
mkdir -p $GUESTS/share && chmod 755 $GUESTS/share && echo shared >$GUESTS/share/a && chmod 644 $GUESTS/share/a

# The intruder: tries all of it, says what it reached, and then becomes QEMU, so that
# the guest goes on.  It is called with the numbers of its guest and the other one, and
# of three processes: xen-virtiod, systemd, and the other guest's QEMU.
cat >/usr/local/bin/intruder <<EOF2
#!/bin/bash
id=\$1 other=\$2 daemon=\$3 init=\$4 qemu=\$5; shift 5
t() { if "\${@:2}" >/dev/null 2>&1; then echo "reached: \$1"; else echo "refused: \$1"; fi; }
# An open for writing would make a file in the unit's own file tree.
open() { [ -e "\$1" ] && true <>"\$1"; }
# handed FILE [w]: is it among what is open; for writing?
handed() {
	for f in /proc/self/fd/*; do
		[ "\$f" -ef "\$1" ] && { [ -z "\$2" ] || grep -q '^flags:.*2\$' /proc/self/fdinfo/\${f##*/}; } && return
	done
	return 1
}
back=/local/domain/0/backend/virtio_disk
t "its own disk, handed over for writing" handed $own w
t "its own disk, by its path" head -c 1 $own
t "its own read-only disk, handed over" handed $readonly
t "its own read-only disk, handed over for writing" handed $readonly w
t "its own read-only disk, by its path" head -c 1 $readonly
t "its own image, handed over for writing" handed $GUESTS/image.raw w
t "its own image, for writing by its path" open $GUESTS/image.raw
t "its own image of an odd name, handed over for writing" handed '$odd' w
t "its own shared directory" cat $GUESTS/share/a
t "its own shared directory, for writing" touch $GUESTS/share/b
t "a disk that was attached later, handed over for writing" handed $more w
t "an image that was attached later, handed over for writing" handed $GUESTS/plugged.raw w
t "another guest's disk" head -c 1 $foreign
t "another guest's disk, handed over" handed $foreign
t "another guest's image" head -c 1 $GUESTS/foreign-image.raw
t "another guest's directory" ls /run/xen-virtio/\$other
t "the other guests' names" sh -c '[ "\$(ls /run/xen-virtio)" != '\$id' ]'
t "the directory of its own sockets" ls /run/xen-virtio/\$id
t "root" sh -c '[ \$(id -u) = 0 ]'
t "to become root" setpriv --reuid=0 true
t "to become another guest's QEMU" setpriv --reuid=\$((2146400000 + other)) true
t "a signal to xen-virtiod" kill -0 \$daemon
t "a signal to systemd" kill -0 \$init
t "a signal to another guest's QEMU" kill -0 \$qemu
t "dom0's root disk" head -c 1 /dev/vda
t "a terminal of dom0's" sh -c 'ls /dev/pts/* | grep .'
t "shared memory of dom0's" ls /dev/shm/lab-probe
t "a file of its own in /usr" touch /usr/intruder
t "a file of its own anywhere" sh -c 'for d in / /run /dev /dev/xen /dev/net /tmp; do touch \$d/intruder && exit; done; exit 1'
t "a device node" sh -c 'for d in /run /dev/xen /dev/net; do mknod \$d/intruder c 1 1 && exit; done; exit 1'
t "/etc" ls -d /etc/passwd
t "/etc/shadow" head -c 1 /etc/shadow
t "/root" ls /root
t "/home" ls /home
t "/var" ls /var/lib/dpkg
t "/tmp" ls /tmp
t "kernel settings" sh -c 'echo 1 >/proc/sys/kernel/sysrq'
t "tracing" ls /sys/kernel/debug /sys/kernel/tracing/trace
t "D-Bus" busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager GetUnit s xen-virtiod.service
t "systemd's sockets" sh -c 'find /run -type s | grep -v -e "^/run/xenstore\$" -e "^/run/xenstored/socket\$" -e "^/run/systemd/journal/socket\$"'
t "a Unix socket with an abstract name" socat -u OPEN:/dev/null ABSTRACT-CONNECT:lab-probe
t "privcmd" open /dev/xen/privcmd
t "hypercall" open /dev/xen/hypercall
t "gntdev" open /dev/xen/gntdev
t "evtchn" open /dev/xen/evtchn
t "another tap" open /dev/net/tun
t "vhost-net" open /dev/vhost-net
t "xenstored's socket" env -u XENSTORED_PATH xenstore-write /local/domain/0/outside 1
t "xenstore: the host's nodes" xenstore-write /local/domain/0/outside 1
t "xenstore: all nodes" xenstore-ls /local/domain
t "xenstore: another guest's name" xenstore-read /local/domain/\$other/name
t "xenstore: another guest's disk" xenstore-read \$back/\$other/51712/params
t "xenstore: another guest's state" xenstore-write \$back/\$other/51712/state 6
t "xenstore: its own disk's path" xenstore-write \$back/\$id/51712/params /dev/vda
t "xenstore: its own frontend" xenstore-write /local/domain/\$id/device/virtio_disk/51712/state 6
t "xenstore: what its own frontend says" xenstore-read /local/domain/\$id/device/virtio_disk/51712/state
t "xenstore: its own disk" xenstore-read \$back/\$id/51712/state
t "xenstore: the backend's nodes of its own disk" xenstore-write \$back/\$id/51712/max-config 64
t "the log" sh -c 'test -S /run/systemd/journal/socket'
echo "end of intrusion"
exec /usr/libexec/xen-extras/qemu-virtio "\$@"
EOF2
chmod 755 /usr/local/bin/intruder
touch /dev/shm/lab-probe
socat -u ABSTRACT-LISTEN:lab-probe,fork OPEN:/dev/null & probe=$!
# What it may reach.  xen-virtiod(8) says what gntdev, evtchn and the log mean.
cat >$LAB/tmp/allowed <<'EOF2'
its own disk, handed over for writing
its own read-only disk, handed over
its own image, handed over for writing
its own image of an odd name, handed over for writing
its own shared directory
gntdev
evtchn
xenstore: what its own frontend says
xenstore: its own disk
xenstore: the backend's nodes of its own disk
the log
EOF2

# Landlock's scopes came with Linux 6.12.
case $(uname -r) in 6.1.*) echo "a Unix socket with an abstract name" >>$LAB/tmp/allowed ;; esac

# intrude: in the place of guest v's QEMU.
intrude() {
	_dir=/run/systemd/system/xen-virtio-backend@.service.d
	mkdir -p $_dir
	printf '#!/bin/sh\nexec /usr/local/bin/intruder %s %s %s 1 %s "$@"\n' "$id" "$(xl domid w)" "$(systemctl show -P MainPID xen-virtiod)" \
		"$(systemctl show -P MainPID "xen-virtio-backend@$(xl domid w)")" >/usr/local/bin/intruder-qemu
	chmod 755 /usr/local/bin/intruder-qemu
	printf '[Service]\nExecStart=\nExecStart=/usr/sbin/xen-virtiod --backend=%%i --qemu=/usr/local/bin/intruder-qemu\n' >$_dir/intruder.conf
	systemctl daemon-reload
	_since=$(date '+%Y-%m-%d %H:%M:%S')
	sleep 1
	systemctl restart "xen-virtio-backend@$id"
	wait_for 60 sh -c "journalctl -u xen-virtio-backend@$id --since '$_since' -o cat --no-pager | grep -q 'end of intrusion'"
	journalctl -u "xen-virtio-backend@$id" --since "$_since" -o cat --no-pager | grep -e '^reached: ' -e '^refused: ' >$LAB/tmp/intrusion
	rm -r $_dir && systemctl daemon-reload
	cat $LAB/tmp/intrusion
	[ "$(wc -l <$LAB/tmp/intrusion)" = "$(grep -c '^t "' /usr/local/bin/intruder)" ]
}
# reached_allowed [LINE...]: what it reached is the list, and these.
reached_allowed() {
	{ cat $LAB/tmp/allowed; for _l; do echo "$_l"; done; } | sort >$LAB/tmp/want
	sed -n 's/^reached: //p' $LAB/tmp/intrusion | sort >$LAB/tmp/got
	diff $LAB/tmp/want $LAB/tmp/got
}

args='console=hvc0 panic=-1 lab.mods=virtio_xenbus,virtio-rng,9p,9pnet_virtio'
guest_config v pvh "cmdline = '$args'" "disk = [ 'vdev=xvda,backendtype=standalone,specification=virtio,target=$own'," \
	"	'vdev=xvdb,access=ro,backendtype=standalone,specification=virtio,target=$readonly'," \
	"	'vdev=xvdc,backendtype=standalone,specification=virtio,target=$GUESTS/image.raw' ]" \
	"$(virtio_line v "device9;path=$GUESTS/share;tag=share;readonly" "device2;path=$odd")" >/dev/null
guest_config w pvh "cmdline = '$args'" "disk = [ 'vdev=xvda,backendtype=standalone,specification=virtio,target=$foreign'," \
	"	'vdev=xvdb,backendtype=standalone,specification=virtio,target=$GUESTS/foreign-image.raw' ]" >/dev/null
expect "a guest with disks, images and a shared directory boots" guest_start v 300 || { show_virtio v; return; }
# With Xen 4.17 they come when QEMU runs, and a shared directory can not.
if xl_knows_virtio; then nine=1; else
	nine=0
	sed -i /device9/d $GUESTS/v.rest
	sed -i '/shared directory/d' $LAB/tmp/allowed
	expect "the disk of an odd name is attached" virtio_rest v || show_virtio v
fi
expect "and another guest" guest_start w 300 || { show_virtio w; return; }
id=$(xl domid v)
disks() { guest_cmd v "[ \$(ls -d /sys/block/vd* | wc -l) = $1 ]"; }
expect "its disks are there" wait_for 60 disks 4 || show_virtio v
# user_of GUEST: who its QEMU is.  lets_go FILE: guest v's QEMU does not have it open.
user_of() { stat -c %u "/proc/$(systemctl show -P MainPID "xen-virtio-backend@$(xl domid "$1")")"; }
lets_go() { ! stat -Lc %d:%i "/proc/$(systemctl show -P MainPID "xen-virtio-backend@$id")"/fd/* 2>/dev/null | grep -qx "$(stat -Lc %d:%i "$1")"; }
expect_text "its QEMU is a user of its own" "^$((2146400000 + id))\$" user_of v
expect_text "the other guest's is another" "^$((2146400000 + $(xl domid w)))\$" user_of w
expect "so is what is between it and xenstored" pgrep -u "$((2146440000 + id))"
[ $nine = 0 ] || expect "it reads the shared directory" guest_cmd v 'mkdir -p /tmp/s && mount -t 9p -o trans=virtio,version=9p2000.L share /tmp/s && grep shared /tmp/s/a && umount /tmp/s'

expect "a program in the place of its QEMU runs" intrude || { run cat $LAB/tmp/intrusion; show_virtio v; }
expect "it reaches what is its guest's, and the allowed rest" reached_allowed
expect "the guest goes on" wait_for 120 guest_cmd v 'head -c 4096 /dev/vda >/dev/null'

# What comes later is opened to it, what goes is closed.
expect "a disk is attached" xen-virtio attach v "disk;path=$more" || show_virtio v
more_id=$(tail -n 1 $OUT)
expect "an image is attached" xen-virtio attach v "disk;path=$GUESTS/plugged.raw" || show_virtio v
image_id=$(tail -n 1 $OUT)
expect "the guest has both" wait_for 60 disks 6 || show_virtio v
expect "it writes to the image" guest_cmd v "head -c 4194304 /dev/urandom >/tmp/p; d=/dev/$(disk_of v "$image_id") &&
	dd if=/tmp/p of=\$d bs=64k oflag=direct && dd if=\$d bs=64k iflag=direct count=64 | cmp - /tmp/p" || run guest_cmd v 'ls /sys/block'
expect "its QEMU is killed" kill -9 "$(systemctl show -P MainPID "xen-virtio-backend@$id")"
expect "the next one has all of them" wait_for 120 guest_cmd v 'for d in /dev/vd?; do head -c 512 $d >/dev/null || exit 1; done' || show_virtio v
expect "no device has failed" sh -c "xen-virtio list --json v | jq -e 'all(.error == null)'"
expect "the intruder again" intrude
expect "it reaches these two besides" reached_allowed "a disk that was attached later, handed over for writing" "an image that was attached later, handed over for writing"
expect "the guest has its disks again" wait_for 120 guest_cmd v 'for d in /dev/vd?; do head -c 512 $d >/dev/null || exit 1; done' || show_virtio v
expect "the disk is detached" xen-virtio detach v "$more_id"
expect "its QEMU has let go of it" wait_for 20 lets_go "$more"
number=$(stat -c '%Hr:%Lr' "$more")
expect "it is closed to a QEMU that runs on" wait_for 20 sh -c "! systemctl show -P DeviceAllow xen-virtio-backend@$id | grep -q 'block/$number '"
expect_text "what else the unit may open stays" 'gntdev' systemctl show -P DeviceAllow "xen-virtio-backend@$id"

expect "an image is detached" xen-virtio detach v "$image_id"
expect "its QEMU has let go of it" wait_for 20 lets_go $GUESTS/plugged.raw

expect "both are destroyed" sh -c 'xl destroy v && xl destroy w'
losetup -d "$own" "$readonly" "$foreign" "$more"
kill $probe
rm -f /dev/shm/lab-probe
xenstore-rm /local/domain/0/outside 2>/dev/null
expect "no process of either user is left" wait_for 20 sh -c "! pgrep -u $((2146400000 + id)),$((2146440000 + id))"
expect "nothing is left" nothing_left "$before"
expect_text "no drop-in is left" '^0$' sh -c 'sleep 2; ls -d /run/systemd/system*/xen-virtio-backend@*.d 2>/dev/null | wc -l'

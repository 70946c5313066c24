# SPDX-License-Identifier: GPL-2.0-or-later
# summary: a Debian Xen host: apt install xen-extras from the signed repository, guests, an upgrade under them, purge
# layer: base
# repo: signed
# time-limit: 5400
. $LAB/lib-packages.sh
. $LAB/lib-virtio.sh

expect "the repository is there" publish xen-extras || exit
expect "apt update accepts it by its .sources file, signature and all" use_repository || exit
# What apt would call superfluous after the test was so before it.
# A library that systemd merely suggests (libarchive) would be kept.
echo 'APT::AutoRemove::SuggestsImportant "false";' >>/etc/apt/apt.conf.d/90lab
expect "nothing is superfluous on this host" apt-get -q -y autoremove --purge
expect_fail "it has no package of ours" sh -c "dpkg-query -W | grep -E '^(xen-extras|xen-stubdom|xen-virtio|qemu-xen-extras)'"
packages_state >$LAB/tmp/packages
files_state >$LAB/tmp/files
units_state >$LAB/tmp/units
before=$(host_state)

start=$(now)
expect "apt install xen-extras" apt-get -q -y install xen-extras || { show_out; exit; }
note install_seconds "$(since "$start")"
expect_text "it is the repository's" 'file:/srv/xen-extras/deb' sh -c 'LC_ALL=C apt-cache policy xen-extras | grep -A 1 "^ \*\*\*"'
for u in xen-stubdom-register xen-stubdomd xen-virtiod; do
	expect_text "$u is turned on" '^enabled$' systemctl is-enabled $u
done
expect "both daemons run" systemctl is-active xen-stubdomd xen-virtiod
expect "no unit has failed" sh -c '[ -z "$(systemctl --failed --plain --no-legend)" ]'
expect "xen-stubdom check finds nothing to fix" xen-stubdom check

# An HVM guest whose device model is in a stubdomain, two lines in its file; and a PV
# guest that writes to its virtio disk all the time.
expect "a bootable disk is made" guest_disk h 'xen_emul_unplug=never quiet'
guest_config h hvm 'device_model_version = "qemu-xen"' 'device_model_stubdomain_override = 1' \
	"disk = [ '$GUESTS/h.img,raw,hda,rw' ]" 'serial = "pty"' 'hdtype = "ahci"' >/dev/null
expect "xl create starts an HVM guest" xl create $GUESTS/h.cfg || { show_stubdom h; exit; }
expect_text "xl list shows its stubdomain" '^h-dm ' xl list
expect "it boots" wait_for 600 guest_cmd h true || { show_stubdom h; exit; }
disk=$(loop_disk p 48) more=$(loop_disk q 16)
guest_config p pv "cmdline = 'console=hvc0 panic=-1 lab.mods=virtio_xenbus'" \
	"disk = [ 'vdev=xvda,backendtype=standalone,specification=virtio,target=$disk' ]" >/dev/null
expect "a PV guest with a virtio disk boots" guest_start p 300 || { show_virtio p; exit; }
expect "its disk is there" wait_for 60 disk_of p || { show_virtio p; exit; }
vd=$(disk_of p)
# Each round writes what it then reads back past the guest's page cache.
cat >$LAB/tmp/worker <<END
echo 0 >/tmp/rounds
while [ ! -e /tmp/stop ]; do
	head -c 262144 /dev/urandom >/tmp/in &&
	dd if=/tmp/in of=/dev/$vd bs=64k oflag=direct && dd if=/dev/$vd of=/tmp/back bs=64k count=4 iflag=direct &&
	cmp /tmp/in /tmp/back || { touch /tmp/bad; break; }
	echo \$((\$(cat /tmp/rounds) + 1)) >/tmp/rounds
done
END
expect "it writes and reads back" guest_cmd p "echo $(base64 -w0 <$LAB/tmp/worker) | base64 -d >/tmp/worker; sh /tmp/worker >/tmp/worker.log 2>&1 &"
rounds() { guest_cmd p cat /tmp/rounds; }
goes_on() {
	_n=$(rounds) || return 1
	wait_for 120 guest_cmd p "[ -e /tmp/bad ] || [ \$(cat /tmp/rounds) -gt $((_n + 1)) ]" && guest_cmd p '! [ -e /tmp/bad ]'
}
expect "again and again" goes_on || { run guest_cmd p 'cat /tmp/worker.log'; show_virtio p; exit; }

# Who serves them: the domains, and QEMUs with the time they were started.
pid=$(xl domid p) stub=$(xl domid h-dm)
servers() {
	echo "domains $(xl domid h) $(xl domid h-dm) $(xl domid p)"
	for _p in $(pgrep -f -- "-xen-domid $stub( |\$)"; systemctl show -P MainPID "xen-virtio-backend@$pid"); do
		echo "process $_p $(sed 's/.*) //' /proc/"$_p"/stat | cut -d' ' -f20) $(tr '\0' ' ' </proc/"$_p"/cmdline | cut -c1-60)"
	done
	echo "restarts $(systemctl show -P NRestarts "xen-virtio-backend@$pid")"
}
daemons() { systemctl show -P MainPID xen-stubdomd xen-virtiod | xargs; }
servers >$LAB/tmp/servers
run cat $LAB/tmp/servers
expect_text "a QEMU in dom0 for each guest is seen" '^2$' grep -c '^process' $LAB/tmp/servers
old=$(daemons)
for g in h p; do guest_cmd $g cat /proc/sys/kernel/random/boot_id >$LAB/tmp/boot-$g; done

expect "the next version is published" publish next
expect "apt update accepts it" apt-get -q -o APT::Update::Error-Mode=any update
start=$(now)
expect "apt upgrade, while the guests run" apt-get -q -y upgrade
note upgrade_seconds "$(since "$start")"
expect_text "it was one" '\+next$' dpkg-query -W -f '${Version}\n' xen-extras xen-stubdom-utils xen-virtio-utils qemu-xen-extras
same_state "the same domains, the same QEMUs, none restarted" servers $LAB/tmp/servers
expect "QEMU in the stubdomain answers" xl qemu-monitor-command h 'info status'
expect "both daemons run" systemctl is-active xen-stubdomd xen-virtiod
new=$(daemons)
if [ "$old" != "$new" ]; then ok "they are new ones"; else fail "they are new ones" "$new"; fi
for g in h p; do
	expect_text "guest $g did not reboot" "^$(grep . $LAB/tmp/boot-$g || echo no boot id)$" guest_cmd $g cat /proc/sys/kernel/random/boot_id
done
expect "the PV guest's disk goes on, every byte right" goes_on || { run guest_cmd p 'cat /tmp/worker.log'; show_virtio p; }
expect "the HVM guest reads its disk" guest_cmd h 'echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/sda of=/dev/null bs=64k count=16 || dd if=/dev/xvda of=/dev/null bs=64k count=16'
expect "no unit has failed" sh -c '[ -z "$(systemctl --failed --plain --no-legend)" ]'
expect "xen-stubdom check finds nothing to fix" xen-stubdom check
expect "the new xen-virtiod adds a disk to the running QEMU" xen-virtio attach p "disk;path=$more" || show_virtio p
id=$(tail -n 1 $OUT)
expect "the guest sees it" wait_for 60 disk_of p "$id" || show_virtio p
expect "and takes it away" xen-virtio detach p "$id"

guest_cmd p 'touch /tmp/stop'
expect "xl shutdown stops the HVM guest" guest_stop h 300 || show_stubdom h
expect "and the PV guest" guest_stop p 200
losetup -d "$disk" "$more"
expect "the guests leave nothing" nothing_left "$before"
rm -f $GUESTS/*

expect "apt purge xen-extras" apt-get -q -y purge xen-extras
expect "and what it brought" apt-get -q -y autoremove --purge
same_state "the packages are what they were" packages_state $LAB/tmp/packages
same_state "so is every file" files_state $LAB/tmp/files
same_state "so are the units" units_state $LAB/tmp/units
expect "Xen works as before: xl list" xl list

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# mmdebstrap's customize hook for the lab's dom0: customize.sh ROOT
set -eu
root=$1 here=$(dirname "$(readlink -f "$0")")

put() { mkdir -p "$root$(dirname "$1")"; cat >"$root$1"; }

install -D -m 755 "$here/agent.py" "$root/usr/local/lib/xen-extras-lab/agent.py"
put /etc/systemd/system/xen-extras-lab-agent.service <<-'E'
	[Unit]
	Description=Lab agent: runs what the test runner asks for
	[Service]
	ExecStart=/usr/bin/python3 -u /usr/local/lib/xen-extras-lab/agent.py
	Restart=always
	Environment=HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	# A scenario's background jobs are the lab's to end, not systemd's.
	KillMode=process
	TasksMax=infinity
	[Install]
	WantedBy=multi-user.target
E
# The guests' bridge; dom0 itself has no way out.
put /etc/systemd/network/10-xenbr0.netdev <<-'E'
	[NetDev]
	Name=xenbr0
	Kind=bridge
	[Bridge]
	STP=no
	ForwardDelaySec=0
E
put /etc/systemd/network/10-xenbr0.network <<-'E'
	[Match]
	Name=xenbr0
	[Network]
	Address=10.77.0.1/24
	ConfigureWithoutCarrier=yes
	LinkLocalAddressing=no
	IPv6AcceptRA=no
E
chroot "$root" systemctl -q enable systemd-networkd xen-extras-lab-agent
chroot "$root" systemctl -q disable systemd-networkd-wait-online.service 2>/dev/null || :
# Nothing that wakes up by a timer may disturb a measurement.
chroot "$root" systemctl -q mask apt-daily.timer apt-daily-upgrade.timer \
	dpkg-db-backup.timer e2scrub_all.timer fstrim.timer man-db.timer \
	systemd-timesyncd.service getty@tty1.service
# Guests' consoles are kept: /var/log/xen/console/guest-NAME.log
sed -i '/^XENCONSOLED_ARGS=/d' "$root/etc/default/xen"
echo 'XENCONSOLED_ARGS="--log=guest"' >>"$root/etc/default/xen"
mkdir -p "$root/var/log/xen/console" "$root/lab" "$root/etc/xen/lab"
# Ballooning dom0 would make every run differ.
sed -i 's/^#*autoballoon=.*/autoballoon="off"/' "$root/etc/xen/xl.conf"
echo 'LABEL=labroot / ext4 noatime 0 1' >"$root/etc/fstab"
echo xenlab >"$root/etc/hostname"
printf '127.0.0.1 localhost\n10.77.0.1 xenlab\n' >"$root/etc/hosts"
echo 'root:lab' | chroot "$root" chpasswd
: >"$root/etc/machine-id"
mkdir -p "$root/etc/systemd/journald.conf.d"
printf '[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\n' >"$root/etc/systemd/journald.conf.d/lab.conf"
# What only served to build the image must not shape what apt does in it.
rm -f "$root/usr/sbin/policy-rc.d" "$root"/etc/apt/apt.conf.d/99mmdebstrap "$root"/etc/dpkg/dpkg.cfg.d/99mmdebstrap

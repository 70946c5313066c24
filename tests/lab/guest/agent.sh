#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# mmdebstrap's customize hook for every Debian of the lab's guests:  agent.sh ROOT XSAGENT
# How dom0 talks to it: guest_cmd of dom0/lib.sh.
set -eu
root=$1

install -D "$2" "$root/usr/local/sbin/xsagent"
cat >"$root/etc/systemd/system/xsagent.service" <<END
[Unit]
Description=The lab's agent
[Service]
ExecStart=/usr/local/sbin/xsagent
Restart=always
[Install]
WantedBy=multi-user.target
END
chroot "$root" systemctl -q enable xsagent systemd-networkd

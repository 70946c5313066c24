#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# After debian.sh, for a guest whose root is a virtio disk: what its user does, which is
# to install our package by apt, with all that it recommends, and nothing else.
#   debian-virtio.sh ROOT REPOSITORY
set -eu
root=$1
list=$root/etc/apt/sources.list.d/lab.list

cp -r "$2" "$root/srv/repo"
echo 'deb [trusted=yes] file:/srv/repo ./' >"$list"
chroot "$root" apt-get -q update
DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get -q -y -o APT::Install-Recommends=true install virtio-xenbus-dkms
rm -r "$root/srv/repo" "$list"

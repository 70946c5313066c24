#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# fio and iperf3 for the small guest, static: Debian's link half a distribution.
# Runs inside the build chroot:   build-tools.sh OUT
set -eu
out=$1
mkdir -p "$out/w"
cd "$out/w"
apt-get download -q libaio-dev libaio1t64 2>/dev/null || { apt-get update -q && apt-get download -q libaio-dev libaio1t64; }
for d in ./*.deb; do dpkg-deb -x "$d" root; done
apt-get -qq -o APT::Sandbox::User=root source fio iperf3
inc=$PWD/root/usr/include lib=$(echo "$PWD"/root/usr/lib/*-linux-gnu)

cd fio-*/
./configure --disable-native --build-static --disable-numa --disable-rdma --disable-rados --disable-rbd --disable-http \
	--disable-gfapi --disable-pmem --disable-xnvme --disable-libblkio --extra-cflags="-I$inc -L$lib -O2" >configure.log
grep -q '^CONFIG_LIBAIO' config-host.mak || { echo "fio: without libaio" >&2; exit 1; }
make -s -j2 fio
install -s -m 755 fio "$out/fio"

cd ../iperf3-*/
./configure --quiet --disable-shared --enable-static-bin --without-openssl --without-sctp
make -s -j2
install -s -m 755 src/iperf3 "$out/iperf3"
cd "$out" && rm -rf w

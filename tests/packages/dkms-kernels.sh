# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# summary: the driver is built by dkms for every kernel that it is for (flavour amd64; dkms-orders has the cloud's)
# time-limit: 3600

# try NAME FLAVOUR SERIES: the newest headers of it build the driver.
try() {
	k=$(kernels "$1" "$2" "$3" 1)
	[ -n "$k" ] || { fail "$1: no kernel $3*-$2"; return; }
	# Trixie's headers depend on their image, which nobody boots here.
	real=$(in_root "$1" apt-cache madison "linux-image-$k" | awk '{ print $3; exit }')
	mkdir -p "$WORK/$1/root/stub/DEBIAN"
	printf '%s\n' "Package: linux-image-$k" "Version: $real" "Architecture: amd64" "Maintainer: nobody" \
		"Description: none" >"$WORK/$1/root/stub/DEBIAN/control"
	in_root "$1" sh -euc 'dpkg-deb -Znone -b /stub /stub.deb && dpkg -i /stub.deb' >"$OUT" 2>&1 || { fail "no stub of $k"; show_out; }
	expect "$1: headers of $k" add "$1" "linux-headers-$k"
	builds "build the driver once" 1
	driver_is "it is installed" "$1" "$k" "$v"
}

for s in $(deb_suites); do
	dkms_machine $s $s
	v=$(driver_version $s)
	expect "$s: the package" add $s /driver.deb
	if [ $s = trixie ]; then
		try $s amd64 6.12.
		sed 's/ trixie / trixie-backports /;t;d' "$WORK/$s/root/etc/apt/sources.list" >"$WORK/$s/root/etc/apt/sources.list.d/backports.list"
		expect "$s: with its backports" in_root $s apt-get -q update
		try $s amd64 '[7-9]\.[0-9]*\.'
		try $s cloud-amd64 '[7-9]\.[0-9]*\.'
	else
		try $s amd64 6.1.0-
		try $s amd64 6.12.
	fi
done

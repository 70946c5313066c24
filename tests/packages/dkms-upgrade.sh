# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# summary: dkms: the package installed again, upgraded, purged, and Debian's test of dkms packages
# time-limit: 3600

for s in $(deb_suites); do
	case $s in trixie) series=6.12. ;; *) series=6.1.0- ;; esac
	dkms_machine u-$s $s
	v=$(driver_version u-$s)
	expect "$s: the next version of the package" in_root u-$s sh -euc '
		dpkg-deb -R /driver.deb /next; mv /next/usr/src/virtio-xenbus-* "/next/usr/src/virtio-xenbus-$1.1"
		sed -i "s/^Version: .*/&.1/" /next/DEBIAN/control
		sed -i "s/^DKMS_VERSION=.*/&.1/" /next/DEBIAN/prerm
		sed -i "s/^PACKAGE_VERSION=.*/PACKAGE_VERSION=\"$1.1\"/" /next/usr/src/*/dkms.conf
		sed -i "s,src/virtio-xenbus-$1/,src/virtio-xenbus-$1.1/,; \\,src/.*/dkms.conf,d" /next/DEBIAN/md5sums
		dpkg-deb -Znone -b /next /next.deb; rm -rf /next' sh "$v"
	# Bookworm's dkms alone would leave the older of two kernels without.
	# shellcheck disable=SC2046
	set -- $(kernels u-$s cloud-amd64 $series "$([ $s = trixie ] && echo 1 || echo 2)")
	expect "$s: headers" add u-$s "linux-headers-$1"
	expect "$s: the package" add u-$s /driver.deb
	builds "is built" 1

	expect "$s: it is installed again, the same version" add u-$s --reinstall /driver.deb
	builds "is built again" 1
	driver_is "and is there" u-$s "$1" "$v"

	[ $# = 1 ] || expect "$s: headers of another kernel" add u-$s "linux-headers-$2"
	expect "$s: it is upgraded" add u-$s /next.deb
	builds "is built for each kernel" $#
	for k; do driver_is "the new driver is there" u-$s "$k" "$v.1"; done
	same "and dkms has no other" "$(for k; do echo "virtio-xenbus/$v.1, $k, x86_64: installed"; done | xargs)" \
		"$(in_root u-$s dkms status | sort | xargs)"
	same "nor is there one" "$(for k; do echo "/lib/modules/$k/updates/dkms"; done | xargs) /usr/src/virtio-xenbus-$v.1" \
		"$(in_root u-$s sh -c 'find /lib/modules -name "virtio_xenbus.ko*" -printf "%h\n" | sort; echo /usr/src/virtio-xenbus-*' | xargs)"

	expect "$s: it is purged" in_root u-$s apt-get -q -y purge virtio-xenbus-dkms
	no_driver_left "which leaves nothing" u-$s

	# Debian's test of dkms packages builds for each kernel that has headers.  It tries
	# to remove dkms on the way: the last check.
	expect_text "$s: dkms-autopkgtest builds it" "^I: PASS (virtio-xenbus/$(re "$v") )?$(re "$1")" \
		in_root u-$s sh -euc '
			mkdir /repo; cp /driver.deb /repo; cd /repo; dpkg-scanpackages -m . >Packages
			echo "deb [trusted=yes] file:/repo ./" >/etc/apt/sources.list.d/repo.list; apt-get -q update
			[ -z "$1" ] || apt-get -q -y purge "linux-headers-$1"
			cd /tmp; exec /usr/lib/dkms/dkms-autopkgtest virtio-xenbus-dkms' sh "${2-}"
done

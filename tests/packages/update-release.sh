# SPDX-License-Identifier: GPL-2.0-or-later
# summary: full-upgrade from bookworm to trixie: the image of Xen 4.17 stays as it was until that Xen has gone, the new one's is there
# time-limit: 7200

OLD=$(debs bookworm)
NEW=$(debs trixie)
R=$WORK/h/root
STATE=/var/lib/xen-stubdom

apt() { : >"$R/var/log/builds"; in_root h apt-get -q -y --no-install-recommends -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef "$@" >"$WORK/said" 2>&1 || { cat "$WORK/said"; return 1; }; }
builds() { wc -l <"$R/var/log/builds"; }
status() { in_root h dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null || echo none; }
sums() { (cd "$R$STATE/$1/current/" && sha256sum kernel rootfs manifest); }
names() { in_root h readlink -f "/usr/lib/xen-$1/boot/qemu-stubdom-linux-kernel" "/usr/lib/xen-$1/boot/qemu-stubdom-linux-rootfs" | xargs; }
want_names() { in_root h readlink -f "$STATE/$1/current/kernel" "$STATE/$1/current/rootfs" | xargs; }
is_whole() {	# VERSION: as its manifest says
	for f in kernel rootfs; do
		grep -q "^output $f $(sha256sum <"$R$STATE/$1/current/$f" | cut -d' ' -f1) " "$R$STATE/$1/current/manifest" || return 1
	done
	grep -qx "xen $1" "$R$STATE/$1/current/manifest"
}
# The Xen that "runs": what xen-stubdom and the packages read of it.
running() {
	mountpoint -q "$R/sys/hypervisor" || { umount -l "$R/sys"; mount -t tmpfs tmpfs "$R/sys"; mkdir "$R/sys/hypervisor"; mount -t tmpfs tmpfs "$R/sys/hypervisor"; }
	mkdir -p "$R/sys/hypervisor/version"
	echo xen >"$R/sys/hypervisor/type"
	echo "${1%.*}" >"$R/sys/hypervisor/version/major"
	echo "${1#*.}" >"$R/sys/hypervisor/version/minor"
}
check() { in_root h xen-stubdom check >"$WORK/check" 2>&1 || true; }

root h bookworm plain
printf '#!/bin/sh\necho x >>/var/log/builds\nexec /usr/bin/dracut "$@"\n' >"$R/usr/sbin/dracut"
chmod 755 "$R/usr/sbin/dracut"
flat_repo h "$OLD" >"$OUT" 2>&1 || { show_out; exit 1; }
running 4.17
expect "bookworm: installation" apt install xen-extras xen-system-amd64 || exit 1
same "builds one image" 1 "$(builds)"
expect "it is whole" is_whole 4.17
before=$(sums 4.17)
same "the names lead to it" "$(want_names 4.17)" "$(names 4.17)"

# The release's upgrade, with Xen 4.17 running.
rm "$WORK"/h/repo/*
sed -i 's/bookworm/trixie/g' "$R/etc/apt/sources.list"
flat_repo h "$NEW" >"$OUT" 2>&1 || { show_out; exit 1; }
expect "apt full-upgrade to trixie" apt full-upgrade
same "builds one image" 1 "$(builds)"
same "no package is half done" "" "$(in_root h dpkg --audit)"
same "it is Debian 13" trixie "$(. "$R/etc/os-release"; echo "$VERSION_CODENAME")"
note "xen-utils-4.17 is: $(status xen-utils-4.17)"
same "xen-stubdom-linux-4.20 is" installed "$(status xen-stubdom-linux-4.20)"
same "xen-stubdom-linux-4.17 is" installed "$(status xen-stubdom-linux-4.17)"
same "xen-extras is the new one" "$(dpkg-deb -f "$NEW"/xen-extras_*.deb Version)" "$(in_root h dpkg-query -W -f '${Version}' xen-extras)"
same "the image for Xen 4.17 is byte for byte what it was" "$before" "$(sums 4.17)"
same "its names lead to it" "$(want_names 4.17)" "$(names 4.17)"
expect "the image for Xen 4.20 is whole" is_whole 4.20
same "its names lead to it" "$(want_names 4.20)" "$(names 4.20)"
expect "it has the new release's libraries" sh -c "
	set -- \$(grep ' /usr/lib/x86_64-linux-gnu/libc.so.6\$' $R$STATE/4.20/current/manifest)
	echo \"\$2  $R/usr/lib/x86_64-linux-gnu/libc.so.6\" | sha256sum -c -"
check
expect "check: the old one is intact" grep "^ok.*image for Xen 4.17 is intact" "$WORK/check"
expect "check: and what it is" grep "^note.*image for Xen 4.17 was left by an upgrade.*: boot Xen 4.20" "$WORK/check"
expect_text "status shows both" "^4.17 .*kept until that Xen is gone" in_root h xen-stubdom status
expect "another full-upgrade" apt full-upgrade
same "builds nothing" 0 "$(builds)"

# Tidied up before the reboot, with nothing but Xen itself left of 4.17.
expect "apt autoremove" apt autoremove
same "builds nothing" 0 "$(builds)"
same "the package is gone" config-files "$(status xen-stubdom-linux-4.17)"
same "the image for the Xen that runs is still what it was" "$before" "$(sums 4.17)"
same "the new one's names are too" "$(want_names 4.20)" "$(names 4.20)"

# After the reboot.
running 4.20
expect "what the unit does at boot" in_root h xen-stubdom register --all
expect "the old image goes" test ! -e "$R$STATE/4.17"
expect "the new one stays" is_whole 4.20
check
expect "check: it is made of what is installed" grep "^ok.*made of what is installed now" "$WORK/check"
expect "purge" apt purge "xen-stubdom-*" qemu-xen-extras xen-extras xen-virtio-utils
same "leaves nothing" "" "$(cd "$R" && find usr/lib/xen-extras usr/libexec/xen-extras var/lib/xen-stubdom usr/lib/xen-4*/boot/qemu-stubdom* 2>/dev/null)"

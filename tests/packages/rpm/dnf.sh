# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# The life of the rpms on one machine, the same for dnf4 and dnf5: installation, updates
# of all kinds, removal.  Read by rpm-dnf4.sh and rpm-dnf5.sh, which set HOST_SUITE (of
# the machine) and DNF (the program with its options).
#
# The machine is a Debian made like a Fedora where it matters: Xen's and pixman's
# libraries are packages of their own in /usr/lib64 and of a Xen in /usr/libexec/xen;
# what else the rpms ask for is Debian's, and one package without files says so, with
# the names of the libraries that really are there.  systemctl, dracut, dkms, kernel
# headers and rpm are real; the first two have a wrapper that counts.

. "$TOP/tests/packages/rpm/build.sh"

first=$(rpms) || exit 1
release2=$(rpms_again rpm-release2 RPM_RELEASE=2) || exit 1
next=$(rpms_again rpm-next RPM_VERSION=99.1) || exit 1
version=$(rpm_version "$first")

root host "$HOST_SUITE" rpm-host || exit 1
r=$WORK/host/root
lib=$r/usr/lib/x86_64-linux-gnu
kernel=$(cd "$r/lib/modules" && echo *)
module=$r/lib/modules/$kernel/updates/dkms/virtio_xenbus.ko
state=/var/lib/xen-stubdom/4.20
mkdir -p "$WORK/repo"
bind host "$WORK/repo" /repo

# Fedora's libraries

mkdir -p "$WORK/xen/usr/lib64" "$WORK/xen/usr/libexec/xen/boot" "$WORK/pixman/usr/lib64"
mv "$lib"/libxen*.so.* "$lib"/libxlutil.so.* "$WORK/xen/usr/lib64/"
echo "not a firmware" >"$WORK/xen/usr/libexec/xen/boot/hvmloader"
printf 'Provides: %s\n' 'xen-runtime' 'xen-hypervisor-abi = 4.20' >"$WORK/xen.tags"
mv "$lib"/libpixman-1.so.0* "$WORK/pixman/usr/lib64/"
pixman=$(cd "$WORK/pixman/usr/lib64" && readlink libpixman-1.so.0)
cp "$WORK/pixman/usr/lib64/$pixman" "$WORK/pixman.so"
echo 'Provides: libpixman-1.so.0()(64bit)' >"$WORK/pixman.tags"

# The rest of the machine

mkdir -p "$WORK/host-provides/etc/ld.so.conf.d" "$WORK/host-provides/usr/lib/systemd/system-preset"
echo /usr/lib64 >"$WORK/host-provides/etc/ld.so.conf.d/lib64.conf"
# Fedora's: nothing is enabled that no preset asks for.
echo 'disable *' >"$WORK/host-provides/usr/lib/systemd/system-preset/99-default-disable.preset"
version_of() { in_root host dpkg-query -W -f '${Version}' "$1" | sed 's/^.*://; s/[-+~].*//'; }
{
	printf 'Provides: %s\n' /bin/sh /bin/bash 'rtld(GNU_HASH)' "systemd = $(version_of systemd)" "dkms = $(version_of dkms)" \
		"dracut = $(version_of dracut-core)" ipxe-roms-qemu seavgabios-bin qemu-system-x86-core
	"$TOP/mk/chroot.sh" run trixie rpm --bind "$lib:/mnt/lib" -- sh -c 'find /mnt/lib -maxdepth 1 -name "*.so*" | /usr/lib/rpm/elfdeps --provides' |
		grep -v '^rtld' | sort -u | sed 's/^/Provides: /'
} >"$WORK/host-provides.tags"
# As glibc's in Fedora.
printf '%s\n' '%transfiletriggerin -P 2000000 -- /lib64 /usr/lib64' '/sbin/ldconfig' >"$WORK/host-provides.scripts"

counting() {	# PROGRAM LOG [PATTERN]: its calls (those that match) are written down
	mv "$r/usr/bin/$1" "$r/usr/bin/$1.real"
	printf '#!/bin/sh\ncase " $* " in *%s*) echo "$*" >>%s ;; esac\nexec /usr/bin/%s.real "$@"\n' "${3-}" "$2" "$1" >"$r/usr/bin/$1"
	chmod 755 "$r/usr/bin/$1"
}
counting systemctl /var/log/systemctl.calls
counting dracut /var/log/dracut.calls '" xen-stubdom "'

# dnf ARGUMENTS: with what is in $WORK/repo now.  What was counted starts from nothing.
n=0
dnf() {
	n=$((n + 1))
	: >"$r/var/log/systemctl.calls"; : >"$r/var/log/dracut.calls"
	in_rpm createrepo_c -q /mnt/work/repo >"$WORK/createrepo.log" 2>&1 || { cat "$WORK/createrepo.log"; return 1; }
	# shellcheck disable=SC2086 # options
	in_root host $DNF -y --setopt=reposdir=/nonexistent --setopt=cachedir="/var/tmp/dnf$n" --setopt=install_weak_deps=False \
		--releasever=43 --repofrompath="t$n,file:///repo" --repo="t$n" "$@"
}
builds() { grep -c . "$r/var/log/dracut.calls"; }
image() { in_root host readlink "$state/current"; }
in_manifest() { grep -q "$1" "$r$state/current/manifest"; }
enabled() { in_root host systemctl.real is-enabled "$1" 2>/dev/null; }
files() {	# what is on the machine, without logs, caches and rpm's own records
	(cd "$r" && find . -xdev \( -path ./var/lib/rpm -o -path ./var/lib/dnf -o -path ./usr/lib/sysimage -o -path ./var/log -o \
		-path ./var/cache -o -path ./var/tmp -o -path ./tmp -o -path ./run -o -path ./root -o -path ./repo -o \
		-path ./etc/dnf -o -path './var/lib/dkms/mok.*' -o -path './usr/lib/modules/*/modules.*' \) -prune -o -print | sort)
}
installed() { in_root host rpm -q --qf '%{VERSION}-%{RELEASE} ' xen-extras xen-stubdom-linux xen-stubdom-utils xen-stubdom-kernel qemu-xen-extras xen-virtio-utils virtio-xenbus-dkms; }
seven() { for _i in 1 2 3 4 5 6 7; do printf '%s ' "$1"; done; }
dkms_status() { in_root host dkms status 2>/dev/null | sed 's/, x86_64//; s/ *(.*//' | sort | paste -sd' '; }
built_driver() {	# TEXT: it is where the kernel finds it
	expect_text "$1: the driver is built for $kernel, and udev can find it" '^alias: *xen:virtio' \
		in_root host modinfo "$(in_root host sh -c "echo /lib/modules/$kernel/updates/dkms/virtio_xenbus.ko*")"
}

tiny host-provides 1 host-provides || exit 1
tiny pixman 1 pixman || exit 1
cp "$first"/fedora-43/*.rpm "$WORK/repo/"

# Installation

expect_fail 'no Xen: dnf does not install the stubdomains' dnf install xen-extras
cp "$OUT" "$OUT.missing"
expect 'it says what is missing' grep -Eq '(xen-hypervisor-abi|libxen[a-z]*\.so)' "$OUT.missing"
tiny xen 4.20.1 xen || exit 1
# Directories that Fedora's filesystem package has.
mkdir -p "$r/usr/share/licenses" "$r/usr/share/man/man4"
expect 'the machine: its packages' dnf install xen pixman host-provides || exit 1
files >"$WORK/before"
same 'no image without our packages' 0 "$(builds)"

expect 'dnf install xen-extras virtio-xenbus-dkms' dnf install xen-extras virtio-xenbus-dkms || exit 1
cp "$OUT" "$WORK/install.log"
same 'dependencies are resolved: all seven packages' "$(seven "$version-1.fc43")" "$(installed)"
expect 'rpm -V: every file is as packaged' in_root host rpm -V xen-extras xen-stubdom-linux xen-stubdom-utils xen-stubdom-kernel \
	qemu-xen-extras xen-virtio-utils virtio-xenbus-dkms
same 'install: the image was built, once' 1 "$(builds)"
for f in kernel rootfs; do
	expect "install: xl's name for the $f leads to the image" test -s "$r$(in_root host readlink "/usr/libexec/xen/boot/qemu-stubdom-linux-$f")"
done
expect_text 'the names belong to xen-stubdom-linux' '^xen-stubdom-linux-' in_root host rpm -qf /usr/libexec/xen/boot/qemu-stubdom-linux-kernel
expect 'the image has pixman of /usr/lib64' in_manifest ' /usr/lib64/libpixman-1.so.0$'
for u in xen-stubdom-register xen-stubdomd xen-virtiod; do
	same "install: $u.service is enabled by our preset" enabled "$(enabled $u.service)"
done
same 'install: a unit without a preset is not' disabled "$(enabled systemd-networkd.service)"
same 'install: dkms has the driver' "virtio-xenbus/$version, $kernel: installed" "$(dkms_status)"
built_driver install
expect_text 'install: it is signed' '.' in_root host sh -c "modinfo -F signer $(echo "$module"* | sed "s,$r,,")"
expect 'a real dracut puts it into the initramfs' in_root host sh -euc "
	dracut --force --no-hostonly --no-compress /tmp/initramfs $kernel >/tmp/dracut.log 2>&1 || { tail /tmp/dracut.log; exit 1; }
	lsinitrd /tmp/initramfs >/tmp/list; rm /tmp/initramfs; grep -q virtio_xenbus.ko /tmp/list"

# The same version, a new release

in_root host systemctl.real disable xen-virtiod.service >/dev/null 2>&1
rm "$WORK"/repo/*.fc43.*; cp "$release2"/fedora-43/*.rpm "$WORK/repo/"
before=$(stat -c %i "$module"*)
expect 'dnf upgrade: the same version, release 2' dnf upgrade || exit 1
same 'release 2: all seven packages' "$(seven "$version-2.fc43")" "$(installed)"
same 'release 2: dkms keeps the driver' "virtio-xenbus/$version, $kernel: installed" "$(dkms_status)"
built_driver 'release 2'
if [ "$before" = "$(stat -c %i "$module"*)" ]; then fail 'release 2: the driver is the old file'
else ok 'release 2: the driver was built again, from the sources of that release'; fi
same 'release 2: one build, for new programs' 1 "$(builds)"
same 'release 2: a unit the administrator has disabled stays so' disabled "$(enabled xen-virtiod.service)"
same 'release 2: the other stays enabled' enabled "$(enabled xen-stubdomd.service)"
for u in xen-stubdomd xen-virtiod; do
	expect "release 2: $u is started again if it runs" grep -Eq "(try-restart|set-property).* ?$u.service" "$r/var/log/systemctl.calls"
done
expect_fail 'release 2: no backend in use is touched' grep -q xen-virtio-backend "$r/var/log/systemctl.calls"

# Libraries

image=$(image)
{ cat "$WORK/pixman.so"; echo 2; } >"$WORK/pixman/usr/lib64/$pixman"
tiny pixman 2 pixman
expect 'dnf upgrade: a library of the image' dnf upgrade
same 'library: one build' 1 "$(builds)"
[ "$(image)" != "$image" ] && ok 'library: there is another image' || fail 'library: the image is the old one'
sum=$(sha256sum <"$WORK/pixman/usr/lib64/$pixman" | cut -c1-64)
expect 'library: it is the new one that is in the image' in_manifest "$sum"

mkdir -p "$WORK/other/usr/lib64" "$WORK/other/usr/share/qemu"
cp "$lib/libattr.so.1" "$WORK/other/usr/lib64/"; echo text >"$WORK/other/usr/share/qemu/other"
tiny other 1 other
image=$(image)
expect 'dnf install: a library that no image has' dnf install other
same 'other library: no build' 0 "$(builds)"
same 'other library: the image is the same' "$image" "$(image)"

head -c 3000 "$WORK/pixman.so" >"$WORK/pixman/usr/lib64/$pixman"
tiny pixman 3 pixman
expect 'a library that cannot be used does not fail the transaction' dnf upgrade
same 'broken library: it is installed' 3 "$(in_root host rpm -q --qf '%{VERSION}' pixman)"
same 'broken library: the old image stays' "$image" "$(image)"
expect 'broken library: it is whole' in_root host sh -c "cd $state/current && sed -n 's/^output \(kernel\|rootfs\) \([0-9a-f]*\) .*/\2  \1/p' manifest >/tmp/sums && test -s /tmp/sums && sha256sum -c /tmp/sums"
expect_fail 'broken library: the unit at boot would say so' in_root host xen-stubdom register --all
expect_fail 'broken library: so does xen-stubdom check' in_root host xen-stubdom check

# A new version, of all and of the library at once

{ cat "$WORK/pixman.so"; echo 4; } >"$WORK/pixman/usr/lib64/$pixman"
tiny pixman 4 pixman
rm "$WORK"/repo/*.fc43.*; cp "$next"/fedora-43/*.rpm "$WORK/repo/"
expect 'dnf upgrade: a new version, and the library repaired' dnf upgrade || exit 1
same 'new version: all seven packages' "$(seven 99.1-1.fc43)" "$(installed)"
same 'new version: one build for kernel, QEMU, programs and library' 1 "$(builds)"
expect 'new version: the image is of it' in_manifest '99\.1'
same 'new version: dkms has that driver alone, nothing broken' "virtio-xenbus/99.1, $kernel: installed" "$(dkms_status)"
built_driver 'new version'
same 'new version: nothing of the old driver' '/usr/src/virtio-xenbus-99.1 /var/lib/dkms/virtio-xenbus/99.1' \
	"$(in_root host sh -c 'echo /usr/src/virtio-xenbus-* /var/lib/dkms/virtio-xenbus/[0-9]*')"

# Another Xen, in a directory of its own

mkdir -p "$WORK/xen-other/usr/lib/xen/boot"
cp "$WORK/xen/usr/libexec/xen/boot/hvmloader" "$WORK/xen-other/usr/lib/xen/boot/"
tiny xen-other 1 xen-other
expect 'dnf install: another Xen' dnf install xen-other
expect 'another Xen: it has the names too' test -L "$r/usr/lib/xen/boot/qemu-stubdom-linux-rootfs"
same 'another Xen: no build for the same image' 0 "$(builds)"
expect 'dnf remove: that Xen' dnf remove xen-other
expect 'another Xen: nothing is left of it' test ! -e "$r/usr/lib/xen"

# Removal

expect 'dnf remove: all of ours' dnf remove xen-extras xen-stubdom-linux xen-stubdom-utils xen-stubdom-kernel qemu-xen-extras \
	xen-virtio-utils virtio-xenbus-dkms other
same 'remove: none of them is left' 0 "$(in_root host rpm -qa | grep -Ec '^(xen-extras|xen-stubdom|qemu-xen-extras|xen-virtio|virtio-xenbus)')"
same 'remove: dkms has nothing' '' "$(dkms_status)"
same 'remove: no build' 0 "$(builds)"
expect 'remove: Xen is untouched' test -e "$r/usr/libexec/xen/boot/hvmloader"
for u in xen-stubdomd xen-virtiod; do
	expect "remove: $u was stopped and disabled" grep -Eq "disable --now.* $u.service" "$r/var/log/systemctl.calls"
done
files >"$WORK/after"
if diff "$WORK/before" "$WORK/after" >"$OUT"; then ok 'remove: the files are those of before the installation'
else fail 'remove: files have come or gone'; show_out 20; fi

# SPDX-License-Identifier: GPL-2.0-or-later
# summary: each update that concerns the image makes a new one in the same run of apt, once; others none; a failure breaks nothing
# time-limit: 3600

XENV=$([ "$SUITE" = bookworm ] && echo 4.17 || echo 4.20)
OURS=$(debs "$SUITE")
R=$WORK/h/root
STATE=/var/lib/xen-stubdom
BOOT=/usr/lib/xen-$XENV/boot
LIB=/usr/lib/x86_64-linux-gnu
GLIB=$([ "$SUITE" = bookworm ] && echo libglib2.0-0 || echo libglib2.0-0t64)

# dracut runs once for each attempt to build.  Ours is found first.
count_builds() {
	printf '#!/bin/sh\necho x >>/var/log/builds\nexec /usr/bin/dracut "$@"\n' >"$R/usr/sbin/dracut"
	chmod 755 "$R/usr/sbin/dracut"
}
builds() { wc -l <"$R/var/log/builds"; }
# What would be started and stopped, were there an init system.
watch_services() {
	printf '#!/bin/sh\necho "$*" >>/var/log/services\nexit 101\n' >"$R/usr/sbin/policy-rc.d"
	chmod 755 "$R/usr/sbin/policy-rc.d"
}

apt() {	# one run of apt; all it said is in $WORK/said
	: >"$R/var/log/builds"
	in_root h apt-get -q -y --no-install-recommends -o Dpkg::Use-Pty=0 "$@" >"$WORK/said" 2>&1 ||
		{ cat "$WORK/said"; return 1; }
}
upgrade() { apt --with-new-pkgs upgrade; }
current() { readlink "$R$STATE/$XENV/current"; }
sums() { (cd "$R$STATE/$XENV/current/" && sha256sum kernel rootfs manifest); }
# What lies in the ramdisk at PATH.
in_image() { zstd -dc "$R$STATE/$XENV/current/rootfs" | (cd "$WORK" && rm -rf un && mkdir un && cd un && cpio -i --quiet --no-absolute-filenames) && cat "$WORK/un$1"; }
# The file that a link on the machine leads to, seen from outside.
real() { echo "$R$(in_root h readlink -f "$1")"; }
image_has() { in_image "$2" >"$WORK/inside" && expect "$1" cmp "$WORK/inside" "$(real "${3-$2}")"; }
image_is_good() { expect "$1: both names lead to it, it is what its manifest says" sh -c "
	for f in kernel rootfs; do
		real=\$(chroot $R readlink -f $BOOT/qemu-stubdom-linux-\$f)
		grep -q \"^output \$f \$(sha256sum <$R\$real | cut -d' ' -f1) \" $R$STATE/$XENV/current/manifest || exit 1
	done"; }

# new VERSION-SUFFIX DEB [SCRIPT]: a newer one of what is installed, for the next run
NEW=$WORK/new
mkdir -p "$NEW"
new() {
	repack "$2" "$(dpkg-deb -f "$2" Version)+$1" "$NEW" "${3-}"
}
# The suite's own package, to make a newer one of.
fetch() {
	rm -rf "$R/tmp/fetch" && mkdir "$R/tmp/fetch" && chmod 777 "$R/tmp/fetch"
	in_root h sh -c "cd /tmp/fetch && apt-get -q download $1=\$(dpkg-query -W -f '\${Version}' $1)" >"$OUT" 2>&1 || { cat "$OUT" >&2; return 1; }
	mv "$R"/tmp/fetch/*.deb "$WORK/base-$1.deb"
	echo "$WORK/base-$1.deb"
}
offer() { flat_repo h "$NEW" >"$OUT" 2>&1 || { cat "$OUT"; false; }; rm -f "$NEW"/*.deb; }
deb() { echo "$OURS/$1"_*.deb; }

root h "$SUITE" plain
flat_repo h "$OURS" >"$OUT" 2>&1 || { show_out; exit 1; }
count_builds
watch_services

expect "installation" apt install "xen-stubdom-linux-$XENV" "xen-utils-$XENV"
same "builds one image" 1 "$(builds)"
image_is_good "after it"
expect "the names are the package's own" in_root h dpkg -S $BOOT/qemu-stubdom-linux-kernel $BOOT/qemu-stubdom-linux-rootfs
image_has "the ramdisk has the installed libpixman" "$LIB/libpixman-1.so.0"

# A stale ld.so.cache: what the names of the library led to is gone.
pixman=$(fetch libpixman-1-0) zlib=$(fetch zlib1g) glib=$(fetch "$GLIB") bios=$(fetch seabios) utils=$(fetch "xen-utils-$XENV")
was=$(current)
new 1 "$pixman" 'for f in $(find . -name "libpixman-1.so.0.*"); do echo one >>$f; done'
new 1 "$zlib" 'l=$(find . -name "libz.so.1.*"); echo one >>$l; mv $l ${l%/*}/libz.so.1.99; ln -sfn libz.so.1.99 ${l%/*}/libz.so.1'
new 1 "$glib" 'for f in $(find . -name "libglib-2.0.so.0.*"); do echo one >>$f; done'
offer
expect "an upgrade of three libraries" upgrade
same "builds one image" 1 "$(builds)"
[ "$was" != "$(current)" ] && ok "which is another" || fail "the image is the old one"
for l in libpixman-1.so.0 libz.so.1 libglib-2.0.so.0; do
	image_has "it has the new $l" "$LIB/$l"
	tail -c 4 "$WORK/inside" | grep -qx one || fail "$l inside is not the new one"
done
image_is_good "after it"

step() {	# TEXT BUILDS: what `new` made is offered and installed
	_was=$(current) _sums=$(sums)
	offer
	expect "$1" upgrade
	same "$1: builds" "$2" "$(builds)"
	if [ "$2" = 0 ]; then same "$1: the image stays" "$_sums" "$(sums)"
	else [ "$_was" != "$(current)" ] && ok "$1: another image" || fail "$1: the image is the old one"; fi
}
new 2 "$(deb qemu-xen-extras)" 'echo two >>usr/libexec/xen-extras/qemu-stubdom'
step "our QEMU" 1
image_has "it has the new QEMU" /usr/libexec/xen-extras/qemu-stubdom
new 2 "$(deb xen-stubdom-kernel)" 'echo two >>usr/lib/xen-extras/stubdom/vmlinuz'
step "the stubdomain's kernel" 1
same "it is in place" two "$(tail -n 1 "$R$STATE/$XENV/current/kernel" | tail -c 4)"
new 2 "$(deb xen-stubdom-utils)" 'echo "# two" >>usr/lib/dracut/modules.d/50xen-stubdom/module-setup.sh'
step "the dracut module" 1
new 2 "$bios" 'echo two >>usr/share/seabios/vgabios-stdvga.bin'
step "the ROMs" 1
in_image /usr/share/qemu/vgabios-stdvga.bin >"$WORK/inside"
expect "it has the new ROM" cmp "$WORK/inside" "$R/usr/share/seabios/vgabios-stdvga.bin"

# Everything of ours and a library at once, as a release does.
for p in xen-stubdom-utils xen-stubdom-kernel qemu-xen-extras "xen-stubdom-linux-$XENV"; do
	new 3 "$(deb "$p")" 'for f in usr/libexec/xen-extras/* usr/sbin/xen-stubdom usr/lib/xen-extras/stubdom/vmlinuz; do [ ! -f $f ] || echo three >>$f; done'
done
new 3 "$pixman" 'for f in $(find . -name "libpixman-1.so.0.*"); do echo three >>$f; done'
step "all of ours and a library in one run" 1
image_has "it has the new init" /init /usr/libexec/xen-extras/stubdom-init
image_is_good "after it"

# A newer QEMU of the release, which ours is not made of yet.
in_root h xen-stubdom check >"$WORK/check" 2>&1
expect "check: QEMU is of the release's newest source" grep "^ok.*QEMU in the image is of this release's newest source" "$WORK/check"
distqemu=$(fetch qemu-system-xen)
new 1 "$distqemu"
offer
in_root h xen-stubdom check >"$WORK/check" 2>&1
expect "apt has a newer QEMU: check says so" grep -F "this release has $(dpkg-deb -f "$distqemu" Version)+1 by now" "$WORK/check"
apt install qemu-system-xen
same "it is none of ours: builds" 0 "$(builds)"
in_root h xen-stubdom check >"$WORK/check" 2>&1
expect "it is installed: check still says so" grep "^note.*QEMU in the image is of source qemu .*, and this release has" "$WORK/check"

# What does not concern it.  A package of which no byte changed is in the manifest all the same.
apt install hello
same "a program that is not in it: builds" 0 "$(builds)"
before=$(sums)
apt install --reinstall zlib1g
same "a library again: builds" 0 "$(builds)"
apt install libjansson4
same "another library is new" 1 "$(grep -c '^Setting up libjansson4' "$WORK/said")"
same "another library: builds" 0 "$(builds)"
same "the image is the same" "$before" "$(sums)"
new 4 "$pixman" 'for f in $(find . -name "libpixman-1.so.0.*"); do echo three >>$f; done'
offer
expect "a new version with the same bytes" upgrade
same "builds nothing" 0 "$(builds)"
expect "but is what the manifest says" grep "^package libpixman-1-0 $(dpkg-deb -f "$pixman" Version)+4 " "$R$STATE/$XENV/current/manifest"
image_is_good "after it"

# Xen: names are kept, and made where they are missing.
mkdir -p "$R/usr/local/lib/xen-$XENV/boot"
: >"$R/usr/local/lib/xen-$XENV/boot/hvmloader"
new 2 "$utils"
step "Xen's own update" 0
image_is_good "after it"
same "a Xen that the administrator built is registered by it" "$STATE/$XENV/current/kernel" "$(readlink "$R/usr/local/lib/xen-$XENV/boot/qemu-stubdom-linux-kernel")"

# A Xen that we have no device model for yet, and one whose image an upgrade left.
fake() {	# NAME DIRECTORY
	mkdir -p "$WORK/fake/DEBIAN" "$WORK/fake$2"
	: >"$WORK/fake$2/hvmloader"
	printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n' "$1" >"$WORK/fake/DEBIAN/control"
	dpkg-deb -b --root-owner-group "$WORK/fake" "$NEW" >/dev/null
	rm -rf "$WORK/fake"
}
fake xen-next /usr/lib/xen-4.23/boot
fake xen-old /usr/lib/xen-4.18/boot
mkdir -p "$R$STATE/4.18"
cp -a "$R$STATE/$XENV/current/" "$R$STATE/4.18/gen-old"
ln -s gen-old "$R$STATE/4.18/current"
sed -i 's/^xen .*/xen 4.18/' "$R$STATE/4.18/current/manifest"
offer
expect "two more Xens" apt install xen-next xen-old
same "build nothing" 0 "$(builds)"
expect "apt's output names the one without an image" grep "no image for Xen 4.23" "$WORK/said"
same "the other's names lead to its image" "$STATE/4.18/current/rootfs" "$(readlink "$R/usr/lib/xen-4.18/boot/qemu-stubdom-linux-rootfs")"
expect "a Xen is removed" apt purge xen-old
expect "its names and directory go with it" test ! -e "$R/usr/lib/xen-4.18"
expect "and so does its image" test ! -e "$R$STATE/4.18"
image_is_good "the other one's stays"

# Failures: apt's own status is 0, the old image stays, check says what to do.
check() { in_root h xen-stubdom check >"$WORK/check" 2>&1 || true; }
stays() {	# TEXT
	same "$1: the image stays" "$before" "$(sums)"
	image_is_good "$1"
	expect "$1: apt's output says so" grep "no new stubdomain image, an old one stays: see 'xen-stubdom check'" "$WORK/said"
	same "$1: nothing else is left" "" "$(find "$R$STATE/$XENV" -name '.new-*')"
	same "$1: no package is half done" "" "$(in_root h dpkg --audit)"
}
before=$(sums)
new 5 "$pixman" 'for f in $(find . -name "libpixman-1.so.0.*"); do echo no library >$f; done'
offer
expect "a broken library: apt's status is 0" upgrade
stays "a broken library"
check
expect "check names it" grep "^FAIL.*cannot be built: library libpixman-1.so.0" "$WORK/check"
new 6 "$pixman" 'for f in $(find . -name "libpixman-1.so.0.*"); do echo six >>$f; done'
step "its repair" 1

before=$(sums)
cp -a "$R$STATE" "$WORK/saved"
kb=$(du -sk "$WORK/saved" | cut -f1)
mount -t tmpfs -o "size=$((kb + 6000))k" tmpfs "$R$STATE"
cp -a "$WORK/saved/." "$R$STATE/"
new 7 "$pixman" 'for f in $(find . -name "libpixman-1.so.0.*"); do echo seven >>$f; done'
offer
expect "a full disk: apt's status is 0" upgrade
same "a full disk: attempts" 1 "$(builds)"
stays "a full disk"
check
expect "check says what to do" grep "FAIL.*older than what is installed.*make room in $STATE.*xen-stubdom register" "$WORK/check"
mount -o remount,size=400m "$R$STATE"
expect "with room there, that does it" in_root h xen-stubdom register
image_has "it has the new library" "$LIB/libpixman-1.so.0"
check
expect "check finds the image current" grep "^ok.*made of what is installed now" "$WORK/check"
umount "$R$STATE"
rm -rf "$R$STATE" && mkdir "$R$STATE"
cp -a "$WORK/saved/." "$R$STATE/"

# With systemd as its first process the machine builds by the unit, which says how it went.
apt install systemd
umount -l "$R/sys"
cat >"$WORK/init" <<'EOT'
mount -t proc proc "$1/proc"
mount -t sysfs sysfs "$1/sys"
mount -t cgroup2 cgroup2 "$1/sys/fs/cgroup"
mount -t tmpfs tmpfs "$1/run"
exec chroot "$1" env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	/lib/systemd/systemd --system --unit=basic.target --log-target=console --show-status=no
EOT
unshare -m -p -C -u -f --kill-child sh "$WORK/init" "$R" >"$WORK/boot.log" 2>&1 </dev/null &
unshare=$!
in_booted() {
	_pid=$(cat "/proc/$unshare/task/$unshare/children")
	nsenter -t "${_pid%% *}" -m -p -C -u chroot "$R" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive TERM=dumb "$@"
}
up() {
	for _ in $(seq 60); do
		in_booted systemctl is-system-running 2>&1 | grep -Eq '^(running|degraded)$' && return
		sleep 1
	done
	cat "$WORK/boot.log"
	return 1
}
upgrade_booted() { in_booted apt-get -q -y -o Dpkg::Use-Pty=0 upgrade >"$WORK/said" 2>&1 || { cat "$WORK/said"; return 1; }; }
unit() { in_booted systemctl is-active xen-stubdom-register || true; }

if expect "it runs with systemd" up; then
	new 8 "$pixman" 'for f in $(find . -name "libpixman-1.so.0.*"); do echo eight >>$f; done'
	offer
	was=$(current)
	expect "an upgrade there" upgrade_booted
	same "builds one image" 1 "$(in_booted journalctl -q -u xen-stubdom-register | grep -c 'assembling the ramdisk')"
	[ "$was" != "$(current)" ] && ok "which is another" || fail "the image is the old one"
	same "the unit is" active "$(unit)"
	expect_text "its words are in the journal" "image for Xen $XENV is ready" in_booted journalctl -q -u xen-stubdom-register
	before=$(sums)
	new 9 "$pixman" 'for f in $(find . -name "libpixman-1.so.0.*"); do echo no library >$f; done'
	offer
	expect "a broken library there: apt's status is 0" upgrade_booted
	stays "a broken library there"
	same "the unit is" failed "$(unit)"
	expect_text "the journal says why" "library libpixman-1.so.0.* is missing" in_booted journalctl -q -u xen-stubdom-register
	in_booted xen-stubdom check >"$WORK/check" 2>&1 || true
	expect "check says where to look" grep "^note.*last attempt.*journalctl -u xen-stubdom-register" "$WORK/check"
	new 10 "$pixman" 'for f in $(find . -name "libpixman-1.so.0.*"); do echo ten >>$f; done'
	offer
	expect "its repair" upgrade_booted
	same "the unit is" active "$(unit)"
	image_has "it has the new library" "$LIB/libpixman-1.so.0"
fi
kill -9 "$(cat "/proc/$unshare/task/$unshare/children" | tr -d ' ')"
wait

same "no service but our own daemons was touched in all that" "" \
	"$(grep -v -e '^xen-stubdomd' -e '^xen-stubdom-register' "$R/var/log/services" || true)"

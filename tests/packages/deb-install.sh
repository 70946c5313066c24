# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154,SC2046
# summary: apt installs, upgrades, reinstalls, removes and purges our packages on a new machine
# time-limit: 5400

# No version was released before this one. Its predecessor is made from it (`previous` in
# lib.sh): that shows what scripts and triggers do in an upgrade, not a change of formats.

ours='xen-extras|xen-stubdom-.*|qemu-xen-extras|xen-virtio-utils'
apt_m() { in_root m apt-get -qq -y --no-install-recommends "$@"; }
boot() { echo "$WORK/m/root/usr/lib/xen-$xenv/boot"; }
state() { echo "$WORK/m/root/var/lib/xen-stubdom"; }
generation() { readlink "$(state)/$xenv/current"; }
# Where a path of the machine leads to, links followed as in it.
in_m() { in_root m readlink -e "$1"; }
sum() { sha256sum <"$1" | cut -c1-64; }
versions() { in_root m dpkg-query -W -f '${binary:Package} ${Version}\n' 'xen-*' qemu-xen-extras 2>/dev/null | grep -E "^($ours)(:amd64)? [0-9]" | awk '{ print $2 }' | sort -u; }
enabled() { for u in xen-stubdom-register xen-stubdomd xen-virtiod; do in_root m systemctl is-enabled $u.service; done 2>&1 | xargs; }
untouched() { in_root m dpkg --verify $(in_root m dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | awk '/^ii/ { print $2 }' | grep -Ex "$ours"); }

# image WHAT: the image is whole, made of what is installed, and where xl looks for it.
image() {
	for f in kernel rootfs; do
		link=/usr/lib/xen-$xenv/boot/qemu-stubdom-linux-$f
		same "$1: $link leads to the image" "/var/lib/xen-stubdom/$xenv/$(generation)/$f" "$(in_m $link)"
		same "$1: the package owns it" "xen-stubdom-linux-$xenv: $link" "$(in_root m dpkg -S $link 2>&1)"
		same "$1: its $f is the manifest's" "$(awk -v f=$f '$1 == "output" && $2 == f { print $3 }' "$(state)/$xenv/current/manifest")" \
			"$(sum "$(state)/$xenv/$(generation)/$f")"
	done
	# Each input of the image is a file of this machine, as it is now.
	awk '$1 == "input" { print $2 "  " $3 }' "$(state)/$xenv/current/manifest" | grep '  /' >"$WORK/m/root/tmp/inputs"
	expect_text "$1: its inputs are what is installed" '/stubdom-init: OK' in_root m sha256sum -c /tmp/inputs
	expect "$1: its kernel is the package's" cmp "$(boot)/../../xen-extras/stubdom/vmlinuz" "$(state)/$xenv/$(generation)/kernel"
}

for SUITE in $(deb_suites); do
	case $SUITE in bookworm) xenv=4.17 ;; *) xenv=4.20 ;; esac
	d=$(debs "$SUITE") || { fail "packages of $SUITE"; continue; }
	new=$(dpkg-deb -f "$d"/xen-extras_*.deb Version)
	expect "$SUITE: its predecessor" previous "$d" "$WORK/old" || continue
	root m "$SUITE" plain && flat_repo m "$WORK/old" >/dev/null && flat_repo m "$d" >/dev/null || { fail "a machine of $SUITE"; continue; }

	# What ours need of Debian comes first, as it is today, and stays: the rest is ours.
	expect "$SUITE: Debian is up to date" apt_m dist-upgrade || continue
	deps=$(in_root m apt-get -s --no-install-recommends install xen-extras | awk '/^Inst/ { print $2 }' | grep -Evx "$ours")
	expect "$SUITE: what they depend on, and systemd" apt_m install $deps systemd || continue
	files_of m >"$WORK/before"

	expect "$SUITE: apt install xen-extras" apt_m install xen-extras || continue
	same "$SUITE: one version of all" "$new" "$(versions)"
	image "$SUITE, installed"
	same "$SUITE: units are enabled" "enabled enabled enabled" "$(enabled)"
	same "$SUITE: no file differs from its package" "" "$(untouched)"
	gen=$(generation)

	# What an administrator has decided stays.
	in_root m systemctl disable xen-virtiod.service >/dev/null 2>&1
	expect "$SUITE: the same version again" apt_m install --reinstall $(in_root m dpkg-query -W -f '${Package}\n' | grep -Ex "$ours")
	same "$SUITE, again: the image is the same, not made again" "$gen" "$(generation)"
	image "$SUITE, again"
	same "$SUITE, again: a unit that was disabled stays so" "enabled enabled disabled" "$(enabled)"
	expect "$SUITE: apt purge" apt_m purge $(in_root m dpkg-query -W -f '${Package}\n' | grep -Ex "$ours")
	files_of m >"$WORK/after"
	expect "$SUITE, purged: every file as before" diff "$WORK/before" "$WORK/after"

	expect "$SUITE: the predecessor" apt_m install --allow-downgrades $(for p in "$WORK"/old/*.deb; do
		p=$(dpkg-deb -f "$p" Package); echo "$p" | grep -Ex "$ours" | sed 's/$/=0.0.9-1/'; done)
	same "$SUITE, predecessor: its version" "0.0.9-1" "$(versions)"
	image "$SUITE, predecessor"
	gen=$(generation)
	in_root m systemctl disable xen-stubdomd.service >/dev/null 2>&1
	expect "$SUITE: apt upgrade" apt_m dist-upgrade
	same "$SUITE, upgraded: one version of all" "$new" "$(versions)"
	image "$SUITE, upgraded"
	if [ "$(generation)" != "$gen" ]; then ok "$SUITE, upgraded: the image is a new one"; else fail "$SUITE, upgraded: the image is still $gen"; fi
	same "$SUITE, upgraded: a unit that was disabled stays so" "enabled disabled enabled" "$(enabled)"
	same "$SUITE, upgraded: no file differs from its package" "" "$(untouched)"

	expect "$SUITE: apt remove" apt_m remove $(in_root m dpkg-query -W -f '${Package}\n' | grep -Ex "$ours")
	for f in kernel rootfs; do
		expect_fail "$SUITE, removed: xl finds no $f" test -L "$(boot)/qemu-stubdom-linux-$f"
	done
	# An upgrade of the release removes packages of the Xen that still runs: its image stays.
	expect "$SUITE, removed: the image stays while its Xen is there" test -e "$(state)"
	expect "$SUITE, removed: Xen is as it was" test -s "$(boot)/hvmloader"
	expect "$SUITE: apt purge of what was removed" apt_m purge $(in_root m dpkg-query -W -f '${Package}\n' | grep -Ex "$ours")
	expect_fail "$SUITE, purged: no image is left" test -e "$(state)"
	files_of m >"$WORK/after"
	expect "$SUITE, removed and purged: every file as before" diff "$WORK/before" "$WORK/after"
	gone m
	rm -rf "$WORK/old"
done

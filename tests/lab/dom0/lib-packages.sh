# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# What the scenarios packages-* share:   . $LAB/lib-packages.sh   (repo: signed)
# /dev/vdc holds what a user's host has: xen-extras/, `make repo`'s result; next/, the
# same after the next version; debian/, the packages of Debian that the lab's dom0 lacks,
# in place of Debian's mirror.

DISK=$LAB/repo-disk
SUITE=$(. /etc/os-release && echo "$VERSION_CODENAME")
export DEBIAN_FRONTEND=noninteractive

# publish xen-extras|next: what hosts find at /srv/xen-extras from now on.
publish() {
	mkdir -p $DISK /srv/xen-extras
	mountpoint -q $DISK || mount -o ro LABEL=labsigned $DISK || return 1
	! mountpoint -q /srv/xen-extras || umount /srv/xen-extras
	mount --bind $DISK/"$1" /srv/xen-extras
}

# use_repository: the file that came with it, and Debian's packages.
use_repository() {
	# dracut-core recommends lvm2, mdadm, cryptsetup...: no part of the test.
	echo 'APT::Install-Recommends "false";' >/etc/apt/apt.conf.d/90lab
	echo "deb [trusted=yes] file:$DISK/debian ./" >/etc/apt/sources.list.d/debian.list
	cp /srv/xen-extras/xen-extras-"$SUITE".sources /etc/apt/sources.list.d/
	apt-get -q -o APT::Update::Error-Mode=any update
}

# packages_state, files_state, units_state: what a host has, one line each, sorted.
packages_state() { dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\n' | sort; }
# All names, but what programs write down while they run, and apt's and dpkg's own books.
files_state() {
	find / -xdev \( -path /lab -o -path /tmp -o -path /var/tmp -o -path /var/log -o -path /var/cache -o -path /var/lib/apt -o -path /var/lib/dpkg \
		-o -name __pycache__ \) -prune -o -printf '%y %M %u %g %p %l\n' | sort
}
units_state() {
	systemctl list-unit-files --plain --no-legend --no-pager | awk '{ print "file", $1, $2 }' | sort
	systemctl list-units --all --plain --no-legend --no-pager --type=service,socket,path,timer,target 'xen*' '*virtio*' '*stubdom*' |
		awk '{ print "unit", $1, $2, $3, $4 }' | sort
	# What is in the way of a boot, by name.
	systemctl --failed --plain --no-legend --no-pager | awk '{ print "failed", $1 }'
}
# same_state TEXT FUNCTION FILE: what FUNCTION says is what FILE says.
same_state() {
	$2 >$LAB/tmp/state.now
	if diff "$3" $LAB/tmp/state.now >$OUT; then ok "$1"; return; fi
	show_out
	fail "$1" "$(grep -c '^[<>]' $OUT) lines differ, the first: $(sed -n 's/^[<>].*/&/p' $OUT | head -n 1)"
	return 1
}

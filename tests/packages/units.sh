# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016
# summary: units: valid, confined, in order, turned on offline; an upgrade touches no guest and no backend
# time-limit: 1800

suites=${DEB_SUITES:-trixie bookworm}
enabled="xen-stubdom-register.service xen-stubdomd.service xen-virtiod.service"
units="$enabled xen-virtio-backend@3.service"
# What systemd-analyze may say of each of them, times ten.
limit=30
packages="xen-stubdom-utils xen-virtio-utils qemu-xen-extras"

# A plan of systemd itself: what it would do at boot, with all units as they are
# loaded, generated ones too; and what it says about them.  As root it makes none.
plan='ln -sf /usr/lib/systemd/system/xen-virtio-backend@.service /etc/systemd/system/multi-user.target.wants/xen-virtio-backend@3.service
	mount -t tmpfs -o uid=65534,gid=65534 run /run
	setpriv --reuid=65534 --regid=65534 --clear-groups \
		env SYSTEMD_LOG_TARGET=console $(ls /usr/lib/systemd/systemd /lib/systemd/systemd | head -n 1) --test --system >/tmp/plan 2>/tmp/plan.err'
# of_unit NAME UNIT LINE: the plan has that line, or its beginning, for the unit.
of_unit() {
	awk -v u="Unit $2:" -v l="$3" '/^\t[^\t]* Unit /{ on = index($0, u) } on && index($0, "\t\t" l) { found = 1; print } END { exit !found }' \
		"$WORK/$1/root/tmp/plan"
}
# order NAME UNIT THEN
order() { expect "$1: $2 comes before $3" of_unit "$1" "$3" "After: $2 " && expect "$1: both agree" of_unit "$1" "$2" "Before: $3 "; }

# A systemctl that starts and stops nothing and remembers what it was told; all that is
# but links it does.  Scripts of packages ask it, as on a host that runs, when
# /run/systemd/system exists.
recorder='mkdir -p /run/systemd/system; rm -f /usr/sbin/policy-rc.d
	dpkg-divert --quiet --local --rename --divert /usr/bin/systemctl.real --add /usr/bin/systemctl
	cat >/usr/bin/systemctl <<-"END"
	#!/bin/sh
	echo "$*" >>/tmp/told
	case "$*" in
	*is-active*) test -e /tmp/all-run ;;
	*enable* | *disable* | *preset* | *mask*) SYSTEMD_OFFLINE=1 exec /usr/bin/systemctl.real "$@" ;;
	esac
	END
	chmod 755 /usr/bin/systemctl'
# told NAME: what would have been started, stopped or restarted, each once; but for the
# kernel's settings, which Debian's own packages read again for our file in sysctl.d.
told() { grep -v -e systemd-sysctl -e procps "$WORK/$1/root/tmp/told" | sed -n 's/^\(--[^ ]* \)*\(start\|stop\|restart\|try-restart\|reload\|reload-or-restart\|kill\) */\2 /p' | sort -u; }

for s in $suites; do
	debs=$(debs "$s") || { fail "$s: there are packages"; continue; }
	expect "$s: a host" root "$s" "$s" units || continue
	r=$WORK/$s/root
	mkdir -p "$WORK/$s/debs" "$WORK/$s/later"
	for p in $packages; do cp "$debs/${p}"_*.deb "$WORK/$s/debs/"; done
	bind "$s" "$WORK/$s/debs" /debs
	bind "$s" "$WORK/$s/later" /later
	expect "$s: a systemctl that remembers" in_root "$s" sh -euc "$recorder"
	install='apt-get -q -y --no-install-recommends install $1/*.deb'
	expect "$s: our packages are installed" in_root "$s" sh -c "$install" sh /debs || continue
	for u in $enabled; do
		same "$s: $u is turned on by that" enabled "$(in_root "$s" systemctl is-enabled "$u" 2>&1)"
	done
	same "$s: both daemons are started, nothing else is" "start xen-stubdomd.service start xen-virtiod.service" \
		"$(told "$s" | sed 's/^restart/start/' | sort -u | xargs)"

	# An upgrade, as dpkg and the maintainer scripts do it.
	cp "$TOP/tests/lab/next-version.sh" "$WORK/$s/next-version.sh"
	expect "$s: a later version" "$TOP/mk/chroot.sh" run "$s" units --bind "$WORK/$s:/mnt/next" -- \
		sh /mnt/next/next-version.sh /mnt/next/debs /mnt/next/later
	rm -f "$r/tmp/told"
	touch "$r/tmp/all-run"
	expect "$s: an upgrade" in_root "$s" sh -c "$install" sh /later
	expect_text "$s: it was one" '\+next$' in_root "$s" dpkg-query -W -f '${Version}\n' xen-virtio-utils
	same "$s: it restarts both daemons, which lose nothing, and nothing else" "restart xen-stubdomd.service restart xen-virtiod.service" \
		"$(told "$s" | sed 's/^\(stop\|start\) /restart /' | sort -u | xargs)"
	for d in "$debs"/*.deb; do
		n=${d##*/}
		mkdir -p "$WORK/$s/scripts/${n%%_*}"
		dpkg-deb -e "$d" "$WORK/$s/scripts/${n%%_*}"
	done
	same "$s: no maintainer script of any package names a backend, a guest's tools or Xen's own units" '' \
		"$(grep -rlE 'xen-virtio-backend|xendomains|xen\.service|xenstored|(^|[^a-z-])(xl|xen-virtio) ' "$WORK/$s/scripts" --include='p*' | xargs)"

	# needrestart, by its own configuration and its way to look a unit up.
	expect "$s: needrestart leaves a backend alone, and restarts the daemon" in_root "$s" perl -we '
		use strict; our %nrconf = (override_rc => {}); our $LOGPREF = ""; our $nrconf;
		open(my $f, "<", "/etc/needrestart/needrestart.conf") or die; my $text = join("", <$f>);
		{ no strict; no warnings; eval $text; die $@ if $@; }
		sub may { for my $re (keys %{$nrconf{override_rc}}) { return $nrconf{override_rc}{$re} if $_[0] =~ /$re/ } return 1 }
		die "no configuration" unless keys %{$nrconf{override_rc}} > 1;
		die "backend" if may("xen-virtio-backend\@3.service"); die "daemon" unless may("xen-virtiod.service");'

	in_root "$s" sh -c 'rm /usr/bin/systemctl; dpkg-divert --quiet --local --rename --remove /usr/bin/systemctl'
	for u in $units; do
		expect "$s: systemd-analyze verify $u" in_root "$s" systemd-analyze verify --man=yes "$u"
		same "$s: it says nothing about $u" '' "$(grep -e xen-stubdom -e xen-virtio "$OUT")"
		expect "$s: systemd-analyze security $u: at most $((limit / 10)).$((limit % 10))" \
			in_root "$s" systemd-analyze security --no-pager --offline=yes --threshold=$limit "$u"
		note "$s $u exposure $(sed -n 's/.*Overall exposure level.*: \([0-9.]*\).*/\1/p' "$OUT")"
	done
	for p in MemoryMax TasksMax LogRateLimitIntervalSec LogRateLimitBurst; do
		expect "$s: trust-09: a backend has a limit of its own: $p" grep "^$p=[1-9]" "$r/usr/lib/systemd/system/xen-virtio-backend@.service"
	done
	expect "$s: trust-07: disks with Linux AIO are not limited to 64 of all guests" grep '^fs.aio-max-nr = 1048576$' "$r/usr/lib/sysctl.d/60-xen-virtio.conf"
	mv "$r/usr/share/man/man8/xen-virtiod.8.gz" "$r/tmp/"
	expect_fail "$s: verify misses a man page that is not there" in_root "$s" systemd-analyze verify --man=yes xen-virtiod.service
	mv "$r/tmp/xen-virtiod.8.gz" "$r/usr/share/man/man8/"
	expect_fail "$s: security has a limit" in_root "$s" systemd-analyze security --no-pager --offline=yes --threshold=1 xen-stubdomd.service

	# The order, with this Debian's own Xen.  A systemd that plans wants a cgroup to be in.
	mount -t cgroup2 cgroup2 "$r/sys/fs/cgroup"
	expect "$s: systemd plans a boot" in_root "$s" sh -euc "$plan" || { cp "$r/tmp/plan.err" "$OUT"; show_out; continue; }
	for x in xen xendomains; do
		expect "$s: $x.service is Debian's own" of_unit "$s" $x.service "Source Path: /etc/init.d/$x"
	done
	for u in $units; do
		order "$s" xen.service "$u"
		order "$s" "$u" xendomains.service
		expect "$s: $u is started at boot" of_unit "$s" "$u" "WantedBy: multi-user.target "
	done
	same "$s: no cycle, and no complaint about our units" '' "$(grep -ie cycle -e xen-stubdom -e xen-virtio "$r/tmp/plan.err")"

	# And with Fedora's and upstream's names, in the places of Debian's.
	etc=$r/etc/systemd/system
	unit() { # NAME LINE...
		_f=$etc/$1; shift
		{ echo '[Unit]'; printf '%s\n' "$@"; case $_f in *.service) printf '%s\n' '[Service]' 'ExecStart=/bin/true' ;; esac; } >"$_f"
	}
	ln -sf /dev/null "$etc/xen.service"
	unit proc-xen.mount; printf '%s\n' '[Mount]' What=xenfs Where=/proc/xen Type=xenfs >>"$etc/proc-xen.mount"
	unit xenstored.service 'Requires=proc-xen.mount' 'After=proc-xen.mount'
	unit xen-init-dom0.service 'Requires=proc-xen.mount xenstored.service' 'After=proc-xen.mount xenstored.service'
	unit xenconsoled.service 'After=proc-xen.mount xenstored.service'
	for u in xendomains xendriverdomain; do
		unit $u.service 'Requires=proc-xen.mount xenstored.service' 'Wants=network-online.target' \
			'After=proc-xen.mount xenstored.service xenconsoled.service xen-init-dom0.service network-online.target'
	done
	for u in libvirtd virtxend; do unit $u.service 'After=xenconsoled.service xencommons.service'; done
	for u in xendomains xendriverdomain libvirtd virtxend xenconsoled xen-init-dom0; do ln -sf ../$u.service "$etc/multi-user.target.wants/"; done
	expect "$s: systemd plans a boot with Fedora's names" in_root "$s" sh -euc "$plan" || continue
	for u in $units; do
		order "$s" xenstored.service "$u"
		for d in xendomains xendriverdomain libvirtd virtxend; do order "$s" "$u" $d.service; done
	done
	same "$s: no cycle" '' "$(grep -ie cycle "$r/tmp/plan.err")"

	# Offline, in a system that is only files, where what no preset names is off, as in Fedora.
	image=$r/image
	mkdir -p "$image/etc"
	for d in "$WORK/$s"/debs/*.deb; do dpkg-deb -x "$d" "$image"; done
	[ ! -d "$image/lib" ] || { mkdir -p "$image/usr/lib" && cp -a "$image/lib/." "$image/usr/lib/" && rm -r "${image:?}/lib" && ln -s usr/lib "$image/lib"; }
	echo 'disable *' >"$image/usr/lib/systemd/system-preset/99-default-disable.preset"
	wants() { find "$image/etc/systemd" -type l -printf '%f\n' | sort | xargs; }
	expect "$s: systemctl --root= preset-all" in_root "$s" systemctl --root=/image preset-all
	same "$s: turns on these" "$enabled" "$(wants)"
	expect "$s: systemctl --root= disable" in_root "$s" systemctl --root=/image disable $enabled
	same "$s: turns them off" '' "$(wants)"
	expect "$s: systemctl --root= enable" in_root "$s" systemctl --root=/image enable $enabled
	same "$s: turns them on" "$enabled" "$(wants)"
	rm "$image"/usr/lib/systemd/system-preset/90-xen-*.preset
	expect "$s: preset-all without our presets" in_root "$s" systemctl --root=/image preset-all
	same "$s: turns them off" '' "$(wants)"
done

# SPDX-License-Identifier: GPL-2.0-or-later
# summary: whoever asks stubdomains to shut down, they end with their guests: xl shutdown --all, xendomains
# time-limit: 2400

# Under Xen 4.17 a restored guest gets no MSI (README): IDE there.
bus=ahci
! xen_before 4 18 || bus=ide
before=$(host_state)
for g in s t; do
	expect "a disk for $g" guest_disk $g 'xen_emul_unplug=never quiet'
	guest_config $g hvm "hdtype = '$bus'" 'device_model_version = "qemu-xen"' 'device_model_stubdomain_override = 1' \
		'on_crash = "restart"' >/dev/null
	expect "$g starts" xl create $GUESTS/$g.cfg || { show_stubdom $g; exit 1; }
	# One after the other: a guest that boots slows down the start of the next.
	expect "$g boots" wait_for 400 guest_cmd $g true || show_stubdom $g
done
boot_of_s=$(guest_cmd s cat /proc/sys/kernel/random/boot_id)
boot_of_t=$(guest_cmd t cat /proc/sys/kernel/random/boot_id)
runs() { guest_cmd "$1" 'echo 3 >/proc/sys/vm/drop_caches; cat /bin/busybox >/dev/null; cat /proc/sys/kernel/random/boot_id'; }
asked() { [ "$(grep -c 'shut down the guest instead' /var/log/xen/qemu-dm-s.log)" -ge "$1" ]; }

# --- by hand
expect "xl shutdown of a stubdomain is acknowledged" timeout 40 xl shutdown s-dm
expect "it says what to do instead" wait_for 20 asked 1 || show_stubdom s
expect "a second time" timeout 40 xl shutdown s-dm
expect "xl reboot of it" timeout 40 xl reboot s-dm
expect "it says the same" wait_for 20 asked 3 || show_stubdom s
# Linux answers nothing any more after that, and "xl shutdown --all" would fail.
expect "xl shutdown after it is acknowledged too" timeout 40 xl shutdown s-dm
expect "it says the same again" wait_for 20 asked 4 || show_stubdom s
expect_fail "xl save of a stubdomain is refused" timeout 40 xl save s-dm $LAB/tmp/s-dm.save
expect_text "the guest's disk works on" "^$boot_of_s" runs s || show_stubdom s

# --- as the host's shutdown does it, with Debian's defaults: each guest is saved
expect "xendomains is active" systemctl start xendomains
expect "xendomains stops" timeout 600 systemctl stop xendomains || run journalctl -u xendomains -n 30 --no-pager -o cat
expect "no domain is left" wait_for 60 only_dom0
expect_text "the guests were saved, no stubdomain was" '^s t $' sh -c 'ls /var/lib/xen/save | tr "\n" " "'
expect "nothing is left" nothing_left "$before"
expect "xendomains starts" timeout 600 systemctl start xendomains
expect_text "s goes on where it was" "^$boot_of_s" runs s || show_stubdom s
expect_text "t goes on where it was" "^$boot_of_t" runs t || show_stubdom t

# --- and all at once
expect "xl shutdown --all --wait" timeout 300 xl shutdown -F --all --wait
expect "no domain is left" wait_for 60 only_dom0
expect "nothing is left" nothing_left "$before"
expect_fail "no guest crashed" grep -E 'reason code 3|is crash' /var/log/xen/xl-s.log /var/log/xen/xl-t.log
expect_fail "the daemon saw no device model end" sh -c "journalctl -u xen-stubdomd -o cat --no-pager | grep 'device model is gone'"

# SPDX-License-Identifier: GPL-2.0-or-later
# summary: xl save and xl restore of a guest with a stubdomain: it goes on where it was
# time-limit: 1800

# With Xen 4.17 a Linux guest gets an emulated device's MSI as one of Xen's physical
# interrupts, and after a restore none comes, wherever QEMU runs: there, IDE.
bus=ahci
! xen_before 4 18 || bus=ide
before=$(host_state)
expect "a bootable disk is made" guest_disk v1 'xen_emul_unplug=never quiet lab.ip=10.77.0.51/24'
guest_config v1 hvm "hdtype = '$bus'" 'device_model_version = "qemu-xen"' 'device_model_stubdomain_override = 1' \
	'vif = [ "bridge=xenbr0,model=rtl8139,mac=00:16:3e:00:00:51" ]' >/dev/null
expect "xl create starts it" xl create $GUESTS/v1.cfg || { show_stubdom v1; exit 1; }
expect "the guest boots" wait_for 300 guest_cmd v1 true || show_stubdom v1
boot_id=$(guest_cmd v1 cat /proc/sys/kernel/random/boot_id)
sum=$(guest_cmd v1 'dd if=/dev/urandom of=/root/f bs=1M count=4 2>/dev/null; sync; sha256sum </root/f')

expect "xl save" xl save v1 $LAB/tmp/v1.save || show_stubdom v1
expect "the guest and its stubdomain are gone" wait_for 60 only_dom0
expect "xl restore" xl restore $LAB/tmp/v1.save || { show_stubdom v1; exit 1; }
expect_text "it is the same run of its kernel" "^$boot_id" guest_cmd v1 cat /proc/sys/kernel/random/boot_id
expect_text "its emulated disk works" "^${sum%% *}" guest_cmd v1 'echo 3 >/proc/sys/vm/drop_caches; sha256sum </root/f'
expect "its emulated network card works" guest_cmd v1 ping -c 2 -W 20 10.77.0.1
expect_text "xen-stubdom status shows it" '^v1 .*running' xen-stubdom status

expect "xen-stubdomd is stopped" systemctl stop xen-stubdomd
expect "the first save of this stubdomain works all the same" xl save v1 $LAB/tmp/v1.save || show_stubdom v1
expect "xen-stubdomd is started" systemctl start xen-stubdomd
expect "the guest and its stubdomain are gone" wait_for 60 only_dom0
expect "xl restore" xl restore $LAB/tmp/v1.save || { show_stubdom v1; exit 1; }
expect_text "it is still the same run" "^$boot_id" guest_cmd v1 cat /proc/sys/kernel/random/boot_id

# --- more than once in one stubdomain: libxl gets the newest state alone
rm -f $LAB/tmp/v1.save
work() { guest_cmd v1 'echo 3 >/proc/sys/vm/drop_caches; sha256sum </root/f'; }
expect "xl save -c" xl save -c v1 $LAB/tmp/a.save || show_stubdom v1
expect_text "the guest works on" "^${sum%% *}" work
expect "xl save -c again" xl save -c v1 $LAB/tmp/b.save || show_stubdom v1
more=$(($(stat -c %s $LAB/tmp/b.save) - $(stat -c %s $LAB/tmp/a.save)))
rm -f $LAB/tmp/a.save
# A page that the guest touched in between costs 4 KiB; an old state is 12 KiB and more.
expect "the second is not bigger by the first's state ($more)" test $more -lt 8192
expect_text "the guest works on" "^${sum%% *}" work

expect "xen-stubdomd is stopped" systemctl stop xen-stubdomd
expect_fail "a next save is refused then" xl save -c v1 $LAB/tmp/c.save
cp $OUT $LAB/tmp/why
expect_text "xl says why" 'is xen-stubdomd running' cat $LAB/tmp/why
expect_text "and the guest works on" "^${sum%% *}" work || show_stubdom v1
expect_fail "so is xl migrate" timeout 300 xl migrate -s '' v1 'exec xl migrate-receive'
expect_text "and the guest works on" "^${sum%% *}" work || show_stubdom v1
expect "xen-stubdomd is started" systemctl start xen-stubdomd
expect "xl save, though libxl removed its file" xl save v1 $LAB/tmp/b.save || show_stubdom v1
expect "xl restore" xl restore $LAB/tmp/b.save || { show_stubdom v1; exit 1; }
expect_text "it is still the same run" "^$boot_id" guest_cmd v1 cat /proc/sys/kernel/random/boot_id
expect_text "its disk works" "^${sum%% *}" work
rm -f $LAB/tmp/?.save
expect "xl shutdown stops it" guest_stop v1 200
expect "nothing is left" nothing_left "$before"

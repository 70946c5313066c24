// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/init/args.c src/lib/base/log.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "stubdom/init/args.h"

static struct args_plan plan;

static int rewrite(char *const *in, bool save)
{
	const struct args_opts o = {
		.qemu = "/usr/bin/qemu", .guest = 7, .save_fd = save,
	};
	unsigned int n = 0;

	while (in[n])
		n++;
	return args_rewrite(&o, in, n, &plan);
}

/* The value after @opt, the @nth of them; NULL when there is none. */
static const char *value(const char *opt, int nth)
{
	for (unsigned int i = 0; i + 1 < plan.argc; i++)
		if (!strcmp(plan.argv[i], opt) && !nth--)
			return plan.argv[i + 1];
	return NULL;
}

static bool has(const char *word)
{
	for (unsigned int i = 0; i < plan.argc; i++)
		if (!strcmp(plan.argv[i], word))
			return true;
	return false;
}

static int done(void **state)
{
	(void)state;
	args_free(&plan);
	return 0;
}

/* What libxl 4.20 gives for a plain guest (run on it, domain 7). */
static char *const stock[] = {
	"-xen-domid", "7", "-no-shutdown", "-nodefaults", "-no-user-config",
	"-name", "win dows", "-display", "none", "-serial", "/dev/hvc3",
	"-device", "VGA,vgamem_mb=16", "-boot", "order=cd", "-usb",
	"-usbdevice", "tablet", "-smp", "2,maxcpus=2",
	"-device", "e1000,id=nic0,netdev=net0,mac=00:16:3e:01:02:03",
	"-netdev", "type=tap,id=net0,ifname=vif7.0-emu,br=xenbr0,script=no,downscript=no",
	"-device", "rtl8139,id=nic1,netdev=net1,mac=00:16:3e:01:02:04",
	"-netdev", "type=tap,id=net1,ifname=vif7.1-emu,br=xenbr0,script=no,downscript=no",
	"-machine", "xenfv,suppress-vmdesc=on", "-m", "1008",
	"-drive", "file=/dev/xvda,if=ide,index=0,media=disk,format=host_device,cache=writeback",
	"-drive", "if=none,readonly=on,id=ide-5632,file=/dev/xvdc,format=host_device",
	"-device", "ide-cd,id=ide-5632,drive=ide-5632,bus=ide.1,unit=0", NULL,
};

static void stock_guest(void **state)
{
	(void)state;
	assert_int_equal(rewrite(stock, true), 0);
	/* all of libxl's, in its order, first */
	for (unsigned int i = 0; stock[i]; i++)
		assert_string_equal(plan.argv[i + 1], stock[i]);
	assert_string_equal(plan.argv[0], "/usr/bin/qemu");
	assert_null(plan.argv[plan.argc]);
	assert_int_equal(plan.disks, 1 << 0 | 1 << 2);
	assert_int_equal(plan.serials, 1 << 3);
	assert_int_equal(plan.n_nics, 2);
	assert_string_equal(plan.nics[0].ifname, "vif7.0-emu");
	assert_string_equal(plan.nics[0].id, "net0");
	assert_int_equal(plan.nics[1].devid, 1);
	assert_string_equal(plan.name, "win dows");
	assert_false(plan.restore);
	assert_int_equal(plan.n_notes, 0);
}

static void own_additions(void **state)
{
	(void)state;
	assert_int_equal(rewrite(stock, true), 0);
	assert_string_equal(value("-chardev", 0), "socket,id=xe-broker,fd=3,server=on,wait=off");
	assert_string_equal(value("-mon", 0), "chardev=xe-broker,mode=control");
	assert_string_equal(value("-chardev", 1), "socket,id=xe-init,fd=4,server=on,wait=off");
	assert_string_equal(value("-mon", 1), "chardev=xe-init,mode=control");
	assert_string_equal(value("-add-fd", 0), "fd=6,set=1,opaque=xe-save");
	assert_string_equal(value("-sandbox", 0),
			    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
	assert_false(has("-audiodev"));
	args_free(&plan);
	assert_int_equal(rewrite(stock, false), 0);
	assert_false(has("-add-fd"));
}

static void restoring(void **state)
{
	char *in[] = { "-incoming", ARGS_RESTORE_WORD, NULL };
	char *other[] = { "-incoming", "tcp:0:1", NULL };

	(void)state;
	assert_int_equal(rewrite(in, false), 0);
	assert_string_equal(value("-incoming", 0), "fd:5");
	assert_true(plan.restore);
	args_free(&plan);
	assert_int_equal(rewrite(other, false), 0);
	assert_string_equal(value("-incoming", 0), "tcp:0:1");
	assert_false(plan.restore);
}

/* The word counts as a value of -incoming only. */
static void restore_word_elsewhere(void **state)
{
	char *in[] = { "-name", ARGS_RESTORE_WORD, NULL };

	(void)state;
	assert_int_equal(rewrite(in, false), 0);
	assert_string_equal(value("-name", 0), ARGS_RESTORE_WORD);
	assert_false(plan.restore);
}

static void no_acpi(void **state)
{
	char *in[] = { "-no-acpi", "-smp", "2", "-machine",
		       "xenfv,suppress-vmdesc=on", NULL };
	char *none[] = { "-no-acpi", NULL };

	(void)state;
	assert_int_equal(rewrite(in, false), 0);
	assert_false(has("-no-acpi"));
	assert_string_equal(value("-machine", 0), "xenfv,suppress-vmdesc=on,acpi=off");
	args_free(&plan);
	assert_int_equal(rewrite(none, false), -EINVAL);
	assert_non_null(strstr(plan.error, "acpi=0"));
}

static void direct_boot_is_refused(void **state)
{
	char *kernel[] = { "-kernel", "/boot/vmlinuz", NULL };
	char *initrd[] = { "--initrd", "/boot/x", NULL };
	char *name[] = { "-name", "-kernel", NULL };

	(void)state;
	assert_int_equal(rewrite(kernel, false), -ENOTSUP);
	assert_non_null(strstr(plan.error, "direct boot (-kernel) is not possible with a stubdomain"));
	args_free(&plan);
	assert_int_equal(rewrite(initrd, false), -ENOTSUP);
	args_free(&plan);
	/* A guest may be called so. */
	assert_int_equal(rewrite(name, false), 0);
}

static void bad_taps(void **state)
{
	static const char *const bad[] = {
		"type=tap,id=net0,ifname=vif8.0-emu",		/* another guest */
		"type=tap,id=net0,ifname=vif7.0",		/* dom0's own */
		"type=tap,id=net0,ifname=vif7.x-emu",
		"type=tap,id=net0,ifname=vif7.00-emu",
		"type=tap,id=net0,ifname=vif7.99999-emu",
		"type=tap,id=net0,ifname=../vif7.0-emu",
		"type=tap,id=net0,ifname=",
		"type=tap,id=net0",
		"tap,id=net0,ifname=eth0",
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *in[] = { "-netdev", (char *)bad[i], NULL };

		assert_int_equal(rewrite(in, false), -EINVAL);
		assert_non_null(strstr(plan.error, "vif7.<n>-emu"));
		args_free(&plan);
	}
}

static void other_netdevs_pass(void **state)
{
	char *in[] = { "-netdev", "user,id=n", "-netdev", "type=user,id=tap", NULL };

	(void)state;
	assert_int_equal(rewrite(in, false), 0);
	assert_int_equal(plan.n_nics, 0);
}

static void same_nic_twice(void **state)
{
	char *in[] = { "-netdev", "tap,ifname=vif7.0-emu",
		       "-netdev", "tap,ifname=vif7.0-emu", NULL };

	(void)state;
	assert_int_equal(rewrite(in, false), -EINVAL);
	assert_non_null(strstr(plan.error, "twice"));
}

static void too_many_nics(void **state)
{
	char *in[2 * ARGS_NICS_MAX + 3], buf[ARGS_NICS_MAX + 1][40];

	(void)state;
	for (int i = 0; i <= ARGS_NICS_MAX; i++) {
		snprintf(buf[i], sizeof(buf[i]), "tap,ifname=vif7.%d-emu", i);
		in[2 * i] = "-netdev";
		in[2 * i + 1] = buf[i];
	}
	in[2 * ARGS_NICS_MAX] = NULL;
	assert_int_equal(rewrite(in, false), 0);
	assert_int_equal(plan.n_nics, ARGS_NICS_MAX);
	args_free(&plan);
	in[2 * ARGS_NICS_MAX] = "-netdev";
	in[2 * ARGS_NICS_MAX + 2] = NULL;
	assert_int_equal(rewrite(in, false), -E2BIG);
}

static void sound_gets_an_audiodev(void **state)
{
	char *in[] = { "-device", "intel-hda", "-device", "hda-duplex",
		       "-device", "ac97", "-device", "sb16,audiodev=mine", NULL };

	(void)state;
	assert_int_equal(rewrite(in, false), 0);
	assert_string_equal(value("-device", 0), "intel-hda");
	assert_string_equal(value("-device", 1), "hda-duplex,audiodev=xe-audio");
	assert_string_equal(value("-device", 2), "ac97,audiodev=xe-audio");
	assert_string_equal(value("-device", 3), "sb16,audiodev=mine");
	assert_string_equal(value("-audiodev", 0), "none,id=xe-audio");
	assert_null(value("-audiodev", 1));
}

static void dom0_restrictions_are_dropped(void **state)
{
	char *in[] = { "-xen-domid-restrict", "-chroot", "/var/run/xen/qemu-root-7",
		       "-runas", "1:2", "-run-with", "user=xen", "-sandbox", "off",
		       "-daemonize", "-m", "1", NULL };

	(void)state;
	assert_int_equal(rewrite(in, false), 0);
	for (int i = 0; in[i] && strcmp(in[i], "-m"); i++)
		if (strcmp(in[i], "-sandbox"))
			assert_false(has(in[i]));
	assert_null(value("-sandbox", 1));
	assert_int_equal(plan.n_notes, 6);
}

static void channels_become_null(void **state)
{
	char *in[] = { "-chardev", "socket,id=libxl-channel0,path=/run/x,server=on",
		       "-chardev", "pty,id=libxl-channel1",
		       "-chardev", "socket,id=other,path=/run/y", NULL };

	(void)state;
	assert_int_equal(rewrite(in, false), 0);
	assert_string_equal(value("-chardev", 0), "null,id=libxl-channel0");
	assert_string_equal(value("-chardev", 1), "null,id=libxl-channel1");
	assert_string_equal(value("-chardev", 2), in[5]);
	assert_int_equal(plan.n_notes, 2);
}

static void serial_ports(void **state)
{
	char *ok[] = { "-serial", "/dev/hvc3", "-serial", "/dev/hvc4",
		       "-serial", "null", NULL };
	char *many[] = { "-serial", "/dev/hvc8", NULL };
	char *odd[] = { "-serial", "/dev/hvc33", NULL };

	(void)state;
	assert_int_equal(rewrite(ok, false), 0);
	assert_int_equal(plan.serials, 1 << 3 | 1 << 4);
	args_free(&plan);
	assert_int_equal(rewrite(many, false), -EINVAL);
	assert_non_null(strstr(plan.error, "serial"));
	args_free(&plan);
	assert_int_equal(rewrite(odd, false), -EINVAL);
}

/* QEMU's lists escape a comma by doubling it. */
static void commas_in_values(void **state)
{
	char *in[] = { "-drive", "id=a,,file=/dev/xvdz,file=/dev/xvdb",
		       "-drive", "file=/dev/xvdc,,file=/dev/xvdd",
		       "-drive", "file=/dev/xvdaa", "-drive", "xfile=/dev/xvde", NULL };

	(void)state;
	assert_int_equal(rewrite(in, false), 0);
	assert_int_equal(plan.disks, 1 << 1);
}

static void another_domain(void **state)
{
	char *in[] = { "-xen-domid", "8", NULL };

	(void)state;
	assert_int_equal(rewrite(in, false), -EINVAL);
	assert_non_null(strstr(plan.error, "domain 8"));
	assert_non_null(strstr(plan.error, "target is 7"));
}

static void value_missing(void **state)
{
	char *in[] = { "-m", "1", "-netdev", NULL };

	(void)state;
	assert_int_equal(rewrite(in, false), -EINVAL);
	assert_non_null(strstr(plan.error, "'-netdev'"));
}

static void bytes_are_kept(void **state)
{
	char *in[] = { "-name", "a b\t\"c\" $HOME '\\", "", "-unknown", "\xc3\xa4\n", NULL };

	(void)state;
	assert_int_equal(rewrite(in, false), 0);
	for (int i = 0; in[i]; i++)
		assert_string_equal(plan.argv[i + 1], in[i]);
	/* for the log only: */
	assert_string_equal(plan.name, "a b?\"c\" $HOME '\\");
}

static void too_many(void **state)
{
	char *in[ARGS_MAX + 2];

	(void)state;
	for (int i = 0; i <= ARGS_MAX; i++)
		in[i] = "-usb";
	in[ARGS_MAX] = NULL;
	assert_int_equal(rewrite(in, true), 0);
	args_free(&plan);
	in[ARGS_MAX] = "-usb";
	in[ARGS_MAX + 1] = NULL;
	assert_int_equal(rewrite(in, true), -E2BIG);
}

#define T(f) cmocka_unit_test_teardown(f, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(stock_guest), T(own_additions), T(restoring),
		T(restore_word_elsewhere), T(no_acpi), T(direct_boot_is_refused),
		T(bad_taps), T(other_netdevs_pass), T(same_nic_twice),
		T(too_many_nics), T(sound_gets_an_audiodev),
		T(dom0_restrictions_are_dropped), T(channels_become_null),
		T(serial_ports), T(commas_in_values), T(another_domain),
		T(value_missing), T(bytes_are_kept), T(too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

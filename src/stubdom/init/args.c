// SPDX-License-Identifier: GPL-2.0-or-later
#include "args.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* Our own additions never exceed this. */
#define ARGS_OWN 32

/* Console numbers a "-serial /dev/hvcN" may name (the kernel has 8). */
#define ARGS_HVC_MAX 8

struct rewrite {
	const struct args_opts *o;
	struct args_plan *p;
	bool no_acpi;
	bool audiodev;		/* a sound card needs our audiodev */
	int machine;		/* index of -machine's value in the output, or -1 */
	int oom;
};

static int refuse(struct args_plan *p, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(struct args_plan *p, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->error, sizeof(p->error), fmt, ap);
	va_end(ap);
	return err;
}

static void note(struct args_plan *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void note(struct args_plan *p, const char *fmt, ...)
{
	va_list ap;

	if (p->n_notes == ARGS_NOTES_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(p->notes[p->n_notes++], sizeof(p->notes[0]), fmt, ap);
	va_end(ap);
}

/* Takes what a call of strdup or asprintf gave. */
static void push_owned(struct rewrite *r, char *s)
{
	if (!s) {
		r->oom = 1;
		return;
	}
	r->p->argv[r->p->argc++] = s;
}

static void push(struct rewrite *r, const char *s)
{
	push_owned(r, strdup(s));
}

static void push2(struct rewrite *r, const char *a, const char *b)
{
	push(r, a);
	push(r, b);
}

static void pushf(struct rewrite *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void pushf(struct rewrite *r, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	push_owned(r, s);
}

/*
 * The value of "key=" in QEMU's "a=b,c=d" syntax, where ",," stands for a
 * comma.  Returns false when it is not there or longer than @size - 1.
 */
static bool opt_value(const char *s, const char *key, char *out, size_t size)
{
	size_t klen = strlen(key);

	while (*s) {
		bool hit = !strncmp(s, key, klen) && s[klen] == '=';
		size_t n = 0;

		if (hit)
			s += klen + 1;
		for (; *s; s++) {
			if (*s == ',' && *++s != ',')
				break;
			if (hit) {
				if (n + 1 >= size)
					return false;
				out[n++] = *s;
			}
		}
		if (hit) {
			out[n] = '\0';
			return true;
		}
	}
	return false;
}

/* The first word of such a list: "tap" of "tap,id=x". */
static bool opt_first_is(const char *s, const char *word)
{
	size_t len = strcspn(s, ",");

	return len == strlen(word) && !memcmp(s, word, len);
}

/* "vif<guest>.<n>-emu" and nothing else: it becomes a network device's name. */
static int nic_name(const char *ifname, unsigned int guest, unsigned int *devid)
{
	char want[64];
	const char *dot = strchr(ifname, '.');
	unsigned long n;
	char *end;

	if (!dot || strlen(ifname) >= IFNAMSIZ || dot[1] < '0' || dot[1] > '9')
		return -EINVAL;
	n = strtoul(dot + 1, &end, 10);
	if (n > 9999)
		return -EINVAL;
	snprintf(want, sizeof(want), "vif%u.%lu-emu", guest, n);
	if (strcmp(ifname, want))
		return -EINVAL;
	*devid = n;
	return 0;
}

static int on_netdev(struct rewrite *r, const char *v)
{
	struct args_plan *p = r->p;
	char ifname[64], type[16], shown[64];
	struct args_nic *nic;
	unsigned int devid;

	if (!opt_first_is(v, "tap") &&
	    !(opt_value(v, "type", type, sizeof(type)) && !strcmp(type, "tap")))
		return 0;
	if (!opt_value(v, "ifname", ifname, sizeof(ifname)) ||
	    nic_name(ifname, r->o->guest, &devid))
		return refuse(p, -EINVAL,
			      "network card with tap '%s': only vif%u.<n>-emu can be bridged in a stubdomain",
			      log_clean(shown, sizeof(shown), v, strlen(v)),
			      r->o->guest);
	for (unsigned int i = 0; i < p->n_nics; i++)
		if (p->nics[i].devid == devid)
			return refuse(p, -EINVAL, "network card %u is there twice", devid);
	if (p->n_nics == ARGS_NICS_MAX)
		return refuse(p, -E2BIG,
			      "more than %u emulated network cards: use type=vif for the others",
			      ARGS_NICS_MAX);
	nic = &p->nics[p->n_nics++];
	nic->devid = devid;
	strcpy(nic->ifname, ifname);
	if (!opt_value(v, "id", nic->id, sizeof(nic->id)))
		nic->id[0] = '\0';
	return 0;
}

static void on_drive(struct rewrite *r, const char *v)
{
	char file[64];

	if (opt_value(v, "file", file, sizeof(file)) &&
	    !strncmp(file, "/dev/xvd", 8) && file[8] >= 'a' && file[8] <= 'z' &&
	    !file[9])
		r->p->disks |= 1u << (file[8] - 'a');
}

static int on_serial(struct rewrite *r, const char *v)
{
	if (strncmp(v, "/dev/hvc", 8))
		return 0;
	/* libxl counts on past the kernel's eight consoles. */
	if (v[8] < '0' || v[8] >= '0' + ARGS_HVC_MAX || v[9])
		return refuse(r->p, -EINVAL,
			      "too many serial ports: a stubdomain has %d (serial= in xl.cfg)",
			      ARGS_HVC_MAX - 3);
	r->p->serials |= 1u << (v[8] - '0');
	return 0;
}

/*
 * "channel=" of xl.cfg: the console backend of dom0's QEMU serves it, this
 * QEMU would only fail to open a path or pty that is not here.
 */
static void on_chardev(struct rewrite *r, const char *v)
{
	char id[64];

	if (opt_value(v, "id", id, sizeof(id)) &&
	    !strncmp(id, "libxl-channel", 13) && !strchr(id, ',')) {
		note(r->p, "channel %.32s has no end in the stubdomain", id + 13);
		pushf(r, "null,id=%s", id);
		return;
	}
	push(r, v);
}

/*
 * Sound cards: since QEMU 8.2 none is made without an audiodev (with
 * -nodefaults, which libxl always gives).  Nothing plays it here.
 */
static void on_device(struct rewrite *r, const char *v)
{
	static const char *const cards[] = {
		"hda-duplex", "hda-output", "hda-micro", "ac97", "AC97", "adlib",
		"cs4231a", "es1370", "ES1370", "gus", "sb16",
	};
	char have[64];

	for (unsigned int i = 0; i < sizeof(cards) / sizeof(cards[0]); i++) {
		if (!opt_first_is(v, cards[i]) ||
		    opt_value(v, "audiodev", have, sizeof(have)))
			continue;
		r->audiodev = true;
		pushf(r, "%s,audiodev=xe-audio", v);
		return;
	}
	push(r, v);
}

static int on_xen_domid(struct rewrite *r, const char *v)
{
	char want[16], shown[32];

	snprintf(want, sizeof(want), "%u", r->o->guest);
	if (!strcmp(v, want))
		return 0;
	return refuse(r->p, -EINVAL,
		      "dm-argv is for domain %s, but this stubdomain's target is %u",
		      log_clean(shown, sizeof(shown), v, strlen(v)), r->o->guest);
}

enum opt {
	OPT_OTHER, OPT_NAME, OPT_DIRECT_BOOT, OPT_NO_ACPI, OPT_MACHINE,
	OPT_INCOMING, OPT_NETDEV, OPT_CHARDEV, OPT_SERIAL, OPT_DRIVE,
	OPT_DEVICE, OPT_XEN_DOMID, OPT_DROP, OPT_KEEP_VALUE,
};

/*
 * What we know of QEMU's options.  Everything that is not here goes through
 * byte for byte, with its value if it has one.
 */
static const struct {
	const char *name;
	enum opt opt;
	bool value;
} options[] = {
	{ "name", OPT_NAME, true },
	/* dom0 paths: QEMU here has no such files (see direct_boot()) */
	{ "kernel", OPT_DIRECT_BOOT, true },
	{ "initrd", OPT_DIRECT_BOOT, true },
	{ "append", OPT_DIRECT_BOOT, true },
	/* removed in QEMU 9.0 for -machine acpi=off; libxl still gives it */
	{ "no-acpi", OPT_NO_ACPI, false },
	{ "machine", OPT_MACHINE, true },
	{ "M", OPT_MACHINE, true },
	{ "incoming", OPT_INCOMING, true },
	{ "netdev", OPT_NETDEV, true },
	{ "chardev", OPT_CHARDEV, true },
	{ "serial", OPT_SERIAL, true },
	{ "drive", OPT_DRIVE, true },
	{ "device", OPT_DEVICE, true },
	{ "xen-domid", OPT_XEN_DOMID, true },
	/*
	 * libxl gives these for dm_restrict=1 in dom0: init has its own
	 * unprivileged user and sandbox, and a QEMU that restricts itself to
	 * the guest's domid can no longer report "running".  -chroot was
	 * removed in QEMU 9.0, -runas in 10.0.
	 */
	{ "runas", OPT_DROP, true },
	{ "chroot", OPT_DROP, true },
	{ "run-with", OPT_DROP, true },
	{ "xen-domid-restrict", OPT_DROP, false },
	{ "sandbox", OPT_DROP, true },
	/* pid 1 waits for its child, not for a grandchild */
	{ "daemonize", OPT_DROP, false },
	{ "pidfile", OPT_DROP, true },
	/* their values may look like options */
	{ "k", OPT_KEEP_VALUE, true },
	{ "boot", OPT_KEEP_VALUE, true },
	{ "display", OPT_KEEP_VALUE, true },
	{ "usbdevice", OPT_KEEP_VALUE, true },
	{ "smp", OPT_KEEP_VALUE, true },
	{ "net", OPT_KEEP_VALUE, true },
	{ "object", OPT_KEEP_VALUE, true },
	{ "global", OPT_KEEP_VALUE, true },
	{ "m", OPT_KEEP_VALUE, true },
};

static int direct_boot(struct rewrite *r, const char *name)
{
	return refuse(r->p, -ENOTSUP,
		      "direct boot (-%s) is not possible with a stubdomain: kernel= and ramdisk= name files of dom0; use a boot disk, or device_model_stubdomain_override=0",
		      name);
}

static void on_incoming(struct rewrite *r, const char *v)
{
	if (strcmp(v, ARGS_RESTORE_WORD)) {
		push(r, v);
		return;
	}
	r->p->restore = true;
	pushf(r, "fd:%d", QEMU_FD_RESTORE);
}

/* What init makes of an option's value; 1: it is not passed on as it is. */
static int value(struct rewrite *r, enum opt opt, const char *v)
{
	switch (opt) {
	case OPT_NAME:
		log_clean(r->p->name, sizeof(r->p->name), v, strlen(v));
		return 0;
	case OPT_MACHINE:
		r->machine = r->p->argc;
		log_clean(r->p->machine, sizeof(r->p->machine), v, strcspn(v, ","));
		return 0;
	case OPT_INCOMING:
		on_incoming(r, v);
		return 1;
	case OPT_CHARDEV:
		on_chardev(r, v);
		return 1;
	case OPT_DEVICE:
		on_device(r, v);
		return 1;
	case OPT_NETDEV:
		return on_netdev(r, v);
	case OPT_SERIAL:
		return on_serial(r, v);
	case OPT_XEN_DOMID:
		return on_xen_domid(r, v);
	case OPT_DRIVE:
		on_drive(r, v);
		return 0;
	default:
		return 0;
	}
}

/* One option with its value (NULL when it has none). */
static int one(struct rewrite *r, enum opt opt, const char *name,
	       const char *arg, const char *v)
{
	int ret;

	switch (opt) {
	case OPT_DIRECT_BOOT:
		return direct_boot(r, name);
	case OPT_NO_ACPI:
		r->no_acpi = true;
		return 0;
	case OPT_DROP:
		note(r->p, "-%s is not passed on: init confines QEMU itself", name);
		return 0;
	default:
		break;
	}
	push(r, arg);
	ret = value(r, opt, v);
	if (v && ret != 1)
		push(r, v);
	return ret == 1 ? 0 : ret;
}

static int walk(struct rewrite *r, char *const *in, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		const char *name = in[i], *v = NULL;
		enum opt opt = OPT_OTHER;
		int ret;

		if (name[0] == '-') {
			name += name[1] == '-' ? 2 : 1;
			for (unsigned int k = 0; k < sizeof(options) / sizeof(options[0]); k++) {
				if (strcmp(name, options[k].name))
					continue;
				opt = options[k].opt;
				if (!options[k].value)
					break;
				if (i + 1 == n)
					return refuse(r->p, -EINVAL,
						      "dm-argv ends after '-%s', which needs a value",
						      name);
				v = in[i + 1];
				break;
			}
		}
		ret = one(r, opt, name, in[i], v);
		if (ret)
			return ret;
		if (v)
			i++;
	}
	return 0;
}

/* "-no-acpi" became a property of the machine. */
static int merge_machine(struct rewrite *r)
{
	char *old, *new;

	if (!r->no_acpi)
		return 0;
	if (r->machine < 0)
		return refuse(r->p, -EINVAL, "acpi=0, but dm-argv names no machine");
	old = r->p->argv[r->machine];
	if (asprintf(&new, "%s,acpi=off", old) < 0) {
		r->oom = 1;
		return 0;
	}
	r->p->argv[r->machine] = new;
	free(old);
	return 0;
}

static void add_qmp(struct rewrite *r, const char *id, int fd)
{
	push(r, "-chardev");
	pushf(r, "socket,id=%s,fd=%d,server=on,wait=off", id, fd);
	push(r, "-mon");
	pushf(r, "chardev=%s,mode=control", id);
}

static void add_own(struct rewrite *r)
{
	add_qmp(r, "xe-broker", QEMU_FD_QMP_BROKER);
	add_qmp(r, "xe-init", QEMU_FD_QMP_INIT);
	/* libxl saves to /dev/fdset/1 (libxl_qmp.c:dm_stopped). */
	if (r->o->save_fd) {
		push(r, "-add-fd");
		pushf(r, "fd=%d,set=1,opaque=xe-save", QEMU_FD_SAVE);
	}
	if (r->audiodev)
		push2(r, "-audiodev", "none,id=xe-audio");
	push2(r, "-sandbox",
	      "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
}

int args_rewrite(const struct args_opts *o, char *const *in, unsigned int n,
		 struct args_plan *plan)
{
	struct rewrite r = { .o = o, .p = plan, .machine = -1 };
	int ret;

	memset(plan, 0, sizeof(*plan));
	if (n > ARGS_MAX)
		return refuse(plan, -E2BIG, "more than %d arguments", ARGS_MAX);
	plan->argv = calloc(n + ARGS_OWN, sizeof(*plan->argv));
	if (!plan->argv)
		return refuse(plan, -ENOMEM, "out of memory");
	push(&r, o->qemu);
	ret = walk(&r, in, n);
	if (ret)
		return ret;
	ret = merge_machine(&r);
	if (ret)
		return ret;
	add_own(&r);
	return r.oom ? refuse(plan, -ENOMEM, "out of memory") : 0;
}

void args_free(struct args_plan *plan)
{
	for (unsigned int i = 0; i < plan->argc; i++)
		free(plan->argv[i]);
	free(plan->argv);
	plan->argv = NULL;
	plan->argc = 0;
}

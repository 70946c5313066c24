// SPDX-License-Identifier: GPL-2.0-or-later
#include "cfgfacts.h"

#include <string.h>
#include <strings.h>

#include "cli.h"

/*
 * Where the facts are from: libxl_create.c, libxl_dm.c, libxl_usb.c, libxl_9pfs.c
 * and libxl_console.c of Xen 4.17 and 4.20; src/stubdom/init/args.c; and
 * src/qemu/{devices.mak,required.list,forbidden.list,configure.options}.
 * BROKEN: the guest does not start, or has not what the key promises.
 * ADVICE: the guest runs, and the key has no or another effect.
 * A key that is not here works as with QEMU in dom0; xen-stubdom(8) has both lists.
 */

enum when {
	SET,		/* there, and neither "" nor an empty list */
	ON,		/* a number other than 0 */
	ON_UNSET,	/* the same, and 1 is the default */
	HAS,		/* a value, or a part of it between commas, is one of the words */
	LACKS,		/* a value has none of the words among its parts */
};

struct key_fact {
	const char *key;
	enum when when;
	const char *const *words;
	const char *needs;	/* a switch that is on by default; off: no effect */
	enum level level;
	const char *id, *text, *fix;
};

#define WORDS(...) ((const char *const []){ __VA_ARGS__, NULL })
#define IN_DOM0 "device_model_stubdomain_override = 0"
#define NO_PICTURE "nothing shows the screen of a guest with a stubdomain yet"
#define PICTURE_FIX "vnc = 0 and serial = \"pty\" (then 'xl console'), or " IN_DOM0

static const struct key_fact keys[] = {
	/* The screen.  dom0's QEMU opens the port, but never takes the vfb (consoles.h). */
	{ "vnc", ON, NULL, NULL, BROKEN, "cfg-vnc",
	  NO_PICTURE ", dom0's VNC server has none", PICTURE_FIX },
	{ "vnclisten", SET, NULL, "vnc", BROKEN, "cfg-vnc", NO_PICTURE, PICTURE_FIX },
	{ "vncdisplay", SET, NULL, "vnc", BROKEN, "cfg-vnc", NO_PICTURE, PICTURE_FIX },
	{ "vncunused", ON, NULL, "vnc", BROKEN, "cfg-vnc", NO_PICTURE, PICTURE_FIX },
	{ "vncpasswd", SET, NULL, "vnc", BROKEN, "cfg-vncpasswd",
	  "the QEMU in dom0 that serves the stubdomain's consoles ends when xl sets the password, and 'xl create' fails",
	  "remove vncpasswd" },
	{ "sdl", ON, NULL, NULL, BROKEN, "cfg-sdl", NO_PICTURE,
	  "sdl = 0, or " IN_DOM0 },
	{ "spice", ON, NULL, NULL, BROKEN, "cfg-spice",
	  "libxl gives the device model in a stubdomain no SPICE server, and nothing shows the screen",
	  "spice = 0 and serial = \"pty\" (then 'xl console'), or " IN_DOM0 },
	{ "vga", HAS, WORDS("qxl"), NULL, BROKEN, "cfg-vga",
	  "qxl needs SPICE: the device model does not start", "vga = \"stdvga\"" },
	{ "keymap", SET, NULL, "vnc", ADVICE, "cfg-keymap",
	  "it has no effect: it is for the screen's keyboard", "remove keymap" },
	/* libxl adds the keyboard in dom0, whose QEMU serves the stubdomain only. */
	{ "vkb_device", ON_UNSET, NULL, NULL, ADVICE, "cfg-vkb",
	  "the guest gets a Xen keyboard that no device model serves", "vkb_device = 0" },
	{ "vkb", HAS, WORDS("backend-type=qemu"), NULL, BROKEN, "cfg-vkb-qemu",
	  "no QEMU in dom0 serves a keyboard of a guest with a stubdomain",
	  "remove it: the guest has the keyboard and mouse that its device model emulates" },

	/* Devices of the host.  usbctrl = type=devicemodel is emulated and works. */
	{ "pci", SET, NULL, NULL, BROKEN, "cfg-pci",
	  "PCI devices are not passed through a stubdomain yet: its device model does not find the device, and 'xl create' fails",
	  "remove pci, or " IN_DOM0 },
	{ "gfx_passthru", SET, NULL, NULL, BROKEN, "cfg-pci",
	  "graphics cards are not passed through a stubdomain", "gfx_passthru = 0, or " IN_DOM0 },
	{ "usbdevice", LACKS, WORDS("tablet", "mouse", "keyboard"), NULL, BROKEN, "cfg-usbdevice",
	  "the device model has tablet, mouse and keyboard only, and does not start with another",
	  "usbdevice = \"tablet\"; a device of the host by network (usbip), or with " IN_DOM0 },

	/* What dom0's QEMU serves to a guest's PV drivers, it serves to the stubdomain alone. */
	{ "channel", SET, NULL, NULL, BROKEN, "cfg-channel",
	  "nothing in dom0 serves a channel of a guest with a stubdomain, and a Linux guest waits 25 seconds for it",
	  "remove channel, or use a virtio console: device3 in xen-virtio-config(5)" },
	{ "p9", LACKS, WORDS("type=xen_9pfsd"), NULL, BROKEN, "cfg-p9",
	  "no QEMU in dom0 serves a shared directory of a guest with a stubdomain",
	  "use a virtio one: device9 in xen-virtio-config(5)" },

	/* Sound cards: no audio backend is built, and not every card. */
	{ "soundhw", LACKS, WORDS("hda", "ac97", "es1370"), NULL, BROKEN, "cfg-soundhw",
	  "the device model has hda, ac97 and es1370 only, and does not start with another",
	  "soundhw = \"hda\"" },
	{ "soundhw", HAS, WORDS("hda", "ac97", "es1370"), NULL, ADVICE, "cfg-sound",
	  "the guest has the card, but nothing plays its sound", "remove soundhw" },

	/* The device model itself. */
	{ "dm_restrict", ON, NULL, NULL, ADVICE, "cfg-dm-restrict",
	  "it has no effect: the device model in a stubdomain is always confined",
	  "remove dm_restrict" },
	{ "device_model_user", SET, NULL, NULL, ADVICE, "cfg-dm-user",
	  "it has no effect: the device model runs as a user of the stubdomain",
	  "remove device_model_user" },
	{ "device_model_override", LACKS, WORDS(STUBDOM_PV), NULL, ADVICE, "cfg-dm-override",
	  "it names the program that serves the stubdomain's consoles in dom0, not the device model",
	  "device_model_override = \"" STUBDOM_PV "\"" },
	{ "device_model_args", SET, NULL, NULL, ADVICE, "cfg-dm-args",
	  "they go to the QEMU in dom0 that serves the stubdomain's consoles as well",
	  "device_model_args_hvm" },
	{ "device_model_args_pv", SET, NULL, NULL, ADVICE, "cfg-dm-args",
	  "they go to the QEMU in dom0 that serves the stubdomain's consoles, not to the device model",
	  "device_model_args_hvm" },
};

/* What the device model may be asked for by "-device": see required.list. */
const char *const cfgfacts_devices_there[] = {
	"ide-hd", "ide-cd", "ich9-ahci", "lsi53c895a", "scsi-hd", "scsi-cd",
	"virtio-blk-pci", "rtl8139", "e1000", "virtio-net-pci", "VGA", "cirrus-vga",
	"piix3-usb-uhci", "ich9-usb-uhci1", "ich9-usb-ehci1", "nec-usb-xhci",
	"usb-hub", "usb-tablet", "usb-mouse", "usb-kbd", "intel-hda", "hda-duplex",
	"hda-output", "AC97", "ES1370", "isa-serial", NULL
};

/* What users ask for and it has not: see forbidden.list. */
const char *const cfgfacts_devices_missing[] = {
	"usb-host", "usb-storage", "usb-redir", "virtio-9p-pci", "virtio-gpu-pci",
	"virtio-vga", "virtio-serial-pci", "vmware-svga", "qxl-vga", "vfio-pci",
	"vhost-user-blk-pci", "nvme", "isa-parallel", "sb16", "adlib", "gus", "cs4231a",
	"pvpanic", "vmmouse", "ne2k_pci", "pcnet", "i82550", "ivshmem-plain", "edu",
	"pci-testdev", NULL
};

struct arg_fact {
	const char *option;
	enum when when;
	const char *const *words;
	enum level level;
	const char *text, *fix;
};

#define NO_START ", and does not start with it"
#define LEAVE_OUT "leave it out"
#define CONFINED "has no effect: a stubdomain confines QEMU itself"
#define NOBODY "has its other end in the stubdomain, where nobody is"
#define NETWORKS WORDS("user", "tap", "bridge", "vde", "vhost-vdpa", "af-xdp", \
		       "type=user", "type=tap", "type=bridge")
#define NO_NETWORK "is a network of dom0, which a stubdomain has not" NO_START

static const struct arg_fact args[] = {
	{ "kernel", SET, NULL, BROKEN, "names a file of dom0", "boot from a disk" },
	{ "initrd", SET, NULL, BROKEN, "names a file of dom0", "boot from a disk" },
	{ "append", SET, NULL, BROKEN, "is for kernel= of dom0", "boot from a disk" },
	{ "device", HAS, cfgfacts_devices_missing, BROKEN,
	  "is a device that the device model in a stubdomain has not" NO_START, LEAVE_OUT },
	{ "device", LACKS, cfgfacts_devices_there, ADVICE,
	  "may be a device that the device model in a stubdomain has not" NO_START,
	  "see 'xen-stubdom logs GUEST' after the start" },
	{ "vnc", LACKS, WORDS("none"), BROKEN,
	  "asks for VNC, which the device model in a stubdomain has not" NO_START, LEAVE_OUT },
	{ "spice", SET, NULL, BROKEN,
	  "asks for SPICE, which the device model in a stubdomain has not" NO_START, LEAVE_OUT },
	{ "display", LACKS, WORDS("none"), BROKEN,
	  "asks for a display, of which the device model in a stubdomain has none" NO_START, LEAVE_OUT },
	{ "audiodev", LACKS, WORDS("none"), BROKEN,
	  "asks for sound in dom0, which the device model in a stubdomain cannot play" NO_START, LEAVE_OUT },
	{ "usbdevice", LACKS, WORDS("tablet", "mouse", "keyboard"), BROKEN,
	  "is a device that the device model in a stubdomain has not" NO_START, LEAVE_OUT },
	{ "netdev", HAS, NETWORKS, BROKEN, NO_NETWORK, "use vif" },
	{ "nic", HAS, NETWORKS, BROKEN, NO_NETWORK, "use vif" },
	{ "net", HAS, NETWORKS, BROKEN, NO_NETWORK, "use vif" },
	/* stubdom-init leaves them out. */
	{ "runas", SET, NULL, ADVICE, CONFINED, LEAVE_OUT },
	{ "chroot", SET, NULL, ADVICE, CONFINED, LEAVE_OUT },
	{ "run-with", SET, NULL, ADVICE, CONFINED, LEAVE_OUT },
	{ "sandbox", SET, NULL, ADVICE, CONFINED, LEAVE_OUT },
	{ "xen-domid-restrict", SET, NULL, ADVICE, CONFINED, LEAVE_OUT },
	{ "daemonize", SET, NULL, ADVICE, "has no effect in a stubdomain", LEAVE_OUT },
	{ "pidfile", SET, NULL, ADVICE, "has no effect in a stubdomain", LEAVE_OUT },
	/* They work, where nobody is. */
	{ "monitor", LACKS, WORDS("none", "null"), ADVICE, NOBODY, "use 'xl qemu-monitor-command'" },
	{ "qmp", SET, NULL, ADVICE, NOBODY, "use 'xl qemu-monitor-command'" },
	{ "gdb", SET, NULL, ADVICE, NOBODY, LEAVE_OUT },
};

/* @part of @len bytes is one of @words; libxl compares without regard to case. */
static bool one_of(const char *part, size_t len, const char *const *words)
{
	for (; *words; words++)
		if (strlen(*words) == len && !strncasecmp(part, *words, len))
			return true;
	return false;
}

/* The same for any of the parts between commas, without blanks around them. */
static bool has_word(const char *value, const char *const *words)
{
	for (;;) {
		size_t len = strcspn(value, ","), blanks = strspn(value, " \t");
		size_t end = len;

		if (blanks > len)
			blanks = len;
		while (end > blanks && (value[end - 1] == ' ' || value[end - 1] == '\t'))
			end--;
		if (one_of(value + blanks, end - blanks, words))
			return true;
		if (!value[len])
			return false;
		value += len + 1;
	}
}

/* One value: the key's own or an element of its list. */
static bool value_is(const char *value, enum when when, const char *const *words)
{
	switch (when) {
	case SET:
		/* "0" switches off what takes a word or a number (gfx_passthru). */
		return *value && strcmp(value, "0");
	case HAS:
		return has_word(value, words);
	case LACKS:
		return *value && !has_word(value, words);
	default:
		return false;
	}
}

static bool switched_on(XLU_Config *xlu, const char *key, long unset)
{
	long v;

	return (xlu_cfg_get_long(xlu, key, &v, 1) ? unset : v) != 0;
}

static bool key_is(XLU_Config *xlu, const struct key_fact *k)
{
	XLU_ConfigList *list;
	const char *v;
	int n;

	if (k->when == ON || k->when == ON_UNSET)
		return switched_on(xlu, k->key, k->when == ON_UNSET);
	if (!xlu_cfg_get_string(xlu, k->key, &v, 1))
		return value_is(v, k->when, k->words);
	if (xlu_cfg_get_list(xlu, k->key, &list, &n, 1))
		return false;
	for (int i = 0; i < n; i++) {
		v = xlu_cfg_get_listitem(list, i);
		if (v && value_is(v, k->when, k->words))
			return true;
	}
	return false;
}

/* vkb_device counts only without vkb. */
static bool has_effect(XLU_Config *xlu, const struct key_fact *k)
{
	XLU_ConfigList *list;
	int n;

	if (k->needs && !switched_on(xlu, k->needs, 1))
		return false;
	return k->when != ON_UNSET || xlu_cfg_get_list(xlu, "vkb", &list, &n, 1);
}

static void check_keys(struct findings *fs, XLU_Config *xlu)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct key_fact *k = &keys[i];

		if (has_effect(xlu, k) && key_is(xlu, k))
			found(fs, k->level, k->id, k->fix, "%s: %s", k->key, k->text);
	}
}

/*
 * usbdev needs a backend for the guest's PV driver, or a device model that sees
 * the host's devices.  libxl has three ways, of which a stubdomain leaves one.
 */
static void check_usb(struct findings *fs, XLU_Config *xlu,
		      const struct xlcfg_host *host)
{
	const struct key_fact pv = {
		.key = "usbctrl", .when = HAS, .words = WORDS("type=pv"),
	}, qusb = {
		.key = "usbctrl", .when = HAS, .words = WORDS("type=qusb"),
	}, dev = {
		.key = "usbdev", .when = SET,
	};

	if (key_is(xlu, &qusb))
		found(fs, BROKEN, "cfg-usb", "remove it, or " IN_DOM0,
		      "usbctrl: type=qusb: no QEMU in dom0 serves it for a guest with a stubdomain");
	if (key_is(xlu, &pv) && !host->usbback)
		found(fs, BROKEN, "cfg-usb", "remove it",
		      "usbctrl: type=pv: dom0's kernel has no backend for it (usbback, which Linux never had): 'xl create' fails");
	else if (key_is(xlu, &pv))
		return;
	if (key_is(xlu, &dev))
		found(fs, BROKEN, "cfg-usb", "export it by network (usbip), or " IN_DOM0,
		      "usbdev: USB devices of the host do not reach a guest with a stubdomain, and 'xl create' fails");
}

/* "=/path" or "/path" of dom0; devices have the same names in a stubdomain. */
static bool names_file(const char *arg)
{
	const char *s = arg[0] == '/' ? arg : strstr(arg, "=/");

	while (s) {
		s += *s == '=';
		if (strncmp(s, "/dev/", 5))
			return true;
		s = strstr(s, "=/");
	}
	return false;
}

/* What is said of option @name with @value (NULL: none follows). */
static bool check_arg(struct findings *fs, const char *key, const char *name,
		      const char *value)
{
	char shown[80], option[40];
	bool any = false;

	clean(option, sizeof(option), name);
	clean(shown, sizeof(shown), value ? value : "");
	for (size_t i = 0; i < sizeof(args) / sizeof(args[0]); i++) {
		const struct arg_fact *a = &args[i];
		/* A device's properties may have any value. */
		size_t first = value ? strcspn(value, ",") : 0;
		bool is = a->when == SET ||
			  (value && one_of(value, first, a->words) == (a->when == HAS));

		if (any || strcmp(name, a->option) || !is)
			continue;
		/* One of each device is enough: it is missing, or unknown. */
		any = true;
		found(fs, a->level, "cfg-dm-args", a->fix, "%s: '-%s%s%s' %s", key,
		      option, *shown ? " " : "", shown, a->text);
	}
	return any;
}

/*
 * dom0's QEMU for the stubdomain's consoles gets device_model_args too, and has no
 * bus that a device of the guest could be plugged into.
 */
static void check_args(struct findings *fs, XLU_Config *xlu, const char *key,
		       bool dom0_too)
{
	XLU_ConfigList *list;
	int n;

	if (xlu_cfg_get_list(xlu, key, &list, &n, 1))
		return;
	for (int i = 0; i < n; i++) {
		const char *arg = xlu_cfg_get_listitem(list, i), *value = NULL;
		const char *name = arg;
		char shown[80];

		if (!arg)
			continue;
		if (*arg == '-') {
			name += arg[1] == '-' ? 2 : 1;
			value = i + 1 < n ? xlu_cfg_get_listitem(list, i + 1) : NULL;
			if (value && *value == '-')
				value = NULL;
			if (dom0_too && !strcmp(name, "device"))
				found(fs, BROKEN, "cfg-dm-args", "device_model_args_hvm",
				      "%s: the QEMU in dom0 that serves the stubdomain's consoles gets '-device' as well, and does not start with it", key);
			if (check_arg(fs, key, name, value) && value)
				i++;
		} else if (names_file(arg)) {
			found(fs, BROKEN, "cfg-dm-args", "use disk, or " IN_DOM0,
			      "%s: '%s' names a file of dom0, which the device model in a stubdomain cannot open",
			      key, clean(shown, sizeof(shown), arg));
		}
	}
}

void cfgfacts_check(struct findings *fs, XLU_Config *xlu,
		    const struct xlcfg_host *host)
{
	size_t before = fs->n;

	check_keys(fs, xlu);
	check_usb(fs, xlu, host);
	check_args(fs, xlu, "device_model_args", true);
	check_args(fs, xlu, "device_model_args_hvm", false);
	if (fs->n == before)
		found(fs, FINE, "cfg-keys", NULL,
		      "its other keys have the same effect as without a stubdomain");
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "contract.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "failure.h"
#include "stubdom.h"
#include "text.h"
#include "xen/domain.h"
#include "xen/xs_util.h"

/*
 * All arguments together.  libxl writes a few KiB; execve() would take more,
 * but this memory is the stubdomain's.
 */
#define ARGV_BYTES_MAX (256 * 1024)

void publish(struct xs_handle *xs, const char *key, const char *value)
{
	int ret = xsu_write(xs, XBT_NULL, value, STUBDOM_DATA "/%s", key);

	if (ret)
		say_info("xenstore " STUBDOM_DATA "/%s cannot be written: %s",
			 key, strerror(-ret));
}

static int read_one_arg(struct xs_handle *xs, struct contract *c,
			const char *dir, const char *name, size_t *total)
{
	size_t len;
	int ret;

	ret = xsu_read(xs, XBT_NULL, &c->argv[c->argc], &len, "%s/%s", dir, name);
	if (ret)
		return init_fail(ret, "%s/%s cannot be read: %s", dir, name,
				 ret == -EILSEQ ? "it has a NUL byte" : strerror(-ret));
	c->argc++;
	*total += len + 1;
	if (*total > ARGV_BYTES_MAX)
		return init_fail(-E2BIG, "%s: more than %d bytes of arguments",
				 dir, ARGV_BYTES_MAX);
	return 0;
}

static int read_argv(struct xs_handle *xs, struct contract *c, const char *vm)
{
	char dir[256], bad[32], **names;
	unsigned int n, at;
	size_t total = 0;
	int ret;

	snprintf(dir, sizeof(dir), "%s/image/dm-argv", vm);
	ret = xsu_list(xs, XBT_NULL, &names, &n, "%s", dir);
	if (ret)
		return init_fail(ret, "%s cannot be listed: %s: is device_model_version=\"qemu-xen\" set?",
				 dir, strerror(-ret));
	at = dmargv_check(names, n);
	if (!n || at) {
		const char *name = n ? names[at - 1] : "";

		ret = init_fail(-EINVAL, "%s/%s is not expected: names must be 001, 002, ... without gaps (libxl and image do not fit)",
				dir, log_clean(bad, sizeof(bad), name, strlen(name)));
		free(names);
		return ret;
	}
	c->argv = calloc(n + 1, sizeof(*c->argv));
	ret = c->argv ? 0 : init_fail(-ENOMEM, "out of memory");
	for (unsigned int i = 0; i < n && !ret; i++)
		ret = read_one_arg(xs, c, dir, names[i], &total);
	free(names);
	return ret;
}

static void read_name(struct xs_handle *xs, struct contract *c)
{
	/* libxl lets the device model's domain read it; others may not. */
	domain_name(xs, c->guest, c->guest_name, sizeof(c->guest_name));
	for (unsigned int i = 0; !c->guest_name[0] && i + 1 < c->argc; i++)
		if (!strcmp(c->argv[i], "-name"))
			log_clean(c->guest_name, sizeof(c->guest_name),
				  c->argv[i + 1], strlen(c->argv[i + 1]));
	if (c->guest_name[0])
		init_about.guest = c->guest_name;
}

/* "/vm/<uuid>": it becomes part of paths, so nothing else may be in it. */
static int read_vm(struct xs_handle *xs, struct contract *c, char **vm)
{
	int ret;

	ret = xsu_read(xs, XBT_NULL, vm, NULL, "/local/domain/%u/vm", c->guest);
	if (ret)
		return init_fail(ret, "/local/domain/%u/vm cannot be read: %s",
				 c->guest, strerror(-ret));
	if (!strncmp(*vm, "/vm/", 4) && strlen(*vm) < 128 &&
	    strspn(*vm + 4, "0123456789abcdefABCDEF-") == strlen(*vm + 4))
		return 0;
	free(*vm);
	return init_fail(-EINVAL, "/local/domain/%u/vm is not /vm/<uuid>", c->guest);
}

int contract_read(struct xs_handle *xs, struct contract *c)
{
	uint64_t n;
	char *vm;
	int ret;

	memset(c, 0, sizeof(*c));
	ret = xsu_read_uint(xs, XBT_NULL, &n, DOMID_LIMIT - 1, "domid");
	if (ret)
		return init_fail(ret, "xenstore 'domid' of this domain: %s", strerror(-ret));
	c->self = n;
	init_about.stubdom = n;
	ret = xsu_read_uint(xs, XBT_NULL, &n, DOMID_LIMIT - 1, "target");
	if (ret)
		return init_fail(ret, "xenstore 'target' of this domain: %s: only libxl can start a device-model stubdomain",
				 strerror(-ret));
	c->guest = n;
	init_about.domid = n;
	ret = read_vm(xs, c, &vm);
	if (ret)
		return ret;
	ret = read_argv(xs, c, vm);
	free(vm);
	read_name(xs, c);
	c->has_pci = xsu_exists(xs, XBT_NULL, "device/pci/0");
	return ret;
}

void contract_free(struct contract *c)
{
	for (unsigned int i = 0; i < c->argc; i++)
		free(c->argv[i]);
	free(c->argv);
	c->argv = NULL;
	c->argc = 0;
}

int contract_devices(struct xs_handle *xs, const char *kind,
		     unsigned int **ids, unsigned int *count)
{
	char **names;
	unsigned int n;
	uint64_t id;
	int ret;

	*ids = NULL;
	*count = 0;
	ret = xsu_list(xs, XBT_NULL, &names, &n, "device/%s", kind);
	if (ret == -ENOENT)
		return 0;
	if (ret)
		return ret;
	*ids = calloc(n + 1, sizeof(**ids));
	for (unsigned int i = 0; *ids && i < n; i++)
		if (!xsu_parse_uint(names[i], INT32_MAX, &id))
			(*ids)[(*count)++] = id;
	free(names);
	return *ids ? 0 : -ENOMEM;
}

void contract_backend(struct xs_handle *xs, const char *kind, unsigned int id,
		      char *out, unsigned int size)
{
	static const char *const states[] = {
		"Unknown", "Initialising", "InitWait", "Initialised",
		"Connected", "Closing", "Closed",
	};
	char *be, *text, clean[160];
	uint64_t st = 0;
	size_t len;
	int n;

	if (xsu_read(xs, XBT_NULL, &be, &len, "device/%s/%u/backend", kind, id)) {
		snprintf(out, size, "xenstore has no device/%s/%u/backend", kind, id);
		return;
	}
	log_clean(clean, sizeof(clean), be, len);
	if (xsu_read_uint(xs, XBT_NULL, &st, 99, "%s/state", be))
		n = snprintf(out, size, "backend %s is gone", clean);
	else
		n = snprintf(out, size, "backend %s is in state %u (%s)", clean,
			     (unsigned int)st, st < 7 ? states[st] : "?");
	if (n > 0 && (unsigned int)n < size &&
	    !xsu_read(xs, XBT_NULL, &text, &len, "%s/hotplug-error", be)) {
		snprintf(out + n, size - n, ": %s",
			 log_clean(clean, sizeof(clean), text, len));
		free(text);
	}
	free(be);
}

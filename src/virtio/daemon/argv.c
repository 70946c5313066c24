// SPDX-License-Identifier: GPL-2.0-or-later
#include "argv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "option.h"

#define JSON_FLAGS (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

static int arg(struct vd_argv *a, const char *text)
{
	if (a->n + 2 > a->room) {
		unsigned int room = a->room ? 2 * a->room : 64;
		char **v = reallocarray(a->v, room, sizeof(*v));

		if (!v)
			return -ENOMEM;
		a->v = v;
		a->room = room;
	}
	a->v[a->n] = text ? strdup(text) : NULL;
	if (!a->v[a->n])
		return -ENOMEM;
	a->v[++a->n] = NULL;
	return 0;
}

/* Takes @text. */
static int arg_owned(struct vd_argv *a, char *text)
{
	int ret = arg(a, text);

	free(text);
	return ret;
}

/* A monitor with a socket, both of this name. */
static int arg_monitor(struct vd_argv *a, const char *name, int fd)
{
	int ret = arg(a, "-chardev");

	if (!ret)
		ret = arg_owned(a, opt_fmt("socket,id=%s,fd=%d,server=on,wait=off", name, fd));
	if (!ret)
		ret = arg(a, "-mon");
	return ret ? ret : arg_owned(a, opt_fmt("chardev=%s,mode=control", name));
}

int vd_argv_base(struct vd_argv *a, const char *qemu, uint32_t domid, const char *guest, int qmp, int events)
{
	static const char *const fixed[] = {
		"-M", "xen-virtio", "-accel", "xen", "-xen-attach", "-nodefaults",
		"-no-user-config", "-display", "none",
		"-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
	};
	char *name = opt_escape(guest);
	int ret = arg(a, qemu);

	for (size_t i = 0; !ret && i < sizeof(fixed) / sizeof(fixed[0]); i++)
		ret = arg(a, fixed[i]);
	if (!ret)
		ret = arg(a, "-xen-domid");
	if (!ret)
		ret = arg_owned(a, opt_fmt("%u", domid));
	if (!ret)
		ret = arg(a, "-name");
	if (!ret)
		ret = name ? arg_owned(a, opt_fmt("guest=%s", name)) : -ENOMEM;
	free(name);
	if (!ret)
		ret = arg_monitor(a, "qmp", qmp);
	/* Events have one of their own: see ioerror.h. */
	return ret ? ret : arg_monitor(a, "events", events);
}

int vd_argv_steps(struct vd_argv *a, const struct vd_steps *st)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < st->n; i++) {
		const struct vd_step *s = &st->step[i];

		ret = arg(a, s->option);
		if (!ret)
			ret = arg(a, s->text ? s->text :
				  json_object_to_json_string_ext(s->args, JSON_FLAGS));
	}
	return ret;
}

void vd_argv_free(struct vd_argv *a)
{
	for (unsigned int i = 0; i < a->n; i++)
		free(a->v[i]);
	free(a->v);
	memset(a, 0, sizeof(*a));
}

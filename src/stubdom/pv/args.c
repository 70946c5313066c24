// SPDX-License-Identifier: GPL-2.0-or-later
#include "args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xen/domain.h"
#include "xen/xs_util.h"

#define WORD_MAX 160
#define VNC_PORT 5900

struct chardev {
	char id[32];
	struct args_monitor m;
};

struct parser {
	struct args *a;
	struct chardev chardev[ARGS_MONITORS];
	unsigned int n_chardevs;
	bool machine, stopped;
};

int args_next(const char **list, char *key, char *value, unsigned int size)
{
	const char *p = *list;
	char *to = key;
	unsigned int n = 0;

	if (!*p)
		return 0;
	*key = *value = '\0';
	for (; *p && (*p != ',' || p[1] == ','); p++) {
		if (*p == ',')
			p++;
		if (*p == '=' && to == key) {
			to = value;
			n = 0;
			continue;
		}
		if (n + 1 >= size)
			return -E2BIG;
		to[n++] = *p;
		to[n] = '\0';
	}
	*list = *p ? p + 1 : p;
	return 1;
}

static int copy(char *to, size_t size, const char *from)
{
	if (strlen(from) >= size)
		return -ENOTSUP;
	strcpy(to, from);
	return 0;
}

static int chardev_key(struct chardev *c, const char *key, const char *value)
{
	uint64_t fd;

	if (!strcmp(key, "id"))
		return copy(c->id, sizeof(c->id), value);
	if (!strcmp(key, "path"))
		return *value == '/' ? copy(c->m.path, sizeof(c->m.path), value) : -ENOTSUP;
	if (!strcmp(key, "fd")) {
		if (xsu_parse_uint(value, 1023, &fd) || fd < 3)
			return -ENOTSUP;
		c->m.fd = (int)fd;
		return 0;
	}
	if ((!strcmp(key, "server") && !strcmp(value, "on")) || (!strcmp(key, "wait") && !strcmp(value, "off")))
		return 0;
	return -ENOTSUP;
}

static int on_chardev(struct parser *p, const char *list)
{
	struct chardev *c = &p->chardev[p->n_chardevs];
	char key[WORD_MAX], value[WORD_MAX];
	int ret;

	if (p->n_chardevs == ARGS_MONITORS || args_next(&list, key, value, sizeof(key)) != 1 || strcmp(key, "socket"))
		return -ENOTSUP;
	*c = (struct chardev){ .m.fd = -1 };
	while ((ret = args_next(&list, key, value, sizeof(key))) > 0) {
		ret = chardev_key(c, key, value);
		if (ret)
			return ret;
	}
	if (ret || !c->id[0] || (c->m.fd < 0) == !c->m.path[0])
		return -ENOTSUP;
	p->n_chardevs++;
	return 0;
}

static int on_mon(struct parser *p, const char *list)
{
	char key[WORD_MAX], value[WORD_MAX];
	struct args *a = p->a;

	if (a->n_monitors == ARGS_MONITORS || args_next(&list, key, value, sizeof(key)) != 1 || strcmp(key, "chardev") ||
	    strcmp(list, "mode=control"))
		return -ENOTSUP;
	for (unsigned int i = 0; i < p->n_chardevs; i++)
		if (!strcmp(p->chardev[i].id, value)) {
			a->monitor[a->n_monitors++] = p->chardev[i].m;
			return 0;
		}
	return -EINVAL;
}

static int on_machine(struct parser *p, const char *list)
{
	char key[WORD_MAX], value[WORD_MAX];

	if (p->machine || args_next(&list, key, value, sizeof(key)) != 1)
		return -ENOTSUP;
	p->machine = true;
	p->a->probe = !strcmp(key, "none");
	return (p->a->probe && !strcmp(list, "accel=xen")) || (!strcmp(key, "xenpv") && !*list) ? 0 : -ENOTSUP;
}

static int on_domid(struct parser *p, const char *text)
{
	uint64_t domid;

	if (xsu_parse_uint(text, DOMID_LIMIT - 1, &domid))
		return -EINVAL;
	p->a->domid = (uint32_t)domid;
	return domid ? 0 : -EINVAL;
}

static int on_name(struct parser *p, const char *text)
{
	p->a->name = text;
	return 0;
}

/* "HOST:DISPLAY" */
static int vnc_place(struct args_vnc *v, const char *text)
{
	const char *colon = strrchr(text, ':');
	uint64_t display;

	if (!colon || (size_t)(colon - text) >= sizeof(v->host) || xsu_parse_uint(colon + 1, 65535 - VNC_PORT, &display))
		return -ENOTSUP;
	memcpy(v->host, text, (size_t)(colon - text));
	v->first = v->last = VNC_PORT + (uint32_t)display;
	return 0;
}

static int vnc_key(struct args_vnc *v, const char *key, const char *value)
{
	uint64_t to;

	if (!strcmp(key, "password") && !strcmp(value, "on")) {
		v->password = true;
		return 0;
	}
	if (strcmp(key, "to") || xsu_parse_uint(value, 65535 - VNC_PORT, &to))
		return -ENOTSUP;
	/* QEMU counts from display 0. */
	v->last = VNC_PORT + (uint32_t)to < v->first ? v->first : VNC_PORT + (uint32_t)to;
	return 0;
}

static int on_vnc(struct parser *p, const char *list)
{
	struct args_vnc *v = &p->a->vnc;
	char key[WORD_MAX], value[WORD_MAX];
	int ret;

	*v = (struct args_vnc){ .wanted = strcmp(list, "none") };
	if (!v->wanted)
		return 0;
	if (args_next(&list, key, value, sizeof(key)) != 1 || *value)
		return -ENOTSUP;
	ret = vnc_place(v, key);
	while (!ret && (ret = args_next(&list, key, value, sizeof(key))) > 0)
		ret = vnc_key(v, key, value);
	return ret ? -ENOTSUP : 0;
}

static int on_keymap(struct parser *p, const char *text)
{
	p->a->keymap = text;
	return 0;
}

static int on_display(struct parser *p, const char *text)
{
	(void)p;
	return strcmp(text, "none") ? -ENOTSUP : 0;
}

static int on_memory(struct parser *p, const char *text)
{
	uint64_t mib;

	(void)p;
	return xsu_parse_uint(text, UINT32_MAX, &mib);
}

static int on_stopped(struct parser *p, const char *text)
{
	(void)text;
	p->stopped = true;
	return 0;
}

static int on_nothing(struct parser *p, const char *text)
{
	(void)p;
	(void)text;
	return 0;
}

static const struct option {
	const char *name;
	bool arg;
	int (*fn)(struct parser *p, const char *arg);
} options[] = {
	{ "-xen-domid", true, on_domid }, { "-chardev", true, on_chardev }, { "-mon", true, on_mon },
	{ "-name", true, on_name }, { "-vnc", true, on_vnc }, { "-display", true, on_display },
	{ "-k", true, on_keymap }, { "-machine", true, on_machine }, { "-m", true, on_memory },
	{ "-S", false, on_stopped }, { "-no-shutdown", false, on_nothing }, { "-nodefaults", false, on_nothing },
	{ "-no-user-config", false, on_nothing }, { "-xen-attach", false, on_nothing },
	{ "-nographic", false, on_nothing },
};

static const struct option *find(const char *name)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (!strcmp(options[i].name, name))
			return &options[i];
	return NULL;
}

int args_parse(int argc, char **argv, struct args *a)
{
	struct parser p = { .a = a };

	*a = (struct args){ 0 };
	for (int i = 1; i < argc; i++) {
		const struct option *o = find(argv[i]);
		int ret = o ? 0 : -ENOTSUP;

		a->unknown = argv[i];
		if (o && o->arg && i + 1 == argc)
			return -EINVAL;
		if (o)
			ret = o->fn(&p, o->arg ? argv[++i] : NULL);
		if (ret)
			return ret;
	}
	a->unknown = NULL;
	if (!p.machine || !a->n_monitors || (!a->probe && !a->domid))
		return -EINVAL;
	/* libxl asks such a one whether it is ready: for dm_restrict=, which a stubdomain has not. */
	if (!a->probe && p.stopped) {
		a->unknown = "-S";
		return -ENOTSUP;
	}
	return 0;
}

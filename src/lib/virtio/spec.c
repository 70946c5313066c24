// SPDX-License-Identifier: GPL-2.0-or-later
#include "spec.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "xen/xs_util.h"

#define TYPES "1 net, 2 block, 3 console, 4 rng, 9 9p"

struct parse {
	struct vd_spec *s;
	char *error;
	uint32_t seen;		/* bits of keys[] */
};

static int bad(struct parse *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int bad(struct parse *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->error, VD_ERROR_MAX, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* ---- values ---- */

static int take_text(struct parse *p, const char *key, const char *v, char *to, size_t size)
{
	if (!*v)
		return bad(p, "%s= is empty: give it a value", key);
	if (strlen(v) >= size)
		return bad(p, "%s= is longer than %zu bytes: shorten it", key, size - 1);
	strcpy(to, v);
	return 0;
}

static int take_number(struct parse *p, const char *key, const char *v, uint64_t min,
		       uint64_t max, unsigned int *to)
{
	uint64_t n;

	if (xsu_parse_uint(v, max, &n) || n < min)
		return bad(p, "%s=%.32s: give a number from %llu to %llu", key, v,
			   (unsigned long long)min, (unsigned long long)max);
	*to = (unsigned int)n;
	return 0;
}

/* A key without a value says yes. */
static int take_bool(struct parse *p, const char *key, const char *v, bool *to)
{
	if (!v || !strcmp(v, "1") || !strcmp(v, "on") || !strcmp(v, "yes"))
		*to = true;
	else if (!strcmp(v, "0") || !strcmp(v, "off") || !strcmp(v, "no"))
		*to = false;
	else
		return bad(p, "%s=%.32s: give on or off", key, v);
	return 0;
}

static int take_path(struct parse *p, const char *key, const char *v)
{
	if (*v && *v != '/')
		return bad(p, "%s=%.100s is not an absolute path: begin it with /", key, v);
	return take_text(p, key, v, p->s->path, sizeof(p->s->path));
}

static int take_bridge(struct parse *p, const char *v)
{
	int ret = take_text(p, "bridge", v, p->s->bridge, sizeof(p->s->bridge));

	if (ret)
		return ret;
	/* dev_valid_name() */
	if (strpbrk(v, "/: ") || !strcmp(v, ".") || !strcmp(v, ".."))
		return bad(p, "bridge=%s is not the name of an interface: see 'ip link show type bridge'", v);
	return 0;
}

static int hex(char c)
{
	const char *digits = "0123456789abcdef", *at;

	at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;
	return at ? (int)(at - digits) : -1;
}

static int take_mac(struct parse *p, const char *v)
{
	uint8_t *mac = p->s->mac;

	if (strlen(v) != 17)
		goto wrong;
	for (int i = 0; i < 6; i++) {
		int a = hex(v[3 * i]), b = hex(v[3 * i + 1]);

		if (a < 0 || b < 0 || (i < 5 && v[3 * i + 2] != ':'))
			goto wrong;
		mac[i] = (uint8_t)(a << 4 | b);
	}
	if (mac[0] & 1)
		return bad(p, "mac=%s is a group address: use one of 00:16:3e:xx:xx:xx", v);
	if (!memcmp(mac, "\0\0\0\0\0", 6))
		return bad(p, "mac=%s is not an address: use one of 00:16:3e:xx:xx:xx", v);
	return 0;
wrong:
	return bad(p, "mac=%.32s is not six hexadecimal bytes: use one of 00:16:3e:xx:xx:xx", v);
}

static int take_format(struct parse *p, const char *v)
{
	if (!strcmp(v, "raw"))
		p->s->format = VD_RAW;
	else if (!strcmp(v, "qcow2"))
		p->s->format = VD_QCOW2;
	else
		return bad(p, "format=%.32s: give raw or qcow2", v);
	return 0;
}

static int take_aio(struct parse *p, const char *v)
{
	if (!strcmp(v, "threads"))
		p->s->aio = VD_AIO_THREADS;
	else if (!strcmp(v, "native"))
		p->s->aio = VD_AIO_NATIVE;
	else if (!strcmp(v, "io_uring"))
		p->s->aio = VD_AIO_IO_URING;
	else
		return bad(p, "aio=%.32s: give threads, native or io_uring", v);
	return 0;
}

static int take_cache(struct parse *p, const char *v)
{
	if (!strcmp(v, "none"))
		p->s->cached = false;
	else if (!strcmp(v, "writeback"))
		p->s->cached = true;
	else
		return bad(p, "cache=%.32s: give none or writeback", v);
	return 0;
}

static int take_vhost(struct parse *p, const char *v)
{
	bool on;
	int ret = take_bool(p, "vhost", v, &on);

	if (!ret)
		p->s->vhost = on ? VD_VHOST_ON : VD_VHOST_OFF;
	return ret;
}

static int take_security(struct parse *p, const char *v)
{
	if (!strcmp(v, "mapped"))
		p->s->mapped = true;
	else if (!strcmp(v, "none"))
		p->s->mapped = false;
	else
		return bad(p, "security=%.32s: give mapped or none", v);
	return 0;
}

/* ---- keys ---- */

enum key {
	BRIDGE, MAC, MTU, QUEUES, PATH, FORMAT, READONLY, SERIAL, DISCARD, AIO,
	CACHE, TAG, SECURITY, RATE, PACKED, VHOST, N_KEYS
};

#define T(type) (1u << VD_##type)

static const struct {
	const char *name;
	uint32_t types;
	bool flag;	/* the value may be left out */
} keys[N_KEYS] = {
	[BRIDGE] = { "bridge", T(NET), false },
	[MAC] = { "mac", T(NET), false },
	[MTU] = { "mtu", T(NET), false },
	[QUEUES] = { "queues", T(NET) | T(BLOCK), false },
	[PATH] = { "path", T(BLOCK) | T(9P), false },
	[FORMAT] = { "format", T(BLOCK), false },
	[READONLY] = { "readonly", T(BLOCK) | T(9P), true },
	[SERIAL] = { "serial", T(BLOCK), false },
	[DISCARD] = { "discard", T(BLOCK), true },
	[AIO] = { "aio", T(BLOCK), false },
	[CACHE] = { "cache", T(BLOCK), false },
	[TAG] = { "tag", T(9P), false },
	[SECURITY] = { "security", T(9P), false },
	[RATE] = { "rate", T(RNG), false },
	[PACKED] = { "packed", T(NET) | T(BLOCK), true },
	[VHOST] = { "vhost", T(NET), true },
};

static int take(struct parse *p, enum key k, const char *v)
{
	struct vd_spec *s = p->s;
	const char *name = keys[k].name;

	switch (k) {
	case BRIDGE: return take_bridge(p, v);
	case MAC: return take_mac(p, v);
	case MTU: return take_number(p, name, v, 68, 65535, &s->mtu);
	case QUEUES: return take_number(p, name, v, 1, VD_QUEUES_MAX, &s->queues);
	case PATH: return take_path(p, name, v);
	case FORMAT: return take_format(p, v);
	case READONLY: return take_bool(p, name, v, &s->readonly);
	case SERIAL: return take_text(p, name, v, s->serial, sizeof(s->serial));
	case DISCARD: return take_bool(p, name, v, &s->discard);
	case AIO: return take_aio(p, v);
	case CACHE: return take_cache(p, v);
	case TAG: return take_text(p, name, v, s->tag, sizeof(s->tag));
	case SECURITY: return take_security(p, v);
	case RATE: return take_number(p, name, v, 1, 1u << 30, &s->rate);
	case PACKED: return take_bool(p, name, v, &s->packed);
	case VHOST: return take_vhost(p, v);
	case N_KEYS: break;
	}
	return -EINVAL;
}

static int unknown_key(struct parse *p, const char *key)
{
	char known[128] = "";

	for (int i = 0; i < N_KEYS; i++) {
		size_t n = strlen(known);

		if (keys[i].types & (1u << p->s->type))
			snprintf(known + n, sizeof(known) - n, "%s%s", n ? ", " : "",
				 keys[i].name);
	}
	if (!*known)
		return bad(p, "%.32s: a %s device has no parameters: leave it out", key,
			   vd_type_name(p->s->type));
	return bad(p, "%.32s: no parameter of a %s device: give one of %s", key,
		   vd_type_name(p->s->type), known);
}

/* "KEY=VALUE" or "KEY". */
static int parameter(struct parse *p, char *text)
{
	char *v = strchr(text, '=');

	if (v)
		*v++ = '\0';
	for (int i = 0; i < N_KEYS; i++) {
		if (strcmp(keys[i].name, text) || !(keys[i].types & (1u << p->s->type)))
			continue;
		if (p->seen & (1u << i))
			return bad(p, "%s= is given twice: leave one out", text);
		if (!v && !keys[i].flag)
			return bad(p, "%s has no value: write %s=...", text, text);
		p->seen |= 1u << i;
		return take(p, (enum key)i, v);
	}
	return unknown_key(p, text);
}

static bool has(const struct parse *p, enum key k)
{
	return p->seen & (1u << k);
}

static int check_net(struct parse *p)
{
	if (!has(p, BRIDGE))
		return bad(p, "no bridge: add ;bridge=NAME, see 'ip link show type bridge'");
	if (!has(p, MAC))
		return bad(p, "no address: add ;mac=00:16:3e:xx:xx:xx");
	if (p->s->packed && p->s->vhost == VD_VHOST_ON)
		return bad(p, "vhost=on has no packed rings: leave one of the two out");
	return 0;
}

static int check_block(struct parse *p)
{
	if (!has(p, PATH))
		return bad(p, "no path: add ;path=/dev/... or the path of an image");
	if (p->s->cached && p->s->aio == VD_AIO_NATIVE)
		return bad(p, "aio=native needs cache=none: leave one of the two out");
	return 0;
}

static int check_9p(struct parse *p)
{
	if (!has(p, PATH))
		return bad(p, "no path: add ;path= and the directory");
	if (!has(p, TAG))
		return bad(p, "no tag: add ;tag= and the name the guest mounts it by");
	return 0;
}

static void defaults(struct vd_spec *s, enum vd_type type)
{
	memset(s, 0, sizeof(*s));
	s->type = type;
	s->queues = type == VD_BLOCK ? 2 : 1;
	s->discard = type == VD_BLOCK;
	s->mapped = true;
}

/* "virtio,device<N>" */
static int parse_type(struct parse *p, const char *text)
{
	static const char prefix[] = "virtio,device";
	size_t n = sizeof(prefix) - 1;
	uint64_t type;

	if (strncmp(text, prefix, n) || xsu_parse_uint(text + n, 65535, &type))
		return bad(p, "'%.64s': begin it with virtio,device and a number (" TYPES ")", text);
	if (type > 31 || !strcmp(vd_type_name((enum vd_type)type), "?"))
		return bad(p, "device%u is not supported: choose one of " TYPES, (unsigned int)type);
	defaults(p->s, (enum vd_type)type);
	return 0;
}

int vd_spec_parse(const char *text, struct vd_spec *s, char *error)
{
	struct parse p = { .s = s, .error = error };
	char copy[XSU_VALUE_MAX + 1], *rest = copy, *part;
	int ret;

	*error = '\0';
	if (strlen(text) >= sizeof(copy))
		return bad(&p, "longer than %d bytes: shorten it", XSU_VALUE_MAX);
	for (const char *c = text; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			return bad(&p, "a byte that is not printable ASCII: leave it out");
	strcpy(copy, text);
	ret = parse_type(&p, strsep(&rest, ";"));
	while (!ret && (part = strsep(&rest, ";")))
		/* A ';' too many does no harm. */
		ret = *part ? parameter(&p, part) : 0;
	if (ret)
		return ret;
	switch (s->type) {
	case VD_NET: return check_net(&p);
	case VD_BLOCK: return check_block(&p);
	case VD_9P: return check_9p(&p);
	case VD_CONSOLE: case VD_RNG: break;
	}
	return 0;
}

int vd_spec_disk(const struct vd_disk_nodes *n, struct vd_spec *s, char *error)
{
	struct parse p = { .s = s, .error = error };
	int ret;

	*error = '\0';
	defaults(s, VD_BLOCK);
	if (!n->params || !*n->params)
		return bad(&p, "no target: add target=/dev/... to its disk line");
	for (const char *c = n->params; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			return bad(&p, "target has a byte that is not printable ASCII: give it another name");
	ret = take_path(&p, "target", n->params);
	if (ret)
		return ret;
	if (n->device_type && !strcmp(n->device_type, "cdrom"))
		return bad(&p, "virtio has no CD drives: use access=ro, or leave specification=virtio out");
	/* As libxl writes it: "w" and "r"; nothing is written to by mistake. */
	s->readonly = !n->mode || strcmp(n->mode, "w");
	s->discard = n->discard && !strcmp(n->discard, "1");
	return 0;
}

/* ---- names ---- */

static const char *const type_names[] = {
	[VD_NET] = "net", [VD_BLOCK] = "block", [VD_CONSOLE] = "console",
	[VD_RNG] = "rng", [VD_9P] = "9p",
};

#define N_TYPES (sizeof(type_names) / sizeof(type_names[0]))

const char *vd_type_name(enum vd_type type)
{
	if ((unsigned int)type >= N_TYPES || !type_names[type])
		return "?";
	return type_names[type];
}

enum vd_type vd_type_by_name(const char *name, size_t len)
{
	for (size_t i = 0; i < N_TYPES; i++)
		if (type_names[i] && strlen(type_names[i]) == len &&
		    !strncmp(type_names[i], name, len))
			return (enum vd_type)i;
	return (enum vd_type)0;
}

char *vd_spec_what(const struct vd_spec *s, char *buf, size_t size)
{
	const uint8_t *m = s->mac;

	switch (s->type) {
	case VD_NET:
		snprintf(buf, size, "bridge=%s mac=%02x:%02x:%02x:%02x:%02x:%02x", s->bridge,
			 m[0], m[1], m[2], m[3], m[4], m[5]);
		break;
	case VD_BLOCK:
		snprintf(buf, size, "%s %s%s", s->path, s->format == VD_QCOW2 ? "qcow2" : "raw",
			 s->readonly ? " readonly" : "");
		break;
	case VD_9P:
		snprintf(buf, size, "%s tag=%s%s", s->path, s->tag, s->readonly ? " readonly" : "");
		break;
	case VD_RNG:
		snprintf(buf, size, "/dev/urandom");
		break;
	default:
		snprintf(buf, size, "%s", "");
	}
	return buf;
}

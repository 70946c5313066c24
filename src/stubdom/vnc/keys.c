// SPDX-License-Identifier: GPL-2.0-or-later
#include "keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xkbcommon/xkbcommon.h>

#include "base/array.h"

struct key {
	xkb_keysym_t sym;
	uint32_t code, level;
};

static struct key *keys;
static size_t n_keys;

const char *keys_layout(const char *keymap, char *buf)
{
	static const char *const other[][2] = {
		{ "", "us" }, { "en-us", "us" }, { "en-gb", "gb" }, { "de-ch", "ch" }, { "fr-ch", "ch" }, { "fr-be", "be" },
		{ "nl-be", "be" }, { "fr-ca", "ca" }, { "pt-br", "br" }, { "sv", "se" }, { "da", "dk" }, { "et", "ee" },
		{ "ja", "jp" }, { "sl", "si" },
	};
	size_t n = strlen(keymap);

	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		if (!strcmp(keymap, other[i][0]))
			return other[i][1];
	/* Names of countries and languages: no path, no rule of xkb's. */
	if (n >= 16 || strspn(keymap, "abcdefghijklmnopqrstuvwxyz") != n)
		return "us";
	return strcpy(buf, keymap);
}

static int add(xkb_keysym_t sym, uint32_t code, uint32_t level)
{
	void *more = array_grow(keys, n_keys, sizeof(*keys));

	if (!more)
		return -ENOMEM;
	keys = more;
	keys[n_keys++] = (struct key){ sym, code, level };
	return 0;
}

static int add_all(struct xkb_keymap *map)
{
	int ret = 0;

	/* xkb counts keys from 8 on. */
	for (xkb_keycode_t code = 8; code < 256 && !ret; code++) {
		xkb_level_index_t levels = xkb_keymap_num_levels_for_key(map, code, 0);

		for (xkb_level_index_t level = 0; level < levels && !ret; level++) {
			const xkb_keysym_t *syms;
			int n = xkb_keymap_key_get_syms_by_level(map, code, 0, level, &syms);

			for (int i = 0; i < n && !ret; i++)
				ret = add(syms[i], code - 8, level);
		}
	}
	return ret;
}

/* By symbol; the plainest way to type it first. */
static int by_sym(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	if (x->sym != y->sym)
		return x->sym < y->sym ? -1 : 1;
	if (x->level != y->level)
		return x->level < y->level ? -1 : 1;
	return x->code < y->code ? -1 : x->code > y->code;
}

int keys_load(const char *keymap)
{
	char buf[16];
	const struct xkb_rule_names names = {
		.rules = "evdev", .model = "pc105", .layout = keys_layout(keymap, buf),
		.variant = strcmp(keymap, "fr-ch") ? "" : "fr", .options = "",
	};
	struct xkb_context *ctx = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
	struct xkb_keymap *map = ctx ? xkb_keymap_new_from_names(ctx, &names, XKB_KEYMAP_COMPILE_NO_FLAGS) : NULL;
	int ret = map ? add_all(map) : ctx ? -ENOENT : -ENOMEM;

	xkb_keymap_unref(map);
	xkb_context_unref(ctx);
	qsort(keys, n_keys, sizeof(*keys), by_sym);
	return ret;
}

uint32_t keys_find(uint32_t keysym)
{
	size_t low = 0, high = n_keys;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (keys[mid].sym < keysym)
			low = mid + 1;
		else
			high = mid;
	}
	return low < n_keys && keys[low].sym == keysym ? keys[low].code : 0;
}

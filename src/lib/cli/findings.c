// SPDX-License-Identifier: GPL-2.0-or-later
#include "findings.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

void found(struct findings *fs, enum level level, const char *id,
	   const char *fix, const char *fmt, ...)
{
	struct finding *f;
	va_list ap;
	char text[1024];

	fs->f = xgrow(fs->f, fs->n, sizeof(*f));
	f = &fs->f[fs->n++];
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f->level = level;
	f->id = id;
	f->text = xstrdup(text);
	f->fix = fix ? xstrdup(fix) : NULL;
}

enum level findings_worst(const struct findings *fs)
{
	enum level worst = FINE;

	for (size_t i = 0; i < fs->n; i++)
		if (fs->f[i].level > worst)
			worst = fs->f[i].level;
	return worst;
}

static void print_json(const struct findings *fs)
{
	static const char *const level[] = { "ok", "advice", "fail" };
	json_object *top = json_object_new_object();
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < fs->n; i++) {
		const struct finding *f = &fs->f[i];
		json_object *o = json_object_new_object();

		json_object_object_add(o, "id", json_object_new_string(f->id));
		json_object_object_add(o, "result",
				       json_object_new_string(level[f->level]));
		json_object_object_add(o, "text", json_object_new_string(f->text));
		json_object_object_add(o, "fix", f->fix
				       ? json_object_new_string(f->fix) : NULL);
		json_object_array_add(list, o);
	}
	json_object_object_add(top, "ok",
			       json_object_new_boolean(findings_worst(fs) != BROKEN));
	json_object_object_add(top, "checks", list);
	puts(json_object_to_json_string_ext(top, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(top);
}

void findings_print(const struct findings *fs, bool json)
{
	static const char *const mark[] = { "ok  ", "note", "FAIL" };

	if (json) {
		print_json(fs);
		return;
	}
	for (size_t i = 0; i < fs->n; i++) {
		const struct finding *f = &fs->f[i];

		printf("%s  %s%s%s\n", mark[f->level], f->text,
		       f->fix ? ": " : "", f->fix ? f->fix : "");
	}
}

void findings_free(struct findings *fs)
{
	for (size_t i = 0; i < fs->n; i++) {
		free(fs->f[i].text);
		free(fs->f[i].fix);
	}
	free(fs->f);
	memset(fs, 0, sizeof(*fs));
}

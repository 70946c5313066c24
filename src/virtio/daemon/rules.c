// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file.h"
#include "virtio/ids.h"

#ifndef VD_SYSTEMD_DIR
#define VD_SYSTEMD_DIR "/run/systemd"	/* a test has its own */
#endif
#define DROPIN_DIR VD_SYSTEMD_DIR "/system/" VD_UNIT ".d"
#define DROPIN DROPIN_DIR "/50-xen-virtiod.conf"
/* Where systemd keeps what SetUnitProperties() has set, as a list that is whole. */
#define CONTROL_DIR VD_SYSTEMD_DIR "/system.control/" VD_UNIT ".d"
#define CONTROL CONTROL_DIR "/50-DeviceAllow.conf"

/* ---- rules ---- */

bool vd_rule_make(struct vd_rule *rule, const struct vd_spec *s, const struct vd_found *found)
{
	memset(rule, 0, sizeof(*rule));
	if (s->type != VD_BLOCK && s->type != VD_9P)
		return false;
	rule->dev = found->dev;
	/* The backend sees all of /dev, and opens what it may. */
	rule->bind = !found->dev || strncmp(s->path, "/dev/", 5);
	strcpy(rule->path, s->path);
	rule->readonly = s->readonly;
	return true;
}

char *vd_rule_device(char buf[VD_RULE_DEVICE_MAX], const struct vd_rule *rule)
{
	snprintf(buf, VD_RULE_DEVICE_MAX, VD_RULE_DEVICE "%u:%u", major(rule->dev), minor(rule->dev));
	return buf;
}

const char *vd_rule_access(const struct vd_rule *rule)
{
	return rule->readonly ? "r" : "rw";
}

static struct vd_rule *same_device(const struct vd_rules *r, const struct vd_rule *rule)
{
	for (unsigned int i = 0; rule->dev && i < r->n; i++)
		if (r->rule[i].dev == rule->dev)
			return &r->rule[i];
	return NULL;
}

int vd_rules_add(struct vd_rules *r, const struct vd_rule *rule)
{
	struct vd_rule *more = same_device(r, rule), add = *rule;

	/* Once for each device: of two entries systemd takes the last. */
	if (more) {
		more->readonly &= rule->readonly;
		add.dev = 0;
		if (!add.bind)
			return 0;
	}
	more = reallocarray(r->rule, r->n + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	r->rule = more;
	r->rule[r->n++] = add;
	return 0;
}

void vd_rules_free(struct vd_rules *r)
{
	free(r->rule);
	memset(r, 0, sizeof(*r));
}

/* ---- the drop-in ---- */

/* Within quotes a colon, which separates paths, is a character like others. */
static void put_path(FILE *f, const char *path)
{
	fputc('"', f);
	for (; *path; path++) {
		if (*path == '"' || *path == '\\')
			fputc('\\', f);
		if (*path == '%')
			fputc('%', f);
		fputc(*path, f);
	}
	fputs("\"\n", f);
}

char *vd_rules_text(const struct vd_rules *r)
{
	char *text = NULL, dev[VD_RULE_DEVICE_MAX];
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fputs("# Written by xen-virtiod for this guest's devices: see xen-virtiod(8).\n[Service]\n", f);
	for (unsigned int i = 0; i < r->n; i++) {
		const struct vd_rule *rule = &r->rule[i];

		if (rule->dev)
			fprintf(f, "DeviceAllow=%s %s\n", vd_rule_device(dev, rule), vd_rule_access(rule));
		if (rule->bind) {
			fputs(rule->readonly ? "BindReadOnlyPaths=" : "BindPaths=", f);
			put_path(f, rule->path);
		}
	}
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

/* systemd may read it at any time: whole, or not at all. */
static int replace(uint32_t domid, const char *text)
{
	char path[160], next[160];
	int fd, ret;

	snprintf(path, sizeof(path), DROPIN, domid);
	snprintf(next, sizeof(next), DROPIN ".new", domid);
	fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	ret = write_all(fd, text, strlen(text));
	/* Whatever the umask: systemd warns of files that not all may read. */
	if (!ret && fchmod(fd, 0644))
		ret = -errno;
	if (close(fd) && !ret)
		ret = -errno;
	if (!ret && rename(next, path))
		ret = -errno;
	if (ret)
		unlink(next);
	return ret;
}

static void forget_control(uint32_t domid)
{
	char path[160];

	snprintf(path, sizeof(path), CONTROL, domid);
	unlink(path);
	snprintf(path, sizeof(path), CONTROL_DIR, domid);
	rmdir(path);
}

int vd_rules_write(const struct vd_rules *r, uint32_t domid)
{
	char path[160], *text = vd_rules_text(r);
	int ret = text ? 0 : -ENOMEM;

	/* It may be of an earlier guest with that number. */
	forget_control(domid);
	snprintf(path, sizeof(path), DROPIN_DIR, domid);
	if (!ret && ((mkdir(path, 0755) && errno != EEXIST) || chmod(path, 0755)))
		ret = -errno;
	if (!ret)
		ret = replace(domid, text);
	free(text);
	return ret;
}

void vd_rules_remove(uint32_t domid)
{
	char path[160];

	forget_control(domid);
	snprintf(path, sizeof(path), DROPIN, domid);
	unlink(path);
	snprintf(path, sizeof(path), DROPIN_DIR, domid);
	rmdir(path);
}

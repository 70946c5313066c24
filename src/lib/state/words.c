// SPDX-License-Identifier: GPL-2.0-or-later
#include "words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "xen/xs_util.h"

bool state_is_tag(const char *text)
{
	return strlen(text) == STATE_DISK_TAG_LEN &&
	       strspn(text, "0123456789abcdef") == STATE_DISK_TAG_LEN;
}

/* The word at *@text, and *@text behind the blank after it; -EINVAL when it does not fit. */
static int word(const char **text, char *out, size_t size)
{
	size_t n = strcspn(*text, " ");

	if (!n || n >= size)
		return -EINVAL;
	memcpy(out, *text, n);
	out[n] = '\0';
	*text += n;
	if (!**text)
		return 0;
	++*text;
	return **text ? 0 : -EINVAL;
}

static int number(const char **text, uint64_t max, uint64_t *out)
{
	char digits[24];
	int ret = word(text, digits, sizeof(digits));

	return ret ? ret : xsu_parse_uint(digits, max, out);
}

static int take_tag(const char **text, char tag[STATE_DISK_TAG_LEN + 1])
{
	int ret = word(text, tag, STATE_DISK_TAG_LEN + 1);

	return ret || !state_is_tag(tag) ? -EINVAL : 0;
}

int state_want_parse(const char *text, char tag[STATE_DISK_TAG_LEN + 1])
{
	if (strncmp(text, "save ", 5) || !state_is_tag(text + 5))
		return -EINVAL;
	strcpy(tag, text + 5);
	return 0;
}

bool state_is_devid(uint32_t devid)
{
	return devid >= STATE_DISK_DEVID && !((devid - STATE_DISK_DEVID) % STATE_DISK_DEVID_STEP) &&
	       (devid - STATE_DISK_DEVID) / STATE_DISK_DEVID_STEP < STATE_DISK_DEVIDS;
}

uint32_t state_next_devid(uint32_t devid)
{
	devid += STATE_DISK_DEVID_STEP;
	return state_is_devid(devid) ? devid : STATE_DISK_DEVID;
}

static int take_devid(const char **text, uint32_t *devid)
{
	uint64_t n;
	int ret = number(text, UINT32_MAX, &n);

	if (ret || !state_is_devid(n))
		return -EINVAL;
	*devid = n;
	return 0;
}

int state_disk_parse(const char *text, struct state_disk *out)
{
	if (take_tag(&text, out->tag) || take_devid(&text, &out->devid) ||
	    number(&text, (uint64_t)STATE_DISK_LIMIT_MAX << 20, &out->limit) || !out->limit || *text)
		return -EINVAL;
	return 0;
}

/* Printable, not too long, not empty. */
static int take_reason(const char *text, const char **reason)
{
	size_t n = strlen(text);

	for (const char *p = text; *p; p++)
		if (*p < ' ' || *p > '~')
			return -EINVAL;
	*reason = text;
	return n && n <= STATE_DISK_REASON_MAX ? 0 : -EINVAL;
}

int state_result_parse(const char *text, char tag[STATE_DISK_TAG_LEN + 1], const char **reason)
{
	*reason = NULL;
	if (take_tag(&text, tag))
		return -EINVAL;
	if (!strcmp(text, "ok"))
		return 0;
	return strncmp(text, "error ", 6) ? -EINVAL : take_reason(text + 6, reason);
}

int state_restore_parse(const char *text, struct state_restore *out)
{
	*out = (struct state_restore){ .kind = STATE_RESTORE_WAIT };
	if (!strcmp(text, "wait"))
		return 0;
	out->kind = STATE_RESTORE_CONSOLE;
	if (!strcmp(text, "console"))
		return 0;
	out->kind = STATE_RESTORE_REFUSED;
	if (!strncmp(text, "refused ", 8))
		return take_reason(text + 8, &out->reason);
	out->kind = STATE_RESTORE_DISK;
	return take_devid(&text, &out->devid) || *text ? -EINVAL : 0;
}

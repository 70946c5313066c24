// SPDX-License-Identifier: GPL-2.0-or-later
#include "vbd.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int vbd_decode(unsigned int devid, unsigned int *disk, unsigned int *part)
{
	unsigned int major = devid >> 8, minor = devid & 0xff;

	if (devid & (1u << 28)) {
		/* extended: (1 << 28) | disk << 8 | partition */
		if (devid >> 29)
			return -EINVAL;
		*disk = (devid >> 8) & 0xfffff;
		*part = minor;
		return 0;
	}
	switch (major) {
	case 3:		/* hda, hdb */
	case 22:	/* hdc, hdd */
		*disk = (major == 22 ? 2 : 0) + (minor >> 6);
		*part = minor & 0x3f;
		return minor >> 6 > 1 ? -EINVAL : 0;
	case 8:		/* sda to sdp */
	case 202:	/* xvda to xvdp */
		*disk = minor >> 4;
		*part = minor & 0xf;
		return 0;
	}
	return -EINVAL;
}

void vbd_vdev(unsigned int devid, char *out, size_t size)
{
	const char *prefix = "xvd";
	unsigned int disk, part, major = devid >> 8;
	char letters[3] = "";

	if (vbd_decode(devid, &disk, &part) || disk >= 26 + 26 * 26) {
		snprintf(out, size, "vbd %u", devid);
		return;
	}
	if (major == 3 || major == 22)
		prefix = "hd";
	else if (major == 8)
		prefix = "sd";
	if (disk >= 26)
		letters[0] = 'a' + disk / 26 - 1;
	letters[strlen(letters)] = 'a' + disk % 26;
	if (part)
		snprintf(out, size, "%s%s%u", prefix, letters, part);
	else
		snprintf(out, size, "%s%s", prefix, letters);
}

/* DEVPATH=/devices/vbd-5632/block/xvdc and nothing below it. */
static bool parse_devpath(const char *v, struct vbd_event *ev)
{
	const char *p = strstr(v, "/vbd-");
	unsigned long n;
	char *end;

	if (!p || p[5] < '0' || p[5] > '9')
		return false;
	n = strtoul(p + 5, &end, 10);
	if (n > 0x1fffffff || strncmp(end, "/block/", 7))
		return false;
	end += 7;
	if (!*end || strchr(end, '/') || strlen(end) >= sizeof(ev->dev))
		return false;
	ev->devid = n;
	strcpy(ev->dev, end);
	return true;
}

int vbd_uevent(const char *msg, size_t len, struct vbd_event *ev)
{
	bool block = false, disk = false, path = false;
	int dir = 0;

	if (!len || msg[len - 1] != '\0')
		return 0;
	for (const char *p = msg; p < msg + len; p += strlen(p) + 1) {
		if (!strcmp(p, "ACTION=add"))
			dir = 1;
		else if (!strcmp(p, "ACTION=remove"))
			dir = -1;
		else if (!strcmp(p, "SUBSYSTEM=block"))
			block = true;
		else if (!strcmp(p, "DEVTYPE=disk"))
			disk = true;
		else if (!strncmp(p, "DEVPATH=", 8))
			path = parse_devpath(p + 8, ev);
	}
	return block && disk && path ? dir : 0;
}

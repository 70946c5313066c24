// SPDX-License-Identifier: GPL-2.0-or-later
#include "saves.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "savefile.h"
#include "stubdom.h"
#include "xen/xs_util.h"

/* States put in place in a second. */
#define SAVES_PER_SECOND 2

struct saved {
	uint32_t stub;
	const char *text;
};

/* Only below a domain that is still there. */
static int write_saved(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct saved *a = arg;
	int ret;

	if (!xsu_exists(xs, t, "/local/domain/%u/vm", a->stub))
		return -ENOENT;
	ret = xsu_write(xs, t, a->text, "/local/domain/%u/" STUBDOM_DATA "/saved", a->stub);
	return ret ? ret : 1;
}

/* What the stubdomain asks for; false when that is nothing (any more). */
static bool read_save(const struct host *h, struct stub *s, struct save_ask *ask)
{
	char *v;
	int ret = xsu_read(h->xs, XBT_NULL, &v, NULL,
			   "/local/domain/%u/" STUBDOM_DATA "/save", s->id.stub);

	if (ret)
		return false;
	ret = savefile_parse(v, ask);
	free(v);
	if (ret || xsu_read(h->xs, XBT_NULL, &v, NULL,
			    "/local/domain/%u/" STUBDOM_DATA "/saved", s->id.stub))
		return !ret;
	ret = strncmp(v, ask->tag, STUBDOM_TAG_LEN);
	free(v);
	return ret;
}

static const char *save_error(int err)
{
	return err == -ENOENT ? "libxl removed it when an earlier save failed: shut the guest down and start it again" :
	       strerror(-err);
}

void saves_take(const struct host *h, struct stub *s)
{
	char text[STUBDOM_TAG_LEN + 128];
	int fd, ret = savefile_keep(s->id.guest);
	struct saved answer = { s->id.stub, text };
	struct save_ask ask;

	if (ret && ret != -ENOENT)
		stub_say(h, s, LOG_WARNING, "/var/lib/xen/qemu-save.%u cannot be kept for a next xl save: %s",
			 s->id.guest, strerror(-ret));
	if (!read_save(h, s, &ask))
		return;
	fd = savefile_open(s->id.guest, &ask);
	if (fd == -EAGAIN || !limit_take(&s->saves, h->now, 1000, SAVES_PER_SECOND)) {
		if (fd >= 0)
			savefile_close(fd, false);
		return;
	}
	ret = fd < 0 ? fd : savefile_put(s->id.guest, fd, &ask);
	snprintf(text, sizeof(text), "%s", ask.tag);
	if (ret)
		snprintf(text + STUBDOM_TAG_LEN, sizeof(text) - STUBDOM_TAG_LEN, " /var/lib/xen/qemu-save.%u: %s",
			 s->id.guest, save_error(ret));
	if (ret)
		stub_say(h, s, LOG_ERR, "its device state is not saved:%s", text + STUBDOM_TAG_LEN);
	ret = xsu_transact(h->xs, write_saved, &answer) < 0 || ret;
	if (fd >= 0)
		savefile_close(fd, !ret);
}

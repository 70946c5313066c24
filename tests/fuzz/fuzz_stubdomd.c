// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/daemon/diag.c src/stubdom/daemon/image.c src/lib/image/verify.c src/lib/image/manifest.c src/stubdom/daemon/consoles.c src/stubdom/daemon/vifs.c src/lib/xen/stubdomain.c src/stubdom/daemon/events.c src/stubdom/daemon/clean.c src/stubdom/daemon/savefile.c src/stubdom/daemon/statenodes.c src/lib/state/words.c src/lib/base/sha256.c src/lib/xen/xs_util.c src/lib/base/file.c src/lib/base/log.c tests/unit/fake_xenstore.c tests/unit/fake_hv.c src/stubdom/daemon/root.c src/lib/xen/domain.c src/lib/daemon/watches.c */
/* test-pkgs: libcrypto */
/*
 * Everything a stubdomain, a driver domain or a command line can put in front
 * of xen-stubdomd: whatever it is, what comes out is one line of printable
 * text, and no file of dom0's is named by the stubdomain.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fake_hv.h"
#include "fake_xenstore.h"
#include "base/log.h"
#include "stubdom.h"
#include "stubdom/daemon/clean.h"
#include "stubdom/daemon/consoles.h"
#include "stubdom/daemon/diag.h"
#include "stubdom/daemon/events.h"
#include "stubdom/daemon/savefile.h"
#include "stubdom/daemon/statenodes.h"
#include "stubdom/daemon/vifs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What others than dom0 can write, and what follows from it. */
static const char *const nodes[] = {
	"/local/domain/5/" STUBDOM_DATA "/stage",
	"/local/domain/5/" STUBDOM_DATA "/error",
	"/local/domain/5/device/console/1/state",
	"/local/domain/5/device/console/2/state",
	"/local/domain/5/console/state",
	"/local/domain/5/console/output",
	"/local/domain/5/device-model/4/state",
	"/local/domain/3/backend/vbd/5/51712/state",
	"/local/domain/3/backend/vbd/5/51712/params",
	"/local/domain/3/backend/vbd/5/51712/hotplug-error",
	"/local/domain/3/error/backend/vbd/5/51712/error",
	"/local/domain/3/backend/vif/5/0/online",
	"/local/domain/3/backend/vif/5/0/state",
	"/local/domain/5/" STATE_DISK_WANT,
	"/local/domain/5/" STATE_DISK_DONE,
	"/local/domain/5/device/vbd/268442112/state",
	"/local/domain/5/device/vbd/268442112/ring-ref",
	"/local/domain/5/device/vbd/268442112/event-channel",
	"/local/domain/5/device/vbd/268442112/protocol",
	"/local/domain/5/device/console/2/output",
};

static void must(bool is)
{
	if (!is)
		abort();
}

static void sink(int level, const struct log_about *about, const char *line)
{
	(void)level;
	(void)about;
	must(strlen(line) < 1024);
	for (; *line; line++)
		must(*line >= 0x20 && *line < 0x7f);
}

static void world(const uint8_t *data, size_t size)
{
	fake_xs_reset();
	fake_hv_reset();
	fake_hv_add(4, true, 1);
	fake_hv_add(5, false, 1);
	fake_xs_set("/local/domain/5/target", "4");
	fake_xs_set("/local/domain/4/image/device-model-domid", "5");
	fake_xs_set("/libxl/4/dm-version", "qemu_xen");
	fake_xs_set("/libxl/5/device/vbd/51712/backend", "/local/domain/3/backend/vbd/5/51712");
	fake_xs_set("/libxl/5/device/vif/0/backend", "/local/domain/3/backend/vif/5/0");
	for (int n = 0; n < 3; n++) {
		fake_xs_setf("1", "/local/domain/0/backend/console/5/%d/state", n);
		fake_xs_setf("ioemu", n ? "/local/domain/5/device/console/%d/type" :
			     "/local/domain/5/console/type", n);
	}
	/* One length byte before each value; 255 is "no such node". */
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]) && size; i++) {
		size_t len = *data++;

		size--;
		if (len == 255)
			continue;
		len = len < size ? len : size;
		fake_xs_set_raw(nodes[i], data, len);
		data += len;
		size -= len;
	}
}

/* A detached card is closed, or it is gone. */
static void look_at_vif(struct xs_handle *xs, const struct stub_id *id)
{
	const struct vifs_dom dom = { .stub_runs = true, .guest_ran = true, .now = 1 };
	struct vifs vs;

	must(!vifs_read(xs, id, &vs) && vs.count == 1);
	if (vif_decide(&vs.v[0], &dom) == VIF_CLOSE)
		must(!vif_close(xs, &vs.v[0]));
	must(!vifs_read(xs, id, &vs));
	must(vif_decide(&vs.v[0], &dom) != VIF_CLOSE);
}

/* Whatever it says about a state disk: tags, numbers, and nothing else. */
static void look_at_state(struct xs_handle *xs, const struct stub_id *id)
{
	struct statenodes_dev dev = { .devid = STATE_DISK_DEVID, .sectors = 200, .node = STATE_DISK_DISK, .text = "x" };
	struct statenodes_asked asked;
	struct statenodes_front front;

	statenodes_asked(xs, 5, &asked);
	must(!asked.want[0] || strlen(asked.want) == STATE_DISK_TAG_LEN);
	must(!asked.done[0] || strlen(asked.done) == STATE_DISK_TAG_LEN);
	statenodes_front(xs, 5, STATE_DISK_DEVID, &front);
	must(front.state >= -1 && front.state <= 8);
	statenodes_incoming(xs, id);
	/* A device is as it should be, whatever was there, and nothing of it stays. */
	must(!statenodes_attach(xs, id, &dev));
	statenodes_front(xs, 5, STATE_DISK_DEVID, &front);
	must(front.state == 1 && !front.ring);
	must(!statenodes_detach(xs, id, STATE_DISK_DEVID));
	must(!fake_xs_get("/local/domain/0/backend/xe-state/5"));
	must(!fake_xs_get("/local/domain/5/device/vbd/268442112/state"));
}

static void look(void)
{
	const struct stub_id id = { .stub = 5, .guest = 4, .name = "web1" };
	struct xs_handle *xs = xs_open(0);
	struct console_plan did;
	struct consoles now;

	for (int kind = DIAG_SLOW; kind <= DIAG_ENDED; kind++)
		diag_say(xs, hv_open(), &id, kind, kind == DIAG_SLOW ? NULL : fake_hv_dom(5));
	diag_wait();
	must(!consoles_fix(xs, &id, &did));
	must(!strcmp(fake_xs_get("/local/domain/5/device/console/2/output"), "null"));
	must(!consoles_read(xs, XBT_NULL, &id, &now));
	must(!consoles_plan(&now, &did));	/* fixed once */
	look_at_vif(xs, &id);
	look_at_state(xs, &id);
	must(!fake_xs_open_transactions());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct events ev = { 0 };
	struct save_ask ask;
	char *text;

	log_open("fuzz", sink, LOG_DEBUG);
	world(data, size);
	look();

	text = malloc(size + 1);
	memcpy(text, data, size);
	text[size] = '\0';
	events_note(&ev, text, "console");
	events_note(&ev, text, "device");
	must(ev.marked.count <= 1);
	clean_is_helper(text, size, 5);
	clean_is_helper(text, size + 1, 5);
	if (!savefile_parse(text, &ask))
		must(ask.len && ask.len <= STUBDOM_STATE_MAX && strlen(ask.tag) == STUBDOM_TAG_LEN);
	free(text);
	return 0;
}

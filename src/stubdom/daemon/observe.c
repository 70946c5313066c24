// SPDX-License-Identifier: GPL-2.0-or-later
#include "observe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xen/sched.h>

#include "xen/xs_util.h"

int observe_dom(struct hv *hv, uint32_t domid, const uint8_t *uuid,
		enum life_dom *state, struct hv_dom *dom)
{
	int ret = hv_dom_get(hv, domid, dom);

	if (ret == -ENOENT || (!ret && memcmp(dom->uuid, uuid, 16))) {
		memset(dom, 0, sizeof(*dom));
		*state = LIFE_GONE;
		return 0;
	}
	if (ret)
		return ret;
	*state = dom->dying ? LIFE_DYING : dom->shutdown ? LIFE_ENDED : LIFE_ALIVE;
	return 0;
}

bool observe_running(struct xs_handle *xs, const struct stub_id *id)
{
	char *v;
	bool is;

	if (xsu_read(xs, XBT_NULL, &v, NULL,
		     "/local/domain/%u/device-model/%u/state", id->stub, id->guest))
		return false;
	is = !strcmp(v, "running");
	free(v);
	return is;
}

static void stamp(uint64_t *when, bool is, uint64_t now)
{
	if (is && !*when)
		*when = stub_time(now);
}

int observe(const struct host *h, struct stub *s, struct hv_dom *stub)
{
	struct life *l = &s->life;
	struct hv_dom guest;
	int ret;

	ret = observe_dom(h->hv, s->id.stub, s->uuid, &l->stub, stub);
	if (!ret)
		ret = observe_dom(h->hv, s->id.guest, s->guest_uuid, &l->guest, &guest);
	if (ret)
		return ret;
	l->now = h->now;
	l->stub_runs = l->stub == LIFE_ALIVE && !stub->paused;
	l->guest_paused = guest.paused;
	l->dm_running = l->stub != LIFE_GONE && !l->ready_at && observe_running(h->xs, &s->id);
	stamp(&l->ran_at, l->stub_runs || stub->cpu_ns, h->now);
	stamp(&l->dead_at, l->stub != LIFE_ALIVE, h->now);
	stamp(&l->orphan_at, l->guest == LIFE_GONE, h->now);
	if (l->guest != LIFE_ENDED || guest.reason != SHUTDOWN_suspend)
		l->suspended_at = 0;
	else
		stamp(&l->suspended_at, true, h->now);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices.h"

#include <errno.h>

#include "consoles.h"
#include "drives.h"
#include "observe.h"
#include "vifs.h"

void devices_fix_consoles(const struct host *h, struct stub *s)
{
	struct console_plan did;
	int ret = consoles_fix(h->xs, &s->id, &did);

	if (ret == -EAGAIN)
		stub_look_again(s, h->now + 100);
	else if (ret && ret != -ENOENT)
		stub_failed(h, s, "setting its consoles up", ret);
	if (ret)
		return;
	if (did.null_restore)
		stub_say(h, s, LOG_DEBUG, "console 2 goes to null");
	if (did.connect_primary)
		stub_say(h, s, LOG_DEBUG, "primary console connected");
	if (did.close_display)
		stub_say(h, s, LOG_INFO, "dom0's QEMU does not serve its stubdomain's display: closed it, so that its kernel does not wait");
	if (did.close_keyboard)
		stub_say(h, s, LOG_DEBUG, "nothing serves the guest's PV keyboard: closed it, so that its kernel does not wait");
	for (int n = 1; n < CONSOLES_MAX; n++)
		if (did.close_mask & (1u << n))
			stub_say(h, s, LOG_WARNING, "dom0's QEMU did not take console %d of stubdomain %u: closed it, so that its kernel does not wait; see /var/log/xen/qemu-dm-%s-dm.log",
				 n, s->id.stub, s->id.name);
}

void devices_fix_drives(const struct host *h, struct stub *s)
{
	unsigned int done;
	int ret = drives_fix(h->xs, &s->id, &done);

	if (ret == -EAGAIN)
		stub_look_again(s, h->now + 100);
	else if (ret && ret != -ENOENT)
		stub_failed(h, s, "setting its empty CD drives up", ret);
	if (done)
		stub_say(h, s, LOG_INFO, "%u empty CD drive%s: not given to stubdomain %u before there is a medium",
			 done, done == 1 ? "" : "s", s->id.stub);
}

/* Asked after the interfaces were read: vifs.h says why. */
static int vifs_domains(const struct host *h, struct stub *s, struct vifs_dom *out)
{
	enum life_dom stub, guest;
	struct hv_dom dom;
	int ret = observe_dom(h->hv, s->id.stub, s->uuid, &stub, &dom);

	*out = (struct vifs_dom){ .now = h->now, .since = s->vifs_since };
	if (ret)
		return ret;
	out->stub_runs = stub == LIFE_ALIVE && !dom.paused;
	ret = observe_dom(h->hv, s->id.guest, s->guest_uuid, &guest, &dom);
	out->guest_ran = guest != LIFE_GONE && guest != LIFE_DYING && dom.cpu_ns;
	return ret;
}

static int take_vif(const struct host *h, struct stub *s, const struct vif *v,
		    const struct vifs_dom *dom)
{
	switch (vif_decide(v, dom)) {
	case VIF_CLOSE:
		if (!dom->since)
			stub_say(h, s, LOG_NOTICE, "network card %u was detached: the emulated card is taken off the network too (stubdomain %u)",
				 v->devid, s->id.stub);
		return vif_close(h->xs, v);
	case VIF_CUT:
		stub_say(h, s, LOG_WARNING, "stubdomain %u does not close its interface for network card %u, which was detached: taking it away",
			 s->id.stub, v->devid);
		return vif_cut(h->xs, &s->id, v);
	case VIF_REMOVE:
		stub_say(h, s, LOG_WARNING, "%s does not close: removing it", v->back);
		return vif_remove(h->xs, v);
	case VIF_WAIT:
	case VIF_KEEP:
		break;
	}
	return 0;
}

void devices_take_vifs(const struct host *h, struct stub *s)
{
	struct vifs_dom dom;
	struct vifs vs;
	int ret = vifs_read(h->xs, &s->id, &vs);

	if (ret == -ENOENT)
		return;
	if (!ret && !vifs_unwanted(&vs)) {
		s->vifs_since = 0;
		return;
	}
	if (!ret)
		ret = vifs_domains(h, s, &dom);
	for (unsigned int i = 0; i < vs.count && !ret; i++)
		ret = take_vif(h, s, &vs.v[i], &dom);
	if (ret && ret != -EAGAIN) {
		stub_failed(h, s, "closing a detached network card", ret);
		return;
	}
	if (!ret && !s->vifs_since && dom.stub_runs && dom.guest_ran)
		s->vifs_since = stub_time(h->now);
	stub_look_again(s, h->now + (ret ? 100 : s->vifs_since ? 1000 : VIF_LOOK_MS));
}

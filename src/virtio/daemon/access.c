// SPDX-License-Identifier: GPL-2.0-or-later
#include "access.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "device.h"
#include "rules.h"

#define RETRY_MS 1000
/* The unit may have ended and be started again meanwhile. */
#define GRANT_TRIES 3

/* What is served now, and what is to be. */
static int rules_of(struct guest *g, struct vd_rules *r)
{
	int ret = 0;

	memset(r, 0, sizeof(*r));
	for (unsigned int i = 0; !ret && i < g->n; i++) {
		const struct dev *d = &g->dev[i];
		const struct vd_spec *s = d->plugged ? &d->served : &d->node.spec;
		struct vd_rule rule;

		if (!d->plugged && (!d->there || !d->node.online || d->node.bad || d->node.failed))
			continue;
		/* One that comes later has its turn when it is prepared. */
		if (d->probed && vd_rule_make(&rule, s, &d->found))
			ret = vd_rules_add(r, &rule);
	}
	return ret;
}

/* For the unit's next load; and now, when it runs: @bind as in units_permit(). */
static int apply(struct guest *g, bool now, const struct vd_rule *bind)
{
	struct vd_rules r;
	int ret = rules_of(g, &r);

	if (!ret)
		ret = vd_rules_write(&r, g->domid);
	if (!ret && now)
		ret = units_permit(g->env->units, g->domid, &r, bind);
	vd_rules_free(&r);
	return ret;
}

int access_write(struct guest *g)
{
	return apply(g, false, NULL);
}

int access_grant(struct guest *g, struct dev *d)
{
	int ret = units_permitted(g->env->units, g->domid);
	char why[VD_ERROR_MAX];
	struct vd_rule rule;

	if (!vd_rule_make(&rule, &d->node.spec, &d->found))
		return 0;
	/* What the others are made of must be known, or they would be closed to it. */
	if (ret == -EINPROGRESS || !devs_probed(g))
		return -EINPROGRESS;
	if (!d->asked) {
		d->asked = true;
		ret = apply(g, true, rule.bind ? &rule : NULL);
		if (!ret)
			ret = units_permitted(g->env->units, g->domid);
		if (ret == -EINPROGRESS)
			return ret;
	}
	d->asked = false;
	if (ret && ++d->tries < GRANT_TRIES) {
		guest_wake(g, guest_now(g) + RETRY_MS);
		return -EINPROGRESS;
	}
	if (ret) {
		snprintf(why, sizeof(why), "cannot permit the backend to open it: %s: see 'journalctl -u xen-virtiod'",
			 strerror(-ret));
		dev_fail(g, d, why);
	}
	return ret;
}

void access_withdraw(struct guest *g)
{
	int ret;

	/* Until it is known what a QEMU has, it may be opening anything. */
	if (!g->revoke || !g->known || !devs_probed(g) || g->unit != VD_UNIT_RUNNING ||
	    units_permitted(g->env->units, g->domid) == -EINPROGRESS)
		return;
	g->revoke = false;
	ret = apply(g, true, NULL);
	if (ret)
		guest_log(g, LOG_WARNING, NULL, "its backend may still open what was removed: %s", strerror(-ret));
}

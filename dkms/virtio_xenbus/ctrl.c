// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control page: messages, one at a time, and the configuration that readers are
 * given.  docs/protocol.md, sections 5.3, 5.4 and 7.
 */
#include <linux/module.h>
#include <xen/events.h>

#include "vx.h"

static unsigned int reply_timeout = 120;
module_param(reply_timeout, uint, 0644);
MODULE_PARM_DESC(reply_timeout, "seconds after which a backend that does not answer is given up (120)");

/* ---- messages ---- */

irqreturn_t vx_control_event(int irq, void *arg)
{
	struct vx_device *vd = arg;
	u32 posted = le32_to_cpu(READ_ONCE(vd->ctrl->rsp_posted));
	u32 gen = le32_to_cpu(READ_ONCE(vd->ctrl->config_gen));
	/* An event without news counts against the sender: it is slowed down. */
	bool gen_changed = gen != vd->seen_gen, news = posted != vd->seen_posted;

	if (le32_to_cpu(READ_ONCE(vd->ctrl->device_status)) & VIRTIO_CONFIG_S_NEEDS_RESET &&
	    !READ_ONCE(vd->needs_reset)) {
		WRITE_ONCE(vd->needs_reset, true);
		dev_err(&vd->xdev->dev, "the device has failed and needs to be reset\n");
	}
	vd->seen_posted = posted;
	vd->seen_gen = gen;
	wake_up(&vd->answer);
	/* So does one of a change when the last has not been looked at. */
	if (gen_changed && queue_delayed_work(system_freezable_wq, &vd->config_work, 0))
		news = true;
	xen_irq_lateeoi(irq, news ? 0 : XEN_EOI_FLAG_SPURIOUS);
	return IRQ_HANDLED;
}

/* Anything but the number before is news, right or wrong. */
static bool vx_answered(struct vx_device *vd, u32 before)
{
	return vx_link(vd) != VX_LINK_OPEN || le32_to_cpu(READ_ONCE(vd->ctrl->rsp_posted)) != before;
}

static int vx_wait_answer(struct vx_device *vd, u32 before)
{
	unsigned long patience = 30 * HZ, limit = (unsigned long)reply_timeout * HZ;

	if (wait_event_timeout(vd->answer, vx_answered(vd, before), min(patience, limit)))
		return 0;
	if (limit <= patience)
		return -ETIMEDOUT;
	dev_warn(&vd->xdev->dev, "backend does not answer; waiting %u s in all\n", reply_timeout);
	return wait_event_timeout(vd->answer, vx_answered(vd, before), limit - patience) ?
	       0 : -ETIMEDOUT;
}

/* As the simplest of backends would. */
static int vx_answer_loopback(const struct vx_msg *m, struct vx_parsed *out)
{
	memset(out, 0, sizeof(*out));
	out->id = m->id;
	out->features[0] = ~0ull;
	out->max_size = VX_PAGE_SIZE / 64;
	if (m->id == VX_MSG_SET_DEVICE_STATUS)
		out->status = le32_to_cpu(m->u.status.status);
	return 0;
}

static void vx_post(struct vx_device *vd, struct vx_msg *m)
{
	vd->seq = vx_seq_next(vd->seq);
	m->type = VX_MSG_REQUEST;
	m->error = 0;
	m->seq = cpu_to_le32(vd->seq);
	vd->ctrl->req = *m;
	virt_wmb();		/* the request, before the number that says it is there */
	WRITE_ONCE(vd->ctrl->req_posted, m->seq);
	dev_dbg(&vd->xdev->dev, "message 0x%02x: sent, number %u\n", m->id, vd->seq);
	notify_remote_via_irq(vd->irq);
}

/* The answer to @m, which came after number @before, is there, or none will come. */
static int vx_collect(struct vx_device *vd, const struct vx_msg *m, u32 before, struct vx_parsed *out)
{
	struct vx_msg answer;
	u32 posted;
	int ret;

	if (vx_link(vd) != VX_LINK_OPEN)
		return -EIO;
	posted = le32_to_cpu(READ_ONCE(vd->ctrl->rsp_posted));
	if (vx_posted_check(before, posted) != 1) {
		vx_fail_later(vd, -EPROTO, "rsp_posted is %u after %u", posted, before);
		return -EPROTO;
	}
	virt_rmb();		/* the number, before the answer */
	memcpy(&answer, &vd->ctrl->rsp, sizeof(answer));
	barrier();		/* checked is the copy, not the page */
	ret = vx_response_check(&answer, m, &vd->offer.limits, out);
	if (ret)
		vx_fail_later(vd, ret, "the answer to message 0x%02x is wrong: %*ph", m->id,
			      (int)sizeof(answer), &answer);
	return ret ? ret : out->error ? -EREMOTEIO : 0;
}

/* The slot is one: whoever has given up waiting left the answer to who comes next. */
static int vx_collect_late(struct vx_device *vd)
{
	struct vx_parsed unused;
	int ret;

	if (!vd->late)
		return 0;
	ret = vx_wait_answer(vd, vd->late_before);
	if (!ret)
		ret = vx_collect(vd, &vd->late_msg, vd->late_before, &unused);
	if (ret == -EREMOTEIO)
		ret = 0;
	vd->late = ret == -ETIMEDOUT;
	return ret;
}

static int vx_exchange(struct vx_device *vd, struct vx_msg *m, struct vx_parsed *out)
{
	u32 before;
	int ret;

	if (vx_link(vd) != VX_LINK_OPEN)
		return -EIO;
	ret = vx_collect_late(vd);
	if (ret)
		return ret;
	before = vd->seq;
	vx_post(vd, m);
	ret = vx_wait_answer(vd, before);
	return ret ? ret : vx_collect(vd, m, before, out);
}

bool vx_answers(struct vx_device *vd, unsigned int ms)
{
	struct vx_msg m = { .id = VX_MSG_GET_DEVICE_STATUS };
	struct vx_parsed out;
	bool answered;

	mutex_lock(&vd->call_lock);
	if (vx_link(vd) == VX_LINK_OPEN && !vd->late) {
		vd->late_before = vd->seq;
		vx_post(vd, &m);
		vd->late_msg = m;
		vd->late = true;
	}
	answered = vx_link(vd) == VX_LINK_OPEN &&
		   wait_event_timeout(vd->answer, vx_answered(vd, vd->late_before), msecs_to_jiffies(ms)) &&
		   !vx_collect(vd, &vd->late_msg, vd->late_before, &out);
	if (answered)
		vd->late = false;
	mutex_unlock(&vd->call_lock);
	return answered;
}

int vx_call(struct vx_device *vd, struct vx_msg *m, struct vx_parsed *out)
{
	int ret;

	mutex_lock(&vd->call_lock);
	ret = vx_link(vd) == VX_LINK_LOOPBACK ? vx_answer_loopback(m, out) : vx_exchange(vd, m, out);
	dev_dbg(&vd->xdev->dev, "message 0x%02x: %s, %d\n", m->id, ret ? "failed" : "answered", ret);
	/* The slot cannot be used again: the late answer would be taken for the next. */
	if (ret == -ETIMEDOUT)
		vx_fail_later(vd, ret, "the backend does not answer message 0x%02x", m->id);
	mutex_unlock(&vd->call_lock);
	return ret;
}

const char *vx_ctrl_check(struct vx_device *vd, u32 *value)
{
	struct vx_ctrl *c = vd->ctrl;

	return vx_ctrl_check_backend(le32_to_cpu(READ_ONCE(c->be_magic)),
				     le16_to_cpu(READ_ONCE(c->be_version)),
				     le32_to_cpu(READ_ONCE(c->config_size)),
				     vd->offer.version, vd->offer.limits.max_config, value);
}

/* ---- by name ---- */

/* A message of the device's driver failed: what it does next must not reach the backend. */
int vx_tell(struct vx_device *vd, struct vx_msg *m, struct vx_parsed *out, const char *what)
{
	int ret = vx_call(vd, m, out);

	if (ret == -EREMOTEIO)
		dev_err(&vd->xdev->dev, "the backend refused %s: error %u\n", what, out->error);
	return ret;
}

int vx_tell_status(struct vx_device *vd, u8 status)
{
	struct vx_msg m = { .id = VX_MSG_SET_DEVICE_STATUS };
	struct vx_parsed out;
	int ret;

	m.u.status.status = cpu_to_le32(status);
	ret = vx_tell(vd, &m, &out, "SET_DEVICE_STATUS");
	if (!ret)
		vd->status = out.status & 0xff;
	return ret;
}

u64 vx_ask_features(struct vx_device *vd)
{
	struct vx_msg m = { .id = VX_MSG_GET_FEATURES };
	struct vx_parsed out;

	return vx_tell(vd, &m, &out, "GET_FEATURES") ? 0 : out.features[0];
}

int vx_tell_features(struct vx_device *vd, u64 features)
{
	struct vx_msg m = { .id = VX_MSG_SET_FEATURES };
	struct vx_parsed out;

	m.u.features.words[0] = cpu_to_le64(features);
	return vx_tell(vd, &m, &out, "SET_FEATURES");
}

int vx_tell_config(struct vx_device *vd, unsigned int offset, const u8 *buf, unsigned int len)
{
	struct vx_parsed out;
	int ret = 0;

	for (unsigned int at = 0; !ret && at < len; at += VX_CONFIG_CHUNK) {
		struct vx_msg m = { .id = VX_MSG_SET_CONFIG };
		unsigned int n = min_t(unsigned int, len - at, VX_CONFIG_CHUNK);

		m.u.config.offset = cpu_to_le32(offset + at);
		m.u.config.length = cpu_to_le32(n);
		memcpy(m.u.config.data, buf + at, n);
		ret = vx_tell(vd, &m, &out, "SET_CONFIG");
	}
	return ret;
}

/* ---- the configuration ---- */

int vx_config_replay(struct vx_device *vd)
{
	unsigned long from, to;
	int ret = 0;

	for_each_set_bitrange(from, to, vd->is_written, VX_MAX_CONFIG) {
		ret = vx_tell_config(vd, from, vd->written + from, to - from);
		if (ret)
			break;
	}
	return ret;
}

int vx_config_begin(struct vx_device *vd, u32 size, bool replay)
{
	bool news = false;
	int ret = 0;

	mutex_lock(&vd->written_lock);
	if (replay)
		ret = vx_config_replay(vd);
	if (!ret) {
		spin_lock(&vd->config_lock);
		vd->config.device_id = vd->offer.limits.device_id;
		vd->config.queues = vd->offer.limits.num_queues;
		news = vx_config_follow(&vd->config, vd->ctrl, size);
		spin_unlock(&vd->config_lock);
	}
	mutex_unlock(&vd->written_lock);
	/* Later changes are told by an event; no event tells of this one. */
	if (news && vd->child)
		queue_delayed_work(system_freezable_wq, &vd->config_work, 0);
	return ret;
}

void vx_config_end(struct vx_device *vd)
{
	unsigned long from, to;

	mutex_lock(&vd->written_lock);
	spin_lock(&vd->config_lock);
	vx_config_hold(&vd->config);
	/* A reset may have undone it, until the next backend is told. */
	for_each_set_bitrange(from, to, vd->is_written, VX_MAX_CONFIG)
		vx_config_write(&vd->config, from, vd->written + from, to - from);
	spin_unlock(&vd->config_lock);
	mutex_unlock(&vd->written_lock);
}

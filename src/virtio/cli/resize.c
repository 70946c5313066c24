// SPDX-License-Identifier: GPL-2.0-or-later
/* xen-virtio resize: a disk has grown, or is to grow. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "vcli.h"
#include "virtio/size.h"
#include "xen/xs_util.h"

static const char usage[] =
"usage: xen-virtio resize DOMAIN DEVICE [SIZE]\n"
"Tell a running guest that its disk has grown.  DEVICE is as 'xen-virtio list' shows\n"
"it (virtio/0, virtio_disk/51712), a number, or the name of a disk (xvda).\n"
"\n"
"A block device that grows is seen without this.  Without SIZE the disk gets the size\n"
"that its device or raw image has now.  With SIZE (bytes, or 20G; K, M and T as well)\n"
"the image, raw or qcow2, is made so big.\n";

/* 0 and how big it is, and whether it is a block device; or an error, said. */
static int look(const struct vd_spec *s, struct vd_resize *r)
{
	struct stat st;
	int ret = 0;

	if (stat(s->path, &st))
		ret = -errno;
	else if (S_ISBLK(st.st_mode))
		ret = blockdev_bytes(st.st_rdev, &r->now);
	else
		r->now = (uint64_t)st.st_size;
	if (ret)
		log_err(NULL, "%s: %s", s->path, strerror(-ret));
	else
		r->blockdev = S_ISBLK(st.st_mode);
	return ret;
}

static int ask_size(uint32_t domid, struct vd_id id, uint64_t *bytes)
{
	char error[VD_ERROR_MAX];
	struct json_object *list = qemu_ask(domid, "query-block", NULL, error);

	if (!list) {
		log_err(NULL, "the backend's QEMU: %s", error);
		return -EIO;
	}
	*bytes = vd_size_of(list, id);
	json_object_put(list);
	if (*bytes)
		return 0;
	log_err(NULL, "the backend's QEMU has no such disk: see 'xen-virtio list'");
	return -ENODEV;
}

static int tell_size(uint32_t domid, struct vd_id id, uint64_t bytes)
{
	struct json_object *args = json_object_new_object(), *answer;
	char error[VD_ERROR_MAX], name[VD_ID_MAX];

	json_object_object_add(args, "node-name", json_object_new_string(vd_id_name(name, id)));
	json_object_object_add(args, "size", json_object_new_int64((int64_t)bytes));
	answer = qemu_ask(domid, "block_resize", args, error);
	if (!answer) {
		log_err(NULL, "the backend's QEMU: %s", error);
		return -EIO;
	}
	json_object_put(answer);
	return 0;
}

static int resize(const struct vd_store *st, uint32_t domid, struct vd_id id, uint64_t asked)
{
	struct vd_resize r = { .asked = asked };
	char error[VD_ERROR_MAX], show[VD_ID_MAX];
	struct vd_node n;
	uint64_t to;
	int ret = vd_nodes_read(st, domid, id, &n);

	if (ret) {
		log_err(NULL, "xenstore cannot be read: %s", strerror(-ret));
		return ret;
	}
	vd_id_show(show, id);
	if (n.bad || n.spec.type != VD_BLOCK) {
		log_err(NULL, "%s is not a disk: see 'xen-virtio list'", show);
		return -EINVAL;
	}
	r.spec = &n.spec;
	ret = look(&n.spec, &r);
	if (!ret)
		ret = ask_size(domid, id, &r.have);
	if (ret)
		return ret;
	ret = vd_size_plan(&r, &to, error);
	if (ret) {
		log_err(NULL, "%s, %s: %s", show, n.spec.path, error);
		return ret;
	}
	if (to != r.have)
		ret = tell_size(domid, id, to);
	if (!ret)
		printf("%s: %" PRIu64 " bytes, %s\n", show, to, to == r.have ? "as before" : "and the guest is told");
	return ret;
}

int cmd_resize(int argc, char **argv)
{
	struct vd_store st;
	uint64_t asked = 0;
	struct args a;
	struct vd_id id;
	uint32_t domid;
	int ret = args_parse(argc, argv, usage, 2, 3, &a);

	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	if (backend_elsewhere(&a, "resize"))
		return EXIT_USAGE;
	if (a.n > 2 && vd_size_parse(a.words[2], &asked)) {
		log_err(NULL, "'%s' is not a size: give bytes, or a number with K, M, G or T", a.words[2]);
		return EXIT_USAGE;
	}
	if (target_open(&st, true, NULL, a.words, &domid, &id))
		return EXIT_FAILURE;
	ret = resize(&st, domid, id, asked);
	xs_close(st.xs);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}

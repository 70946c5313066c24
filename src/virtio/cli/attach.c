// SPDX-License-Identifier: GPL-2.0-or-later
/* xen-virtio attach: give a running guest one more device. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device_nodes.h"
#include "spec_text.h"
#include "vcli.h"
#include "virtio/probe.h"

#define WAIT_MS 15000
#define STEP_MS 50

static const char usage[] =
"usage: xen-virtio attach [--backend DOMAIN] DOMAIN SPEC\n"
"Give a running guest a virtio device.  SPEC is what stands behind type= in a\n"
"line of virtio= in the guest's configuration, or shorter:\n"
"\n"
"  xen-virtio attach web1 'net;bridge=xenbr0;mac=00:16:3e:00:00:01'\n"
"  xen-virtio attach web1 'disk;path=/srv/data.qcow2;format=qcow2'\n"
"  xen-virtio attach web1 rng\n"
"\n"
"  --backend DOMAIN    the driver domain that is to serve it; SPEC may have it too,\n"
"                      as in the configuration: 'type=virtio,device4,backend=DOMAIN'\n"
"\n"
"It lasts until the guest is shut down or rebooted.  See xen-virtio-config(5).\n";

/* Until a backend serves it, or it is clear that none will. */
static int wait_served(const struct vd_store *st, uint32_t domid, struct vd_id id)
{
	struct vd_node n;
	int ret = 0;

	for (int ms = 0; ms < WAIT_MS; ms += STEP_MS) {
		ret = vd_nodes_read(st, domid, id, &n);
		if (ret)
			return ret;
		if (n.state >= XenbusStateInitWait && n.state <= XenbusStateConnected)
			return 0;
		if (n.failed && n.state == XenbusStateClosed)
			return -EIO;
		usleep(STEP_MS * 1000);
	}
	return -ETIMEDOUT;
}

static void report_failure(const struct vd_store *st, uint32_t domid, struct vd_id id, int err)
{
	char error[VD_ERROR_MAX];

	device_error(st, domid, id, error);
	if (*error)
		log_err(NULL, "%s", error);
	else if (err == -ETIMEDOUT)
		log_err(NULL, "no backend served it within %d seconds: run 'xen-virtio check'", WAIT_MS / 1000);
	else
		log_err(NULL, "the device is gone: %s", strerror(-err));
}

static int attach(const struct vd_store *st, uint32_t domid, const char *type)
{
	char name[VD_ID_MAX];
	struct vd_id id;
	int ret = devnodes_add(st, domid, type, &id);

	if (ret) {
		log_err(NULL, "xenstore cannot be written: %s", strerror(-ret));
		return ret;
	}
	ret = wait_served(st, domid, id);
	if (!ret) {
		puts(vd_id_show(name, id));
		return 0;
	}
	report_failure(st, domid, id, ret);
	/* As if it had never been. */
	devnodes_close(st, domid, id);
	devnodes_remove(st, domid, id);
	return ret;
}

int cmd_attach(int argc, char **argv)
{
	char error[VD_ERROR_MAX], *type, *backend = NULL;
	struct vd_store st;
	struct vd_spec spec;
	struct args a;
	struct vd_found found;
	uint32_t domid;
	int ret = args_parse(argc, argv, usage, 2, 2, &a);

	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	type = spec_type(a.words[1]);
	backend = a.backend ? strdup(a.backend) : spec_backend(a.words[1]);
	if (!type)
		return EXIT_FAILURE;
	ret = vd_spec_parse(type, &spec, error);
	/* What a driver domain has cannot be seen from here. */
	if (!ret && !backend)
		ret = vd_probe(&spec, false, &found, error);
	if (ret) {
		log_err(NULL, "%s", error);
		free(backend);
		free(type);
		return EXIT_USAGE;
	}
	ret = target_open(&st, false, backend, a.words, &domid, NULL);
	if (!ret) {
		ret = attach(&st, domid, type);
		xs_close(st.xs);
	}
	free(backend);
	free(type);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}

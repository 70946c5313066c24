/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xen-virtio: what its subcommands share. */
#ifndef XE_VCLI_H
#define XE_VCLI_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/log.h"
#include "cli/host.h"
#include "virtio/nodes.h"

int cmd_list(int argc, char **argv);
int cmd_attach(int argc, char **argv);
int cmd_detach(int argc, char **argv);
int cmd_resize(int argc, char **argv);
int cmd_stats(int argc, char **argv);
int cmd_check(int argc, char **argv);

/* domains.c */

/*
 * Open xenstore, for the devices that the domain @backend (name or number) serves;
 * NULL: this one.  Says what is wrong.
 */
int store_open(struct vd_store *st, bool readonly, const char *backend);
/* A guest by name or number: 0, or -ENOENT after saying so. */
int domain_find(const struct vd_store *st, const char *what, uint32_t *domid);
/* A device of it: "virtio/0", "0", "virtio_disk/51712", "xvda". */
int device_find(const struct vd_store *st, uint32_t domid, const char *what, struct vd_id *id);
/*
 * What most commands begin with: store_open(), then the guest words[0] and, unless @id
 * is NULL, its device words[1].  0, or negative errno after saying what is wrong; then
 * xenstore is closed.
 */
int target_open(struct vd_store *st, bool readonly, const char *backend, char **words,
		uint32_t *domid, struct vd_id *id);
/* The state its driver is in. */
enum xenbus_state frontend_state(const struct vd_store *st, uint32_t domid, struct vd_id id);
/* virtio-xenbus-error, printable; "" when not set. */
void device_error(const struct vd_store *st, uint32_t domid, struct vd_id id,
		  char error[VD_ERROR_MAX]);

/* ask.c */

/* A QMP command to the guest's QEMU; takes @args.  Its answer, to put; NULL and @error. */
struct json_object *qemu_ask(uint32_t domid, const char *command, struct json_object *args,
			     char error[VD_ERROR_MAX]);

/* args.c */

/*
 * [--json], [--force], [--backend DOMAIN], at least @min and at most @max words.
 * Returns as opts_parse() does.
 */
struct args {
	bool json, force;
	const char *backend;		/* NULL: none given */
	char **words;
	int n;
};

int args_parse(int argc, char **argv, const char *usage, int min, int max, struct args *a);

/* domains.c: for commands that ask the backend's QEMU.  True, and said, when --backend was given. */
bool backend_elsewhere(const struct args *a, const char *command);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A libxenstore in memory, for tests: linked instead of the real one.
 *
 * It keeps what matters of xenstored's behaviour: parents come into being with
 * a node, a new node inherits its parent's permissions, a transaction sees one
 * state of the store and fails with EAGAIN when a node it touched was changed
 * meanwhile, and a watch fires once when it is set and then for every change
 * at or below its path.  Every handle sees the same store.  The test itself is
 * "the others": fake_xs_set() and fake_xs_rm() act at once, outside of any
 * transaction.
 */
#ifndef FAKE_XENSTORE_H
#define FAKE_XENSTORE_H

#include <stdbool.h>
#include <xenstore.h>

enum fake_xs_op {
	FAKE_XS_ANY,
	FAKE_XS_READ, FAKE_XS_WRITE, FAKE_XS_RM, FAKE_XS_MKDIR, FAKE_XS_LIST,
	FAKE_XS_PERMS, FAKE_XS_START, FAKE_XS_END, FAKE_XS_WATCH,
};

/* Empty store, no watches, no faults. */
void fake_xs_reset(void);

void fake_xs_set(const char *path, const char *value);
void fake_xs_setf(const char *value, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* With any bytes in it. */
void fake_xs_set_raw(const char *path, const void *value, unsigned int len);
void fake_xs_rm(const char *path);
/* Owner, and what one other domain may do; new children inherit that. */
void fake_xs_own(const char *path, unsigned int owner, unsigned int other,
		 unsigned int perms);
/* NULL when there is no such node. */
const char *fake_xs_get(const char *path);
const struct xs_permissions *fake_xs_perms(const char *path, unsigned int *num);
/* Nodes in the store. */
unsigned int fake_xs_nodes(void);

/* The domain is known to xenstored (xs_is_domain_introduced). */
void fake_xs_introduce(unsigned int domid, bool is);

/* A special watch, such as "@releaseDomain", fires. */
void fake_xs_fire(const char *name);

/*
 * The next @count calls of @op on a path that starts with @path (NULL: any)
 * fail with @err.  One fault at a time; count -1 is for ever.
 */
void fake_xs_fail(enum fake_xs_op op, const char *path, int err, int count);

/* The connection is gone: every call fails from now on. */
void fake_xs_disconnect(void);

/*
 * Called before each operation, so that a test can change the world in the
 * middle of what it tests.  It may use fake_xs_set() and the like.
 */
typedef void fake_xs_hook_fn(enum fake_xs_op op, const char *path);
void fake_xs_hook(fake_xs_hook_fn *fn);

/* Nodes written or removed by the code under test, and committed. */
unsigned int fake_xs_changes(void);
/* Transactions started and not ended: must be 0 when the code is done. */
unsigned int fake_xs_open_transactions(void);

#endif

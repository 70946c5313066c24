/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A stubdomain's pages and event channels: linked instead of src/lib/pv/foreign.c. */
#ifndef FAKE_FOREIGN_H
#define FAKE_FOREIGN_H

#include <stdbool.h>

#include "pv/foreign.h"

#define FAKE_REFS 8u		/* grants 0 to 7 are good, and so are ports 1 to 7 */

extern unsigned char fake_page[FAKE_REFS][4096];
extern unsigned int fake_notified[FAKE_REFS], fake_mapped;
extern bool fake_masked[FAKE_REFS];

/* The stubdomain sends an event by its port; once, until it is unmasked. */
void fake_foreign_event(int port);

#endif

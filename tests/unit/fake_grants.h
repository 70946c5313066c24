/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A stubdomain's memory and event channel: linked instead of src/stubdom/state/grants.c. */
#ifndef FAKE_GRANTS_H
#define FAKE_GRANTS_H

#include "stubdom/state/grants.h"

#define FAKE_PAGES 128u		/* grant references 1 to 127 are good */

extern uint8_t fake_page[FAKE_PAGES][BLKIF_PAGE];
extern unsigned int fake_notified, fake_copies;
extern bool fake_mapped;

struct grants *fake_grants(void);
/* The stubdomain sends an event. */
void fake_grants_event(void);

#endif

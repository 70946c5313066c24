/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A log sink (log.h) that writes to systemd's journal with fields, so that
 * `journalctl XEN_GUEST=web1` shows all there is about one guest.
 *
 *   PRIORITY, MESSAGE, SYSLOG_IDENTIFIER   as usual
 *   XEN_GUEST    the guest's name
 *   XEN_DOMID    its domain number
 *   XEN_STUBDOM  its stubdomain's number
 *
 * Link with libsystemd.
 */
#ifndef XE_SINK_JOURNAL_H
#define XE_SINK_JOURNAL_H

#include <stdbool.h>

#include "base/log.h"

log_sink_fn log_sink_journal;

/*
 * True when stderr is the journal's stream, as under systemd ($JOURNAL_STREAM
 * names it): only then is the sink of use, on a terminal stderr is.
 */
bool log_journal_wanted(void);

#endif

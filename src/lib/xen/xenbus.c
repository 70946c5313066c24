// SPDX-License-Identifier: GPL-2.0-or-later
#include "xenbus.h"

const char *xenbus_state_name(enum xenbus_state state)
{
	static const char *const names[] = {
		[XenbusStateUnknown] = "-", [XenbusStateInitialising] = "initialising",
		[XenbusStateInitWait] = "waiting", [XenbusStateInitialised] = "initialised",
		[XenbusStateConnected] = "connected", [XenbusStateClosing] = "closing",
		[XenbusStateClosed] = "closed", [XenbusStateReconfiguring] = "reconfiguring",
		[XenbusStateReconfigured] = "reconfigured",
	};

	return (unsigned int)state < sizeof(names) / sizeof(names[0]) ? names[state] : "-";
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What xen-stubdom-pv's processes say to each other, by packets (SOCK_SEQPACKET): the one
 * that has xenstore and QMP, and those that have a stubdomain's rings: of the consoles, and,
 * a program of its own (xen-stubdom-vnc), of framebuffer and keyboard.
 */
#ifndef XE_PV_LINK_H
#define XE_PV_LINK_H

#include <stdint.h>

/* hvc_xen takes the last digit of the name for the number. */
#define CONSOLES_MAX	10

/* Behind the consoles' numbers. */
#define LINK_VFB	CONSOLES_MAX
#define LINK_VKBD	(CONSOLES_MAX + 1)
#define LINK_DEVICES	(CONSOLES_MAX + 2)

enum link_what {
	LINK_READY,		/* confined; @a: of VNC, the port */
	LINK_FAILED,		/* @a is an errno; it ends */
	LINK_CONNECT,		/* map device @n: grant (of the vfb: frame) @a, event channel @b; @c: of the vkbd, absolute */
	LINK_CONNECTED,		/* done */
	LINK_REFUSED,		/* it cannot be mapped, errno @a; or its ring is malformed, 0 */
	LINK_DISCONNECT,	/* unmap it */
	LINK_PASSWORD,		/* of VNC: @text */
};

struct link_msg {
	uint32_t what, n;
	uint64_t a;
	uint32_t b, c;
	char text[16];
};

#endif

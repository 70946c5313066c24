/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between a guest's QEMU and xenstored: passes on what xsf_allows(), answers the rest
 * with EACCES.  Answers and watch events go through as they come.
 */
#ifndef XE_VD_XSPROXY_H
#define XE_VD_XSPROXY_H

#include "xsfilter.h"

/* xenstored's socket, or the device of a domain that is not dom0's: negative errno. */
int xsproxy_connect(void);
/*
 * Serve @client (a socket) by @server until one of them ends: 0.  -EPROTO: what came is
 * no message; -ENOBUFS: the client does not take its answers; or what a system call said.
 */
int xsproxy_run(int client, int server, struct xsf *f);

#endif

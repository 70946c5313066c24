/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xen-stubdom: what its subcommands share.
 *
 * Every path of the host goes through host_path(), which puts the prefix of
 * --root in front of it: that is how the tests run all of this in a directory.
 */
#ifndef XE_CLI_H
#define XE_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/log.h"
#include "cli/host.h"
#include "stubdom.h"

int cmd_build(int argc, char **argv);
int cmd_register(int argc, char **argv);
int cmd_unregister(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_sbom(int argc, char **argv);
int cmd_logs(int argc, char **argv);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of stubdom-init share.
 *
 * The order of a stubdomain's life is the order of main.c: mounts, log,
 * contract (xenstore), wiring (consoles, disks, NICs), QMP broker, QEMU, then
 * one event loop until something ends, and power off.
 */
#ifndef INIT_H
#define INIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"

#define INIT_RUN_DIR	"/run/stubdom"
#define INIT_QMP_BROKER	INIT_RUN_DIR "/qmp-broker"
#define INIT_QMP_SELF	INIT_RUN_DIR "/qmp-init"

/* The guest all lines of this process are about; set by contract_read(). */
extern struct log_about init_about;

#define say_err(...)	log_err(&init_about, __VA_ARGS__)
#define say_warn(...)	log_warn(&init_about, __VA_ARGS__)
#define say_notice(...)	log_notice(&init_about, __VA_ARGS__)
#define say_info(...)	log_info(&init_about, __VA_ARGS__)
#define say_debug(...)	log_debug(&init_about, __VA_ARGS__)

/*
 * Say why the stubdomain is going to end: logged as an error, and kept for
 * xenstore (the first reason is the cause, later ones are consequences).
 * Returns @err so that it can stand in a return statement.
 */
int init_fail(int err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The reason kept, or NULL. */
const char *init_reason(void);

/* Milliseconds since the kernel started: what libxl's 30 s are counted by. */
int64_t uptime_ms(void);
/*
 * libxl gives a stubdomain 30 s from unpause to QEMU's "running".  What is
 * not there by now is reported while somebody still listens.
 */
#define INIT_WIRE_DEADLINE_MS 24000

#endif

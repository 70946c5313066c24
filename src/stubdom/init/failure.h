/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What init says about its guest, and why the stubdomain is going to end.
 */
#ifndef FAILURE_H
#define FAILURE_H

#include "base/log.h"

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

#endif

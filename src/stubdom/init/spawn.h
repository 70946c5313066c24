/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting a program without rights. */
#ifndef SPAWN_H
#define SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "mounts.h"

#define INIT_QMP_BROKER	INIT_RUN_DIR "/qmp-broker"
#define INIT_QMP_MONITOR	INIT_RUN_DIR "/qmp-init"

struct child_spec {
	const char *path;
	char *const *argv;
	uid_t uid;
	int out;			/* becomes stdout and stderr */
	const int *fds;			/* become 3, 4, ... ; -1: that number is closed */
	unsigned int n_fds;
};

/*
 * Start a program unprivileged: own uid, no capability, no way to gain one,
 * no descriptor but the ones given, a session of its own.  The pid, or
 * negative errno, also when the program cannot be executed.
 */
pid_t child_start(const struct child_spec *s);

/* "exit status 1", "killed by signal 9 (SIGKILL)". */
const char *child_status(int status, char *buf, unsigned int size);

/* A listening UNIX socket at @path that only @uid (and root) may connect to. */
int qmp_listen(const char *path, uid_t uid);
/* Waits in its backlog until QEMU takes it: a descriptor or negative errno. */
int qmp_connect(const char *path);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/* xen-stubdom logs: the stubdomain's console, and what the daemon said. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "cli/interrupt.h"
#include "cli/options.h"
#include "logtext.h"

#define LOG_DIR "/var/log/xen"

static const char usage[] =
"usage: xen-stubdom logs [-f] GUEST\n"
"Show the console log of the guest's stubdomain and the lines of xen-stubdomd\n"
"about that guest.  Bytes a terminal would obey are shown as '?'.\n"
"\n"
"  -f, --follow    go on with new lines until Ctrl-C\n";

struct args {
	const char *guest;
	bool follow;
};

static int parse(int argc, char **argv, struct args *a)
{
	const struct opt options[] = { { "follow", 'f', &a->follow, NULL }, { NULL, 0, NULL, NULL } };
	const struct opts o = { usage, options, 1, 1, false };
	char **words;
	int ret = opts_parse(&o, argc, argv, &words);

	if (ret)
		return ret;
	a->guest = words[0];
	/* The name becomes part of a path. */
	if (*a->guest && !strchr(a->guest, '/'))
		return 0;
	log_err(NULL, "'%s' is not the name of a guest", a->guest);
	return EXIT_USAGE;
}

/* As libxl names it for console 0: stdio of the device model. */
static char *log_path(const char *guest)
{
	return host_path(LOG_DIR "/qemu-dm-%s.log", guest);
}

static int open_log(const char *guest)
{
	char *path = log_path(guest);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 && errno == ENOENT)
		log_warn(NULL, "guest %s: no console log %s: it never ran with a stubdomain on this host", guest, path);
	else if (fd < 0)
		log_err(NULL, "guest %s: %s cannot be read: %s", guest, path,
			strerror(errno));
	else
		printf("==> %s <==\n", path);
	free(path);
	return fd;
}

/* What xen-stubdomd dropped of a log that was too long is a hole, as large as it may be. */
static void skip_hole(int fd)
{
	off_t at = lseek(fd, 0, SEEK_CUR), data = lseek(fd, at, SEEK_DATA);

	if (data > at)
		printf("\n[%lld bytes were dropped here]\n", (long long)(data - at));
}

static ssize_t read_on(int fd, char *buf, size_t size)
{
	skip_hole(fd);
	return read(fd, buf, size);
}

static int copy_text(int fd, struct logtext *t)
{
	char in[4096], out[LOGTEXT_OUT(sizeof(in))];
	ssize_t n;

	while ((n = read_on(fd, in, sizeof(in))) > 0) {
		size_t len = logtext_clean(t, in, (size_t)n, out);

		if (fwrite(out, 1, len, stdout) != len)
			return -EIO;
	}
	return n < 0 && errno != EINTR ? -errno : 0;
}

static pid_t journal(const struct args *a)
{
	char *match = xasprintf("XEN_GUEST=%s", a->guest);
	const char *argv[] = {
		"journalctl", "--no-pager", "--quiet", "--output=short-iso", match,
		a->follow ? "--follow" : NULL, a->follow ? "--no-tail" : NULL, NULL
	};
	pid_t pid;

	printf("==> xen-stubdomd <==\n");
	fflush(NULL);
	pid = fork();
	if (!pid) {
		execvp(argv[0], (char **)argv);
		_exit(127);
	}
	free(match);
	return pid;
}

/* xl starts a new file when the guest is started again. */
static bool replaced(int fd, const char *path)
{
	struct stat now, ours;

	if (stat(path, &now))
		return false;
	if (fd < 0 || fstat(fd, &ours))
		return true;
	return now.st_ino != ours.st_ino || now.st_dev != ours.st_dev ||
	       lseek(fd, 0, SEEK_CUR) > ours.st_size;
}

static int follow(const struct args *a, int *fd, struct logtext *t, pid_t pid)
{
	char *path = log_path(a->guest);
	int ret = 0, status;

	/* A file has no event for "more text"; half a second is soon enough. */
	while (!ret && !interrupted() && waitpid(pid, &status, WNOHANG) == 0) {
		ret = *fd < 0 ? 0 : copy_text(*fd, t);
		if (!ret && replaced(*fd, path)) {
			if (*fd >= 0)
				close(*fd);
			*fd = open_log(a->guest);
			t->column = 0;
			continue;
		}
		fflush(stdout);
		poll(NULL, 0, 500);
	}
	free(path);
	return ret;
}

int cmd_logs(int argc, char **argv)
{
	struct logtext t = { 0 };
	struct args a = { 0 };
	int ret = parse(argc, argv, &a), fd, status;
	pid_t pid;

	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	interrupt_catch();
	fd = open_log(a.guest);
	if (fd >= 0)
		ret = copy_text(fd, &t);
	pid = journal(&a);
	if (!ret && a.follow && pid > 0)
		ret = follow(&a, &fd, &t, pid);
	if (a.follow && pid > 0)
		kill(pid, SIGTERM);
	if (pid > 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	if (fd >= 0)
		close(fd);
	return ret || fd < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

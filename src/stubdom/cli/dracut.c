// SPDX-License-Identifier: GPL-2.0-or-later
#include "dracut.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "cli/interrupt.h"
#include "cli/packages.h"

#define LOG_TAIL 20

static int write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return -errno;
	fputs(text, f);
	return fclose(f) ? -errno : 0;
}

/* The plan as lines "dir TAB DST" and "file TAB SRC TAB DST" for module-setup.sh. */
static int write_plan(const char *work, const struct plan *p)
{
	char *path = xasprintf("%s/plan", work);
	FILE *f = fopen(path, "we");
	int ret = f ? 0 : -errno;

	free(path);
	if (!f)
		return ret;
	for (const char *const *d = plan_dirs; *d; d++)
		fprintf(f, "dir\t/%s\n", *d);
	for (size_t i = 0; !ret && i < p->n; i++) {
		char *src;

		if (p->part[i].text) {
			src = xasprintf("%s/text%zu", work, i);
			ret = write_file(src, p->part[i].text);
		} else {
			/* dracut-install would copy a symlink as such. */
			char *host = host_path("%s", p->part[i].src);

			src = realpath(host, NULL);
			if (!src)
				ret = -errno;
			free(host);
		}
		if (!ret && strpbrk(src, "\t\n"))
			ret = -EINVAL;
		if (!ret)
			fprintf(f, "file\t%s\t/%s\n", src, p->part[i].dst);
		free(src);
	}
	if (fclose(f) && !ret)
		ret = -errno;
	return ret;
}

/*
 * dracut's own files, but of its modules only ours: nothing else is looked at,
 * which is also three times as fast.  Nor its drop-in configuration, which newer
 * ones read in spite of --confdir.
 */
static int make_base(const char *work, const char *module)
{
	char *base = xasprintf("%s/base", work);
	char *mods = xasprintf("%s/modules.d", base);
	char *ours = xasprintf("%s/" DRACUT_MODULE, mods);
	char *from = host_path("%s", module);
	DIR *d = opendir(DRACUT_BASE);
	int ret = d ? 0 : -errno;
	struct dirent *de;

	if (mkdir(base, 0755) || mkdir(mods, 0755) || symlink(from, ours))
		ret = ret ? ret : -errno;
	while (!ret && (de = readdir(d))) {
		char *to, *name;

		if (de->d_name[0] == '.' || !strcmp(de->d_name, "modules.d") ||
		    !strcmp(de->d_name, "dracut.conf.d"))
			continue;
		to = xasprintf(DRACUT_BASE "/%s", de->d_name);
		name = xasprintf("%s/%s", base, de->d_name);
		if (symlink(to, name))
			ret = -errno;
		free(to);
		free(name);
	}
	if (d)
		closedir(d);
	free(base);
	free(mods);
	free(ours);
	free(from);
	return ret;
}

static void log_tail(const char *path)
{
	char *text, *p, line[512];
	int lines = 0;

	if (host_slurp(path, 4 << 20, &text, NULL))
		return;
	for (p = text + strlen(text); p > text && lines <= LOG_TAIL; p--)
		lines += p[-1] == '\n';
	for (p = strtok(p, "\n"); p; p = strtok(NULL, "\n"))
		log_notice(NULL, "dracut said: %s", clean(line, sizeof(line), p));
	free(text);
}

static void child(const char *work, const char *kver)
{
	char *conf = xasprintf("%s/empty.conf", work);
	char *confdir = xasprintf("%s/empty.d", work);
	char *tmp = xasprintf("%s/tmp", work);
	char *out = xasprintf("%s/dracut.cpio", work);
	char *log = xasprintf("%s/dracut.log", work);
	const char *argv[] = {
		"dracut", "--force", "--no-kernel", "--modules", "xen-stubdom",
		"--conf", conf, "--confdir", confdir,
		"--no-hostonly", "--no-hostonly-cmdline", "--no-early-microcode",
		"--nostrip", "--reproducible", "--no-compress",
		"--tmpdir", tmp, out, kver, NULL
	};
	char *env[] = {
		(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
		(char *)"LC_ALL=C", (char *)"HOME=/", (char *)"TMPDIR=/nonexistent",
		xasprintf("dracutbasedir=%s/base", work),
		xasprintf("XEN_STUBDOM_PLAN=%s/plan", work),
		NULL
	};
	int fd = open(log, O_WRONLY | O_CREAT | O_EXCL, 0600);
	int nil = open("/dev/null", O_RDONLY);

	setpgid(0, 0);
	/* SIGKILL for us must not leave dracut writing into our directory. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	env[3] = xasprintf("TMPDIR=%s", tmp);
	if (fd < 0 || nil < 0 || dup2(nil, 0) < 0 || dup2(fd, 1) < 0 ||
	    dup2(fd, 2) < 0)
		_exit(126);
	execvpe("dracut", (char **)argv, env);
	_exit(127);
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) != pid) {
		if (errno != EINTR)
			return -errno;
		if (!interrupted())
			continue;
		/* It cleans up after itself when asked; do not wait for ever. */
		kill(-pid, SIGTERM);
		for (int i = 0; i < 50; i++) {
			if (waitpid(pid, &status, WNOHANG) == pid)
				return -EINTR;
			usleep(100000);
		}
		kill(-pid, SIGKILL);
		waitpid(pid, &status, 0);
		return -EINTR;
	}
	if (interrupted())
		return -EINTR;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return -ENOENT;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -ECHILD;
}

static int prepare(const char *work, const char *module, const struct plan *p)
{
	static const char *const dirs[] = { "empty.d", "tmp" };
	char *conf = xasprintf("%s/empty.conf", work);
	int ret = write_file(conf, "");

	free(conf);
	for (size_t i = 0; !ret && i < 2; i++) {
		char *dir = xasprintf("%s/%s", work, dirs[i]);

		ret = mkdir(dir, 0700) ? -errno : 0;
		free(dir);
	}
	if (!ret)
		ret = write_plan(work, p);
	return ret ? ret : make_base(work, module);
}

static int check_there(const char *module, struct error **err)
{
	char *setup = host_path("%s/module-setup.sh", module);
	int ret = access(setup, R_OK) ? -ENOENT : 0;
	char *fix = NULL;

	if (ret) {
		fix = package_reinstall("xen-stubdom-utils");
		error_add(err, ret, fix, "%s of package xen-stubdom-utils is missing", setup);
	} else if (access(DRACUT_BASE "/dracut-functions.sh", R_OK)) {
		fix = package_install("dracut-core");
		ret = error_add(err, -ENOENT, fix, DRACUT_BASE "/dracut-functions.sh is missing");
	}
	free(fix);
	free(setup);
	return ret;
}

int dracut_run(const char *work, const char *module, const char *kver,
	       const struct plan *p, struct error **err)
{
	int ret = check_there(module, err);
	char *log, *fix;
	pid_t pid;

	if (ret)
		return ret;
	ret = prepare(work, module, p);
	if (ret)
		return error_add(err, ret, NULL, "%s: cannot be prepared for dracut: %s", work,
				 strerror(-ret));
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return error_add(err, -errno, NULL, "dracut cannot be started: %s", strerror(errno));
	if (!pid)
		child(work, kver);
	setpgid(pid, pid);
	ret = wait_for(pid);
	if (!ret || ret == -EINTR)
		return ret;
	log = xasprintf("%s/dracut.log", work);
	log_tail(log);
	free(log);
	if (ret != -ENOENT)
		return error_add(err, ret, NULL, "dracut failed");
	fix = package_install("dracut-core");
	error_add(err, ret, fix, "dracut is not installed");
	free(fix);
	return ret;
}

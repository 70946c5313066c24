// SPDX-License-Identifier: GPL-2.0-or-later
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failure.h"

static const struct {
	const char *what, *where, *opts;
	unsigned long flags;
	int optional;
} table[] = {
	{ "devtmpfs", "/dev", "mode=0755", MS_NOSUID | MS_NOEXEC, 0 },
	{ "proc", "/proc", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV, 0 },
	{ "sysfs", "/sys", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV, 0 },
	{ "tmpfs", "/run", "mode=0755,size=32m", MS_NOSUID | MS_NOEXEC | MS_NODEV, 0 },
	{ "tmpfs", "/tmp", "mode=1777,size=16m", MS_NOSUID | MS_NOEXEC | MS_NODEV, 0 },
	/* Only old libraries look here; /dev/xen has all that is needed. */
	{ "xenfs", "/proc/xen", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV, 1 },
};

int mounts_setup(void)
{
	int ret = 0;

	for (unsigned int i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		mkdir(table[i].where, 0755);
		if (!mount(table[i].what, table[i].where, table[i].what,
			   table[i].flags, table[i].opts))
			continue;
		/* A debug image may have done it already. */
		if (errno != EBUSY && !table[i].optional && !ret)
			ret = -errno;
	}
	/* Others may pass through it to the socket that is theirs. */
	mkdir(INIT_RUN_DIR, 0711);
	return ret;
}

int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;
	int ret;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	ret = n < 0 ? -errno : 0;
	close(fd);
	return ret;
}

int read_file(const char *path, char *buf, unsigned int size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret;
	unsigned int len = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	while (len < size - 1 && (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += n;
	ret = n < 0 ? -errno : (int)len;
	close(fd);
	buf[len] = '\0';
	return ret;
}

void mounts_sysctl(void)
{
	int ret;

	/* QEMU's map cache reserves 384 MiB of address space it never fills. */
	ret = write_file("/proc/sys/vm/overcommit_memory", "1");
	if (ret)
		say_warn("vm.overcommit_memory cannot be set: %s: QEMU may fail to start",
			 strerror(-ret));
	/* Rings of the QMP broker; the default (1024 pages) is enough, but an
	 * image's own kernel may have been told otherwise. */
	write_file("/sys/module/xen_gntalloc/parameters/limit", "1024");
	/*
	 * "xl shutdown" of this domain: the kernel runs this, and init says what
	 * it makes of it.  While the kernel still boots, a program that is not
	 * found would stop the domain on the spot.
	 */
	write_file("/proc/sys/kernel/poweroff_cmd", "/proc/1/exe --power-off");
	/* This domain forwards frames and never speaks IP itself. */
	write_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
	write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/cli/repack.c src/stubdom/cli/repack_read.c src/stubdom/cli/repack_keep.c src/stubdom/cli/repack_write.c src/lib/cli/host.c src/lib/cli/interrupt.c src/lib/base/file.c src/lib/base/error.c src/lib/base/log.c */
/* test-pkgs: libarchive */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "stubdom/cli/cli.h"
#include "stubdom/cli/repack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void quiet(int level, const struct log_about *about, const char *line)
{
	(void)level;
	(void)about;
	(void)line;
}

/* Any bytes as dracut's archive: keep what can be kept, and write it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct repack r;
	static int fd = -1;

	if (fd < 0)
		fd = open("/dev/null", O_WRONLY);
	log_open("fuzz", quiet, LOG_ERR);
	if (!repack_read(&r, data, size)) {
		repack_keep_file(&r, "init", 0755, NULL);
		repack_keep_file(&r, "a/b/c", 0644, NULL);
		for (size_t i = 0; i < r.n && i < 16; i++) {
			char *path = xstrdup(r.entry[i].path);

			repack_keep_file(&r, path, 0644, NULL);
			free(path);
		}
		repack_keep_dir(&r, "dev", 0755);
		repack_add_node(&r, "dev/null", S_IFCHR | 0666, makedev(1, 3));
		repack_add_symlink(&r, "bin", "usr/bin");
		repack_write(&r, fd, 0, NULL);
	}
	repack_free(&r);
	return 0;
}

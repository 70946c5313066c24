// SPDX-License-Identifier: GPL-2.0-or-later
#include "verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/sha256.h"

int manifest_read(const char *path, struct manifest *m, unsigned int *line)
{
	char *text = NULL;
	int ret = file_read(path, MANIFEST_MAX, &text, NULL);

	memset(m, 0, sizeof(*m));
	if (line)
		*line = 0;
	if (!ret)
		ret = manifest_parse(m, text, line);
	free(text);
	return ret;
}

int manifest_verify(const struct manifest_output *out, const char *path)
{
	char sha[SHA256_HEX_LEN + 1];
	uint64_t size = 0;
	int ret = sha256_file(path, FILE_MAX_BYTES, sha, &size);

	if (ret == -EFBIG)
		return -EBADMSG;
	return ret || (size == out->size && !strcmp(sha, out->sha)) ? ret : -EBADMSG;
}

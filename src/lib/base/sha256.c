// SPDX-License-Identifier: GPL-2.0-or-later
#include "sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK (256 * 1024)

static int feed(EVP_MD_CTX *md, int fd, uint64_t max, uint64_t *total)
{
	unsigned char *buf = malloc(CHUNK);
	int ret = 0;

	if (!buf)
		return -ENOMEM;
	for (*total = 0;;) {
		ssize_t n = read(fd, buf, CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			ret = -errno;
		if (n <= 0)
			break;
		*total += (uint64_t)n;
		if (*total > max) {
			ret = -EFBIG;
			break;
		}
		if (!EVP_DigestUpdate(md, buf, (size_t)n)) {
			ret = -EIO;
			break;
		}
	}
	free(buf);
	return ret;
}

static void to_hex(char *hex, const unsigned char *raw, unsigned int len)
{
	static const char digit[] = "0123456789abcdef";

	for (unsigned int i = 0; i < len; i++) {
		*hex++ = digit[raw[i] >> 4];
		*hex++ = digit[raw[i] & 15];
	}
	*hex = '\0';
}

int sha256_fd(int fd, uint64_t max, char hex[SHA256_HEX_LEN + 1],
	      uint64_t *size)
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	uint64_t total = 0;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	int ret;

	if (!md)
		return -ENOMEM;
	ret = EVP_DigestInit_ex(md, EVP_sha256(), NULL) ? 0 : -EIO;
	if (!ret)
		ret = feed(md, fd, max, &total);
	if (!ret && (!EVP_DigestFinal_ex(md, raw, &len) ||
		     len != SHA256_HEX_LEN / 2))
		ret = -EIO;
	EVP_MD_CTX_free(md);
	if (ret)
		return ret;
	to_hex(hex, raw, len);
	if (size)
		*size = total;
	return 0;
}

int sha256_file(const char *path, uint64_t max, char hex[SHA256_HEX_LEN + 1],
		uint64_t *size)
{
	/* O_NONBLOCK: opening a FIFO put in the file's place must not hang. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	int ret;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		ret = -errno;
	else if (!S_ISREG(st.st_mode))
		ret = -EINVAL;
	else
		ret = sha256_fd(fd, max, hex, size);
	close(fd);
	return ret;
}

int sha256_buf(const void *buf, size_t len, char hex[SHA256_HEX_LEN + 1])
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned int n = 0;

	if (!EVP_Digest(buf, len, raw, &n, EVP_sha256(), NULL) || n != SHA256_HEX_LEN / 2)
		return -EIO;
	to_hex(hex, raw, n);
	return 0;
}

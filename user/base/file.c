/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <nettle/sha2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"

static int open_regular_at(int dir, const char *path, int more_flags)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | more_flags;
	_cleanup_(closep) int fd = openat(dir, path, flags);
	struct stat st;

	if (fd < 0)
		return errf(-errno, "cannot open '%s': %m", path);
	if (fstat(fd, &st))
		return errf(-errno, "cannot look at '%s': %m", path);
	if (!S_ISREG(st.st_mode))
		return errf(-EINVAL, "'%s' is not a regular file", path);
	return take_fd(fd);
}

int file_open(const char *path, int how)
{
	return open_regular_at(AT_FDCWD, path, how == FILE_HOSTILE ? O_NOFOLLOW : 0);
}

int file_open_at(int dir, const char *name)
{
	if (!*name || strchr(name, '/'))
		return errf(-EINVAL, "'%s' is not the name of a file in a folder", name);
	return open_regular_at(dir, name, O_NOFOLLOW);
}

int file_read_fd(int fd, const char *name, size_t max, char **ret, size_t *ret_len)
{
	_cleanup_(freep) char *data = NULL;
	size_t len = 0, cap = 0;
	ssize_t n;

	for (;;) {
		/* Pseudo files have no size to ask for; 4096 more than there is ends the loop. */
		if (array_reserve(data, cap, len + 4097))
			return errf(-ENOMEM, "no memory to read '%s'", name);
		n = read(fd, data + len, cap - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errf(-errno, "cannot read '%s': %m", name);
		if (n == 0)
			break;
		len += n;
		if (len > max)
			return errf(-EFBIG, "'%s' is larger than the limit of %zu bytes", name,
				    max);
	}
	data[len] = '\0';
	*ret = take(data);
	*ret_len = len;
	return 0;
}

int file_read(const char *path, size_t max, char **ret, size_t *ret_len)
{
	_cleanup_(closep) int fd = file_open(path, FILE_TRUSTED);

	return fd < 0 ? fd : file_read_fd(fd, path, max, ret, ret_len);
}

char *file_text_in(const char *folder, const char *name)
{
	char path[PATH_MAX], *text;
	size_t len;

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path) ||
	    file_read(path, 1 << 20, &text, &len))
		return NULL;
	return text;
}

int file_read_line(const char *path, char **ret)
{
	size_t len;
	int err = file_read(path, 1 << 20, ret, &len);

	if (!err)
		(*ret)[strcspn(*ret, "\n")] = '\0';
	return err;
}

int file_write_all(int fd, const char *name, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errf(-errno, "cannot write '%s': %m", name);
		p += n;
		len -= n;
	}
	return 0;
}

static void finish_sha256(struct sha256_ctx *ctx, char ret[65])
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	size_t i;

	sha256_digest(ctx, sizeof(digest), digest);
	for (i = 0; i < sizeof(digest); i++)
		snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

void bytes_sha256(const void *data, size_t len, char ret[65])
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, len, data);
	finish_sha256(&ctx, ret);
}

int file_sha256(int fd, const char *name, char ret[65])
{
	uint8_t block[65536];
	struct sha256_ctx ctx;
	off_t at = 0;
	ssize_t n;

	sha256_init(&ctx);
	while ((n = pread(fd, block, sizeof(block), at)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errf(-errno, "cannot read '%s': %m", name);
		sha256_update(&ctx, n, block);
		at += n;
	}
	finish_sha256(&ctx, ret);
	return 0;
}

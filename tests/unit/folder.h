/* SPDX-License-Identifier: BSD-2-Clause */
/* folder: a folder of a test's own, and files in it. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct folder {
	char path[64];
};

static inline void folder_make(struct folder *f)
{
	strcpy(f->path, "/tmp/fathom-test-XXXXXX");
	assert_non_null(mkdtemp(f->path));
}

/* Path of a name in the folder; valid until the next call. */
static inline const char *folder_path(const struct folder *f, const char *name)
{
	static char path[512];

	assert_true((size_t)snprintf(path, sizeof(path), "%s/%s", f->path, name) < sizeof(path));
	return path;
}

static inline const char *folder_write(const struct folder *f, const char *name, const void *data,
				       size_t len)
{
	FILE *out = fopen(folder_path(f, name), "we");

	assert_non_null(out);
	assert_int_equal(fwrite(data, 1, len, out), len);
	assert_int_equal(fclose(out), 0);
	return folder_path(f, name);
}

/* Removes the folder and the files in it. */
static inline void folder_remove(struct folder *f)
{
	DIR *dir = opendir(f->path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(f->path);
}

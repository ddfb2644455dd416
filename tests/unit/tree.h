/* SPDX-License-Identifier: BSD-2-Clause */
/* tree: a folder of a test's own with folders, files and links in it. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TREE_TEMPLATE "/tmp/fathom-test-XXXXXX"

static char tree_root[] = TREE_TEMPLATE;

static inline void tree_make(void)
{
	strcpy(tree_root, TREE_TEMPLATE);
	assert_non_null(mkdtemp(tree_root));
}

/* A path below the root, whose folders are made; valid until the next call. */
static inline const char *tree_path(const char *name)
{
	static char path[4096];
	char *slash;

	assert_true((size_t)snprintf(path, sizeof(path), "%s/%s", tree_root, name) < sizeof(path));
	for (slash = path + strlen(tree_root); (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	return path;
}

static inline void tree_write(const char *name, const char *text)
{
	FILE *f = fopen(tree_path(name), "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static inline void tree_link(const char *name, const char *target)
{
	assert_int_equal(symlink(target, tree_path(name)), 0);
}

static inline int tree_remove_one(const char *path, const struct stat *st, int type,
				  struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* Removes what is below the root, or the root itself for "". */
static inline void tree_remove(const char *name)
{
	assert_int_equal(nftw(*name ? tree_path(name) : tree_root, tree_remove_one, 16,
			      FTW_DEPTH | FTW_PHYS),
			 0);
}

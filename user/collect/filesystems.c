/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/filesystems.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/keyset.h"
#include "user/base/str.h"
#include "user/collect/mountinfo.h"

struct entry {
	struct filesystem fs;
	uint32_t reading; /* number of the reading that has found it last; 0 for none */
	bool whole;	  /* mount_point shows all of it */
};

struct filesystems {
	char *path;
	uint32_t reading;
	struct keyset devs; /* of uint32_t */
	struct entry **all; /* by number in 'devs' */
	size_t cap;
};

static void entry_free(struct entry *e)
{
	free(e->fs.type);
	free(e->fs.mount_point);
	free(e->fs.source);
	free(e);
}
DEFINE_FREEP(struct entry, entry_free)

/* Puts clean text in the place of what was there. */
static int set_text(char **to, const char *text)
{
	_cleanup_(str_release) struct str clean = { 0 };

	if (str_add_clean(&clean, text, strlen(text), 0) || str_add(&clean, ""))
		return -ENOMEM;
	free(*to);
	*to = take(clean.data);
	return 0;
}

/* The entry of a number, new and empty if there was none. */
static int entry_of(struct filesystems *fs, uint32_t dev, struct entry **ret, bool *ret_new)
{
	_cleanup_(entry_freep) struct entry *e = NULL;
	uint32_t i = keyset_find(&fs->devs, &dev);

	*ret_new = i == KEYSET_NONE;
	if (!*ret_new) {
		*ret = fs->all[i];
		return 0;
	}
	e = calloc(1, sizeof(*e));
	if (!e || set_text(&e->fs.type, "") || set_text(&e->fs.mount_point, "") ||
	    set_text(&e->fs.source, "") || array_reserve(fs->all, fs->cap, fs->devs.n + 1) ||
	    keyset_add(&fs->devs, &dev, &i) < 0)
		return -ENOMEM;
	e->fs.dev = dev;
	*ret = fs->all[i] = take(e);
	return 0;
}

static int on_mount(void *ctx, const struct mountinfo *m)
{
	struct filesystems *fs = ctx;
	bool whole = !strcmp(m->root, "/"), is_new, better;
	struct entry *e;

	if (entry_of(fs, m->dev, &e, &is_new))
		return -ENOMEM;
	better = e->reading != fs->reading || (whole && !e->whole) ||
		 (whole == e->whole && strlen(m->mount_point) < strlen(e->fs.mount_point));
	if (!better)
		return 0;
	e->reading = fs->reading;
	e->whole = whole;
	return set_text(&e->fs.type, m->type) || set_text(&e->fs.source, m->source) ||
			       set_text(&e->fs.mount_point, m->mount_point)
		       ? -ENOMEM
		       : 0;
}

int filesystems_refresh(struct filesystems *fs)
{
	fs->reading++;
	if (mountinfo_read(fs->path, on_mount, fs) == -ENOMEM)
		return errf(-ENOMEM, "no memory for the file systems in '%s'", fs->path);
	return 0;
}

int filesystems_new(const char *mountinfo, struct filesystems **ret)
{
	_cleanup_(filesystems_freep) struct filesystems *fs = calloc(1, sizeof(*fs));
	int err;

	if (!fs)
		return errf(-ENOMEM, "no memory for file systems");
	keyset_init(&fs->devs, sizeof(uint32_t));
	fs->path = strdup(mountinfo);
	if (!fs->path)
		return errf(-ENOMEM, "no memory for file systems");
	err = filesystems_refresh(fs);
	if (err)
		return err;
	*ret = take(fs);
	return 0;
}

void filesystems_free(struct filesystems *fs)
{
	size_t i;

	if (!fs)
		return;
	for (i = 0; i < fs->devs.n; i++)
		entry_free(fs->all[i]);
	free(fs->all);
	free(fs->path);
	keyset_release(&fs->devs);
	free(fs);
}

int filesystems_resolve(struct filesystems *fs, uint32_t dev, const struct filesystem **ret)
{
	struct entry *e;
	bool is_new;
	int err;

	if (entry_of(fs, dev, &e, &is_new))
		return errf(-ENOMEM, "no memory for a file system");
	if (is_new) {
		err = filesystems_refresh(fs);
		if (err)
			return err;
	}
	*ret = &e->fs;
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/shim_launch.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/base/err.h"
#include "user/collect/shim_env.h"
#include "user/collect/shim_suits.h"

/* With shorter intervals a program that starts has more samples than can be unwound late. */
#define MANY_BELOW_BYTES 65536

static int refuse(struct shim_launch *l)
{
	l->why_not = strdup(err_text());
	return l->why_not ? 0 : errf(-ENOMEM, "no memory for the command");
}

int shim_launch_prepare(const struct alloc_settings *settings, const char *command,
			struct shim_launch *ret)
{
	struct shim_settings shim = {
		.interval_bytes = settings->interval_bytes,
		.seed = settings->seed,
		.has_seed = settings->has_seed,
		.maps = settings->follow_maps,
		.follow = !settings->no_follow,
	};
	int err = shim_suits(command);

	if (err == -ENOTSUP)
		return refuse(ret);
	/* Whoever starts it says it better. */
	if (err)
		return err == -ENOMEM ? err : 0;
	err = shim_file_place(&ret->file);
	if (err)
		return err == -ENOMEM ? err : refuse(ret);
	if (settings->interval_bytes < MANY_BELOW_BYTES) {
		err = shim_known_place(ret->file.folder, &ret->known);
		if (err)
			return err;
		shim.known = ret->known.path;
	}
	return shim_env_make(&shim, ret->file.path, environ, &ret->environment);
}

static bool has_mapped(const char *pid, const char *path)
{
	char name[64], line[4608];
	bool found = false;
	FILE *maps;

	snprintf(name, sizeof(name), "/proc/%.20s/maps", pid);
	maps = fopen(name, "re");
	if (!maps)
		return false;
	while (!found && fgets(line, sizeof(line), maps))
		found = strstr(line, path) != NULL;
	fclose(maps);
	return found;
}

static bool is_in_use(const char *path)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	bool found = false;

	while (proc && !found && (entry = readdir(proc)))
		found = isdigit((unsigned char)entry->d_name[0]) && has_mapped(entry->d_name, path);
	if (proc)
		closedir(proc);
	return found;
}

void shim_launch_release(struct shim_launch *l, char **ret_sentence)
{
	*ret_sentence = NULL;
	shim_env_free(l->environment);
	free(l->why_not);
	l->environment = NULL;
	l->why_not = NULL;
	shim_known_remove(&l->known);
	if (!l->file.folder)
		return;
	if (is_in_use(l->file.path) && !shim_file_leave(&l->file, ret_sentence))
		return;
	shim_file_remove(&l->file);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/profile_files.h"

#include <stdlib.h>

#include "flamegraph/flame_profile.h"
#include "flamegraph/picture.h"
#include "user/base/cleanup.h"
#include "user/cmd/profile_provenance.h"
#include "user/export/folded.h"
#include "user/export/pprof.h"

#define PROFILE_FILE_MAX 256

int profile_files_open(const struct profile_files *f, const char *suffix, FILE **ret)
{
	char name[PROFILE_FILE_MAX];

	snprintf(name, sizeof(name), "%s%s", f->name, suffix);
	return run_folder_open(f->rf, name, ret);
}

static int write_folded(const struct profile_files *f)
{
	FILE *out;
	int err = profile_files_open(f, ".folded", &out), close_err;

	if (err)
		return err;
	err = folded_write(f->p, &f->view, out);
	close_err = run_folder_close(f->rf, out);
	return err ? err : close_err;
}

static int write_pprof(const struct profile_files *f)
{
	_cleanup_(freep) void *data = NULL;
	char name[PROFILE_FILE_MAX];
	size_t len;
	int err = pprof_write(f->p, &data, &len);

	snprintf(name, sizeof(name), "%s.pb.gz", f->name);
	return err ? err : run_folder_write(f->rf, name, data, len);
}

static int write_svg(const struct profile_files *f)
{
	const struct profile_value_type *shown = &f->p->value_types[f->p->default_value];
	_cleanup_(flame_moments_freep) struct flame_moments *moments = NULL;
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	_cleanup_(provenance_release) struct provenance provenance = { 0 };
	struct picture_options options = {
		.title = f->title,
		.subtitle = f->subtitle,
		.unit = profile_string(f->p, shown->unit),
		.value = profile_string(f->p, shown->type),
		.min_width = -1,
	};
	FILE *out;
	int err = flame_tree_of_profile(f->p, &f->view, &tree, &moments), close_err;

	if (!err)
		err = profile_provenance(f->p, false, &provenance);
	options.provenance = (const char *const(*)[2])provenance.pairs;
	options.n_provenance = provenance.n;
	options.time = moments ? &moments->time : NULL;
	if (!err)
		err = profile_files_open(f, ".svg", &out);
	if (err)
		return err;
	err = picture_write(tree, &options, out);
	close_err = run_folder_close(f->rf, out);
	return err ? err : close_err;
}

int profile_files_write(const struct profile_files *f)
{
	int err = write_folded(f);

	if (!err)
		err = write_pprof(f);
	return err ? err : write_svg(f);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/profile_files.h"

#include <stdlib.h>

#include "flamegraph/flamegraph.h"
#include "flamegraph/svg.h"
#include "user/base/cleanup.h"
#include "user/export/folded.h"
#include "user/export/pprof.h"
#include "user/model/calltree.h"

/* A box narrower than a tenth of a pixel of the default width is joined with its neighbours. */
#define FLAME_MIN_SHARE (0.1 / 1200)

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
	_cleanup_(flame_layout_freep) struct flame_layout *layout = NULL;
	_cleanup_(calltree_freep) struct calltree *tree = NULL;
	struct svg_options options = {
		.title = f->title,
		.subtitle = f->subtitle,
		.unit = profile_string(f->p, shown->unit),
		.value = profile_string(f->p, shown->type),
	};
	FILE *out;
	int err = calltree_new(f->p, &f->view, &tree), close_err;

	if (!err)
		err = flame_layout_new_bounded(tree, FLAME_MIN_SHARE, &layout);
	if (!err)
		err = profile_files_open(f, ".svg", &out);
	if (err)
		return err;
	err = svg_write(layout, &options, out);
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

/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/folded_picture.h"

#include <errno.h>

#include "flamegraph/amount.h"
#include "user/base/err.h"
#include "user/base/str.h"

static int add_amount(struct provenance *p, const char *key, const struct flame_settings *s,
		      int64_t v)
{
	const char *unit = s->picture.unit ? s->picture.unit : "count";
	const char *value = s->picture.value ? s->picture.value : "samples";
	_cleanup_(str_release) struct str text = { 0 };
	int err;

	if (s->picture.count_name) {
		err = amount_add(&text, unit, NULL, v);
		if (!err)
			err = str_addf(&text, " %s", s->picture.count_name);
	} else {
		err = amount_add(&text, unit, value, v);
	}
	if (err)
		return errf(err, "no memory for what a picture is of");
	return provenance_add(p, key, "%s", str_text(&text));
}

/* "1,234 lines" */
static int add_number(struct provenance *p, const char *key, uint64_t n, const char *what)
{
	_cleanup_(str_release) struct str text = { 0 };

	if (amount_add(&text, "count", what, (int64_t)n))
		return errf(-ENOMEM, "no memory for what a picture is of");
	return provenance_add(p, key, "%s", str_text(&text));
}

static int describe(struct folded_picture *p, const struct flame_settings *s)
{
	const struct flame_tree *tree = p->tree;
	char repairs[512];
	int err = 0;

	if (tree->before)
		err = add_amount(&p->provenance, "before", s, tree->before[0]);
	if (!err)
		err = add_amount(&p->provenance, tree->before ? "after" : "total", s,
				 tree->nodes[0].value);
	if (!err)
		err = add_number(&p->provenance, "stacks", p->n_stacks, "lines");
	if (!err)
		err = add_number(&p->provenance, "call tree", tree->n_nodes - 1, "frames");
	if (!err && folded_repairs_describe(&p->repairs, repairs, sizeof(repairs)))
		err = provenance_add(&p->provenance, "input", "%s", repairs);
	return err;
}

int folded_picture_read(char *const *paths, size_t n, const struct flame_settings *settings,
			struct folded_picture *ret)
{
	struct folded_picture p = { 0 };
	int err = folded_stream_read(paths, n, &settings->input, &p.tree, &p.repairs, &p.n_stacks);

	if (err == -ENODATA && p.tree)
		err = 0;
	p.is_empty = !err && !p.tree->nodes[0].value && !(p.tree->before && p.tree->before[0]);
	if (!err)
		err = describe(&p, settings);
	if (err) {
		folded_picture_release(&p);
		return err;
	}
	*ret = p;
	return 0;
}

void folded_picture_release(struct folded_picture *p)
{
	if (p->tree)
		flame_tree_free(p->tree);
	provenance_release(&p->provenance);
	*p = (struct folded_picture){ 0 };
}

int folded_picture_write(const struct folded_picture *p, const struct flame_settings *settings,
			 FILE *out)
{
	struct picture_options options = settings->picture;

	options.provenance = (const char *const(*)[2])p->provenance.pairs;
	options.n_provenance = p->provenance.n;
	return picture_write(p->tree, &options, out);
}

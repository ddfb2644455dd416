/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/pprof_stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/str.h"
#include "user/export/frame_kinds.h"

struct maker {
	const struct profile *p;
	struct pprof_stacks *stacks;
	uint32_t *string_of; /* string of p -> string of out, PROFILE_NONE: not yet */
	uint32_t *labels_of; /* the same for label sets */
	uint32_t *path_of;   /* node of p -> path */
	uint32_t *todo;	     /* nodes, innermost first */
	size_t todo_cap;
	struct profile_label *labels;
	size_t labels_cap;
	struct str text;
};

void pprof_stacks_free(struct pprof_stacks *stacks)
{
	if (!stacks)
		return;
	profile_free(stacks->out);
	keyset_release(&stacks->lines);
	keyset_release(&stacks->paths);
	free(stacks);
}

static int clean_text(struct maker *mk, const char *text, uint32_t *ret)
{
	int err;

	str_clear(&mk->text);
	err = str_add_clean(&mk->text, text, strlen(text), 0);
	return err ? err : profile_add_string(mk->stacks->out, str_text(&mk->text), ret);
}

static int clean_string(struct maker *mk, uint32_t string, uint32_t *ret)
{
	uint32_t *of = &mk->string_of[string];
	int err = 0;

	if (*of == PROFILE_NONE)
		err = clean_text(mk, profile_string(mk->p, string), of);
	*ret = *of;
	return err;
}

static int add_mapping(struct maker *mk, const struct profile_frame *frame, uint32_t *ret)
{
	const char *stored = kind_stored_path(frame->kind);
	struct profile_mapping m = { 0 };
	int err;

	*ret = PROFILE_NONE;
	if (frame->mapping != PROFILE_NONE) {
		m = *profile_mapping_at(mk->p, frame->mapping);
		err = clean_string(mk, m.path, &m.path);
		if (!err)
			err = clean_string(mk, m.build_id, &m.build_id);
	} else if (stored) {
		err = clean_text(mk, stored, &m.path);
	} else {
		return 0;
	}
	return err ? err : profile_add_mapping(mk->stacks->out, &m, ret);
}

static int set_add(struct keyset *set, const void *key, uint32_t *ret)
{
	int added = keyset_add(set, key, ret);

	return added < 0 ? added : 0;
}

/* Whether the frame is inlined into the innermost line of the path that its parent ends in. */
static bool is_inlined_into(const struct profile_frame *frame, uint32_t frame_mapping,
			    const struct pprof_line *line)
{
	return frame->kind == FRAME_INLINED && frame->address == line->address &&
	       (frame->mapping == PROFILE_NONE || frame_mapping == line->mapping);
}

static int add_path(struct maker *mk, uint32_t parent, const struct profile_frame *frame,
		    uint32_t *ret)
{
	struct pprof_line line = { .address = frame->address, .outer = PROFILE_NONE };
	struct pprof_path path = { .outer = parent };
	int err;

	err = clean_string(mk, frame->function, &line.function);
	if (!err && !line.function)
		err = clean_text(mk, "[empty]", &line.function);
	if (!err)
		err = clean_string(mk, frame->file, &line.file);
	if (!err)
		err = add_mapping(mk, frame, &line.mapping);
	if (err)
		return err;
	line.line = frame->line;
	if (parent != PROFILE_NONE) {
		const struct pprof_path *outer = keyset_key(&mk->stacks->paths, parent);
		const struct pprof_line *into = keyset_key(&mk->stacks->lines, outer->chain);

		if (is_inlined_into(frame, line.mapping, into)) {
			line.outer = outer->chain;
			line.mapping = into->mapping;
			path.outer = outer->outer;
		}
	}
	err = set_add(&mk->stacks->lines, &line, &path.chain);
	return err ? err : set_add(&mk->stacks->paths, &path, ret);
}

/* The path of a node: its outer nodes come first. */
static int resolve(struct maker *mk, uint32_t node, uint32_t *ret)
{
	uint32_t path = PROFILE_NONE;
	size_t n = 0;
	int err;

	for (; node != PROFILE_NONE; node = profile_node_at(mk->p, node)->parent) {
		if (mk->path_of[node] != PROFILE_NONE) {
			path = mk->path_of[node];
			break;
		}
		if (array_reserve(mk->todo, mk->todo_cap, n + 1))
			return -ENOMEM;
		mk->todo[n++] = node;
	}
	while (n--) {
		const struct profile_node *at = profile_node_at(mk->p, mk->todo[n]);

		err = add_path(mk, path, profile_frame_at(mk->p, at->frame), &path);
		if (err)
			return err;
		mk->path_of[mk->todo[n]] = path;
	}
	*ret = path;
	return 0;
}

static int clean_labels(struct maker *mk, uint32_t set, uint32_t *ret)
{
	size_t n, i;
	const struct profile_label *labels = profile_labels_at(mk->p, set, &n);
	int err = 0;

	if (mk->labels_of[set] != PROFILE_NONE) {
		*ret = mk->labels_of[set];
		return 0;
	}
	if (array_reserve(mk->labels, mk->labels_cap, n))
		return -ENOMEM;
	for (i = 0; i < n && !err; i++) {
		struct profile_label *label = &mk->labels[i];

		*label = labels[i];
		err = clean_string(mk, label->key, &label->key);
		if (!err)
			err = clean_string(mk, label->str, &label->str);
		if (!err)
			err = clean_string(mk, label->unit, &label->unit);
		/* Text or a number: a reader keeps one of them. */
		if (label->str) {
			label->num = 0;
			label->unit = 0;
		}
	}
	if (!err)
		err = profile_add_labels(mk->stacks->out, mk->labels, n, &mk->labels_of[set]);
	*ret = mk->labels_of[set];
	return err;
}

/* pprof's numbers are signed. */
static uint64_t at_most_signed(uint64_t v)
{
	return v < INT64_MAX ? v : INT64_MAX;
}

static int add_head(struct maker *mk)
{
	struct profile *out = mk->stacks->out;
	unsigned int v;
	uint32_t unused;
	int err = 0;

	for (v = 0; v < mk->p->n_values && !err; v++) {
		struct profile_value_type *type = &out->value_types[v];

		err = clean_string(mk, mk->p->value_types[v].type, &type->type);
		if (!err)
			err = clean_string(mk, mk->p->value_types[v].unit, &type->unit);
	}
	out->n_values = mk->p->n_values;
	out->default_value = mk->p->default_value < out->n_values ? mk->p->default_value : 0;
	out->start_ns = at_most_signed(mk->p->start_ns);
	out->duration_ns = at_most_signed(mk->p->duration_ns);
	out->period_ns = at_most_signed(mk->p->period_ns);
	if (!err && out->period_ns)
		err = clean_text(mk, "cpu", &unused);
	if (!err && out->period_ns)
		err = clean_text(mk, "nanoseconds", &unused);
	return err;
}

static int add_samples(struct maker *mk)
{
	uint32_t i, path, labels;
	int err = 0;

	for (i = 0; i < mk->p->samples.n && !err; i++) {
		const struct profile_sample *s = profile_sample_at(mk->p, i);

		err = resolve(mk, s->node, &path);
		if (!err)
			err = clean_labels(mk, s->labels, &labels);
		if (!err)
			err = profile_add_sample(mk->stacks->out, path, labels,
						 profile_values_at(mk->p, i));
	}
	return err;
}

static int add_comments(struct maker *mk)
{
	struct profile *out = mk->stacks->out;
	size_t i;
	int err = 0;

	if (array_reserve(out->comments, out->comments_cap, mk->p->n_comments))
		return -ENOMEM;
	for (i = 0; i < mk->p->n_comments && !err; i++)
		err = clean_string(mk, mk->p->comments[i], &out->comments[i]);
	if (!err)
		out->n_comments = mk->p->n_comments;
	return err;
}

static int make(struct maker *mk)
{
	int err;

	mk->string_of = array_of_none(mk->p->strings.n);
	mk->labels_of = array_of_none(mk->p->n_label_sets);
	mk->path_of = array_of_none(mk->p->nodes.n);
	mk->stacks->out = profile_new();
	if (!mk->string_of || !mk->labels_of || !mk->path_of || !mk->stacks->out)
		return -ENOMEM;
	err = add_head(mk);
	if (!err)
		err = add_samples(mk);
	return err ? err : add_comments(mk);
}

int pprof_stacks_new(const struct profile *p, struct pprof_stacks **ret)
{
	_cleanup_(pprof_stacks_freep) struct pprof_stacks *stacks = calloc(1, sizeof(*stacks));
	struct maker mk = { .p = p, .stacks = stacks };
	int err;

	if (!stacks)
		return -ENOMEM;
	keyset_init(&stacks->lines, sizeof(struct pprof_line));
	keyset_init(&stacks->paths, sizeof(struct pprof_path));
	err = make(&mk);
	free(mk.string_of);
	free(mk.labels_of);
	free(mk.path_of);
	free(mk.todo);
	free(mk.labels);
	str_release(&mk.text);
	if (err)
		return err;
	*ret = take(stacks);
	return 0;
}

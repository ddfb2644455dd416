/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "pprof.pb-c.h"

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/str.h"
#include "user/export/frame_kinds.h"
#include "user/export/gzip.h"
#include "user/export/pprof.h"

/*
 * Bounds for what small files can be made to unfold to. Unpacked messages take about ten times
 * their bytes; a location with thousands of lines may be in millions of stacks.
 */
#define UNPACK_FACTOR	 48
#define UNPACK_FLOOR	 (16ull << 20)
#define UNPACK_MAX	 (4ull << 30)
#define MAX_FRAME_VISITS (1ull << 30)

/* --- unpacking ----------------------------------------------------------------------------- */

struct budget {
	uint64_t left;
	bool exceeded;
};

static void *budget_alloc(void *data, size_t size)
{
	struct budget *budget = data;
	uint64_t cost = (uint64_t)size + 16; /* malloc's own share */

	if (size > UNPACK_MAX || cost > budget->left) {
		budget->exceeded = true;
		return NULL;
	}
	budget->left -= cost;
	return malloc(size);
}

static void budget_free(void *data, void *block)
{
	(void)data;
	free(block);
}

static int unpack(const void *data, size_t len, const char *name, Pprof__Profile **ret)
{
	struct budget budget = { .left = UNPACK_FLOOR + (uint64_t)len * UNPACK_FACTOR };
	ProtobufCAllocator allocator = { budget_alloc, budget_free, &budget };

	if (budget.left > UNPACK_MAX)
		budget.left = UNPACK_MAX;
	*ret = pprof__profile__unpack(&allocator, len, data);
	if (!*ret && budget.exceeded)
		return errf(-EFBIG, "'%s' takes too much memory for a profile of %zu bytes", name,
			    len);
	if (!*ret)
		return errf(-EINVAL, "'%s' is not a pprof file, or it is damaged", name);
	return 0;
}

static void message_freep(Pprof__Profile **m)
{
	ProtobufCAllocator allocator = { budget_alloc, budget_free, NULL };

	if (*m)
		pprof__profile__free_unpacked(*m, &allocator);
}

/* --- reading ------------------------------------------------------------------------------- */

/* A location's frames in 'frames' of the reader, innermost first. */
struct span {
	uint32_t start, n;
};

struct reader {
	const Pprof__Profile *m;
	const char *name;
	struct profile *p;
	uint32_t *string_of; /* string of the file -> of p, PROFILE_NONE: not yet */
	struct keyset mapping_ids, function_ids, location_ids; /* id -> index in the file */
	uint32_t *mapping_of;				       /* index -> mapping of p */
	struct span *spans; /* by location's index; n is 0 until it is needed */
	uint32_t *frames;
	size_t n_frames, frames_cap;
	uint64_t visits;
	struct profile_label *labels;
	size_t labels_cap;
	struct str text;
};

static int bad(const struct reader *r, const char *what, uint64_t which)
{
	return errf(-EINVAL, "'%s' is damaged: %s %" PRIu64 " is not there", r->name, what, which);
}

static const char *text_of(const struct reader *r, int64_t string)
{
	return string ? r->m->strings[string] : "";
}

static int get_string(struct reader *r, int64_t string, uint32_t *ret)
{
	uint32_t *of;
	int err = 0;

	if (string < 0 || (uint64_t)string >= r->m->n_strings) {
		*ret = 0;
		return string ? bad(r, "string", string) : 0;
	}
	of = &r->string_of[string];
	if (*of == PROFILE_NONE)
		err = profile_add_string(r->p, text_of(r, string), of);
	*ret = *of;
	return err;
}

static int add_id(struct reader *r, struct keyset *ids, uint64_t id, const char *what)
{
	uint32_t i;
	int added;

	if (!id)
		return errf(-EINVAL, "'%s' is damaged: a %s has the id 0", r->name, what);
	added = keyset_add(ids, &id, &i);
	if (added == 0)
		return errf(-EINVAL, "'%s' is damaged: %s %" PRIu64 " is there twice", r->name,
			    what, id);
	return added < 0 ? added : 0;
}

static int read_ids(struct reader *r)
{
	size_t i;
	int err = 0;

	for (i = 0; i < r->m->n_mappings && !err; i++)
		err = add_id(r, &r->mapping_ids, r->m->mappings[i]->id, "mapping");
	for (i = 0; i < r->m->n_functions && !err; i++)
		err = add_id(r, &r->function_ids, r->m->functions[i]->id, "function");
	for (i = 0; i < r->m->n_locations && !err; i++)
		err = add_id(r, &r->location_ids, r->m->locations[i]->id, "location");
	return err;
}

static int get_mapping(struct reader *r, uint64_t id, uint32_t *ret)
{
	uint32_t i = keyset_find(&r->mapping_ids, &id);
	struct profile_mapping mapping = { 0 };
	const Pprof__Mapping *m;
	int err;

	*ret = PROFILE_NONE;
	if (!id)
		return 0;
	if (i == KEYSET_NONE)
		return bad(r, "mapping", id);
	if (r->mapping_of[i] == PROFILE_NONE) {
		m = r->m->mappings[i];
		mapping.start = m->start;
		mapping.limit = m->limit;
		mapping.offset = m->offset;
		err = get_string(r, m->path_str, &mapping.path);
		if (!err)
			err = get_string(r, m->build_id_str, &mapping.build_id);
		if (!err)
			err = profile_add_mapping(r->p, &mapping, &r->mapping_of[i]);
		if (err)
			return err;
	}
	*ret = r->mapping_of[i];
	return 0;
}

/* --- frames -------------------------------------------------------------------------------- */

/* A name for code that has none: by its file and offset in it if they are known. */
static int name_address(struct reader *r, struct profile_frame *frame)
{
	const char *module = profile_frame_module(r->p, frame);
	uint64_t at = frame->address;
	int err;

	str_clear(&r->text);
	if (*module) {
		const struct profile_mapping *m = profile_mapping_at(r->p, frame->mapping);

		if (at >= m->start)
			at = at - m->start + m->offset;
		/* "[vdso]" has its brackets already. */
		err = *module == '[' ? str_addf(&r->text, "[%.*s+0x%" PRIx64 "]",
						(int)strcspn(module + 1, "]"), module + 1, at)
				     : str_addf(&r->text, "[%s+0x%" PRIx64 "]", module, at);
	} else {
		err = str_addf(&r->text, "[0x%" PRIx64 "]", at);
	}
	frame->named = 0;
	return err ? err : profile_add_string(r->p, str_text(&r->text), &frame->function);
}

/* Fills in the function of a frame whose address and mapping are known, and keeps the frame. */
static int add_frame(struct reader *r, struct profile_frame *frame)
{
	int err = 0;

	if (!frame->function)
		err = name_address(r, frame);
	else
		frame->named = !name_is_stand_in(profile_string(r->p, frame->function));
	if (err)
		return err;
	if (r->n_frames >= UINT32_MAX || array_reserve(r->frames, r->frames_cap, r->n_frames + 1))
		return -ENOMEM;
	err = profile_add_frame(r->p, frame, &r->frames[r->n_frames]);
	r->n_frames += !err;
	return err;
}

static int read_line(struct reader *r, const Pprof__Line *line, struct profile_frame *frame)
{
	uint32_t i = keyset_find(&r->function_ids, &line->function_id);
	const Pprof__Function *f;
	int err;

	if (i == KEYSET_NONE)
		return bad(r, "function", line->function_id);
	f = r->m->functions[i];
	frame->line = line->line > 0 && line->line < UINT32_MAX ? line->line : 0;
	err = get_string(r, f->name_str, &frame->function);
	if (!err && !frame->function)
		err = get_string(r, f->system_name_str, &frame->function);
	return err ? err : get_string(r, f->file_str, &frame->file);
}

static int read_lines(struct reader *r, const Pprof__Location *l, struct profile_frame *base)
{
	uint32_t kind = base->kind;
	size_t i;
	int err = 0;

	for (i = 0; i < l->n_lines && i < PROFILE_MAX_DEPTH && !err; i++) {
		struct profile_frame frame = *base;

		frame.kind = i + 1 < l->n_lines ? FRAME_INLINED : kind;
		err = read_line(r, l->lines[i], &frame);
		if (!err)
			err = add_frame(r, &frame);
	}
	return err;
}

static int read_location(struct reader *r, uint32_t i)
{
	const Pprof__Location *l = r->m->locations[i];
	struct profile_frame base = { .address = l->address };
	const char *path = "";
	size_t start = r->n_frames;
	int err;

	err = get_mapping(r, l->mapping_id, &base.mapping);
	if (err)
		return err;
	if (base.mapping != PROFILE_NONE)
		path = profile_string(r->p, profile_mapping_at(r->p, base.mapping)->path);
	base.kind = kind_of_mapping(path, base.address);
	err = l->n_lines ? read_lines(r, l, &base) : add_frame(r, &base);
	if (!err)
		r->spans[i] = (struct span){ start, r->n_frames - start };
	return err;
}

/* --- samples ------------------------------------------------------------------------------- */

static int read_stack(struct reader *r, const Pprof__Sample *s, uint32_t *ret)
{
	uint32_t path[PROFILE_MAX_DEPTH], n = 0, k, at, node = PROFILE_NONE;
	struct span span;
	size_t i;
	int err = 0;

	for (i = 0; i < s->n_location_ids && n < PROFILE_MAX_DEPTH; i++) {
		at = keyset_find(&r->location_ids, &s->location_ids[i]);
		if (at == KEYSET_NONE)
			return bad(r, "location", s->location_ids[i]);
		if (!r->spans[at].n)
			err = read_location(r, at);
		if (err)
			return err;
		span = r->spans[at];
		for (k = 0; k < span.n && n < PROFILE_MAX_DEPTH; k++)
			path[n++] = r->frames[span.start + k];
	}
	r->visits += n;
	if (r->visits > MAX_FRAME_VISITS || r->p->nodes.n > IMPORT_MAX_NODES)
		return errf(-EFBIG, "'%s' has more stack frames than fathom reads", r->name);
	while (n-- && !err)
		err = profile_add_node(r->p, node, path[n], &node);
	*ret = node;
	return err;
}

static int read_labels(struct reader *r, const Pprof__Sample *s, uint32_t *ret)
{
	size_t i;
	int err = 0;

	if (array_reserve(r->labels, r->labels_cap, s->n_labels))
		return -ENOMEM;
	for (i = 0; i < s->n_labels && !err; i++) {
		const Pprof__Label *l = s->labels[i];
		struct profile_label *label = &r->labels[i];

		*label = (struct profile_label){ .num = l->text_str ? 0 : l->num };
		err = get_string(r, l->key_str, &label->key);
		if (!err)
			err = get_string(r, l->text_str, &label->str);
		if (!err && !l->text_str)
			err = get_string(r, l->unit_str, &label->unit);
	}
	return err ? err : profile_add_labels(r->p, r->labels, s->n_labels, ret);
}

static int read_samples(struct reader *r)
{
	uint32_t node = PROFILE_NONE, labels = 0;
	size_t i;
	int err = 0;

	for (i = 0; i < r->m->n_samples && !err; i++) {
		const Pprof__Sample *s = r->m->samples[i];

		if (s->n_values != r->p->n_values)
			return errf(-EINVAL, "'%s' is damaged: a sample has %zu values, not %u",
				    r->name, s->n_values, r->p->n_values);
		err = read_stack(r, s, &node);
		if (!err)
			err = read_labels(r, s, &labels);
		if (!err)
			err = profile_add_sample(r->p, node, labels, s->values);
	}
	return err;
}

/* --- the rest ------------------------------------------------------------------------------ */

static int read_value_types(struct reader *r)
{
	const Pprof__Profile *m = r->m;
	size_t i;
	int err;

	if (!m->n_value_types)
		return errf(-EINVAL, "'%s' is not a pprof file: it has no value types", r->name);
	if (m->n_value_types > PROFILE_MAX_VALUES)
		return errf(-E2BIG, "'%s' has %zu value types; fathom reads files of up to %d",
			    r->name, m->n_value_types, PROFILE_MAX_VALUES);
	r->p->default_value = m->n_value_types - 1; /* pprof's own choice where none is made */
	for (i = 0; i < m->n_value_types; i++) {
		struct profile_value_type *type = &r->p->value_types[i];

		err = get_string(r, m->value_types[i]->type_str, &type->type);
		if (!err)
			err = get_string(r, m->value_types[i]->unit_str, &type->unit);
		if (err)
			return err;
		r->p->n_values++;
	}
	return 0;
}

static int read_default(struct reader *r)
{
	uint32_t wanted;
	unsigned int i;
	int err = get_string(r, r->m->default_type_str, &wanted);

	for (i = 0; i < r->p->n_values && !err && wanted; i++) {
		if (r->p->value_types[i].type == wanted) {
			r->p->default_value = i;
			break;
		}
	}
	return err;
}

static uint64_t not_negative(int64_t v)
{
	return v > 0 ? v : 0;
}

static int read_times(struct reader *r)
{
	const Pprof__ValueType *type = r->m->period_type;
	uint32_t what = 0, unit = 0;
	size_t i;
	int err = 0;

	r->p->start_ns = not_negative(r->m->time_ns);
	r->p->duration_ns = not_negative(r->m->duration_ns);
	if (type) {
		err = get_string(r, type->type_str, &what);
		if (!err)
			err = get_string(r, type->unit_str, &unit);
		if (!err && !strcmp(profile_string(r->p, what), "cpu") &&
		    !strcmp(profile_string(r->p, unit), "nanoseconds"))
			r->p->period_ns = not_negative(r->m->period);
	}
	for (i = 0; i < r->m->n_comments_str && !err; i++) {
		err = get_string(r, r->m->comments_str[i], &what);
		if (!err)
			err = profile_add_comment(r->p, profile_string(r->p, what));
	}
	return err;
}

static int read_message(struct reader *r)
{
	int err;

	if (r->m->n_strings && r->m->strings[0][0])
		return errf(-EINVAL, "'%s' is damaged: its first string is not empty", r->name);
	keyset_init(&r->mapping_ids, sizeof(uint64_t));
	keyset_init(&r->function_ids, sizeof(uint64_t));
	keyset_init(&r->location_ids, sizeof(uint64_t));
	r->p = profile_new();
	r->string_of = array_of_none(r->m->n_strings);
	r->mapping_of = array_of_none(r->m->n_mappings);
	r->spans = calloc(r->m->n_locations + 1, sizeof(*r->spans));
	if (!r->p || !r->string_of || !r->mapping_of || !r->spans)
		return -ENOMEM;
	err = read_value_types(r);
	if (!err)
		err = read_ids(r);
	if (!err)
		err = read_samples(r);
	if (!err)
		err = read_default(r);
	return err ? err : read_times(r);
}

static void reader_release(struct reader *r)
{
	profile_free(r->p);
	keyset_release(&r->mapping_ids);
	keyset_release(&r->function_ids);
	keyset_release(&r->location_ids);
	free(r->string_of);
	free(r->mapping_of);
	free(r->spans);
	free(r->frames);
	free(r->labels);
	str_release(&r->text);
}

static int read_bytes(const void *data, size_t len, const char *name, struct profile **ret)
{
	_cleanup_(message_freep) Pprof__Profile *m = NULL;
	_cleanup_(reader_release) struct reader r = { .name = name };
	int err = unpack(data, len, name, &m);

	if (err)
		return err;
	r.m = m;
	err = read_message(&r);
	if (err == -ENOMEM || err == -EOVERFLOW)
		return errf(err, "cannot keep the stacks of '%s': %s", name, strerror(-err));
	if (!err)
		*ret = take(r.p);
	return err;
}

int pprof_read(const void *data, size_t len, const char *name, struct profile **ret)
{
	_cleanup_(freep) unsigned char *expanded = NULL;
	size_t expanded_len;
	int err;

	if (!gzip_is(data, len)) {
		if (len > PPROF_MAX_BYTES)
			return errf(-EFBIG, "'%s' is larger than the limit of %llu bytes", name,
				    PPROF_MAX_BYTES);
		return read_bytes(data, len, name, ret);
	}
	err = gzip_expand(data, len, PPROF_MAX_BYTES, name, &expanded, &expanded_len);
	return err ? err : read_bytes(expanded, expanded_len, name, ret);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In two steps: stacks.h makes pprof's locations of our frames; here they become messages, a few at
 * a time (concatenated messages are one message), so that memory does not hold the file twice.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pprof.pb-c.h"

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/export/gzip.h"
#include "user/export/pprof.h"
#include "user/export/pprof_stacks.h"

/* Locations and functions get ids in the order of their first use. */
struct function_key {
	uint32_t name, file;
};

struct writer {
	const struct profile *p;
	struct pprof_stacks *stacks;
	struct gzip_writer gzip;
	int err;	       /* of the buffer's callback, which cannot say so itself */
	uint32_t *location_of; /* line chain -> location id, 0: none yet */
	uint32_t *chains;      /* location id - 1 -> line chain */
	size_t n_locations;
	struct keyset functions; /* of struct function_key */
};

struct sink {
	ProtobufCBuffer base;
	struct writer *w;
};

static void append(ProtobufCBuffer *buffer, size_t len, const uint8_t *data)
{
	struct writer *w = ((struct sink *)buffer)->w;

	if (!w->err)
		w->err = gzip_writer_add(&w->gzip, data, len);
}

static int put(struct writer *w, const Pprof__Profile *part)
{
	struct sink sink = { .base.append = append, .w = w };

	protobuf_c_message_pack_to_buffer(&part->base, &sink.base);
	return w->err;
}

/* --- samples ------------------------------------------------------------------------------- */

static uint64_t location_id(struct writer *w, uint32_t chain)
{
	if (!w->location_of[chain]) {
		w->chains[w->n_locations++] = chain;
		w->location_of[chain] = w->n_locations;
	}
	return w->location_of[chain];
}

struct sample_parts {
	uint64_t *locations;
	size_t locations_cap;
	Pprof__Label *labels, **label_ptrs;
	size_t labels_cap, ptrs_cap;
};

static void sample_parts_release(struct sample_parts *parts)
{
	free(parts->locations);
	free(parts->labels);
	free(parts->label_ptrs);
}

static int fill_locations(struct writer *w, uint32_t path, struct sample_parts *parts,
			  Pprof__Sample *sample)
{
	size_t n = 0;

	while (path != PROFILE_NONE) {
		const struct pprof_path *at = keyset_key(&w->stacks->paths, path);

		if (array_reserve(parts->locations, parts->locations_cap, n + 1))
			return -ENOMEM;
		parts->locations[n++] = location_id(w, at->chain);
		path = at->outer;
	}
	sample->n_location_ids = n;
	sample->location_ids = parts->locations;
	return 0;
}

static int fill_labels(struct writer *w, uint32_t set, struct sample_parts *parts,
		       Pprof__Sample *sample)
{
	size_t n, i;
	const struct profile_label *labels = profile_labels_at(w->stacks->out, set, &n);

	if (array_reserve(parts->labels, parts->labels_cap, n) ||
	    array_reserve(parts->label_ptrs, parts->ptrs_cap, n))
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		pprof__label__init(&parts->labels[i]);
		parts->labels[i].key_str = labels[i].key;
		parts->labels[i].text_str = labels[i].str;
		parts->labels[i].num = labels[i].num;
		parts->labels[i].unit_str = labels[i].unit;
		parts->label_ptrs[i] = &parts->labels[i];
	}
	sample->n_labels = n;
	sample->labels = parts->label_ptrs;
	return 0;
}

static int put_samples(struct writer *w)
{
	_cleanup_(sample_parts_release) struct sample_parts parts = { 0 };
	const struct profile *out = w->stacks->out;
	uint32_t i;
	int err = 0;

	for (i = 0; i < out->samples.n && !err; i++) {
		const struct profile_sample *s = profile_sample_at(out, i);
		Pprof__Profile part = PPROF__PROFILE__INIT;
		Pprof__Sample sample = PPROF__SAMPLE__INIT, *samples = &sample;

		err = fill_locations(w, s->node, &parts, &sample);
		if (!err)
			err = fill_labels(w, s->labels, &parts, &sample);
		sample.n_values = out->n_values;
		sample.values = (int64_t *)profile_values_at(out, i);
		part.n_samples = 1;
		part.samples = &samples;
		if (!err)
			err = put(w, &part);
	}
	return err;
}

/* --- mappings ------------------------------------------------------------------------------ */

static bool is_program(const char *path)
{
	const char *base = strrchr(path, '/'), *so;

	/* "//anon" and its like are the kernel's names for memory without a file. */
	if (path[0] != '/' || path[1] == '/' || !strncmp(path, "/dev/", 5) ||
	    !strncmp(path, "/memfd:", 7) || !strncmp(path, "/tmp/perf-", 10))
		return false;
	so = strstr(base, ".so");
	return !(so && (!so[3] || so[3] == '.' || so[3] == ' ')) && strncmp(base, "/ld-", 4) &&
	       !strstr(base, ".ko");
}

/*
 * pprof takes the first mapping for the main program and names it in every header. It is the only
 * program there is; a profile of several has a first mapping without a name. PROFILE_NONE then.
 */
static uint32_t main_mapping(const struct profile *out)
{
	uint32_t i, found = PROFILE_NONE;

	for (i = 0; i < out->mappings.n; i++) {
		uint32_t path = profile_mapping_at(out, i)->path;

		if (!is_program(profile_string(out, path)))
			continue;
		if (found == PROFILE_NONE)
			found = i;
		else if (profile_mapping_at(out, found)->path != path)
			return PROFILE_NONE;
	}
	return found;
}

/* Id 1 is the main program or what stands in its place; the others keep their order. */
static uint64_t mapping_id(uint32_t main, uint32_t mapping)
{
	if (mapping == PROFILE_NONE)
		return 0;
	if (mapping == main)
		return 1;
	return mapping + 2 - (main != PROFILE_NONE && mapping > main);
}

struct mapping_facts {
	bool files, lines, inlined;
};

/* What is known of each mapping's locations, by mapping. */
static void gather_facts(struct writer *w, struct mapping_facts *facts)
{
	size_t i;

	for (i = 0; i < w->n_locations; i++) {
		uint32_t at = w->chains[i];
		const struct pprof_line *line = keyset_key(&w->stacks->lines, at);

		if (line->mapping == PROFILE_NONE)
			continue;
		facts[line->mapping].inlined |= line->outer != PROFILE_NONE;
		for (; at != PROFILE_NONE; at = line->outer) {
			line = keyset_key(&w->stacks->lines, at);
			facts[line->mapping].files |= line->file != 0;
			facts[line->mapping].lines |= line->line != 0;
		}
	}
}

static int put_mapping(struct writer *w, uint64_t id, const struct profile_mapping *m,
		       const struct mapping_facts *facts)
{
	Pprof__Profile part = PPROF__PROFILE__INIT;
	Pprof__Mapping mapping = PPROF__MAPPING__INIT, *mappings = &mapping;

	mapping.id = id;
	mapping.start = m->start;
	mapping.limit = m->limit;
	mapping.offset = m->offset;
	mapping.path_str = m->path;
	mapping.build_id_str = m->build_id;
	mapping.has_functions = true; /* all names that could be had are here */
	mapping.has_files = facts->files;
	mapping.has_lines = facts->lines;
	mapping.has_inlined = facts->inlined;
	part.n_mappings = 1;
	part.mappings = &mappings;
	return put(w, &part);
}

static int put_mappings(struct writer *w, uint32_t main)
{
	static const struct profile_mapping nothing;
	const struct profile *out = w->stacks->out;
	_cleanup_(freep) struct mapping_facts *facts = calloc(out->mappings.n + 1, sizeof(*facts));
	uint32_t i;
	int err;

	if (!facts)
		return -ENOMEM;
	gather_facts(w, facts);
	if (main == PROFILE_NONE)
		err = put_mapping(w, 1, &nothing, &facts[out->mappings.n]);
	else
		err = put_mapping(w, 1, profile_mapping_at(out, main), &facts[main]);
	for (i = 0; i < out->mappings.n && !err; i++) {
		if (i != main)
			err = put_mapping(w, mapping_id(main, i), profile_mapping_at(out, i),
					  &facts[i]);
	}
	return err;
}

/* --- locations and functions --------------------------------------------------------------- */

static int function_id(struct writer *w, const struct pprof_line *line, uint64_t *ret)
{
	struct function_key key = { .name = line->function, .file = line->file };
	uint32_t i;
	int added = keyset_add(&w->functions, &key, &i);

	if (added < 0)
		return added;
	*ret = (uint64_t)i + 1;
	return 0;
}

static size_t chain_length(const struct writer *w, uint32_t chain)
{
	size_t n = 0;

	for (; chain != PROFILE_NONE; n++)
		chain = ((const struct pprof_line *)keyset_key(&w->stacks->lines, chain))->outer;
	return n;
}

static int put_location(struct writer *w, size_t i, uint32_t main)
{
	uint32_t at = w->chains[i];
	const struct pprof_line *line = keyset_key(&w->stacks->lines, at);
	size_t n = chain_length(w, at), k;
	_cleanup_(freep) Pprof__Line *lines = calloc(n, sizeof(*lines));
	_cleanup_(freep) Pprof__Line **ptrs = calloc(n, sizeof(Pprof__Line *));
	Pprof__Location location = PPROF__LOCATION__INIT, *locations = &location;
	Pprof__Profile part = PPROF__PROFILE__INIT;
	int err = lines && ptrs ? 0 : -ENOMEM;

	location.id = i + 1;
	location.address = line->address;
	location.mapping_id = mapping_id(main, line->mapping);
	for (k = 0; k < n && !err; k++, at = line->outer) {
		line = keyset_key(&w->stacks->lines, at);
		pprof__line__init(&lines[k]);
		lines[k].line = line->line;
		ptrs[k] = &lines[k];
		err = function_id(w, line, &lines[k].function_id);
	}
	location.n_lines = n;
	location.lines = ptrs;
	part.n_locations = 1;
	part.locations = &locations;
	return err ? err : put(w, &part);
}

static int put_functions(struct writer *w)
{
	uint32_t i;
	int err = 0;

	for (i = 0; i < w->functions.n && !err; i++) {
		const struct function_key *key = keyset_key(&w->functions, i);
		Pprof__Profile part = PPROF__PROFILE__INIT;
		Pprof__Function function = PPROF__FUNCTION__INIT, *functions = &function;

		/* No system name: pprof would demangle it again and merge C++ templates. */
		function.id = (uint64_t)i + 1;
		function.name_str = key->name;
		function.file_str = key->file;
		part.n_functions = 1;
		part.functions = &functions;
		err = put(w, &part);
	}
	return err;
}

/* --- the rest ------------------------------------------------------------------------------ */

static int put_value_types(struct writer *w)
{
	const struct profile *out = w->stacks->out;
	unsigned int i;
	int err = 0;

	for (i = 0; i < out->n_values && !err; i++) {
		Pprof__Profile part = PPROF__PROFILE__INIT;
		Pprof__ValueType type = PPROF__VALUE_TYPE__INIT, *types = &type;

		type.type_str = out->value_types[i].type;
		type.unit_str = out->value_types[i].unit;
		part.n_value_types = 1;
		part.value_types = &types;
		err = put(w, &part);
	}
	return err;
}

static int put_strings(struct writer *w)
{
	const struct profile *out = w->stacks->out;
	uint32_t i;
	int err = 0;

	for (i = 0; i < out->strings.n && !err; i++) {
		Pprof__Profile part = PPROF__PROFILE__INIT;
		char *string = (char *)profile_string(out, i);

		part.n_strings = 1;
		part.strings = &string;
		err = put(w, &part);
	}
	return err;
}

static int put_times(struct writer *w)
{
	struct profile *out = w->stacks->out;
	Pprof__ValueType period_type = PPROF__VALUE_TYPE__INIT;
	Pprof__Profile part = PPROF__PROFILE__INIT;
	_cleanup_(freep) int64_t *comments = calloc(out->n_comments + 1, sizeof(*comments));
	size_t i;

	if (!comments)
		return -ENOMEM;
	for (i = 0; i < out->n_comments; i++)
		comments[i] = out->comments[i];
	part.time_ns = out->start_ns;
	part.duration_ns = out->duration_ns;
	if (out->period_ns) {
		period_type.type_str = strtab_find(&out->strings, "cpu");
		period_type.unit_str = strtab_find(&out->strings, "nanoseconds");
		part.period_type = &period_type;
		part.period = out->period_ns;
	}
	part.n_comments_str = out->n_comments;
	part.comments_str = comments;
	part.default_type_str = out->value_types[out->default_value].type;
	return put(w, &part);
}

static int put_all(struct writer *w)
{
	uint32_t main = main_mapping(w->stacks->out);
	size_t i;
	int err;

	w->location_of = calloc(w->stacks->lines.n + 1, sizeof(*w->location_of));
	w->chains = calloc(w->stacks->lines.n + 1, sizeof(*w->chains));
	if (!w->location_of || !w->chains || gzip_writer_init(&w->gzip))
		return -ENOMEM;
	err = put_value_types(w);
	if (!err)
		err = put_samples(w);
	if (!err)
		err = put_mappings(w, main);
	for (i = 0; i < w->n_locations && !err; i++)
		err = put_location(w, i, main);
	if (!err)
		err = put_functions(w);
	if (!err)
		err = put_strings(w);
	return err ? err : put_times(w);
}

int pprof_write(const struct profile *p, void **ret, size_t *ret_len)
{
	_cleanup_(pprof_stacks_freep) struct pprof_stacks *stacks = NULL;
	_cleanup_(freep) struct writer *w = calloc(1, sizeof(*w));
	int err = w ? 0 : -ENOMEM;

	if (!p->n_values)
		return errf(-EINVAL, "cannot write a pprof file: the profile has no values");
	if (!err)
		err = pprof_stacks_new(p, &stacks);
	if (!err) {
		w->p = p;
		w->stacks = stacks;
		keyset_init(&w->functions, sizeof(struct function_key));
		err = put_all(w);
		if (!err)
			err = gzip_writer_finish(&w->gzip, ret, ret_len);
		gzip_writer_release(&w->gzip);
		keyset_release(&w->functions);
		free(w->location_of);
		free(w->chains);
	}
	return err ? errf(err, "cannot write a pprof file: %s", strerror(-err)) : 0;
}

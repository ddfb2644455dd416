/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/full_profile.h"
#include "tests/unit/folder.h"

#include <errno.h>
#include <zlib.h>

#include "pprof.pb-c.h"

#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/export/folded.h"
#include "user/export/gzip.h"
#include "user/export/pprof.h"

struct bytes {
	void *data;
	size_t len;
};

static void bytes_release(struct bytes *b)
{
	free(b->data);
}

static struct bytes written(const struct profile *p)
{
	struct bytes b = { 0 };

	assert_int_equal(pprof_write(p, &b.data, &b.len), 0);
	return b;
}

static struct bytes expanded(const struct bytes *b)
{
	unsigned char *data = NULL;
	struct bytes ret = { 0 };

	assert_int_equal(gzip_expand(b->data, b->len, 1 << 28, "test", &data, &ret.len), 0);
	ret.data = data;
	return ret;
}

static struct profile *read_back(const struct bytes *b)
{
	struct profile *p = NULL;

	assert_int_equal(pprof_read(b->data, b->len, "test", &p), 0);
	assert_non_null(p);
	return p;
}

static void message_freep(Pprof__Profile **m)
{
	pprof__profile__free_unpacked(*m, NULL);
}

static Pprof__Profile *message(const struct profile *p)
{
	_cleanup_(bytes_release) struct bytes b = written(p), plain = expanded(&b);
	Pprof__Profile *m = pprof__profile__unpack(NULL, plain.len, plain.data);

	assert_non_null(m);
	return m;
}

static struct bytes packed(const Pprof__Profile *m)
{
	struct bytes b = { .len = pprof__profile__get_packed_size(m) };

	b.data = malloc(b.len + 1);
	assert_non_null(b.data);
	assert_int_equal(pprof__profile__pack(m, b.data), b.len);
	return b;
}

static char *folded(const struct profile *p)
{
	struct view view = { 0 };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(folded_write(p, &view, out), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* --- writing ------------------------------------------------------------------------------- */

static void the_same_profile_gives_the_same_bytes(void **state)
{
	_cleanup_(profile_freep) struct profile *p = full_profile(), *q = full_profile();
	_cleanup_(bytes_release) struct bytes one = written(p), other = written(q);

	(void)state;
	assert_int_equal(one.len, other.len);
	assert_memory_equal(one.data, other.data, one.len);
	/* RFC 1952: no flags (so no name), no time. */
	assert_memory_equal(one.data, "\x1f\x8b\x08\0\0\0\0\0", 8);
}

static void what_is_read_and_written_again_stays_the_same(void **state)
{
	_cleanup_(profile_freep) struct profile *p = full_profile(), *q = NULL;
	_cleanup_(bytes_release) struct bytes one = written(p), other = { 0 };
	_cleanup_(freep) char *before = folded(p), *after = NULL;

	(void)state;
	q = read_back(&one);
	other = written(q);
	assert_int_equal(one.len, other.len);
	assert_memory_equal(one.data, other.data, one.len);
	after = folded(q);
	assert_string_equal(before, after);
}

static void inlined_frames_are_lines_of_their_location(void **state)
{
	_cleanup_(profile_freep) struct profile *p = full_profile();
	_cleanup_(message_freep) Pprof__Profile *m = message(p);
	const Pprof__Sample *s = m->samples[1];
	const Pprof__Location *l = m->locations[s->location_ids[0] - 1];
	static const char *const names[] = { "inner_inlined", "outer_inlined",
					     "hot(int, char const*)" };
	size_t i;

	(void)state;
	assert_int_equal(s->n_location_ids, 2);
	assert_int_equal(l->n_lines, 3);
	assert_true(l->address == 0x402200);
	for (i = 0; i < 3; i++) {
		const Pprof__Function *f = m->functions[l->lines[i]->function_id - 1];

		assert_string_equal(m->strings[f->name_str], names[i]);
		assert_int_equal(f->system_name_str, 0);
	}
	assert_int_equal(l->lines[0]->line, 9);
	assert_int_equal(l->lines[2]->line, 7);
	assert_true(m->mappings[l->mapping_id - 1]->has_inlined);
}

static void an_inlined_frame_without_a_mapping_has_that_of_its_location(void **state)
{
	_cleanup_(profile_freep) struct profile *p = profile_new();
	_cleanup_(message_freep) Pprof__Profile *m = NULL;

	(void)state;
	assert_int_equal(profile_add_value_type(p, "samples", "count"), 0);
	assert_int_equal(profile_add_value_type(p, "cpu", "nanoseconds"), 0);
	FULL_ADD(p, NULL, 0, 1, FULL_MAIN,
		 { "inlined", NULL, NULL, NULL, 0x401100, 0, FRAME_INLINED, 0 });
	FULL_ADD(p, NULL, 0, 1, FULL_MAIN,
		 { "elsewhere", NULL, NULL, NULL, 0x401101, 0, FRAME_INLINED, 0 },
		 { "other file", NULL, "/x.so", NULL, 0x401101, 0, FRAME_INLINED, 0 });
	m = message(p);
	assert_int_equal(m->samples[0]->n_location_ids, 1);
	assert_int_equal(m->locations[0]->n_lines, 2);
	assert_int_equal(m->locations[0]->mapping_id, 1);
	assert_int_equal(m->samples[1]->n_location_ids, 3);
}

static void ids_and_strings_are_each_there_once(void **state)
{
	_cleanup_(profile_freep) struct profile *p = full_profile();
	_cleanup_(message_freep) Pprof__Profile *m = message(p);
	size_t i, k;

	(void)state;
	assert_string_equal(m->strings[0], "");
	for (i = 0; i < m->n_strings; i++) {
		for (k = 0; k < i; k++)
			assert_string_not_equal(m->strings[i], m->strings[k]);
	}
	/* main, hot, hot with inlined ones, read, do_syscall_64, nf_hook, unnamed, tick,
	 * synthetic, imported with its inlined one, imported kernel */
	assert_int_equal(m->n_locations, 11);
	for (i = 0; i < m->n_locations; i++)
		assert_int_equal(m->locations[i]->id, i + 1);
	for (i = 0; i < m->n_functions; i++)
		assert_int_equal(m->functions[i]->id, i + 1);
	for (i = 0; i < m->n_mappings; i++)
		assert_int_equal(m->mappings[i]->id, i + 1);
}

static void the_head_says_values_period_and_times(void **state)
{
	_cleanup_(profile_freep) struct profile *p = full_profile();
	_cleanup_(message_freep) Pprof__Profile *m = message(p);

	(void)state;
	assert_int_equal(m->n_value_types, 2);
	assert_string_equal(m->strings[m->value_types[0]->type_str], "samples");
	assert_string_equal(m->strings[m->value_types[0]->unit_str], "count");
	assert_string_equal(m->strings[m->value_types[1]->type_str], "cpu");
	assert_string_equal(m->strings[m->default_type_str], "cpu");
	assert_string_equal(m->strings[m->period_type->type_str], "cpu");
	assert_string_equal(m->strings[m->period_type->unit_str], "nanoseconds");
	assert_int_equal(m->period, 10101010);
	assert_true(m->time_ns == 1700000000123456789);
	assert_true(m->duration_ns == 10000000000);
	assert_int_equal(m->n_comments_str, 1);
	assert_string_equal(m->strings[m->comments_str[0]], "fathom record");
	p->period_ns = 0;
	message_freep(&m);
	m = message(p);
	assert_null(m->period_type);
	assert_int_equal(m->period, 0);
}

static void labels_are_text_or_numbers_with_units(void **state)
{
	_cleanup_(profile_freep) struct profile *p = full_profile();
	_cleanup_(message_freep) Pprof__Profile *m = message(p);
	const Pprof__Sample *s = m->samples[0];

	(void)state;
	assert_int_equal(s->n_labels, 4);
	assert_string_equal(m->strings[s->labels[0]->key_str], "process");
	assert_string_equal(m->strings[s->labels[0]->text_str], "burn");
	assert_string_equal(m->strings[s->labels[1]->key_str], "pid");
	assert_int_equal(s->labels[1]->num, 12);
	assert_string_equal(m->strings[s->labels[2]->unit_str], "nanoseconds");
	assert_int_equal(m->samples[m->n_samples - 1]->n_labels, 0);
}

static void the_first_mapping_is_the_program_if_there_is_one(void **state)
{
	_cleanup_(profile_freep) struct profile *p = full_profile();
	_cleanup_(message_freep) Pprof__Profile *m = NULL;
	size_t i;

	(void)state;
	/* Another sample comes first, and with it the library. */
	m = message(p);
	assert_string_equal(m->strings[m->mappings[0]->path_str], "/usr/bin/burn");
	assert_string_equal(m->strings[m->mappings[0]->build_id_str], "aabb01");
	assert_true(m->mappings[0]->start == 0x400000);
	assert_true(m->mappings[0]->limit == 0x500000);
	assert_true(m->mappings[0]->offset == 0x1000);
	for (i = 0; i < m->n_mappings; i++)
		assert_true(m->mappings[i]->has_functions);
	FULL_ADD(p, "other", 14, 1,
		 { "main", "o.c", "/usr/bin/other", "dd", 0x55000000, 1, FRAME_USER, 0 });
	message_freep(&m);
	m = message(p);
	assert_int_equal(m->mappings[0]->path_str, 0);
	assert_string_equal(m->strings[m->mappings[1]->path_str], "/usr/bin/burn");
}

static void text_is_valid_and_equal_samples_are_one(void **state)
{
	_cleanup_(profile_freep) struct profile *p = profile_new(), *q = NULL;
	_cleanup_(message_freep) Pprof__Profile *m = NULL;
	_cleanup_(bytes_release) struct bytes one = { 0 }, other = { 0 };
	size_t i;

	(void)state;
	assert_int_equal(profile_add_value_type(p, "samples", "count"), 0);
	assert_int_equal(profile_add_value_type(p, "cpu", "nanoseconds"), 0);
	FULL_ADD(p, "x\n", 1, 2, { "a\xff;b\x1b", NULL, "/x\x01", NULL, 1, 0, FRAME_USER, 0 });
	FULL_ADD(p, "x\r", 1, 3, { "a\xfe;b\x02", NULL, "/x\x03", NULL, 1, 0, FRAME_USER, 0 });
	FULL_ADD(p, "x", 1, 3, { "", NULL, NULL, NULL, 0, 0, FRAME_USER, 0 });
	m = message(p);
	assert_int_equal(m->n_samples, 2);
	assert_int_equal(m->samples[0]->values[0], 5);
	assert_string_equal(m->strings[m->functions[0]->name_str], "a\xef\xbf\xbd;b?");
	assert_string_equal(m->strings[m->functions[1]->name_str], "[empty]");
	for (i = 0; i < m->n_strings; i++)
		assert_true(text_is_clean(m->strings[i], strlen(m->strings[i]), 0));
	one = written(p);
	q = read_back(&one);
	other = written(q);
	assert_int_equal(one.len, other.len);
	assert_memory_equal(one.data, other.data, one.len);
}

static void a_profile_without_values_is_refused_and_one_without_samples_is_not(void **state)
{
	_cleanup_(profile_freep) struct profile *p = profile_new(), *q = NULL;
	_cleanup_(bytes_release) struct bytes b = { 0 };

	(void)state;
	assert_int_equal(pprof_write(p, &b.data, &b.len), -EINVAL);
	assert_null(b.data);
	assert_int_equal(profile_add_value_type(p, "samples", "count"), 0);
	b = written(p);
	q = read_back(&b);
	assert_int_equal(q->samples.n, 0);
	assert_int_equal(q->n_values, 1);
}

static void many_stacks_survive_the_round_trip(void **state)
{
	_cleanup_(profile_freep) struct profile *p = profile_new(), *q = NULL;
	_cleanup_(bytes_release) struct bytes one = { 0 }, other = { 0 };
	_cleanup_(freep) char *before = NULL, *after = NULL;
	uint32_t seed = 7;
	char names[5][32];
	int i, k;

	(void)state;
	assert_int_equal(profile_add_value_type(p, "samples", "count"), 0);
	assert_int_equal(profile_add_value_type(p, "cpu", "nanoseconds"), 0);
	for (i = 0; i < 3000; i++) {
		struct full_frame stack[5];

		for (k = 0; k < 5; k++) {
			seed = seed * 1664525 + 1013904223;
			snprintf(names[k], sizeof(names[k]), "f%u", seed >> 28);
			/* Few addresses, all kinds: every way to be inlined or not occurs. */
			stack[k] = (struct full_frame){
				.function = names[k],
				.file = seed & 0x100 ? "x.c" : NULL,
				.path = seed & 0x200 ? "/usr/bin/x" : NULL,
				.address = seed >> 10 & 1,
				.line = seed >> 11 & 3,
				.kind = (seed >> 13 & 7) % 5,
			};
		}
		full_add(p, stack, seed >> 20 & 3, seed & 0x400000 ? "x" : NULL, seed >> 23 & 1, i);
	}
	one = written(p);
	q = read_back(&one);
	other = written(q);
	assert_int_equal(one.len, other.len);
	assert_memory_equal(one.data, other.data, one.len);
	assert_int_equal(profile_total(p, 0), profile_total(q, 0));
	assert_int_equal(profile_total(p, 1), profile_total(q, 1));
}

/* --- reading ------------------------------------------------------------------------------- */

static const struct profile_frame *frame_of(const struct profile *p, uint32_t sample, int up)
{
	uint32_t node = profile_sample_at(p, sample)->node;

	while (up--)
		node = profile_node_at(p, node)->parent;
	return profile_frame_at(p, profile_node_at(p, node)->frame);
}

static void kinds_names_and_labels_come_back(void **state)
{
	_cleanup_(profile_freep) struct profile *p = full_profile(), *q = NULL;
	_cleanup_(bytes_release) struct bytes b = written(p);
	const struct profile_label *label;

	(void)state;
	q = read_back(&b);
	assert_int_equal(q->samples.n, p->samples.n);
	assert_int_equal(frame_of(q, 0, 0)->kind, FRAME_USER);
	assert_int_equal(frame_of(q, 0, 0)->line, 7);
	assert_true(frame_of(q, 0, 0)->named);
	assert_int_equal(frame_of(q, 1, 0)->kind, FRAME_INLINED);
	assert_int_equal(frame_of(q, 1, 1)->kind, FRAME_INLINED);
	assert_int_equal(frame_of(q, 1, 2)->kind, FRAME_USER);
	assert_string_equal(profile_string(q, frame_of(q, 1, 0)->function), "inner_inlined");
	assert_int_equal(frame_of(q, 2, 0)->kind, FRAME_KERNEL);
	assert_string_equal(profile_frame_module(q, frame_of(q, 2, 0)), "[kernel]");
	assert_int_equal(frame_of(q, 3, 0)->kind, FRAME_KERNEL);
	assert_string_equal(profile_frame_module(q, frame_of(q, 3, 0)), "[nf_tables]");
	assert_false(frame_of(q, 4, 0)->named);
	assert_int_equal(frame_of(q, 5, 0)->kind, FRAME_INTERPRETED);
	assert_int_equal(frame_of(q, 6, 0)->kind, FRAME_KERNEL);
	assert_int_equal(frame_of(q, 6, 1)->kind, FRAME_INLINED);
	assert_int_equal(frame_of(q, 6, 3)->kind, FRAME_SYNTHETIC);
	assert_int_equal(profile_sample_at(q, 7)->node, PROFILE_NONE);
	label = profile_label(q, profile_sample_at(q, 0)->labels, LABEL_PROCESS_START);
	assert_int_equal(label->num, 12000);
	assert_string_equal(profile_string(q, label->unit), "nanoseconds");
	assert_int_equal(q->default_value, 1);
	assert_int_equal(q->period_ns, 10101010);
	assert_true(q->start_ns == p->start_ns);
	assert_true(q->duration_ns == p->duration_ns);
	assert_string_equal(profile_string(q, q->comments[0]), "fathom record");
}

static void uncompressed_files_and_several_members_are_read(void **state)
{
	_cleanup_(profile_freep) struct profile *p = full_profile(), *q = NULL, *r = NULL;
	_cleanup_(bytes_release) struct bytes whole = written(p), plain = expanded(&whole),
					      two = { 0 };
	_cleanup_(freep) void *first = NULL, *second = NULL;
	struct gzip_writer *w = calloc(1, sizeof(*w));
	size_t first_len, second_len;

	(void)state;
	q = read_back(&plain);
	assert_int_equal(profile_total(q, 0), 100);
	assert_int_equal(gzip_writer_init(w), 0);
	assert_int_equal(gzip_writer_add(w, plain.data, 100), 0);
	assert_int_equal(gzip_writer_finish(w, &first, &first_len), 0);
	gzip_writer_release(w);
	assert_int_equal(gzip_writer_init(w), 0);
	assert_int_equal(gzip_writer_add(w, (char *)plain.data + 100, plain.len - 100), 0);
	assert_int_equal(gzip_writer_finish(w, &second, &second_len), 0);
	gzip_writer_release(w);
	free(w);
	two.len = first_len + second_len;
	two.data = malloc(two.len);
	memcpy(two.data, first, first_len);
	memcpy((char *)two.data + first_len, second, second_len);
	r = read_back(&two);
	assert_int_equal(profile_total(r, 0), 100);
}

static void a_file_cut_anywhere_is_refused_or_smaller(void **state)
{
	_cleanup_(profile_freep) struct profile *p = full_profile();
	_cleanup_(bytes_release) struct bytes whole = written(p), plain = expanded(&whole);
	size_t i;

	(void)state;
	for (i = 0; i < whole.len; i++) {
		/* A block of just that size, so that ASan sees a read beyond it. */
		_cleanup_(freep) void *cut = malloc(i + !i);
		struct profile *q = NULL;

		memcpy(cut, whole.data, i);
		assert_int_equal(pprof_read(cut, i, "cut", &q), -EINVAL);
		assert_null(q);
	}
	for (i = 0; i < plain.len; i++) {
		_cleanup_(freep) void *cut = malloc(i + !i);
		_cleanup_(profile_freep) struct profile *q = NULL;

		memcpy(cut, plain.data, i);
		if (pprof_read(cut, i, "cut", &q))
			assert_null(q);
		else
			assert_true(profile_total(q, 0) <= 100);
	}
}

static void a_file_with_any_byte_changed_is_survived(void **state)
{
	_cleanup_(profile_freep) struct profile *p = full_profile();
	_cleanup_(bytes_release) struct bytes whole = written(p), plain = expanded(&whole);
	static const unsigned char flips[] = { 0x01, 0x80, 0xff };
	size_t i, k;

	(void)state;
	for (i = 0; i < plain.len; i++) {
		for (k = 0; k < 3; k++) {
			_cleanup_(profile_freep) struct profile *q = NULL;
			unsigned char *byte = (unsigned char *)plain.data + i;

			*byte ^= flips[k];
			if (!pprof_read(plain.data, plain.len, "changed", &q)) {
				_cleanup_(bytes_release) struct bytes again = written(q);

				assert_non_null(again.data);
			}
			*byte ^= flips[k];
		}
	}
	for (i = 0; i < whole.len; i++) {
		_cleanup_(profile_freep) struct profile *q = NULL;
		unsigned char *byte = (unsigned char *)whole.data + i;

		*byte ^= 0x55;
		pprof_read(whole.data, whole.len, "changed", &q);
		*byte ^= 0x55;
	}
}

static void other_bytes_are_not_a_pprof_file(void **state)
{
	static const struct bytes others[] = { { (void *)"", 0 },
					       { (void *)"main;foo 12\n", 12 },
					       { (void *)"\x7f"
							 "ELF\2\1\1\0",
						 8 },
					       { (void *)"\x1f\x8b", 2 },
					       { (void *)"\x1f\x8b\x08\0\0\0\0\0\0\3", 10 },
					       { (void *)"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
						 10 } };
	struct profile *p = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(pprof_read(others[i].data, others[i].len, "x", &p), -EINVAL);
		assert_null(p);
		assert_non_null(strstr(err_text(), "'x'"));
	}
}

static void trailing_bytes_are_refused(void **state)
{
	_cleanup_(profile_freep) struct profile *p = full_profile(), *q = NULL;
	_cleanup_(bytes_release) struct bytes b = written(p);

	(void)state;
	b.data = realloc(b.data, b.len + 4);
	memcpy((char *)b.data + b.len, "junk", 4);
	assert_int_equal(pprof_read(b.data, b.len + 4, "x", &q), -EINVAL);
	assert_null(q);
}

static void a_bomb_is_stopped_at_the_limit(void **state)
{
	_cleanup_(freep) char *zeros = calloc(1, 1 << 20);
	_cleanup_(freep) void *bomb = NULL;
	_cleanup_(freep) unsigned char *out = NULL;
	struct gzip_writer *w = calloc(1, sizeof(*w));
	size_t len, out_len = 77;
	int i;

	(void)state;
	assert_int_equal(gzip_writer_init(w), 0);
	for (i = 0; i < 64; i++)
		assert_int_equal(gzip_writer_add(w, zeros, 1 << 20), 0);
	assert_int_equal(gzip_writer_finish(w, &bomb, &len), 0);
	gzip_writer_release(w);
	free(w);
	assert_true(len < 100000);
	assert_int_equal(gzip_expand(bomb, len, (64 << 20) - 1, "bomb", &out, &out_len), -EFBIG);
	assert_null(out);
	assert_int_equal(out_len, 77);
	assert_int_equal(gzip_expand(bomb, len, 1000, "bomb", &out, &out_len), -EFBIG);
	assert_non_null(strstr(err_text(), "'bomb' expands to more than the limit of 1000 bytes"));
	assert_int_equal(gzip_expand(bomb, len, 64 << 20, "bomb", &out, &out_len), 0);
	assert_int_equal(out_len, 64 << 20);
}

/* Empty samples of two bytes each, which would be unpacked to a hundred times as much. */
static void messages_that_unfold_in_memory_are_stopped(void **state)
{
	size_t len = 8 << 20, i;
	_cleanup_(freep) char *data = malloc(len);
	struct profile *p = NULL;

	(void)state;
	for (i = 0; i < len; i += 2)
		memcpy(data + i, "\x12\0", 2);
	assert_int_equal(pprof_read(data, len, "wide", &p), -EFBIG);
	assert_non_null(strstr(err_text(), "takes too much memory"));
	assert_null(p);
}

static void assert_refused(Pprof__Profile *m, int err, const char *why)
{
	_cleanup_(bytes_release) struct bytes b = packed(m);
	struct profile *p = NULL;

	assert_int_equal(pprof_read(b.data, b.len, "bad", &p), err);
	assert_null(p);
	assert_non_null(strstr(err_text(), why));
}

static void bad_indices_and_ids_are_refused(void **state)
{
	_cleanup_(profile_freep) struct profile *p = full_profile();
	_cleanup_(message_freep) Pprof__Profile *m = message(p);

	(void)state;
#define WITH(field, value, why)                  \
	do {                                     \
		__typeof__(field) was = field;   \
		field = value;                   \
		assert_refused(m, -EINVAL, why); \
		field = was;                     \
	} while (0)
	WITH(m->samples[0]->location_ids[0], 999, "location 999 is not there");
	WITH(m->samples[0]->location_ids[0], 0, "location 0 is not there");
	WITH(m->samples[0]->location_ids[0], UINT64_MAX, "location 18446744073709551615");
	WITH(m->samples[0]->n_values, 1, "has 1 values, not 2");
	WITH(m->samples[0]->labels[0]->key_str, 999, "string 999 is not there");
	WITH(m->samples[0]->labels[0]->text_str, -1, "is not there");
	WITH(m->samples[0]->labels[1]->unit_str, INT64_MAX, "is not there");
	WITH(m->locations[0]->id, 0, "a location has the id 0");
	WITH(m->locations[0]->id, 2, "location 2 is there twice");
	WITH(m->locations[0]->mapping_id, 99, "mapping 99 is not there");
	WITH(m->locations[0]->lines[0]->function_id, 0, "function 0 is not there");
	WITH(m->locations[0]->lines[0]->function_id, 99, "function 99 is not there");
	WITH(m->functions[0]->id, 0, "a function has the id 0");
	WITH(m->functions[0]->id, 2, "function 2 is there twice");
	WITH(m->functions[0]->name_str, 999, "string 999 is not there");
	WITH(m->functions[0]->file_str, INT64_MIN, "is not there");
	WITH(m->mappings[0]->id, 0, "a mapping has the id 0");
	WITH(m->mappings[0]->id, 2, "mapping 2 is there twice");
	WITH(m->mappings[0]->path_str, 999, "string 999 is not there");
	WITH(m->mappings[0]->build_id_str, 999, "string 999 is not there");
	WITH(m->value_types[0]->type_str, 999, "string 999 is not there");
	WITH(m->default_type_str, 999, "string 999 is not there");
	WITH(m->period_type->type_str, 999, "string 999 is not there");
	WITH(m->comments_str[0], 999, "string 999 is not there");
	WITH(m->strings[0], (char *)"x", "first string is not empty");
	WITH(m->n_value_types, 0, "no value types");
	WITH(m->n_strings, 0, "is not there");
#undef WITH
}

static void more_value_types_than_fit_are_refused(void **state)
{
	Pprof__Profile m = PPROF__PROFILE__INIT;
	Pprof__ValueType type = PPROF__VALUE_TYPE__INIT, *types[PROFILE_MAX_VALUES + 1];
	size_t i;

	(void)state;
	for (i = 0; i < PROFILE_MAX_VALUES + 1; i++)
		types[i] = &type;
	m.n_value_types = PROFILE_MAX_VALUES + 1;
	m.value_types = types;
	assert_refused(&m, -E2BIG, "has 17 value types; fathom reads files of up to 16");
}

/* As runtime/pprof and others write them: any ids, no default, names without lines or at all. */
static void foreign_liberties_are_fine(void **state)
{
	char *strings[] = { (char *)"",	       (char *)"space", (char *)"bytes",
			    (char *)"/a/b.so", (char *)"sys",	(char *)"[vdso]" };
	Pprof__ValueType type = { .base = PROTOBUF_C_MESSAGE_INIT(&pprof__value_type__descriptor),
				  .type_str = 1,
				  .unit_str = 2 },
			 *types[] = { &type, &type };
	Pprof__Mapping map = PPROF__MAPPING__INIT, vdso = PPROF__MAPPING__INIT,
		       *mappings[] = { &map, &vdso };
	Pprof__Function f = PPROF__FUNCTION__INIT, g = PPROF__FUNCTION__INIT,
			*functions[] = { &f, &g };
	Pprof__Line line = PPROF__LINE__INIT, *lines = &line, other = PPROF__LINE__INIT,
		    *others = &other;
	Pprof__Location locations[5], *ptrs[5];
	uint64_t ids[] = { 1ull << 63, 7, 5, 3, 2 };
	int64_t values[] = { 1, 2 };
	Pprof__Sample sample = PPROF__SAMPLE__INIT, *samples = &sample;
	Pprof__Profile m = PPROF__PROFILE__INIT;
	_cleanup_(bytes_release) struct bytes b = { 0 };
	_cleanup_(profile_freep) struct profile *p = NULL;
	int i;

	(void)state;
	map.id = UINT64_MAX;
	map.start = 0x1000;
	map.limit = 0x2000;
	map.offset = 0x500;
	map.path_str = 3;
	vdso.id = 4;
	vdso.path_str = 5;
	f.id = 12345678901;
	f.system_name_str = 4;
	line.function_id = f.id;
	line.line = -3;
	g.id = 1;
	other.function_id = 1;
	for (i = 0; i < 5; i++) {
		pprof__location__init(&locations[i]);
		locations[i].id = ids[i];
		locations[i].address = 0x1234;
		ptrs[i] = &locations[i];
	}
	locations[0].mapping_id = UINT64_MAX; /* no line */
	locations[1].n_lines = 1;
	locations[1].lines = &lines;
	locations[3].mapping_id = 4;
	locations[4].n_lines = 1; /* a function without any name */
	locations[4].lines = &others;
	locations[4].mapping_id = UINT64_MAX;
	sample.n_location_ids = 5;
	sample.location_ids = ids;
	sample.n_values = 2;
	sample.values = values;
	m.n_strings = 6;
	m.strings = strings;
	m.n_value_types = 2;
	m.value_types = types;
	m.n_mappings = 2;
	m.mappings = mappings;
	m.n_functions = 2;
	m.functions = functions;
	m.n_locations = 5;
	m.locations = ptrs;
	m.n_samples = 1;
	m.samples = &samples;
	m.time_ns = -5;
	m.duration_ns = -5;
	b = packed(&m);
	p = read_back(&b);
	assert_int_equal(p->default_value, 1); /* the last */
	assert_int_equal(p->start_ns, 0);
	assert_int_equal(p->duration_ns, 0);
	assert_int_equal(p->period_ns, 0);
	assert_string_equal(profile_string(p, frame_of(p, 0, 0)->function), "[b.so+0x734]");
	assert_false(frame_of(p, 0, 0)->named);
	assert_string_equal(profile_string(p, frame_of(p, 0, 1)->function), "sys");
	assert_true(frame_of(p, 0, 1)->named);
	assert_int_equal(frame_of(p, 0, 1)->line, 0);
	assert_string_equal(profile_string(p, frame_of(p, 0, 2)->function), "[0x1234]");
	assert_string_equal(profile_string(p, frame_of(p, 0, 3)->function), "[vdso+0x1234]");
	assert_string_equal(profile_string(p, frame_of(p, 0, 4)->function), "[b.so+0x734]");
}

/* One location with a thousand lines, in one sample a hundred times. */
static void stacks_too_deep_are_cut_at_the_root(void **state)
{
	_cleanup_(profile_freep) struct profile *p = full_profile(), *q = NULL;
	_cleanup_(message_freep) Pprof__Profile *m = message(p);
	_cleanup_(bytes_release) struct bytes b = { 0 };
	uint64_t *was = m->samples[0]->location_ids, ids[PROFILE_MAX_DEPTH + 2];
	size_t was_n = m->samples[0]->n_location_ids, i;
	uint32_t node, depth = 0, root = 0;

	(void)state;
	for (i = 0; i < PROFILE_MAX_DEPTH + 2; i++)
		ids[i] = m->samples[1]->location_ids[0]; /* three lines */
	ids[PROFILE_MAX_DEPTH + 1] = was[1];
	m->samples[0]->location_ids = ids;
	m->samples[0]->n_location_ids = PROFILE_MAX_DEPTH + 2;
	b = packed(m);
	m->samples[0]->location_ids = was;
	m->samples[0]->n_location_ids = was_n;
	q = read_back(&b);
	for (node = profile_sample_at(q, 0)->node; node != PROFILE_NONE; depth++) {
		root = node;
		node = profile_node_at(q, node)->parent;
	}
	assert_int_equal(depth, PROFILE_MAX_DEPTH);
	assert_string_equal(profile_string(q, frame_of(q, 0, 0)->function), "inner_inlined");
	assert_string_equal(
		profile_string(q, profile_frame_at(q, profile_node_at(q, root)->frame)->function),
		"inner_inlined");
}

/* --- the real tool ------------------------------------------------------------------------- */

struct pprof_run {
	char out[65536];
	char err[4096];
	int status;
};

static void slurp(const char *path, char *to, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n;

	assert_non_null(f);
	n = fread(to, 1, size - 1, f);
	to[n] = '\0';
	fclose(f);
}

static void run_pprof(const struct folder *folder, const char *options, const char *err,
		      struct pprof_run *run)
{
	char command[1024];

	snprintf(command, sizeof(command),
		 "cd '%s' && HOME='%s' GOFLAGS= GOCACHE='%s' PPROF_TMPDIR='%s' TZ=UTC "
		 "go tool pprof %s p.pb.gz >out 2>err",
		 folder->path, folder->path, folder->path, folder->path, options);
	run->status = system(command);
	slurp(folder_path(folder, "out"), run->out, sizeof(run->out));
	slurp(folder_path(folder, "err"), run->err, sizeof(run->err));
	if (run->status || strcmp(run->err, err))
		print_message("pprof %s: status %d, stderr: %s\n", options, run->status, run->err);
	assert_int_equal(run->status, 0);
	assert_string_equal(run->err, err);
}

static void assert_has(const struct pprof_run *run, const char *text)
{
	if (!strstr(run->out, text))
		print_message("no '%s' in:\n%s\n", text, run->out);
	assert_non_null(strstr(run->out, text));
}

static void go_tool_pprof_opens_it_without_complaint(void **state)
{
	_cleanup_(profile_freep) struct profile *p = full_profile();
	_cleanup_(bytes_release) struct bytes b = written(p);
	_cleanup_(folder_remove) struct folder folder;
	struct pprof_run *run = calloc(1, sizeof(*run));

	(void)state;
	if (system("go tool -n pprof >/dev/null 2>&1")) {
		print_message("SKIP: 'go tool pprof' is not installed (Debian: golang-go)\n");
		free(run);
		skip();
	}
	folder_make(&folder);
	folder_write(&folder, "p.pb.gz", b.data, b.len);

	run_pprof(&folder, "-top -sample_index=samples", "", run);
	assert_has(run, "File: burn\nBuild ID: aabb01\nfathom record\nType: samples\n"
			"Time: Nov 14, 2023 at 10:13pm (UTC)\nDuration: 10s");
	assert_has(run, "Showing nodes accounting for 99, 99.00% of 100 total");
	assert_has(run, "        60 60.00% 60.00%         70 70.00%  hot(int, char const*)\n");
	assert_has(run, "        11 11.00% 71.00%         11 11.00%  do_syscall_64\n");
	assert_has(run, "        10 10.00% 81.00%         10 10.00%  inner_inlined (inline)\n");
	assert_has(run, "         5  5.00% 93.00%          5  5.00%  [libc.so.6+0x2345]\n");

	run_pprof(&folder, "-top", "", run); /* cpu is the default */
	assert_has(run, "Type: cpu\n");
	assert_has(run, "  606.06ms 60.00% 60.00%   707.07ms 70.00%  hot(int, char const*)\n");

	run_pprof(&folder, "-traces -sample_index=samples", "", run);
	assert_has(run, "    cgroup:  /system.slice\n   process:  burn\n");
	assert_has(run, "        10   inner_inlined (inline)\n"
			"             outer_inlined (inline)\n"
			"             hot(int, char const*)\n"
			"             main\n");

	run_pprof(&folder, "-raw", "", run);
	assert_has(run, "PeriodType: cpu nanoseconds\nPeriod: 10101010\n");
	assert_has(run, "samples/count cpu/nanoseconds[dflt]");
	assert_has(run, "1: 0x400000/0x500000/0x1000 /usr/bin/burn aabb01 [FN][FL][LN][IN]");
	assert_has(run, "0xffffffff81000010 M=2 do_syscall_64");
	assert_has(run, "[kernel]  [FN]");

	free(run);
}

/* What Go's own tool has read and written is a file from someone else. */
static void what_go_wrote_is_read(void **state)
{
	_cleanup_(profile_freep) struct profile *p = full_profile(), *q = NULL;
	_cleanup_(bytes_release) struct bytes b = written(p);
	_cleanup_(folder_remove) struct folder folder;
	struct pprof_run *run = calloc(1, sizeof(*run));
	_cleanup_(freep) char *before = folded(p), *after = NULL, *file = malloc(1 << 20);
	char *no_stack = strstr(before, "[no stack] 1\n");
	FILE *f;
	size_t n;

	(void)state;
	if (system("go tool -n pprof >/dev/null 2>&1")) {
		print_message("SKIP: 'go tool pprof' is not installed (Debian: golang-go)\n");
		free(run);
		skip();
	}
	folder_make(&folder);
	folder_write(&folder, "p.pb.gz", b.data, b.len);
	run_pprof(&folder, "-proto -output=again.pb.gz", "Generating report in again.pb.gz\n", run);
	free(run);
	f = fopen(folder_path(&folder, "again.pb.gz"), "re");
	assert_non_null(f);
	n = fread(file, 1, 1 << 20, f);
	fclose(f);
	assert_int_equal(pprof_read(file, n, "again", &q), 0);
	after = folded(q);
	assert_non_null(no_stack);
	memmove(no_stack, no_stack + 13, strlen(no_stack + 13) + 1); /* Go leaves it out */
	assert_string_equal(before, after);
	assert_int_equal(profile_total(q, 0), 99);
	assert_int_equal(profile_total(q, 1), 99 * 10101010);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_profile_gives_the_same_bytes),
		cmocka_unit_test(what_is_read_and_written_again_stays_the_same),
		cmocka_unit_test(inlined_frames_are_lines_of_their_location),
		cmocka_unit_test(an_inlined_frame_without_a_mapping_has_that_of_its_location),
		cmocka_unit_test(ids_and_strings_are_each_there_once),
		cmocka_unit_test(the_head_says_values_period_and_times),
		cmocka_unit_test(labels_are_text_or_numbers_with_units),
		cmocka_unit_test(the_first_mapping_is_the_program_if_there_is_one),
		cmocka_unit_test(text_is_valid_and_equal_samples_are_one),
		cmocka_unit_test(
			a_profile_without_values_is_refused_and_one_without_samples_is_not),
		cmocka_unit_test(many_stacks_survive_the_round_trip),
		cmocka_unit_test(kinds_names_and_labels_come_back),
		cmocka_unit_test(uncompressed_files_and_several_members_are_read),
		cmocka_unit_test(a_file_cut_anywhere_is_refused_or_smaller),
		cmocka_unit_test(a_file_with_any_byte_changed_is_survived),
		cmocka_unit_test(other_bytes_are_not_a_pprof_file),
		cmocka_unit_test(trailing_bytes_are_refused),
		cmocka_unit_test(a_bomb_is_stopped_at_the_limit),
		cmocka_unit_test(messages_that_unfold_in_memory_are_stopped),
		cmocka_unit_test(bad_indices_and_ids_are_refused),
		cmocka_unit_test(more_value_types_than_fit_are_refused),
		cmocka_unit_test(foreign_liberties_are_fine),
		cmocka_unit_test(stacks_too_deep_are_cut_at_the_root),
		cmocka_unit_test(go_tool_pprof_opens_it_without_complaint),
		cmocka_unit_test(what_go_wrote_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

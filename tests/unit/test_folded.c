/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/stacks.h"

#include <errno.h>
#include <stdio.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/base/str.h"
#include "user/export/folded.h"

static const struct view plain = { 0 };

/* --- writing ------------------------------------------------------------------------------- */

static char *written(const struct profile *p, const struct view *view, size_t *ret_len)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(folded_write(p, view, out), 0);
	assert_int_equal(fclose(out), 0);
	if (ret_len)
		*ret_len = len;
	return text;
}

static void assert_written(const struct profile *p, const struct view *view, const char *expected)
{
	_cleanup_(freep) char *text = written(p, view, NULL);

	assert_string_equal(text, expected);
}

/* As 'LC_ALL=C sort -c' checks it: unsigned bytes, the newline left out. */
static void assert_sorted(const char *text)
{
	const char *last = NULL;
	size_t last_len = 0;

	while (*text) {
		size_t len = strcspn(text, "\n"), min = len < last_len ? len : last_len;
		int order = last ? memcmp(last, text, min) : -1;

		assert_true(order < 0 || (order == 0 && last_len < len));
		last = text;
		last_len = len;
		text += len + 1;
	}
}

static void each_distinct_stack_is_one_line(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");

	(void)state;
	stacks_add(p, "sh", "main;run", 2);
	stacks_add(p, "sh", "main", 3);
	stacks_add(p, "awk", "main;run", 4);
	stacks_add(p, "sh", "main;run", 5);
	assert_written(p, &plain, "awk;main;run 4\nsh;main 3\nsh;main;run 7\n");
}

static void kinds_are_marked_by_suffixes(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");

	(void)state;
	stacks_add(p, NULL, "main;memcpy@/libc.so!;do_syscall_64@[kernel]", 1);
	assert_written(p, &plain, "main;memcpy_[i];do_syscall_64_[k] 1\n");
}

static void stacks_that_read_the_same_are_one_line(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");

	(void)state;
	stacks_add(p, NULL, "a;f@/one.so;x", 1);
	stacks_add(p, NULL, "a;f@/two.so;x", 2);
	stacks_add(p, NULL, "a;g\n", 4);
	stacks_add(p, NULL, "a;g\r", 8);
	stacks_add(p, NULL, "a;k@[kernel]", 16);
	stacks_add(p, NULL, "a;k_[k]", 32);
	stacks_add(p, "a", "f;x", 64);
	assert_written(p, &plain, "a;f;x 67\na;g? 12\na;k_[k] 48\n");
}

static void lines_without_weight_are_left_out(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");

	(void)state;
	stacks_add(p, NULL, "a;b", 0);
	stacks_add(p, NULL, "a;c", 5);
	stacks_add(p, NULL, "a;d@/1", 7);
	stacks_add(p, NULL, "a;d@/2", -7);
	assert_written(p, &plain, "a;c 5\n");
}

static void an_empty_profile_is_an_empty_file(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");

	(void)state;
	assert_written(p, &plain, "");
}

static void samples_without_frames_have_a_line(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	struct view no_comm = { .no_comm = true };

	(void)state;
	stacks_add(p, "swapper", "", 3);
	stacks_add(p, NULL, "", 4);
	assert_written(p, &plain, "[no stack] 4\nswapper 3\n");
	assert_written(p, &no_comm, "[no stack] 7\n");
}

static void names_cannot_break_lines_or_frames(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	struct profile_frame frame = { .mapping = PROFILE_NONE };
	uint32_t number, node;
	int64_t seven = 7;

	(void)state;
	stacks_add(p, "evil;comm\n", "\x1b]0;x\xff\xc2\x85 y", 1);
	assert_int_equal(profile_add_frame(p, &frame, &number), 0);
	assert_int_equal(profile_add_node(p, PROFILE_NONE, number, &node), 0);
	assert_int_equal(profile_add_string(p, "semi;colon\nand newline", &frame.function), 0);
	assert_int_equal(profile_add_frame(p, &frame, &number), 0);
	assert_int_equal(profile_add_node(p, node, number, &node), 0);
	assert_int_equal(profile_add_sample(p, node, 0, &seven), 0);
	assert_written(p, &plain,
		       "[empty];semi:colon?and newline 7\n"
		       "evil:comm?;?]0;x\xef\xbf\xbd? y 1\n");
}

/* ' ' < '(' < '0' < ';' < 'a': a name that goes on, a line that ends and a deeper one differ. */
static void complete_lines_are_in_bytewise_order(void **state)
{
	static const char *const stacks[] = { "a",     "a;x",	"a(int)", "a(int);x",	     "a 1",
					      "a 1;b", "a0",	"a0;b",	  "a\xc3\xa9",	     "a:",
					      "ab",    "ab;c;", "a 9",	  "a;x y",	     "A",
					      "a_",    "a;;z",	"~",	  "\xf0\x9f\x94\xa5" };
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	_cleanup_(freep) char *text = NULL;
	size_t i, n = sizeof(stacks) / sizeof(stacks[0]), lines = 0;
	const char *at;

	(void)state;
	for (i = 0; i < n; i++)
		stacks_add(p, NULL, stacks[i], 1 + i * 37 % 200);
	text = written(p, &plain, NULL);
	assert_sorted(text);
	for (at = text; (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, n);
}

static void the_order_of_samples_does_not_matter(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	_cleanup_(profile_freep) struct profile *q = stacks_new("samples", "count");
	_cleanup_(freep) char *one = NULL, *other = NULL;
	char stack[64];
	int i, k;

	(void)state;
	for (i = 0; i < 997; i++) {
		snprintf(stack, sizeof(stack), "main;f%d;g%d", i % 31, i % 177);
		stacks_add(p, i % 3 ? "x" : NULL, stack, i);
		k = i * 500 % 997;
		snprintf(stack, sizeof(stack), "main;f%d;g%d", k % 31, k % 177);
		stacks_add(q, k % 3 ? "x" : NULL, stack, k);
	}
	one = written(p, &plain, NULL);
	other = written(q, &plain, NULL);
	assert_string_equal(one, other);
	assert_sorted(one);
}

static void the_view_chooses_value_and_root(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	struct view cpu = { .value = 1, .no_comm = true }, beyond = { .value = 2 };
	int64_t values[] = { 2, 20000000 };
	char name[] = "main";
	uint32_t node;

	(void)state;
	assert_int_equal(profile_add_value_type(p, "cpu", "nanoseconds"), 0);
	assert_int_equal(profile_add_node(p, PROFILE_NONE, stacks_frame(p, name), &node), 0);
	assert_int_equal(profile_add_sample(p, node, 0, values), 0);
	assert_written(p, &cpu, "main 20000000\n");
	assert_int_equal(folded_write(p, &beyond, stdout), -EINVAL);
}

static void a_full_disk_is_an_error(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	_cleanup_(fclosep) FILE *full = fopen("/dev/full", "we");

	(void)state;
	assert_non_null(full);
	stacks_add(p, NULL, "a", 1);
	assert_int_equal(folded_write(p, &plain, full), -ENOSPC);
	assert_non_null(strstr(err_text(), "cannot write folded stacks: No space left"));
}

/* Nodes that were met under one process must not be taken for those of another. */
static void processes_with_the_same_stacks_are_apart(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");

	(void)state;
	stacks_add(p, "x", "main;a;b", 1);
	stacks_add(p, "y", "main;a;b", 2);
	stacks_add(p, "x", "main;a;c", 4);
	stacks_add(p, "y", "main;a", 8);
	stacks_add(p, NULL, "main;a;b", 16);
	assert_written(p, &plain,
		       "main;a;b 16\nx;main;a;b 1\nx;main;a;c 4\ny;main;a 8\ny;main;a;b 2\n");
}

static void no_name_makes_a_line_a_comment(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");

	(void)state;
	stacks_add(p, "# hidden", "main", 1);
	stacks_add(p, "#", "", 2);
	stacks_add(p, NULL, "# x;# y", 4);
	stacks_add(p, NULL, "#x", 8);
	assert_written(p, &plain, "#x 8\n? 2\n? hidden;main 1\n? x;# y 4\n");
}

/* A second stack joins a node that lies as deep as lines may be. */
static void stacks_deeper_than_the_limit_are_written(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	_cleanup_(freep) char *text = NULL;
	uint32_t node = PROFILE_NONE;
	char deep[] = "f";
	int64_t one = 1;
	int i;

	(void)state;
	for (i = 0; i < PROFILE_MAX_DEPTH * 2; i++) {
		assert_int_equal(profile_add_node(p, node, stacks_frame(p, deep), &node), 0);
		if (i == PROFILE_MAX_DEPTH - 1)
			assert_int_equal(profile_add_sample(p, node, 0, &one), 0);
	}
	assert_int_equal(profile_add_sample(p, node, 0, &one), 0);
	text = written(p, &plain, NULL);
	assert_sorted(text);
}

static void a_hundred_thousand_stacks_are_written_in_order(void **state)
{
	_cleanup_(profile_freep) struct profile *p = stacks_new("samples", "count");
	_cleanup_(freep) char *text = NULL;
	uint32_t frames[1000], node;
	char name[32];
	int64_t v = 1;
	size_t len;
	int i, k;

	(void)state;
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "function_number_%d", i);
		frames[i] = stacks_frame(p, name);
	}
	for (i = 0; i < 100000; i++) {
		node = PROFILE_NONE;
		for (k = 0; k < 30; k++)
			assert_int_equal(
				profile_add_node(
					p, node,
					frames[(i / (1 + (k < 26) * 499) * 7 + k * 31) % 1000],
					&node),
				0);
		assert_int_equal(profile_add_sample(p, node, 0, &v), 0);
	}
	text = written(p, &plain, &len);
	assert_sorted(text);
}

/* --- reading ------------------------------------------------------------------------------- */

static int parse_bytes(const char *text, size_t len, struct profile **ret,
		       struct folded_repairs *repairs)
{
	_cleanup_(fclosep) FILE *in = tmpfile();

	assert_non_null(in);
	assert_int_equal(fwrite(text, 1, len, in), len);
	rewind(in);
	return folded_read(in, "input", ret, repairs);
}

static struct profile *parse(const char *text, struct folded_repairs *repairs)
{
	struct profile *p = NULL;

	assert_int_equal(parse_bytes(text, strlen(text), &p, repairs), 0);
	return p;
}

static void assert_reads_as(const char *text, const char *expected)
{
	struct folded_repairs repairs;
	_cleanup_(profile_freep) struct profile *p = parse(text, &repairs);

	assert_written(p, &plain, expected);
	assert_int_equal(folded_repairs_describe(&repairs, NULL, 0), 0);
}

static void what_was_written_is_read(void **state)
{
	static const char text[] = "[no stack] 5\na;b 2\na;b;c_[k] 30\na;b;d_[i] 4\n"
				   "operator new(unsigned long);std::map<int, long>::at 7\n";

	(void)state;
	assert_reads_as(text, text);
}

static void values_are_samples_in_count(void **state)
{
	struct folded_repairs repairs;
	_cleanup_(profile_freep) struct profile *p = parse("a;b 2\na;b 3\n", &repairs);

	(void)state;
	assert_int_equal(p->n_values, 1);
	assert_string_equal(profile_string(p, p->value_types[0].type), "samples");
	assert_string_equal(profile_string(p, p->value_types[0].unit), "count");
	assert_int_equal(p->samples.n, 1);
	assert_int_equal(profile_total(p, 0), 5);
}

static const struct profile_frame *leaf(const struct profile *p, uint32_t sample)
{
	uint32_t node = profile_sample_at(p, sample)->node;

	return profile_frame_at(p, profile_node_at(p, node)->frame);
}

static void suffixes_become_kinds(void **state)
{
	struct folded_repairs repairs;
	_cleanup_(profile_freep) struct profile *p =
		parse("a_[k] 1\nb_[i] 1\nc_[j] 1\nd 1\n_[k] 1\ne_[w] 1\n", &repairs);

	(void)state;
	assert_int_equal(leaf(p, 0)->kind, FRAME_KERNEL);
	assert_string_equal(profile_string(p, leaf(p, 0)->function), "a");
	assert_string_equal(profile_frame_module(p, leaf(p, 0)), "[kernel]");
	assert_int_equal(leaf(p, 1)->kind, FRAME_INLINED);
	assert_string_equal(profile_string(p, leaf(p, 1)->function), "b");
	assert_int_equal(leaf(p, 2)->kind, FRAME_INTERPRETED);
	assert_int_equal(leaf(p, 3)->kind, FRAME_USER);
	assert_string_equal(profile_string(p, leaf(p, 4)->function), "_[k]");
	assert_string_equal(profile_string(p, leaf(p, 5)->function), "e_[w]");
}

static void names_that_stand_in_for_one_are_known(void **state)
{
	static const struct {
		const char *name;
		int named;
	} names[] = { { "[unknown]", 0 }, { "[libc.so.6+0x12]", 0 },
		      { "0x7f12", 0 },	  { "[0xdeadbeef]", 0 },
		      { "[]", 1 },	  { "[anon]", 1 },
		      { "0xyz", 1 },	  { "operator[]", 1 },
		      { "main", 1 },	  { "[a+0xfg]", 1 },
		      { "0x", 1 } };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		_cleanup_(profile_freep) struct profile *p = NULL;
		struct folded_repairs repairs;
		char line[64];

		snprintf(line, sizeof(line), "%s 1\n", names[i].name);
		p = parse(line, &repairs);
		assert_int_equal(leaf(p, 0)->named, names[i].named);
	}
}

static void other_tools_liberties_are_fine(void **state)
{
	(void)state;
	assert_reads_as("# a comment\n#\n\n   \n\r\na;b 1\r\n  c;d \t 2  \n\te 3",
			"a;b 1\nc;d 2\ne 3\n");
	assert_reads_as("a;;b 1\n;c 2\nd; 3\n", "a;b 1\nc 2\nd 3\n"); /* empty frames */
	assert_reads_as("\xef\xbb\xbf"
			"a 1\n",
			"a 1\n");					   /* byte order mark */
	assert_reads_as("#<Class:0x1>#each 1\n", "#<Class:0x1>#each 1\n"); /* Ruby, no comment */
	assert_reads_as("f(int, long) const 12 34\n", "f(int, long) const 12 34\n");
	assert_reads_as("a 0\nb 1\n", "b 1\n");
	assert_reads_as("a 00012\n", "a 12\n");
	assert_reads_as("a 9223372036854775807\n", "a 9223372036854775807\n");
}

static void repairs_are_counted_by_kind(void **state)
{
	static const char text[] = "good;stack 1\n"
				   "no;count\n"
				   "bad;count x\nbad;count -5\nbad;count 9223372036854775808\n"
				   "bad;count 0x10\nbad;count 1e5\nbad;count +1\nbad;count nan\n"
				   "bad;count .\nbad;count 99999999999999999999.5\n"
				   " 5\n;; 6\n; ; 7\n8\n"
				   "fraction 2.5\nfraction 0.4\n"
				   "tab\there 1\nbad\xff;utf8 1\n\x1b[0m 1\n";
	struct folded_repairs r;
	_cleanup_(profile_freep) struct profile *p = parse(text, &r);
	char sentence[1024];

	(void)state;
	assert_int_equal(r.no_count, 1);
	assert_int_equal(r.bad_count, 9);
	assert_int_equal(r.empty_stack, 4);
	assert_int_equal(r.fractional, 2);
	assert_int_equal(r.text, 3);
	assert_int_equal(r.too_deep, 0);
	assert_int_equal(r.too_long, 0);
	assert_written(p, &plain,
		       "?[0m 1\nbad\xef\xbf\xbd;utf8 1\nfraction 3\ngood;stack 1\ntab?here 1\n");
	assert_int_equal(folded_repairs_describe(&r, sentence, sizeof(sentence)), 19);
	assert_string_equal(sentence,
			    "lines: 1 without a count (left out), 9 with a count that is no number "
			    "(left out), 4 without a stack (left out), 3 with bad UTF-8 or control "
			    "characters (replaced), 2 with a fraction (rounded)");
	/* A sentence that does not fit is cut. */
	assert_int_equal(folded_repairs_describe(&r, sentence, 20), 19);
	assert_string_equal(sentence, "lines: 1 without a ");
}

static void a_file_without_a_usable_line_is_refused(void **state)
{
	static const char *const texts[] = { "", "\n\n", "# nothing\n", "no counts;here\n", "5\n" };
	struct folded_repairs repairs = { .text = 7 };
	struct profile *p = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(parse_bytes(texts[i], strlen(texts[i]), &p, &repairs), -EINVAL);
		assert_null(p);
		assert_int_equal(repairs.text, 7);
		assert_non_null(strstr(err_text(), "'input' has no folded stacks"));
	}
	assert_non_null(strstr(err_text(), "1 without a stack"));
}

static void stacks_too_deep_lose_their_root_side(void **state)
{
	_cleanup_(str_release) struct str text = { 0 };
	struct folded_repairs repairs;
	_cleanup_(profile_freep) struct profile *p = NULL;
	uint32_t node, depth = 0;
	int i;

	(void)state;
	for (i = 0; i < PROFILE_MAX_DEPTH + 3; i++)
		assert_int_equal(str_addf(&text, "f%d;", i), 0);
	assert_int_equal(str_add(&text, " 1\n"), 0);
	p = parse(text.data, &repairs);
	assert_int_equal(repairs.too_deep, 1);
	for (node = profile_sample_at(p, 0)->node; node != PROFILE_NONE; depth++) {
		i = profile_node_at(p, node)->frame;
		node = profile_node_at(p, node)->parent;
	}
	assert_int_equal(depth, PROFILE_MAX_DEPTH);
	assert_string_equal(profile_string(p, profile_frame_at(p, i)->function), "f3");
}

static void lines_too_long_are_left_out_and_the_next_is_read(void **state)
{
	_cleanup_(freep) char *text = malloc(FOLDED_MAX_LINE * 2 + 64);
	_cleanup_(profile_freep) struct profile *p = NULL;
	struct folded_repairs repairs;
	size_t len;

	(void)state;
	assert_non_null(text);
	strcpy(text, "a 1\n");
	len = 4;
	/* One that is as long as may be, then one that is longer by a byte. */
	memset(text + len, 'x', FOLDED_MAX_LINE);
	memcpy(text + len + FOLDED_MAX_LINE - 2, " 2\n", 3);
	len += FOLDED_MAX_LINE + 1;
	memset(text + len, 'y', FOLDED_MAX_LINE + 1);
	memcpy(text + len + FOLDED_MAX_LINE - 1, " 4\n", 3);
	len += FOLDED_MAX_LINE + 2;
	memcpy(text + len, "b 8\n", 4);
	len += 4;
	assert_int_equal(parse_bytes(text, len, &p, &repairs), 0);
	assert_int_equal(repairs.too_long, 1);
	assert_int_equal(profile_total(p, 0), 11);
}

static void nul_bytes_do_not_end_a_line(void **state)
{
	static const char text[] = "a\0b;c 1\nd 2\0\ne 3\0x\n\0\n";
	_cleanup_(profile_freep) struct profile *p = NULL;
	struct folded_repairs repairs;

	(void)state;
	assert_int_equal(parse_bytes(text, sizeof(text) - 1, &p, &repairs), 0);
	assert_int_equal(repairs.text, 1);
	assert_int_equal(repairs.bad_count, 2);
	assert_int_equal(repairs.no_count, 1);
	assert_written(p, &plain, "a?b;c 1\n");
}

static void any_bytes_are_survived_and_what_is_read_can_be_written(void **state)
{
	char bytes[4096];
	uint32_t seed = 1;
	size_t i;
	int round;

	(void)state;
	for (round = 0; round < 200; round++) {
		_cleanup_(profile_freep) struct profile *p = NULL, *again = NULL;
		_cleanup_(freep) char *text = NULL, *second = NULL;
		struct folded_repairs repairs;
		size_t len;

		for (i = 0; i < sizeof(bytes); i++) {
			seed = seed * 1664525 + 1013904223;
			bytes[i] = seed >> 24;
			/* Half of the rounds are of the characters that mean something. */
			if (round % 2)
				bytes[i] = "a;;; 01_[k]\n\r\t\xff"[seed >> 24 & 15];
		}
		if (parse_bytes(bytes, sizeof(bytes), &p, &repairs))
			continue;
		text = written(p, &plain, &len);
		assert_sorted(text);
		if (!len)
			continue;
		assert_int_equal(parse_bytes(text, len, &again, &repairs), 0);
		second = written(again, &plain, &len);
		assert_string_equal(text, second);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_distinct_stack_is_one_line),
		cmocka_unit_test(kinds_are_marked_by_suffixes),
		cmocka_unit_test(stacks_that_read_the_same_are_one_line),
		cmocka_unit_test(lines_without_weight_are_left_out),
		cmocka_unit_test(an_empty_profile_is_an_empty_file),
		cmocka_unit_test(samples_without_frames_have_a_line),
		cmocka_unit_test(names_cannot_break_lines_or_frames),
		cmocka_unit_test(complete_lines_are_in_bytewise_order),
		cmocka_unit_test(the_order_of_samples_does_not_matter),
		cmocka_unit_test(the_view_chooses_value_and_root),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(processes_with_the_same_stacks_are_apart),
		cmocka_unit_test(no_name_makes_a_line_a_comment),
		cmocka_unit_test(stacks_deeper_than_the_limit_are_written),
		cmocka_unit_test(a_hundred_thousand_stacks_are_written_in_order),
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(values_are_samples_in_count),
		cmocka_unit_test(suffixes_become_kinds),
		cmocka_unit_test(names_that_stand_in_for_one_are_known),
		cmocka_unit_test(other_tools_liberties_are_fine),
		cmocka_unit_test(repairs_are_counted_by_kind),
		cmocka_unit_test(a_file_without_a_usable_line_is_refused),
		cmocka_unit_test(stacks_too_deep_lose_their_root_side),
		cmocka_unit_test(lines_too_long_are_left_out_and_the_next_is_read),
		cmocka_unit_test(nul_bytes_do_not_end_a_line),
		cmocka_unit_test(any_bytes_are_survived_and_what_is_read_can_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

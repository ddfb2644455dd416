/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/flame_text.h"
#include "tests/unit/tree.h"

#include <fcntl.h>
#include <pthread.h>

#include "flamegraph/flame_calltree.h"
#include "flamegraph/folded_stream.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/export/folded.h"
#include "user/model/calltree.h"

static const struct folded_stream_options plain = { 0 };

static int set_up(void **state)
{
	(void)state;
	tree_make();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tree_remove("");
	return 0;
}

static void write_bytes(const char *name, const char *text, size_t len)
{
	FILE *f = fopen(tree_path(name), "we");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static int read_bytes(const char *text, size_t len, const struct folded_stream_options *options,
		      struct flame_tree **ret, struct folded_repairs *repairs)
{
	char path[4096], *paths[] = { path };

	write_bytes("in", text, len);
	strcpy(path, tree_path("in"));
	return folded_stream_read(paths, 1, options, ret, repairs, NULL);
}

static void assert_reads_as(const char *text, const struct folded_stream_options *options,
			    const char *expected)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	struct folded_repairs repairs;

	assert_int_equal(read_bytes(text, strlen(text), options, &tree, &repairs), 0);
	assert_null(tree->building);
	assert_flame_text(tree, expected);
	assert_int_equal(folded_repairs_describe(&repairs, NULL, 0), 0);
}

static void stacks_are_merged(void **state)
{
	(void)state;
	assert_reads_as("main;b 2\nmain;a;x 3\nmain;a 1\nmain;a;x 4\nmain;ab 5\nmain 6", &plain,
			"all(0/21)[main(6/21)[a(1/8)[x(7/7)] ab(5/5) b(2/2)]]");
}

static void kinds_and_the_kernel_are_told_by_suffixes(void **state)
{
	(void)state;
	assert_reads_as("a;b_[k] 1\na;b_[i] 2\na;b_[j] 4\na;b 8\na;_[k] 16\n", &plain,
			"all(0/31)[a(0/31)[_[k](16/16) b(8/8) b_[k]{[kernel]}(1/1) b_[i](2/2) "
			"b_[j](4/4)]]");
}

static void other_tools_liberties_are_fine(void **state)
{
	(void)state;
	assert_reads_as("\xef\xbb\xbf"
			"# a comment\n\r\n  a ;; b 1\r\n;a;b 2\na;b; 4\n \ta; b 8\n#<Class>#x 16\n"
			"f(int, long) const 12 32",
			&plain,
			"all(0/63)[#<Class>#x(16/16) a(0/15)[b(15/15)] f(int, long) const "
			"12(32/32)]");
}

static void of_two_counts_the_first_is_before(void **state)
{
	const struct folded_stream_options two = { .has_before = true };

	(void)state;
	assert_reads_as("a;b 1 2\na;c 0 4\na 8 0\n", &two,
			"all(0/6 was 0/9)[a(0/6 was 8/9)[b(2/2 was 1/1) c(4/4 was 0/0)]]");
	assert_reads_as("a;b 2\n", &two, "all(0/2)[a(0/2)[b(2/2)]]");
	assert_reads_as("a;b 1 2\n", &plain, "all(0/2)[a(0/2)[b 1(2/2)]]");
}

static void a_factor_multiplies_counts(void **state)
{
	const struct folded_stream_options half = { .factor = 0.5 }, bad = { .factor = -1 },
					   nan = { .factor = __builtin_nan("") };
	struct flame_tree *tree = NULL;
	struct folded_repairs repairs;

	(void)state;
	assert_reads_as("a 10\nb 3\n", &half, "all(0/7)[a(5/5) b(2/2)]");
	assert_int_equal(read_bytes("a 1\n", 4, &bad, &tree, &repairs), -EINVAL);
	assert_int_equal(read_bytes("a 1\n", 4, &nan, &tree, &repairs), -EINVAL);
	assert_null(tree);
}

static void a_chart_keeps_the_order_of_lines(void **state)
{
	const struct folded_stream_options chart = { .is_chart = true,
						     .workers = 3,
						     .block_bytes = 4 };

	(void)state;
	assert_reads_as("z;b 1\nz;b;c 2\nz;a 3\nz;b 4\ny 5\nz;b 6\n", &chart,
			"all(0/21)[z(0/10)[b(1/3)[c(2/2)] a(3/3) b(4/4)] y(5/5) z(0/6)[b(6/6)]]");
}

static void a_block_without_stacks_changes_nothing(void **state)
{
	const struct folded_stream_options blocks = { .workers = 1, .block_bytes = 2 };
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	static const char text[] = "a 1\nb\n\0 2\na 4\n";
	struct folded_repairs repairs;

	(void)state;
	assert_int_equal(read_bytes(text, sizeof(text) - 1, &blocks, &tree, &repairs), 0);
	assert_flame_text(tree, "all(0/7)[?(2/2) a(5/5)]");
	assert_int_equal(repairs.text, 1);
	assert_int_equal(repairs.no_count, 1);
}

static void reversed_the_innermost_frame_is_the_root(void **state)
{
	const struct folded_stream_options reversed = { .is_reversed = true };

	(void)state;
	assert_reads_as("a;b;c 1\na;c 2\na;b 4\na;b;c 8\n", &reversed,
			"all(0/15)[b(0/4)[a(4/4)] c(0/11)[a(2/2) b(0/9)[a(9/9)]]]");
}

static void text_in_another_encoding_becomes_utf8(void **state)
{
	const struct folded_stream_options latin1 = { .encoding = "ISO-8859-1" },
					   utf8 = { .encoding = "utf-8" },
					   ascii = { .encoding = "ASCII" };
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	struct folded_repairs repairs;

	(void)state;
	assert_reads_as("caf\xe9;\xfc_[k] 1\n", &latin1,
			"all(0/1)[caf\xc3\xa9(0/1)[\xc3\xbc_[k]{[kernel]}(1/1)]]");
	assert_reads_as("caf\xc3\xa9 1\n", &utf8, "all(0/1)[caf\xc3\xa9(1/1)]");
	assert_int_equal(read_bytes("a\xe9;b 1\na\xe9;c 1\nb 1\n", 18, &ascii, &tree, &repairs), 0);
	assert_int_equal(repairs.text, 2);
	assert_flame_text(tree, "all(0/3)[a\xef\xbf\xbd(0/2)[b(1/1) c(1/1)] b(1/1)]");
}

static void an_encoding_that_cannot_be_taken_apart_is_refused(void **state)
{
	static const char *const names[] = { "no such encoding", "UTF-16", "UTF-32LE",
					     "EBCDIC-US" };
	struct folded_repairs repairs;
	struct flame_tree *tree = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		const struct folded_stream_options options = { .encoding = names[i] };

		assert_int_equal(read_bytes("a 1\n", 4, &options, &tree, &repairs), -EINVAL);
		assert_null(tree);
		assert_non_null(strstr(err_text(), names[i]));
	}
}

/* --- broken input -------------------------------------------------------------------------- */

static void repairs_are_counted_by_kind(void **state)
{
	static const char text[] = "good;stack 1\n"
				   "no;count\n"
				   "bad;count x\nbad;count -5\nbad;count 9223372036854775808\n"
				   " 5\n;; 6\n; ; 7\n8\n"
				   "fraction 2.5\nfraction 0.4\n"
				   "tab\there 1\nbad\xff;utf8 1\nbad\xff;other 1\nnul\0 1\n";
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	struct folded_repairs r;

	(void)state;
	assert_int_equal(read_bytes(text, sizeof(text) - 1, &plain, &tree, &r), 0);
	assert_int_equal(r.no_count, 1);
	assert_int_equal(r.bad_count, 3);
	assert_int_equal(r.empty_stack, 4);
	assert_int_equal(r.fractional, 2);
	assert_int_equal(r.text, 4);
	assert_int_equal(r.too_deep, 0);
	assert_int_equal(r.too_long, 0);
	assert_flame_text(tree, "all(0/8)[bad\xef\xbf\xbd(0/2)[other(1/1) utf8(1/1)] fraction(3/3) "
				"good(0/1)[stack(1/1)] nul?(1/1) tab?here(1/1)]");
}

static void an_input_without_stacks_is_an_empty_tree_and_an_error(void **state)
{
	static const char *const texts[] = { "", "\n\n", "# nothing\n", "no counts;here\n", "5\n" };
	struct folded_repairs repairs;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;

		assert_int_equal(read_bytes(texts[i], strlen(texts[i]), &plain, &tree, &repairs),
				 -ENODATA);
		assert_flame_text(tree, "all(0/0)");
		assert_int_equal(folded_repairs_describe(&repairs, NULL, 0), i > 2);
	}
}

static void stacks_too_deep_lose_their_root_side(void **state)
{
	const struct folded_stream_options reversed = { .is_reversed = true };
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL, *other = NULL;
	_cleanup_(str_release) struct str text = { 0 };
	struct folded_repairs repairs;
	uint32_t first;
	int i;

	(void)state;
	for (i = 0; i < PROFILE_MAX_DEPTH + 3; i++)
		assert_int_equal(str_addf(&text, "f%d;", i), 0);
	/* The second one shares what is cut. */
	assert_int_equal(str_addf(&text, " 1\nf0;f1;f2;g;%s 2\n", "h"), 0);
	assert_int_equal(read_bytes(text.data, text.len, &plain, &tree, &repairs), 0);
	assert_int_equal(repairs.too_deep, 1);
	assert_int_equal(tree->n_nodes, 1 + PROFILE_MAX_DEPTH + 5);
	first = tree->nodes[0].first_child;
	assert_string_equal(flame_name(tree, first), "f0");
	first = tree->nodes[first].next;
	assert_string_equal(flame_name(tree, first), "f3");
	assert_int_equal(read_bytes(text.data, text.len, &reversed, &other, &repairs), 0);
	assert_string_equal(flame_name(other, other->n_nodes - 6), "f3");
}

static void lines_too_long_are_left_out_and_the_next_is_read(void **state)
{
	_cleanup_(freep) char *text = malloc(FOLDED_MAX_LINE * 4 + 64);
	const size_t blocks[] = { 0, 4096, 1 << 20, 16 << 20 };
	size_t len = 4, i;

	(void)state;
	assert_non_null(text);
	strcpy(text, "a 1\n");
	/* One that is as long as may be, one that is longer by a byte, and one by far. */
	memset(text + len, 'x', FOLDED_MAX_LINE);
	memcpy(text + len + FOLDED_MAX_LINE - 2, " 2\n", 3);
	len += FOLDED_MAX_LINE + 1;
	memset(text + len, 'y', FOLDED_MAX_LINE + 1);
	memcpy(text + len + FOLDED_MAX_LINE - 1, " 4\n", 3);
	len += FOLDED_MAX_LINE + 2;
	memcpy(text + len, "b 8\n", 4);
	len += 4;
	memset(text + len, 'z', FOLDED_MAX_LINE * 2 - 64);
	len += FOLDED_MAX_LINE * 2 - 64;
	memcpy(text + len, "\nc 16", 5);
	len += 5;
	for (i = 0; i < 4; i++) {
		const struct folded_stream_options options = { .block_bytes = blocks[i] };
		_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
		struct folded_repairs repairs;

		assert_int_equal(read_bytes(text, len, &options, &tree, &repairs), 0);
		assert_int_equal(repairs.too_long, 2);
		assert_int_equal(folded_repairs_describe(&repairs, NULL, 0), 2);
		assert_int_equal(tree->nodes[0].value, 27);
	}
}

/* --- files --------------------------------------------------------------------------------- */

static void files_are_added_up_and_do_not_run_into_each_other(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	char names[4][4096], *paths[] = { names[0], names[1], names[2], names[3] };
	struct folded_repairs repairs;
	uint64_t n = 0;

	(void)state;
	write_bytes("1", "a;b 1", 5);
	write_bytes("2",
		    "\xef\xbb\xbf"
		    "a;b 20\nc",
		    11);
	write_bytes("3", "", 0);
	write_bytes("4", "a 300\r\n", 7);
	strcpy(names[0], tree_path("1"));
	strcpy(names[1], tree_path("2"));
	strcpy(names[2], tree_path("3"));
	strcpy(names[3], tree_path("4"));
	assert_int_equal(folded_stream_read(paths, 4, &plain, &tree, &repairs, &n), 0);
	assert_flame_text(tree, "all(0/321)[a(300/321)[b(21/21)]]");
	assert_int_equal(n, 3);
	assert_int_equal(repairs.no_count, 1);
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
	char names[2][4096], *paths[] = { names[0], names[1] };
	struct folded_repairs repairs = { .text = 7 };
	struct flame_tree *tree = NULL;

	(void)state;
	write_bytes("in", "a 1\n", 4);
	strcpy(names[0], tree_path("in"));
	strcpy(names[1], tree_path("missing"));
	assert_int_equal(folded_stream_read(paths, 2, &plain, &tree, &repairs, NULL), -ENOENT);
	assert_non_null(strstr(err_text(), "missing"));
	strcpy(names[1], tree_root);
	assert_int_equal(folded_stream_read(paths, 2, &plain, &tree, &repairs, NULL), -EISDIR);
	assert_non_null(strstr(err_text(), tree_root));
	assert_null(tree);
	assert_int_equal(repairs.text, 7);
}

static void *write_slowly(void *arg)
{
	static const char text[] = "a;b 1\na;c 2\na;b 4\nd 8";
	int fd = *(int *)arg;
	size_t i;

	for (i = 0; i < sizeof(text) - 1; i++) {
		if (write(fd, text + i, 1) != 1)
			break;
		if (i % 5 == 0)
			usleep(1000);
	}
	close(fd);
	return NULL;
}

static void standard_input_may_be_a_pipe(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	int was = dup(STDIN_FILENO), ends[2];
	char *paths[] = { (char[]){ "-" } };
	struct folded_repairs repairs;
	pthread_t writer;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	assert_int_equal(pthread_create(&writer, NULL, write_slowly, &ends[1]), 0);
	assert_int_equal(folded_stream_read(paths, 1, &plain, &tree, &repairs, NULL), 0);
	pthread_join(writer, NULL);
	assert_int_equal(dup2(was, STDIN_FILENO), STDIN_FILENO);
	close(was);
	assert_flame_text(tree, "all(0/15)[a(0/7)[b(5/5) c(2/2)] d(8/8)]");
}

/* --- any input ----------------------------------------------------------------------------- */

/* What folded_read() and a call tree make of it, which have nothing in common with the reader. */
static struct flame_tree *read_otherwise(const char *text, size_t len,
					 struct folded_repairs *repairs)
{
	_cleanup_(fclosep) FILE *in = fmemopen((void *)text, len, "r");
	_cleanup_(profile_freep) struct profile *p = NULL;
	_cleanup_(calltree_freep) struct calltree *from = NULL;
	const struct view view = { 0 };
	struct flame_tree *tree = NULL;

	assert_non_null(in);
	if (folded_read(in, "input", &p, repairs))
		return NULL;
	assert_int_equal(calltree_new(p, &view, &from), 0);
	assert_int_equal(flame_tree_of_calltree(from, &tree, NULL), 0);
	return tree;
}

static void random_bytes(char *text, size_t len, unsigned int seed)
{
	static const char meaningful[] = "aaab;;;;  01_[k]\n\n\r\t\xff\xc3\xa9";
	size_t i;

	for (i = 0; i < len; i++) {
		/* Every other text is of what means something. */
		if (seed % 2)
			text[i] = meaningful[rand_r(&seed) / 7 % (sizeof(meaningful) - 1)];
		else
			text[i] = rand_r(&seed) >> 7;
	}
}

/* Lines that could be a program's. */
static size_t random_lines(char *text, size_t size, unsigned int seed)
{
	size_t len = 0;
	int i, depth;

	while (len + 256 < size) {
		depth = rand_r(&seed) % 12 + 1;
		for (i = 0; i < depth; i++)
			len += sprintf(text + len, "%sfunction_%d%s", i ? ";" : "",
				       rand_r(&seed) % 3, rand_r(&seed) % 50 ? "" : "_[k]");
		len += sprintf(text + len, " %d\n", rand_r(&seed) % 100);
	}
	return len;
}

static void assert_same_as_read_otherwise(const char *text, size_t len)
{
	const struct folded_stream_options ways[] = {
		{ .workers = 1 },
		{ .workers = 1, .block_bytes = 1 },
		{ .workers = 1, .block_bytes = 7 },
		{ .workers = 2, .block_bytes = 64 },
		{ .workers = 4, .block_bytes = 100 },
	};
	struct folded_repairs expected = { 0 }, repairs;
	_cleanup_(flame_tree_freep) struct flame_tree *other = read_otherwise(text, len, &expected);
	_cleanup_(str_release) struct str expected_text = { 0 };
	size_t i;

	if (other)
		flame_text(other, &expected_text);
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
		int err = read_bytes(text, len, &ways[i], &tree, &repairs);

		assert_int_equal(err, other ? 0 : -ENODATA);
		if (!other)
			continue;
		assert_flame_text(tree, expected_text.data);
		assert_memory_equal(&repairs, &expected, sizeof(repairs));
	}
}

static void any_bytes_are_read_as_by_the_other_reader(void **state)
{
	char text[4096];
	unsigned int round;

	(void)state;
	for (round = 0; round < 100; round++) {
		random_bytes(text, sizeof(text), round);
		assert_same_as_read_otherwise(text, sizeof(text) - round);
	}
}

static void any_stacks_are_read_as_by_the_other_reader(void **state)
{
	char text[16384];
	unsigned int round;

	(void)state;
	for (round = 0; round < 50; round++)
		assert_same_as_read_otherwise(text, random_lines(text, sizeof(text), round));
}

/* The table of names grows, and stacks have more frames than are asked for at a time. */
static void thousands_of_names_in_long_stacks_are_told_apart(void **state)
{
	_cleanup_(str_release) struct str text = { 0 };
	int line, i;

	(void)state;
	for (line = 0; line < 50; line++) {
		for (i = 0; i < 200; i++)
			assert_int_equal(str_addf(&text, "%*d;", i % 40 + 1, line * 200 + i / 2),
					 0);
		assert_int_equal(str_addf(&text, " %d\n", line), 0);
	}
	assert_same_as_read_otherwise(text.data, text.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stacks_are_merged),
		cmocka_unit_test(kinds_and_the_kernel_are_told_by_suffixes),
		cmocka_unit_test(other_tools_liberties_are_fine),
		cmocka_unit_test(of_two_counts_the_first_is_before),
		cmocka_unit_test(a_factor_multiplies_counts),
		cmocka_unit_test(a_chart_keeps_the_order_of_lines),
		cmocka_unit_test(a_block_without_stacks_changes_nothing),
		cmocka_unit_test(reversed_the_innermost_frame_is_the_root),
		cmocka_unit_test(text_in_another_encoding_becomes_utf8),
		cmocka_unit_test(an_encoding_that_cannot_be_taken_apart_is_refused),
		cmocka_unit_test(repairs_are_counted_by_kind),
		cmocka_unit_test(an_input_without_stacks_is_an_empty_tree_and_an_error),
		cmocka_unit_test(stacks_too_deep_lose_their_root_side),
		cmocka_unit_test(lines_too_long_are_left_out_and_the_next_is_read),
		cmocka_unit_test(files_are_added_up_and_do_not_run_into_each_other),
		cmocka_unit_test(a_file_that_cannot_be_read_is_named),
		cmocka_unit_test(standard_input_may_be_a_pipe),
		cmocka_unit_test(any_bytes_are_read_as_by_the_other_reader),
		cmocka_unit_test(any_stacks_are_read_as_by_the_other_reader),
		cmocka_unit_test(thousands_of_names_in_long_stacks_are_told_apart),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

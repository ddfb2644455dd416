/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/stacks.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <sys/stat.h>

#include "user/base/err.h"
#include "user/base/file.h"
#include "user/export/report_heading.h"
#include "user/export/report_text.h"

struct fixture {
	struct profile *profile;
	struct view view;
	struct calltree *tree;
	struct report report;
	struct report_style style;
};

/* Takes the profile, once its samples are in it. */
static void fixture_init(struct fixture *f, struct profile *p)
{
	*f = (struct fixture){ .profile = p };
	assert_int_equal(calltree_new(p, &f->view, &f->tree), 0);
	f->report = (struct report){
		.source = "cpu.folded", .profile = p, .view = &f->view, .tree = f->tree
	};
}

static void fixture_release(struct fixture *f)
{
	calltree_free(f->tree);
	profile_free(f->profile);
}

static struct profile *workload(void)
{
	struct profile *p = stacks_new("samples", "count");

	stacks_add(p, "burn", "main@burn;work@burn;hot@burn", 700);
	stacks_add(p, "burn", "main@burn;work@burn;warm@burn", 200);
	stacks_add(p, "burn", "main@burn;cold@burn", 95);
	stacks_add(p, "burn", "main@burn;schedule@[kernel]", 3);
	stacks_add(p, "sh", "exit@libc.so.6", 2);
	return p;
}

static char *top_text(struct fixture *f, size_t rows)
{
	_cleanup_(top_freep) struct top *top = NULL;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(top_new(f->tree, &top), 0);
	assert_int_equal(report_text_top(&f->report, top, rows, &f->style, out), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static char *tree_text(struct fixture *f, double min_share)
{
	_cleanup_(report_tree_freep) struct report_tree *t = NULL;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(report_tree_new(f->tree, min_share, &t), 0);
	assert_int_equal(report_text_tree(&f->report, t, min_share, &f->style, out), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static char *heading_text(struct fixture *f)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(report_heading(&f->report, f->style.color, out), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void the_top_is_a_table_with_aligned_columns(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(freep) char *text = NULL;

	(void)state;
	fixture_init(&f, workload());
	text = top_text(&f, 0);
	assert_string_equal(text, "  SELF%  SELF   TOTAL%  TOTAL  FUNCTION  MODULE\n"
				  " 70.00%   700   70.00%    700  hot       burn\n"
				  " 20.00%   200   20.00%    200  warm      burn\n"
				  "  9.50%    95    9.50%     95  cold      burn\n"
				  "  0.30%     3    0.30%      3  schedule  [kernel]\n"
				  "  0.20%     2    0.20%      2  exit      libc.so.6\n"
				  "  0.00%     0   99.80%    998  main      burn\n"
				  "  0.00%     0   90.00%    900  work      burn\n");
}

static void what_is_not_shown_is_counted(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(freep) char *text = NULL;

	(void)state;
	fixture_init(&f, workload());
	text = top_text(&f, 1);
	assert_string_equal(text, "  SELF%  SELF   TOTAL%  TOTAL  FUNCTION  MODULE\n"
				  " 70.00%   700   70.00%    700  hot       burn\n"
				  "... and 6 more\n");
}

static void samples_without_a_stack_are_said(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(freep) char *text = NULL;
	struct profile *p = stacks_new("cpu", "nanoseconds");

	(void)state;
	stacks_add(p, "sh", "", 500000000);
	stacks_add(p, "sh", "main", 1500000000);
	fixture_init(&f, p);
	text = top_text(&f, 0);
	assert_string_equal(text, "  SELF%    SELF   TOTAL%   TOTAL  FUNCTION\n"
				  " 75.00%  1.50 s   75.00%  1.50 s  main\n"
				  " 25.00%  500 ms in samples without a stack\n");
}

static void a_long_name_is_whole_and_moves_only_its_own_module(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(freep) char *text = NULL;
	struct profile *p = stacks_new("samples", "count");
	char name[302];

	(void)state;
	memset(name, 'x', 299);
	memcpy(name + 299, "@m", 3);
	stacks_add(p, NULL, name, 2);
	stacks_add(p, NULL, "short@m", 1);
	fixture_init(&f, p);
	text = top_text(&f, 0);
	name[299] = '\0';
	assert_non_null(strstr(text, name));
	assert_non_null(strstr(text, "  short     m\n"));
}

static void modules_are_cut_on_a_terminal_and_only_there(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(freep) char *wide = NULL, *narrow = NULL, *ascii = NULL;
	struct profile *p = stacks_new("samples", "count");

	(void)state;
	stacks_add(p, NULL, "f@libverylongname.so.1.2.3", 1);
	fixture_init(&f, p);
	wide = top_text(&f, 0);
	assert_non_null(strstr(wide, "  f         libverylongname.so.1.2.3\n"));
	f.style = (struct report_style){ .utf8 = true, .width = 55 };
	narrow = top_text(&f, 0);
	assert_non_null(strstr(narrow, "  f         libverylongna…\n"));
	f.style.utf8 = false;
	ascii = top_text(&f, 0);
	assert_non_null(strstr(ascii, "  f         libverylongn..\n"));
}

static void inlined_frames_say_so(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(freep) char *text = NULL;
	struct profile *p = stacks_new("samples", "count");

	(void)state;
	stacks_add(p, NULL, "main@prog;square@prog!", 1);
	fixture_init(&f, p);
	text = top_text(&f, 1);
	assert_non_null(strstr(text, "  square (inlined)  prog\n"));
}

static void hostile_module_names_reach_no_terminal(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(freep) char *text = NULL, *heading = NULL;
	struct profile *p = stacks_new("samples", "count");

	(void)state;
	stacks_add(p, NULL, "f\033[2J@m\033]0;t\007\n\xff", 1);
	fixture_init(&f, p);
	f.report.source = "a\033[31m\nb";
	text = top_text(&f, 0);
	heading = heading_text(&f);
	assert_null(strchr(text, '\033'));
	assert_null(strchr(text, '\007'));
	assert_null(strchr(heading, '\033'));
	assert_non_null(strstr(text, "f?[2J"));
	assert_non_null(strstr(text, "  m?]0\n"));
	assert_non_null(strstr(heading, "a?[31m?b: "));
}

static void colours_are_there_only_if_asked_for(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(freep) char *plain = NULL, *colored = NULL;

	(void)state;
	fixture_init(&f, workload());
	plain = top_text(&f, 0);
	f.style.color = true;
	colored = top_text(&f, 0);
	assert_null(strchr(plain, '\033'));
	assert_non_null(strstr(colored, "\033[31m 70.00%\033[0m"));
}

static void chains_stay_on_their_indent_and_branches_open_one(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(freep) char *utf8 = NULL, *ascii = NULL;

	(void)state;
	fixture_init(&f, workload());
	f.style.utf8 = true;
	utf8 = tree_text(&f, 0);
	assert_string_equal(utf8, " TOTAL%    SELF%  TOTAL  CALLS\n"
				  "100.00%    0.00%  1,000  all\n"
				  " 99.80%    0.00%    998  ├─ burn\n"
				  " 99.80%    0.00%    998  │  main  burn\n"
				  " 90.00%    0.00%    900  │  ├─ work  burn\n"
				  " 70.00%   70.00%    700  │  │  ├─ hot  burn\n"
				  " 20.00%   20.00%    200  │  │  └─ warm  burn\n"
				  "  9.50%    9.50%     95  │  ├─ cold  burn\n"
				  "  0.30%    0.30%      3  │  └─ schedule  [kernel]\n"
				  "  0.20%    0.00%      2  └─ sh\n"
				  "  0.20%    0.20%      2     exit  libc.so.6\n");
	f.style.utf8 = false;
	ascii = tree_text(&f, 0.25);
	assert_string_equal(ascii,
			    " TOTAL%    SELF%  TOTAL  CALLS\n"
			    "100.00%    0.00%  1,000  all\n"
			    " 99.80%    0.00%    998  burn\n"
			    " 99.80%    0.00%    998  main  burn\n"
			    " 90.00%    0.00%    900  work  burn\n"
			    " 70.00%   70.00%    700  hot  burn\n"
			    "4 branches below 25% not shown, 30.00% of the total together\n");
}

static void equal_branches_are_in_the_order_of_their_names(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(freep) char *text = NULL;
	struct profile *p = stacks_new("samples", "count");

	(void)state;
	stacks_add(p, NULL, "c", 1);
	stacks_add(p, NULL, "a", 1);
	stacks_add(p, NULL, "b", 2);
	fixture_init(&f, p);
	text = tree_text(&f, 0);
	assert_string_equal(text, " TOTAL%    SELF%  TOTAL  CALLS\n"
				  "100.00%    0.00%      4  all\n"
				  " 50.00%   50.00%      2  |- b\n"
				  " 25.00%   25.00%      1  |- a\n"
				  " 25.00%   25.00%      1  `- c\n");
}

static void an_empty_profile_divides_by_nothing(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(freep) char *top = NULL, *tree = NULL;

	(void)state;
	fixture_init(&f, stacks_new("samples", "count"));
	top = top_text(&f, 0);
	tree = tree_text(&f, 0.005);
	assert_string_equal(top, "  SELF%  SELF   TOTAL%  TOTAL  FUNCTION\n");
	assert_string_equal(tree, " TOTAL%    SELF%  TOTAL  CALLS\n"
				  "  0.00%    0.00%      0  all\n");
}

static void callers_and_callees_are_two_tables(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(top_neighbours_freep) struct top_neighbours *n = NULL;
	_cleanup_(freep) char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	fixture_init(&f, workload());
	assert_int_equal(top_neighbours_new(f.tree, "main", &n), 0);
	assert_int_equal(report_text_function(&f.report, "main", n, 2, &f.style, out), 0);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, "main: self 0 (0.00%), total 998 (99.80%)\n"
				  "\nCallers\n"
				  " TOTAL%  TOTAL  FUNCTION\n"
				  " 99.80%    998  burn\n"
				  "\nCallees\n"
				  " TOTAL%  TOTAL  FUNCTION  MODULE\n"
				  " 90.00%    900  work      burn\n"
				  "  9.50%     95  cold      burn\n"
				  "... and 1 more\n");
}

static void the_heading_says_what_and_how_much(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(freep) char *text = NULL;

	(void)state;
	fixture_init(&f, workload());
	text = heading_text(&f);
	assert_string_equal(text, "cpu.folded: 1,000 samples, 5 stacks\n\n");
}

static void write_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static const char summary[] =
	"{\"schema\": \"fathom.summary/1\", \"target\": \"whole machine\", \"span_ns\": "
	"10000000000,"
	" \"host\": {\"kernel\": \"6.1.0\\u001b\", \"architecture\": \"x86_64\", \"cpus_online\": "
	"2},"
	" \"collectors\": [{\"name\": \"io\"}, {\"name\": \"cpu\", \"event\": \"cpu-clock\","
	" \"rate_hz\": 99, \"ledger\": {\"fired\": 1100, \"kept\": 990,"
	" \"lost\": {\"filtered_idle\": 100, \"counts_full\": 10, \"walk_failed\": 0}},"
	" \"stacks\": {\"complete\": 980, \"truncated\": 10, \"unnamed\": 99}}]}";

static void losses_of_a_run_folder_stand_in_the_heading(void **state)
{
	_cleanup_(fixture_release) struct fixture f;
	_cleanup_(recording_freep) struct recording *rec = NULL;
	_cleanup_(freep) char *text = NULL;
	char folder[] = "/tmp/test_report_text.XXXXXX", path[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/summary.json", folder);
	write_file(path, summary);
	assert_int_equal(recording_read(folder, "cpu", &rec), 0);
	assert_int_equal(rec->filtered, 100);
	assert_int_equal(rec->lost, 10);
	fixture_init(&f, workload());
	f.report.recording = rec;
	text = heading_text(&f);
	assert_string_equal(text, "cpu.folded: 1,000 samples, 5 stacks\n"
				  "cpu of whole machine for 10.0 s, cpu-clock at 99 Hz, "
				  "Linux 6.1.0? x86_64, 2 CPUs\n"
				  "lost 10 of 1000 events (1.00%: counts_full 10); "
				  "stacks: 99.0% complete, 10.0% with a nameless frame\n\n");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void a_broken_summary_is_refused(void **state)
{
	struct recording *rec = NULL;
	char folder[] = "/tmp/test_report_text.XXXXXX", path[64];
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{ "", -EINVAL },
		{ "{", -EINVAL },
		{ "[1, 2]", -EINVAL },
		{ "{\"schema\": \"fathom.summary/2\", \"collectors\": []}", -EINVAL },
		{ "{\"schema\": \"fathom.summary/1\"}", -ENOENT },
		{ "{\"schema\": \"fathom.summary/1\", \"collectors\": {\"a\": 1}}", -ENOENT },
		{ "{\"schema\": \"fathom.summary/1\", \"collectors\": [7, {\"name\": 1}]}",
		  -ENOENT },
	};
	size_t i;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(recording_read(folder, "cpu", &rec), -ENOENT);
	snprintf(path, sizeof(path), "%s/summary.json", folder);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_file(path, cases[i].text);
		assert_int_equal(recording_read(folder, "cpu", &rec), cases[i].err);
		assert_non_null(strstr(err_text(), path));
	}
	assert_null(rec);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void wrong_types_in_a_summary_are_not_known(void **state)
{
	_cleanup_(recording_freep) struct recording *rec = NULL;
	char folder[] = "/tmp/test_report_text.XXXXXX", path[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/summary.json", folder);
	write_file(path, "{\"schema\": \"fathom.summary/1\", \"host\": [], \"span_ns\": -5,"
			 " \"collectors\": [{\"name\": \"cpu\", \"event\": 1, \"rate_hz\": \"x\","
			 " \"ledger\": {\"fired\": 1, \"kept\": 5, \"lost\": {\"a\": -1,"
			 " \"b\": 9223372036854775807, \"c\": 9223372036854775807, \"d\": 5}}}]}");
	assert_int_equal(recording_read(folder, "cpu", &rec), 0);
	assert_null(rec->event);
	assert_int_equal(rec->span_ns, 0);
	assert_int_equal(rec->rate_hz, 0);
	assert_int_equal(rec->filtered, 0);
	assert_true(rec->lost == UINT64_MAX);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_top_is_a_table_with_aligned_columns),
		cmocka_unit_test(what_is_not_shown_is_counted),
		cmocka_unit_test(samples_without_a_stack_are_said),
		cmocka_unit_test(a_long_name_is_whole_and_moves_only_its_own_module),
		cmocka_unit_test(modules_are_cut_on_a_terminal_and_only_there),
		cmocka_unit_test(inlined_frames_say_so),
		cmocka_unit_test(hostile_module_names_reach_no_terminal),
		cmocka_unit_test(colours_are_there_only_if_asked_for),
		cmocka_unit_test(chains_stay_on_their_indent_and_branches_open_one),
		cmocka_unit_test(equal_branches_are_in_the_order_of_their_names),
		cmocka_unit_test(an_empty_profile_divides_by_nothing),
		cmocka_unit_test(callers_and_callees_are_two_tables),
		cmocka_unit_test(the_heading_says_what_and_how_much),
		cmocka_unit_test(losses_of_a_run_folder_stand_in_the_heading),
		cmocka_unit_test(a_broken_summary_is_refused),
		cmocka_unit_test(wrong_types_in_a_summary_are_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

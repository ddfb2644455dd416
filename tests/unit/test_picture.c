/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/drawn.h"

#include <errno.h>

#include "flame_scripts.js.h"
#include "user/base/array.h"
#include "user/base/err.h"

#define HOSTILE                                                           \
	"a<b>&\"c'd\x01\x1b[31m\xff\xfe\xc3(\xed\xa0\x80\xf4\x90\x80\x80" \
	"\xef\xbf\xbe\xef\xbf\xbf]]>--></title></text></metadata><script>x()</script>\xe2\x80\xae"

static struct profile *shell_profile(void)
{
	struct profile *p = stacks_new("samples", "count");

	stacks_add(p, "bash", "main@bash;execute@bash;read@[kernel]", 600);
	stacks_add(p, "bash", "main@bash;execute@bash;expand@bash!", 300);
	stacks_add(p, "bash", "main@bash", 99);
	stacks_add(p, "init", "", 1);
	return p;
}

static struct picture_options samples_1020(void)
{
	return (struct picture_options){
		.unit = "count", .value = "samples", .width = 1020, .min_width = -1
	};
}

/* What is drawn, without the call tree and the script inside. */
static void cut_the_inside(struct drawn *d)
{
	char *data = strstr(d->text, "<metadata");

	assert_non_null(data);
	*data = '\0';
}

static void a_frame_has_a_box_a_tooltip_and_a_label(void **state)
{
	struct picture_options o = samples_1020();
	struct drawn d;

	(void)state;
	drawn_init(&d, shell_profile());
	drawn_write(&d, &o);
	drawn_has(&d, "<g><title>read\n[kernel]\n600 samples itself, 60.00% of all, 66.67% of its "
		      "caller</title><rect x=\"310\" width=\"599.5\" height=\"16\" fill=\"#");
	drawn_has(&d, "\"/><text x=\"313\" y=\"12\">read</text></g>\n");
	drawn_has(&d,
		  "<title>expand\nbash (inlined)\n300 samples itself, 30.00% of all, 33.33% of");
	drawn_has(&d, "<title>execute\nbash\n900 samples, 90.00% of all, 90.09% of its caller<");
	drawn_has(&d, "<title>main\nbash\n999 samples, 99.90% of all, 100.00% of its caller\n"
		      "itself 99 samples, 9.90% of all</title>");
	drawn_has(&d, "<title>init\nprocess\n1 sample itself, 0.10% of all</title>"
		      "<rect x=\"1009\" width=\"1\"");
	drawn_has(&d, "<title>all\n1,000 samples, 100.00% of all</title>");
	drawn_has(&d, ">all: 1,000 samples</text>");
	drawn_has(&d, "<title>Flame Graph</title>");
	drawn_has(&d, "<metadata id=\"flame-data\">\nheader ");
	drawn_lacks(&d, ">init</text>"); /* no room */
	drawn_lacks(&d, " data-fluid=\"1\"");
	drawn_is_valid(&d);
	drawn_release(&d);
}

static void amounts_are_in_the_unit_of_the_values(void **state)
{
	struct picture_options o = { .unit = "nanoseconds", .value = "cpu", .min_width = 0 };
	struct profile *p = stacks_new("cpu", "nanoseconds");
	struct drawn d;

	(void)state;
	stacks_add(p, NULL, "main", 1500000000);
	stacks_add(p, NULL, "rare", 1);
	drawn_init(&d, p);
	drawn_write(&d, &o);
	drawn_has(&d, "<title>main\n1.50 s itself, 100.00% of all</title>");
	drawn_has(&d, "<title>rare\n1 ns itself, &lt; 0.01% of all</title>");
	o.unit = "bytes";
	o.value = "alloc_space";
	drawn_write(&d, &o);
	drawn_has(&d, "<title>main\n1.40 GiB itself,");
	drawn_has(&d, ">all: 1.40 GiB of alloc_space</text>");
	o.value = "bytes";
	drawn_write(&d, &o);
	drawn_has(&d, ">all: 1.40 GiB</text>");
	o.count_name = "pages";
	o.name_type = "Function:";
	drawn_write(&d, &o);
	drawn_has(&d, "<title>Function: main\n1,500,000,000 pages itself,");
	drawn_has(&d, ">all: 1,500,000,001 pages</text>");
	drawn_has(&d, ">main</text>");
	drawn_release(&d);
}

static unsigned int row_of(const struct drawn *d, const char *name)
{
	char needle[100];
	const char *at, *row;
	unsigned int y;

	snprintf(needle, sizeof(needle), "<title>%s\n", name);
	at = strstr(d->text, needle);
	assert_non_null(at);
	for (row = at; strncmp(row, "class=\"row\"", 11); row--)
		assert_true(row > d->text);
	assert_int_equal(sscanf(row, "class=\"row\" transform=\"translate(0 %u)\"", &y), 1);
	return y;
}

static void the_root_is_at_the_bottom_or_at_the_top(void **state)
{
	struct picture_options o = samples_1020();
	struct drawn d;

	(void)state;
	drawn_init(&d, shell_profile());
	drawn_write(&d, &o);
	assert_int_equal(row_of(&d, "all"), row_of(&d, "bash") + 17);
	assert_true(row_of(&d, "bash") > row_of(&d, "read"));
	drawn_lacks(&d, " data-icicle=\"1\"");
	drawn_has(&d, "<desc>all: 1,000 samples. Each box is a frame of a call stack,");
	drawn_has(&d, "which stands above it.</desc>");
	o.is_icicle = true;
	drawn_write(&d, &o);
	drawn_has(&d, "which stands below it.</desc>");
	assert_int_equal(row_of(&d, "all") + 17, row_of(&d, "bash"));
	assert_true(row_of(&d, "bash") < row_of(&d, "read"));
	drawn_has(&d, " data-icicle=\"1\"");
	drawn_has(&d, "<title>Icicle Graph</title>");
	drawn_release(&d);
}

static void the_same_input_gives_the_same_bytes(void **state)
{
	static const char *const provenance[][2] = { { "host", "a" }, { "rate", "99 Hz" } };
	struct picture_options o = samples_1020();
	_cleanup_(freep) char *first = NULL;
	struct drawn d;
	int i;

	(void)state;
	o.provenance = provenance;
	o.n_provenance = 2;
	for (i = 0; i < 4; i++) {
		o.is_html = i / 2;
		drawn_init(&d, shell_profile());
		drawn_write(&d, &o);
		if (i % 2)
			assert_string_equal(first, d.text);
		free(first);
		first = strdup(d.text);
		drawn_release(&d);
	}
}

/* All that comes from outside, wherever it may stand. */
static void hostile_texts_stay_texts(void **state)
{
	static const char *const provenance[][2] = { { HOSTILE, HOSTILE }, { NULL, HOSTILE } };
	struct picture_options o = {
		.title = HOSTILE,
		.subtitle = HOSTILE,
		.unit = HOSTILE,
		.value = HOSTILE,
		.count_name = HOSTILE,
		.name_type = HOSTILE,
		.font = HOSTILE,
		.notes = HOSTILE,
		.provenance = provenance,
		.n_provenance = 2,
		.min_width = 12,
		.palette.scheme = PALETTE_MODULE,
	};
	struct profile *p = stacks_new("samples", "count");
	struct drawn d;
	int i;

	(void)state;
	stacks_add(p, HOSTILE, HOSTILE "@" HOSTILE, 1000);
	stacks_add(p, HOSTILE, "narrow" HOSTILE "@" HOSTILE, 1);
	drawn_init(&d, p);
	for (i = 0; i < 2; i++) {
		o.is_html = i;
		drawn_write(&d, &o);
		drawn_is_valid(&d);
		cut_the_inside(&d);
		drawn_lacks(&d, "<script>");
		drawn_lacks(&d, "</title></text>");
		drawn_lacks(&d, "</metadata>");
		drawn_lacks(&d, "--></");
		drawn_lacks(&d, "\xef\xbf\xbe");
		drawn_lacks(&d, "\xe2\x80\xae"); /* right-to-left override */
		drawn_lacks(&d, "\x1b");
		drawn_has(&d, "a&lt;b&gt;&amp;&quot;c&#39;d??[31m");
	}
	drawn_release(&d);
}

/* Names of a tree made by hand need not have gone through str_add_clean. */
static void names_that_nobody_cleaned_give_valid_files(void **state)
{
	struct picture_options o = samples_1020();
	unsigned int i, k;
	struct drawn d;
	char name[64];

	(void)state;
	drawn_init(&d, shell_profile());
	for (i = 1; i < 256; i += sizeof(name) - 1) {
		struct flame_frame *frame = &d.tree->frames[d.tree->nodes[1].frame];

		for (k = 0; k < sizeof(name) - 1; k++)
			name[k] = i + k < 256 ? i + k : 'x';
		name[k] = '\0';
		assert_int_equal(strtab_add(&d.tree->names, name, &frame->name), 0);
		drawn_write(&d, &o);
		drawn_is_valid(&d);
	}
	drawn_release(&d);
}

static void notes_are_a_comment_whatever_they_say(void **state)
{
	static const struct {
		const char *notes, *comment;
	} some[] = {
		{ "taken on Monday", "<!-- taken on Monday -->\n" },
		{ "a--b---", "<!-- a- -b- - - -->\n" },
		{ "->", "<!-- -&gt; -->\n" },
		{ "> first", "<!-- &gt; first -->\n" },
		{ "two\nlines--\n--!>", "<!-- two\nlines- -\n- -!&gt; -->\n" },
		{ "--><script>x()</script>", "<!-- - -&gt;&lt;script&gt;x()&lt;/script&gt; -->\n" },
		{ "\x01\xff", "<!-- ?\xef\xbf\xbd -->\n" },
	};
	struct picture_options o = samples_1020();
	struct drawn d;
	size_t i;

	(void)state;
	drawn_init(&d, shell_profile());
	for (i = 0; i < 2 * ARRAY_SIZE(some); i++) {
		o.notes = some[i / 2].notes;
		o.is_html = i % 2;
		drawn_write(&d, &o);
		drawn_has(&d, some[i / 2].comment);
		drawn_is_valid(&d);
	}
	o.notes = "";
	drawn_write(&d, &o);
	drawn_lacks(&d, "<!--");
	drawn_release(&d);
}

static void without_samples_the_picture_says_so(void **state)
{
	struct picture_options o = samples_1020();
	struct drawn d;

	(void)state;
	drawn_init(&d, stacks_new("samples", "count"));
	drawn_write(&d, &o);
	drawn_has(&d, ">no samples</text>");
	drawn_has(&d, "all: 0 samples");
	drawn_lacks(&d, "<script>");
	drawn_lacks(&d, "class=\"row\"");
	drawn_is_valid(&d);
	drawn_release(&d);
}

static struct profile *narrow_profile(void)
{
	struct profile *p = stacks_new("samples", "count");

	stacks_add(p, NULL, "main;hot", 900);
	stacks_add(p, NULL, "main;a;b", 30);
	stacks_add(p, NULL, "main;c", 70);
	return p;
}

static void joined_frames_say_how_many_and_how_much_they_are(void **state)
{
	struct picture_options o = samples_1020();
	struct drawn d;
	int i;

	(void)state;
	drawn_init(&d, narrow_profile());
	for (i = 0; i < 2; i++) {
		o.min_width = i ? 0 : 100;
		o.min_share = i ? 0.1 : 0;
		drawn_write(&d, &o);
		drawn_has(&d,
			  "<g class=\"few\"><title>3 frames\ntoo narrow to be drawn one by one\n"
			  "100 samples, 10.00% of all, 10.00% of its caller</title>");
		drawn_has(&d, ">3 frames, 10.\xe2\x80\xa6</text>");
		drawn_has(&d, ">too narrow to draw</text>"); /* legend */
	}
	o.min_width = 10;
	o.min_share = 0;
	drawn_write(&d, &o);
	drawn_lacks(&d, "class=\"few\"");
	drawn_has(&d, " data-minwidth=\"10\"");
	drawn_release(&d);
}

static void a_total_makes_frames_smaller_parts(void **state)
{
	struct picture_options o = samples_1020();
	struct drawn d;

	(void)state;
	drawn_init(&d, shell_profile());
	o.total = 2000;
	drawn_write(&d, &o);
	drawn_has(&d, "<title>all\n1,000 samples, 50.00% of all</title><rect x=\"10\" "
		      "width=\"499.5\"");
	drawn_has(&d, "600 samples itself, 30.00% of all, 66.67% of its caller");
	o.total = 10;
	drawn_write(&d, &o);
	drawn_has(&d, "<title>all\n1,000 samples, 100.00% of all</title>");
	o.total = 1e300;
	drawn_write(&d, &o);
	drawn_has(&d, "<title>all\n1,000 samples, &lt; 0.01% of all</title>");
	drawn_release(&d);
}

static struct flame_data *read_back(const struct drawn *d)
{
	FILE *in = fmemopen(d->text, d->len, "r");
	struct flame_data *data = NULL;

	assert_non_null(in);
	assert_int_equal(flame_data_read(in, "picture", &data), 0);
	fclose(in);
	return data;
}

static void the_call_tree_inside_is_whole_whatever_is_drawn(void **state)
{
	struct picture_options o = samples_1020();
	struct flame_data *data;
	struct drawn d;
	int i;

	(void)state;
	drawn_init(&d, shell_profile());
	o.min_width = 5000; /* all are joined */
	o.total = 2000;
	for (i = 0; i < 2; i++) {
		o.is_html = i;
		drawn_write(&d, &o);
		data = read_back(&d);
		assert_int_equal(data->tree->n_nodes, d.tree->n_nodes);
		assert_int_equal(data->tree->nodes[0].value, 1000);
		assert_int_equal(data->n_rests, 0);
		assert_non_null(strstr(data->header, "\"total\":2000,"));
		assert_non_null(strstr(data->header, "\"title\":\"Flame Graph\""));
		flame_data_free(data);
	}
	drawn_release(&d);
}

static void fonts_and_rows_have_the_size_that_is_wanted(void **state)
{
	struct picture_options o = samples_1020();
	struct drawn d;

	(void)state;
	drawn_init(&d, shell_profile());
	o.font = "Courier New";
	o.font_size = 10.5;
	o.row_height = 30;
	drawn_write(&d, &o);
	drawn_has(&d, " font-family=\"Courier New\" font-size=\"10.5\"");
	drawn_has(&d, " data-row=\"30\" data-box=\"29\"");
	drawn_has(&d, " height=\"29\" fill=");
	assert_int_equal(row_of(&d, "all"), row_of(&d, "bash") + 30);
	drawn_has(&d, "<rect x=\"146\" y="); /* the third: all letters are wide */
	o.font_size = 1e9;
	o.row_height = UINT32_MAX;
	drawn_write(&d, &o);
	drawn_has(&d, " font-size=\"100\"");
	drawn_has(&d, " data-row=\"200\"");
	drawn_release(&d);
}

static void papers_are_white_a_colour_or_a_gradient(void **state)
{
	struct picture_options o = samples_1020();
	struct drawn d;

	(void)state;
	drawn_init(&d, shell_profile());
	drawn_write(&d, &o);
	drawn_has(&d, "<rect class=\"paper\" width=\"100%\" height=\"175\" fill=\"#fff\"/>");
	drawn_has(&d, "prefers-color-scheme:dark");
	assert_int_equal(palette_background_find("yellow", o.palette.background), 0);
	drawn_write(&d, &o);
	drawn_has(&d, "stop-color=\"#eeeeee\"/><stop offset=\"95%\" stop-color=\"#eeeeb0\"");
	drawn_has(&d, "fill=\"url(#flame-paper)\"");
	drawn_is_valid(&d);
	cut_the_inside(&d);
	drawn_lacks(&d, "prefers-color-scheme");
	assert_int_equal(palette_background_find("#000000", o.palette.background), 0);
	drawn_write(&d, &o);
	drawn_has(&d, "<rect class=\"paper\" width=\"100%\" height=\"175\" fill=\"#000000\"/>");
	drawn_has(&d, " fill=\"#e6e6ea\" data-margin"); /* text that is read on it */
	drawn_release(&d);
}

static void where_it_comes_from_stands_below(void **state)
{
	static const char *const two[][2] = { { "rate", "99 Hz" }, { NULL, "on a <host>" } };
	static const char *const long_one[][2] = {
		{ "command", "a very long command line that goes on and on and on and on and on" },
		{ "b", "a very long command line that goes on and on and on and on and on and" },
		{ "c", "a very long command line that goes on and on and on and on and on and" },
		{ "d", "the last one, which is cut where the third line ends, the rest of it is in "
		       "the tooltip as is all that comes before it" },
	};
	struct picture_options o = samples_1020();
	struct drawn d;

	(void)state;
	drawn_init(&d, shell_profile());
	drawn_write(&d, &o);
	drawn_lacks(&d, "provenance\"");
	o.provenance = two;
	o.n_provenance = 2;
	drawn_write(&d, &o);
	drawn_has(&d, "<title>rate: 99 Hz\non a &lt;host&gt;</title><text class=\"faint\"");
	drawn_has(&d, ">rate: 99 Hz \xc2\xb7 on a &lt;host&gt;</text>");
	o.provenance = long_one;
	o.n_provenance = 4;
	o.width = 600;
	drawn_write(&d, &o);
	drawn_has(&d, ">command: a very long");
	drawn_has(&d, "</text>\n<text class=\"faint\" x=\"10\" y=\"75\">b: a very long");
	drawn_has(&d, "\xe2\x80\xa6</text>\n</g>\n</g>\n");
	drawn_has(&d, "as is all that comes before it</title>");
	drawn_is_valid(&d);
	drawn_release(&d);
}

static void the_legend_says_what_the_scheme_tells_apart(void **state)
{
	struct picture_options o = samples_1020();
	const char *kernel, *user;
	struct drawn d;

	(void)state;
	drawn_init(&d, shell_profile());
	drawn_write(&d, &o);
	drawn_has(&d, ">inlined</text>");
	kernel = strstr(d.text, ">kernel</text>");
	user = strstr(d.text, ">native user</text>");
	assert_true(kernel && user && kernel < user); /* by weight */
	drawn_lacks(&d, ">libc</text>");
	o.palette.scheme = PALETTE_MODULE;
	drawn_write(&d, &o);
	drawn_has(&d, ">bash</text>\n<rect");
	drawn_has(&d, ">[kernel]</text>");
	o.palette.scheme = PALETTE_HOT;
	drawn_write(&d, &o);
	drawn_has(&d, "<g class=\"legend\">\n</g>");
	drawn_release(&d);
}

static void the_html_has_the_same_body(void **state)
{
	struct picture_options o = samples_1020();
	_cleanup_(freep) char *svg = NULL;
	struct drawn d;

	(void)state;
	drawn_init(&d, shell_profile());
	o.title = "Shell & co";
	drawn_write(&d, &o);
	drawn_lacks(&d, "<html");
	cut_the_inside(&d);
	svg = strdup(strstr(d.text, "<svg"));
	o.is_html = true;
	drawn_write(&d, &o);
	assert_memory_equal(d.text, "<!DOCTYPE html>\n<html", 21);
	drawn_has(&d, "<meta charset=\"UTF-8\"/>");
	drawn_has(&d, "<title>Shell &amp; co</title>");
	drawn_has(&d, svg);
	drawn_has(&d, "</svg>\n");
	drawn_is_valid(&d);
	drawn_has(&d, "prefers-color-scheme:dark){\nbody{");
	assert_int_equal(palette_background_find("blue", o.palette.background), 0);
	drawn_write(&d, &o);
	drawn_has(&d, "body{background:#e0e0ff}");
	drawn_release(&d);
}

static void no_external_file_is_asked_for(void **state)
{
	struct picture_options o = samples_1020();
	struct drawn d;
	int i;

	(void)state;
	drawn_init(&d, shell_profile());
	for (i = 0; i < 2; i++) {
		o.is_html = i;
		drawn_write(&d, &o);
		cut_the_inside(&d);
		drawn_lacks(&d, "href");
		drawn_lacks(&d, "url(");
		drawn_lacks(&d, "@import");
		drawn_lacks(&d, "src=");
		drawn_lacks(&d, " style=");
	}
	drawn_release(&d);
}

static void the_scripts_can_stand_in_svg_and_in_html(void **state)
{
	(void)state;
	assert_null(strstr(flame_scripts_js, "]]>"));
	assert_null(strcasestr(flame_scripts_js, "</script"));
	assert_null(strstr(flame_scripts_js, "<!--"));
	assert_null(strstr(flame_scripts_js, "innerHTML"));
	assert_null(strstr(flame_scripts_js, "eval("));
	assert_null(strstr(flame_scripts_js, "new Function"));
}

static void a_full_disk_is_an_error(void **state)
{
	struct picture_options o = samples_1020();
	struct drawn d;
	FILE *out;

	(void)state;
	drawn_init(&d, shell_profile());
	out = fopen("/dev/full", "we");
	assert_non_null(out);
	assert_int_equal(picture_write(d.tree, &o, out), -ENOSPC);
	assert_non_null(strstr(err_text(), "cannot write the flame graph"));
	fclose(out);
	drawn_release(&d);
}

static void widths_out_of_range_are_brought_into_it(void **state)
{
	struct picture_options o = samples_1020();
	struct drawn d;

	(void)state;
	drawn_init(&d, shell_profile());
	o.width = 1;
	drawn_write(&d, &o);
	drawn_has(&d, "class=\"flame\" width=\"300\"");
	o.width = UINT32_MAX;
	drawn_write(&d, &o);
	drawn_has(&d, "class=\"flame\" width=\"100000\"");
	o.width = 0;
	drawn_write(&d, &o);
	drawn_has(&d, "class=\"flame\" width=\"1200\"");
	drawn_has(&d, " data-fluid=\"1\"");
	drawn_release(&d);
}

static void the_largest_values_are_drawn(void **state)
{
	struct picture_options o = samples_1020();
	struct profile *p = stacks_new("samples", "count");
	struct drawn d;

	(void)state;
	stacks_add(p, NULL, "a;b", INT64_MAX / 2);
	stacks_add(p, NULL, "a;c", INT64_MAX / 2);
	stacks_add(p, NULL, "d", -5);
	drawn_init(&d, p);
	o.width = PICTURE_MAX_WIDTH;
	drawn_write(&d, &o);
	drawn_has(&d,
		  "<title>b\n4,611,686,018,427,387,903 samples itself, 50.00% of all, 50.00% of "
		  "its caller</title><rect x=\"10\" width=\"49989.5\"");
	drawn_release(&d);
}

/* So that it is a picture for those who look at it with scripts that ask too much of a browser. */
static void a_picture_of_very_many_frames_stays_small(void **state)
{
	struct picture_options o = samples_1020();
	struct profile *p = stacks_new("samples", "count");
	char stack[600];
	struct drawn d;
	int i, k;
	size_t n;

	(void)state;
	for (i = 0; i < 4000; i++) {
		for (k = 0, n = 0; k < 12; k++)
			n += snprintf(stack + n, sizeof(stack) - n, "%sa_function_of_28_bytes_%04x",
				      k ? ";" : "", i % (13 << k));
		stacks_add(p, NULL, stack, 100 + i % 7);
	}
	drawn_init(&d, p);
	assert_true(d.tree->n_nodes > 2 * 6000);
	drawn_write(&d, &o);
	cut_the_inside(&d);
	assert_true(strlen(d.text) > 500 << 10);
	assert_true(strlen(d.text) < 1300 << 10);
	drawn_release(&d);
}

/* --- of two profiles ----------------------------------------------------------------------- */

static bool work_is_significant(void *arg, const char *function, const char *module, double *ret_p)
{
	(void)module;
	(void)arg;
	*ret_p = !strcmp(function, "work") ? 0.0078125 : 0.5;
	return !strcmp(function, "work");
}

static void two_profiles(struct drawn *d, differential_judge judge)
{
	struct profile *before = stacks_new("cpu", "nanoseconds");
	struct profile *after = stacks_new("cpu", "nanoseconds");

	stacks_add(before, NULL, "main@m;work@m", 800);
	stacks_add(before, NULL, "main@m;gone@m", 200);
	stacks_add(after, NULL, "main@m;work@m", 1100);
	drawn_init_two(d, before, after, judge, NULL);
}

static void a_differential_is_as_it_was(void **state)
{
	static const char golden[] =
		"<g class=\"rows\" fill=\"#111113\">\n"
		"<g class=\"row\" transform=\"translate(0 72)\">\n"
		"<g><title>all\n1.00 us before, 1.10 us after, +100 ns (+10.00%)</title>"
		"<rect x=\"10\" width=\"999.5\" height=\"16\" fill=\"#d0d0d6\"/>"
		"<text x=\"13\" y=\"12\">all</text></g>\n"
		"</g>\n"
		"<g class=\"row\" transform=\"translate(0 55)\">\n"
		"<g><title>main\nm\n1.00 us before, 1.10 us after, +100 ns (+10.00%)\n"
		"not significant, p = 0.5</title><rect x=\"10\" width=\"999.5\" height=\"16\" "
		"fill=\"#d0d0d6\" stroke=\"#c2410c\"/><text x=\"13\" y=\"12\">main</text></g>\n"
		"</g>\n"
		"<g class=\"row\" transform=\"translate(0 38)\">\n"
		"<g><title>gone\nm\ngone: 200 ns before, 0 ns after, -200 ns (-100.00%)\n"
		"not significant, p = 0.5</title><rect x=\"10\" width=\"153.35\" height=\"16\" "
		"fill=\"#d0d0d6\" stroke=\"#3f3f46\" stroke-dasharray=\"3 2\" "
		"fill-opacity=\".55\"/><text x=\"13\" y=\"12\">gone</text></g>\n"
		"<g><title>work\nm\n800 ns before, 1.10 us after, +300 ns (+37.50%)\n"
		"significant, p = 0.0078</title><rect x=\"163.85\" width=\"845.65\" height=\"16\" "
		"fill=\"#f5844f\"/><text x=\"166.85\" y=\"12\">work</text></g>\n"
		"</g>\n"
		"</g>\n";
	struct picture_options o = samples_1020();
	struct drawn d;

	(void)state;
	two_profiles(&d, work_is_significant);
	o.unit = "nanoseconds";
	o.value = "cpu";
	drawn_write(&d, &o);
	drawn_has(&d, golden);
	drawn_has(&d, "<title>Differential Flame Graph</title>");
	drawn_has(&d, ">all: 1.00 us before, 1.10 us after, +100 ns (+10.00%)</text>");
	drawn_has(&d, ">itself -10% of all</text>\n<rect");
	drawn_has(&d, ">not significant</text>");
	drawn_has(&d, " stroke=\"#c2410c\"/><text x=\"");
	drawn_has(&d, ">more through what it calls</text>");
	drawn_has(&d, ">gone: width before</text>");
	drawn_is_valid(&d);
	drawn_release(&d);
}

static void two_panes_have_one_scale(void **state)
{
	struct picture_options o = samples_1020();
	struct drawn d;

	(void)state;
	two_profiles(&d, NULL);
	o.unit = "nanoseconds";
	o.value = "cpu";
	o.has_two_panes = true;
	drawn_write(&d, &o);
	drawn_has(&d, ">before: 1.00 us</text>");
	drawn_has(&d, ">after: 1.10 us</text>");
	drawn_has(&d, "<rect x=\"10\" width=\"908.59\""); /* 10 of 11 */
	drawn_has(&d, "<rect x=\"10\" width=\"999.5\"");
	drawn_has(&d, "fill=\"#66a9e2\" stroke=\"#3f3f46\""); /* gone */
	drawn_lacks(&d, "gone: width before");
	drawn_lacks(&d, "<script>");
	drawn_is_valid(&d);
	drawn_release(&d);
}

static void joined_frames_of_two_profiles_say_what_they_were_and_are(void **state)
{
	struct profile *before = stacks_new("cpu", "nanoseconds");
	struct profile *after = stacks_new("cpu", "nanoseconds");
	struct picture_options o = samples_1020();
	struct drawn d;
	char name[32];
	int i;

	(void)state;
	stacks_add(before, NULL, "main", 100000);
	stacks_add(after, NULL, "main", 100000);
	for (i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "main;f%d", i);
		stacks_add(before, NULL, name, 100);
		stacks_add(after, NULL, name, 150);
	}
	drawn_init_two(&d, before, after, NULL, NULL);
	o.unit = "nanoseconds";
	o.min_share = 0.01;
	drawn_write(&d, &o);
	drawn_has(&d, "<title>5 frames\ntoo narrow to be drawn one by one\n500 ns before, 750 ns "
		      "after, +250 ns (+50.00%)</title>");
	drawn_has(&d, ">too narrow to draw</text>");
	drawn_release(&d);
}

static void a_program_that_does_nothing_any_more_is_drawn(void **state)
{
	struct profile *before = stacks_new("cpu", "nanoseconds");
	struct picture_options o = samples_1020();
	struct drawn d;

	(void)state;
	stacks_add(before, "sh", "main@sh;old@sh", 1000);
	drawn_init_two(&d, before, stacks_new("cpu", "nanoseconds"), NULL, NULL);
	o.unit = "nanoseconds";
	drawn_write(&d, &o);
	drawn_has(&d, "<title>all\n1.00 us before, 0 ns after, -1.00 us (-100.00%)</title>");
	drawn_has(&d, "<title>old\nsh\ngone: 1.00 us before");
	o.has_two_panes = true;
	drawn_write(&d, &o);
	drawn_has(&d, ">no samples</text>");
	drawn_is_valid(&d);
	drawn_release(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_has_a_box_a_tooltip_and_a_label),
		cmocka_unit_test(amounts_are_in_the_unit_of_the_values),
		cmocka_unit_test(the_root_is_at_the_bottom_or_at_the_top),
		cmocka_unit_test(the_same_input_gives_the_same_bytes),
		cmocka_unit_test(hostile_texts_stay_texts),
		cmocka_unit_test(names_that_nobody_cleaned_give_valid_files),
		cmocka_unit_test(notes_are_a_comment_whatever_they_say),
		cmocka_unit_test(without_samples_the_picture_says_so),
		cmocka_unit_test(joined_frames_say_how_many_and_how_much_they_are),
		cmocka_unit_test(a_total_makes_frames_smaller_parts),
		cmocka_unit_test(the_call_tree_inside_is_whole_whatever_is_drawn),
		cmocka_unit_test(fonts_and_rows_have_the_size_that_is_wanted),
		cmocka_unit_test(papers_are_white_a_colour_or_a_gradient),
		cmocka_unit_test(where_it_comes_from_stands_below),
		cmocka_unit_test(the_legend_says_what_the_scheme_tells_apart),
		cmocka_unit_test(the_html_has_the_same_body),
		cmocka_unit_test(no_external_file_is_asked_for),
		cmocka_unit_test(the_scripts_can_stand_in_svg_and_in_html),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(widths_out_of_range_are_brought_into_it),
		cmocka_unit_test(the_largest_values_are_drawn),
		cmocka_unit_test(a_picture_of_very_many_frames_stays_small),
		cmocka_unit_test(a_differential_is_as_it_was),
		cmocka_unit_test(two_panes_have_one_scale),
		cmocka_unit_test(joined_frames_of_two_profiles_say_what_they_were_and_are),
		cmocka_unit_test(a_program_that_does_nothing_any_more_is_drawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

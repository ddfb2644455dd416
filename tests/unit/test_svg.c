/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/stacks.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "flame.js.h"
#include "flamegraph/hidden.h"
#include "flamegraph/label.h"
#include "flamegraph/palette.h"
#include "flamegraph/svg.h"
#include "tests/unit/folder.h"
#include "user/base/array.h"
#include "user/base/err.h"

#define HOSTILE                                                           \
	"a<b>&\"c'd\x01\x1b[31m\xff\xfe\xc3(\xed\xa0\x80\xf4\x90\x80\x80" \
	"\xef\xbf\xbe\xef\xbf\xbf]]>--></title></text><script>x()</"      \
	"script>\xe2\x80\xae\xe2\x81\xa6"

struct picture {
	struct profile *p;
	struct calltree *tree;
	struct flame_layout *layout;
	char *svg;
	size_t len;
};

/* Takes over the profile. */
static void layout_new(struct picture *pic, struct profile *p, double min_share)
{
	const struct view view = { 0 };

	*pic = (struct picture){ .p = p };
	assert_int_equal(calltree_new(p, &view, &pic->tree), 0);
	assert_int_equal(flame_layout_new(pic->tree, min_share, &pic->layout), 0);
}

static void draw(struct picture *pic, const struct svg_options *options)
{
	FILE *out;

	free(pic->svg);
	pic->svg = NULL;
	out = open_memstream(&pic->svg, &pic->len);
	assert_non_null(out);
	assert_int_equal(svg_write(pic->layout, options, out), 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(strlen(pic->svg), pic->len);
}

static void picture_release(struct picture *pic)
{
	free(pic->svg);
	flame_layout_free(pic->layout);
	calltree_free(pic->tree);
	profile_free(pic->p);
}

static struct profile *shell_profile(void)
{
	struct profile *p = stacks_new("samples", "count");

	stacks_add(p, "bash", "main@bash;execute@bash;read@[kernel]", 600);
	stacks_add(p, "bash", "main@bash;execute@bash;expand@bash!", 300);
	stacks_add(p, "bash", "main@bash", 99);
	stacks_add(p, "init", "", 1);
	return p;
}

static void has(const struct picture *pic, const char *text)
{
	if (!strstr(pic->svg, text))
		fail_msg("the picture lacks %s", text);
}

static void lacks(const struct picture *pic, const char *text)
{
	if (strstr(pic->svg, text))
		fail_msg("the picture has %s", text);
}

/* The script is the only place where '<' may stand for itself. */
static void is_valid_xml(const struct picture *pic)
{
	char command[600];
	struct folder f;
	int status;

	if (system("command -v xmllint >/dev/null 2>&1")) {
		print_message("xmllint is missing (libxml2-utils): validity is not tested\n");
		skip();
	}
	folder_make(&f);
	snprintf(command, sizeof(command), "xmllint --noout '%s'",
		 folder_write(&f, "x.svg", pic->svg, pic->len));
	status = system(command);
	folder_remove(&f);
	assert_int_equal(status, 0);
}

static void a_frame_has_a_box_a_tooltip_and_a_label(void **state)
{
	const struct svg_options o = { .unit = "count", .value = "samples", .width = 1020 };
	struct picture pic;

	(void)state;
	layout_new(&pic, shell_profile(), 0);
	draw(&pic, &o);
	has(&pic, "<g data-x=\"300\" data-w=\"600\"><title>read\n[kernel]\n600 samples, 60.00%"
		  "</title><rect x=\"310\" width=\"599.50\" height=\"16\" fill=\"#");
	has(&pic, "\"/><text x=\"313\" y=\"12\">read</text></g>\n");
	has(&pic, "<title>expand\nbash (inlined)\n300 samples, 30.00%</title>");
	has(&pic, "<title>init\nprocess\n1 sample, 0.10%</title><rect x=\"1009\" width=\"1\"");
	has(&pic, "<title>all\n1,000 samples, 100.00%</title>");
	has(&pic, ">all: 1,000 samples</text>");
	has(&pic, "<title>Flame Graph</title>");
	lacks(&pic, ">init</text>"); /* no room */
	lacks(&pic, " data-fluid=\"1\"");
	picture_release(&pic);
}

static void amounts_are_in_the_unit_of_the_values(void **state)
{
	const struct svg_options ns = { .unit = "nanoseconds", .value = "cpu" };
	const struct svg_options bytes = { .unit = "bytes", .value = "alloc_space" };
	const struct svg_options moved = { .unit = "bytes", .value = "bytes" };
	struct profile *p = stacks_new("cpu", "nanoseconds");
	struct picture pic;

	(void)state;
	stacks_add(p, NULL, "main", 1500000000);
	stacks_add(p, NULL, "rare", 1);
	layout_new(&pic, p, 0);
	draw(&pic, &ns);
	has(&pic, "<title>main\n1.50 s, 100.00%</title>");
	has(&pic, "<title>rare\n1 ns, &lt; 0.01%</title>");
	draw(&pic, &bytes);
	has(&pic, "<title>main\n1.40 GiB, 100.00%</title>");
	has(&pic, ">all: 1.40 GiB of alloc_space</text>");
	draw(&pic, &moved);
	has(&pic, ">all: 1.40 GiB</text>");
	picture_release(&pic);
}

static unsigned int row_of(const struct picture *pic, const char *name)
{
	char needle[100];
	const char *at, *row;
	unsigned int y;

	snprintf(needle, sizeof(needle), "<title>%s\n", name);
	at = strstr(pic->svg, needle);
	assert_non_null(at);
	for (row = at; strncmp(row, "class=\"row\"", 11); row--)
		assert_true(row > pic->svg);
	assert_int_equal(sscanf(row, "class=\"row\" transform=\"translate(0 %u)\"", &y), 1);
	return y;
}

static void the_root_is_at_the_bottom_or_at_the_top(void **state)
{
	struct svg_options o = { .unit = "count", .value = "samples" };
	struct picture pic;

	(void)state;
	layout_new(&pic, shell_profile(), 0);
	draw(&pic, &o);
	assert_true(row_of(&pic, "all") > row_of(&pic, "bash"));
	assert_true(row_of(&pic, "bash") > row_of(&pic, "read"));
	lacks(&pic, " data-icicle=\"1\"");
	o.icicle = true;
	draw(&pic, &o);
	assert_true(row_of(&pic, "all") < row_of(&pic, "bash"));
	assert_true(row_of(&pic, "bash") < row_of(&pic, "read"));
	has(&pic, " data-icicle=\"1\"");
	picture_release(&pic);
}

static void the_same_input_gives_the_same_bytes(void **state)
{
	const struct svg_options o = { .title = "t", .subtitle = "s", .unit = "count" };
	struct picture a, b;

	(void)state;
	layout_new(&a, shell_profile(), 0.01);
	layout_new(&b, shell_profile(), 0.01);
	draw(&a, &o);
	draw(&b, &o);
	assert_string_equal(a.svg, b.svg);
	picture_release(&a);
	picture_release(&b);
}

static void hostile_names_stay_names(void **state)
{
	const struct svg_options o = {
		.title = HOSTILE, .subtitle = HOSTILE, .unit = HOSTILE, .value = HOSTILE
	};
	struct profile *p = stacks_new("samples", "count");
	struct picture pic;

	(void)state;
	stacks_add(p, HOSTILE, HOSTILE "@" HOSTILE, 1000);
	stacks_add(p, HOSTILE, "narrow" HOSTILE "@" HOSTILE, 1);
	layout_new(&pic, p, 0.01);
	draw(&pic, &o);
	lacks(&pic, "<script>x()");
	lacks(&pic, "</title></text>");
	lacks(&pic, "\xef\xbf\xbe");
	lacks(&pic, "\xe2\x80\xae"); /* right-to-left override */
	lacks(&pic, "\xe2\x81\xa6");
	lacks(&pic, "\x1b");
	has(&pic, "a&lt;b&gt;&amp;&quot;c&#39;d??[31m");
	assert_true(text_is_clean(pic.svg, strcspn(pic.svg, "\n"), 0));
	is_valid_xml(&pic);
	picture_release(&pic);
}

/* A name from a hand-made tree need not have gone through str_add_clean. */
static void names_that_nobody_cleaned_give_valid_xml(void **state)
{
	const struct svg_options o = { .unit = "count" };
	struct picture pic;
	unsigned int i, k;
	char name[64];

	(void)state;
	layout_new(&pic, shell_profile(), 0);
	for (i = 1; i < 256; i += sizeof(name) - 1) {
		for (k = 0; k < sizeof(name) - 1; k++)
			name[k] = i + k < 256 ? i + k : 'x';
		name[k] = '\0';
		assert_int_equal(strtab_add(&pic.tree->names, name, &pic.tree->nodes[1].name), 0);
		draw(&pic, &o);
		is_valid_xml(&pic);
	}
	picture_release(&pic);
}

static void without_samples_the_picture_says_so(void **state)
{
	const struct svg_options o = { .unit = "count", .value = "samples" };
	struct picture pic;

	(void)state;
	layout_new(&pic, stacks_new("samples", "count"), 0.01);
	draw(&pic, &o);
	has(&pic, ">no samples</text>");
	has(&pic, "all: 0 samples");
	lacks(&pic, "<script>");
	lacks(&pic, "class=\"row\"");
	is_valid_xml(&pic);
	picture_release(&pic);
}

static void pruned_boxes_say_how_many_they_hide(void **state)
{
	const struct svg_options o = { .unit = "count", .value = "samples", .width = 1020 };
	struct profile *p = stacks_new("samples", "count");
	struct picture pic;

	(void)state;
	stacks_add(p, NULL, "main;hot", 900);
	stacks_add(p, NULL, "main;a;b", 30);
	stacks_add(p, NULL, "main;c", 70);
	layout_new(&pic, p, 0.1);
	draw(&pic, &o);
	has(&pic, "<g class=\"few\" data-x=\"900\" data-w=\"100\"><title>3 frames\n"
		  "too narrow to be drawn one by one\n100 samples, 10.00%</title>");
	has(&pic, ">too narrow to draw</text>"); /* legend */
	picture_release(&pic);
}

static void what_is_hidden_can_still_be_searched(void **state)
{
	struct profile *p = stacks_new("samples", "count");
	struct str text = { 0 };
	struct picture pic;

	(void)state;
	stacks_add(p, NULL, "main@x;hot", 100000);
	stacks_add(p, NULL, "main@x;a@y!;b", 3);
	stacks_add(p, NULL, "main@x;a@y!;d;b", 40);
	stacks_add(p, NULL, "main@x;a@y!", 36);
	stacks_add(p, NULL, "main@x;c@[kernel]", 5);
	stacks_add(p, NULL, "other", 1);
	layout_new(&pic, p, 0.1);
	assert_int_equal(hidden_add(pic.layout, &text), 0);
	assert_string_equal(str_text(&text), "5\n"
					     "other\t\n"
					     "a\ty (inlined)\n"
					     "b\t\n"
					     "d\t\n"
					     "c\t[kernel]\n"
					     "0.1\n"
					     "1.10(2.3 3(2.14)) 4.5\n");
	str_release(&text);
	picture_release(&pic);
}

static void too_much_that_is_hidden_is_left_out_and_marked(void **state)
{
	struct profile *p = stacks_new("samples", "count");
	struct str text = { 0 };
	struct picture pic;
	char name[32];
	unsigned int i;

	(void)state;
	for (i = 0; i <= HIDDEN_MAX_NODES; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		stacks_add(p, NULL, name, 1);
	}
	stacks_add(p, NULL, "main;hot", 1000000);
	stacks_add(p, NULL, "main;cold", 1);
	layout_new(&pic, p, 0.1);
	assert_int_equal(hidden_add(pic.layout, &text), 0);
	assert_string_equal(str_text(&text), "1\ncold\t\n?\n0.1\n");
	str_release(&text);
	picture_release(&pic);
}

static void labels_are_cut_to_their_room(void **state)
{
	static const char *const names[] = {
		"do_syscall_64",
		"std::vector<int>::push_back(int&&)",
		"iii",
		"WWWWWWWW",
		"caf\xc3\xa9_cr\xc3\xa8me",
		"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe5\x90\x8d",
		"x",
	};
	size_t i;
	long room;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		for (room = -100; room < 30000; room += 37) {
			struct str label = { 0 };

			assert_int_equal(label_fit(names[i], 12, room, &label), 0);
			assert_true(!label.len || label_width(label.data, 12) <= room);
			assert_true(text_is_clean(str_text(&label), label.len, 0));
			if (room >= label_width(names[i], 12))
				assert_string_equal(label.data, names[i]);
			str_release(&label);
		}
	}
}

static void a_cut_label_keeps_at_least_three_characters(void **state)
{
	struct str label = { 0 };

	(void)state;
	assert_int_equal(label_fit("iiiiiiii", 10, 278 * 3 + 1000, &label), 0);
	assert_string_equal(str_text(&label), "iii\xe2\x80\xa6");
	str_clear(&label);
	assert_int_equal(label_fit("iiiiiiii", 10, 278 * 3 + 999, &label), 0);
	assert_string_equal(str_text(&label), "");
	str_release(&label);
}

static double linear(unsigned int c)
{
	double v = c / 255.0;

	return v <= 0.03928 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

/* Relative luminance of WCAG 2. */
static double luminance(uint32_t rgb)
{
	return 0.2126 * linear(rgb >> 16) + 0.7152 * linear(rgb >> 8 & 255) +
	       0.0722 * linear(rgb & 255);
}

static void dark_text_is_readable_on_all_colours(void **state)
{
	double text = luminance(PALETTE_TEXT), worst = 100;
	uint32_t kind;
	char name[32];
	int i;

	(void)state;
	for (kind = 0; kind <= FRAME_SYNTHETIC + 1; kind++) {
		for (i = 0; i < 20000; i++) {
			uint32_t rgb;
			double contrast;

			snprintf(name, sizeof(name), "f%d", i);
			rgb = palette_color(kind, name, i % 2 ? "" : name + 1);
			assert_true(rgb <= 0xffffff);
			contrast = (luminance(rgb) + 0.05) / (text + 0.05);
			worst = contrast < worst ? contrast : worst;
		}
	}
	assert_true(worst >= 7);
	assert_true((luminance(PALETTE_PRUNED) + 0.05) / (text + 0.05) >= 7);
}

static void colours_tell_kinds_apart_and_stay_the_same(void **state)
{
	uint32_t user = palette_color(FRAME_USER, "read", "libc.so.6");
	uint32_t kernel = palette_color(FRAME_KERNEL, "read", "[kernel]");
	uint32_t runtime = palette_color(FRAME_INTERPRETED, "read", "");

	(void)state;
	assert_true((user >> 16) > (user & 255));	     /* warm */
	assert_true((kernel >> 16) < (kernel & 255));	     /* blue */
	assert_true((runtime >> 16) < (runtime >> 8 & 255)); /* green */
	assert_int_equal(user, palette_color(FRAME_USER, "read", "libc.so.6"));
	assert_true(user != palette_color(FRAME_USER, "write", "libc.so.6"));
	/* Pictures of different versions and machines are compared by eye. */
	assert_int_equal(palette_color(FRAME_KERNEL, "vfs_read", "[kernel]"), 0x9ac4ef);
	assert_int_equal(palette_color(FRAME_USER, "main", "bash"), 0xf8c98c);
	assert_int_equal(palette_color(FRAME_USER, "", ""), palette_color(99, "", ""));
}

static void the_script_can_stand_in_cdata(void **state)
{
	(void)state;
	assert_null(strstr(flame_js, "]]>"));
	assert_true(text_is_clean(flame_js, strcspn(flame_js, "\n"), 0));
	assert_null(strstr(flame_js, "innerHTML"));
	assert_null(strstr(flame_js, "eval("));
}

static void no_external_file_is_asked_for(void **state)
{
	const struct svg_options o = { .unit = "count" };
	struct picture pic;

	(void)state;
	layout_new(&pic, shell_profile(), 0);
	draw(&pic, &o);
	lacks(&pic, "href");
	lacks(&pic, "url(");
	lacks(&pic, "@import");
	lacks(&pic, "<!DOCTYPE");
	is_valid_xml(&pic);
	picture_release(&pic);
}

static void a_full_disk_is_an_error(void **state)
{
	const struct svg_options o = { .unit = "count" };
	struct picture pic;
	FILE *out;

	(void)state;
	layout_new(&pic, shell_profile(), 0);
	out = fopen("/dev/full", "we");
	assert_non_null(out);
	assert_int_equal(svg_write(pic.layout, &o, out), -ENOSPC);
	assert_non_null(strstr(err_text(), "cannot write the flame graph"));
	fclose(out);
	picture_release(&pic);
}

static void widths_out_of_range_are_brought_into_it(void **state)
{
	struct svg_options o = { .unit = "count", .width = 1 };
	struct picture pic;

	(void)state;
	layout_new(&pic, shell_profile(), 0);
	draw(&pic, &o);
	has(&pic, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"300\"");
	o.width = UINT32_MAX;
	draw(&pic, &o);
	has(&pic, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"100000\"");
	o.width = 0;
	draw(&pic, &o);
	has(&pic, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1200\"");
	has(&pic, " data-fluid=\"1\"");
	picture_release(&pic);
}

static void the_largest_values_are_drawn(void **state)
{
	const struct svg_options o = { .unit = "count", .width = SVG_MAX_WIDTH };
	struct profile *p = stacks_new("samples", "count");
	struct picture pic;

	(void)state;
	stacks_add(p, NULL, "a;b", INT64_MAX / 2);
	stacks_add(p, NULL, "a;c", INT64_MAX / 2);
	stacks_add(p, NULL, "d", -5);
	layout_new(&pic, p, 0.0001);
	draw(&pic, &o);
	has(&pic, "data-w=\"4611686018427387903\"><title>b\n4,611,686,018,427,387,903, 50.00%"
		  "</title><rect x=\"10\" width=\"49989.50\"");
	picture_release(&pic);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_has_a_box_a_tooltip_and_a_label),
		cmocka_unit_test(amounts_are_in_the_unit_of_the_values),
		cmocka_unit_test(the_root_is_at_the_bottom_or_at_the_top),
		cmocka_unit_test(the_same_input_gives_the_same_bytes),
		cmocka_unit_test(hostile_names_stay_names),
		cmocka_unit_test(names_that_nobody_cleaned_give_valid_xml),
		cmocka_unit_test(without_samples_the_picture_says_so),
		cmocka_unit_test(pruned_boxes_say_how_many_they_hide),
		cmocka_unit_test(what_is_hidden_can_still_be_searched),
		cmocka_unit_test(too_much_that_is_hidden_is_left_out_and_marked),
		cmocka_unit_test(labels_are_cut_to_their_room),
		cmocka_unit_test(a_cut_label_keeps_at_least_three_characters),
		cmocka_unit_test(dark_text_is_readable_on_all_colours),
		cmocka_unit_test(colours_tell_kinds_apart_and_stay_the_same),
		cmocka_unit_test(the_script_can_stand_in_cdata),
		cmocka_unit_test(no_external_file_is_asked_for),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(widths_out_of_range_are_brought_into_it),
		cmocka_unit_test(the_largest_values_are_drawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "flamegraph/flame_settings.h"
#include "tests/unit/folder.h"
#include "user/base/err.h"
#include "user/base/file.h"

/* The settings after these arguments, of which an error ends the test. */
static struct flame_settings parsed(const char *const *args, int *ret_err)
{
	static const struct option none[] = { { NULL, 0, NULL, 0 } };
	struct option options[FLAME_SETTINGS_MAX];
	struct flame_settings s;
	int argc = 0, c;

	while (args[argc])
		argc++;
	flame_settings_init(&s);
	flame_settings_options(none, options);
	optind = 0;
	opterr = 0;
	*ret_err = 0;
	while (!*ret_err &&
	       (c = getopt_long_only(argc, (char **)args, ":o:q", options, NULL)) != -1)
		*ret_err = c == '?' || c == ':' ? -ENOENT : flame_settings_take(&s, c, optarg);
	return s;
}

#define PARSED(err, ...) parsed((const char *const[]){ "flamegraph", __VA_ARGS__, NULL }, err)

static void options_of_flamegraph_pl_set_what_they_say(void **state)
{
	int err;
	struct flame_settings s =
		PARSED(&err, "--title", "t", "-subtitle=s", "--width", "500", "-height", "20",
		       "--minwidth", "0.5", "--fonttype", "Courier", "--fontsize", "9.5",
		       "--countname", "ns", "--nametype", "N:", "--colors", "java", "--bgcolors",
		       "#102030", "--reverse", "--inverted", "--flamechart", "--negate", "--notes",
		       "n", "--total", "1e6", "--factor", "0.5", "--encoding", "latin1");

	(void)state;
	assert_int_equal(err, 0);
	assert_string_equal(s.picture.title, "t");
	assert_string_equal(s.picture.subtitle, "s");
	assert_int_equal(s.picture.width, 500);
	assert_int_equal(s.picture.row_height, 20);
	assert_true(s.picture.min_width == 0.5 && s.picture.min_share == 0);
	assert_string_equal(s.picture.font, "Courier");
	assert_true(s.picture.font_size == 9.5);
	assert_string_equal(s.picture.count_name, "ns");
	assert_string_equal(s.picture.name_type, "N:");
	assert_int_equal(s.picture.palette.scheme, PALETTE_JAVA);
	assert_int_equal(s.picture.palette.background[0] & 0xffffff, 0x102030);
	assert_true(s.input.is_reversed && s.input.is_chart);
	assert_true(s.picture.is_icicle && s.picture.is_negated);
	assert_string_equal(s.picture.notes, "n");
	assert_true(s.picture.total == 1e6 && s.input.factor == 0.5);
	assert_string_equal(s.input.encoding, "latin1");
}

static void nothing_is_set_unless_it_is_asked_for(void **state)
{
	int err;
	size_t bad;
	struct flame_settings s = PARSED(&err, "file");

	(void)state;
	assert_true(!err && s.picture.min_width < 0 && !s.output && !s.uses_map && !s.is_extract);
	assert_int_equal(flame_settings_close(&s, &bad), 0);
	assert_int_equal(s.picture.palette.scheme, PALETTE_KIND);
}

static void a_width_in_percent_is_a_share(void **state)
{
	int err;
	struct flame_settings s = PARSED(&err, "--min-width", "2.5%");

	(void)state;
	assert_true(!err && s.picture.min_share == 0.025);
	s = PARSED(&err, "--minwidth", "0%");
	assert_true(!err && s.picture.min_share == 0 && s.picture.min_width == 0);
	s = PARSED(&err, "--minwidth", "3%", "--minwidth", "2");
	assert_true(!err && s.picture.min_share == 0 && s.picture.min_width == 2);
	PARSED(&err, "--minwidth", "101%");
	assert_int_equal(err, -ERANGE);
	PARSED(&err, "--minwidth", "%");
	assert_int_equal(err, -EINVAL);
}

static void hash_and_random_choose_colours_if_nothing_else_does(void **state)
{
	int err;
	size_t bad;
	struct flame_settings s = PARSED(&err, "--hash");

	(void)state;
	assert_int_equal(flame_settings_close(&s, &bad), 0);
	assert_int_equal(s.picture.palette.scheme, PALETTE_HASH);
	s = PARSED(&err, "--random");
	assert_int_equal(flame_settings_close(&s, &bad), 0);
	assert_int_equal(s.picture.palette.scheme, PALETTE_HOT);
	assert_true(s.picture.palette.is_random);
	s = PARSED(&err, "--hash", "--colors", "red");
	assert_int_equal(flame_settings_close(&s, &bad), 0);
	assert_int_equal(s.picture.palette.scheme, PALETTE_RED);
}

static void standard_output_has_a_name(void **state)
{
	int err;
	struct flame_settings s = PARSED(&err, "-o", "x.svg", "--output", "-");

	(void)state;
	assert_true(!err && !s.output);
	s = PARSED(&err, "-o", "x.svg");
	assert_string_equal(s.output, "x.svg");
	PARSED(&err, "-o", "");
	assert_int_equal(err, -EINVAL);
}

static void colours_are_kept_in_the_current_folder(void **state)
{
	_cleanup_(folder_remove) struct folder f;
	_cleanup_(freep) char *old = getcwd(NULL, 0), *text = NULL;
	struct flame_settings s;
	uint32_t color;
	size_t bad, len;
	int err;

	(void)state;
	folder_make(&f);
	assert_int_equal(chdir(f.path), 0);
	s = PARSED(&err, "--cp");
	assert_int_equal(flame_settings_close(&s, &bad), 0); /* there is none yet */
	assert_non_null(s.picture.palette.map);
	assert_int_equal(palette_map_add(s.picture.palette.map, "main", 0x010203), 0);
	assert_int_equal(flame_settings_save_map(&s), 0);
	flame_settings_release(&s);
	assert_int_equal(file_read("palette.map", 100, &text, &len), 0);
	assert_string_equal(text, "main->rgb(1,2,3)\n");
	folder_write(&f, "palette.map", "x\nmain->rgb(4,5,6)\n", 19);
	s = PARSED(&err, "--cp");
	assert_int_equal(flame_settings_close(&s, &bad), 0);
	assert_int_equal(bad, 1);
	assert_true(palette_map_find(s.picture.palette.map, "main", &color));
	assert_int_equal(color & 0xffffff, 0x040506);
	flame_settings_release(&s);
	assert_int_equal(chdir(old), 0);
}

static void json_is_no_picture(void **state)
{
	int err;
	size_t bad;
	struct flame_settings s = PARSED(&err, "--json");

	(void)state;
	assert_int_equal(flame_settings_close(&s, &bad), -EINVAL);
	s = PARSED(&err, "--json", "--extract");
	assert_int_equal(flame_settings_close(&s, &bad), 0);
	assert_true(s.is_json);
	s = PARSED(&err, "--json", "--folded");
	assert_false(s.is_json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_of_flamegraph_pl_set_what_they_say),
		cmocka_unit_test(nothing_is_set_unless_it_is_asked_for),
		cmocka_unit_test(a_width_in_percent_is_a_share),
		cmocka_unit_test(hash_and_random_choose_colours_if_nothing_else_does),
		cmocka_unit_test(standard_output_has_a_name),
		cmocka_unit_test(colours_are_kept_in_the_current_folder),
		cmocka_unit_test(json_is_no_picture),
	};

	return cmocka_run_group_tests_name("flame_settings", tests, NULL, NULL);
}

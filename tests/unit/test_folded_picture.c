/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/flame_text.h"

#include <errno.h>
#include <string.h>

#include "flamegraph/flame_extract.h"
#include "flamegraph/folded_picture.h"
#include "tests/unit/folder.h"
#include "user/base/err.h"

static struct folded_picture read_text(const struct folder *f, const char *text,
				       const struct flame_settings *settings)
{
	char *path = strdup(folder_write(f, "in", text, strlen(text)));
	struct folded_picture p;

	if (folded_picture_read(&path, 1, settings, &p))
		fail_msg("%s", err_text());
	free(path);
	return p;
}

static const char *text_of(const struct folded_picture *p, const char *key)
{
	size_t i;

	for (i = 0; i < p->provenance.n; i++) {
		if (!strcmp(p->provenance.pairs[i][0], key))
			return p->provenance.pairs[i][1];
	}
	return "";
}

static void a_picture_says_what_it_was_drawn_from(void **state)
{
	_cleanup_(folder_remove) struct folder f;
	struct flame_settings settings;
	struct folded_picture p;

	(void)state;
	folder_make(&f);
	flame_settings_init(&settings);
	p = read_text(&f, "a;b 1200\na;c 34\nbad\n", &settings);
	assert_false(p.is_empty);
	assert_string_equal(text_of(&p, "total"), "1,234 samples");
	assert_string_equal(text_of(&p, "stacks"), "2 lines");
	assert_string_equal(text_of(&p, "call tree"), "3 frames");
	assert_non_null(strstr(text_of(&p, "input"), "1 without a count (left out)"));
	folded_picture_release(&p);
	settings.picture.count_name = "events";
	settings.input.has_before = true;
	p = read_text(&f, "a 5 7\n", &settings);
	assert_string_equal(text_of(&p, "call tree"), "1 frame");
	assert_string_equal(text_of(&p, "before"), "5 events");
	assert_string_equal(text_of(&p, "after"), "7 events");
	assert_string_equal(text_of(&p, "stacks"), "1 line");
	assert_string_equal(text_of(&p, "input"), "");
	folded_picture_release(&p);
}

static void nothing_is_an_empty_picture(void **state)
{
	_cleanup_(folder_remove) struct folder f;
	struct flame_settings settings;
	struct folded_picture p;
	char *paths[] = { "/nowhere/at/all" };

	(void)state;
	folder_make(&f);
	flame_settings_init(&settings);
	p = read_text(&f, "# nothing\n", &settings);
	assert_true(p.is_empty);
	assert_string_equal(text_of(&p, "stacks"), "0 lines");
	assert_int_equal(p.tree->n_nodes, 1);
	folded_picture_release(&p);
	p = read_text(&f, "a;b 0\n", &settings);
	assert_true(p.is_empty);
	folded_picture_release(&p);
	settings.input.has_before = true;
	p = read_text(&f, "a;b 3 0\n", &settings);
	assert_false(p.is_empty);
	folded_picture_release(&p);
	settings.input.has_before = false;
	assert_int_equal(folded_picture_read(paths, 1, &settings, &p), -ENOENT);
	assert_non_null(strstr(err_text(), "cannot open '/nowhere/at/all'"));
}

static void the_picture_holds_the_stacks(void **state)
{
	_cleanup_(folder_remove) struct folder f;
	_cleanup_(flame_data_freep) struct flame_data *data = NULL;
	struct flame_settings settings;
	struct folded_picture p;
	FILE *out;

	(void)state;
	folder_make(&f);
	flame_settings_init(&settings);
	p = read_text(&f, "a;b_[k] 2\na 1\n", &settings);
	out = fopen(folder_path(&f, "out.svg"), "we");
	assert_non_null(out);
	assert_int_equal(folded_picture_write(&p, &settings, out), 0);
	assert_int_equal(fclose(out), 0);
	folded_picture_release(&p);
	assert_int_equal(flame_extract_read(folder_path(&f, "out.svg"), &data), 0);
	assert_flame_text(data->tree, "all(0/3)[a(1/3)[b_[k]{[kernel]}(2/2)]]");
	assert_non_null(strstr(data->header, "[\"total\",\"3 samples\"]"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_picture_says_what_it_was_drawn_from),
		cmocka_unit_test(nothing_is_an_empty_picture),
		cmocka_unit_test(the_picture_holds_the_stacks),
	};

	return cmocka_run_group_tests_name("folded_picture", tests, NULL, NULL);
}

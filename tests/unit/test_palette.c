/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "flamegraph/color.h"
#include "flamegraph/palette.h"
#include "user/base/array.h"
#include "user/base/err.h"
#include "user/model/profile.h"

/* A frame of each family. */
static const struct {
	const char *family;
	uint32_t kind;
	const char *module;
} samples[] = {
	{ "native user", FRAME_USER, "bash" },
	{ "inlined", FRAME_INLINED, "bash" },
	{ "libc", FRAME_USER, "libc.so.6" },
	{ "language runtime", FRAME_USER, "libjvm.so" },
	{ "JIT, interpreted", FRAME_INTERPRETED, "" },
	{ "kernel", FRAME_KERNEL, "[kernel]" },
	{ "process", FRAME_SYNTHETIC, "" },
};

static double contrast(uint32_t rgb)
{
	return (color_luminance(rgb) + 0.05) / (color_luminance(PALETTE_TEXT) + 0.05);
}

static void dark_text_is_readable_on_all_colours(void **state)
{
	static const enum palette_scheme schemes[] = { PALETTE_KIND, PALETTE_MODULE, PALETTE_HASH };
	double worst = 100;
	char name[32];
	size_t k, s;
	int i;

	(void)state;
	for (s = 0; s < 2 * ARRAY_SIZE(schemes); s++) {
		const struct palette palette = { .scheme = schemes[s / 2], .is_random = s % 2 };

		for (k = 0; k < ARRAY_SIZE(samples); k++) {
			for (i = 0; i < 5000; i++) {
				double c;

				snprintf(name, sizeof(name), "f%d", i);
				c = contrast(palette_color(&palette, samples[k].kind, name,
							   i % 2 ? samples[k].module : name + 1));
				worst = c < worst ? c : worst;
			}
		}
	}
	assert_true(worst >= 7);
	assert_true(contrast(PALETTE_PRUNED) >= 7);
}

/* CIE 1976 (L*, a*, b*) of linear sRGB, white D65. */
static void lab(const double rgb[3], double ret[3])
{
	static const double to_xyz[3][3] = { { 0.4124564, 0.3575761, 0.1804375 },
					     { 0.2126729, 0.7151522, 0.0721750 },
					     { 0.0193339, 0.1191920, 0.9503041 } };
	static const double white[] = { 0.95047, 1, 1.08883 };
	double f[3];
	int i, k;

	for (i = 0; i < 3; i++) {
		double v = 0;

		for (k = 0; k < 3; k++)
			v += to_xyz[i][k] * fmin(fmax(rgb[k], 0), 1);
		v /= white[i];
		f[i] = v > 216.0 / 24389 ? cbrt(v) : (24389.0 / 27 * v + 16) / 116;
	}
	ret[0] = 116 * f[1] - 16;
	ret[1] = 500 * (f[0] - f[1]);
	ret[2] = 200 * (f[1] - f[2]);
}

/* Without one of the cones: Machado, Oliveira, Fernandes 2009, severity 1. The first: all there. */
static const double eyes[4][3][3] = {
	{ { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } },
	{ { 0.152286, 1.052583, -0.204868 },
	  { 0.114503, 0.786281, 0.099216 },
	  { -0.003882, -0.048116, 1.051998 } },
	{ { 0.367322, 0.860646, -0.227968 },
	  { 0.280085, 0.672501, 0.047413 },
	  { -0.011820, 0.042940, 0.968881 } },
	{ { 1.255528, -0.076749, -0.178779 },
	  { -0.078411, 0.930809, 0.147602 },
	  { 0.004733, 0.691367, 0.303900 } },
};

static double channel(uint32_t v)
{
	double c = (v & 255) / 255.0;

	return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double distance(uint32_t a, uint32_t b, const double eye[3][3])
{
	double x[3], y[3], sum = 0;
	const uint32_t both[] = { a, b };
	int i, k;

	for (i = 0; i < 2; i++) {
		double rgb[3], seen[3];

		for (k = 0; k < 3; k++)
			rgb[k] = channel(both[i] >> (16 - 8 * k));
		for (k = 0; k < 3; k++)
			seen[k] = eye[k][0] * rgb[0] + eye[k][1] * rgb[1] + eye[k][2] * rgb[2];
		lab(seen, i ? y : x);
	}
	for (k = 0; k < 3; k++)
		sum += (x[k] - y[k]) * (x[k] - y[k]);
	return sqrt(sum);
}

/* 2.3 is what is just noticed side by side. */
static void families_are_told_apart_by_all_eyes(void **state)
{
	const struct palette palette = { 0 };
	size_t eye, a, b;

	(void)state;
	for (eye = 0; eye < ARRAY_SIZE(eyes); eye++) {
		for (a = 0; a < ARRAY_SIZE(samples); a++) {
			for (b = 0; b < a; b++) {
				uint32_t x, y;

				palette_class(&palette, samples[a].kind, "f", samples[a].module,
					      &x);
				palette_class(&palette, samples[b].kind, "f", samples[b].module,
					      &y);
				if (distance(x, y, eyes[eye]) < 10)
					fail_msg("%s and %s look alike to eye %zu: %.1f",
						 samples[a].family, samples[b].family, eye,
						 distance(x, y, eyes[eye]));
			}
		}
	}
}

static void families_are_named(void **state)
{
	const struct palette palette = { 0 };
	uint32_t color;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(samples); i++)
		assert_string_equal(
			palette_class(&palette, samples[i].kind, "f", samples[i].module, &color),
			samples[i].family);
}

static void the_same_frame_has_the_same_colour_in_every_picture(void **state)
{
	const struct palette kind = { 0 }, random = { .is_random = true };
	uint32_t first = palette_color(&kind, FRAME_USER, "main", "bash");

	(void)state;
	assert_int_equal(first, palette_color(&kind, FRAME_USER, "main", "bash"));
	assert_true(first != palette_color(&kind, FRAME_USER, "exit", "bash"));
	assert_true(first != palette_color(&kind, FRAME_USER, "main", "dash"));
	/* Pictures of different versions and machines are compared by eye. */
	assert_int_equal(palette_color(&kind, FRAME_KERNEL, "vfs_read", "[kernel]"), 0x84b1f5);
	assert_int_equal(first, 0xf69074);
	assert_int_equal(palette_color(&kind, FRAME_USER, "", ""),
			 palette_color(&kind, 99, "", ""));
	assert_int_equal(palette_color(&random, FRAME_USER, "main", "bash"),
			 palette_color(&random, FRAME_USER, "main", "dash"));
}

static void modules_have_a_hue_each(void **state)
{
	const struct palette palette = { .scheme = PALETTE_MODULE };
	uint32_t a, b, color = palette_color(&palette, FRAME_USER, "f", "");

	(void)state;
	assert_true((color >> 16) - (color & 255) + 16 < 32); /* grey */
	assert_string_equal(palette_class(&palette, FRAME_USER, "f", "xz", &a), "xz");
	assert_string_equal(palette_class(&palette, FRAME_USER, "f", "gzip", &b), "gzip");
	assert_true(a != b);
	assert_string_equal(palette_class(&palette, FRAME_KERNEL, "f", "", &a), "[kernel]");
	assert_string_equal(palette_class(&palette, FRAME_USER, "f", "", &a), "no module");
}

struct range {
	unsigned char red[2], green[2], blue[2];
};

static bool is_in(uint32_t color, const struct range *r)
{
	unsigned int red = color >> 16, green = color >> 8 & 255, blue = color & 255;

	return red >= r->red[0] && red <= r->red[1] && green >= r->green[0] &&
	       green <= r->green[1] && blue >= r->blue[0] && blue <= r->blue[1];
}

static const struct range hot = { { 205, 255 }, { 0, 230 }, { 0, 55 } };
static const struct range red = { { 200, 255 }, { 50, 130 }, { 50, 130 } };
static const struct range green = { { 50, 110 }, { 200, 255 }, { 50, 110 } };
static const struct range blue = { { 80, 140 }, { 80, 140 }, { 205, 255 } };
static const struct range yellow = { { 175, 230 }, { 175, 230 }, { 50, 70 } };
static const struct range aqua = { { 50, 110 }, { 165, 220 }, { 165, 220 } };
static const struct range purple = { { 190, 255 }, { 80, 140 }, { 190, 255 } };
static const struct range orange = { { 190, 255 }, { 90, 155 }, { 0, 0 } };
static const struct range mem = { { 0, 0 }, { 190, 240 }, { 0, 210 } };
static const struct range io = { { 80, 140 }, { 80, 140 }, { 190, 245 } };

static void classic_schemes_keep_to_their_ranges(void **state)
{
	static const struct {
		const char *name;
		const struct range *range;
	} schemes[] = {
		{ "hot", &hot },       { "mem", &mem },	      { "io", &io },
		{ "red", &red },       { "green", &green },   { "blue", &blue },
		{ "aqua", &aqua },     { "yellow", &yellow }, { "purple", &purple },
		{ "orange", &orange }, { "wakeup", &aqua },   { "chain", &blue },
	};
	size_t i, least, most;
	char name[32];
	int k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(schemes); i++) {
		struct palette palette = { 0 };

		assert_int_equal(palette_scheme_find(schemes[i].name, &palette.scheme), 0);
		least = SIZE_MAX;
		most = 0;
		for (k = 0; k < 4000; k++) {
			uint32_t c;

			snprintf(name, sizeof(name), "%c%c%d", 'a' + k % 26, 'a' + k / 26 % 26, k);
			palette.is_random = k % 2;
			c = palette_color(&palette, FRAME_USER, name, "");
			assert_true(is_in(c, schemes[i].range));
			least = (c >> 8 & 255) < least ? c >> 8 & 255 : least;
			most = (c >> 8 & 255) > most ? c >> 8 & 255 : most;
		}
		assert_true(most - least > 40); /* and use them */
	}
}

static void names_that_begin_alike_look_alike(void **state)
{
	struct palette palette = { .scheme = PALETTE_RED };
	uint32_t a = palette_color(&palette, FRAME_USER, "vfs_read", "");

	(void)state;
	assert_int_equal(a, palette_color(&palette, FRAME_USER, "vfs_write", ""));
	assert_true(a != palette_color(&palette, FRAME_USER, "do_exit", ""));
	palette.is_random = true;
	a = palette_color(&palette, FRAME_USER, "vfs_read", "");
	assert_true(a != palette_color(&palette, FRAME_USER, "vfs_write", ""));
}

static void classic_schemes_follow_the_annotations(void **state)
{
	static const struct {
		const char *scheme;
		uint32_t kind;
		const char *name;
		const struct range *range;
		const char *class;
	} some[] = {
		{ "java", FRAME_USER, "foo_[j]", &green, "Java" },
		{ "java", FRAME_INTERPRETED, "foo", &green, "Java" },
		{ "java", FRAME_USER, "foo_[i]", &aqua, "inlined" },
		{ "java", FRAME_INLINED, "java/lang/String.hash", &aqua, "inlined" },
		{ "java", FRAME_USER, "java/lang/String.hash", &green, "Java" },
		{ "java", FRAME_USER, "Lorg/mozilla/Foo;.bar", &green, "Java" },
		{ "java", FRAME_USER, "Lexicon/x", &red, "native" },
		{ "java", FRAME_USER, "Foo:::bar", &green, "Java" },
		{ "java", FRAME_USER, "JavaThread::run", &yellow, "C++" },
		{ "java", FRAME_KERNEL, "read", &orange, "kernel" },
		{ "java", FRAME_USER, "read_[k]", &orange, "kernel" },
		{ "java", FRAME_USER, "start_thread", &red, "native" },
		{ "js", FRAME_INTERPRETED, "~f /srv/app.js:12", &green, "JavaScript" },
		{ "js", FRAME_INTERPRETED, "~f native array.js", &aqua, "built-in" },
		{ "js", FRAME_USER, "v8::Call", &yellow, "C++" },
		{ "js", FRAME_USER, "LazyCompile:~f /srv/app.js:1", &green, "JavaScript" },
		{ "js", FRAME_USER, "Builtin:Call", &aqua, "built-in" },
		{ "js", FRAME_USER, " ", &green, "JavaScript" },
		{ "js", FRAME_KERNEL, "read", &orange, "kernel" },
		{ "js", FRAME_USER, "main", &red, "native" },
		{ "perl", FRAME_USER, "Foo::bar", &yellow, "C++" },
		{ "perl", FRAME_USER, "Perl_runops", &green, "Perl" },
		{ "perl", FRAME_USER, "run.pl", &green, "Perl" },
		{ "perl", FRAME_KERNEL, "read", &orange, "kernel" },
		{ "perl", FRAME_USER, "main", &red, "native" },
		{ "chain", FRAME_USER, "futex_wake_[w]", &aqua, "waker" },
		{ "chain", FRAME_USER, "futex_wait", &blue, "blocked" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(some); i++) {
		struct palette palette = { 0 };
		uint32_t color;

		assert_int_equal(palette_scheme_find(some[i].scheme, &palette.scheme), 0);
		if (!is_in(palette_color(&palette, some[i].kind, some[i].name, ""), some[i].range))
			fail_msg("%s: '%s' has the wrong colour", some[i].scheme, some[i].name);
		assert_string_equal(palette_class(&palette, some[i].kind, some[i].name, "", &color),
				    some[i].class);
		assert_true(is_in(color, some[i].range));
	}
}

static void schemes_of_one_colour_have_no_legend(void **state)
{
	const struct palette palette = { .scheme = PALETTE_HOT };
	uint32_t color;

	(void)state;
	assert_null(palette_class(&palette, FRAME_USER, "main", "x", &color));
}

static void unknown_schemes_are_refused_with_a_list(void **state)
{
	enum palette_scheme scheme = PALETTE_IO;

	(void)state;
	assert_int_equal(palette_scheme_find("pink", &scheme), -EINVAL);
	assert_int_equal(scheme, PALETTE_IO);
	assert_non_null(strstr(err_text(), "there are no colours 'pink': use kind, module"));
	assert_int_equal(palette_scheme_find("module", &scheme), 0);
	assert_int_equal(scheme, PALETTE_MODULE);
}

static void backgrounds_are_gradients_or_a_colour(void **state)
{
	static const char *const bad[] = { "pink",    "",	"#12345", "#1234567",
					   "#12345g", "123456", "#+12345" };
	uint32_t paper[2] = { 1, 2 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(palette_background_find(bad[i], paper), -EINVAL);
		assert_true(paper[0] == 1 && paper[1] == 2);
	}
	assert_int_equal(palette_background_find("yellow", paper), 0);
	assert_true(paper[0] == 0xffeeeeee && paper[1] == 0xffeeeeb0);
	assert_int_equal(palette_background_find("#0aF09b", paper), 0);
	assert_true(paper[0] == 0xff0af09b && paper[1] == paper[0]);
	assert_int_equal(palette_background_find("#000000", paper), 0);
	assert_true(paper[0] == 0xff000000); /* and not none */
}

static void a_map_keeps_the_colours_it_has_and_takes_new_ones(void **state)
{
	static const char text[] = "main->rgb(1,2,3)\n";
	struct palette palette = { .scheme = PALETTE_HOT };
	uint32_t color = 0, of_map;
	size_t bad;

	(void)state;
	assert_int_equal(palette_map_read(text, strlen(text), &palette.map, &bad), 0);
	assert_int_equal(palette_color_mapped(&palette, FRAME_USER, "main", "", &color), 0);
	assert_int_equal(color, 0x010203);
	assert_int_equal(palette_color_mapped(&palette, FRAME_USER, "exit", "", &color), 0);
	assert_int_equal(color, palette_color(&palette, FRAME_USER, "exit", ""));
	assert_true(palette_map_find(palette.map, "exit", &of_map));
	assert_int_equal(of_map, color);
	palette_map_free(palette.map);
	palette.map = NULL;
	assert_int_equal(palette_color_mapped(&palette, FRAME_USER, "main", "", &color), 0);
	assert_int_equal(color, palette_color(&palette, FRAME_USER, "main", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dark_text_is_readable_on_all_colours),
		cmocka_unit_test(families_are_told_apart_by_all_eyes),
		cmocka_unit_test(families_are_named),
		cmocka_unit_test(the_same_frame_has_the_same_colour_in_every_picture),
		cmocka_unit_test(modules_have_a_hue_each),
		cmocka_unit_test(classic_schemes_keep_to_their_ranges),
		cmocka_unit_test(names_that_begin_alike_look_alike),
		cmocka_unit_test(classic_schemes_follow_the_annotations),
		cmocka_unit_test(schemes_of_one_colour_have_no_legend),
		cmocka_unit_test(unknown_schemes_are_refused_with_a_list),
		cmocka_unit_test(backgrounds_are_gradients_or_a_colour),
		cmocka_unit_test(a_map_keeps_the_colours_it_has_and_takes_new_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

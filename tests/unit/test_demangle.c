/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/base/array.h"
#include "user/sym/demangle.h"

static void expect(const char *mangled, const char *want_short, const char *want_full)
{
	char text[512];

	assert_int_equal(demangle_name(mangled, DEMANGLE_SHORT, text, sizeof(text)),
			 strlen(want_short));
	assert_string_equal(text, want_short);
	assert_int_equal(demangle_name(mangled, DEMANGLE_FULL, text, sizeof(text)),
			 strlen(want_full));
	assert_string_equal(text, want_full);
	assert_int_equal(demangle_name(mangled, DEMANGLE_NONE, text, sizeof(text)), 0);
}

static void cxx_names_are_demangled_short_and_full(void **state)
{
	(void)state;
	expect("_ZN3foo3barEiPKc", "foo::bar", "foo::bar(int, char const*)");
	expect("_Z3fooIiEvT_", "foo<int>", "void foo<int>(int)");
	expect("_ZN1fC1Ev", "f::f", "f::f()");
	expect("_ZNSt6vectorIiSaIiEE9push_backERKi",
	       "std::vector<int, std::allocator<int> >::push_back",
	       "std::vector<int, std::allocator<int> >::push_back(int const&)");
	expect("_ZNK3foocvbEv", "foo::operator bool", "foo::operator bool() const");
}

static void rust_names_are_demangled_in_both_forms(void **state)
{
	(void)state;
	expect("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad",
	       "core::fmt::Formatter::pad");
	expect("_RNvCs1234_7mycrate3foo", "mycrate::foo", "mycrate::foo");
	expect("_RINvNtC3std3mem8align_ofjEC3foo", "std::mem::align_of::<usize>",
	       "std::mem::align_of::<usize>");
}

static void d_names_are_demangled_short_and_full(void **state)
{
	(void)state;
	expect("_D8demangle4testFaZv", "demangle.test", "demangle.test(char)");
	expect("_D3std5stdio4File5writeMFAaiZv", "std.stdio.File.write",
	       "std.stdio.File.write(char[], int)");
	expect("_D8demangle4testMxFZv", "demangle.test", "demangle.test() const");
	expect("_D8demangle13__T4testTiTaZ3fooFaZv", "demangle.test!(int, char).foo",
	       "demangle.test!(int, char).foo(char)");
}

static void what_is_not_mangled_is_left_alone(void **state)
{
	static const char *const names[] = {
		"",
		"main",
		"_",
		"_Z",
		"_R",
		"_D",
		"_start",
		"_Z3fo",
		"_ZN3foo3barEX",
		"_Dmain2",
		"_RNvC",
		"Zfoo",
		"__libc_start_main",
		"_GLOBAL_OFFSET_TABLE_",
	};
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(demangle_name(names[i], DEMANGLE_FULL, text, sizeof(text)), 0);
}

/* Found by fuzzing: libiberty has an empty piece of text for it, at NULL. */
static void a_name_without_letters_is_left_alone(void **state)
{
	char text[64];

	(void)state;
	assert_int_equal(demangle_name("_RNVC0_", DEMANGLE_FULL, text, sizeof(text)), 0);
}

static void names_are_cut_where_there_is_no_room(void **state)
{
	char text[8];

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(demangle_name("_ZN3foo3barEiPKc", DEMANGLE_FULL, text, 6), 5);
	assert_string_equal(text, "foo::");
	assert_int_equal(text[6], 'x');
	assert_int_equal(demangle_name("_D8demangle4testFaZv", DEMANGLE_FULL, text, 6), 5);
	assert_string_equal(text, "deman");
	assert_int_equal(demangle_name("_ZN3foo3barEv", DEMANGLE_FULL, text, 0), 0);
}

/* prefix, then 'piece' until it is 'len' bytes long */
static char *repeated(const char *prefix, const char *piece, size_t len)
{
	char *text = calloc(1, len + strlen(prefix) + strlen(piece) + 1);
	size_t at;

	assert_non_null(text);
	strcpy(text, prefix);
	for (at = strlen(text); at < len; at += strlen(piece))
		strcpy(text + at, piece);
	return text;
}

static void deep_nesting_is_survived(void **state)
{
	static const char *const pieces[][2] = {
		{ "_Z1f", "P" },      { "_Z1f", "F" },	   { "_Z1fI", "1AI" },	{ "_Z1fI", "N1AI" },
		{ "_Z1fI", "XadL" },  { "_Z1fI", "XntX" }, { "_Z1fI", "J" },	{ "_Z1f", "DTnt" },
		{ "_RNvC1aI", "RS" }, { "_RMC0", "R" },	   { "_RNvC1aT", "T" }, { "_D1aF", "P" },
		{ "_D1aFP", "FP" },   { "_D1aF", "G9" },   { "_D1aF", "Hi" },	{ "_ZN", "1aN" },
		{ "_Z", "Z1aE" },     { "_RNvMC", "Y" },
	};
	static const size_t lens[] = { 500, 1023, 1024, 1025, 4000, 4096, 4097, 1 << 20 };
	char text[4097];
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		for (j = 0; j < ARRAY_SIZE(lens); j++) {
			char *name = repeated(pieces[i][0], pieces[i][1], lens[j]);

			assert_true(demangle_name(name, DEMANGLE_FULL, text, sizeof(text)) <
				    sizeof(text));
			free(name);
		}
	}
}

static void substitution(char *ret, unsigned int n)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	if (n == 0)
		strcpy(ret, "S_");
	else if (n <= 36)
		sprintf(ret, "S%c_", digits[n - 1]);
	else
		sprintf(ret, "S%c%c_", digits[(n - 1) / 36], digits[(n - 1) % 36]);
}

/* Each argument is a pair of the one before: 2^60 letters if it were written out. */
static void a_name_that_would_fill_the_memory_is_cut_in_time(void **state)
{
	char name[2048] = "_Z1fSt4pairIccE", s[8], text[4097];
	struct timespec before, after;
	unsigned int i;

	(void)state;
	for (i = 1; i < 60; i++) {
		substitution(s, i);
		sprintf(name + strlen(name), "S_I%s%sE", s, s);
	}
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(demangle_name(name, DEMANGLE_FULL, text, sizeof(text)), 4096);
	assert_int_equal(strlen(text), 4096);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true(after.tv_sec - before.tv_sec < 5);
}

/* "test(structname, structname, ...)", all but the first by reference to it. */
static void d_references(char *ret, unsigned int n)
{
	static const char start[] = "_D4testFS10structname";
	unsigned int distance = 13;

	strcpy(ret, start);
	for (; n; n--) {
		char *at = ret + strlen(ret);

		if (distance < 26)
			distance += sprintf(at, "Q%c", 'a' + distance);
		else
			distance += sprintf(at, "Q%c%c", 'A' + distance / 26, 'a' + distance % 26);
	}
	strcat(ret, "Zb");
}

static void d_names_with_many_references_stay_mangled(void **state)
{
	char name[256], text[4097];

	(void)state;
	d_references(name, 2);
	assert_int_not_equal(demangle_name(name, DEMANGLE_FULL, text, sizeof(text)), 0);
	assert_string_equal(text, "test(structname, structname, structname)");
	d_references(name, 16);
	assert_int_not_equal(demangle_name(name, DEMANGLE_FULL, text, sizeof(text)), 0);
	d_references(name, 17);
	assert_int_equal(demangle_name(name, DEMANGLE_FULL, text, sizeof(text)), 0);
}

static void long_names_of_real_templates_are_demangled(void **state)
{
	char *name = repeated("_ZN3foo3barE", "i", 3000), text[4097];

	(void)state;
	assert_int_equal(demangle_name(name, DEMANGLE_SHORT, text, sizeof(text)), 8);
	assert_string_equal(text, "foo::bar");
	free(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cxx_names_are_demangled_short_and_full),
		cmocka_unit_test(rust_names_are_demangled_in_both_forms),
		cmocka_unit_test(d_names_are_demangled_short_and_full),
		cmocka_unit_test(what_is_not_mangled_is_left_alone),
		cmocka_unit_test(a_name_without_letters_is_left_alone),
		cmocka_unit_test(names_are_cut_where_there_is_no_room),
		cmocka_unit_test(deep_nesting_is_survived),
		cmocka_unit_test(a_name_that_would_fill_the_memory_is_cut_in_time),
		cmocka_unit_test(d_names_with_many_references_stay_mangled),
		cmocka_unit_test(long_names_of_real_templates_are_demangled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

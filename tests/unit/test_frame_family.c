/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "flamegraph/frame_family.h"
#include "flamegraph/frame_where.h"
#include "user/base/array.h"
#include "user/model/profile.h"

static void kinds_say_more_than_modules(void **state)
{
	(void)state;
	assert_int_equal(frame_family_of(FRAME_KERNEL, "read", "libc.so.6"), FAMILY_KERNEL);
	assert_int_equal(frame_family_of(FRAME_INLINED, "f", "libc.so.6"), FAMILY_INLINED);
	assert_int_equal(frame_family_of(FRAME_INTERPRETED, "f", "libjvm.so"), FAMILY_JIT);
	assert_int_equal(frame_family_of(FRAME_SYNTHETIC, "python3", ""), FAMILY_PROCESS);
	assert_int_equal(frame_family_of(99, "f", "app"), FAMILY_USER);
}

static void modules_are_known_by_their_files(void **state)
{
	static const struct {
		const char *module;
		enum frame_family family;
	} some[] = {
		{ "libc.so.6", FAMILY_LIBC },
		{ "/usr/lib/x86_64-linux-gnu/libc-2.31.so", FAMILY_LIBC },
		{ "ld-linux-x86-64.so.2", FAMILY_LIBC },
		{ "/lib/ld-musl-x86_64.so.1", FAMILY_LIBC },
		{ "libpthread.so.0", FAMILY_LIBC },
		{ "[vdso]", FAMILY_LIBC },
		{ "libm.so.6", FAMILY_LIBC },
		{ "libcap.so.2", FAMILY_USER },
		{ "libmount.so.1", FAMILY_USER },
		{ "ldap", FAMILY_USER },
		{ "python3.11", FAMILY_RUNTIME },
		{ "/usr/bin/python3", FAMILY_RUNTIME },
		{ "libpython3.11.so.1.0", FAMILY_RUNTIME },
		{ "/opt/jdk/lib/server/libjvm.so", FAMILY_RUNTIME },
		{ "node", FAMILY_RUNTIME },
		{ "nodetool", FAMILY_USER },
		{ "libstdc++.so.6.0.30", FAMILY_RUNTIME },
		{ "beam.smp", FAMILY_RUNTIME },
		{ "bash", FAMILY_USER },
		{ "", FAMILY_USER },
		{ "/", FAMILY_USER },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(some); i++) {
		if (frame_family_of(FRAME_USER, "f", some[i].module) != some[i].family)
			fail_msg("'%s' is in the wrong family", some[i].module);
	}
}

static void names_tell_what_modules_do_not(void **state)
{
	(void)state;
	assert_int_equal(frame_family_of(FRAME_USER, "[libc.so.6]", ""), FAMILY_LIBC);
	assert_int_equal(frame_family_of(FRAME_USER, "[unknown]", ""), FAMILY_USER);
	assert_int_equal(frame_family_of(FRAME_USER, "handle (app/views.py:12)", ""), FAMILY_JIT);
	assert_int_equal(frame_family_of(FRAME_USER, "x.py:f", ""), FAMILY_USER);
	assert_int_equal(frame_family_of(FRAME_USER, "call [web.rb:7]", ""), FAMILY_JIT);
	assert_int_equal(frame_family_of(FRAME_USER, "~f /srv/app.js:3", ""), FAMILY_JIT);
	assert_int_equal(frame_family_of(FRAME_USER, "LazyCompile:~f", ""), FAMILY_JIT);
	assert_int_equal(frame_family_of(FRAME_USER, "java/lang/String.hash", ""), FAMILY_JIT);
	assert_int_equal(frame_family_of(FRAME_USER, "Ljava/lang/String;::hash", ""), FAMILY_JIT);
	assert_int_equal(frame_family_of(FRAME_USER, "javac", ""), FAMILY_USER);
	assert_int_equal(frame_family_of(FRAME_USER, "[[kernel.kallsyms]]", ""), FAMILY_KERNEL);
	assert_int_equal(frame_family_of(FRAME_USER, "f", "[kernel.kallsyms]"), FAMILY_KERNEL);
	assert_int_equal(frame_family_of(FRAME_USER, "runtime.mallocgc", "server"), FAMILY_RUNTIME);
	assert_int_equal(frame_family_of(FRAME_USER, "runtime", "server"), FAMILY_USER);
	assert_int_equal(frame_family_of(FRAME_USER, "", ""), FAMILY_USER);
	assert_int_equal(frame_family_of(FRAME_USER, "[", ""), FAMILY_USER);
}

static void where_is_checked(const char *module, uint32_t kind, const char *text)
{
	struct str out = { 0 };

	assert_int_equal(frame_where(module, kind, &out), 0);
	assert_string_equal(str_text(&out), text);
	str_release(&out);
}

static void where_a_frame_is_from_is_said_in_a_word(void **state)
{
	(void)state;
	where_is_checked("libc.so.6", FRAME_USER, "libc.so.6");
	where_is_checked("", FRAME_USER, "");
	where_is_checked("", FRAME_KERNEL, "[kernel]");
	where_is_checked("[nf_tables]", FRAME_KERNEL, "[nf_tables]");
	where_is_checked("xz", FRAME_INLINED, "xz (inlined)");
	where_is_checked("", FRAME_INLINED, "inlined");
	where_is_checked("", FRAME_INTERPRETED, "runtime");
	where_is_checked("", FRAME_SYNTHETIC, "process");
	where_is_checked("a\nb\xff", FRAME_USER, "a?b\xef\xbf\xbd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_say_more_than_modules),
		cmocka_unit_test(modules_are_known_by_their_files),
		cmocka_unit_test(names_tell_what_modules_do_not),
		cmocka_unit_test(where_a_frame_is_from_is_said_in_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

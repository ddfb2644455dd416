/* SPDX-License-Identifier: BSD-2-Clause */
/* junit: looks at JUnit XML by xmllint. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

/* Skips the test without it. */
static inline void junit_need_xmllint(void)
{
	if (!system("command -v xmllint >/dev/null"))
		return;
	print_message("SKIP: xmllint is not installed (libxml2-utils)\n");
	skip();
}

static inline int junit_run(const char *command, const char *xml)
{
	FILE *to = popen(command, "we");

	assert_non_null(to);
	assert_true(fputs(xml, to) >= 0);
	return pclose(to);
}

static inline void junit_assert_valid(const char *xml)
{
	if (junit_run("xmllint --nonet --noout --schema tests/unit/junit.xsd - 2>&1", xml))
		fail_msg("not valid:\n%s", xml);
}

/* A number by XPath. */
static inline void junit_assert_count(const char *xml, const char *xpath, int expected)
{
	char command[512];

	snprintf(command, sizeof(command), "test \"$(xmllint --nonet --xpath '%s' -)\" = %d", xpath,
		 expected);
	if (junit_run(command, xml))
		fail_msg("'%s' is not %d in:\n%s", xpath, expected, xml);
}

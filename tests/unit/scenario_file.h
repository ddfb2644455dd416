/* SPDX-License-Identifier: BSD-2-Clause */
/* scenario_file: scenarios and policies that a test writes itself. */
#pragma once

#include "tests/unit/folder.h"

#include <errno.h>

#include "user/base/err.h"
#include "user/bench/policy.h"
#include "user/bench/scenario.h"

/* err_text() without the folder, which is another one each time: "s.yaml:1:2: ..." */
static inline const char *error_in(const struct folder *f)
{
	const char *text = err_text();
	size_t len = strlen(f->path);

	return strncmp(text, f->path, len) == 0 ? text + len + 1 : text;
}

static inline struct scenario *scenario_of(const char *text)
{
	struct scenario *s = NULL;
	struct folder f;

	folder_make(&f);
	folder_write(&f, "s.yaml", text, strlen(text));
	if (scenario_read(folder_path(&f, "s.yaml"), &s))
		fail_msg("%s", err_text());
	folder_remove(&f);
	return s;
}

/* That it is refused, and by which sentence. */
static inline void assert_refused_bytes(const char *text, size_t len, const char *sentence)
{
	struct scenario *s = NULL;
	struct folder f;
	int err;

	folder_make(&f);
	folder_write(&f, "s.yaml", text, len);
	err = scenario_read(folder_path(&f, "s.yaml"), &s);
	assert_string_equal(err ? error_in(&f) : "it was read", sentence);
	assert_int_equal(err, -EINVAL);
	assert_null(s);
	folder_remove(&f);
}

static inline void assert_refused(const char *text, const char *sentence)
{
	assert_refused_bytes(text, strlen(text), sentence);
}

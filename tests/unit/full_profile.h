/* SPDX-License-Identifier: BSD-2-Clause */
/* full_profile: a profile for tests with all that a recording may hold, and some that it may not.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "user/model/profile.h"

struct full_frame {
	const char *function, *file, *path, *build_id;
	uint64_t address;
	uint32_t line, kind;
	bool unnamed;
};

static inline uint32_t full_string(struct profile *p, const char *text)
{
	uint32_t ret;

	assert_int_equal(profile_add_string(p, text ? text : "", &ret), 0);
	return ret;
}

static inline uint32_t full_add_frame(struct profile *p, const struct full_frame *f)
{
	struct profile_frame frame = { .address = f->address,
				       .function = full_string(p, f->function),
				       .file = full_string(p, f->file),
				       .line = f->line,
				       .mapping = PROFILE_NONE,
				       .kind = f->kind,
				       .named = !f->unnamed };
	struct profile_mapping mapping = { .path = full_string(p, f->path),
					   .build_id = full_string(p, f->build_id) };
	uint32_t ret;

	if (f->path && f->path[0] == '/') {
		mapping.start = f->address & ~0xfffffull;
		mapping.limit = mapping.start + 0x100000;
		mapping.offset = 0x1000;
	}
	if (f->path)
		assert_int_equal(profile_add_mapping(p, &mapping, &frame.mapping), 0);
	assert_int_equal(profile_add_frame(p, &frame, &ret), 0);
	return ret;
}

/* Labels the sample as a recording does, if there is a comm. Stacks are root first. */
static inline void full_add(struct profile *p, const struct full_frame *stack, size_t n,
			    const char *comm, int64_t pid, int64_t samples)
{
	struct profile_label labels[] = {
		{ .key = full_string(p, LABEL_PROCESS), .str = full_string(p, comm) },
		{ .key = full_string(p, LABEL_PID), .num = pid },
		{ .key = full_string(p, LABEL_PROCESS_START),
		  .num = pid * 1000,
		  .unit = full_string(p, "nanoseconds") },
		{ .key = full_string(p, LABEL_CGROUP), .str = full_string(p, "/system.slice") },
	};
	int64_t values[] = { samples, samples * 10101010 };
	uint32_t node = PROFILE_NONE, set = 0;
	size_t i;

	for (i = 0; i < n; i++)
		assert_int_equal(profile_add_node(p, node, full_add_frame(p, &stack[i]), &node), 0);
	if (comm)
		assert_int_equal(profile_add_labels(p, labels, 4, &set), 0);
	assert_int_equal(profile_add_sample(p, node, set, values), 0);
}

#define FULL_ADD(p, comm, pid, samples, ...)                                                   \
	do {                                                                                   \
		const struct full_frame full_stack[] = { __VA_ARGS__ };                        \
		full_add(p, full_stack, sizeof(full_stack) / sizeof(full_stack[0]), comm, pid, \
			 samples);                                                             \
	} while (0)

#define FULL_MAIN                                                                        \
	{                                                                                \
		"main", "main.c", "/usr/bin/burn", "aabb01", 0x401100, 42, FRAME_USER, 0 \
	}
#define FULL_HOT                                                                           \
	{                                                                                  \
		"hot(int, char const*)", "hot.cc", "/usr/bin/burn", "aabb01", 0x402200, 7, \
			FRAME_USER, 0                                                      \
	}

/* 100 samples: hot 70 (10 of them in what is inlined into it), kernel 18, the rest odd things. */
static inline struct profile *full_profile(void)
{
	struct profile *p = profile_new();

	assert_non_null(p);
	assert_int_equal(profile_add_value_type(p, "samples", "count"), 0);
	assert_int_equal(profile_add_value_type(p, "cpu", "nanoseconds"), 0);
	p->default_value = 1;
	p->start_ns = 1700000000123456789;
	p->duration_ns = 10000000000;
	p->period_ns = 10101010;
	assert_int_equal(profile_add_comment(p, "fathom record"), 0);
	FULL_ADD(p, "burn", 12, 60, FULL_MAIN, FULL_HOT);
	FULL_ADD(p, "burn", 12, 10, FULL_MAIN, FULL_HOT,
		 { "outer_inlined", "in.h", "/usr/bin/burn", "aabb01", 0x402200, 3, FRAME_INLINED,
		   0 },
		 { "inner_inlined", "in.h", "/usr/bin/burn", "aabb01", 0x402200, 9, FRAME_INLINED,
		   0 });
	FULL_ADD(p, "burn", 12, 11, FULL_MAIN,
		 { "read", NULL, "/usr/lib/libc.so.6", "cc02", 0x7f0000001234, 0, FRAME_USER, 0 },
		 { "do_syscall_64", NULL, "[kernel]", NULL, 0xffffffff81000010, 0, FRAME_KERNEL,
		   0 });
	FULL_ADD(p, "swapper", 0, 7,
		 { "nf_hook", NULL, "[nf_tables]", NULL, 0xffffffffc0000010, 0, FRAME_KERNEL, 0 });
	FULL_ADD(p, "burn", 12, 5, FULL_MAIN,
		 { "[libc.so.6+0x2345]", NULL, "/usr/lib/libc.so.6", "cc02", 0x7f0000001345, 0,
		   FRAME_USER, true });
	FULL_ADD(p, "node", 13, 4,
		 { "LazyCompile:~tick app.js:3", NULL, "//anon", NULL, 0x3f0000001000, 0,
		   FRAME_INTERPRETED, 0 });
	FULL_ADD(p, NULL, 0, 2, { "[no address]", NULL, NULL, NULL, 0, 0, FRAME_SYNTHETIC, 0 },
		 { "imported", NULL, NULL, NULL, 0, 0, FRAME_USER, 0 },
		 { "imported_inlined", NULL, NULL, NULL, 0, 0, FRAME_INLINED, 0 },
		 { "imported_kernel", NULL, NULL, NULL, 0, 0, FRAME_KERNEL, 0 });
	full_add(p, NULL, 0, NULL, 0, 1);
	return p;
}

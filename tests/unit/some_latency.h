/* SPDX-License-Identifier: BSD-2-Clause */
/* some_latency: what a collector of block I/O might have found, for tests. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "user/model/latency.h"

#define MS 1000000ull

static inline void some_operation(struct latency *l, const struct latency_key *key, uint64_t bytes,
				  uint64_t queue_ns, uint64_t device_ns)
{
	const struct latency_counts one = { .operations = 1, .bytes = bytes };
	uint32_t row;

	assert_int_equal(latency_row(l, LATENCY_BY_SUBJECT, key, &row), 0);
	assert_int_equal(latency_add_counts(l, LATENCY_BY_SUBJECT, row, &one), 0);
	assert_int_equal(latency_add_ns(l, LATENCY_BY_SUBJECT, row, 0, queue_ns), 0);
	assert_int_equal(latency_add_ns(l, LATENCY_BY_SUBJECT, row, 1, device_ns), 0);
	assert_int_equal(latency_add_ns(l, LATENCY_BY_SUBJECT, row, 2, queue_ns + device_ns), 0);
}

static inline void some_path(struct latency *l, const char *path, uint64_t ns)
{
	const struct latency_key key = { .subject = path, .operation = "read" };
	const struct latency_counts one = { .operations = 1, .bytes = 100, .touched = 1 };
	uint32_t row;

	assert_int_equal(latency_row(l, LATENCY_BY_PATH, &key, &row), 0);
	assert_int_equal(latency_add_counts(l, LATENCY_BY_PATH, row, &one), 0);
	assert_int_equal(latency_add_ns(l, LATENCY_BY_PATH, row, 2, ns), 0);
}

static inline void some_outlier(struct latency *l, const char *path)
{
	char vda[] = "vda", read[] = "read", comm[] = "po\nstgres", stack[] = "a;b_[k]";
	const struct latency_outlier one = { .time_ns = 1700000000000000042,
					     .stage_ns = { 1 * MS, 30 * MS, 31 * MS },
					     .bytes = 4096,
					     .pid = 12,
					     .tid = -1,
					     .error = 5,
					     .subject = vda,
					     .operation = read,
					     .comm = comm,
					     .path = (char *)path,
					     .stack = stack };

	assert_int_equal(latency_outliers_add(&l->outliers, &one), 0);
}

/*
 * In two columns of 100 ms: 1,000 reads of vda in the first, each 10 us in the queue and 90 us and
 * up in the device; 20 writes in the second; one flush that nobody measured.
 */
static inline struct latency *some_latency(void)
{
	static const struct latency_description description = {
		.subject = "device",
		.stages = { "queue", "device", "total" },
		.n_stages = 3,
		.with_inferred = true,
		.outlier_threshold_ns = 10 * MS,
	};
	const struct latency_key read = { "vda", "read", "", "4K", LATENCY_READ, false };
	const struct latency_key write = {
		"vda", "write", "sync meta", "64K", LATENCY_WRITE, false
	};
	const struct latency_key flush = { "vda", "flush", "", "", LATENCY_NEITHER, false };
	const struct latency_counts failed = { .operations = 1, .errors = 1 };
	char vda[] = "vda", dm[] = "dm-0", number[] = "253:0", kind[] = "dm", text[] = "ro\x1bot";
	char *lower[] = { vda };
	const struct latency_device device = { dm, number, kind, text, lower, 1 };
	struct latency *l = NULL;
	uint32_t row;
	int i;

	assert_int_equal(latency_new(&description, &l), 0);
	latency_start(l, 5000 * MS);
	for (i = 0; i < 1000; i++)
		some_operation(l, &read, 4096, 10000, 90000 + 100 * i);
	assert_int_equal(latency_in_flight(l, "vda", 2), 0);
	latency_tick(l, 5100 * MS);
	for (i = 0; i < 20; i++)
		some_operation(l, &write, 65536, 1 * MS, 4 * MS);
	latency_tick(l, 5200 * MS);
	assert_int_equal(latency_row(l, LATENCY_BY_SUBJECT, &flush, &row), 0);
	assert_int_equal(latency_add_counts(l, LATENCY_BY_SUBJECT, row, &failed), 0);
	assert_int_equal(latency_add_device(l, &device), 0);
	assert_int_equal(latency_add_route(l, "vda", "dm-0", 20, 1310720), 0);
	some_path(l, "/var/lib/a", 70);
	some_outlier(l, "/var/lib/b\xff");
	l->in_flight_start = 3;
	l->in_flight_end = 4;
	return l;
}

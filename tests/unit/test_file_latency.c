/* SPDX-License-Identifier: BSD-2-Clause */
/* What operations on files are called, and what of them is summed up by path. */
#include "tests/unit/tree.h"

#include <errno.h>
#include <linux/types.h>
#include <sys/syscall.h>

#include "bpf/file_wire.h"
#include "user/base/array.h"
#include "user/collect/dev_number.h"
#include "user/collect/file_calls.h"
#include "user/collect/file_latency.h"

static struct file_paths paths;
static struct file_latency latencies;

static int set_up(void **state)
{
	(void)state;
	tree_make();
	tree_write("mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n");
	assert_int_equal(file_paths_init(&paths, tree_path("mountinfo")), 0);
	assert_int_equal(file_latency_init(&latencies, 0, &paths, NULL, NULL), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	file_latency_release(&latencies);
	file_paths_release(&paths);
	tree_remove("");
	return 0;
}

/* --- calls --------------------------------------------------------------------------------- */

static void every_call_that_is_followed_is_well_formed(void **state)
{
	struct ft_syscall calls[FT_SYSCALLS] = { 0 };
	unsigned int i, n = 0;

	(void)state;
	file_calls_fill(calls);
	for (i = 0; i < FT_SYSCALLS; i++) {
		const struct ft_syscall *c = &calls[i];

		if (!c->operation)
			continue;
		n++;
		assert_string_not_equal(file_operation_name(c->operation), "?");
		assert_true(c->at <= FT_AT_OPENED);
		assert_true(c->a < 6 || (c->at >= FT_AT_PATH && c->a == FT_AT_CWD));
		assert_true(c->b < 6);
	}
	assert_true(n > 50);
	assert_int_equal(calls[SYS_read].operation, FT_FILE_READ);
	assert_int_equal(calls[SYS_close].operation, FT_FILE_NOTHING);
	assert_int_equal(calls[SYS_openat].at, FT_AT_OPENED);
}

static void every_operation_has_a_name_of_its_own(void **state)
{
	unsigned int i, j;

	(void)state;
	for (i = 1; i < FT_FILE_OPERATIONS; i++) {
		assert_string_not_equal(file_operation_name(i), "?");
		for (j = 1; j < i; j++)
			assert_string_not_equal(file_operation_name(i), file_operation_name(j));
	}
	assert_string_equal(file_operation_name(FT_FILE_NOTHING), "?");
	assert_string_equal(file_operation_name(FT_FILE_OPERATIONS), "?");
	assert_string_equal(file_class_name(FT_CLASS_SOCKET), "socket");
	assert_string_equal(file_class_name(FT_CLASSES), "?");
}

static void what_answered_is_only_said_where_it_is_known(void **state)
{
	const struct file_path on_disk = { .flags = FT_PATH_HAS_DEVICE }, elsewhere = { 0 };
	struct ft_file_kind kind = { .operation = FT_FILE_READ };

	(void)state;
	assert_string_equal(file_answered(&kind, &on_disk), "cache");
	assert_string_equal(file_answered(&kind, &elsewhere), "");
	assert_string_equal(file_answered(&kind, NULL), "");
	kind.touched = 1;
	assert_string_equal(file_answered(&kind, &on_disk), "device");
	assert_string_equal(file_answered(&kind, &elsewhere), "device");
	assert_string_equal(file_answered(&kind, NULL), "device");
}

/* --- paths --------------------------------------------------------------------------------- */

static const struct file_path *path(uint64_t id, const char *text)
{
	struct ft_path p = { .bytes = strlen(text), .dev = dev_number(8, 1) };
	const struct file_path *found;

	memcpy(p.text, text, p.bytes);
	assert_int_equal(file_paths_add(&paths, id, &p), 0);
	assert_int_equal(file_paths_find(&paths, id, &found), 0);
	return found;
}

static void add(uint64_t id, const char *text, unsigned int operation, unsigned int touched,
		uint64_t ns)
{
	struct ft_file_kind kind = { .operation = operation, .touched = touched };
	struct ft_file_tally tally = {
		.n = 2, .total_ns = ns, .max_ns = ns - 1, .bytes = 10, .errors = 1
	};

	assert_int_equal(file_latency_add(&latencies, path(id, text), &kind, &tally), 0);
}

static int64_t no_sample(void *ctx, const struct ft_file_key *key)
{
	(void)ctx;
	(void)key;
	return 0;
}

static void paths_are_summed_up_by_operation_and_the_longest_come_first(void **state)
{
	_cleanup_(latency_freep) struct latency *l = NULL;
	const struct latency_row *row;

	(void)state;
	add(1, "/a", FT_FILE_READ, 0, 100);
	add(3, "/b", FT_FILE_READ, 0, 500);
	add(5, "/a", FT_FILE_READ, 1, 50); /* another file of that name, from the device */
	add(1, "/a", FT_FILE_WRITE, 0, 1000);
	assert_int_equal(file_latency_finish(&latencies, no_sample, NULL, &l), 0);
	assert_int_equal(l->by_path.n, 3);
	row = &l->by_path.rows[0];
	assert_string_equal(latency_string(l, row->subject), "/a");
	assert_string_equal(latency_string(l, row->operation), "write");
	assert_int_equal(row->direction, LATENCY_WRITE);
	row = &l->by_path.rows[1];
	assert_string_equal(latency_string(l, row->subject), "/b");
	row = &l->by_path.rows[2];
	assert_string_equal(latency_string(l, row->operation), "read");
	assert_int_equal(row->counts.operations, 4);
	assert_int_equal(row->counts.touched, 2);
	assert_int_equal(row->counts.errors, 2);
	assert_int_equal(row->counts.bytes, 20);
	assert_int_equal(row->stages[0].sum_ns, 150);
	assert_int_equal(row->stages[0].max_ns, 99);
}

static void only_so_many_paths_have_rows_and_the_rest_is_summed_up(void **state)
{
	_cleanup_(latency_freep) struct latency *l = NULL;
	char text[32];
	unsigned int i;

	(void)state;
	for (i = 0; i < LATENCY_MAX_PATHS + 10; i++) {
		snprintf(text, sizeof(text), "/%u", i);
		add(2 * i + 1, text, FT_FILE_STAT, 0, 1000 + i);
	}
	assert_int_equal(file_latency_finish(&latencies, no_sample, NULL, &l), 0);
	assert_int_equal(l->by_path.n, LATENCY_MAX_PATHS);
	snprintf(text, sizeof(text), "/%u", LATENCY_MAX_PATHS + 9);
	assert_string_equal(latency_string(l, l->by_path.rows[0].subject), text);
	assert_int_equal(l->by_path.other.counts.operations, 2 * 10);
	assert_int_equal(l->by_path.other.stages[0].sum_ns, 10 * 1000 + 45);
}

/* --- histograms ---------------------------------------------------------------------------- */

static void hist(uint32_t dev, unsigned int operation, unsigned int by, uint64_t n)
{
	struct ft_file_kind kind = { .dev = dev, .operation = operation, .by = by };
	struct ft_file_hist hist = { .n = n, .total_ns = 5 * n, .max_ns = 5, .bytes = n };

	hist.slots[5] = n;
	assert_int_equal(file_latency_add_hist(&latencies, &kind, &hist), 0);
}

static void mounts_without_a_row_are_one_by_their_type_and_all_is_counted(void **state)
{
	const struct latency *l = latencies.latency;

	(void)state;
	path(1, "/a");
	latency_start(latencies.latency, 0);
	hist(dev_number(8, 1), FT_FILE_READ, FT_BY_CALL, 3);
	hist(dev_number(8, 1), FT_FILE_READ, FT_BY_CALL | FT_BY_TYPE, 4);
	hist(FT_DEV_ANY, FT_FILE_READ, FT_BY_CALL | FT_BY_TYPE, 5);
	hist(0, FT_FILE_READ, FT_BY_CALL, 6);
	hist(0, FT_FILE_READ, FT_BY_CALL | FT_BY_TYPE, 7);
	hist(0, FT_FILE_NOTHING, 0, 8);
	assert_int_equal(l->by_subject.n, 4);
	assert_string_equal(latency_string(l, l->by_subject.rows[0].subject), "ext4 /");
	assert_string_equal(latency_string(l, l->by_subject.rows[1].subject), "ext4, other mounts");
	assert_string_equal(latency_string(l, l->by_subject.rows[2].subject), "other mounts");
	assert_string_equal(latency_string(l, l->by_subject.rows[3].subject), "by name");
	assert_int_equal(l->by_subject.rows[3].counts.operations, 13);
	assert_int_equal(l->by_subject.other.counts.operations, 8);
	assert_int_equal(l->by_subject.other.counts.bytes, 8);
	assert_int_equal(l->by_subject.other.stages[0].n, 8);
}

/* --- slow ones ----------------------------------------------------------------------------- */

static int64_t tid_of_key(void *ctx, const struct ft_file_key *key)
{
	(void)ctx;
	return key->origin.task.tid;
}

static void slow(uint32_t tid, uint64_t ns, int64_t result, uint32_t lost)
{
	struct ft_file_outlier o = { .origin.task = { .tid = tid, .tgid = 7 },
				     .kind = { .operation = FT_FILE_READ },
				     .latency_ns = ns,
				     .result = result,
				     .lost = lost };

	assert_int_equal(file_latency_outlier(&latencies, &o), 0);
}

static void slow_operations_keep_only_the_keys_of_those_that_are_listed(void **state)
{
	_cleanup_(latency_freep) struct latency *l = NULL;
	unsigned int i;

	(void)state;
	latencies.latency->outliers.max = 3;
	for (i = 1; i <= 1000; i++)
		slow(i, i, 0, 0);
	assert_true(latencies.outlier_keys.n <= 12);
	slow(1001, 2000, -513, FT_LOST_STACKS_FULL);
	slow(1002, 2001, -5, 0);
	assert_int_equal(file_latency_finish(&latencies, tid_of_key, NULL, &l), 0);
	assert_int_equal(l->outliers.n, 3);
	assert_int_equal(l->outliers.list[0].tag, 1000);
	assert_int_equal(l->outliers.list[0].error, 0);
	assert_int_equal(l->outliers.list[1].tag, 0); /* without a stack */
	assert_int_equal(l->outliers.list[1].error, EINTR);
	assert_int_equal(l->outliers.list[1].tid, 1001);
	assert_int_equal(l->outliers.list[2].tag, 1002);
	assert_int_equal(l->outliers.list[2].error, EIO);
	assert_int_equal(l->outliers.n_faster, 999);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(every_call_that_is_followed_is_well_formed),
		TEST(every_operation_has_a_name_of_its_own),
		TEST(what_answered_is_only_said_where_it_is_known),
		TEST(paths_are_summed_up_by_operation_and_the_longest_come_first),
		TEST(mounts_without_a_row_are_one_by_their_type_and_all_is_counted),
		TEST(slow_operations_keep_only_the_keys_of_those_that_are_listed),
		TEST(only_so_many_paths_have_rows_and_the_rest_is_summed_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

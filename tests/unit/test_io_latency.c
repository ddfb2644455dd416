/* SPDX-License-Identifier: BSD-2-Clause */
/* The collector of block I/O without a kernel: tags in words, histograms that grow, slow requests.
 */
#include "tests/unit/tree.h"

#include "user/base/err.h"
#include "user/collect/dev_number.h"
#include "user/collect/io.h"
#include "user/collect/io_latency.h"
#include "user/collect/io_tags.h"

#define VDA  dev_number(254, 0)
#define VDA1 dev_number(254, 1)
#define DM0  dev_number(252, 0)

static struct devices *devices;
static struct io_latency io;

static void add_device(const char *number, const char *folder)
{
	char name[512], target[512];

	snprintf(name, sizeof(name), "devices/%s/dev", folder);
	tree_write(name, number);
	snprintf(name, sizeof(name), "dev/block/%s", number);
	snprintf(target, sizeof(target), "../../devices/%s", folder);
	tree_link(name, target);
}

static int set_up(void **state)
{
	(void)state;
	tree_make();
	add_device("254:0", "pci0/block/vda");
	add_device("254:1", "pci0/block/vda/vda1");
	tree_write("devices/pci0/block/vda/vda1/partition", "1\n");
	add_device("252:0", "virtual/block/dm-0");
	tree_write("devices/virtual/block/dm-0/dm/name", "data\n");
	tree_link("devices/virtual/block/dm-0/slaves/vda1", "../../../../pci0/block/vda/vda1");
	assert_int_equal(devices_new(tree_root, &devices), 0);
	assert_int_equal(io_latency_init(&io, &(struct io_latency_options){ .devices = devices }),
			 0);
	io_latency_start(&io);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	io_latency_release(&io);
	devices_free(devices);
	tree_remove("");
	return 0;
}

/* --- tags ---------------------------------------------------------------------------------- */

static const char *label_of(const struct sample_tag *tag, const char *key)
{
	unsigned int i;

	for (i = 0; i < tag->n_labels; i++) {
		if (!strcmp(tag->labels[i].key, key))
			return tag->labels[i].text;
	}
	return "(none)";
}

static void a_tag_says_what_the_io_was(void **state)
{
	struct ft_io_key key = {
		.dev = VDA,
		.came_dev = DM0,
		.op = FT_IO_WRITE,
		.flags = FT_IO_SYNC | FT_IO_FUA,
		.size = 12,
		.inferred = 1,
	};
	struct sample_tag said = { .n_labels = 0 }, other = { .n_labels = 0 };
	struct io_tags tags;
	uint32_t first, again, second;

	(void)state;
	io_tags_init(&tags, devices);
	assert_int_equal(io_tags_number(&tags, &key, &first), 0);
	key.origin.task.tgid = 9; /* no part of it */
	assert_int_equal(io_tags_number(&tags, &key, &again), 0);
	assert_int_equal(first, again);
	io_tags_describe(&tags, first, &said);
	assert_string_equal(said.leaf, "[vda write, inferred]");
	assert_string_equal(label_of(&said, "device"), "vda");
	assert_string_equal(label_of(&said, "operation"), "write");
	assert_string_equal(label_of(&said, "flags"), "sync fua");
	assert_string_equal(label_of(&said, "size"), "4K");
	assert_string_equal(label_of(&said, "origin"), "dm-0 (data)");
	assert_string_equal(label_of(&said, "inferred"), "yes");
	key = (struct ft_io_key){ .dev = dev_number(8, 16), .op = FT_IO_READ, .size = 21 };
	assert_int_equal(io_tags_number(&tags, &key, &second), 0);
	assert_int_not_equal(first, second);
	io_tags_describe(&tags, second, &other);
	assert_string_equal(other.leaf, "[8:16 read]");
	assert_string_equal(label_of(&other, "size"), ">1M");
	assert_string_equal(label_of(&other, "flags"), "(none)");
	assert_string_equal(label_of(&other, "origin"), "(none)");
	assert_string_equal(label_of(&other, "inferred"), "(none)");
	io_tags_release(&tags);
}

static void numbers_beyond_those_that_are_known_have_words_too(void **state)
{
	char flags[IO_FLAGS_TEXT];

	(void)state;
	assert_string_equal(io_operation_name(FT_IO_DISCARD), "discard");
	assert_string_equal(io_operation_name(200), "other");
	assert_string_equal(io_size_name(FT_IO_SIZE_NONE), "0");
	assert_string_equal(io_size_name(FT_IO_SIZE_MIN), "512");
	assert_string_equal(io_size_name(20), "1M");
	assert_string_equal(io_size_name(22), "0");
	assert_string_equal(io_size_name(FT_IO_SIZE_REST), "other");
	io_flags_text(0xff, flags);
	assert_string_equal(flags, "sync meta fua readahead other");
	io_flags_text(FT_IO_REST, flags);
	assert_string_equal(flags, "other");
	io_flags_text(0, flags);
	assert_string_equal(flags, "");
}

static void a_weight_is_one_of_six(void **state)
{
	enum io_weight weight = IO_WEIGHTS;

	(void)state;
	assert_int_equal(io_weight_parse("device-ns", &weight), 0);
	assert_int_equal(weight, IO_DEVICE_NS);
	assert_int_equal(io_weight_parse("bios", &weight), 0);
	assert_int_equal(weight, IO_BIOS);
	assert_int_equal(io_weight_parse("total", &weight), -EINVAL);
	assert_int_equal(weight, IO_BIOS);
}

/* --- histograms ---------------------------------------------------------------------------- */

static const struct latency_row *only_row(void)
{
	assert_int_equal(io.latency->by_subject.n, 1);
	return &io.latency->by_subject.rows[0];
}

static void add_to(struct ft_io_hist *hist, unsigned int stage, uint64_t ns)
{
	struct ft_io_stage *s = &hist->stages[stage];

	s->slots[ft_hist_slot(ns)]++;
	s->sum_ns += ns;
	if (ns > s->max_ns)
		s->max_ns = ns;
}

static void what_has_been_carried_over_is_not_counted_again(void **state)
{
	const struct ft_io_hist_key key = {
		.dev = VDA, .op = FT_IO_READ, .flags = FT_IO_META, .size = 12
	};
	static struct ft_io_hist hist;
	const struct latency_row *row;
	int i;

	(void)state;
	memset(&hist, 0, sizeof(hist));
	for (i = 1; i <= 3; i++) {
		hist.requests++;
		hist.bytes += 4096;
		add_to(&hist, FT_IO_TOTAL, 1000 * i);
		add_to(&hist, FT_IO_DEVICE, 500);
		assert_int_equal(io_latency_histogram(&io, &key, &hist), 0);
		assert_int_equal(io_latency_histogram(&io, &key, &hist), 0);
	}
	row = only_row();
	assert_string_equal(latency_string(io.latency, row->subject), "vda");
	assert_string_equal(latency_string(io.latency, row->operation), "read");
	assert_string_equal(latency_string(io.latency, row->flags), "meta");
	assert_string_equal(latency_string(io.latency, row->size_class), "4K");
	assert_int_equal(row->direction, LATENCY_READ);
	assert_int_equal(row->counts.operations, 3);
	assert_int_equal(row->counts.bytes, 3 * 4096);
	assert_int_equal(row->stages[FT_IO_TOTAL].n, 3);
	assert_int_equal(row->stages[FT_IO_TOTAL].sum_ns, 6000);
	assert_int_equal(row->stages[FT_IO_TOTAL].max_ns, 3000);
	assert_int_equal(row->stages[FT_IO_DEVICE].n, 3);
	assert_int_equal(row->stages[FT_IO_QUEUE].n, 0);
}

/* Of a merged bio that ends before its request only the bytes are known so far. */
static void bytes_alone_are_carried_over_too(void **state)
{
	const struct ft_io_hist_key key = { .dev = VDA, .op = FT_IO_WRITE, .size = 12 };
	static struct ft_io_hist hist = { .merged = 1, .bytes = 512, .inferred_bytes = 512 };

	(void)state;
	assert_int_equal(io_latency_histogram(&io, &key, &hist), 0);
	assert_int_equal(only_row()->counts.operations, 0);
	assert_int_equal(only_row()->counts.bytes, 512);
	assert_int_equal(only_row()->counts.inferred_bytes, 512);
}

static void counters_of_32_bits_may_wrap_around(void **state)
{
	const struct ft_io_hist_key key = { .dev = VDA, .op = FT_IO_READ, .size = 12 };
	static struct ft_io_hist hist;

	(void)state;
	memset(&hist, 0, sizeof(hist));
	hist.requests = UINT32_MAX;
	hist.stages[FT_IO_TOTAL].slots[7] = UINT32_MAX;
	assert_int_equal(io_latency_histogram(&io, &key, &hist), 0);
	hist.requests += 3;
	hist.stages[FT_IO_TOTAL].slots[7] += 3;
	assert_int_equal(io_latency_histogram(&io, &key, &hist), 0);
	assert_int_equal(only_row()->stages[FT_IO_TOTAL].n, UINT32_MAX + 3ull);
}

/* --- slow requests ------------------------------------------------------------------------- */

/* Makes the list anew, with a threshold; no ring, since there is no kernel. */
static void with_outliers(size_t max)
{
	latency_outliers_release(&io.latency->outliers);
	latency_outliers_init(&io.latency->outliers, 1000, max, FT_IO_TOTAL);
}

static struct ft_io_outlier slow(uint64_t ns)
{
	return (struct ft_io_outlier){
		.key = { .dev = VDA,
			 .op = FT_IO_WRITE,
			 .flags = FT_IO_SYNC,
			 .origin.task = { .tgid = 7,
					  .tid = 8,
					  .process_comm = "db",
					  .comm = "writer" } },
		.start_ns = 100,
		.end_ns = 100 + ns,
		.stage_ns = { 1, 2, ns },
		.bytes = 4096,
		.error = 10,
	};
}

static void a_slow_request_is_told_with_its_process(void **state)
{
	struct ft_io_outlier o = slow(2000);
	const struct latency_outlier *one;

	(void)state;
	with_outliers(10);
	io.to_wall_ns = 1000000;
	assert_int_equal(io_latency_outlier(&io, &o), 0);
	assert_int_equal(io.latency->outliers.n, 1);
	one = &io.latency->outliers.list[0];
	assert_int_equal(one->time_ns, 1002100);
	assert_int_equal(one->stage_ns[FT_IO_TOTAL], 2000);
	assert_int_equal(one->pid, 7);
	assert_int_equal(one->tid, 8);
	assert_int_equal(one->error, EIO);
	assert_string_equal(one->comm, "db");
	assert_string_equal(one->subject, "vda");
	assert_string_equal(one->operation, "write");
	assert_string_equal(one->flags, "sync");
	assert_int_equal(one->tag, 1);
}

static void only_the_slowest_are_kept_and_the_others_counted(void **state)
{
	struct ft_io_outlier o = slow(3000);

	(void)state;
	with_outliers(1);
	assert_int_equal(io_latency_outlier(&io, &o), 0);
	o = slow(2000);
	assert_int_equal(io_latency_outlier(&io, &o), 0);
	assert_int_equal(io.latency->outliers.n, 1);
	assert_int_equal(io.latency->outliers.n_faster, 1);
	assert_int_equal(io.latency->outliers.list[0].stage_ns[FT_IO_TOTAL], 3000);
}

/* Slower and slower ones, each from a place of its own. */
static void what_is_displaced_takes_no_memory(void **state)
{
	const struct ft_io_key *key;
	struct ft_io_outlier o;
	uint32_t i, k;

	(void)state;
	with_outliers(4);
	for (i = 0; i < 10000; i++) {
		o = slow(i == 10 ? 1000000 : 2000 + i); /* that one stays */
		o.key.origin.task.tid = i;
		assert_int_equal(io_latency_outlier(&io, &o), 0);
	}
	assert_true(io.outlier_keys.n < 100);
	assert_int_equal(io.latency->outliers.n, 4);
	for (k = 0; k < 4; k++) {
		const struct latency_outlier *one = &io.latency->outliers.list[k];

		if (one->tid != 10)
			assert_in_range(one->tid, 9997, 9999);
		key = keyset_key(&io.outlier_keys, one->tag - 1);
		assert_int_equal(key->origin.task.tid, one->tid);
	}
}

static void errors_of_older_kernels_are_negative(void **state)
{
	struct ft_io_outlier o = slow(2000);

	(void)state;
	with_outliers(10);
	o.error = -ENOSPC;
	o.lost = FT_LOST_STACKS_FULL;
	assert_int_equal(io_latency_outlier(&io, &o), 0);
	assert_int_equal(io.latency->outliers.list[0].error, ENOSPC);
	assert_int_equal(io.latency->outliers.list[0].tag, 0); /* it has no stack */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_tag_says_what_the_io_was),
		TEST(numbers_beyond_those_that_are_known_have_words_too),
		TEST(a_weight_is_one_of_six),
		TEST(what_has_been_carried_over_is_not_counted_again),
		TEST(bytes_alone_are_carried_over_too),
		TEST(counters_of_32_bits_may_wrap_around),
		TEST(a_slow_request_is_told_with_its_process),
		TEST(only_the_slowest_are_kept_and_the_others_counted),
		TEST(what_is_displaced_takes_no_memory),
		TEST(errors_of_older_kernels_are_negative),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The side band on rings that are files in memory, into which the tests write as the kernel does.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "user/collect/sideband.h"
#include "user/collect/sideband_records.h"

#define CPUS	   3
#define DATA_PAGES 128

static struct processes *ps;
static struct sideband *sb;
static struct perf_event_mmap_page *pages[CPUS];
static int offline_cpu;
static char announced[256]; /* the first paths, each with a space behind it */

static size_t page_bytes(void)
{
	return sysconf(_SC_PAGESIZE);
}

static size_t data_bytes(void)
{
	return DATA_PAGES * page_bytes();
}

/* Stands in for the one that asks the kernel. */
int perf_open(struct perf_event_attr *attr, int cpu)
{
	int fd;

	assert_true(attr->mmap2 && attr->task && attr->comm_exec && attr->sample_id_all);
	assert_int_equal(attr->sample_type, PERF_SAMPLE_TIME);
	if (cpu == offline_cpu)
		return -ENODEV;
	fd = memfd_create("ring", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, page_bytes() + data_bytes()), 0);
	return fd;
}

static void on_mapping(void *ctx, const struct sym_mapping *m)
{
	assert_ptr_equal(ctx, &ps);
	if (strlen(announced) + strlen(m->path) + 2 > sizeof(announced))
		return;
	strcat(announced, m->path);
	strcat(announced, " ");
}

static void unmap(unsigned int cpu)
{
	if (pages[cpu])
		munmap(pages[cpu], page_bytes() + data_bytes());
	pages[cpu] = NULL;
}

static void open_cpu(unsigned int cpu)
{
	unmap(cpu);
	assert_int_equal(sideband_open_cpu(sb, cpu), 0);
	pages[cpu] = mmap(NULL, page_bytes() + data_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED,
			  sideband_fd(sb, cpu), 0);
	assert_true(pages[cpu] != MAP_FAILED);
}

static int set_up(void **state)
{
	unsigned int cpu;

	(void)state;
	offline_cpu = -1;
	announced[0] = '\0';
	assert_int_equal(processes_new(&ps), 0);
	assert_int_equal(sideband_new(ps, on_mapping, &ps, &sb), 0);
	for (cpu = 0; cpu < CPUS; cpu++)
		open_cpu(cpu);
	return 0;
}

static int tear_down(void **state)
{
	unsigned int cpu;

	(void)state;
	for (cpu = 0; cpu < CPUS; cpu++)
		unmap(cpu);
	sideband_free(sb);
	processes_free(ps);
	return 0;
}

/* --- writing records ----------------------------------------------------------------------- */

struct writer {
	unsigned char bytes[65536];
	size_t n;
};

static void put(struct writer *w, const void *data, size_t n)
{
	assert_true(w->n + n <= sizeof(w->bytes));
	memcpy(w->bytes + w->n, data, n);
	w->n += n;
}

static void put_u32(struct writer *w, uint32_t value)
{
	put(w, &value, sizeof(value));
}

static void put_u64(struct writer *w, uint64_t value)
{
	put(w, &value, sizeof(value));
}

static struct writer *begin(uint32_t type, uint16_t misc)
{
	static struct writer w;
	struct perf_event_header h = { .type = type, .misc = misc };

	w.n = 0;
	put(&w, &h, sizeof(h));
	return &w;
}

static void set_size(struct writer *w, uint16_t size)
{
	memcpy(w->bytes + offsetof(struct perf_event_header, size), &size, sizeof(size));
}

static void push_bytes(unsigned int cpu, const void *data, size_t n)
{
	unsigned char *ring = (unsigned char *)pages[cpu] + page_bytes();
	size_t i;

	for (i = 0; i < n; i++)
		ring[(pages[cpu]->data_head + i) % data_bytes()] = ((const unsigned char *)data)[i];
	pages[cpu]->data_head += n;
}

static void push(unsigned int cpu, struct writer *w)
{
	set_size(w, w->n);
	push_bytes(cpu, w->bytes, w->n);
}

static struct writer *mmap2_to(uint32_t pid, uint64_t addr, uint64_t len)
{
	struct writer *w = begin(PERF_RECORD_MMAP2, PERF_RECORD_MISC_USER);

	put_u32(w, pid);
	put_u32(w, pid);
	put_u64(w, addr);
	put_u64(w, len);
	put_u64(w, 0x3000); /* offset in the file */
	put_u32(w, 8);	    /* device */
	put_u32(w, 1);
	put_u64(w, 4711); /* inode and its generation */
	put_u64(w, 2);
	put_u32(w, PROT_READ | PROT_EXEC);
	put_u32(w, MAP_PRIVATE);
	return w;
}

/* A name with its NUL, filled up to words, and the time of the record. */
static void put_name(struct writer *w, const char *name, uint64_t time_ns)
{
	static const char zeros[8];

	put(w, name, strlen(name) + 1);
	put(w, zeros, (8 - w->n % 8) % 8);
	put_u64(w, time_ns);
}

static void push_mmap(unsigned int cpu, uint32_t pid, uint64_t addr, const char *path,
		      uint64_t time_ns)
{
	struct writer *w = mmap2_to(pid, addr, 0x1000);

	put_name(w, path, time_ns);
	push(cpu, w);
}

static void push_comm(unsigned int cpu, uint32_t pid, bool is_exec, uint64_t time_ns)
{
	struct writer *w = begin(PERF_RECORD_COMM, is_exec ? PERF_RECORD_MISC_COMM_EXEC : 0);

	put_u32(w, pid);
	put_u32(w, pid);
	put_name(w, "sh", time_ns);
	push(cpu, w);
}

static void push_task(unsigned int cpu, uint32_t type, uint32_t pid, uint32_t parent,
		      uint64_t time_ns)
{
	struct writer *w = begin(type, 0);

	put_u32(w, pid);
	put_u32(w, parent);
	put_u32(w, pid + 1000);
	put_u32(w, parent);
	put_u64(w, time_ns);
	put_u64(w, time_ns); /* sample_id */
	push(cpu, w);
}

static void push_throttle(unsigned int cpu, bool begins, uint64_t time_ns)
{
	struct writer *w = begin(begins ? PERF_RECORD_THROTTLE : PERF_RECORD_UNTHROTTLE, 0);

	put_u64(w, time_ns);
	put_u64(w, 1);
	put_u64(w, 1);
	push(cpu, w);
}

/* --- reading them -------------------------------------------------------------------------- */

static void read_all(void)
{
	assert_int_equal(sideband_read_all(sb), 0);
}

static struct sideband_counts counts(void)
{
	struct sideband_counts c;

	sideband_counts(sb, &c);
	return c;
}

static const struct sym_mapping *find(uint32_t pid, uint64_t time_ns, uint64_t address)
{
	return processes_find(ps, processes_image(ps, pid, time_ns), time_ns, address);
}

static const char *at(uint32_t pid, uint64_t time_ns, uint64_t address)
{
	const struct sym_mapping *m = find(pid, time_ns, address);

	return m ? m->path : "";
}

static void a_mapping_arrives_with_all_that_is_known_of_it(void **state)
{
	const struct sym_mapping *m;

	(void)state;
	push_mmap(1, 7, 0x400000, "/bin/sh", 10);
	read_all();
	m = find(7, 10, 0x400fff);
	assert_non_null(m);
	assert_int_equal(m->start, 0x400000);
	assert_int_equal(m->end, 0x401000);
	assert_int_equal(m->pgoff, 0x3000);
	assert_int_equal(m->dev, makedev(8, 1));
	assert_int_equal(m->ino, 4711);
	assert_int_equal(m->generation, 2);
	assert_int_equal(m->pid, 7);
	assert_string_equal(m->path, "/bin/sh");
	assert_string_equal(at(7, 9, 0x400000), "");
	assert_int_equal(counts().records, 1);
	assert_int_equal(counts().malformed, 0);
	assert_int_equal(pages[1]->data_tail, pages[1]->data_head);
}

/* CPU 2 was read after CPU 0, but what it tells happened before: 8 was forked after the exec. */
static void records_take_effect_in_the_order_of_their_times(void **state)
{
	(void)state;
	push_task(0, PERF_RECORD_FORK, 8, 7, 20);
	push_comm(0, 8, true, 30);
	push_mmap(0, 8, 0x1000, "/bin/ls", 31);
	push_comm(2, 7, true, 10);
	push_mmap(2, 7, 0x1000, "/bin/sh", 11);
	push_mmap(2, 7, 0x5000, "/lib/late.so", 25);
	read_all();
	assert_string_equal(at(8, 25, 0x1800), "/bin/sh");
	assert_string_equal(at(8, 27, 0x5800), "");
	assert_string_equal(at(8, 31, 0x1800), "/bin/ls");
	assert_string_equal(at(7, 31, 0x1800), "/bin/sh");
}

static void records_of_one_time_keep_their_order(void **state)
{
	(void)state;
	push_mmap(0, 1, 0x1000, "/one", 5);
	push_mmap(0, 2, 0x1000, "/two", 5);
	push_task(0, PERF_RECORD_FORK, 8, 1, 10);
	push_task(0, PERF_RECORD_FORK, 8, 2, 10);
	push_task(1, PERF_RECORD_FORK, 9, 2, 10);
	push_task(1, PERF_RECORD_FORK, 9, 1, 10);
	read_all();
	assert_string_equal(at(8, 10, 0x1800), "/two");
	assert_string_equal(at(9, 10, 0x1800), "/one");
}

static void files_are_told_of_at_once_and_effects_wait(void **state)
{
	struct timespec now;
	uint64_t soon;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &now);
	soon = now.tv_sec * 1000000000ull + now.tv_nsec + 3600000000000;
	push_mmap(0, 7, 0x1000, "/early", 10);
	push_mmap(0, 7, 0x2000, "/late", soon);
	assert_int_equal(sideband_read(sb), 0);
	assert_string_equal(announced, "/early /late ");
	assert_string_equal(at(7, UINT64_MAX, 0x1000), "/early");
	assert_string_equal(at(7, UINT64_MAX, 0x2000), "");
	assert_int_equal(sideband_read(sb), 0);
	assert_string_equal(at(7, UINT64_MAX, 0x2000), "");
	read_all();
	assert_string_equal(at(7, UINT64_MAX, 0x2000), "/late");
	assert_string_equal(announced, "/early /late ");
}

static void records_that_wait_at_the_end_are_freed(void **state)
{
	(void)state;
	push_mmap(0, 7, 0x1000, "/late", UINT64_MAX);
	assert_int_equal(sideband_read(sb), 0);
}

static void records_wrap_around_the_end_of_the_ring(void **state)
{
	size_t short_of;

	(void)state;
	/* Within the header, behind it, within the path and within the time. */
	for (short_of = 4; short_of <= 88; short_of += 4) {
		open_cpu(0);
		pages[0]->data_head = pages[0]->data_tail = 10 * data_bytes() - short_of;
		push_mmap(0, 100 + short_of, 0x1000, "/bin/wrapped", 10);
		push_mmap(0, 100 + short_of, 0x2000, "/bin/next", 11);
		read_all();
		assert_string_equal(at(100 + short_of, 10, 0x1000), "/bin/wrapped");
		assert_string_equal(at(100 + short_of, 11, 0x2000), "/bin/next");
		assert_int_equal(pages[0]->data_tail, pages[0]->data_head);
	}
	assert_int_equal(counts().malformed, 0);
}

static void a_full_ring_is_read_to_its_end(void **state)
{
	uint64_t n = 0, had;

	(void)state;
	do {
		push_mmap(0, 7, n << 12, "/lib/some/long/path/to/a/library.so.1.2.3", 10);
		had = pages[0]->data_head / ++n;
	} while (pages[0]->data_head + had <= data_bytes());
	read_all();
	assert_true(n > 1000);
	assert_int_equal(counts().records, n);
	assert_int_equal(counts().malformed, 0);
	assert_string_not_equal(at(7, 10, (n - 1) << 12), "");
}

/* --- what only the kernel should write ----------------------------------------------------- */

static void a_record_without_a_proper_size_ends_the_reading(void **state)
{
	static const uint16_t sizes[] = { 0, 1, 7, 1000, UINT16_MAX };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct writer *w = mmap2_to(7, 0x1000, 0x1000);

		put_name(w, "/bin/sh", 10);
		set_size(w, sizes[i]);
		push_bytes(0, w->bytes, w->n);
		push_mmap(0, 7, 0x2000, "/never/read", 11);
		read_all();
		assert_int_equal(counts().malformed, i + 1);
		assert_int_equal(pages[0]->data_tail, pages[0]->data_head);
	}
	assert_string_equal(announced, "");
	push_mmap(0, 7, 0x3000, "/after", 12);
	read_all();
	assert_string_equal(announced, "/after ");
}

static void half_a_header_waits_for_the_rest(void **state)
{
	static const uint32_t half = PERF_RECORD_MMAP2;

	(void)state;
	push_bytes(0, &half, sizeof(half));
	read_all();
	assert_int_equal(counts().records, 0);
	assert_int_equal(pages[0]->data_tail, 0);
}

static void a_record_too_short_for_its_type_is_skipped(void **state)
{
	static const struct {
		uint32_t type;
		uint16_t least;
	} types[] = {
		{ PERF_RECORD_MMAP2, 72 + 1 + 8 }, { PERF_RECORD_COMM, 16 + 1 + 8 },
		{ PERF_RECORD_FORK, 32 },	   { PERF_RECORD_EXIT, 32 },
		{ PERF_RECORD_LOST, 24 },	   { PERF_RECORD_THROTTLE, 32 },
		{ PERF_RECORD_UNTHROTTLE, 32 },
	};
	static const unsigned char zeros[128];
	uint64_t malformed = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct writer *w = begin(types[i].type, PERF_RECORD_MISC_COMM_EXEC);

		put(w, zeros, types[i].least - 1 - w->n);
		push(0, w);
		push_mmap(0, 7, 0x1000 * (i + 1), "/next", 10);
		read_all();
		assert_int_equal(counts().malformed, ++malformed);
		assert_string_equal(at(7, 10, 0x1000 * (i + 1)), "/next");
		/* A byte more is enough, whatever it then says. */
		w = begin(types[i].type, PERF_RECORD_MISC_COMM_EXEC);
		put(w, zeros, types[i].least - w->n);
		push(0, w);
		read_all();
		malformed += types[i].type == PERF_RECORD_MMAP2; /* it maps nothing */
		assert_int_equal(counts().malformed, malformed);
	}
	assert_int_equal(counts().throttled_ns, 0);
	assert_int_equal(counts().lost, 0);
}

static void a_path_without_its_nul_is_malformed(void **state)
{
	struct writer *w = mmap2_to(7, 0x1000, 0x1000);

	(void)state;
	put(w, "/bin/shx", 8);
	put_u64(w, 0); /* the zeros of the time are not its end */
	push(0, w);
	read_all();
	assert_int_equal(counts().malformed, 1);
	assert_string_equal(announced, "");
	assert_string_equal(at(7, 10, 0x1000), "");
}

static void mappings_that_cannot_be_are_malformed(void **state)
{
	static const uint64_t bad[][2] = {
		{ 0x1000, 0 },
		{ UINT64_MAX - 0xfff, 0x1000 },
		{ 0x1000, UINT64_MAX },
	};
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct writer *w = mmap2_to(7, bad[i][0], bad[i][1]);

		put_name(w, "/bin/sh", 10);
		push(0, w);
		read_all();
		assert_int_equal(counts().malformed, i + 1);
	}
	assert_string_equal(announced, "");
}

static void unknown_types_are_passed_over(void **state)
{
	struct writer *w = begin(12345, UINT16_MAX);

	(void)state;
	push(0, w);
	push_mmap(0, 7, 0x1000, "/next", 10);
	read_all();
	assert_int_equal(counts().malformed, 0);
	assert_string_equal(at(7, 10, 0x1000), "/next");
}

/* --- what records mean --------------------------------------------------------------------- */

static void new_threads_and_new_names_change_nothing(void **state)
{
	uint32_t image;

	(void)state;
	push_mmap(0, 7, 0x1000, "/bin/sh", 10);
	read_all();
	image = processes_image(ps, 7, 100);
	push_task(0, PERF_RECORD_FORK, 7, 7, 20);
	push_comm(0, 7, false, 30);
	push_task(0, PERF_RECORD_EXIT, 7, 7, 40);
	read_all();
	assert_int_equal(processes_image(ps, 7, 100), image);
}

/* perf's 0 and -1: they could be anyone's. */
static void processes_outside_our_namespace_are_left_out(void **state)
{
	(void)state;
	push_mmap(0, 0, 0x1000, "/secret", 10);
	push_mmap(0, UINT32_MAX, 0x1000, "/secret", 10);
	push_comm(0, 0, true, 11);
	push_task(0, PERF_RECORD_FORK, 0, 5, 12);
	push_task(0, PERF_RECORD_FORK, 6, 0, 13); /* such as a shell that enters a container */
	push_task(0, PERF_RECORD_FORK, 9, UINT32_MAX, 13);
	push_mmap(0, 6, 0x5000, "/bin/sh", 14);
	read_all();
	assert_string_equal(announced, "/bin/sh ");
	assert_string_equal(at(0, 20, 0x1000), "");
	assert_int_equal(processes_image(ps, UINT32_MAX, 20), PROCESSES_NO_IMAGE);
	assert_string_equal(at(6, 20, 0x1000), "");
	assert_string_equal(at(9, 20, 0x1000), "");
	assert_string_equal(at(6, 20, 0x5000), "/bin/sh");
	assert_int_equal(counts().malformed, 0);
}

static void lost_records_are_counted(void **state)
{
	struct writer *w = begin(PERF_RECORD_LOST, 0);

	(void)state;
	put_u64(w, 1);
	put_u64(w, 42);
	put_u64(w, 10); /* sample_id */
	push(0, w);
	push(1, w);
	read_all();
	assert_int_equal(counts().lost, 84);
}

static void throttled_time_adds_up_over_cpus(void **state)
{
	(void)state;
	push_throttle(0, true, 100);
	push_throttle(1, true, 150);
	push_throttle(0, false, 300);
	push_throttle(1, false, 1150);
	push_throttle(0, true, 1000);
	push_throttle(0, false, 1001);
	read_all();
	assert_int_equal(counts().throttled_ns, 200 + 1000 + 1);
}

static void a_throttling_that_began_before_us_counts_nothing(void **state)
{
	(void)state;
	push_throttle(0, false, 300);
	read_all();
	assert_int_equal(counts().throttled_ns, 0);
}

static void a_throttling_that_has_not_ended_counts_up_to_the_end(void **state)
{
	struct timespec now;
	uint64_t now_ns;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &now);
	now_ns = now.tv_sec * 1000000000ull + now.tv_nsec;
	push_throttle(0, true, now_ns - 1000000);
	read_all();
	/* More than 10 ms later, if this host is that slow, it would be an idle CPU. */
	assert_true(counts().throttled_ns >= 1000000 || !counts().throttled_ns);
	assert_true(counts().throttled_ns <= 10000000);
}

static void an_idle_cpu_that_is_throttled_loses_nothing(void **state)
{
	(void)state;
	push_throttle(0, true, 100);
	push_throttle(0, false, 100 + 10000000);
	push_throttle(1, true, 100);
	push_throttle(1, false, 101 + 10000000);
	read_all();
	assert_int_equal(counts().throttled_ns, 10000000);
}

/* --- CPUs come and go --------------------------------------------------------------------- */

static void a_cpu_that_is_offline_has_no_ring(void **state)
{
	(void)state;
	offline_cpu = 5;
	assert_int_equal(sideband_open_cpu(sb, 5), -ENODEV);
	assert_int_equal(sideband_fd(sb, 5), -1);
	assert_int_equal(sideband_fd(sb, 6), -1);
	assert_int_equal(sideband_fd(sb, UINT32_MAX), -1);
	read_all();
	sideband_close_cpu(sb, 5);
	sideband_close_cpu(sb, 99);
}

static void what_a_cpu_told_before_it_went_still_counts(void **state)
{
	(void)state;
	push_mmap(1, 7, 0x1000, "/bin/sh", UINT64_MAX);
	push_throttle(1, true, UINT64_MAX);
	assert_int_equal(sideband_read(sb), 0);
	sideband_close_cpu(sb, 1);
	assert_int_equal(sideband_fd(sb, 1), -1);
	read_all();
	assert_string_equal(at(7, UINT64_MAX, 0x1000), "/bin/sh");
	open_cpu(1);
	push_mmap(1, 7, 0x2000, "/bin/back", 10);
	read_all();
	assert_string_equal(at(7, 10, 0x2000), "/bin/back");
}

/* The exec is read after the scan, but was before it. */
static void a_scan_takes_its_turn_among_the_records(void **state)
{
	uint64_t here = (uintptr_t)a_scan_takes_its_turn_among_the_records, executed;
	struct timespec now;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &now);
	executed = now.tv_sec * 1000000000ull + now.tv_nsec;
	push_task(0, PERF_RECORD_FORK, getpid(), 1, 10);
	assert_int_equal(processes_scan(ps, getpid()), 0);
	assert_int_equal(sideband_read(sb), 0); /* what was a moment ago may be under way */
	assert_string_equal(at(getpid(), executed, here), "");
	push_comm(1, getpid(), true, executed);
	read_all();
	assert_string_equal(at(getpid(), executed - 1, here), "");
	assert_string_not_equal(at(getpid(), executed, here), "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_mapping_arrives_with_all_that_is_known_of_it),
		TEST(records_take_effect_in_the_order_of_their_times),
		TEST(records_of_one_time_keep_their_order),
		TEST(files_are_told_of_at_once_and_effects_wait),
		TEST(records_that_wait_at_the_end_are_freed),
		TEST(records_wrap_around_the_end_of_the_ring),
		TEST(a_full_ring_is_read_to_its_end),
		TEST(a_record_without_a_proper_size_ends_the_reading),
		TEST(half_a_header_waits_for_the_rest),
		TEST(a_record_too_short_for_its_type_is_skipped),
		TEST(a_path_without_its_nul_is_malformed),
		TEST(mappings_that_cannot_be_are_malformed),
		TEST(unknown_types_are_passed_over),
		TEST(new_threads_and_new_names_change_nothing),
		TEST(processes_outside_our_namespace_are_left_out),
		TEST(lost_records_are_counted),
		TEST(throttled_time_adds_up_over_cpus),
		TEST(a_throttling_that_began_before_us_counts_nothing),
		TEST(a_throttling_that_has_not_ended_counts_up_to_the_end),
		TEST(an_idle_cpu_that_is_throttled_loses_nothing),
		TEST(a_cpu_that_is_offline_has_no_ring),
		TEST(what_a_cpu_told_before_it_went_still_counts),
		TEST(a_scan_takes_its_turn_among_the_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

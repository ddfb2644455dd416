/* SPDX-License-Identifier: BSD-2-Clause */
/* That every piece of I/O is accounted for: filters, losses, what the recording sees in part only,
 * and that the sums close whatever happens. */
#include "tests/native/io_world.h"

/* From start to end. */
static void one_request(struct task_struct *task, struct bio *bio)
{
	struct request rq;

	run(task);
	request_start(&rq, bio);
	prog_on_issue(&rq);
	request_end(&rq);
}

static void before_the_start_nothing_is_counted(void **state)
{
	struct task_struct task = task_make(7, "dd");
	struct bio bio = bio_make(READ, 4096);
	struct request rq = { .bio = NULL };

	(void)state;
	is_on = 0;
	one_request(&task, &bio);
	prog_on_requeue(&rq);
	assert_int_equal(ledger_slot(FT_FIRED), 0);
	assert_int_equal(world.pieces->n, 0);
	assert_int_equal(notes.began_before + notes.unseen_starts + notes.requeues, 0);
}

static void what_is_on_its_way_at_the_stop_stays_so(void **state)
{
	struct task_struct task = task_make(7, "dd");
	struct bio bio = bio_make(READ, 4096);
	struct request rq;

	(void)state;
	run(&task);
	request_start(&rq, &bio);
	prog_on_issue(&rq);
	is_on = 0;
	request_end(&rq);
	assert_int_equal(ledger_slot(FT_FIRED), 1);
	assert_int_equal(ledger_slot(FT_KEPT), 0);
	assert_int_equal(world.pieces->n, 1);
}

/* The kernel does not run a program that is running on that CPU. */
static void a_start_that_one_program_does_not_see_another_does(void **state)
{
	struct task_struct task = task_make(7, "dd");
	struct bio bio = bio_make(READ, 4096);
	struct request rq = { .bio = &bio, .biotail = &bio, .__data_len = 4096 };

	(void)state;
	run(&task);
	at(1000);
	prog_on_io_start(&rq);
	prog_on_issue(&rq);
	at(2000);
	prog_on_complete(&rq, 0, 4096);
	assert_int_equal(histogram(VDA, FT_IO_READ, 0, 12)->stages[FT_IO_TOTAL].sum_ns, 1000);
	assert_int_equal(ledger_slot(FT_LOST_NESTED), 1); /* its user stack was not walked */
	assert_int_equal(in_flight_of(VDA), 0);
	task.flags = FT_PF_KTHREAD; /* has none */
	at(3000);
	prog_on_io_start(&rq);
	at(5000);
	prog_on_complete(&rq, 0, 4096);
	assert_int_equal(tally_of(7, NULL)->stage_ns[FT_IO_TOTAL], 2000);
	assert_int_equal(ledger_slot(FT_FIRED), 2);
	rq.cmd_flags = 34; /* passes through */
	prog_on_io_start(&rq);
	assert_int_equal(ledger_slot(FT_FIRED), 2);
}

static void a_filtered_request_is_counted_at_once(void **state)
{
	struct task_struct self = task_make(SELF, "fathom");
	struct bio bio = bio_make(READ, 4096);
	struct request rq;

	(void)state;
	run(&self);
	request_start(&rq, &bio);
	assert_int_equal(ledger_slot(FT_FIRED), 1);
	assert_int_equal(ledger_slot(FT_FILTERED_SELF), 1);
	prog_on_issue(&rq);
	request_end(&rq);
	assert_int_equal(ledger_slot(FT_FIRED), 1);
	assert_int_equal(ledger_slot(FT_FILTERED_SELF), 1);
	assert_int_equal(world.tallies[0]->n, 0);
	assert_int_equal(world.histograms->n, 0);
	assert_int_equal(world.pieces->n, 0);
	assert_int_equal(in_flight_of(VDA), 0);
	assert_int_equal(notes.unseen_starts + notes.began_before, 0);
}

static void what_is_filtered_leaves_room_for_what_is_not(void **state)
{
	struct task_struct self = task_make(SELF, "fathom"), task = task_make(7, "dd");
	struct bio bios[4];
	struct request rqs[4];
	__u32 i;

	(void)state;
	fake_map_resize(world.pieces, 4);
	cfg_max_filtered = 2;
	run(&self);
	for (i = 0; i < 3; i++) {
		bios[i] = bio_make(READ, 4096);
		request_start(&rqs[i], &bios[i]);
	}
	assert_int_equal(world.pieces->n, 2);
	assert_int_equal(ledger_slot(FT_FILTERED_SELF), 3);
	bios[3] = bio_make(READ, 4096);
	run(&task);
	request_start(&rqs[3], &bios[3]);
	assert_int_equal(world.pieces->n, 3);
	for (i = 4; i--;)
		request_end(&rqs[i]);
	assert_int_equal(ledger_slot(FT_KEPT), 1);
	assert_int_equal(ledger_slot(FT_FIRED), 4);
	assert_int_equal(world.pieces->n, 0);
	assert_int_equal(n_filtered, 0);
	assert_int_equal(notes.unseen_starts + notes.began_before, 0);
	prog_on_complete(&rqs[0], 0, 0); /* has no bios left */
	bios[0] = bio_make(READ, 4096);
	rqs[0].bio = &bios[0];
	prog_on_complete(&rqs[0], 0, 4096); /* and this one is no more than unknown */
	assert_int_equal(notes.unseen_starts, 1);
}

static void an_unknown_request_began_before_the_recording(void **state)
{
	struct bio bio = bio_make(READ, 4096);
	struct request rq = { .bio = &bio, .biotail = &bio, .__data_len = 4096 };

	(void)state;
	rq.start_time_ns = began_ns - 1;
	prog_on_complete(&rq, 0, 4096);
	assert_int_equal(notes.began_before, 1);
	rq.start_time_ns = 0; /* the kernel did not take the time */
	prog_on_complete(&rq, 0, 4096);
	assert_int_equal(notes.began_before, 1);
	assert_int_equal(notes.undated_starts, 1);
	rq.start_time_ns = began_ns;
	prog_on_complete(&rq, 0, 4096);
	assert_int_equal(notes.unseen_starts, 1);
	rq.cmd_flags = 34; /* passes through */
	prog_on_complete(&rq, 0, 4096);
	assert_int_equal(notes.unseen_starts + notes.began_before + notes.undated_starts, 3);
	assert_int_equal(ledger_slot(FT_FIRED), 0);
}

static void an_end_that_nobody_saw_is_a_loss_of_the_time_only(void **state)
{
	struct task_struct task = task_make(7, "dd");
	struct bio bio = bio_make(READ, 4096);
	struct ft_io_hist *hist;
	__u32 i, timed = 0;
	struct request rq;

	(void)state;
	run(&task);
	request_start(&rq, &bio);
	assert_int_equal(in_flight_of(VDA), 1);
	one_request(&task, &bio);
	hist = histogram(VDA, FT_IO_READ, 0, 12);
	assert_int_equal(hist->requests, 2);
	assert_int_equal(hist->bytes, 8192);
	for (i = 0; i < FT_HIST_SLOTS; i++)
		timed += hist->stages[FT_IO_TOTAL].slots[i];
	assert_int_equal(timed, 1);
	assert_int_equal(ledger_slot(FT_IO_LOST_UNSEEN_END), 1);
	assert_int_equal(ledger_slot(FT_KEPT), 1);
	assert_int_equal(ledger_slot(FT_FIRED), 2);
	assert_int_equal(in_flight_of(VDA), 0);
}

static void more_requests_than_there_is_room_for_are_a_loss(void **state)
{
	struct task_struct task = task_make(7, "dd");
	struct bio a = bio_make(READ, 4096), b = bio_make(READ, 4096);
	struct request first, second;

	(void)state;
	fake_map_resize(world.pieces, 1);
	run(&task);
	request_start(&first, &a);
	request_start(&second, &b);
	assert_int_equal(ledger_slot(FT_IO_LOST_PIECES_FULL), 1);
	request_end(&first);
	request_end(&second);
	assert_int_equal(ledger_slot(FT_KEPT), 1);
	assert_int_equal(ledger_slot(FT_FIRED), 2);
	assert_int_equal(in_flight_of(VDA), 0);
	assert_int_equal(notes.unseen_starts + notes.undated_starts, 0);
}

static void without_a_stack_the_histogram_counts_all_the_same(void **state)
{
	struct task_struct task = task_make(7, "dd");
	struct bio bio = bio_make(READ, 4096);

	(void)state;
	fake.kernel_bytes = -EFAULT;
	one_request(&task, &bio);
	assert_int_equal(ledger_slot(FT_LOST_WALK_FAILED), 1);
	assert_int_equal(ledger_slot(FT_KEPT), 0);
	assert_int_equal(world.tallies[0]->n, 0);
	assert_int_equal(histogram(VDA, FT_IO_READ, 0, 12)->requests, 1);
}

static void full_tables_of_what_has_ended(void **state)
{
	struct task_struct task = task_make(7, "dd");
	struct bio a = bio_make(READ, 4096), b = bio_make(READ, 8192);

	(void)state;
	fake_map_resize(world.tallies[0], 1);
	fake_map_resize(world.histograms, 1);
	one_request(&task, &a);
	one_request(&task, &b);
	assert_int_equal(ledger_slot(FT_KEPT), 1);
	assert_int_equal(ledger_slot(FT_LOST_COUNTS_FULL), 1);
	assert_int_equal(notes.histograms_rest, 1);
	fake_map_resize(world.disks, 0);
	a = bio_make(READ, 4096);
	one_request(&task, &a);
	assert_int_equal(notes.disks_full, 1);
	assert_int_equal(ledger_slot(FT_KEPT), 2);
}

/* Whatever the flags and sizes, what is counted of a disk's reads and writes is all of them. */
static void without_room_the_rest_is_counted_by_disk_and_operation(void **state)
{
	struct task_struct task = task_make(7, "dd");
	struct ft_io_hist *rest, *fine;
	struct ft_io_hist_key key = {
		.dev = VDA, .op = FT_IO_READ, .flags = FT_IO_REST, .size = FT_IO_SIZE_REST
	};
	struct bio bio;
	__u32 i;

	(void)state;
	fake_map_resize(world.histograms, 2);
	fake_map_resize(world.of_rest, 1);
	for (i = 0; i < 5; i++) {
		bio = bio_make(READ, 4096u << i);
		one_request(&task, &bio);
	}
	bio = bio_make(READ, 4096); /* has a place */
	one_request(&task, &bio);
	rest = bpf_map_lookup_elem(&histograms_of_rest, &key);
	assert_non_null(rest);
	assert_int_equal(rest->requests, 3);
	assert_int_equal(rest->bytes, 4096 * (4 + 8 + 16));
	fine = histogram(VDA, FT_IO_READ, 0, 12);
	assert_int_equal(fine->requests, 2);
	assert_int_equal(notes.histograms_rest, 3);
	assert_int_equal(notes.histograms_full, 0);
	bio = bio_make(WRITE, 4096);
	one_request(&task, &bio);
	assert_int_equal(notes.histograms_full, 1);
	assert_int_equal(ledger_slot(FT_KEPT), 7);
}

/* The stack went into the set that was filled at the start; the time goes where it is filled now.
 */
static void it_is_counted_in_the_set_that_is_filled_when_it_ends(void **state)
{
	struct task_struct task = task_make(7, "dd");
	struct bio bio = bio_make(READ, 4096);
	struct request rq;

	(void)state;
	run(&task);
	request_start(&rq, &bio);
	active_set = 1;
	request_end(&rq);
	assert_int_equal(world.stacks[0]->n, 1);
	assert_int_equal(world.stacks[1]->n, 0);
	assert_int_equal(world.tallies[0]->n, 0);
	assert_int_equal(world.tallies[1]->n, 1);
}

static void what_takes_long_is_told(void **state)
{
	struct task_struct task = task_make(7, "dd");
	const struct ft_io_outlier *told = (void *)fake.ring;
	struct bio bio = bio_make(READ | META, 4096);
	struct request rq;

	(void)state;
	cfg_slower_ns = 1000;
	run(&task);
	at(1000);
	request_start(&rq, &bio);
	at(1500);
	prog_on_issue(&rq);
	at(2000);
	request_end(&rq);
	assert_int_equal(fake.n_submitted, 0); /* not longer than that */
	bio = bio_make(READ | META, 4096);
	at(3000);
	request_start(&rq, &bio);
	at(3500);
	prog_on_issue(&rq);
	at(4001);
	complete(&rq, -5, 4096);
	assert_int_equal(fake.n_submitted, 1);
	assert_int_equal(told->start_ns, 3000);
	assert_int_equal(told->end_ns, 4001);
	assert_int_equal(told->stage_ns[FT_IO_QUEUE], 500);
	assert_int_equal(told->stage_ns[FT_IO_DEVICE], 501);
	assert_int_equal(told->stage_ns[FT_IO_TOTAL], 1001);
	assert_int_equal(told->bytes, 4096);
	assert_int_equal(told->error, -5);
	assert_int_equal(told->key.origin.task.tgid, 7);
	assert_int_equal(told->key.flags, FT_IO_META);
	fake.ring_is_full = true;
	bio = bio_make(READ | META, 4096);
	request_start(&rq, &bio);
	at(9000);
	request_end(&rq);
	assert_int_equal(notes.outliers_lost, 1);
	assert_int_equal(ledger_slot(FT_KEPT), 3);
}

/* --- whatever happens ---------------------------------------------------------------------- */

#define TASKS	 12
#define REQUESTS 10
#define BIOS	 6 /* of each request */

static struct task_struct tasks[TASKS];
static struct flight {
	struct request rq;
	struct bio bios[BIOS];
	__u32 n; /* 0: not under way */
	bool was_issued;
} flights[REQUESTS];

static __u64 began; /* pieces */

static long random_error(struct fake_map *map, const void *key)
{
	switch (random_below(60)) {
	case 0:
		return -EBUSY;
	case 1:
		return -ENOMEM;
	default:
		return 0;
	}
}

static void random_task(void)
{
	run(&tasks[random_below(TASKS)]);
	fake.kernel_bytes = random_below(30) ? 24 : -EFAULT;
	fake_cpu = random_below(FAKE_CPUS);
	fake.now_ns += random_below(5000);
	world.kernel_pcs[2] = 0xffffffff81200000 + random_below(8);
}

static struct bio *random_bio(struct flight *f)
{
	f->bios[f->n] = bio_make(random_below(4) | (random_below(2) ? SYNC : META),
				 512u << random_below(6));
	began++;
	return &f->bios[f->n++];
}

static void flight_begin(struct flight *f)
{
	random_task();
	f->n = 0;
	f->was_issued = false;
	request_start(&f->rq, random_bio(f));
}

static void flight_go_on(struct flight *f)
{
	random_task();
	switch (random_below(8)) {
	case 0:
	case 1:
		if (f->n < BIOS && !f->was_issued)
			merge_back(&f->rq, random_bio(f));
		break;
	case 2:
		if (f->n < BIOS && !f->was_issued)
			merge_front(&f->rq, random_bio(f));
		break;
	case 3:
		prog_on_insert(&f->rq);
		break;
	case 4:
	case 5:
		prog_on_issue(&f->rq);
		f->was_issued = true;
		break;
	case 6:
		prog_on_requeue(&f->rq);
		break;
	default:
		if (random_below(40) == 0) /* its end is not seen */
			f->n = 0;
		else if (f->rq.__data_len > 512 && random_below(3) == 0)
			complete(&f->rq, 0, 512 * random_below(f->rq.__data_len / 512));
		else if (!complete(&f->rq, random_below(10) == 0, f->rq.__data_len))
			f->n = 0;
	}
}

static void random_step(void)
{
	struct flight *f = &flights[random_below(REQUESTS)];

	if (!f->n)
		flight_begin(f);
	else
		flight_go_on(f);
}

/* Sums up and empties a set, as the loader does. */
static __u64 drain(__u32 set, struct ft_io_tally *sum)
{
	__u64 n = 0;
	__u32 i;

	for (i = 0; i < world.tallies[set]->max_entries; i++) {
		struct ft_io_tally *t = fake_map_value(world.tallies[set], i);

		if (!t)
			continue;
		assert_true(t->requests <= t->n);
		assert_true(t->stage_ns[FT_IO_QUEUE] + t->stage_ns[FT_IO_DEVICE] <=
			    t->stage_ns[FT_IO_TOTAL]);
		n += t->n;
		sum->requests += t->requests;
		sum->bytes += t->bytes;
		sum->stage_ns[FT_IO_TOTAL] += t->stage_ns[FT_IO_TOTAL];
	}
	fake_map_resize(world.tallies[set], world.tallies[set]->max_entries);
	fake_map_resize(world.stacks[set], world.stacks[set]->max_entries);
	return n;
}

static __u64 left_over(__u64 *ret_requests)
{
	__u64 n = 0;
	__u32 i;

	*ret_requests = 0;
	for (i = 0; i < world.pieces->max_entries; i++) {
		struct ft_io_piece *p = fake_map_value(world.pieces, i);

		if (!p || p->filtered)
			continue;
		n++;
		*ret_requests += !p->merged;
	}
	return n;
}

static void random_world(void)
{
	static char *const comms[] = { "a", "bash", "kworker/u256:12", "" };
	__u32 i, mark = FT_TARGET_NOW;

	memset(flights, 0, sizeof(flights));
	began = 0;
	for (i = 0; i < TASKS; i++) {
		__u32 tgid = i == 0 ? SELF : 200 + i;

		tasks[i] = task_make(tgid, comms[i % 4]);
		if (i % 2)
			bpf_map_update_elem(&targets, &tgid, &mark, BPF_ANY);
	}
	/* One more piece at a time than there is room for. */
	fake_map_resize(world.pieces, REQUESTS * 4);
	cfg_max_filtered = REQUESTS;
	fake_map_resize(world.tallies[0], 48);
	fake_map_resize(world.tallies[1], 48);
	fake_map_resize(world.stacks[0], 24);
	fake_map_resize(world.stacks[1], 24);
	fake_on_update = random_error;
}

static void the_ledger_is_closed_whatever_happens(void **state)
{
	static const __u32 ends[] = {
		FT_KEPT,
		FT_FILTERED_SELF,
		FT_FILTERED_TARGET,
		FT_LOST_STACKS_FULL,
		FT_LOST_COUNTS_FULL,
		FT_LOST_MAP_BUSY,
		FT_LOST_WALK_FAILED,
		FT_IO_LOST_PIECES_FULL,
		FT_IO_LOST_UNSEEN_END,
	};
	struct ft_io_tally sum = {};
	__u64 kept = 0, ended = 0, requests;
	__u32 round, i;

	(void)state;
	random_world();
	for (round = 0; round < 300; round++) {
		cfg_by_target = round / 10 % 2;
		for (i = random_below(300); i--;)
			random_step();
		active_set = 1 - active_set;
		kept += drain(1 - active_set, &sum);
	}
	kept += drain(active_set, &sum);

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (!ledger_slot(ends[i]))
			fail_msg("nothing ended in slot %u", ends[i]);
		ended += ledger_slot(ends[i]);
	}
	assert_int_equal(ledger_slot(FT_KEPT), kept);
	assert_int_equal(ledger_slot(FT_FIRED), began);
	assert_int_equal(ended + left_over(&requests), began);
	assert_int_equal(in_flight_of(VDA), requests);
	assert_true(kept > 3000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(before_the_start_nothing_is_counted),
		TEST(what_is_on_its_way_at_the_stop_stays_so),
		TEST(a_start_that_one_program_does_not_see_another_does),
		TEST(a_filtered_request_is_counted_at_once),
		TEST(what_is_filtered_leaves_room_for_what_is_not),
		TEST(an_unknown_request_began_before_the_recording),
		TEST(an_end_that_nobody_saw_is_a_loss_of_the_time_only),
		TEST(more_requests_than_there_is_room_for_are_a_loss),
		TEST(without_a_stack_the_histogram_counts_all_the_same),
		TEST(full_tables_of_what_has_ended),
		TEST(without_room_the_rest_is_counted_by_disk_and_operation),
		TEST(it_is_counted_in_the_set_that_is_filled_when_it_ends),
		TEST(what_takes_long_is_told),
		TEST(the_ledger_is_closed_whatever_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of block requests: stages, merges, requeues, completions in parts, flushes. */
#include "tests/native/io_world.h"

/* --- one request --------------------------------------------------------------------------- */

static void a_request_goes_through_its_stages(void **state)
{
	struct task_struct task = task_make(7, "dd");
	struct bio bio = bio_make(READ, 4096);
	struct ft_io_tally *tally;
	struct ft_io_hist *hist;
	struct ft_io_key *key;
	struct ft_stack *stack;
	struct request rq;

	(void)state;
	run(&task);
	at(1000);
	request_start(&rq, &bio);
	assert_int_equal(in_flight_of(VDA), 1);
	at(1100);
	prog_on_insert(&rq);
	at(1300);
	prog_on_issue(&rq);
	at(2300);
	request_end(&rq);
	tally = tally_of(7, &key);
	assert_int_equal(tally->n, 1);
	assert_int_equal(tally->requests, 1);
	assert_int_equal(tally->bytes, 4096);
	assert_int_equal(tally->stage_ns[FT_IO_QUEUE], 200);
	assert_int_equal(tally->stage_ns[FT_IO_DEVICE], 1000);
	assert_int_equal(tally->stage_ns[FT_IO_TOTAL], 1300);
	assert_int_equal(tally->errors, 0);
	assert_int_equal(tally->first_ns, 2300);
	assert_int_equal(key->dev, VDA);
	assert_int_equal(key->came_dev, 0);
	assert_int_equal(key->op, FT_IO_READ);
	assert_int_equal(key->flags, 0);
	assert_int_equal(key->size, 12);
	assert_int_equal(key->inferred, 0);
	assert_string_equal(key->origin.task.comm, "dd");
	stack = bpf_map_lookup_elem(&stacks_0, &key->origin.kernel_stack);
	assert_non_null(stack);
	assert_int_equal(stack->n, 3);
	hist = histogram(VDA, FT_IO_READ, 0, 12);
	assert_non_null(hist);
	assert_int_equal(hist->requests, 1);
	assert_int_equal(hist->bytes, 4096);
	assert_int_equal(hist->stages[FT_IO_QUEUE].slots[ft_hist_slot(200)], 1);
	assert_int_equal(hist->stages[FT_IO_DEVICE].slots[ft_hist_slot(1000)], 1);
	assert_int_equal(hist->stages[FT_IO_TOTAL].slots[ft_hist_slot(1300)], 1);
	assert_int_equal(hist->stages[FT_IO_TOTAL].sum_ns, 1300);
	assert_int_equal(hist->stages[FT_IO_TOTAL].max_ns, 1300);
	assert_int_equal(in_flight_of(VDA), 0);
	assert_int_equal(ledger_slot(FT_FIRED), 1);
	assert_int_equal(ledger_slot(FT_KEPT), 1);
	assert_int_equal(world.pieces->n, 0);
}

static void without_an_insertion_the_queue_begins_at_the_start(void **state)
{
	struct task_struct task = task_make(7, "dd");
	struct bio bio = bio_make(READ, 4096);
	struct request rq;

	(void)state;
	run(&task);
	at(1000);
	request_start(&rq, &bio);
	at(1300);
	prog_on_issue(&rq);
	at(1900);
	request_end(&rq);
	assert_int_equal(tally_of(7, NULL)->stage_ns[FT_IO_QUEUE], 300);
	assert_int_equal(tally_of(7, NULL)->stage_ns[FT_IO_DEVICE], 600);
}

static void a_second_insertion_does_not_begin_the_queue_anew(void **state)
{
	struct task_struct task = task_make(7, "dd");
	struct bio bio = bio_make(READ, 4096);
	struct request rq;

	(void)state;
	run(&task);
	request_start(&rq, &bio);
	at(1100);
	prog_on_insert(&rq);
	at(1500);
	prog_on_insert(&rq);
	at(1600);
	prog_on_issue(&rq);
	request_end(&rq);
	assert_int_equal(tally_of(7, NULL)->stage_ns[FT_IO_QUEUE], 500);
}

static void a_requeued_request_is_in_the_device_from_its_last_issue_on(void **state)
{
	struct task_struct task = task_make(7, "dd");
	struct bio bio = bio_make(READ, 4096);
	struct request rq;

	(void)state;
	run(&task);
	at(1000);
	request_start(&rq, &bio);
	at(1100);
	prog_on_issue(&rq);
	at(1200);
	prog_on_requeue(&rq);
	at(5000);
	prog_on_issue(&rq);
	at(5400);
	request_end(&rq);
	assert_int_equal(tally_of(7, NULL)->stage_ns[FT_IO_QUEUE], 4000);
	assert_int_equal(tally_of(7, NULL)->stage_ns[FT_IO_DEVICE], 400);
	assert_int_equal(tally_of(7, NULL)->stage_ns[FT_IO_TOTAL], 4400);
	assert_int_equal(notes.requeues, 1);
}

/* A device that goes away: what it did not take is ended in the queue. */
static void a_requeued_request_that_fails_was_not_in_the_device(void **state)
{
	struct task_struct task = task_make(7, "dd");
	struct bio bio = bio_make(READ, 4096);
	struct request rq;

	(void)state;
	run(&task);
	request_start(&rq, &bio);
	prog_on_issue(&rq);
	prog_on_requeue(&rq);
	request_complete(&rq, 10, 4096);
	assert_int_equal(tally_of(7, NULL)->stage_ns[FT_IO_DEVICE], 0);
	assert_int_equal(histogram(VDA, FT_IO_READ, 0, 12)->stages[FT_IO_DEVICE].sum_ns, 0);
	assert_int_equal(histogram(VDA, FT_IO_READ, 0, 12)->requests, 1);
}

static void whoever_is_current_at_the_end_does_not_matter(void **state)
{
	struct task_struct task = task_make(7, "dd"), other = task_make(SELF, "fathom");
	struct bio bio = bio_make(READ, 4096);
	struct request rq;

	(void)state;
	run(&task);
	request_start(&rq, &bio);
	run(&other);
	prog_on_issue(&rq);
	request_end(&rq);
	assert_int_equal(tally_of(7, NULL)->n, 1);
}

static void an_error_is_counted(void **state)
{
	struct task_struct task = task_make(7, "dd");
	struct bio bio = bio_make(WRITE, 4096);
	struct request rq;

	(void)state;
	run(&task);
	request_start(&rq, &bio);
	prog_on_issue(&rq);
	request_complete(&rq, 10, 4096);
	assert_int_equal(tally_of(7, NULL)->errors, 1);
	assert_int_equal(histogram(VDA, FT_IO_WRITE, 0, 12)->errors, 1);
}

/* --- several bios -------------------------------------------------------------------------- */

static void what_is_merged_keeps_its_owner_and_is_no_request(void **state)
{
	struct task_struct first = task_make(7, "first"), back = task_make(8, "back"),
			   front = task_make(9, "front");
	struct bio a = bio_make(WRITE, 4096), b = bio_make(WRITE, 8192), c = bio_make(WRITE, 512);
	struct ft_io_hist *hist;
	struct ft_io_key *key;
	struct request rq;

	(void)state;
	run(&first);
	at(1000);
	request_start(&rq, &a);
	run(&back);
	at(1100);
	merge_back(&rq, &b);
	run(&front);
	at(1200);
	merge_front(&rq, &c);
	at(1300);
	prog_on_insert(&rq);
	at(1500);
	prog_on_issue(&rq);
	assert_int_equal(in_flight_of(VDA), 1);
	at(2000);
	request_end(&rq);
	assert_int_equal(tally_of(7, NULL)->requests, 1);
	assert_int_equal(tally_of(7, NULL)->bytes, 4096);
	assert_int_equal(tally_of(7, NULL)->stage_ns[FT_IO_TOTAL], 1000);
	assert_int_equal(tally_of(8, &key)->requests, 0);
	assert_int_equal(tally_of(8, NULL)->n, 1);
	assert_int_equal(tally_of(8, NULL)->bytes, 8192);
	assert_int_equal(tally_of(8, NULL)->stage_ns[FT_IO_TOTAL], 900);
	assert_int_equal(tally_of(8, NULL)->stage_ns[FT_IO_QUEUE], 200);
	assert_int_equal(tally_of(8, NULL)->stage_ns[FT_IO_DEVICE], 500);
	assert_int_equal(key->size, 14); /* of the whole request: 12.5 KiB */
	assert_int_equal(tally_of(9, NULL)->bytes, 512);
	assert_int_equal(tally_of(9, NULL)->stage_ns[FT_IO_TOTAL], 800);
	hist = histogram(VDA, FT_IO_WRITE, 0, 14);
	assert_int_equal(hist->requests, 1);
	assert_int_equal(hist->merged, 2);
	assert_int_equal(hist->bytes, 4096 + 8192 + 512);
	assert_int_equal(hist->stages[FT_IO_TOTAL].sum_ns, 1000);
	assert_int_equal(ledger_slot(FT_FIRED), 3);
	assert_int_equal(ledger_slot(FT_KEPT), 3);
	assert_int_equal(in_flight_of(VDA), 0);
}

static void of_two_requests_that_become_one_one_is_left(void **state)
{
	struct task_struct first = task_make(7, "first"), second = task_make(8, "second");
	struct bio a = bio_make(WRITE, 4096), b = bio_make(WRITE, 4096), c = bio_make(WRITE, 4096);
	struct request rq, next;

	(void)state;
	run(&first);
	request_start(&rq, &a);
	run(&second);
	request_start(&next, &b);
	merge_front(&next, &c); /* so that the request's own bio is not its first */
	assert_int_equal(in_flight_of(VDA), 2);
	merge_requests(&rq, &next);
	assert_int_equal(in_flight_of(VDA), 1);
	prog_on_issue(&rq);
	request_end(&rq);
	assert_int_equal(tally_of(7, NULL)->requests, 1);
	assert_int_equal(tally_of(8, NULL)->requests, 0);
	assert_int_equal(tally_of(8, NULL)->n, 2);
	assert_int_equal(tally_of(8, NULL)->bytes, 8192);
	assert_int_equal(in_flight_of(VDA), 0);
	assert_int_equal(world.pieces->n, 0);
}

static void a_completion_in_part_ends_what_is_whole(void **state)
{
	struct task_struct first = task_make(7, "first"), second = task_make(8, "second");
	struct bio a = bio_make(READ, 4096), b = bio_make(READ, 8192);
	struct request rq;

	(void)state;
	run(&first);
	at(1000);
	request_start(&rq, &a);
	run(&second);
	at(1000);
	merge_back(&rq, &b);
	prog_on_issue(&rq);
	at(2000);
	assert_true(request_complete(&rq, 0, 2048)); /* half of the first */
	assert_int_equal(ledger_slot(FT_KEPT), 0);
	at(3000);
	assert_true(request_complete(&rq, 0, 2048 + 4096)); /* the rest, and half of the other */
	assert_int_equal(ledger_slot(FT_KEPT), 1);
	at(4000);
	assert_false(request_complete(&rq, 0, 4096));
	assert_int_equal(tally_of(7, NULL)->stage_ns[FT_IO_TOTAL], 2000);
	assert_int_equal(tally_of(7, NULL)->bytes, 4096);
	assert_int_equal(tally_of(8, NULL)->stage_ns[FT_IO_TOTAL], 3000);
	assert_int_equal(tally_of(8, NULL)->bytes, 8192);
	assert_int_equal(notes.unseen_starts + notes.began_before, 0);
}

/* A device that did a part of it is asked for the rest. */
static void the_rest_of_a_request_has_the_size_of_the_whole(void **state)
{
	struct task_struct task = task_make(7, "dd");
	struct bio a = bio_make(READ, 32768), b = bio_make(READ, 32768);
	struct ft_io_key *key;
	struct request rq;

	(void)state;
	run(&task);
	request_start(&rq, &a);
	merge_back(&rq, &b);
	prog_on_issue(&rq);
	request_complete(&rq, 0, 61440);
	prog_on_requeue(&rq);
	prog_on_issue(&rq);
	request_end(&rq);
	assert_int_equal(tally_of(7, &key)->n, 2);
	assert_int_equal(key->size, 16);
}

static void more_bios_than_are_looked_at_are_noted(void **state)
{
	static struct bio bios[MAX_CHAIN + 1];
	struct task_struct task = task_make(7, "dd");
	struct request rq;
	__u32 i;

	(void)state;
	run(&task);
	bios[0] = bio_make(WRITE, 512);
	request_start(&rq, &bios[0]);
	for (i = 1; i <= MAX_CHAIN; i++) {
		bios[i] = bio_make(WRITE, 512);
		merge_back(&rq, &bios[i]);
	}
	prog_on_issue(&rq);
	request_end(&rq);
	assert_int_equal(notes.chains_cut, 1);
	assert_int_equal(tally_of(7, NULL)->n, MAX_CHAIN);
	assert_int_equal(world.pieces->n, 1);
}

/* --- flushes ------------------------------------------------------------------------------- */

/* PREFLUSH, data, POSTFLUSH: the request is issued for its data, and ends when all is done. */
static void a_flush_sequence_ends_with_its_last_step(void **state)
{
	struct task_struct task = task_make(7, "jbd2");
	struct bio bio = bio_make(WRITE | FLUSH | FUA, 4096);
	struct ft_io_key *key;
	struct request rq;

	(void)state;
	run(&task);
	at(1000);
	request_start(&rq, &bio);
	rq.rq_flags |= cfg_flush_seq;
	at(2000);
	prog_on_issue(&rq);
	at(3000);
	request_complete(&rq, 0, 4096);
	assert_int_equal(ledger_slot(FT_KEPT), 0);
	rq.rq_flags &= ~cfg_flush_seq;
	rq.bio = rq.biotail; /* blk_flush_restore_request() */
	at(4000);
	request_complete(&rq, 0, 0);
	assert_int_equal(ledger_slot(FT_KEPT), 1);
	assert_int_equal(tally_of(7, &key)->stage_ns[FT_IO_TOTAL], 3000);
	assert_int_equal(tally_of(7, NULL)->bytes, 4096);
	assert_int_equal(key->op, FT_IO_WRITE);
	assert_int_equal(key->flags, FT_IO_FUA);
}

/* The device flushes for a request of the kernel's own; this one is never issued. */
static void of_an_empty_flush_only_the_total_is_known(void **state)
{
	struct task_struct task = task_make(7, "fsync");
	struct bio bio = bio_make(WRITE | FLUSH, 0);
	struct request rq, own = { .cmd_flags = 2, .rq_flags = cfg_flush_seq };
	struct ft_io_hist *hist;

	(void)state;
	run(&task);
	at(1000);
	request_start(&rq, &bio);
	rq.rq_flags |= cfg_flush_seq;
	prog_on_issue(&own);
	prog_on_complete(&own, 0, 0);
	rq.rq_flags &= ~cfg_flush_seq;
	at(1700);
	request_complete(&rq, 0, 0);
	hist = histogram(VDA, FT_IO_FLUSH, 0, FT_IO_SIZE_NONE);
	assert_non_null(hist);
	assert_int_equal(hist->requests, 1);
	assert_int_equal(hist->stages[FT_IO_TOTAL].slots[ft_hist_slot(700)], 1);
	assert_int_equal(hist->stages[FT_IO_DEVICE].slots[0], 0);
	assert_int_equal(hist->stages[FT_IO_QUEUE].slots[0], 0);
	assert_int_equal(ledger_slot(FT_FIRED), 1);
	assert_int_equal(notes.unseen_starts + notes.began_before, 0);
}

/* --- what bios say ------------------------------------------------------------------------- */

static void operations_and_flags_have_their_names(void **state)
{
	(void)state;
	assert_int_equal(bio_operation(READ | META, 512), FT_IO_READ);
	assert_int_equal(bio_operation(WRITE, 0), FT_IO_WRITE);
	assert_int_equal(bio_operation(WRITE | FLUSH, 512), FT_IO_WRITE);
	assert_int_equal(bio_operation(WRITE | FLUSH, 0), FT_IO_FLUSH);
	assert_int_equal(bio_operation(3, 1 << 20), FT_IO_DISCARD);
	assert_int_equal(bio_operation(5, 1 << 20), FT_IO_DISCARD);
	assert_int_equal(bio_operation(9, 4096), FT_IO_OTHER);
	assert_int_equal(bio_operation(7, 4096), FT_IO_WRITE);
	assert_int_equal(bio_flags(WRITE | SYNC | META), FT_IO_SYNC | FT_IO_META);
	assert_int_equal(bio_flags(AHEAD | FUA), FT_IO_AHEAD | FT_IO_FUA);
}

static void a_size_is_rounded_up_to_a_power_of_two(void **state)
{
	__u32 k;

	(void)state;
	assert_int_equal(size_class(0), FT_IO_SIZE_NONE);
	assert_int_equal(size_class(1), 9);
	for (k = 9; k <= 20; k++) {
		assert_int_equal(size_class(1u << k), k);
		assert_int_equal(size_class((1u << k) + 1), k + 1);
	}
	assert_int_equal(size_class(1u << 24), FT_IO_SIZE_MAX);
	assert_int_equal(size_class(UINT32_MAX), FT_IO_SIZE_MAX);
}

static void programs_for_older_kernels_take_the_queue_first(void **state)
{
	struct task_struct task = task_make(7, "dd");
	struct bio a = bio_make(READ, 4096), b = bio_make(READ, 4096), c = bio_make(READ, 4096),
		   d = bio_make(READ, 4096);
	struct request rq = { .bio = &b, .biotail = &c, .__data_len = 12288 },
		       next = { .bio = &d, .biotail = &d, .__data_len = 4096 };

	(void)state;
	run(&task);
	prog_on_getrq_q(NULL, &a);
	prog_on_frontmerge_q(NULL, &rq, &b);
	prog_on_backmerge_q(NULL, &rq, &c);
	prog_on_getrq_q(NULL, &d);
	b.bi_next = &a;
	a.bi_next = &c;
	prog_on_rq_merge_q(NULL, &next);
	at(2000);
	prog_on_insert_q(NULL, &rq);
	at(2100);
	prog_on_issue_q(NULL, &rq);
	prog_on_requeue_q(NULL, &rq);
	at(2300);
	prog_on_issue_q(NULL, &rq);
	at(2400);
	request_end(&rq);
	assert_int_equal(tally_of(7, NULL)->n, 3);
	assert_int_equal(tally_of(7, NULL)->requests, 1);
	assert_int_equal(tally_of(7, NULL)->stage_ns[FT_IO_QUEUE], 900);
	assert_int_equal(tally_of(7, NULL)->stage_ns[FT_IO_DEVICE], 300);
	assert_int_equal(in_flight_of(VDA), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_request_goes_through_its_stages),
		TEST(without_an_insertion_the_queue_begins_at_the_start),
		TEST(a_second_insertion_does_not_begin_the_queue_anew),
		TEST(a_requeued_request_is_in_the_device_from_its_last_issue_on),
		TEST(a_requeued_request_that_fails_was_not_in_the_device),
		TEST(whoever_is_current_at_the_end_does_not_matter),
		TEST(an_error_is_counted),
		TEST(what_is_merged_keeps_its_owner_and_is_no_request),
		TEST(of_two_requests_that_become_one_one_is_left),
		TEST(a_completion_in_part_ends_what_is_whole),
		TEST(the_rest_of_a_request_has_the_size_of_the_whole),
		TEST(more_bios_than_are_looked_at_are_noted),
		TEST(a_flush_sequence_ends_with_its_last_step),
		TEST(of_an_empty_flush_only_the_total_is_known),
		TEST(operations_and_flags_have_their_names),
		TEST(a_size_is_rounded_up_to_a_power_of_two),
		TEST(programs_for_older_kernels_take_the_queue_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

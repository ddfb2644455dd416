/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose I/O it is, and which way it came: writeback, cgroups, devices above, loop devices. */
#include "tests/native/io_world.h"

#define PG_WRITEBACK (1ul << 15)
#define REGULAR	     0100644
#define BLOCK	     0060660

static struct cached {
	struct inode inode;
	struct address_space mapping;
	struct page page;
	struct bio_vec vec;
} cached;

/* A page of a file, on its way to the disk. */
static void cache_page(unsigned short mode)
{
	cached = (struct cached){
		.inode.i_mode = mode,
		.mapping.host = &cached.inode,
		.page = { .flags = PG_WRITEBACK, .mapping = &cached.mapping },
		.vec.bv_page = &cached.page,
	};
}

static void dirty(struct task_struct *task)
{
	run(task);
	prog_on_dirty_folio(&cached.page, &cached.mapping);
}

/* 'task' submits a bio of the page, which ends at once. */
static void write_page(struct task_struct *task, __u32 opf)
{
	struct bio bio = bio_make(opf, 4096);
	struct request rq;

	bio.bi_io_vec = &cached.vec;
	run(task);
	request_start(&rq, &bio);
	prog_on_issue(&rq);
	request_end(&rq);
}

/* --- writeback ----------------------------------------------------------------------------- */

/* In time it belongs to when it was written, not to when the page became dirty. */
static void what_is_written_back_is_counted_when_it_begins(void **state)
{
	struct task_struct cp = task_make(7, "cp"), flusher = task_make(9, "kworker/u4:1");
	struct ft_io_key *key;

	(void)state;
	cache_page(REGULAR);
	flusher.flags = FT_PF_KTHREAD;
	cfg_slot_ns = 1000000;
	slots_from_ns = fake.now_ns;
	dirty(&cp);
	fake.now_ns = slots_from_ns + 5 * cfg_slot_ns;
	write_page(&flusher, WRITE);
	cfg_slot_ns = 0;
	tally_of(7, &key);
	assert_int_equal(key->inferred, 1);
	assert_int_equal(key->origin.task.slot, 5);
}

static void what_is_written_back_belongs_to_who_dirtied_it(void **state)
{
	struct task_struct cp = task_make(7, "cp"), flusher = task_make(9, "kworker/u4:1");
	struct ft_io_key *key;
	struct ft_stack *stack;

	(void)state;
	cache_page(REGULAR);
	flusher.flags = FT_PF_KTHREAD;
	dirty(&cp);
	write_page(&flusher, WRITE);
	tally_of(7, &key);
	assert_int_equal(key->inferred, 1);
	assert_string_equal(key->origin.task.comm, "cp");
	stack = bpf_map_lookup_elem(&stacks_0, &key->origin.kernel_stack);
	assert_non_null(stack);
	assert_int_equal(stack->pcs[1], 0xffffffff81100007); /* of the dirtying */
	assert_int_equal(histogram(VDA, FT_IO_WRITE, 0, 12)->inferred_bytes, 4096);
}

static void the_last_one_who_dirtied_it_counts(void **state)
{
	struct task_struct first = task_make(7, "first"), last = task_make(8, "last"),
			   sync = task_make(9, "sync");

	(void)state;
	cache_page(REGULAR);
	dirty(&first);
	dirty(&last);
	write_page(&sync, WRITE);
	assert_int_equal(tally_of(8, NULL)->n, 1);
}

static void who_writes_its_own_pages_back_is_no_inference(void **state)
{
	struct task_struct db = task_make(7, "db");
	struct ft_io_key *key;

	(void)state;
	cache_page(REGULAR);
	dirty(&db);
	write_page(&db, WRITE | SYNC);
	tally_of(7, &key);
	assert_int_equal(key->inferred, 0);
}

static void what_nobody_was_seen_dirtying_stays_with_the_flusher(void **state)
{
	struct task_struct flusher = task_make(9, "kworker/u4:1");
	struct ft_io_key *key;

	(void)state;
	cache_page(REGULAR);
	write_page(&flusher, WRITE);
	tally_of(9, &key);
	assert_int_equal(key->inferred, 0);
}

/* The page's owner is asked for only if it is being written back. */
static void other_io_of_dirty_pages_belongs_to_its_submitter(void **state)
{
	struct task_struct cp = task_make(7, "cp"), other = task_make(9, "other");

	(void)state;
	cache_page(REGULAR);
	dirty(&cp);
	write_page(&other, READ);
	cached.page.flags = 0; /* a buffer of a direct write that is a mapped file */
	write_page(&other, WRITE);
	cached.page.flags = PG_WRITEBACK;
	cached.page.mapping = (void *)((unsigned long)&cached.mapping | 1); /* anonymous: swap */
	write_page(&other, WRITE);
	cached.page.mapping = NULL;
	write_page(&other, WRITE);
	cached.vec.bv_page = NULL;
	write_page(&other, WRITE);
	assert_int_equal(ledger_slot(FT_KEPT), 5);
	fake_map_resize(world.tallies[1], 1);
	assert_int_equal(world.tallies[0]->n, 2); /* reads and writes of 'other' */
}

static void pages_of_block_devices_have_no_owner(void **state)
{
	struct task_struct mkfs = task_make(7, "mkfs"), flusher = task_make(9, "kworker/u4:1");

	(void)state;
	cache_page(BLOCK);
	dirty(&mkfs);
	assert_int_equal(world.dirtiers->n, 0);
	write_page(&flusher, WRITE);
	assert_int_equal(tally_of(9, NULL)->n, 1);
}

static void the_owner_is_found_by_the_head_of_a_large_page(void **state)
{
	struct task_struct cp = task_make(7, "cp"), flusher = task_make(9, "kworker/u4:1");
	static struct page pages[4] __attribute__((aligned(128)));

	(void)state;
	cache_page(REGULAR);
	dirty(&cp);
	pages[0] = cached.page;
	pages[1].compound_head = (unsigned long)&pages[0] + 1;
	cached.vec.bv_page = &pages[1];
	write_page(&flusher, WRITE);
	assert_int_equal(tally_of(7, NULL)->n, 1);
	/* From 7.1 on it may be a mask. */
	pages[1].compound_head = ~127ul | 1;
	write_page(&flusher, WRITE);
	assert_int_equal(tally_of(7, NULL)->n, 2);
}

static void a_bio_that_was_begun_shows_the_page_that_it_is_at(void **state)
{
	struct task_struct cp = task_make(7, "cp"), flusher = task_make(9, "kworker/u4:1");
	static struct page freed;
	struct bio_vec vecs[2] = { { &freed }, { &cached.page } };
	struct bio bio = bio_make(WRITE, 4096);

	(void)state;
	cache_page(REGULAR);
	dirty(&cp);
	bio.bi_io_vec = vecs;
	bio.bi_iter.bi_idx = 1;
	run(&flusher);
	prog_on_getrq(&bio);
	assert_int_equal(piece_end((__u64)&bio, 5000, 0), 1);
	assert_int_equal(tally_of(7, NULL)->n, 1);
}

static void filters_are_those_of_who_dirtied_it(void **state)
{
	struct task_struct wanted = task_make(7, "wanted"), unwanted = task_make(8, "unwanted"),
			   flusher = task_make(9, "kworker/u4:1"), self = task_make(SELF, "fathom");
	__u32 now = FT_TARGET_NOW, tgid = 7;

	(void)state;
	cfg_by_target = 1;
	bpf_map_update_elem(&targets, &tgid, &now, BPF_ANY);
	cache_page(REGULAR);
	dirty(&wanted);
	write_page(&flusher, WRITE);
	assert_int_equal(tally_of(7, NULL)->n, 1);
	dirty(&unwanted); /* the last one */
	write_page(&flusher, WRITE);
	assert_int_equal(ledger_slot(FT_FILTERED_TARGET), 1);
	dirty(&self);
	write_page(&flusher, WRITE);
	assert_int_equal(ledger_slot(FT_FILTERED_SELF), 1);
	assert_int_equal(tally_of(7, NULL)->n, 1);
	assert_int_equal(ledger_slot(FT_FIRED), 3);
}

/* Thousands of pages are dirtied one after the other. */
static void a_stack_is_taken_anew_only_for_another_process_or_later(void **state)
{
	struct task_struct cp = task_make(7, "cp"), flusher = task_make(9, "kworker/u4:1");
	struct ft_io_key *key;
	struct ft_stack *stack;
	int i;

	(void)state;
	cache_page(REGULAR);
	at(1000);
	dirty(&cp);
	for (i = 0; i < 3; i++) {
		world.kernel_pcs[0]++;
		dirty(&cp);
	}
	assert_int_equal(world.stacks[0]->n, 1);
	at(1000 + DIRTIER_MAX_AGE_NS);
	dirty(&cp);
	assert_int_equal(world.stacks[0]->n, 2);
	write_page(&flusher, WRITE);
	tally_of(7, &key);
	stack = bpf_map_lookup_elem(&stacks_0, &key->origin.kernel_stack);
	assert_int_equal(stack->pcs[0], 0xffffffff81000003);
}

static void a_write_whose_dirtier_has_no_stack_is_its_loss(void **state)
{
	struct task_struct cp = task_make(7, "cp"), flusher = task_make(9, "kworker/u4:1");

	(void)state;
	cache_page(REGULAR);
	fake_map_resize(world.stacks[0], 0);
	dirty(&cp);
	write_page(&flusher, WRITE);
	assert_int_equal(ledger_slot(FT_LOST_STACKS_FULL), 1);
	assert_int_equal(histogram(VDA, FT_IO_WRITE, 0, 12)->requests, 1);
	assert_int_equal(histogram(VDA, FT_IO_WRITE, 0, 12)->inferred_bytes, 4096);
}

/* --- cgroups ------------------------------------------------------------------------------- */

static void a_bio_is_of_the_cgroup_that_it_is_charged_to(void **state)
{
	struct task_struct cp = task_make(7, "cp");
	struct kernfs_node node = { .id = 77 };
	struct cgroup_root root = { .hierarchy_id = 0 };
	struct cgroup cgroup = { .kn = &node, .level = 1, .root = &root };
	struct blkcg blkcg = { .css.cgroup = &cgroup };
	struct blkcg_gq blkg = { .blkcg = &blkcg };
	struct bio bio = bio_make(WRITE, 4096);

	(void)state;
	run(&cp);
	assert_int_equal(bio_cgroup(&bio), 0);
	bio.bi_blkg = &blkg;
	assert_int_equal(bio_cgroup(&bio), 77);
	cgroup.level = 0; /* the root: of nobody in particular */
	assert_int_equal(bio_cgroup(&bio), 0);
	cgroup.level = 1;
	root.hierarchy_id = 4; /* of cgroup version 1: another numbering */
	assert_int_equal(bio_cgroup(&bio), 0);
	root.hierarchy_id = 0;
	prog_on_getrq(&bio);
	piece_end((__u64)&bio, 5000, 0);
	{
		struct ft_io_key *key;

		tally_of(7, &key);
		assert_int_equal(key->origin.task.cgroup_id, 77);
	}
}

/* --- devices above ------------------------------------------------------------------------- */

/* What the bio came through, when it becomes a request. */
static __u32 came_dev_of(struct bio *bio)
{
	struct ft_io_piece *p;
	__u64 key = (__u64)bio;
	__u32 dev;

	prog_on_getrq(bio);
	p = bpf_map_lookup_elem(&pieces, &key);
	assert_non_null(p);
	assert_int_equal(p->dev, VDA);
	dev = p->came_dev;
	piece_end(key, 5000, 0);
	return dev;
}

static void remap(struct bio *bio, __u32 dev, __u64 to)
{
	__u64 from = bio->bi_iter.bi_sector;

	bio->bi_iter.bi_sector = to;
	prog_on_remap(bio, dev, from);
}

static void a_partition_is_what_the_bio_says(void **state)
{
	struct task_struct task = task_make(7, "dd");
	struct bio bio = bio_make(READ, 4096);

	(void)state;
	run(&task);
	bio.bi_bdev = &world.part;
	remap(&bio, VDA2, 4096);
	assert_int_equal(world.lineages->n, 0);
	assert_int_equal(came_dev_of(&bio), VDA2);
	bio.bi_bdev = &world.whole;
	remap(&bio, VDA, 4096); /* a path that calls itself what it came through */
	assert_int_equal(world.lineages->n, 0);
	assert_int_equal(came_dev_of(&bio), 0);
}

static void the_device_above_comes_before_the_partition(void **state)
{
	struct task_struct task = task_make(7, "dd");
	struct bio bio = bio_make(READ, 4096);

	(void)state;
	run(&task);
	bio.bi_bdev = &world.part;
	remap(&bio, DM0, 100);
	remap(&bio, VDA2, 4196);
	assert_int_equal(came_dev_of(&bio), DM0);
	assert_int_equal(world.lineages->n, 0);
}

static void of_devices_on_devices_the_first_counts(void **state)
{
	struct task_struct task = task_make(7, "dd");
	struct bio bio = bio_make(READ, 4096);

	(void)state;
	run(&task);
	remap(&bio, DM0, 100);
	remap(&bio, 9 << 20, 200); /* md, in place */
	assert_int_equal(came_dev_of(&bio), DM0);
}

static void both_parts_of_a_split_bio_came_the_same_way(void **state)
{
	struct task_struct task = task_make(7, "dd");
	struct bio rest = bio_make(READ, 8192), front = bio_make(READ, 4096);

	(void)state;
	run(&task);
	remap(&rest, DM0, 100);
	front.bi_iter.bi_sector = 100;
	front.bi_private = &rest;
	rest.bi_iter.bi_sector = 108;
	prog_on_split(&front, 108);
	assert_int_equal(came_dev_of(&front), DM0);
	assert_int_equal(came_dev_of(&rest), DM0);
}

/* Of a bio that never became a request, at an address that is used again. */
static void what_another_bio_left_behind_is_not_taken(void **state)
{
	struct task_struct task = task_make(7, "dd");
	struct bio bio = bio_make(READ, 4096), front = bio_make(READ, 4096);

	(void)state;
	run(&task);
	remap(&bio, DM0, 100);
	bio.bi_iter.bi_sector = 5000;
	assert_int_equal(came_dev_of(&bio), 0);
	remap(&bio, DM0, 100);
	bio.bi_iter.bi_sector = 6000;
	remap(&bio, 9 << 20, 7000);
	assert_int_equal(came_dev_of(&bio), 9 << 20);
	remap(&bio, DM0, 100);
	bio.bi_iter.bi_sector = 9008;
	front.bi_iter.bi_sector = 9000;
	front.bi_private = &bio;
	prog_on_split(&front, 9008);
	assert_int_equal(came_dev_of(&front), 0);
}

static void a_loop_devices_worker_is_known_by_its_workqueue(void **state)
{
	struct workqueue_struct queue = { .name = "loop12" };
	struct pool_workqueue pool = { .wq = &queue };
	struct worker worker = { .current_pwq = &pool };
	struct kthread kthread = { .data = &worker };
	struct task_struct task = task_make(9, "kworker/u4:2");
	struct bio bio = bio_make(WRITE, 4096);

	(void)state;
	task.flags = FT_PF_KTHREAD | FT_PF_WQ_WORKER;
	task.worker_private = &kthread;
	run(&task);
	bio.bi_bdev = &world.part;
	assert_int_equal(came_dev_of(&bio), 7 << 20 | 12);
	strcpy(queue.name, "writeback");
	assert_int_equal(came_dev_of(&bio), VDA2);
	worker.current_pwq = NULL; /* idle */
	assert_int_equal(came_dev_of(&bio), VDA2);
	task = task_make(9, "loop3"); /* a thread of its own, before 5.14 */
	task.flags = FT_PF_KTHREAD;
	run(&task);
	assert_int_equal(came_dev_of(&bio), 7 << 20 | 3);
	task.flags = 0; /* a process may call itself that */
	assert_int_equal(came_dev_of(&bio), VDA2);
}

/* It writes them to its file's pages, and the flusher those to the disk. */
static void what_is_written_back_for_a_loop_device_came_through_it(void **state)
{
	struct workqueue_struct queue = { .name = "loop12" };
	struct pool_workqueue pool = { .wq = &queue };
	struct worker worker = { .current_pwq = &pool };
	struct kthread kthread = { .data = &worker };
	struct task_struct task = task_make(9, "kworker/u4:2"),
			   flusher = task_make(10, "kworker/u4:1"), cp = task_make(7, "cp");
	struct bio bio = bio_make(WRITE, 4096);
	struct ft_io_key *key;

	(void)state;
	cache_page(REGULAR);
	bio.bi_io_vec = &cached.vec;
	task.flags = flusher.flags = FT_PF_KTHREAD;
	task.flags |= FT_PF_WQ_WORKER;
	task.worker_private = &kthread;
	dirty(&task);
	run(&flusher);
	assert_int_equal(came_dev_of(&bio), 7 << 20 | 12);
	tally_of(9, &key);
	assert_int_equal(key->inferred, 1);
	strcpy(queue.name, "writeback"); /* the same thread has other work to do now */
	run(&task);
	assert_int_equal(came_dev_of(&bio), 7 << 20 | 12);
	dirty(&cp); /* by itself */
	run(&flusher);
	assert_int_equal(came_dev_of(&bio), 0);
}

static void only_loop_and_a_number_is_a_loop_device(void **state)
{
	(void)state;
	assert_int_equal(loop_dev("loop0"), 7 << 20);
	assert_int_equal(loop_dev("loop1048575"), 7 << 20 | 0xfffff);
	assert_int_equal(loop_dev("loop1048576"), 0);
	assert_int_equal(loop_dev("loop12345678901"), 0);
	assert_int_equal(loop_dev("loop"), 0);
	assert_int_equal(loop_dev("loopy"), 0);
	assert_int_equal(loop_dev("loop1x"), 0);
	assert_int_equal(loop_dev("lo"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_back_is_counted_when_it_begins),
		TEST(what_is_written_back_belongs_to_who_dirtied_it),
		TEST(the_last_one_who_dirtied_it_counts),
		TEST(who_writes_its_own_pages_back_is_no_inference),
		TEST(what_nobody_was_seen_dirtying_stays_with_the_flusher),
		TEST(other_io_of_dirty_pages_belongs_to_its_submitter),
		TEST(pages_of_block_devices_have_no_owner),
		TEST(the_owner_is_found_by_the_head_of_a_large_page),
		TEST(a_bio_that_was_begun_shows_the_page_that_it_is_at),
		TEST(filters_are_those_of_who_dirtied_it),
		TEST(a_stack_is_taken_anew_only_for_another_process_or_later),
		TEST(a_write_whose_dirtier_has_no_stack_is_its_loss),
		TEST(a_bio_is_of_the_cgroup_that_it_is_charged_to),
		TEST(a_partition_is_what_the_bio_says),
		TEST(the_device_above_comes_before_the_partition),
		TEST(of_devices_on_devices_the_first_counts),
		TEST(both_parts_of_a_split_bio_came_the_same_way),
		TEST(what_another_bio_left_behind_is_not_taken),
		TEST(a_loop_devices_worker_is_known_by_its_workqueue),
		TEST(what_is_written_back_for_a_loop_device_came_through_it),
		TEST(only_loop_and_a_number_is_a_loop_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The programs that follow file operations as a whole: what they count under which path, and that
 * their ledger is closed whatever happens. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "tests/native/file_tree.h"
#include "tests/native/random.h"
#include "user/collect/file_calls.h"
#include "user/collect/glob.h"

int user_stack_frames(__u32 place);
int path_walk(__u32 place);
int path_normalize(__u32 place);
int path_mounted(__u32 place);
int path_end_component(__u32 place);
int path_note_mount(__u32 place);
int path_judge(__u32 place);
int operation_end(__u32 place);
int on_fault_end(struct bpf_perf_event_data *ctx);
int on_fault_end_without_file(struct bpf_perf_event_data *ctx);

/* The loader sets cfg_* before the programs are loaded; here they are plain variables. */
#define const
#include "bpf/file.bpf.c"
#undef const

#include <sys/syscall.h>

#define SELF	100
#define USER_CS 0x33
#define TASKS	12
#define STRINGS (FAKE_USER_BASE + 8192) /* stacks are below */
#define AT_CWD	-100
#define SHOT_NS 1000

static struct fake_map *tally_maps[FT_SETS], *stack_maps[FT_SETS], *ledger_map, *path_map,
	*hist_map, *thread_map, *request_map;
static struct mm_struct memory;
static struct task_struct tasks[TASKS], *task = tasks;
static struct pt_regs saved;

static struct task_struct make_task(__u32 tgid, __u32 tid)
{
	struct task_struct new = {
		.pid = tid,
		.tgid = tgid,
		.mm = &memory,
		.self_exec_id = 3,
		.start_boottime = 1000 + tgid,
		.files = &tree_open,
		.fs = &tree_fs,
	};

	strcpy(new.comm, "worker");
	return new;
}

static struct pt_regs make_regs(struct regs_abi abi)
{
	struct pt_regs regs = { { 0 } };

	memcpy(&regs, &abi, sizeof(abi));
	return regs;
}

/* Three frames in user mode. */
static void make_stack(__u64 pc)
{
	fake.user[0] = FAKE_USER_BASE + 16;
	fake.user[1] = pc + 1;
	fake.user[2] = 0;
	fake.user[3] = pc + 2;
	saved = make_regs((struct regs_abi){ .ip = pc, .bp = FAKE_USER_BASE, .cs = USER_CS });
}

static int set_up(void **state)
{
	__u32 i;

	(void)state;
	memset(&fake, 0, sizeof(fake));
	memset(&notes, 0, sizeof(notes));
	memset((void *)&cfg_path, 0, sizeof(cfg_path));
	file_calls_fill((struct ft_syscall *)cfg_syscalls);
	file_calls_fill_uring((uint8_t *)cfg_uring_operations);
	cfg_self_tgid = SELF;
	cfg_keep_idle = cfg_by_target = cfg_by_tid = cfg_by_cgroup = cfg_by_comm = 0;
	cfg_by_path = 0;
	cfg_root_dev = 0;
	cfg_slower_ns = cfg_stack_min_ns = 0;
	cfg_slot_ns = slots_from_ns = 0;
	cfg_tallies_with_path = 1u << 31;
	outlier_floor_ns = 0;
	memset(tallies_made, 0, sizeof(tallies_made));
	cfg_pidns_inum = 0;
	cfg_frame_pointers = 1;
	active_set = 0;
	is_on = 1;
	FAKE_MAP(targets);
	FAKE_MAP(target_tids);
	FAKE_MAP(samples);
	FAKE_MAP(operations);
	FAKE_MAP(path_places);
	FAKE_MAP(mounts);
	ledger_map = FAKE_MAP(ledgers);
	stack_maps[0] = FAKE_MAP(stacks_0);
	stack_maps[1] = FAKE_MAP(stacks_1);
	tally_maps[0] = FAKE_MAP(tallies_0);
	tally_maps[1] = FAKE_MAP(tallies_1);
	path_map = FAKE_MAP(paths);
	hist_map = FAKE_MAP(hists);
	FAKE_MAP(fs_types);
	hists_made = 0;
	cfg_hists_by_dev = 1u << 31;
	thread_map = FAKE_MAP(threads);
	request_map = FAKE_MAP(requests);
	fake_map_resize(request_map, 16);
	fake_map_resize(hist_map, 128);
	tree_init();
	for (i = 0; i < TASKS; i++) {
		tasks[i] = make_task(200 + i / 3 * 3, 200 + i);
		tasks[i].group_leader = &tasks[i / 3 * 3];
	}
	task = tasks;
	fake.saved = &saved;
	make_stack(0x400000);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_maps_release();
	return 0;
}

/* --- what the kernel does ------------------------------------------------------------------ */

struct args {
	__s64 a, b, c, d;
};

static struct pt_regs regs_of(long number, struct args args)
{
	return make_regs((struct regs_abi){ .orig_ax = number,
					    .di = args.a,
					    .si = args.b,
					    .dx = args.c,
					    .r10 = args.d,
					    .cs = USER_CS });
}

static void enter(long number, struct args args)
{
	struct pt_regs regs = regs_of(number, args);

	fake.current = task;
	assert_int_equal(prog_on_sys_enter(&regs, number), 0);
}

static void leave(long number, long result, struct args args)
{
	struct pt_regs regs = regs_of(number, args);

	fake.current = task;
	fake.now_ns += SHOT_NS;
	assert_int_equal(prog_on_sys_exit(&regs, result), 0);
}

static void call(long number, long result, struct args args)
{
	enter(number, args);
	leave(number, result, args);
}

/* The address of a string in user memory. */
static __s64 user_string(const char *text)
{
	strcpy((char *)fake.user + (STRINGS - FAKE_USER_BASE), text);
	return STRINGS;
}

static void fault(struct file *file, bool in_user_mode)
{
	struct bpf_perf_event_data context = {
		.regs = make_regs((struct regs_abi){ .ip = 0x400000,
						     .bp = FAKE_USER_BASE,
						     .cs = in_user_mode ? USER_CS : 0x10 }),
		.addr = 0x7f1234567000,
	};
	struct vm_area_struct vma = { .vm_file = file };

	fake.current = task;
	fake.vma = &vma;
	fake.now_ns += SHOT_NS;
	on_fault_end(&context);
	fake.vma = NULL;
}

/* --- what came of it ----------------------------------------------------------------------- */

static __u64 ledger_slot(__u32 slot)
{
	struct ft_ledger *all = (void *)ledger_map->values;
	__u64 sum = 0;
	int cpu;

	for (cpu = 0; cpu < FAKE_CPUS; cpu++)
		sum += all[cpu].n[slot];
	return sum;
}

static struct ft_file_key *only_key(void)
{
	__u32 i;

	assert_int_equal(tally_maps[0]->n, 1);
	for (i = 0; !fake_map_value(tally_maps[0], i); i++)
		;
	return fake_map_key(tally_maps[0], i);
}

static struct ft_file_tally *only_tally(void)
{
	return bpf_map_lookup_elem(&tallies_0, only_key());
}

/* The text of the only operation's path. */
static const char *only_path(void)
{
	static char text[FT_PATH_BYTES + 1];
	struct ft_path *path = bpf_map_lookup_elem(&paths, &only_key()->path);

	assert_non_null(path);
	assert_true(path->bytes <= FT_PATH_BYTES);
	memcpy(text, path->text, path->bytes);
	text[path->bytes] = '\0';
	return text;
}

/* What was counted without a path. */
static struct ft_file_tally *only_path_less(void)
{
	__u32 i;

	for (i = 0; i < tally_maps[0]->max_entries; i++) {
		struct ft_file_key *key = fake_map_key(tally_maps[0], i);

		if (fake_map_value(tally_maps[0], i) && !key->path)
			return fake_map_value(tally_maps[0], i);
	}
	fail_msg("everything has a path");
	return NULL;
}

static void forget(void)
{
	fake_map_resize(tally_maps[0], tally_maps[0]->max_entries);
}

static struct ft_file_hist *only_hist(void)
{
	__u32 i;

	assert_int_equal(hist_map->n, 1);
	for (i = 0; !fake_map_value(hist_map, i); i++)
		;
	return fake_map_value(hist_map, i);
}

static struct dentry *home_file(const char *name)
{
	struct dentry *me = tree_fs.pwd.dentry;

	return tree_add(me, name, TREE_HOME, 0100644);
}

/* --- system calls -------------------------------------------------------------------------- */

static void a_read_is_counted_with_its_latency_bytes_and_path(void **state)
{
	struct ft_file_tally *tally;
	struct ft_file_key *key;

	(void)state;
	tree_open_at(5, home_file("notes"), TREE_HOME);
	call(SYS_read, 4096, (struct args){ .a = 5 });
	key = only_key();
	tally = only_tally();
	assert_string_equal(only_path(), "/home/me/notes");
	assert_int_equal(key->kind.operation, FT_FILE_READ);
	assert_int_equal(key->kind.class, FT_CLASS_FILE);
	assert_int_equal(key->kind.dev, 8 << 20 | 2);
	assert_int_equal(key->kind.touched, 0);
	assert_int_equal(key->origin.task.tid, 200);
	assert_non_null(bpf_map_lookup_elem(&stacks_0, &key->origin.user_stack));
	assert_int_equal(tally->n, 1);
	assert_int_equal(tally->bytes, 4096);
	assert_int_equal(tally->errors, 0);
	assert_int_equal(tally->total_ns, SHOT_NS + 1);
	assert_int_equal(tally->max_ns, SHOT_NS + 1);
	assert_int_equal(only_hist()->n, 1);
	assert_int_equal(only_hist()->slots[ft_hist_slot(SHOT_NS + 1)], 1);
	assert_int_equal(ledger_slot(FT_FIRED), 1);
	assert_int_equal(ledger_slot(FT_KEPT), 1);
}

static void the_same_operation_again_adds_up(void **state)
{
	(void)state;
	tree_open_at(5, home_file("notes"), TREE_HOME);
	call(SYS_read, 100, (struct args){ .a = 5 });
	call(SYS_pread64, 23, (struct args){ .a = 5 });
	call(SYS_read, -EIO, (struct args){ .a = 5 });
	assert_int_equal(only_tally()->n, 3);
	assert_int_equal(only_tally()->bytes, 123);
	assert_int_equal(only_tally()->errors, 1);
	assert_int_equal(only_hist()->n, 3);
	assert_int_equal(only_hist()->errors, 1);
	assert_int_equal(path_map->n, 1);
}

static void calls_that_are_no_operations_cost_nothing(void **state)
{
	(void)state;
	call(SYS_getpid, 200, (struct args){ 0 });
	call(SYS_futex, 0, (struct args){ 0 });
	call(FT_SYSCALLS, 0, (struct args){ 0 });
	call(-1, 0, (struct args){ 0 });
	assert_int_equal(ledger_slot(FT_FIRED), 0);
	assert_int_equal(thread_map->n, 0);
}

static void what_began_before_is_not_counted(void **state)
{
	(void)state;
	tree_open_at(5, home_file("notes"), TREE_HOME);
	leave(SYS_read, 1, (struct args){ .a = 5 });
	call(SYS_write, 1, (struct args){ .a = 5 });
	leave(SYS_read, 1, (struct args){ .a = 5 });
	leave(SYS_write, 1, (struct args){ .a = 5 });
	enter(SYS_write, (struct args){ .a = 5 });
	leave(SYS_read, 1, (struct args){ .a = 5 });
	assert_int_equal(ledger_slot(FT_FIRED), 1);
	assert_int_equal(only_key()->kind.operation, FT_FILE_WRITE);
}

static void what_is_about_no_file_has_no_path(void **state)
{
	(void)state;
	tree_open_at(5, home_file("notes"), TREE_HOME);
	call(SYS_read, 1, (struct args){ .a = 5 });
	forget();
	call(SYS_sync, 0, (struct args){ .a = 5 });
	assert_int_equal(only_key()->kind.operation, FT_FILE_SYNC);
	assert_int_equal(only_key()->path, 0);
	assert_int_equal(only_key()->kind.dev, 0);
}

static void what_has_not_ended_when_the_recording_does_is_under_way(void **state)
{
	__u32 pid = 200;

	(void)state;
	tree_open_at(5, home_file("notes"), TREE_HOME);
	enter(SYS_read, (struct args){ .a = 5 });
	is_on = 0;
	leave(SYS_read, 1, (struct args){ .a = 5 });
	enter(SYS_read, (struct args){ .a = 5 });
	assert_int_equal(ledger_slot(FT_FIRED), 0);
	assert_int_not_equal(((struct ft_thread *)bpf_map_lookup_elem(&threads, &pid))->start_ns,
			     0);
}

static void a_thread_that_ends_leaves_nothing(void **state)
{
	(void)state;
	enter(SYS_read, (struct args){ .a = 5 });
	assert_int_equal(thread_map->n, 1);
	prog_on_thread_exit(task);
	assert_int_equal(thread_map->n, 0);
	assert_int_equal(notes.unfinished, 1);
	prog_on_thread_exit(task);
	assert_int_equal(notes.unfinished, 1);
}

static void a_thread_that_becomes_its_process_leaves_nothing(void **state)
{
	(void)state;
	task = &tasks[1];
	enter(SYS_read, (struct args){ .a = 5 });
	assert_int_equal(thread_map->n, 1);
	prog_on_exec(task, task->pid); /* it was the first one already */
	assert_int_equal(thread_map->n, 1);
	task->pid = task->tgid;
	prog_on_exec(task, 201);
	assert_int_equal(thread_map->n, 0);
}

static void programs_of_32_bits_are_only_counted(void **state)
{
	struct pt_regs regs = make_regs((struct regs_abi){ .cs = 0x23 });

	(void)state;
	fake.current = task;
	prog_on_sys_enter(&regs, SYS_read);
	assert_int_equal(notes.compat_calls, 1);
	task->thread_info.status = 2; /* int 0x80 of a 64-bit program */
	enter(SYS_read, (struct args){ .a = 5 });
	enter(SYS_getpid, (struct args){ .a = 5 });
	assert_int_equal(notes.compat_calls, 2);
	assert_int_equal(thread_map->n, 0);
}

static void the_device_is_noted_for_the_thread_that_asks_it(void **state)
{
	(void)state;
	tree_open_at(5, home_file("notes"), TREE_HOME);
	enter(SYS_read, (struct args){ .a = 5 });
	fake.current = &tasks[1];
	prog_on_bio(NULL);
	leave(SYS_read, 1, (struct args){ .a = 5 });
	assert_int_equal(only_key()->kind.touched, 0);
	forget();
	enter(SYS_read, (struct args){ .a = 5 });
	prog_on_bio(NULL);
	prog_on_bio(NULL);
	leave(SYS_read, 1, (struct args){ .a = 5 });
	assert_int_equal(only_key()->kind.touched, 1);
	forget();
	call(SYS_read, 1, (struct args){ .a = 5 });
	assert_int_equal(only_key()->kind.touched, 0);
}

static void sockets_pipes_and_the_like_have_latencies_alone(void **state)
{
	const unsigned short modes[] = { 0140777, 0010600, 0020600, 0100600 };
	const __u8 classes[] = { FT_CLASS_SOCKET, FT_CLASS_PIPE, FT_CLASS_OTHER, FT_CLASS_OTHER };
	struct ft_file_kind kind = { .operation = FT_FILE_READ };
	struct ft_file_hist *hist;
	int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		unsigned int sb = i == 3 ? TREE_ANONYMOUS : TREE_ROOT;

		tree_open_at(10 + i, tree_add(NULL, "", sb, modes[i]), TREE_ROOT);
		call(SYS_read, 10, (struct args){ .a = 10 + i });
		kind.class = classes[i];
		hist = bpf_map_lookup_elem(&hists, &kind);
		assert_non_null(hist);
		assert_int_equal(hist->bytes, i < 3 ? 10 : 20);
	}
	call(SYS_read, -EBADF, (struct args){ .a = 40 });
	call(SYS_read, -EBADF, (struct args){ .a = -1 });
	call(SYS_read, -EBADF, (struct args){ .a = TREE_FDS });
	assert_int_equal(((struct ft_file_hist *)bpf_map_lookup_elem(&hists, &kind))->errors, 3);
	assert_int_equal(ledger_slot(FT_FIRED), 7);
	assert_int_equal(ledger_slot(FT_FILE_FILTERED_APART), 7);
	assert_int_equal(tally_maps[0]->n + path_map->n + stack_maps[0]->n, 0);
}

static void of_two_descriptors_it_is_the_files(void **state)
{
	(void)state;
	tree_open_at(5, home_file("film"), TREE_HOME);
	tree_open_at(6, tree_add(NULL, "", TREE_ROOT, 0140777), TREE_ROOT);
	tree_open_at(7, tree_add(NULL, "", TREE_ROOT, 0010600), TREE_ROOT);
	call(SYS_sendfile, 9, (struct args){ .a = 6, .b = 5 });
	assert_string_equal(only_path(), "/home/me/film");
	assert_int_equal(only_tally()->bytes, 9);
	forget();
	call(SYS_splice, 9, (struct args){ .a = 7, .c = 5 });
	assert_string_equal(only_path(), "/home/me/film");
	forget();
	call(SYS_splice, 9, (struct args){ .a = 7, .c = 6 });
	assert_int_equal(tally_maps[0]->n, 0);
	assert_non_null(bpf_map_lookup_elem(
		&hists,
		(&(struct ft_file_kind){ .operation = FT_FILE_SPLICE, .class = FT_CLASS_PIPE })));
	assert_int_equal(ledger_slot(FT_FILE_FILTERED_APART), 1);
}

/* --- paths --------------------------------------------------------------------------------- */

static void an_open_goes_by_the_file_that_it_opened(void **state)
{
	(void)state;
	tree_open_at(9, home_file("real"), TREE_HOME);
	call(SYS_openat, 9, (struct args){ .a = AT_CWD, .b = user_string("link/to/it") });
	assert_string_equal(only_path(), "/home/me/real");
	assert_int_equal(only_key()->path & 1, 1);
}

static void what_cannot_be_opened_goes_by_its_name(void **state)
{
	(void)state;
	call(SYS_openat, -ENOENT, (struct args){ .a = AT_CWD, .b = user_string("missing") });
	assert_string_equal(only_path(), "/home/me/missing");
	assert_int_equal(only_key()->kind.dev, 8 << 20 | 2);
	assert_int_equal(only_tally()->errors, 1);
	forget();
	call(SYS_open, -EACCES, (struct args){ .a = user_string("/etc/shadow") });
	assert_string_equal(only_path(), "/etc/shadow");
	forget();
	call(SYS_stat, 0, (struct args){ .a = user_string("/") });
	assert_string_equal(only_path(), "/");
}

static void names_are_relative_to_their_descriptor(void **state)
{
	struct dentry *net = tree_mounts[TREE_NET].mnt.mnt_root;
	struct ft_path *path;

	(void)state;
	tree_open_at(8, tree_folder(net, TREE_NET, "share"), TREE_NET);
	call(SYS_unlinkat, 0, (struct args){ .a = 8, .b = user_string("a/b") });
	assert_string_equal(only_path(), "/srv/net/share/a/b");
	path = bpf_map_lookup_elem(&paths, &only_key()->path);
	assert_int_equal(path->flags, FT_PATH_WANTED | FT_PATH_BY_NAME);
	assert_string_equal(path->fs, "nfs");
	assert_int_equal(path->dev, 40);
	forget();
	call(SYS_renameat2, 0, (struct args){ .a = 8, .b = user_string("/old") });
	assert_string_equal(only_path(), "/old");
}

static void no_name_means_the_descriptor(void **state)
{
	(void)state;
	tree_open_at(5, home_file("notes"), TREE_HOME);
	call(SYS_newfstatat, 0, (struct args){ .a = 5, .b = user_string("") });
	assert_string_equal(only_path(), "/home/me/notes");
	fake.counts_no_nul = true;
	call(SYS_newfstatat, 0, (struct args){ .a = 5, .b = user_string("") });
	assert_int_equal(only_tally()->n, 2);
	forget();
	call(SYS_statx, 0, (struct args){ .a = 5 });
	assert_string_equal(only_path(), "/home/me/notes");
	forget();
	tree_open_at(6, tree_add(NULL, "", TREE_ROOT, 0140777), TREE_ROOT);
	call(SYS_newfstatat, 0, (struct args){ .a = 6, .b = user_string("") });
	assert_int_equal(tally_maps[0]->n, 0);
	assert_int_equal(ledger_slot(FT_FILE_FILTERED_APART), 1);
	call(SYS_stat, -ENOENT, (struct args){ .a = user_string("") });
	call(SYS_stat, -EFAULT, (struct args){ .a = 4096 });
	assert_int_equal(notes.paths_unread, 2);
	assert_int_equal(only_key()->path, 0);
}

static void a_name_that_was_longer_before_is_not_mixed_with_it(void **state)
{
	struct args short_one = { .a = AT_CWD, .b = STRINGS };
	__u64 first;

	(void)state;
	user_string("/etc/a");
	call(SYS_openat, -ENOENT, short_one);
	first = only_key()->path;
	user_string("/etc/a-much-longer-one");
	call(SYS_openat, -ENOENT, short_one);
	forget();
	user_string("/etc/a");
	call(SYS_openat, -ENOENT, short_one);
	assert_int_equal(only_key()->path, first);
	assert_string_equal(only_path(), "/etc/a");
}

static void a_deep_path_is_cut_at_its_beginning(void **state)
{
	struct dentry *at = tree_fs.pwd.dentry;
	char name[16], last[32];
	int i;

	(void)state;
	for (i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		at = tree_folder(at, TREE_HOME, name);
	}
	tree_open_at(5, at, TREE_HOME);
	call(SYS_getdents64, 100, (struct args){ .a = 5 });
	assert_int_equal(only_tally()->bytes, 0);
	assert_int_equal(notes.paths_cut, 1);
	snprintf(last, sizeof(last), "/d%d/", 40 - FT_PATH_COMPONENTS);
	assert_int_equal(strncmp(only_path(), last, strlen(last)), 0);
	assert_non_null(strstr(only_path(), "/d38/d39"));
}

static void a_long_path_is_cut_at_its_beginning(void **state)
{
	struct dentry *at = tree_fs.pwd.dentry;
	struct ft_path *path;
	char name[201];
	int i;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (i = 0; i < 3; i++) {
		name[0] = '0' + i;
		at = tree_folder(at, TREE_HOME, name);
	}
	tree_open_at(5, at, TREE_HOME);
	call(SYS_getdents64, 100, (struct args){ .a = 5 });
	path = bpf_map_lookup_elem(&paths, &only_key()->path);
	assert_int_equal(path->bytes, 402);
	assert_int_equal(path->flags & FT_PATH_CUT, FT_PATH_CUT);
	assert_int_equal(only_path()[1], '1');
	forget();
	name[FT_PATH_BYTES - 402 - 1] = '\0'; /* it just fits, with its slash */
	tree_open_at(5, tree_folder(at, TREE_HOME, name), TREE_HOME);
	call(SYS_getdents64, 100, (struct args){ .a = 5 });
	assert_int_equal(strlen(only_path()), FT_PATH_BYTES);
	forget();
	memset(name, 'x', FT_PATH_BYTES - 402);
	name[FT_PATH_BYTES - 402] = '\0'; /* but for its slash */
	tree_open_at(5, tree_folder(at, TREE_HOME, name), TREE_HOME);
	call(SYS_getdents64, 100, (struct args){ .a = 5 });
	assert_int_equal(strlen(only_path()), 201 + FT_PATH_BYTES - 402 + 1);
}

static void a_name_that_is_too_long_is_cut_at_its_end(void **state)
{
	char name[700];

	(void)state;
	memset(name, 'y', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	name[0] = '/';
	call(SYS_stat, -ENAMETOOLONG, (struct args){ .a = user_string(name) });
	assert_int_equal(strlen(only_path()), FT_PATH_BYTES - 1);
	assert_int_equal(((struct ft_path *)bpf_map_lookup_elem(&paths, &only_key()->path))->flags,
			 FT_PATH_WANTED | FT_PATH_HAS_DEVICE | FT_PATH_BY_NAME | FT_PATH_CUT_END);
}

static void what_is_in_no_directory_has_its_own_name(void **state)
{
	(void)state;
	tree_open_at(5, tree_add(NULL, "memfd:x", TREE_ROOT, 0100600), TREE_ROOT);
	call(SYS_read, 1, (struct args){ .a = 5 });
	assert_string_equal(only_path(), "/memfd:x");
}

static void a_file_that_is_renamed_gets_another_path(void **state)
{
	struct dentry *d = home_file("before");

	(void)state;
	tree_open_at(5, d, TREE_HOME);
	call(SYS_read, 1, (struct args){ .a = 5 });
	forget();
	*d = *home_file("after");
	call(SYS_read, 1, (struct args){ .a = 5 });
	assert_string_equal(only_path(), "/home/me/after");
	forget();
	d->d_parent = tree_folder(tree_fs.pwd.dentry, TREE_HOME, "there");
	call(SYS_read, 1, (struct args){ .a = 5 });
	assert_string_equal(only_path(), "/home/me/there/after");
	assert_int_equal(path_map->n, 3);
}

static void only_the_paths_asked_for_are_kept(void **state)
{
	const char *patterns[] = { "*/notes", "/etc/*.conf" };
	int round;

	(void)state;
	assert_int_equal(glob_compile(patterns, 2, (struct ft_glob *)&cfg_path), 0);
	cfg_by_path = 1;
	tree_open_at(5, home_file("notes"), TREE_HOME);
	tree_open_at(6, home_file("note"), TREE_HOME);
	for (round = 0; round < 2; round++) { /* made first, then found */
		call(SYS_read, 1, (struct args){ .a = 5 });
		call(SYS_read, 1, (struct args){ .a = 6 });
	}
	call(SYS_sync, 0, (struct args){ 0 });
	assert_string_equal(only_path(), "/home/me/notes");
	assert_int_equal(only_tally()->n, 2);
	assert_int_equal(ledger_slot(FT_FILE_FILTERED_PATH), 3);
	forget();
	call(SYS_stat, 0, (struct args){ .a = user_string("/etc/fuse.conf") });
	assert_string_equal(only_path(), "/etc/fuse.conf");
	/* And where there is no room to remember it. */
	fake_map_resize(path_map, 0);
	call(SYS_read, 1, (struct args){ .a = 6 });
	assert_int_equal(ledger_slot(FT_FILE_FILTERED_PATH), 4);
	call(SYS_read, 1, (struct args){ .a = 5 });
	assert_int_equal(notes.paths_full, 2);
	assert_int_equal(only_path_less()->n, 1);
}

static void what_is_cut_may_be_what_was_asked_for(void **state)
{
	const char *patterns[] = { "/d/*", "*.db", "*/a" };
	struct dentry *d = NULL;
	__u32 i;

	(void)state;
	assert_int_equal(glob_compile(patterns, 3, (struct ft_glob *)&cfg_path), 0);
	cfg_by_path = 1;
	for (i = 0; i < 40; i++)
		d = tree_add(i ? d : tree_fs.root.dentry, "d", TREE_ROOT, 0040755);
	tree_open_at(5, tree_add(d, "x.db", TREE_ROOT, 0100644), TREE_ROOT);
	tree_open_at(6, tree_add(d, "y", TREE_ROOT, 0100644), TREE_ROOT);
	call(SYS_read, 1, (struct args){ .a = 5 });
	assert_int_equal(ledger_slot(FT_KEPT), 1);
	call(SYS_read, 1, (struct args){ .a = 6 });
	call(SYS_read, 1, (struct args){ .a = 6 });
	assert_int_equal(ledger_slot(FT_FILE_LOST_UNDECIDED), 2);
	/* No path that ends so is one of these. */
	assert_int_equal(glob_compile(patterns + 1, 2, (struct ft_glob *)&cfg_path), 0);
	fake_map_resize(path_map, 100);
	call(SYS_read, 1, (struct args){ .a = 6 });
	assert_int_equal(ledger_slot(FT_FILE_FILTERED_PATH), 1);
	/* A name that cannot be read. */
	call(SYS_stat, -EFAULT, (struct args){ .a = 8 });
	assert_int_equal(ledger_slot(FT_FILE_LOST_UNDECIDED), 3);
	assert_int_equal(ledger_slot(FT_FIRED), 5);
}

static void names_are_made_plain(void **state)
{
	static const struct {
		const char *name, *path;
	} cases[] = {
		{ "./x", "/home/me/x" },
		{ "../q/x", "/home/q/x" },
		{ "../../../..//etc/./passwd", "/etc/passwd" },
		{ "/a/./b/../c//d/", "/a/c/d" },
		{ "/a/b/../../x", "/x" },
		{ "/..", "/" },
		{ "//", "/" },
		{ ".", "/home/me" },
		{ "...", "/home/me/..." },
		{ ".x", "/home/me/.x" },
		{ "x.", "/home/me/x." },
		{ "a./..b/..", "/home/me/a." },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		forget();
		call(SYS_stat, 0, (struct args){ .a = user_string(cases[i].name) });
		assert_string_equal(only_path(), cases[i].path);
	}
}

static void add_mount(const char *point, __u32 dev)
{
	struct ft_mount mount = { dev, "xfs" };
	__u64 hash = FT_MOUNT_HASH_FIRST;

	while (*point)
		hash = ft_mount_hash(hash, *point++);
	bpf_map_update_elem(&mounts, &hash, &mount, BPF_ANY);
}

static __u32 dev_of_name(const char *name)
{
	forget();
	call(SYS_stat, 0, (struct args){ .a = user_string(name) });
	return only_key()->kind.dev;
}

static void a_name_is_on_what_is_mounted_on_its_way(void **state)
{
	(void)state;
	add_mount("", 8 << 20 | 1);
	add_mount("/home", 8 << 20 | 2);
	add_mount("/home/you/disk", 9);
	assert_int_equal(dev_of_name("/home/you"), 8 << 20 | 1); /* no such tree */
	fake_map_resize(path_map, 100);
	cfg_root_dev = 8 << 20 | 1;
	assert_int_equal(dev_of_name("/etc"), 8 << 20 | 1);
	assert_int_equal(dev_of_name("/"), 8 << 20 | 1);
	assert_int_equal(dev_of_name("/home"), 8 << 20 | 2);
	assert_int_equal(dev_of_name("/homes/x"), 8 << 20 | 1);
	assert_int_equal(dev_of_name("/home/you/x"), 8 << 20 | 2);
	assert_int_equal(dev_of_name("x"), 8 << 20 | 2);
	assert_int_equal(dev_of_name("../you/disk/y"), 9);
	assert_int_equal(dev_of_name("../you/disk/y"), 9); /* found, not made */
	assert_int_equal(dev_of_name("../../y"), 8 << 20 | 1);
}

static __u64 hist_n(struct ft_file_kind kind)
{
	struct ft_file_hist *hist = bpf_map_lookup_elem(&hists, &kind);

	return hist ? hist->n : 0;
}

static void mounts_without_room_are_counted_by_their_type(void **state)
{
	const struct ft_file_kind other = { 0 };
	struct ft_file_hist none = { 0 };
	struct ft_file_kind kind = { 8 << 20 | 1, FT_FILE_READ, FT_CLASS_FILE, 0, FT_BY_CALL };

	(void)state;
	fake_map_resize(hist_map, 4);
	bpf_map_update_elem(&hists, &other, &none, BPF_ANY);
	cfg_hists_by_dev = 1;
	tree_open_at(5, tree_add(tree_fs.root.dentry, "x", TREE_ROOT, 0100644), TREE_ROOT);
	tree_open_at(6, home_file("y"), TREE_HOME);
	tree_open_at(7, tree_add(tree_mounts[TREE_NET].mnt.mnt_root, "z", TREE_NET, 0100644),
		     TREE_NET);
	call(SYS_read, 1, (struct args){ .a = 5 });
	assert_int_equal(hist_n(kind), 1);
	call(SYS_read, 1, (struct args){ .a = 6 });
	call(SYS_read, 1, (struct args){ .a = 6 });
	kind.by |= FT_BY_TYPE;
	kind.dev = 8 << 20 | 2;
	assert_int_equal(hist_n(kind), 2);
	call(SYS_read, 1, (struct args){ .a = 7 });
	kind.dev = 40;
	assert_int_equal(hist_n(kind), 1);
	assert_int_equal(notes.hists_full, 0);
	call(SYS_write, 1, (struct args){ .a = 7 });
	call(SYS_write, 1, (struct args){ .a = 7 });
	assert_int_equal(hist_n(other), 2);
	assert_int_equal(notes.hists_full, 2);
	call(SYS_read, 1, (struct args){ .a = 5 }); /* it has its own already */
	kind = (struct ft_file_kind){ 8 << 20 | 1, FT_FILE_READ, 0, 0, 0 };
	assert_int_equal(hist_n(kind), 2);
	assert_int_equal(ledger_slot(FT_KEPT), 7);
}

static void when_room_becomes_short_only_paths_are_given_up(void **state)
{
	struct ft_file_tally *tally;
	struct ft_file_key key;
	char name[16];
	int i;

	(void)state;
	cfg_tallies_with_path = 3;
	for (i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		tree_open_at(10 + i, home_file(name), TREE_HOME);
		call(SYS_read, 1, (struct args){ .a = 10 + i });
		if (!i)
			key = *only_key();
	}
	call(SYS_read, 1, (struct args){ .a = 10 });
	assert_int_equal(tally_maps[0]->n, 4);
	assert_int_equal(tallies_made[0], 4);
	assert_int_equal(notes.paths_left_out, 2);
	assert_int_equal(((struct ft_file_tally *)bpf_map_lookup_elem(&tallies_0, &key))->n, 2);
	key.path = 0;
	tally = bpf_map_lookup_elem(&tallies_0, &key);
	assert_int_equal(tally->n, 2);
	assert_int_equal(ledger_slot(FT_KEPT), 6);
}

/* --- stacks, outliers ---------------------------------------------------------------------- */

static void fast_operations_may_go_without_their_stack(void **state)
{
	(void)state;
	cfg_stack_min_ns = SHOT_NS + 2;
	tree_open_at(5, home_file("notes"), TREE_HOME);
	call(SYS_read, 1, (struct args){ .a = 5 });
	assert_int_equal(only_key()->origin.user_stack, 0);
	assert_int_equal(stack_maps[0]->n, 0);
	assert_int_equal(ledger_slot(FT_KEPT), 1);
}

static void a_stack_that_cannot_be_had_costs_no_operation(void **state)
{
	(void)state;
	memset(&saved, 0, sizeof(saved));
	tree_open_at(5, home_file("notes"), TREE_HOME);
	call(SYS_read, 1, (struct args){ .a = 5 });
	assert_int_equal(ledger_slot(FT_KEPT), 1);
	assert_int_equal(notes.stackless, 1);
	assert_int_equal(only_key()->origin.user_stack, 0);
}

static void slow_operations_are_sent_one_by_one(void **state)
{
	struct ft_file_outlier *one = (void *)fake.ring;

	(void)state;
	cfg_slower_ns = SHOT_NS;
	tree_open_at(5, home_file("notes"), TREE_HOME);
	call(SYS_write, -ENOSPC, (struct args){ .a = 5 });
	assert_int_equal(fake.n_submitted, 1);
	assert_int_equal(one->latency_ns, SHOT_NS + 1);
	assert_int_equal(one->result, -ENOSPC);
	assert_int_equal(one->path, only_key()->path);
	assert_int_equal(one->kind.operation, FT_FILE_WRITE);
	assert_int_equal(one->origin.task.tid, 200);
	assert_int_equal(one->lost, 0);
	cfg_slower_ns++;
	call(SYS_write, 1, (struct args){ .a = 5 });
	assert_int_equal(fake.n_submitted, 1);
	cfg_slower_ns--;
	outlier_floor_ns = SHOT_NS + 1; /* of the list there is nothing as fast any more */
	call(SYS_write, 1, (struct args){ .a = 5 });
	assert_int_equal(fake.n_submitted, 1);
	assert_int_equal(notes.outliers_faster, 1);
	outlier_floor_ns--;
	call(SYS_write, 1, (struct args){ .a = 5 });
	assert_int_equal(fake.n_submitted, 2);
	fake.ring_is_full = true;
	call(SYS_write, 1, (struct args){ .a = 5 });
	assert_int_equal(notes.outliers_lost, 1);
	assert_int_equal(ledger_slot(FT_KEPT), 5);
}

static void slow_operations_are_sent_even_if_their_stack_is_lost(void **state)
{
	struct ft_file_outlier *one = (void *)fake.ring;
	struct io_kiocb request = { .opcode = 22 };

	(void)state;
	cfg_slower_ns = SHOT_NS;
	fake_map_resize(stack_maps[0], 0);
	tree_open_at(5, home_file("notes"), TREE_HOME);
	call(SYS_write, 1, (struct args){ .a = 5 });
	assert_int_equal(fake.n_submitted, 1);
	assert_int_equal(one->lost, FT_LOST_STACKS_FULL);
	assert_int_equal(one->origin.task.tid, 200);
	assert_int_equal(ledger_slot(FT_LOST_STACKS_FULL), 1);
	request.file = &tree_files[5];
	prog_on_uring_submit(&request);
	assert_int_equal(ledger_slot(FT_FIRED), 1);
	fake.now_ns += 10 * SHOT_NS;
	prog_on_uring_complete(NULL, &request, 0, 1);
	assert_int_equal(fake.n_submitted, 2);
	assert_int_equal(ledger_slot(FT_LOST_STACKS_FULL), 2);
	assert_int_equal(ledger_slot(FT_FIRED), 2);
}

/* --- faults -------------------------------------------------------------------------------- */

static void a_major_fault_is_counted_from_where_it_began(void **state)
{
	struct file *file = tree_open_at(5, home_file("lib.so"), TREE_HOME);

	(void)state;
	fake.current = task;
	prog_on_fault_begin(0);
	prog_on_bio(NULL);
	fault(file, true);
	assert_string_equal(only_path(), "/home/me/lib.so");
	assert_int_equal(only_key()->kind.operation, FT_FILE_FAULT);
	assert_int_equal(only_key()->kind.by, FT_BY_FAULT);
	assert_int_equal(only_key()->kind.touched, 1);
	assert_int_equal(only_tally()->total_ns, SHOT_NS + 1);
	assert_int_equal(only_tally()->bytes, 0);
	fault(file, true); /* it began before */
	task = &tasks[1];
	fault(file, true);
	assert_int_equal(ledger_slot(FT_FIRED), 1);
}

static void a_fault_without_room_for_its_thread_is_lost(void **state)
{
	(void)state;
	fake_map_resize(thread_map, 0);
	fake.current = task;
	prog_on_fault_begin(0);
	fault(NULL, false);
	assert_int_equal(ledger_slot(FT_FIRED), 0);
	fault(NULL, true);
	assert_int_equal(ledger_slot(FT_FIRED), 1);
	assert_int_equal(ledger_slot(FT_FILE_LOST_THREADS), 1);
	task->tgid = SELF;
	fault(NULL, true);
	assert_int_equal(ledger_slot(FT_FILTERED_SELF), 1);
}

static void a_fault_in_the_kernel_is_part_of_the_call(void **state)
{
	struct file *file = tree_open_at(5, home_file("lib.so"), TREE_HOME);

	(void)state;
	fake.current = task;
	prog_on_fault_begin(0); /* a minor one */
	fault(file, false);
	assert_int_equal(ledger_slot(FT_FIRED), 0);
	enter(SYS_read, (struct args){ .a = 5 });
	fault(file, true);
	assert_int_equal(ledger_slot(FT_FIRED), 0);
	leave(SYS_read, 1, (struct args){ .a = 5 });
	assert_int_equal(only_key()->kind.operation, FT_FILE_READ);
}

static void a_fault_without_a_file_is_apart(void **state)
{
	struct bpf_perf_event_data context = {
		.regs = make_regs((struct regs_abi){ .ip = 0x400000, .cs = USER_CS }),
	};

	(void)state;
	fake.current = task;
	prog_on_fault_begin(0);
	fault(NULL, true);
	assert_int_equal(ledger_slot(FT_FILE_FILTERED_APART), 1);
	prog_on_fault_begin(0);
	on_fault_end(&context); /* nothing is mapped there any more */
	assert_int_equal(notes.faults_unmapped, 1);
	prog_on_fault_begin(0);
	on_fault_end_without_file(&context);
	assert_int_equal(only_tally()->n, 2);
	assert_int_equal(only_key()->path, 0);
}

/* --- io_uring ------------------------------------------------------------------------------ */

static void a_request_is_its_submitters_whoever_completes_it(void **state)
{
	struct io_kiocb request = { tree_open_at(5, home_file("db"), TREE_HOME), 23 };
	struct io_uring_cqe cqe = { .res = 512 };

	(void)state;
	fake.current = task;
	prog_on_uring_submit(&request);
	prog_on_bio(NULL);
	fake.now_ns += SHOT_NS;
	task = &tasks[7];
	call(SYS_read, -EBADF, (struct args){ .a = 63 });
	fake.saved = NULL;
	prog_on_uring_complete_cqe(NULL, &request, &cqe);
	assert_string_equal(only_path(), "/home/me/db");
	assert_int_equal(only_key()->kind.operation, FT_FILE_WRITE);
	assert_int_equal(only_key()->kind.by, FT_BY_URING);
	assert_int_equal(only_key()->kind.touched, 1);
	assert_int_equal(only_key()->origin.task.tid, 200);
	assert_non_null(bpf_map_lookup_elem(&stacks_0, &only_key()->origin.user_stack));
	assert_int_equal(only_tally()->bytes, 512);
	assert_int_equal(request_map->n, 0);
	prog_on_uring_complete(NULL, &request, 0, 512);
	assert_int_equal(ledger_slot(FT_FIRED), 2);
}

/* In time an operation belongs to when it ended, whoever had asked for it before. */
static void operations_are_counted_when_they_end(void **state)
{
	struct io_kiocb request = { tree_open_at(5, home_file("db"), TREE_HOME), 23 };
	struct io_uring_cqe cqe = { .res = 512 };

	(void)state;
	cfg_slot_ns = 1000 * (__u64)SHOT_NS;
	slots_from_ns = fake.now_ns;
	fake.current = task;
	prog_on_uring_submit(&request);
	fake.now_ns += 7 * cfg_slot_ns;
	task = &tasks[7];
	fake.saved = NULL;
	prog_on_uring_complete_cqe(NULL, &request, &cqe);
	assert_int_equal(only_key()->origin.task.slot, 7);
	assert_int_equal(only_key()->origin.task.tid, 200);
}

static void requests_without_room_are_lost_and_counted(void **state)
{
	struct io_kiocb requests_now[20] = { 0 }, other = { .opcode = 6 /* poll */ };
	__u32 i;

	(void)state;
	fake.current = task;
	prog_on_uring_submit(&other);
	for (i = 0; i < 20; i++) {
		requests_now[i].opcode = 22;
		prog_on_uring_submit(&requests_now[i]);
	}
	assert_int_equal(ledger_slot(FT_FILE_LOST_REQUESTS), 4);
	for (i = 0; i < 20; i++)
		prog_on_uring_complete(NULL, &requests_now[i], 0, -EIO);
	assert_int_equal(ledger_slot(FT_FIRED), 20);
	assert_int_equal(only_tally()->errors, 16);
	assert_int_equal(only_key()->path, 0);
}

/* --- all of it ----------------------------------------------------------------------------- */

static long random_error(struct fake_map *map, const void *key)
{
	return random_below(30) ? 0 : random_below(2) ? -EBUSY : -E2BIG;
}

static void random_operation(void)
{
	static const long numbers[] = { SYS_read,     SYS_write,    SYS_openat, SYS_fsync,
					SYS_sendfile, SYS_unlinkat, SYS_statx,	SYS_sync,
					SYS_getpid,   SYS_mkdir };
	static char text[64];
	long number = numbers[random_below(10)];
	struct args args = { .a = random_below(70), .b = random_below(70) };

	if (number == SYS_openat || number == SYS_unlinkat || number == SYS_statx) {
		snprintf(text, sizeof(text), "/tmp/%u", random_below(30));
		args.b = random_below(8) ? user_string(text) : 0;
	}
	fake.kernel_reads_fail = false;
	make_stack(0x400000 + 16 * random_below(12));
	if (!random_below(40))
		memset(&saved, 0, sizeof(saved));
	enter(number, args);
	if (!random_below(3))
		prog_on_bio(NULL);
	if (!random_below(50)) {
		prog_on_thread_exit(task);
		return;
	}
	fake.kernel_reads_fail = !random_below(30);
	leave(number, (long)random_below(100) - 20, args);
	fake.kernel_reads_fail = false;
}

static __u64 stack_losses(void)
{
	return ledger_slot(FT_LOST_STACKS_FULL) + ledger_slot(FT_LOST_MAP_BUSY);
}

static void random_fault_or_request(void)
{
	struct file *file = random_below(4) ? tree_fds[random_below(TREE_FDS)] : NULL;
	static struct io_kiocb requests_now[30];
	struct io_kiocb *request = &requests_now[random_below(30)];

	fake.current = task;
	if (random_below(2)) {
		prog_on_fault_begin(0);
		fault(file, random_below(8));
		return;
	}
	request->file = file;
	request->opcode = 20 + random_below(5);
	if (random_below(2))
		prog_on_uring_submit(request);
	if (random_below(2))
		prog_on_uring_complete(NULL, request, 0, (long)random_below(100) - 20);
}

static void open_at_random(void)
{
	static const unsigned short modes[] = { 0100644, 0100644, 0100644, 0040755,
						0140777, 0010600, 0020600, 0060600 };
	char name[16];
	unsigned int fd;

	for (fd = 0; fd < TREE_FDS; fd++) {
		unsigned int sb = random_below(3);

		snprintf(name, sizeof(name), "f%u", fd);
		if (random_below(8))
			tree_open_at(fd,
				     tree_add(tree_mounts[sb].mnt.mnt_root, name, sb,
					      modes[random_below(8)]),
				     sb);
	}
}

/* Sums up a set and empties it, as the loader does. Every stack and path is there, or none is
 * named. */
static __u64 drain(__u32 set)
{
	__u64 sum = 0;
	__u32 i;

	for (i = 0; i < tally_maps[set]->max_entries; i++) {
		struct ft_file_tally *tally = fake_map_value(tally_maps[set], i);

		if (tally)
			sum += tally->n;
	}
	fake_map_resize(tally_maps[set], tally_maps[set]->max_entries);
	fake_map_resize(stack_maps[set], stack_maps[set]->max_entries);
	return sum;
}

static __u64 hist_sum(void)
{
	__u64 sum = 0, in_slots = 0;
	__u32 i, slot;

	for (i = 0; i < hist_map->max_entries; i++) {
		struct ft_file_hist *hist = fake_map_value(hist_map, i);

		for (slot = 0; hist && slot < FT_HIST_SLOTS; slot++)
			in_slots += hist->slots[slot];
		sum += hist ? hist->n : 0;
	}
	assert_int_equal(sum, in_slots);
	return sum;
}

static void choose_filters(__u32 round)
{
	const char *pattern = round % 2 ? "*[0-4]" : "*";
	__u32 i, mark;

	assert_int_equal(glob_compile(&pattern, 1, (struct ft_glob *)&cfg_path), 0);
	cfg_by_path = round % 3 == 1;
	cfg_by_target = round % 4 == 1;
	cfg_stack_min_ns = round % 5 == 1 ? 1u << 20 : 0;
	cfg_slower_ns = round % 6 == 1;
	fake.ring_is_full = round % 12 == 1;
	fake_map_resize(path_map, 20 + random_below(200));
	for (i = 200; i < 200 + TASKS; i++) {
		mark = 1 + random_below(2);
		if (random_below(2))
			bpf_map_update_elem(&targets, &i, &mark, BPF_ANY);
	}
}

static void the_ledger_is_closed_whatever_happens(void **state)
{
	const struct ft_file_kind other = { 0 };
	struct ft_file_hist none = { 0 };
	__u64 drained = 0, ends = 0, apart_unseen = 0;
	__u32 round, i, slot;
	int set;

	(void)state;
	for (set = 0; set < FT_SETS; set++) {
		fake_map_resize(stack_maps[set], 8);
		fake_map_resize(tally_maps[set], 100);
	}
	fake_map_resize(thread_map, TASKS - 2);
	fake_map_resize(request_map, 12);
	fake_map_resize(hist_map, 40);
	cfg_hists_by_dev = 20;
	bpf_map_update_elem(&hists, &other, &none, BPF_ANY);
	tasks[0].tgid = SELF;
	open_at_random();
	for (round = 0; round < 60; round++) {
		fake_on_update = NULL;
		choose_filters(round);
		fake_on_update = round % 2 ? random_error : NULL;
		apart_unseen -= cfg_by_path ? ledger_slot(FT_FILE_FILTERED_APART) : 0;
		for (i = random_below(400); i--;) {
			task = &tasks[random_below(TASKS)];
			fake_cpu = random_below(FAKE_CPUS);
			if (random_below(4))
				random_operation();
			else
				random_fault_or_request();
		}
		apart_unseen += cfg_by_path ? ledger_slot(FT_FILE_FILTERED_APART) : 0;
		active_set = 1 - active_set;
		drained += drain(1 - active_set);
	}
	drained += drain(active_set);
	for (slot = FT_KEPT; slot < FT_LEDGER_SLOTS; slot++)
		ends += ledger_slot(slot);
	assert_int_equal(ends, ledger_slot(FT_FIRED));
	assert_int_equal(ledger_slot(FT_KEPT), drained);
	/* Every latency is in a histogram, but those of what was filtered. */
	assert_int_equal(hist_sum(), drained + ledger_slot(FT_FILE_FILTERED_APART) +
					     stack_losses() + ledger_slot(FT_LOST_COUNTS_FULL) -
					     apart_unseen);
	/* All that can happen did. */
	assert_true(ledger_slot(FT_FIRED) > 5000);
	assert_true(ledger_slot(FT_FILTERED_SELF) && ledger_slot(FT_FILTERED_TARGET));
	assert_true(ledger_slot(FT_LOST_STACKS_FULL) && ledger_slot(FT_LOST_COUNTS_FULL));
	assert_true(ledger_slot(FT_FILE_FILTERED_APART) && ledger_slot(FT_FILE_FILTERED_PATH));
	assert_true(ledger_slot(FT_FILE_LOST_THREADS) && ledger_slot(FT_FILE_LOST_REQUESTS));
	assert_true(notes.hists_full && notes.outliers_lost && notes.stackless &&
		    notes.unfinished && notes.paths_full && notes.paths_unread);
}

static void places_are_given_back(void **state)
{
	__u32 i, n = 0;
	struct sample *all = (void *)fake_map_of(&samples)->values;

	(void)state;
	open_at_random();
	for (i = 0; i < 2000; i++) {
		task = &tasks[random_below(TASKS)];
		random_operation();
		random_fault_or_request();
	}
	for (i = 0; i < SAMPLE_PLACES * FAKE_CPUS; i++)
		n += all[i].users;
	assert_int_equal(n, 0);
	for (i = 0; i < SAMPLE_PLACES; i++)
		assert_non_null(sample_take());
	tree_open_at(5, home_file("notes"), TREE_HOME);
	call(SYS_read, 1, (struct args){ .a = 5 });
	assert_int_equal(ledger_slot(FT_LOST_NESTED), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_read_is_counted_with_its_latency_bytes_and_path),
		TEST(the_same_operation_again_adds_up),
		TEST(calls_that_are_no_operations_cost_nothing),
		TEST(what_began_before_is_not_counted),
		TEST(what_is_about_no_file_has_no_path),
		TEST(what_has_not_ended_when_the_recording_does_is_under_way),
		TEST(a_thread_that_ends_leaves_nothing),
		TEST(a_thread_that_becomes_its_process_leaves_nothing),
		TEST(programs_of_32_bits_are_only_counted),
		TEST(the_device_is_noted_for_the_thread_that_asks_it),
		TEST(sockets_pipes_and_the_like_have_latencies_alone),
		TEST(of_two_descriptors_it_is_the_files),
		TEST(an_open_goes_by_the_file_that_it_opened),
		TEST(what_cannot_be_opened_goes_by_its_name),
		TEST(names_are_relative_to_their_descriptor),
		TEST(no_name_means_the_descriptor),
		TEST(a_name_that_was_longer_before_is_not_mixed_with_it),
		TEST(a_deep_path_is_cut_at_its_beginning),
		TEST(a_long_path_is_cut_at_its_beginning),
		TEST(a_name_that_is_too_long_is_cut_at_its_end),
		TEST(what_is_in_no_directory_has_its_own_name),
		TEST(a_file_that_is_renamed_gets_another_path),
		TEST(only_the_paths_asked_for_are_kept),
		TEST(what_is_cut_may_be_what_was_asked_for),
		TEST(names_are_made_plain),
		TEST(a_name_is_on_what_is_mounted_on_its_way),
		TEST(mounts_without_room_are_counted_by_their_type),
		TEST(when_room_becomes_short_only_paths_are_given_up),
		TEST(fast_operations_may_go_without_their_stack),
		TEST(a_stack_that_cannot_be_had_costs_no_operation),
		TEST(slow_operations_are_sent_one_by_one),
		TEST(slow_operations_are_sent_even_if_their_stack_is_lost),
		TEST(a_major_fault_is_counted_from_where_it_began),
		TEST(a_fault_without_room_for_its_thread_is_lost),
		TEST(a_fault_in_the_kernel_is_part_of_the_call),
		TEST(a_fault_without_a_file_is_apart),
		TEST(a_request_is_its_submitters_whoever_completes_it),
		TEST(operations_are_counted_when_they_end),
		TEST(requests_without_room_are_lost_and_counted),
		TEST(the_ledger_is_closed_whatever_happens),
		TEST(places_are_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * program_tables: a task, and tables for the code that it runs, for programs that take samples of
 * it. The includer has included such a program (x86-64).
 */
#pragma once

#define USER_CS 0x33
#define CODE	0x400000ull /* the table's, at virtual address 0 of the file */
#define LIBRARY 0x500000ull /* pending at first */
#define N_LIST	200

static struct fake_map *ledger_map, *process_map, *stack_map;
static struct mm_struct memory;
static struct task_struct task;
static struct pt_regs saved;

static struct ft_unwind_mapping *mapping(__u32 i)
{
	return bpf_map_lookup_elem(&unwind_mappings, &i);
}

static struct ft_unwind_rule *rule(__u32 i)
{
	return bpf_map_lookup_elem(&unwind_rules, &i);
}

/* 16 bytes and a return address. */
static const struct ft_unwind_rule usual = {
	.cfa = FT_CFA_REG,
	.cfa_reg = FT_X86_RSP,
	.cfa_offset = 16,
	.ra = FT_SAVED_AT_CFA,
	.ra_offset = -8,
};

/* Every 16 bytes of CODE's page have a rule: number 2 and those that follow. */
static void fill_tables(void)
{
	__u32 zero = 0, i;
	struct ft_unwind_page *page = bpf_map_lookup_elem(&unwind_pages, &zero);
	struct ft_unwind_chunk *chunk = bpf_map_lookup_elem(&unwind_chunks, &zero);

	for (i = 0; i < 256; i++)
		chunk->rows[i] = FT_ROW(16 * i, 2 + i);
	*page = (struct ft_unwind_page){ .row = 0, .n = 255 };
	rule(FT_RULE_ROOT)->ra = FT_SAVED_UNDEFINED;
	for (i = 2; i < 258; i++)
		*rule(i) = usual;
	rule(2)->ra = FT_SAVED_UNDEFINED; /* CODE itself is where it starts */
	mapping(0)[0] = (struct ft_unwind_mapping){
		.start = CODE, .end = CODE + 4096, .bias = CODE, .kind = FT_MAPPING_TABLE
	};
	mapping(1)[0] = (struct ft_unwind_mapping){ .start = LIBRARY, .end = LIBRARY + 4096 };
}

static void set_up_program(void)
{
	memset(&fake, 0, sizeof(fake));
	cfg_self_tgid = 100;
	cfg_keep_idle = cfg_by_target = cfg_by_tid = cfg_by_cgroup = cfg_by_comm = 0;
	cfg_pidns_inum = cfg_frame_pointers = 0;
	active_set = 0;
	FAKE_MAP(targets);
	FAKE_MAP(target_tids);
	FAKE_MAP(samples);
	FAKE_MAP(unwind_chunks);
	fake_map_resize(FAKE_MAP(unwind_pages), 4);
	fake_map_resize(FAKE_MAP(unwind_rules), 300);
	fake_map_resize(FAKE_MAP(unwind_mappings), N_LIST);
	process_map = FAKE_MAP(unwind_processes);
	fake_map_resize(process_map, 4);
	ledger_map = FAKE_MAP(ledgers);
	stack_map = FAKE_MAP(stacks_0);
	FAKE_MAP(stacks_1);
	memory = (struct mm_struct){ .start_stack = FAKE_USER_BASE + sizeof(fake.user) - 8,
				     .context.vdso = (void *)0x7fff0000 };
	task = (struct task_struct){
		.pid = 7, .tgid = 7, .mm = &memory, .start_boottime = 1007, .comm = "main"
	};
	task.group_leader = fake.current = &task;
	fake.saved = &saved;
	fill_tables();
}

static struct ft_process *put_process(struct mm_struct *mm, __u32 n)
{
	struct ft_process_key key = { .tgid = 7, .start_ns = 1007 };
	struct ft_process process = { .mm = (uintptr_t)mm, .n = n };

	assert_int_equal(bpf_map_update_elem(&unwind_processes, &key, &process, BPF_ANY), 0);
	return bpf_map_lookup_elem(&unwind_processes, &key);
}

static struct pt_regs make_regs(__u16 cs, __u64 pc, __u32 sp)
{
	struct regs_abi abi = { .ip = pc, .sp = FAKE_USER_BASE + 8ull * sp, .cs = cs, .r12 = 12 };
	struct pt_regs regs = { { 0 } };

	memcpy(&regs, &abi, sizeof(abi));
	return regs;
}

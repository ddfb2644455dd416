/* SPDX-License-Identifier: BSD-2-Clause */
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "tests/walk/walk.h"
#include "user/base/file.h"
#include "user/elf/elf_image.h"
#include "user/elf/vdso.h"

#if defined(__x86_64__)
#define N_REGS 16 /* and rip behind them */
#else
#define N_REGS 32
#endif

struct libdw {
	Dwfl *dwfl;
	const struct dump *now; /* whose stack is read */
	struct frames *frames;
};

/* The vDSO has no file, but libdwfl takes its image. Open as long as the program runs. */
static int find_elf(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
		    char **file_name, Elf **elf)
{
	struct elf_image *image;

	(void)module;
	(void)data;
	(void)base;
	if (strcmp(name, "[vdso]") || vdso_open(&image))
		return -1;
	*elf = take(image->elf);
	elf_image_free(image);
	*file_name = strdup(name);
	return -1;
}

static int find_no_debuginfo(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
			     const char *file, const char *debuglink, GElf_Word crc,
			     char **debuginfo)
{
	(void)module;
	(void)data;
	(void)name;
	(void)base;
	(void)file;
	(void)debuglink;
	(void)crc;
	(void)debuginfo;
	return -1;
}

static const Dwfl_Callbacks callbacks = { .find_elf = find_elf,
					  .find_debuginfo = find_no_debuginfo };

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread_arg)
{
	struct libdw *l = arg;

	(void)dwfl;
	if (*thread_arg)
		return 0;
	*thread_arg = l;
	return l->now->tid;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *arg, void **thread_arg)
{
	(void)dwfl;
	(void)tid;
	*thread_arg = arg;
	return true;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *ret, void *arg)
{
	struct libdw *l = arg;

	(void)dwfl;
	return dump_read(l->now, ret, sizeof(*ret), address);
}

static bool set_registers(Dwfl_Thread *thread, void *arg)
{
	const struct dump *d = ((struct libdw *)arg)->now;
	Dwarf_Word regs[N_REGS + 1];
	size_t i;

	for (i = 0; i < N_REGS; i++)
		regs[i] = d->regs[i];
#if defined(__x86_64__)
	regs[N_REGS] = d->pc;
	return dwfl_thread_state_registers(thread, 0, N_REGS + 1, regs);
#else
	dwfl_thread_state_register_pc(thread, d->pc);
	return dwfl_thread_state_registers(thread, 0, N_REGS, regs);
#endif
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = read_memory,
	.set_initial_registers = set_registers,
};

/* --- modules ------------------------------------------------------------------------------- */

static bool bias_of(const struct mapping *m, uint64_t *ret)
{
	_cleanup_(elf_image_freep) struct elf_image *image = NULL;
	_cleanup_(closep) int fd = open(m->path, O_RDONLY | O_CLOEXEC);
	GElf_Ehdr header;

	if (fd < 0 || elf_image_open(fd, m->path, &image) || !gelf_getehdr(image->elf, &header))
		return false;
	/* A program that maps a part of itself again (node does): libdwfl would not move it. */
	return mapping_bias(m, image, ret) && (header.e_type == ET_DYN || !*ret);
}

/* A file has several executable mappings if it has several such segments: they are one module. */
static bool is_first_of(const struct maps *maps, const struct mapping *m, uint64_t bias)
{
	const struct mapping *other;
	uint64_t its;

	for (other = maps->v; other < m; other++) {
		if (other->ino == m->ino && !strcmp(other->path, m->path) && bias_of(other, &its) &&
		    its == bias)
			return false;
	}
	return true;
}

static void report(Dwfl *dwfl, const struct maps *maps, const struct mapping *m)
{
	uint64_t bias;

	if (!strcmp(m->path, "[vdso]"))
		dwfl_report_module(dwfl, m->path, m->start, m->end);
	else if (m->path[0] == '/' && bias_of(m, &bias) && is_first_of(maps, m, bias))
		dwfl_report_elf(dwfl, m->path, m->path, -1, bias, true);
}

static int libdw_of(const struct dump *d, struct libdw **ret)
{
	struct maps *maps = d->maps;
	struct libdw *l = maps->libdw;
	size_t i;

	if (!l) {
		l = calloc(1, sizeof(*l));
		if (!l)
			return -ENOMEM;
		maps->libdw = l;
		l->dwfl = dwfl_begin(&callbacks);
		if (!l->dwfl)
			return -ENOMEM;
		dwfl_report_begin(l->dwfl);
		for (i = 0; i < maps->n; i++)
			report(l->dwfl, maps, &maps->v[i]);
		dwfl_report_end(l->dwfl, NULL, NULL);
		l->now = d;
		if (!dwfl_attach_state(l->dwfl, NULL, d->pid, &thread_callbacks, l))
			return -ENOMEM;
	}
	*ret = l;
	return 0;
}

void libdw_release(struct maps *maps)
{
	struct libdw *l = maps->libdw;

	if (l && l->dwfl)
		dwfl_end(l->dwfl);
	free(l);
	maps->libdw = NULL;
}

/* --- the walk ------------------------------------------------------------------------------ */

static int on_frame(Dwfl_Frame *frame, void *arg)
{
	struct libdw *l = arg;
	Dwarf_Addr pc;

	if (!dwfl_frame_pc(frame, &pc, NULL))
		return DWARF_CB_ABORT;
	if (l->frames->n == FT_MAX_FRAMES) {
		l->frames->end = FT_END_DEPTH;
		return DWARF_CB_ABORT;
	}
	l->frames->pcs[l->frames->n++] = pc;
	return DWARF_CB_OK;
}

int libdw_walk(const struct dump *dump, struct frames *ret)
{
	struct libdw *l;
	int err = libdw_of(dump, &l), result;
	const char *message;

	if (err)
		return err;
	ret->n = 0;
	ret->end = FT_END_NONE;
	ret->why[0] = '\0';
	l->now = dump;
	l->frames = ret;
	dwfl_errno(); /* forgets an earlier one */
	result = dwfl_getthread_frames(l->dwfl, dump->tid, on_frame, l);
	message = result < 0 ? dwfl_errmsg(-1) : NULL;
	if (message)
		snprintf(ret->why, sizeof(ret->why), "%s", message);
	else if (ret->end != FT_END_DEPTH)
		ret->end = FT_END_ROOT;
	return 0;
}

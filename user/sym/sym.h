/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sym: addresses to names. A symbolizer holds what has been read so far: the kernel's symbols and
 * one table for each ELF file and perf map. It never fails a run: a file that cannot be read has
 * no symbols, is counted, and its code is named "[file+0xoffset]".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/cleanup.h"
#include "user/sym/code_line.h"

enum demangle { DEMANGLE_SHORT, DEMANGLE_FULL, DEMANGLE_NONE };

struct symbolizer_options {
	const char *kallsyms;	     /* NULL: /proc/kallsyms */
	const char *debug_directory; /* NULL: /usr/lib/debug */
	enum demangle demangle;	     /* SHORT leaves out parameters and return types */
	bool no_lines;		     /* neither source lines nor inlined functions */
	uint64_t lines_cpu_ns;	     /* that these may cost; 0: lines_budget.h's default */
	bool no_debuginfod;	     /* although DEBUGINFOD_URLS is set */
};

/* What a name was made from. Strings live as long as the symbolizer. */
struct symbol {
	const char *name;   /* demangled; never NULL: "[module+0x1234]" where there is none */
	const char *module; /* path of the file, "[kernel]", "[vdso]", "[jit]", "[nf_tables]" ... */
	uint64_t offset;    /* of the address in the function, bytes; 0 if unnamed */
	bool named;
	bool is_jit; /* from a perf map */
};

/* An ELF file, or what stands for it, as one process has it mapped. */
struct sym_mapping {
	uint64_t start, end; /* addresses, end exclusive */
	uint64_t pgoff;	     /* file offset of 'start', bytes */
	uint64_t dev, ino;   /* of the file, dev as makedev(3) has it; 0 for anonymous memory */
	uint64_t generation; /* of the inode, 0 if unknown */
	const char
		*path; /* as the kernel gave it: "/usr/bin/x", "[vdso]", "//anon", "x (deleted)" */
	uint32_t pid;  /* of a process that has or had it mapped, in our PID namespace */
	uint8_t build_id[20];
	uint32_t build_id_len; /* 0 if unknown */
	uint64_t image;	       /* when the process began (by fork or exec) to be what it is, in
				* CLOCK_MONOTONIC ns: tells its JIT code from that of others with the PID;
				* 0 if unknown or before all that is known */
};

struct elf_image;
struct symbolizer;

/* 0 or -ENOMEM. Nothing is read yet. */
int symbolizer_new(const struct symbolizer_options *options, struct symbolizer **ret);
void symbolizer_free(struct symbolizer *s);
DEFINE_FREEP(struct symbolizer, symbolizer_free)

/*
 * Opens the file behind a mapping while it can still be opened, and keeps it open: by
 * /proc/PID/map_files (deleted and replaced files too), /proc/PID/root/PATH, /proc/PID/exe, PATH;
 * whichever is the right inode or build ID. Cheap when the file is already known. Also reads the
 * process's perf map when the mapping is anonymous. Failing is not an error here.
 */
void symbolizer_prepare(struct symbolizer *s, const struct sym_mapping *m);

/*
 * Reads PID's perf map again (at most once in a while, if it has grown), so that it is known when
 * the process is gone. Its /tmp is that of the process's own mount namespace and its name has the
 * PID of its innermost PID namespace; it must be a regular file that belongs to the process's user
 * or root. 'image' is that of struct sym_mapping.
 */
void symbolizer_read_perf_map(struct symbolizer *s, uint32_t pid, uint64_t image);

/* The same at once: it is known to have been written just now. */
void symbolizer_read_new_perf_map(struct symbolizer *s, uint32_t pid, uint64_t image);

/* Both always fill *ret. 'address' of a caller's frame is its return address less one. */
void symbolizer_kernel(struct symbolizer *s, uint64_t address, struct symbol *ret);
void symbolizer_user(struct symbolizer *s, const struct sym_mapping *m, uint64_t address,
		     struct symbol *ret);

/*
 * Says that lines will be asked for at a user address. What of one file has been wanted before the
 * first is asked for is read together, which costs much less.
 */
void symbolizer_want_lines(struct symbolizer *s, const struct sym_mapping *m, uint64_t address);

/*
 * The functions that the instruction at a user address is part of, innermost first, their names
 * demangled; how many they are. The last is the one that symbolizer_user() names, if it has a name.
 * 0 if nothing is known, or if the budget is spent. Names live as long as the symbolizer, paths
 * until the next call.
 */
size_t symbolizer_lines(struct symbolizer *s, const struct sym_mapping *m, uint64_t address,
			struct code_line ret[CODE_LINES_MAX]);

/* How that went, in calls of it for code in files. */
struct symbolizer_counts {
	uint64_t addresses, with_lines, with_inlined;
	uint64_t over_budget; /* left as they were, to bound the cost */
	uint64_t debuginfod_found, debuginfod_missing, debuginfod_failed; /* files */
	uint64_t worker_cpu_ns; /* of processes that read lines */
};
struct symbolizer_counts symbolizer_counts(const struct symbolizer *s);

/* Lower-case hexadecimal build ID of the mapping's file, "" if it has none; lives with s. */
const char *symbolizer_build_id(struct symbolizer *s, const struct sym_mapping *m);

/*
 * The ELF file behind a mapping, opened if it can be; NULL if not, and for memory. Lives with s,
 * but its sections can only be read until its symbols are asked for. *ret_id numbers the files from
 * 0 on, with gaps; SYMBOLIZER_NO_FILE for memory.
 */
#define SYMBOLIZER_NO_FILE UINT32_MAX
const struct elf_image *symbolizer_image(struct symbolizer *s, const struct sym_mapping *m,
					 uint32_t *ret_id);

/* Whether the address is in the code where a program of that file starts (around e_entry). */
bool symbolizer_is_entry(struct symbolizer *s, const struct sym_mapping *m, uint64_t address);

/* Files whose symbols could not be read, so far. */
uint64_t symbolizer_files_failed(const struct symbolizer *s);

/* SPDX-License-Identifier: BSD-2-Clause */
/* frame_family: whose code a frame is, by its kind, its module and, without one, its name. */
#pragma once

#include <stdint.h>

enum frame_family {
	FAMILY_USER, /* native code that is none of the others */
	FAMILY_INLINED,
	FAMILY_LIBC,	/* the C library, its loader and threads, the vDSO */
	FAMILY_RUNTIME, /* interpreters, virtual machines, runtime libraries of languages */
	FAMILY_JIT,	/* named by a runtime: compiled by it, or interpreted */
	FAMILY_KERNEL,
	FAMILY_PROCESS, /* no code: a process or thread name */
};

/*
 * 'module' is a path or a file's name, or "". Names in brackets ("[libc.so.6]"), as others put a
 * module in a name's place, are taken for one.
 */
enum frame_family frame_family_of(uint32_t kind, const char *name, const char *module);

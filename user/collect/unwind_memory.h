/* SPDX-License-Identifier: BSD-2-Clause */
/* unwind_memory: how much kernel memory unwinding is given: what the machine runs decides. */
#pragma once

#include <stdint.h>

/* The least that is of use, bytes. */
#define UNWIND_MEMORY_MIN (1ull << 20)

/*
 * Bytes for tables and lists, at most 'limit_bytes' (at least UNWIND_MEMORY_MIN): for the code that
 * all processes have mapped now, and as much again for what is to come. It looks at processes for a
 * few milliseconds; where that was not enough, half of the usual limit is taken.
 */
uint64_t unwind_memory_fitting(uint64_t limit_bytes);

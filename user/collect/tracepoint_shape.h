/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracepoint_shape: what a tracepoint of this kernel hands to its programs, by the kernel's types.
 * Which program fits is chosen by that and never by the kernel's version.
 */
#pragma once

#include <stdbool.h>

struct btf;

/* Arguments of a tracepoint; -1: there is none of that name. */
int tracepoint_arguments(const struct btf *btf, const char *name);

/* Whether there is an argument 'i' (from 0), and it is a pointer. */
bool tracepoint_has_pointer(const struct btf *btf, const char *name, int i);

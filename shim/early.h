/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * early: memory for what is asked for while libc's functions are being looked up, since dlsym() may
 * allocate. Nothing of it is ever used again; frees of it are recognized.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Zeroed; 'align' is a power of two. NULL with ENOMEM when it is used up. */
void *early_alloc(size_t bytes, size_t align);
bool early_has(const void *p);
/* What was asked for. */
size_t early_size(const void *p);

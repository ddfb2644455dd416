/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file_calls: which system calls and which requests of io_uring are operations on files, and what
 * the operations are called.
 */
#pragma once

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/file_wire.h"
#include "user/model/latency.h"

/* By the numbers of this architecture; tables of all zeros are to be filled. */
void file_calls_fill(struct ft_syscall calls[FT_SYSCALLS]);
void file_calls_fill_uring(uint8_t operations[FT_URING_OPCODES]);

/* "read"; "?" for what is none. */
const char *file_operation_name(unsigned int operation);

/* Whether what it returns are bytes of a file. */
bool file_operation_has_bytes(unsigned int operation);

/* What its bytes are. */
enum latency_direction file_operation_direction(unsigned int operation);

/* "file", "directory", "block device", "socket", "pipe", "other" */
const char *file_class_name(unsigned int file_class);

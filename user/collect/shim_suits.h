/* SPDX-License-Identifier: BSD-2-Clause */
/* shim_suits: whether a command can be started with the library of allocations. */
#pragma once

/*
 * The command is looked for as execvp(3) would, and so is what a script names in its first line.
 * What execve(2) would start must be linked dynamically with glibc, for this machine, must get the
 * environment as it is (no set-user-ID, no capabilities that it would gain), and must leave its
 * memory to libc: neither a sanitizer nor an allocator of its own is before the library then. That
 * of a shared library which it needs is asked by the library like libc's.
 *
 * 0, or with a sentence: -ENOTSUP if it cannot; -ENOENT and the like if there is no such command.
 */
int shim_suits(const char *command);

/* The same of one file. */
int shim_suits_file(const char *path);

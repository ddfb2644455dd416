/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lines_cage: a process gives up what it could do harm with. It dies with its parent, has no files
 * but its socket, is nobody if it was root and has no capabilities, cannot be traced or dump core,
 * has bounds for memory, processor time and files, and may call the kernel only for memory, to read
 * what it is sent, and to answer (seccomp(2)): libdw cannot open what a file names. Where the
 * kernel has no seccomp the rest is done all the same.
 */
#pragma once

#include "user/sym/lines_child.h"

/*
 * For a process that was just forked. Memory that is shared with the parent is unmapped. The socket
 * moves to another number. -errno if some right cannot be given up: then it must end.
 */
int lines_cage_enter(int *socket, const struct lines_child_limits *limits);

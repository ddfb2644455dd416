/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * settle: waits until the recorder knows what this process has mapped. Before that it can unwind
 * stacks only late, and few of them: too few where events are many.
 *
 * The recorder keeps a file, 8 bytes: until when, by CLOCK_MONOTONIC in ns, it knows of everything.
 */
#pragma once

#include <stdbool.h>

/*
 * Half a second at most, less if the recorder does not answer; not at all, and false, if its file
 * is gone.
 */
bool settle(const char *path);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * settle: waits until the recorder knows what this process has mapped. Before that it can unwind
 * stacks only late, and few of them: too few where events are many.
 *
 * The recorder keeps a file, 8 bytes: until when, by CLOCK_MONOTONIC in ns, it knows of everything.
 */
#pragma once

/* Half a second at most; not at all if the recorder has gone, and its file with it. */
void settle(const char *path);

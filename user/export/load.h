/* SPDX-License-Identifier: BSD-2-Clause */
/* load: a profile from a file of whichever format, or from a run folder. */
#pragma once

#include "user/export/folded.h"
#include "user/model/profile.h"

/*
 * 'path' is a pprof file, a folded file, a named pipe with either, "-" for standard input, or a run
 * folder, of which it takes the collector named (NULL: the first of cpu, offcpu, alloc, io, file,
 * pagefault, kmem that is there). The format is told by the content: gzip magic or a protobuf's
 * first field mean pprof. *ret_repairs as in folded_read, all zero for other formats. 0 or -errno
 * with a sentence: -ENOENT for a folder without recordings or without that collector's, -EINVAL for
 * a collector's name of other than lower-case letters, digits, '-' and '_'.
 */
int profile_load(const char *path, const char *collector, struct profile **ret,
		 struct folded_repairs *ret_repairs);

/*
 * Whether it is folded stacks, without taking anything of it: a file, or standard input that is one
 * or a pipe. False too for what cannot be told: profile_load() can, or says what is wrong.
 */
bool profile_is_folded(const char *path);

/* The collector that profile_load takes of a run folder if none is named; NULL if it has none. */
const char *profile_default_collector(const char *folder);

/* The others that the run folder has, as "io, file"; "" if there are none. */
void profile_other_collectors(const char *folder, const char *but, char *ret, size_t size);

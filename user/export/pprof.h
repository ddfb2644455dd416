/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pprof: a profile as gzip-compressed protobuf, the form in which it lives on disk, and back.
 * Field numbers are those of profile.proto of github.com/google/pprof (see pprof.proto).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "user/model/profile.h"

/*
 * The whole file in a block of the caller's. The same profile gives the same bytes, and so does
 * what pprof_read makes of them. Text is made valid UTF-8 without control characters; samples that
 * become the same by that are added up. 0 or -errno with a sentence.
 */
int pprof_write(const struct profile *p, void **ret, size_t *ret_len);

/*
 * Reads a pprof file, compressed (also in several gzip members) or not, from anyone; the bytes are
 * hostile: at most PPROF_MAX_BYTES uncompressed and a bounded multiple of its size in memory
 * (-EFBIG), every index and id that is used is checked (-EINVAL), more than PROFILE_MAX_VALUES
 * value types are -E2BIG. What has no name is called "[module+0xoffset]" or "[0xaddress]". Stacks
 * beyond PROFILE_MAX_DEPTH frames are cut at the root's side. 'name' is for sentences.
 */
#define PPROF_MAX_BYTES (1ull << 30)
int pprof_read(const void *data, size_t len, const char *name, struct profile **ret);

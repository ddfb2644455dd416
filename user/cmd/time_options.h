/* SPDX-License-Identifier: BSD-2-Clause */
/* time_options: times on the command line. 0, or -EINVAL/-ERANGE with a sentence that quotes
 * 'what'. */
#pragma once

#include <stdint.h>

#include "user/model/timeline.h"

/* A number with its unit, us, ms or s: "20ms", "1.5s"; in nanoseconds. */
int parse_duration(const char *text, const char *what, uint64_t min_ns, uint64_t max_ns,
		   uint64_t *ret_ns);

/* "2s-5s", "500ms-" or "-1.5s": from when to when. */
int parse_time_range(const char *text, const char *what, struct time_range *ret);

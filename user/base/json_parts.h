/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json_parts: values that all JSON of ours is made of. Each function returns a new
 * reference, or NULL without memory, which json_object_set_new and json_array_append_new pass on
 * as a failure.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

/* Text made valid UTF-8 without control characters; null for NULL. */
json_t *json_part_text(const char *text);

/* A count: an integer, at most 2^63 - 1, which is the most that the library can hold. */
json_t *json_part_count(uint64_t n);

/* The same, and null for 0, which here means that it is not known. */
json_t *json_part_known(uint64_t n);

/* A number: an integer if it is a whole one that a double holds exactly; null if it is not finite.
 */
json_t *json_part_number(double v);

/* A part of a whole, rounded to 6 digits behind the point; null if the whole is 0. */
json_t *json_part_share(double part, double whole);

/* RFC 3339 in UTC to the nanosecond, "2024-05-01T12:34:56.123456789Z"; null for 0. */
json_t *json_part_time(uint64_t ns_since_1970);

/* Back from it; 0 for null and whatever is no such time. */
uint64_t json_time_ns(const json_t *time);

/* The words of a command; null for NULL. */
json_t *json_part_words(char *const *words);

/* The text of a JSON value, indented, with a newline at its end; in a block of the caller's, or
 * NULL. */
char *json_text(const json_t *value);

/* SPDX-License-Identifier: BSD-2-Clause */
/* err: one sentence for people beside the negative errno that functions return. */
#pragma once

/*
 * Records the sentence for this thread, replacing an earlier one, and returns 'err' (a negative
 * errno). %m in 'fmt' is the errno of the moment of the call. Sentences are cut at 1023 bytes;
 * control characters in them are replaced, since they may quote hostile names.
 */
int errf(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts 'fmt' and ": " before the sentence recorded last; returns 'err'. */
int err_prefix(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The sentence recorded last by this thread, "" if there is none. Valid until the next errf. */
const char *err_text(void);

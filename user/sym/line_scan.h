/* SPDX-License-Identifier: BSD-2-Clause */
/* line_scan: the lines of a large text, one after the other, in a buffer of fixed size. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A line longer than this is given cut, without the rest of it. */
#define LINE_SCAN_MAX 16384

struct line_scan {
	int fd;		  /* borrowed; read from where it stands */
	const char *name; /* borrowed; for the sentence */
	char *buffer;
	size_t begin, end;
	bool skipping;
	uint64_t done_bytes; /* up to the end of the last whole line that was given */
};

/* 0 or -ENOMEM. */
int line_scan_init(struct line_scan *scan, int fd, const char *name);
void line_scan_release(struct line_scan *scan);

/*
 * The next line, without its newline and not terminated, valid until the next call. Returns 1, 0
 * at the end, or -errno with a sentence. What follows the last newline is no line: its writer may
 * be in the middle of it.
 */
int line_scan_next(struct line_scan *scan, const char **ret_line, size_t *ret_len);

/*
 * Reads hexadecimal digits, with or without "0x", from *at on; *at is then behind them. False if
 * there is none or if the number has more than 64 bits.
 */
bool line_scan_hex(const char **at, const char *end, uint64_t *ret);

/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/line_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/base/err.h"

#define BUFFER_BYTES ((size_t)4 * LINE_SCAN_MAX)

int line_scan_init(struct line_scan *scan, int fd, const char *name)
{
	*scan = (struct line_scan){ .fd = fd, .name = name, .buffer = malloc(BUFFER_BYTES) };
	return scan->buffer ? 0 : errf(-ENOMEM, "no memory to read '%s'", name);
}

void line_scan_release(struct line_scan *scan)
{
	free(scan->buffer);
	scan->buffer = NULL;
}

/* More bytes behind those that are there; 0 at the end of the file. */
static ssize_t fill(struct line_scan *scan)
{
	ssize_t n;

	if (scan->begin) {
		memmove(scan->buffer, scan->buffer + scan->begin, scan->end - scan->begin);
		scan->end -= scan->begin;
		scan->begin = 0;
	}
	do {
		n = read(scan->fd, scan->buffer + scan->end, BUFFER_BYTES - scan->end);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errf(-errno, "cannot read '%s': %m", scan->name);
	scan->end += n;
	return n;
}

int line_scan_next(struct line_scan *scan, const char **ret_line, size_t *ret_len)
{
	for (;;) {
		char *line = scan->buffer + scan->begin;
		size_t have = scan->end - scan->begin, len;
		char *newline = have ? memchr(line, '\n', have) : NULL;
		bool skipping = scan->skipping;
		ssize_t n;

		if (newline) {
			len = newline - line;
			scan->begin += len + 1;
			scan->done_bytes += len + 1;
			scan->skipping = false;
			if (skipping)
				continue;
			*ret_line = line;
			*ret_len = len < LINE_SCAN_MAX ? len : LINE_SCAN_MAX;
			return 1;
		}
		if (have >= LINE_SCAN_MAX) {
			scan->begin = scan->end;
			scan->done_bytes += have;
			scan->skipping = true;
			if (skipping)
				continue;
			*ret_line = line;
			*ret_len = LINE_SCAN_MAX;
			return 1;
		}
		n = fill(scan);
		if (n <= 0)
			return n;
	}
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool line_scan_hex(const char **at, const char *end, uint64_t *ret)
{
	const char *p = *at, *first;
	uint64_t value = 0;
	int digit;

	if (end - p > 2 && p[0] == '0' && (p[1] | 0x20) == 'x')
		p += 2;
	for (first = p; p < end && (digit = digit_of(*p)) >= 0; p++) {
		if (value >> 60)
			return false;
		value = value << 4 | digit;
	}
	if (p == first)
		return false;
	*at = p;
	*ret = value;
	return true;
}

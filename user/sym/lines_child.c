/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/lines_child.h"

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "user/base/clock.h"
#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/sym/dwarf_lines.h"
#include "user/sym/lines_cage.h"
#include "user/sym/lines_reply.h"

/* A request of many addresses is answered in parts: nobody waits long for one. */
#define SLICE_NS 100000000

struct child {
	int socket;
	uint64_t memory_bytes;
	struct dwarf_lines **files; /* NULL: closed, or never was one */
	size_t n, cap;
	size_t mapped_bytes; /* of all files */
	size_t parents_heap; /* what was in use when it was forked */
	struct lines_request request;
	struct lines_writer reply;
};

static size_t heap_bytes(void)
{
	struct mallinfo2 heap = mallinfo2();

	return heap.uordblks + heap.hblkhd;
}

static void close_others(struct child *c, size_t kept)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		if (i == kept || !c->files[i])
			continue;
		c->mapped_bytes -= dwarf_lines_mapped_bytes(c->files[i]);
		dwarf_lines_free(take(c->files[i]));
	}
}

/* What libdw has read of a file it gives back only with all of it. */
static void close_others_if_scarce(struct child *c, size_t kept)
{
	if (c->mapped_bytes + heap_bytes() - c->parents_heap >= c->memory_bytes / 2)
		close_others(c, kept);
}

static int open_file(struct child *c, const struct lines_request *r, const int fds[2])
{
	struct dwarf_lines *lines;
	int err;

	if (fds[0] < 0 || r->file != c->n || array_reserve(c->files, c->cap, c->n + 1))
		return -ENOMEM;
	err = dwarf_lines_new(fds[0], fds[1], r->values[0], &lines);
	if (err == -ENOMEM && c->mapped_bytes) {
		close_others(c, c->n);
		err = dwarf_lines_new(fds[0], fds[1], r->values[0], &lines);
	}
	if (err)
		return err;
	c->mapped_bytes += dwarf_lines_mapped_bytes(lines);
	c->files[c->n++] = lines;
	return 0;
}

static int find(struct child *c, const struct lines_request *r)
{
	uint64_t until_ns = clock_ns(CLOCK_MONOTONIC) + SLICE_NS;
	struct code_line lines[CODE_LINES_MAX];
	uint32_t i;
	int n;

	close_others_if_scarce(c, r->file);
	if (r->file >= c->n || !c->files[r->file])
		return -ESTALE;
	for (i = 0; i < r->n; i++) {
		n = dwarf_lines_find(c->files[r->file], r->values[i], lines);
		if (n < 0)
			return n;
		if (!lines_writer_add(&c->reply, lines, n) || clock_ns(CLOCK_MONOTONIC) >= until_ns)
			break;
	}
	return 0;
}

static void take_descriptors(struct msghdr *message, int ret[2])
{
	struct cmsghdr *c = CMSG_FIRSTHDR(message);
	size_t n;

	ret[0] = ret[1] = -1;
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return;
	n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(ret, CMSG_DATA(c), (n < 2 ? n : 2) * sizeof(int));
}

/* False when the parent has closed its end. */
static bool receive(struct child *c, int ret_fds[2])
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct iovec part = { &c->request, sizeof(c->request) };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};

	if (recvmsg(c->socket, &message, 0) <= 0)
		return false;
	take_descriptors(&message, ret_fds);
	return true;
}

static bool serve_one(struct child *c)
{
	int fds[2], err;

	if (!receive(c, fds))
		return false;
	lines_writer_begin(&c->reply);
	err = c->request.kind == LINES_OPEN ? open_file(c, &c->request, fds) : find(c, &c->request);
	closep(&fds[0]);
	closep(&fds[1]);
	return lines_writer_send(&c->reply, err, c->socket);
}

void lines_child_run(int socket, const struct lines_child_limits *limits)
{
	struct child *c;

	if (lines_cage_enter(&socket, limits))
		_exit(EPERM);
	c = calloc(1, sizeof(*c));
	if (!c)
		_exit(ENOMEM);
	c->socket = socket;
	c->memory_bytes = limits->memory_bytes;
	c->parents_heap = heap_bytes();
	while (serve_one(c))
		;
	/* Not exit(): what the parent would do at its end is not ours. */
	_exit(0);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/readiness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/bench/pattern.h"
#include "user/bench/repetition.h"

/*
 * Whether somebody listens there. The loopback interface answers at once, unless the queue of who
 * listens is full. A socket that gets the same port by chance would be connected to itself.
 */
static bool is_answered(unsigned int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) }, own = to;
	_cleanup_(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(own), err_len = sizeof(int);
	int err = 0;

	to.sin_addr.s_addr = own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	own.sin_port = 0;
	if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof(own)) ||
	    getsockname(fd, (struct sockaddr *)&own, &len) || own.sin_port == to.sin_port)
		return false;
	if (!connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return true;
	if (errno != EINPROGRESS || poll(&p, 1, 1) <= 0)
		return false;
	return !getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &err_len) && !err;
}

int readiness_init(struct readiness *r, const struct scenario_case *c)
{
	struct stat st;
	int err;

	memset(r, 0, sizeof(*r));
	r->wanted = &c->ready;
	switch (c->ready.kind) {
	case READY_STDOUT:
		err = pattern_compile(c->ready.text, 0, &r->regex);
		if (err)
			return err;
		r->has_regex = true;
		return 0;
	case READY_FILE:
		err = repetition_path(c, c->ready.text, r->path);
		if (err)
			return err;
		/* What an earlier repetition has left says nothing of this one. */
		r->was_there = !stat(r->path, &st);
		if (r->was_there) {
			r->inode = st.st_ino;
			r->changed = st.st_ctim;
		}
		return 0;
	case READY_TCP:
		if (is_answered(c->ready.port))
			return errf(-EADDRINUSE, "port %u is taken before the command has started",
				    c->ready.port);
		return 0;
	case READY_NONE:
		return 0;
	}
	return 0;
}

void readiness_release(struct readiness *r)
{
	if (r->has_regex)
		regfree(&r->regex);
	r->has_regex = false;
}

static bool is_new_file(const struct readiness *r)
{
	struct stat st;

	return !stat(r->path, &st) &&
	       (!r->was_there || st.st_ino != r->inode || st.st_ctim.tv_sec != r->changed.tv_sec ||
		st.st_ctim.tv_nsec != r->changed.tv_nsec);
}

void readiness_look(struct readiness *r, uint64_t elapsed_ns)
{
	if (r->ready_ns)
		return;
	if ((r->wanted->kind == READY_FILE && is_new_file(r)) ||
	    (r->wanted->kind == READY_TCP && is_answered(r->wanted->port)))
		r->ready_ns = elapsed_ns;
}

static void end_line(struct readiness *r, uint64_t elapsed_ns)
{
	r->line[r->len] = '\0';
	r->len = 0;
	if (!r->ready_ns && !regexec(&r->regex, r->line, 0, NULL, 0))
		r->ready_ns = elapsed_ns;
}

void readiness_output(struct readiness *r, const char *data, size_t len, uint64_t elapsed_ns)
{
	size_t i;

	for (i = 0; i < len && !r->ready_ns; i++) {
		if (data[i] == '\n')
			end_line(r, elapsed_ns);
		else if (r->len < READINESS_LINE_MAX)
			r->line[r->len++] = data[i];
	}
}

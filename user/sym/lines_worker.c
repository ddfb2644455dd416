/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/lines_worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "user/base/clock.h"
#include "user/base/err.h"
#include "user/sym/lines_child.h"
#include "user/sym/lines_reply.h"

#define MAX_DEATHS 3

int lines_worker_new(uint64_t cpu_ns, struct lines_worker **ret)
{
	_cleanup_(lines_worker_freep) struct lines_worker *w = calloc(1, sizeof(*w));

	if (w)
		w->socket = -1;
	if (!w || !(w->reply = malloc(LINES_REPLY_MAX)))
		return errf(-ENOMEM, "no memory for source lines");
	if (strtab_init(&w->strings))
		return errf(-ENOMEM, "no memory for source lines");
	lines_budget_init(&w->budget, cpu_ns);
	*ret = take(w);
	return 0;
}

static void stop(struct lines_worker *w)
{
	closep(&w->socket);
	w->socket = -1;
	if (!w->pid)
		return;
	kill(w->pid, SIGKILL);
	while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
		;
	w->pid = 0;
}

void lines_worker_free(struct lines_worker *w)
{
	if (!w)
		return;
	stop(w);
	strtab_release(&w->strings);
	free(w->reply);
	free(w);
}

static int has_died(struct lines_worker *w)
{
	stop(w);
	w->deaths++;
	return errf(-EIO, "reading debug information has ended its process");
}

static int start(struct lines_worker *w)
{
	const struct lines_child_limits limits = {
		.parent = getpid(),
		.memory_bytes = w->budget.bytes,
		.cpu_ns = w->budget.wait_ns,
	};
	int pair[2], room = LINES_REPLY_MAX;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return errf(-errno, "cannot make a socket: %m");
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	pid = fork();
	if (pid == 0)
		lines_child_run(pair[1], &limits);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return errf(-EAGAIN, "cannot fork: %m");
	}
	w->pid = pid;
	w->socket = pair[0];
	w->generation++;
	w->n_files = 0;
	w->cpu_ns = 0;
	return clock_getcpuclockid(pid, &w->cpu_clock) ? has_died(w) : 0;
}

/* --- one request ----------------------------------------------------------------------------- */

static bool send_request(const struct lines_worker *w, const struct lines_request *request,
			 const struct lines_source *source)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = { 0 };
	size_t len = offsetof(struct lines_request, values) + request->n * sizeof(uint64_t);
	struct iovec part = { (void *)request, len };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	int fds[2] = { source->fd, source->alt_fd }, n = source->alt_fd < 0 ? 1 : 2;
	struct cmsghdr *c;

	if (request->kind == LINES_OPEN) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	return sendmsg(w->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
}

/* How long the reply is; 0 if there is none in time. Descriptors in it are not taken. */
static size_t receive_reply(const struct lines_worker *w, uint64_t until_ns)
{
	struct pollfd at = { .fd = w->socket, .events = POLLIN };
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	ssize_t n;

	for (; now < until_ns; now = clock_ns(CLOCK_MONOTONIC)) {
		struct timespec left = { (until_ns - now) / 1000000000,
					 (until_ns - now) % 1000000000 };

		if (ppoll(&at, 1, &left, NULL) <= 0)
			continue;
		n = recv(w->socket, w->reply, LINES_REPLY_MAX, MSG_DONTWAIT | MSG_TRUNC);
		if (n >= 0)
			return n <= (ssize_t)LINES_REPLY_MAX ? n : 0;
		if (errno != EAGAIN && errno != EINTR)
			return 0;
	}
	return 0;
}

static void account(struct lines_worker *w, uint64_t began_ns, size_t bytes)
{
	uint64_t cpu_ns = w->cpu_ns, spent_ns;
	struct timespec ts;

	/* Where SIGCHLD is ignored, one that has died has no clock any more. */
	if (!clock_gettime(w->cpu_clock, &ts))
		cpu_ns = ts.tv_sec * 1000000000ull + ts.tv_nsec;
	spent_ns = cpu_ns > w->cpu_ns ? cpu_ns - w->cpu_ns : 0;
	w->spent_cpu_ns += spent_ns;
	lines_budget_spend(&w->budget, spent_ns, clock_ns(CLOCK_MONOTONIC) - began_ns, bytes);
	w->cpu_ns = cpu_ns;
}

struct taker {
	struct lines_worker *worker;
	struct lines_answers *answers;
};

static int take_answer(void *ctx, const struct code_line *lines, uint32_t n)
{
	struct taker *t = ctx;

	return lines_answers_add(t->answers, &t->worker->strings, lines, n);
}

/* How many answers there were, or as lines_worker_ask(). */
static int ask_once(struct lines_worker *w, const struct lines_request *request,
		    const struct lines_source *source, struct lines_answers *answers)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), wait = w->budget.request_ns;
	uint32_t n_asked = request->kind == LINES_FIND ? request->n : 0;
	struct taker taker = { w, answers };
	size_t len;
	int n;

	if (wait > w->budget.wait_ns)
		wait = w->budget.wait_ns;
	len = send_request(w, request, source) ? receive_reply(w, now + wait) : 0;
	account(w, now, len);
	n = lines_reply_parse(w->reply, len, n_asked, take_answer, &taker);
	return n == -EPROTO ? has_died(w) : n;
}

/* --- all questions of one file --------------------------------------------------------------- */

static int open_source(struct lines_worker *w, struct lines_source *source)
{
	struct lines_request request = { .kind = LINES_OPEN, .n = 1 };
	int err;

	if (!w->pid) {
		err = w->deaths < MAX_DEATHS ? start(w) : -ECHILD;
		if (err)
			return err;
	}
	request.file = w->n_files;
	request.values[0] = w->budget.file_bytes;
	err = ask_once(w, &request, source, NULL);
	if (err)
		return err;
	source->file = w->n_files++;
	source->generation = w->generation;
	return 0;
}

static int ask_some(struct lines_worker *w, struct lines_source *source,
		    struct lines_answers *answers)
{
	size_t left = answers->addresses.n - answers->n;
	struct lines_request request = {
		.kind = LINES_FIND,
		.file = source->file,
		.n = left < LINES_BATCH ? left : LINES_BATCH,
	};

	memcpy(request.values, keyset_key(&answers->addresses, answers->n),
	       request.n * sizeof(uint64_t));
	return ask_once(w, &request, source, answers);
}

int lines_worker_ask(struct lines_worker *w, struct lines_source *source,
		     struct lines_answers *answers)
{
	bool is_stale = false;
	int n;

	while (answers->n < answers->addresses.n) {
		if (lines_budget_is_spent(&w->budget))
			return -EDQUOT;
		n = 0;
		if (!w->pid || source->generation != w->generation)
			n = open_source(w, source);
		if (!n)
			n = ask_some(w, source, answers);
		/* Where memory is scarce it has closed files: this one is opened again. */
		if (n == -ESTALE) {
			if (is_stale)
				return -ENOMEM;
			source->generation = 0;
		} else if (n < 0) {
			return n;
		}
		is_stale = n == -ESTALE;
	}
	return 0;
}

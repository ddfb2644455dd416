/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes the kernel allocate objects of which it is known how many: kobjects N hold|exit
 *
 *	open_eventfds()	opens N eventfds, close_half() closes half of them
 *	open_sockets()	opens N sockets
 *	fill_pipes()	writes a byte into each of N pipes, which takes a page
 *
 * "hold" waits until it is killed then, "exit" ends at once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX 4096

static int eventfds[MAX], sockets[MAX], pipes[MAX][2];

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void open_eventfds(int n)
{
	int i;

	for (i = 0; i < n; i++) {
		eventfds[i] = eventfd(0, 0);
		if (eventfds[i] < 0)
			fail("eventfd");
	}
}

static void close_half(int n)
{
	int i;

	for (i = 0; i < n; i += 2)
		close(eventfds[i]);
}

static void open_sockets(int n)
{
	int i;

	for (i = 0; i < n; i++) {
		sockets[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		if (sockets[i] < 0)
			fail("socket");
	}
}

static void open_pipes(int n)
{
	int i;

	for (i = 0; i < n; i++) {
		if (pipe(pipes[i]))
			fail("pipe");
	}
}

static void fill_pipes(int n)
{
	int i;

	for (i = 0; i < n; i++) {
		if (write(pipes[i][1], "x", 1) != 1)
			fail("write");
	}
}

int main(int argc, char **argv)
{
	struct rlimit limit;
	int n = argc > 1 ? atoi(argv[1]) : 0;

	if (n < 1 || n > MAX || argc < 3)
		return 2;
	if (getrlimit(RLIMIT_NOFILE, &limit))
		fail("getrlimit");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		fail("setrlimit");
	open_eventfds(n);
	open_sockets(n);
	open_pipes(n);
	fill_pipes(n);
	close_half(n);
	if (!strcmp(argv[2], "hold"))
		pause();
	return 0;
}

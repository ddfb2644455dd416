/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slowdisk: a file that takes its time, as the backing file of a loop device whose latency is known
 * and far larger than what system calls and wake-ups add to it. It is a FUSE file system by the
 * protocol alone (include/uapi/linux/fuse.h), in memory.
 *
 *   slowdisk FOLDER BYTES DELAY_US [EVERY SLOW_US]   FOLDER/disk; each EVERYth read or write takes
 *                                                    SLOW_US instead
 *
 * Prints "ready" once it is mounted; SIGTERM unmounts it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define DISK	   2 /* its node; 1 is the folder */
#define MAX_BYTES  (128 << 10)
#define THREADS	   16
#define CACHE_SECS 3600

static int fuse_fd;
static char *disk;
static uint64_t disk_bytes, delay_us, slow_every, slow_us, requests;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void wait_until(struct timespec at, uint64_t us)
{
	uint64_t ns = at.tv_nsec + us * 1000;

	at.tv_sec += ns / 1000000000;
	at.tv_nsec = ns % 1000000000;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

static void delay(struct timespec start)
{
	uint64_t n = __atomic_add_fetch(&requests, 1, __ATOMIC_RELAXED);

	wait_until(start, slow_every && n % slow_every == 0 ? slow_us : delay_us);
}

static void reply(const struct fuse_in_header *in, int error, const void *data, size_t len)
{
	struct fuse_out_header out = { .len = sizeof(out) + len,
				       .error = -error,
				       .unique = in->unique };
	struct iovec parts[] = { { &out, sizeof(out) }, { (void *)data, len } };

	/* The kernel may have given the request up. */
	if (writev(fuse_fd, parts, 2) < 0 && errno != ENOENT)
		fail("reply");
}

static struct fuse_attr attributes(uint64_t node)
{
	struct fuse_attr attr = { .ino = node, .nlink = 1, .blksize = 4096 };

	attr.mode = node == DISK ? S_IFREG | 0600 : S_IFDIR | 0700;
	attr.size = node == DISK ? disk_bytes : 0;
	attr.blocks = attr.size / 512;
	return attr;
}

static void on_init(const struct fuse_in_header *in, const struct fuse_init_in *init)
{
	struct fuse_init_out out = { .major = FUSE_KERNEL_VERSION,
				     .minor = FUSE_KERNEL_MINOR_VERSION,
				     .max_readahead = init->max_readahead,
				     .flags = FUSE_ASYNC_READ | FUSE_BIG_WRITES | FUSE_MAX_PAGES,
				     .max_background = 64,
				     .congestion_threshold = 48,
				     .max_write = MAX_BYTES,
				     .max_pages = MAX_BYTES / 4096 };

	reply(in, 0, &out, sizeof(out));
}

static void on_lookup(const struct fuse_in_header *in, const char *name)
{
	struct fuse_entry_out out = { .nodeid = DISK,
				      .entry_valid = CACHE_SECS,
				      .attr_valid = CACHE_SECS,
				      .attr = attributes(DISK) };

	if (in->nodeid != FUSE_ROOT_ID || strcmp(name, "disk") != 0)
		reply(in, ENOENT, NULL, 0);
	else
		reply(in, 0, &out, sizeof(out));
}

static void on_read(const struct fuse_in_header *in, const struct fuse_read_in *read)
{
	uint64_t at = read->offset < disk_bytes ? read->offset : disk_bytes;
	uint64_t left = disk_bytes - at;

	reply(in, 0, disk + at, read->size < left ? read->size : left);
}

static void on_write(const struct fuse_in_header *in, const struct fuse_write_in *write)
{
	struct fuse_write_out out = { .size = write->size };

	if (write->offset > disk_bytes || write->size > disk_bytes - write->offset) {
		reply(in, ENOSPC, NULL, 0);
		return;
	}
	memcpy(disk + write->offset, write + 1, write->size);
	reply(in, 0, &out, sizeof(out));
}

static void handle(const struct fuse_in_header *in, struct timespec start)
{
	const void *body = in + 1;

	switch (in->opcode) {
	case FUSE_INIT:
		on_init(in, body);
		break;
	case FUSE_LOOKUP:
		on_lookup(in, body);
		break;
	case FUSE_GETATTR:
	case FUSE_SETATTR: {
		struct fuse_attr_out out = { .attr_valid = CACHE_SECS,
					     .attr = attributes(in->nodeid) };
		reply(in, 0, &out, sizeof(out));
		break;
	}
	case FUSE_OPEN: {
		/* Past the page cache, so that each block comes here. */
		struct fuse_open_out out = { .open_flags = FOPEN_DIRECT_IO };
		reply(in, 0, &out, sizeof(out));
		break;
	}
	case FUSE_READ:
		delay(start);
		on_read(in, body);
		break;
	case FUSE_WRITE:
		delay(start);
		on_write(in, body);
		break;
	case FUSE_FLUSH:
	case FUSE_FSYNC:
	case FUSE_RELEASE:
	case FUSE_DESTROY:
		reply(in, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break; /* have no answer */
	default:
		reply(in, ENOSYS, NULL, 0);
	}
}

static void *serve(void *unused)
{
	static const size_t size = MAX_BYTES + 4096 * 2;
	struct fuse_in_header *in = malloc(size);
	struct timespec start;
	ssize_t n;

	prctl(PR_SET_TIMERSLACK, 1);
	if (!in)
		fail("malloc");
	for (;;) {
		n = read(fuse_fd, in, size);
		if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT))
			continue;
		if (n < (ssize_t)sizeof(*in))
			break; /* unmounted: ENODEV */
		clock_gettime(CLOCK_MONOTONIC, &start);
		handle(in, start);
	}
	free(in);
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	char options[128];
	sigset_t signals;
	int i, sig;

	if (argc < 4)
		return 2;
	disk_bytes = strtoull(argv[2], NULL, 0);
	delay_us = strtoull(argv[3], NULL, 0);
	slow_every = argc > 5 ? strtoull(argv[4], NULL, 0) : 0;
	slow_us = argc > 5 ? strtoull(argv[5], NULL, 0) : 0;
	disk = mmap(NULL, disk_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (disk == MAP_FAILED)
		fail("mmap");
	fuse_fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fuse_fd < 0)
		fail("/dev/fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse_fd);
	if (mount("slowdisk", argv[1], "fuse", MS_NOSUID | MS_NODEV, options))
		fail("mount");
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	for (i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], NULL, serve, NULL))
			fail("pthread_create");
	}
	puts("ready");
	fflush(stdout);
	sigwait(&signals, &sig);
	umount2(argv[1], MNT_DETACH);
	return 0;
}

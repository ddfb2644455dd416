/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files: a known number of operations on files of a folder, and what each kind took as seen from
 * outside.
 *
 *   files calls FOLDER      by system calls, on FOLDER/data and others
 *   files faults FOLDER     by touching a mapping of FOLDER/mapped that is not in the page cache
 *   files uring FOLDER      by io_uring, one request at a time, on FOLDER/ring; exit status 77
 *                           where there is no io_uring
 *
 *   {"read": {"path": "/.../data", "operations": N, "bytes": N, "errors": N, "total_ns": N}, ...}
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BLOCK	   4096
#define BLOCKS	   256
#define FAULT_STEP (8 * BLOCK)

static char block[BLOCK] __attribute__((aligned(BLOCK)));
static char folder[4096];

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* One kind of operations; results add up. */
struct kind {
	const char *operation, *path;
	uint64_t operations, bytes, errors, total_ns;
};

#define DO(kind, call)                                 \
	do {                                           \
		uint64_t began_ = now_ns();            \
		long result_ = (call);                 \
                                                       \
		(kind)->total_ns += now_ns() - began_; \
		(kind)->operations++;                  \
		if (result_ < 0)                       \
			(kind)->errors++;              \
		else if ((kind)->bytes != UINT64_MAX)  \
			(kind)->bytes += result_;      \
	} while (0)

static void print(const struct kind *kinds, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const struct kind *k = &kinds[i];

		printf("%s\"%s\": {\"path\": \"%s/%s\", \"operations\": %" PRIu64
		       ", \"bytes\": %" PRIu64 ", \"errors\": %" PRIu64 ", \"total_ns\": %" PRIu64
		       "}",
		       i ? ", " : "{", k->operation, folder, k->path, k->operations,
		       k->bytes == UINT64_MAX ? 0 : k->bytes, k->errors, k->total_ns);
	}
	puts("}");
}

static int open_file(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	if (fd < 0)
		fail(name);
	return fd;
}

/* Operations on what is no file: they are not to be taken for any. */
static void talk(void)
{
	int fds[2], i;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		fail("socketpair");
	for (i = 0; i < 100; i++) {
		if (write(fds[0], block, 8) != 8 || read(fds[1], block, 8) != 8)
			fail("socket");
	}
	if (pipe(fds))
		fail("pipe");
	for (i = 0; i < 100; i++) {
		if (write(fds[1], block, 8) != 8 || read(fds[0], block, 8) != 8)
			fail("pipe");
	}
}

static void calls(void)
{
	enum { WRITE, READ, FSYNC, STAT, ACCESS, MKDIR, UNLINK, RENAME, OPEN, KINDS };
	struct kind k[KINDS] = {
		[WRITE] = { .operation = "write", .path = "data" },
		[READ] = { .operation = "read", .path = "data" },
		[FSYNC] = { .operation = "fsync", .path = "data" },
		[STAT] = { .operation = "stat", .path = "missing" },
		[ACCESS] = { .operation = "access", .path = "data" },
		[MKDIR] = { .operation = "mkdir", .path = "sub" },
		[UNLINK] = { .operation = "unlink", .path = "sub" },
		[RENAME] = { .operation = "rename", .path = "old" },
		[OPEN] = { .operation = "open", .path = "sub/nothing", .bytes = UINT64_MAX },
	};
	struct stat st;
	volatile uintptr_t nowhere = 1;
	int fd = open_file("data"), i;

	for (i = 0; i < BLOCKS; i++)
		DO(&k[WRITE], pwrite(fd, block, BLOCK, (off_t)i * BLOCK));
	for (i = 0; i < 3; i++)
		DO(&k[FSYNC], fsync(fd));
	for (i = 0; i < 1000; i++)
		DO(&k[READ], pread(fd, block, 100, (off_t)i * 1000));
	DO(&k[READ], pread(fd, (void *)nowhere, 100, 0)); /* EFAULT */
	for (i = 0; i < 20; i++)
		DO(&k[STAT], stat("./missing", &st));
	for (i = 0; i < 30; i++)
		DO(&k[ACCESS], access("data", R_OK));
	for (i = 0; i < 5; i++) {
		DO(&k[MKDIR], mkdir("sub", 0755));
		DO(&k[OPEN], open("sub/nothing", O_RDONLY));
		DO(&k[UNLINK], rmdir("sub/../sub"));
		close(open_file("old"));
		DO(&k[RENAME], rename("old", "new"));
	}
	talk();
	print(k, KINDS);
}

/* As the kernel counts them: others may come before or later, as of the program's own pages. */
static void faults(void)
{
	struct kind k = { .operation = "fault", .path = "mapped" };
	size_t size = BLOCKS * BLOCK, i;
	int fd = open_file("mapped"), sum = 0;
	struct rusage before, after;
	const volatile char *at;
	uint64_t began;

	for (i = 0; i < BLOCKS; i++) {
		if (write(fd, block, BLOCK) != BLOCK)
			fail("write");
	}
	if (fsync(fd) || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		fail("fsync");
	at = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED || madvise((void *)(uintptr_t)at, size, MADV_RANDOM))
		fail("mmap");
	getrusage(RUSAGE_SELF, &before);
	began = now_ns();
	for (i = 0; i < size; i += FAULT_STEP)
		sum += at[i];
	k.total_ns = now_ns() - began;
	getrusage(RUSAGE_SELF, &after);
	k.operations = after.ru_majflt - before.ru_majflt;
	if (sum)
		fail("sum");
	print(&k, 1);
}

struct ring {
	int fd;
	char *sq, *cq;
	struct io_uring_sqe *entries;
	struct io_uring_params p;
};

static void ring_open(struct ring *r)
{
	r->fd = syscall(SYS_io_uring_setup, 4, &r->p);
	if (r->fd < 0)
		exit(77);
	r->sq = mmap(NULL, r->p.sq_off.array + r->p.sq_entries * sizeof(uint32_t),
		     PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_SQ_RING);
	r->cq = mmap(NULL, r->p.cq_off.cqes + r->p.cq_entries * sizeof(struct io_uring_cqe),
		     PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_CQ_RING);
	r->entries = mmap(NULL, r->p.sq_entries * sizeof(*r->entries), PROT_READ | PROT_WRITE,
			  MAP_SHARED, r->fd, IORING_OFF_SQES);
	if (r->sq == MAP_FAILED || r->cq == MAP_FAILED || r->entries == MAP_FAILED)
		fail("mmap of io_uring");
}

/* Submits one request, waits for it, and returns its result. */
static long ring_do(struct ring *r, const struct io_uring_sqe *what)
{
	uint32_t *tail = (uint32_t *)(r->sq + r->p.sq_off.tail);
	uint32_t *head = (uint32_t *)(r->cq + r->p.cq_off.head), slot = *tail % r->p.sq_entries;
	struct io_uring_cqe *done = (struct io_uring_cqe *)(r->cq + r->p.cq_off.cqes);
	long result;

	r->entries[slot] = *what;
	((uint32_t *)(r->sq + r->p.sq_off.array))[slot] = slot;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, r->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		fail("io_uring_enter");
	result = done[*head % r->p.cq_entries].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return result;
}

static void uring(void)
{
	struct kind k[] = { { .operation = "write", .path = "ring" },
			    { .operation = "read", .path = "ring" },
			    { .operation = "fsync", .path = "ring" } };
	struct io_uring_sqe what = { .fd = open_file("ring") };
	struct ring r = { 0 };
	int i;

	ring_open(&r);
	for (i = 0; i < 50; i++) {
		what.opcode = IORING_OP_WRITE;
		what.addr = (uintptr_t)block;
		what.len = BLOCK;
		what.off = (uint64_t)i * BLOCK;
		DO(&k[0], ring_do(&r, &what));
		what.opcode = IORING_OP_READ;
		what.len = 100;
		DO(&k[1], ring_do(&r, &what));
	}
	what.opcode = IORING_OP_FSYNC;
	what.addr = what.len = what.off = 0;
	for (i = 0; i < 3; i++)
		DO(&k[2], ring_do(&r, &what));
	print(k, 3);
}

int main(int argc, char **argv)
{
	if (argc != 3 || chdir(argv[2]) || !getcwd(folder, sizeof(folder))) {
		fprintf(stderr, "usage: files calls|faults|uring FOLDER\n");
		return 2;
	}
	if (!strcmp(argv[1], "faults"))
		faults();
	else if (!strcmp(argv[1], "uring"))
		uring();
	else
		calls();
	return 0;
}

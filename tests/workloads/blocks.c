/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blocks: reads and writes blocks of a file or device at random places, one after another, past
 * the page cache, and says in JSON what each kind took as seen from outside.
 *
 *   blocks prepare FILE BYTES                       writes all of it, so that every block is there
 *   blocks read|write|both FILE REQUESTS [BYTES]    blocks of BYTES (4096); both: in turns
 *
 *   {"read": {"requests": N, "bytes": N, "total_ns": N,
 *             "p50_ns": N, "p95_ns": N, "p99_ns": N, "max_ns": N}, "write": ...}
 *
 * A quantile is the smallest latency that so many of all requests do not exceed. The places are the
 * same in each run.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ALIGNMENT   4096 /* what O_DIRECT asks of the address and the place of any device here */
#define CHUNK_BYTES (1 << 20)

struct operation {
	const char *name;
	uint64_t *ns;
	size_t n, bytes;
	uint64_t total_ns;
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* xorshift64* (Vigna 2016): fast, and every block has the same chance. */
static uint64_t next_random(void)
{
	static uint64_t x = 88172645463325252ull;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	return x * 2685821657736338717ull;
}

static void blocks_read(int fd, void *block, size_t bytes, off_t at)
{
	if (pread(fd, block, bytes, at) != (ssize_t)bytes)
		fail("pread");
}

static void blocks_write(int fd, void *block, size_t bytes, off_t at)
{
	if (pwrite(fd, block, bytes, at) != (ssize_t)bytes)
		fail("pwrite");
}

static void prepare(int fd, void *chunk, uint64_t bytes)
{
	uint64_t at, left;

	for (at = 0; at < bytes; at += CHUNK_BYTES) {
		left = bytes - at;
		blocks_write(fd, chunk, left < CHUNK_BYTES ? left : CHUNK_BYTES, at);
	}
	if (fsync(fd))
		fail("fsync");
}

static void run(int fd, void *block, size_t bytes, size_t requests, struct operation *read,
		struct operation *write)
{
	off_t size = lseek(fd, 0, SEEK_END);
	uint64_t blocks = size / bytes, start, ns;
	struct operation *op;
	size_t i;
	off_t at;

	if (size < 0 || !blocks)
		fail("there is no block to use");
	for (i = 0; i < requests; i++) {
		op = !write->ns || (read->ns && i % 2 == 0) ? read : write;
		at = next_random() % blocks * bytes;
		start = now_ns();
		if (op == read)
			blocks_read(fd, block, bytes, at);
		else
			blocks_write(fd, block, bytes, at);
		ns = now_ns() - start;
		op->ns[op->n++] = ns;
		op->bytes += bytes;
		op->total_ns += ns;
	}
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The nearest rank: of 100 values, the 95th is the quantile of 95 %. */
static unsigned long long quantile(const struct operation *op, unsigned int percent)
{
	return op->ns[(op->n * percent + 99) / 100 - 1];
}

static void print(struct operation *op, const char *before)
{
	qsort(op->ns, op->n, sizeof(*op->ns), by_size);
	printf("%s\"%s\": {\"requests\": %zu, \"bytes\": %zu, \"total_ns\": %llu, "
	       "\"p50_ns\": %llu, \"p95_ns\": %llu, \"p99_ns\": %llu, \"max_ns\": %llu}",
	       before, op->name, op->n, op->bytes, (unsigned long long)op->total_ns,
	       quantile(op, 50), quantile(op, 95), quantile(op, 99), quantile(op, 100));
}

int main(int argc, char **argv)
{
	struct operation read = { .name = "read" }, write = { .name = "write" };
	size_t requests, bytes = argc > 4 ? strtoull(argv[4], NULL, 0) : 4096;
	void *memory;
	int fd;

	if (argc < 4 || !bytes || bytes > CHUNK_BYTES || bytes % ALIGNMENT) {
		fputs("blocks prepare FILE BYTES | read|write|both FILE REQUESTS [BYTES]\n",
		      stderr);
		return 2;
	}
	fd = open(argv[2], O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
	if (fd < 0)
		fail(argv[2]);
	if (posix_memalign(&memory, ALIGNMENT, CHUNK_BYTES))
		fail("posix_memalign");
	memset(memory, 'b', CHUNK_BYTES);
	requests = strtoull(argv[3], NULL, 0);
	if (!strcmp(argv[1], "prepare")) {
		prepare(fd, memory, requests);
		return 0;
	}
	if (strcmp(argv[1], "write") != 0)
		read.ns = calloc(requests + 1, sizeof(*read.ns));
	if (strcmp(argv[1], "read") != 0)
		write.ns = calloc(requests + 1, sizeof(*write.ns));
	run(fd, memory, bytes, requests, &read, &write);
	if (read.n)
		print(&read, "{");
	if (write.n)
		print(&write, read.n ? ", " : "{");
	puts(read.n || write.n ? "}" : "{}");
	return 0;
}

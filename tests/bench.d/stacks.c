/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stacks: N distinct folded stacks of a program that does not exist, always the same ones: 20,000
 * functions, each with a few callees of which it calls some more often than others. A stack goes on
 * from a part of the one before, nearly a half of it on average, as those of a real program do. It
 * has 30 frames of 28 bytes, with the separator: 100,000 stacks are 84 MB and make a tree of 1.5
 * million nodes, a million of them are 851 MB and 14.3 million nodes.
 *
 *   stacks [--shuffle] N		to standard output, in random order with --shuffle
 */
#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTIONS   20000
#define MAX_CALLEES 14
#define MAX_DEPTH   58
#define MAX_NAME    64

struct function {
	char name[MAX_NAME]; /* ends in ';' */
	uint8_t len;
	uint8_t n_callees;
	uint16_t callees[MAX_CALLEES];
};

struct stack {
	size_t start; /* in 'frames' */
	uint32_t count;
	uint8_t depth;
};

static struct function functions[FUNCTIONS];
static uint16_t *frames;
static struct stack *stacks;
static size_t n_frames;

/* splitmix64, public domain (Vigna) */
static uint64_t chance(void)
{
	static uint64_t state = 1;
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* 0 to n - 1 */
static uint32_t below(uint32_t n)
{
	return (chance() >> 32) * n >> 32;
}

/* The same, the smaller the likelier: as the square of a uniform number. */
static uint32_t skewed_below(uint32_t n)
{
	double u = (chance() >> 11) * 0x1p-53;

	return u * u * n;
}

static void name_function(struct function *f, unsigned int number)
{
	static const char *const words[] = { "get",	"read",	  "io",	    "parse",  "net",
					     "buffer",	"update", "map",    "lock",   "string",
					     "handler", "do",	  "stream", "object", "iterator",
					     "cache",	"write",  "tree",   "copy",   "allocate" };
	size_t length = 16 + below(19), at = 0;

	while (at + 6 < length)
		at += sprintf(f->name + at, "%s%s", words[below(20)], at || below(4) ? "_" : "::");
	f->len = at + sprintf(f->name + at, "%05u;", number);
}

static void make_program(void)
{
	unsigned int i, k;

	for (i = 0; i < FUNCTIONS; i++) {
		struct function *f = &functions[i];

		name_function(f, i);
		f->n_callees = 1 + skewed_below(MAX_CALLEES - 1);
		for (k = 0; k < f->n_callees; k++)
			f->callees[k] = below(FUNCTIONS);
	}
}

/* --- stacks that are there ------------------------------------------------------------------- */

static uint64_t *seen;
static size_t seen_mask;

static bool is_new(const uint16_t *stack, unsigned int depth)
{
	uint64_t hash = 1;
	unsigned int i;
	size_t at;

	for (i = 0; i < depth; i++)
		hash = (hash ^ (stack[i] + 1u)) * 0x9e3779b97f4a7c15, hash ^= hash >> 29;
	for (at = hash & seen_mask; seen[at]; at = (at + 1) & seen_mask) {
		if (seen[at] == hash)
			return false;
	}
	seen[at] = hash;
	return true;
}

static void *allocate(size_t n, size_t size)
{
	void *block = calloc(n, size);

	if (!block)
		errx(1, "no memory for the stacks");
	return block;
}

static void make_stacks(uint32_t n)
{
	uint16_t stack[MAX_DEPTH] = { 0 };
	unsigned int depth = 1, next;
	uint32_t i = 0;

	for (seen_mask = 64; seen_mask < 2ull * n;)
		seen_mask *= 2;
	seen = allocate(seen_mask--, sizeof(*seen));
	stacks = allocate(n + 1ull, sizeof(*stacks));
	frames = allocate((size_t)n * MAX_DEPTH + 1, sizeof(*frames));
	while (i < n) {
		next = 1 + below((MAX_DEPTH + 1) / 2) + below((MAX_DEPTH + 1) / 2);
		/* All of them begin in main. */
		depth = 1 + below(depth < next ? depth : next);
		for (; depth < next; depth++) {
			const struct function *caller = &functions[stack[depth - 1]];

			stack[depth] = caller->callees[skewed_below(caller->n_callees)];
		}
		if (!is_new(stack, depth))
			continue;
		stacks[i++] = (struct stack){ .start = n_frames,
					      .depth = depth,
					      .count = 1 + skewed_below(200) };
		memcpy(frames + n_frames, stack, depth * sizeof(*stack));
		n_frames += depth;
	}
}

static void shuffle(uint32_t n)
{
	uint32_t i;

	for (i = n; i > 1; i--) {
		uint32_t k = below(i);
		struct stack other = stacks[k];

		stacks[k] = stacks[i - 1];
		stacks[i - 1] = other;
	}
}

static void write_stacks(uint32_t n)
{
	static char block[1 << 16];
	size_t at = 0, k;
	uint32_t i;

	for (i = 0; i < n; i++) {
		for (k = 0; k < stacks[i].depth; k++) {
			const struct function *f = &functions[frames[stacks[i].start + k]];

			memcpy(block + at, f->name, f->len);
			at += f->len;
		}
		at += sprintf(block + at - 1, " %u\n", stacks[i].count) - 1;
		if (at > sizeof(block) - MAX_DEPTH * MAX_NAME - 32 || i + 1 == n) {
			if (fwrite(block, 1, at, stdout) != at)
				err(1, "cannot write");
			at = 0;
		}
	}
}

int main(int argc, char **argv)
{
	bool is_shuffled = argc > 1 && !strcmp(argv[1], "--shuffle");
	char *end = "";
	unsigned long n = 0;

	if (argc == 2 + is_shuffled)
		n = strtoul(argv[1 + is_shuffled], &end, 10);
	if (!n || n > 100000000 || *end) {
		fprintf(stderr, "usage: stacks [--shuffle] N\n");
		return 2;
	}
	make_program();
	make_stacks(n);
	if (is_shuffled)
		shuffle(n);
	write_stacks(n);
	if (fflush(stdout))
		err(1, "cannot write");
	return 0;
}

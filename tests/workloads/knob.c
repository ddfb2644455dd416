/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * knob: does the same work again and again in functions of known shares, each of which can be made
 * dearer. Work is counted in turns of a loop, not in time, so that what is dearer takes longer.
 *
 *   knob [NAME=VALUE]...
 *
 *   rounds=N       of all of it (default 40, about a millisecond each)
 *   compute=X      that function's work, as a factor (default 1; it has 80 % of all)
 *   parse=X        the same; 10 %
 *   render=X       the same; 10 %
 *   sleep_ms=N     in each round it sleeps, too
 *   write_kb=N     in each round it writes so much to 'file' and syncs it
 *   file=PATH
 *   hold_mb=N      memory that it touches and keeps
 *   alloc_kb=N     in each round 'hoard' allocates and frees so much
 *   answer=TEXT    what it says at the end (default 42)
 *   latency=1      prints "latency US us" for each round
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spin.h"

#define TURNS 1250000 /* of a round, when all factors are 1 */

struct knobs {
	double rounds, compute, parse, render, sleep_ms, write_kb, hold_mb, alloc_kb, latency;
	const char *file, *answer;
};

static volatile unsigned long sink;

#define WORK(name)                                                  \
	__attribute__((noinline)) static void name(unsigned long n) \
	{                                                           \
		unsigned long i, v = sink;                          \
                                                                    \
		for (i = 0; i < n; i++)                             \
			v = v * 31 + (v >> 7) + i;                  \
		sink = v;                                           \
	}

WORK(compute)
WORK(parse)
WORK(render)

__attribute__((noinline)) static void hoard(unsigned long kb)
{
	char *block = kb ? malloc(kb << 10) : NULL;

	if (block) {
		memset(block, 1, kb << 10);
		sink += block[kb];
	}
	free(block);
}

__attribute__((noinline)) static void save(int fd, unsigned long kb)
{
	char page[1024] = { 0 };

	while (kb--) {
		if (write(fd, page, sizeof(page)) < 0)
			exit(1);
	}
	fdatasync(fd);
}

__attribute__((noinline)) static void serve(const struct knobs *k, int fd)
{
	parse(k->parse * TURNS / 10);
	compute(k->compute * TURNS * 8 / 10);
	render(k->render * TURNS / 10);
	if (k->alloc_kb)
		hoard(k->alloc_kb);
	if (k->write_kb)
		save(fd, k->write_kb);
	if (k->sleep_ms)
		usleep(k->sleep_ms * 1000);
}

static int set(struct knobs *k, char *word)
{
	const struct {
		const char *name;
		double *number;
		const char **text;
	} all[] = {
		{ "rounds", &k->rounds, NULL },	    { "compute", &k->compute, NULL },
		{ "parse", &k->parse, NULL },	    { "render", &k->render, NULL },
		{ "sleep_ms", &k->sleep_ms, NULL }, { "write_kb", &k->write_kb, NULL },
		{ "hold_mb", &k->hold_mb, NULL },   { "alloc_kb", &k->alloc_kb, NULL },
		{ "latency", &k->latency, NULL },   { "file", NULL, &k->file },
		{ "answer", NULL, &k->answer },
	};
	char *equals = strchr(word, '=');
	size_t i;

	for (i = 0; equals && i < sizeof(all) / sizeof(*all); i++) {
		if (strncmp(word, all[i].name, equals - word) || all[i].name[equals - word])
			continue;
		if (all[i].text)
			*all[i].text = equals + 1;
		else
			*all[i].number = atof(equals + 1);
		return 0;
	}
	fprintf(stderr, "knob: what is '%s'?\n", word);
	return 2;
}

int main(int argc, char **argv)
{
	struct knobs k = { .rounds = 40,
			   .compute = 1,
			   .parse = 1,
			   .render = 1,
			   .file = "/dev/null",
			   .answer = "42" };
	char *held;
	double i, began;
	int fd, err;

	for (; argc > 1; argc--) {
		err = set(&k, argv[argc - 1]);
		if (err)
			return err;
	}
	fd = open(k.file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	held = malloc((size_t)(k.hold_mb * (1 << 20)) + 1);
	if (fd < 0 || !held)
		return 1;
	memset(held, 1, (size_t)(k.hold_mb * (1 << 20)) + 1);
	for (i = 0; i < k.rounds; i++) {
		began = now();
		serve(&k, fd);
		if (k.latency)
			printf("latency %.3f us\n", (now() - began) * 1e6);
	}
	printf("rounds %g count\nanswer %s\n", k.rounds, k.answer);
	sink += held[0];
	free(held);
	close(fd);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stacks: works in as many different stacks as there are samples: a walk down a binary tree of
 * calls, left or right at random, 24 levels deep, with a little work at the end of each.
 *
 *   stacks SECONDS
 */
#include <stdlib.h>

#include "spin.h"

#define LEVELS 24

static volatile unsigned long sink;

void turn_left(unsigned int way, int level);
void turn_right(unsigned int way, int level);

static void turn(unsigned int way, int level)
{
	unsigned int i;

	if (level == LEVELS) {
		for (i = 0; i < 2000; i++)
			sink = sink * 31 + i;
	} else if (way >> level & 1) {
		turn_right(way, level + 1);
	} else {
		turn_left(way, level + 1);
	}
}

void turn_left(unsigned int way, int level)
{
	turn(way, level);
	sink++;
}

void turn_right(unsigned int way, int level)
{
	turn(way, level);
	sink += 2;
}

int main(int argc, char **argv)
{
	double until = now() + (argc > 1 ? atof(argv[1]) : 1);
	unsigned long way = 1;

	while (now() < until) {
		/* A linear congruential generator's upper bits (Knuth's MMIX constants). */
		way = way * 6364136223846793005ul + 1442695040888963407ul;
		turn(way >> 32, 0);
	}
	return 0;
}

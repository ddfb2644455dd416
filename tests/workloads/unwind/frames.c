/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frames: works below frames whose size only the running program knows: one of alloca(), one that
 * is aligned to 64 bytes, and one that is both (where the compiler keeps the caller's stack pointer
 * in a register of its own, and says so by expressions). main, grows, aligns, aligns_and_grows,
 * frames_burn.
 *
 *   frames SECONDS
 */
#include <alloca.h>
#include <stdalign.h>
#include <string.h>

#include "chain.h"

BURN(frames_burn)

static volatile unsigned long sink;

static NOINLINE void aligns_and_grows(size_t n, double seconds)
{
	alignas(64) unsigned char block[192];
	unsigned char *more = alloca(n);

	memset(block, (int)n, sizeof(block));
	memset(more, (int)n, n);
	__asm__ volatile("" : : "r"(block), "r"(more) : "memory");
	frames_burn(seconds);
	sink += block[n % sizeof(block)] + more[n - 1];
}

static NOINLINE void aligns(size_t n, double seconds)
{
	alignas(64) unsigned char block[128];

	memset(block, (int)n, sizeof(block));
	__asm__ volatile("" : : "r"(block) : "memory");
	aligns_and_grows(n + block[n % sizeof(block)], seconds);
	sink += block[n % sizeof(block)];
}

static NOINLINE void grows(size_t n, double seconds)
{
	unsigned char *more = alloca(n);

	memset(more, 1, n);
	__asm__ volatile("" : : "r"(more) : "memory");
	aligns(n + more[n - 1], seconds);
	sink += more[n - 1];
}

int main(int argc, char **argv)
{
	double until = cpu_now() + seconds_of(argc, argv);
	size_t n = 1;

	while (cpu_now() < until) {
		n = n * 31 % 997 + 1;
		grows(n, 0.002);
	}
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jit: what a JIT compiler does: writes two functions into anonymous memory, names them in
 * /tmp/perf-PID.map, and spends 75 and 25 % of its CPU time in jit_three_quarters and jit_quarter.
 *
 *   jit SECONDS [no-map]	with "no-map" it names nothing
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "spin.h"

/* void f(unsigned long n): counts n down to 0, with a frame record. */
#if defined(__x86_64__)
static const unsigned char code[] = {
	0x55,		  /* push %rbp */
	0x48, 0x89, 0xe5, /* mov %rsp, %rbp */
	0x48, 0xff, 0xcf, /* 1: dec %rdi */
	0x75, 0xfb,	  /* jnz 1b */
	0x5d,		  /* pop %rbp */
	0xc3,		  /* ret */
};
#elif defined(__aarch64__)
static const unsigned int code[] = {
	0xa9bf7bfd, /* stp x29, x30, [sp, #-16]! */
	0x910003fd, /* mov x29, sp */
	0xf1000400, /* 1: subs x0, x0, #1 */
	0x54ffffe1, /* b.ne 1b */
	0xa8c17bfd, /* ldp x29, x30, [sp], #16 */
	0xd65f03c0, /* ret */
};
#else
#error "no code for this architecture"
#endif

#define ROOM 256 /* bytes for each function */

typedef void function(unsigned long n);

static void spend(function *f, double seconds)
{
	double end = thread_cpu() + seconds;

	do {
		f(50000);
	} while (thread_cpu() < end);
}

static function *write_function(unsigned char *at, FILE *map, const char *name)
{
	memcpy(at, code, sizeof(code));
	__builtin___clear_cache((char *)at, (char *)at + sizeof(code));
	if (map)
		fprintf(map, "%lx %zx %s\n", (unsigned long)at, sizeof(code), name);
	return (function *)at;
}

int main(int argc, char **argv)
{
	double until = now() + (argc > 1 ? atof(argv[1]) : 2);
	function *three_quarters, *quarter;
	unsigned char *memory;
	FILE *map = NULL;
	char path[64];

	snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
	memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	if (argc < 3)
		map = fopen(path, "we");
	if (memory == MAP_FAILED || (argc < 3 && !map)) {
		perror("jit");
		return 1;
	}
	three_quarters = write_function(memory, map, "jit_three_quarters");
	quarter = write_function(memory + ROOM, map, "jit_quarter");
	if (map)
		fclose(map);
	while (now() < until) {
		spend(three_quarters, 0.0075);
		spend(quarter, 0.0025);
	}
	if (map)
		unlink(path);
	return 0;
}

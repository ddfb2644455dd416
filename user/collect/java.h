/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * java: asks the JVMs that were sampled to write down what they have compiled, into the perf map
 * that is then read like any other: "jcmd PID Compiler.perfmap" (JDK 17 and later), the JVM's own
 * jcmd, as its user. Once a second after it was first seen, then after 2, 4, 8, ... seconds more,
 * and at the end: what a JVM that ends by itself compiled last is not known. A JVM in another mount
 * or user namespace is not asked: its jcmd is not one that this host should run.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "user/collect/processes.h"
#include "user/sym/sym.h"

struct java_vm {
	uint32_t pid;
	uint64_t image;	   /* of the process, as processes_since() */
	char *jcmd;	   /* NULL: it cannot be asked */
	uint64_t due_ns;   /* CLOCK_MONOTONIC: when it is asked next */
	uint64_t pause_ns; /* before the time after that */
	pid_t child;	   /* that asks it now, or 0 */
	uint64_t until_ns; /* how long that may take */
};

struct java_maps {
	struct java_vm *vms;
	size_t n, cap;
	uint64_t written; /* requests that were answered */
	uint64_t failed;  /* that were not, and JVMs that could not be asked */
};

void java_maps_init(struct java_maps *java);
/* Ends the children that still run. */
void java_maps_release(struct java_maps *java);

/* Takes the process in if it is a JVM, by its mappings (libjvm.so). */
void java_maps_look(struct java_maps *java, struct processes *processes, uint32_t pid);

/* Now and then: asks who is due, and has read what was written. Does not wait. */
void java_maps_tick(struct java_maps *java, const struct processes *processes,
		    struct symbolizer *symbolizer);

/* Asks all that live once more and waits, ten seconds at most. */
void java_maps_finish(struct java_maps *java, const struct processes *processes,
		      struct symbolizer *symbolizer);

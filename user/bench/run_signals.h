/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_signals: what a process is while it runs scenarios: a subreaper that hears SIGINT, SIGQUIT,
 * SIGTERM and SIGHUP by a descriptor; and what it was before.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>

struct run_signals {
	int fd; /* readable when one has come */
	int was_subreaper;
	sigset_t mask;
	struct sigaction child;
};

/* 0 or -errno with a sentence. */
int run_signals_init(struct run_signals *s);

/* Takes those that have come; whether there were any. */
bool run_signals_take(struct run_signals *s);

/* Those that come until then are taken, too: they were meant for the run. */
void run_signals_release(struct run_signals *s);

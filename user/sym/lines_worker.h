/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lines_worker: a process that reads debug information with libdw for us. Files are hostile, and
 * libdw opens others that they name, may never end, and takes what memory there is: so this is
 * done where it can do no harm (lines_cage.h), one process for a run, begun when a line is first
 * asked for. One that dies, is late, or says what no reply is, is killed; that file has failed, and
 * the next gets a new one. After three such deaths there is none any more.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "user/base/cleanup.h"
#include "user/base/strtab.h"
#include "user/sym/lines_answers.h"
#include "user/sym/lines_budget.h"

/* A file with debug information. */
struct lines_source {
	int fd, alt_fd;	     /* open as long as it is asked for; alt_fd is -1 if it needs none */
	uint32_t file;	     /* the worker's number of it, */
	uint32_t generation; /* and which worker has opened it; 0: none yet */
};

struct lines_worker {
	struct lines_budget budget;
	struct strtab strings; /* of all answers */
	pid_t pid;	       /* 0: there is none now */
	int socket;
	clockid_t cpu_clock;
	uint64_t cpu_ns;       /* on it, when it was last looked at */
	uint64_t spent_cpu_ns; /* by all of them */
	uint32_t generation;
	uint32_t n_files; /* that it has opened */
	unsigned int deaths;
	char *reply;
};

/* 'cpu_ns' as in lines_budget_init(). 0 or -ENOMEM. Nothing is started yet. */
int lines_worker_new(uint64_t cpu_ns, struct lines_worker **ret);
/* Ends the process, too. */
void lines_worker_free(struct lines_worker *worker);
DEFINE_FREEP(struct lines_worker, lines_worker_free)

/*
 * Asks for all addresses that have no answer yet. 0; -EDQUOT if the budget did not allow to look at
 * the rest, -EFBIG if the file is too large for it, -EINVAL if it is broken, -ENOMEM, -EIO if the
 * worker did not survive it, -ECHILD if there is none any more.
 */
int lines_worker_ask(struct lines_worker *worker, struct lines_source *source,
		     struct lines_answers *answers);

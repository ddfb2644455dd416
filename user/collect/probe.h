/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe: what this host lets us do. Everything is tried, not guessed from a version: programs are
 * loaded and attached, helpers called in a program that must load, maps created, events opened.
 * Nothing is mounted or changed, and all that was made is gone afterwards.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "user/base/cleanup.h"

enum probe_state {
	PROBE_OK,
	PROBE_DEGRADED, /* not as good as it could be, or replaced by something lesser */
	PROBE_MISSING,
};

enum probe_need {
	PROBE_REQUIRED,	   /* without it the cpu collector records nothing */
	PROBE_WANTED,	   /* without it the cpu collector records less, or knows less of itself */
	PROBE_INFORMATION, /* only told: always PROBE_OK */
};

struct probe_check {
	const char *id;	   /* literal, for programs: "program.perf_event" */
	const char *group; /* literal: "programs"; checks of one group stand together */
	const char *title; /* literal: "perf_event" */
	enum probe_need need;
	enum probe_state state;
	char *found;   /* owned, as are the next two */
	char *meaning; /* a sentence; NULL if the state is PROBE_OK */
	char *mend;    /* a sentence; NULL if the state is PROBE_OK or there is no mend */
};

struct probe_report {
	struct probe_check *checks;
	size_t n, cap;
	int can_record;	    /* 0, -EPERM or -ENOSYS */
	char *cause, *mend; /* why it cannot, in words without a stop; else NULL. Owned */
};

/* Literals: "ok", "degraded", "missing"; "required", "wanted", "information". */
const char *probe_state_name(enum probe_state state);
const char *probe_need_name(enum probe_need need);

/* Probes all there is to probe; takes some tens of milliseconds. -ENOMEM with a sentence. */
int probe_report_new(struct probe_report **ret);
void probe_report_free(struct probe_report *report);
DEFINE_FREEP(struct probe_report, probe_report_free)

/* How many checks are in that state. */
unsigned int probe_report_count(const struct probe_report *report, enum probe_state state);

/*
 * Whether the cpu collector can record here: 0; or -EPERM (rights) or -ENOSYS (the kernel) with one
 * sentence that names the cause and its mend. Probes everything: for when loading has failed.
 */
int probe_can_record(void);

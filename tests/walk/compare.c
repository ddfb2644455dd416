/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk_compare: walks the same dumps of a running command by fathom's tables and by libdw, and says
 * where the two differ.
 *
 *   walk_compare [OPTION]... -- COMMAND...
 *	-r HZ	  dumps per second of CPU time (default: 199)
 *	-n COUNT  so many dumps at most; the command is ended then (default: 1000)
 *	-k BYTES  of the stack in each dump (default: 61440)
 *	-s MS	  none in the command's first milliseconds
 *	-c COMM	  only of threads of that name
 *	-w FILE	  writes one of the dumps there, for tests/native/test_unwind.c: one that both walks
 *		  know the whole stack of, and has a step of the kind that -i names
 *	-i KIND	  any (the default), signal, deref, plt, expression (of a register), register (the
 *		  CFA is in another than the usual ones), no-cfi
 *	-t TEXT	  what that one is, for people
 *	-v	  prints each stack that differs
 *
 * Prints "name value" lines, then a line for each kind of difference:
 *   difference COUNT KIND at FILE+0xADDRESS: RULE; fathom ended by CAUSE, libdw by REASON
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "tests/walk/walk.h"
#include "tests/walk/write.h"
#include "user/base/array.h"
#include "user/base/err.h"
#include "user/model/summary.h"

#define MAX_DIFFERENCES 4096

struct difference {
	char text[320];
	unsigned long n;
};

enum verdict { IDENTICAL, OURS_LONGER, LIBDW_LONGER, DIFFERING, VERDICTS };
static const char *const verdict_names[VERDICTS] = { "identical", "ours_longer", "libdw_longer",
						     "differing" };

struct comparison {
	unsigned long n[VERDICTS], ours_complete, libdw_complete;
	double ours_frames, libdw_frames;
	struct difference *differences;
	size_t n_differences;
};

static enum verdict judge(const struct frames *ours, const struct frames *libdw, uint32_t *ret_same)
{
	uint32_t same = 0;

	while (same < ours->n && same < libdw->n && ours->pcs[same] == libdw->pcs[same])
		same++;
	*ret_same = same;
	if (same == ours->n && same == libdw->n)
		return IDENTICAL;
	if (same == libdw->n)
		return OURS_LONGER;
	return same == ours->n ? LIBDW_LONGER : DIFFERING;
}

static const char *end_name(uint32_t end)
{
	return end < STACK_ENDS ? stack_end_names[end] : "a null pointer";
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void explain_rule(const struct ft_unwind_rule *r, char *text, size_t size)
{
	if (!r) {
		snprintf(text, size, "no table");
		return;
	}
	snprintf(text, size, "cfa %d%s r%d%+d%+d, ra %d %+d, fp %d %+d, bx %d %+d",
		 r->cfa & FT_CFA_KIND, r->cfa & FT_CFA_SIGNAL ? " signal" : "", r->cfa_reg,
		 r->cfa_offset, r->cfa_add, r->ra, r->ra_offset, r->fp_bx & 15, r->fp_offset,
		 r->fp_bx >> 4, r->bx_offset);
}

/* The frame whose rule both have last agreed on before they parted. */
static void describe(struct own_tables *tables, const struct dump *d, const struct frames *ours,
		     const struct frames *libdw, uint32_t same, enum verdict verdict, char *text,
		     size_t size)
{
	/* The innermost pc of both is the dump's. */
	uint64_t pc = ours->pcs[same - 1] - (same > 1);
	struct own_place place;
	char rule[128];

	own_find(tables, d, pc, &place);
	explain_rule(place.rule, rule, sizeof(rule));
	snprintf(text, size, "%s at %s+0x%" PRIx64 "%s: %s; fathom ended by %s, libdw by %s",
		 verdict_names[verdict], place.file ? base_name(place.file->path) : "nothing",
		 place.page   ? place.address
		 : place.file ? pc - place.file->start
			      : pc,
		 same == 1 ? " (innermost)" : "", rule, end_name(ours->end),
		 libdw->why[0] ? libdw->why : "its root");
}

static void count_difference(struct comparison *c, const char *text)
{
	size_t i;

	for (i = 0; i < c->n_differences; i++) {
		if (!strcmp(c->differences[i].text, text)) {
			c->differences[i].n++;
			return;
		}
	}
	if (c->n_differences < MAX_DIFFERENCES) {
		snprintf(c->differences[i].text, sizeof(c->differences[i].text), "%s", text);
		c->differences[i].n = 1;
		c->n_differences++;
	}
}

static void print_frames(struct own_tables *tables, const struct dump *d, const char *whose,
			 const struct frames *f)
{
	struct own_place place;
	uint32_t i;

	for (i = 0; i < f->n; i++) {
		own_find(tables, d, f->pcs[i] - (i > 0), &place);
		printf("  %s %3u %016" PRIx64 " %s+0x%" PRIx64 "\n", whose, i, f->pcs[i],
		       place.file ? base_name(place.file->path) : "nothing",
		       place.page ? place.address + (i > 0) : 0);
	}
}

static int compare_one(struct own_tables *tables, const struct dump *d, bool verbose,
		       struct comparison *c)
{
	struct frames ours = { .n = 0 }, libdw = { .n = 0 };
	enum verdict verdict;
	char text[320];
	uint32_t same;
	int err = own_walk(tables, d, NULL, &ours);

	if (!err)
		err = libdw_walk(d, &libdw);
	if (err)
		return err;
	verdict = judge(&ours, &libdw, &same);
	c->n[verdict]++;
	c->ours_complete += ours.end == FT_END_ROOT || ours.end == FT_END_NULL;
	c->libdw_complete += libdw.end == FT_END_ROOT;
	c->ours_frames += ours.n;
	c->libdw_frames += libdw.n;
	if (verdict == IDENTICAL && (ours.end == FT_END_ROOT || ours.end == FT_END_NULL))
		return 0;
	describe(tables, d, &ours, &libdw, same ? same : 1, verdict, text, sizeof(text));
	count_difference(c, text);
	if (verbose && verdict != IDENTICAL) {
		printf("%s\n", text);
		print_frames(tables, d, "fathom", &ours);
		print_frames(tables, d, "libdw ", &libdw);
	}
	return 0;
}

static int by_count(const void *a, const void *b)
{
	const struct difference *x = a, *y = b;

	return x->n < y->n ? 1 : x->n > y->n ? -1 : strcmp(x->text, y->text);
}

static void print_comparison(struct comparison *c, const struct dumps *dumps)
{
	size_t i;

	printf("samples %zu\ngone %zu\n", dumps->n, dumps->gone);
	for (i = 0; i < VERDICTS; i++)
		printf("%s %lu\n", verdict_names[i], c->n[i]);
	printf("ours_complete %lu\nlibdw_complete %lu\n", c->ours_complete, c->libdw_complete);
	printf("ours_frames %.2f\nlibdw_frames %.2f\n", dumps->n ? c->ours_frames / dumps->n : 0,
	       dumps->n ? c->libdw_frames / dumps->n : 0);
	qsort(c->differences, c->n_differences, sizeof(*c->differences), by_count);
	for (i = 0; i < c->n_differences; i++)
		printf("difference %lu %s\n", c->differences[i].n, c->differences[i].text);
}

/* --- one to keep -------------------------------------------------------------------------- */

struct step_search {
	struct own_tables *tables;
	const struct dump *dump;
	const char *kind;
	bool found;
};

static bool rule_is(const struct ft_unwind_rule *r, const char *kind)
{
	uint32_t fp = r->fp_bx & 15;

	if (!strcmp(kind, "signal"))
		return r->cfa & FT_CFA_SIGNAL;
	if (!strcmp(kind, "deref"))
		return (r->cfa & FT_CFA_KIND) == FT_CFA_DEREF;
	if (!strcmp(kind, "plt"))
		return (r->cfa & FT_CFA_KIND) == FT_CFA_PLT;
	if (!strcmp(kind, "expression"))
		return fp == FT_SAVED_AT_FP || fp == FT_SAVED_AT_SP;
	if (!strcmp(kind, "register"))
		return (r->cfa & FT_CFA_KIND) == FT_CFA_REG && r->cfa_reg != FT_X86_RSP &&
		       r->cfa_reg != FT_X86_RBP && r->cfa_reg != FT_ARM64_FP &&
		       r->cfa_reg != FT_ARM64_SP;
	return !strcmp(kind, "any") ||
	       (!strcmp(kind, "no-cfi") && (r->cfa & FT_CFA_KIND) == FT_CFA_NONE);
}

static void look_at_step(void *ctx, uint64_t pc)
{
	struct step_search *s = ctx;
	struct own_place place;

	own_find(s->tables, s->dump, pc, &place);
	s->found |= place.rule && rule_is(place.rule, s->kind);
}

static bool is_one_to_keep(struct own_tables *tables, const struct dump *d, const char *kind)
{
	struct step_search search = { .tables = tables, .dump = d, .kind = kind };
	struct own_watcher watcher = { .ctx = &search, .on_step = look_at_step };
	struct frames ours, libdw;
	uint32_t same;

	return !own_walk(tables, d, &watcher, &ours) && !libdw_walk(d, &libdw) && search.found &&
	       judge(&ours, &libdw, &same) == IDENTICAL &&
	       (ours.end == FT_END_ROOT || ours.end == FT_END_NULL) && libdw.end == FT_END_ROOT;
}

struct arguments {
	struct dump_options take;
	const char *write, *text, *kind;
	bool verbose;
	char **command;
};

static int parse(int argc, char **argv, struct arguments *ret)
{
	struct arguments a = { .take = { .rate_hz = 199, .max = 1000, .stack_bytes = 61440 },
			       .text = "",
			       .kind = "any" };
	int c;

	while ((c = getopt(argc, argv, "+r:n:k:s:c:w:i:t:v")) != -1) {
		switch (c) {
		case 'r':
			a.take.rate_hz = atoi(optarg);
			break;
		case 'n':
			a.take.max = strtoul(optarg, NULL, 10);
			break;
		case 'k':
			a.take.stack_bytes = atoi(optarg) & ~7;
			break;
		case 's':
			a.take.skip_ms = atoi(optarg);
			break;
		case 'c':
			a.take.comm = optarg;
			break;
		case 'w':
			a.write = optarg;
			break;
		case 'i':
			a.kind = optarg;
			break;
		case 't':
			a.text = optarg;
			break;
		case 'v':
			a.verbose = true;
			break;
		default:
			return -EINVAL;
		}
	}
	a.command = argv + optind;
	*ret = a;
	return *a.command ? 0 : -EINVAL;
}

static int keep_one(const struct arguments *a, struct own_tables *tables, const struct dumps *dumps)
{
	size_t i;

	for (i = 0; i < dumps->n; i++) {
		if (is_one_to_keep(tables, &dumps->v[i], a->kind))
			return dump_write(a->write, a->text, tables, &dumps->v[i]);
	}
	return errf(-ENOENT, "no dump has a step of the kind '%s'", a->kind);
}

static int compare_all(const struct arguments *a, struct own_tables *tables,
		       const struct dumps *dumps, struct comparison *c)
{
	size_t i;
	int err = 0;

	for (i = 0; i < dumps->n && !err; i++) {
		/* libdw keeps the files of each process open. */
		if (i && dumps->v[i].maps != dumps->v[i - 1].maps)
			libdw_release(dumps->v[i - 1].maps);
		err = compare_one(tables, &dumps->v[i], a->verbose, c);
	}
	return err;
}

/* What the command prints is not ours to print. */
static int take_silently(const struct arguments *a, struct dumps *ret)
{
	_cleanup_(closep) int mine = dup(STDOUT_FILENO), none = open("/dev/null", O_WRONLY);
	int err;

	if (mine < 0 || none < 0 || dup2(none, STDOUT_FILENO) < 0)
		return errf(-errno, "cannot redirect the command's output: %m");
	err = dumps_take(&a->take, a->command, ret);
	if (dup2(mine, STDOUT_FILENO) < 0)
		return errf(-errno, "cannot print any more: %m");
	return err;
}

static int run(const struct arguments *a)
{
	_cleanup_(own_tables_freep) struct own_tables *tables = NULL;
	_cleanup_(dumps_release) struct dumps dumps = { 0 };
	_cleanup_(freep) struct difference *differences =
		calloc(MAX_DIFFERENCES, sizeof(*differences));
	struct comparison c = { .differences = differences };
	int err = differences ? own_tables_new(&tables) : -ENOMEM;

	if (!err)
		err = take_silently(a, &dumps);
	if (!err)
		err = compare_all(a, tables, &dumps, &c);
	if (!err)
		print_comparison(&c, &dumps);
	if (!err && a->write)
		err = keep_one(a, tables, &dumps);
	return err;
}

int main(int argc, char **argv)
{
	struct arguments a;
	int err;

	if (parse(argc, argv, &a)) {
		fprintf(stderr, "usage: walk_compare [OPTION]... -- COMMAND...\n");
		return 2;
	}
	err = run(&a);
	if (err)
		fprintf(stderr, "walk_compare: %s\n", *err_text() ? err_text() : strerror(-err));
	return err ? 3 : 0;
}

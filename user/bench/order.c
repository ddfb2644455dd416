/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/bench/statistics.h"

struct plan {
	const struct scenario_cases *cases;
	unsigned int warmup;
	struct random random;
	unsigned int *sequence; /* by case: who comes when in the rounds of its cell */
	struct order_step *steps;
	size_t n;
};

/* One behind the last case of the cell that begins with 'first'. */
static size_t end_of_cell(const struct scenario_cases *cases, size_t first)
{
	size_t end = first + 1;

	while (end < cases->n && !strcmp(cases->list[end].cell, cases->list[first].cell))
		end++;
	return end;
}

/* Fisher and Yates: each order is as likely. */
static void shuffle(struct random *r, unsigned int *list, size_t n)
{
	unsigned int other;
	size_t i, k;

	for (i = n; i > 1; i--) {
		k = random_below(r, i);
		other = list[i - 1];
		list[i - 1] = list[k];
		list[k] = other;
	}
}

static void add_round(struct plan *p, unsigned int cell, size_t first, size_t end,
		      unsigned int number, bool is_warmup)
{
	size_t i, n = end - first;

	if (!is_warmup && number % 2 == 0) {
		for (i = 0; i < n; i++)
			p->sequence[first + i] = first + i;
		shuffle(&p->random, p->sequence + first, n);
	}
	for (i = 0; i < n; i++) {
		size_t at = number % 2 ? end - 1 - i : first + i;

		p->steps[p->n++] = (struct order_step){
			.case_number = is_warmup ? first + i : p->sequence[at],
			.cell = cell,
			.number = is_warmup ? number : p->warmup + number,
			.is_warmup = is_warmup,
			.starts_round = i == 0,
			.ends_round = i + 1 == n,
		};
	}
}

static void add_rounds(struct plan *p, unsigned int rounds, bool is_warmup)
{
	unsigned int number, cell;
	size_t first, end;

	for (number = 0; number < rounds; number++) {
		for (first = 0, cell = 0; first < p->cases->n; first = end, cell++) {
			end = end_of_cell(p->cases, first);
			add_round(p, cell, first, end, number, is_warmup);
		}
	}
}

int order_new(const struct scenario_cases *cases, unsigned int warmup, unsigned int repeat,
	      uint64_t seed, struct order_step **ret, size_t *ret_n)
{
	_cleanup_(freep) unsigned int *sequence = calloc(cases->n + 1, sizeof(*sequence));
	struct plan p = { .cases = cases, .warmup = warmup, .sequence = sequence };
	size_t n;

	if (__builtin_mul_overflow((size_t)warmup + repeat, cases->n, &n))
		return errf(-ENOMEM, "no memory for %u repetitions", repeat);
	p.steps = calloc(n + 1, sizeof(*p.steps));
	if (!p.steps || !sequence) {
		free(p.steps);
		return errf(-ENOMEM, "no memory for %u repetitions", repeat);
	}
	random_init(&p.random, seed);
	add_rounds(&p, warmup, true);
	add_rounds(&p, repeat, false);
	*ret = p.steps;
	*ret_n = p.n;
	return 0;
}

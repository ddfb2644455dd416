/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/lines_budget.h"

#define DEFAULT_CPU_NS	   5000000000ull
#define DEFAULT_FILE_BYTES (512ull << 20)
#define DEFAULT_BYTES	   (1ull << 30)
#define ASKED_BYTES	   (16ull << 30)
#define REPLY_BYTES	   (256ull << 20)
#define MAX_REQUEST_NS	   3600000000000ull

/* Of a machine whose processors others have, and of a worker that sleeps instead of working. */
#define WAIT_FOR_CPU 10

static uint64_t less(uint64_t left, uint64_t spent)
{
	if (left == UINT64_MAX)
		return left;
	return spent < left ? left - spent : 0;
}

void lines_budget_init(struct lines_budget *b, uint64_t cpu_ns)
{
	uint64_t left = cpu_ns ? cpu_ns : DEFAULT_CPU_NS;

	*b = (struct lines_budget){
		.cpu_ns = left,
		.wait_ns = left < UINT64_MAX / WAIT_FOR_CPU ? left * WAIT_FOR_CPU : UINT64_MAX,
		.request_ns = left < DEFAULT_CPU_NS   ? DEFAULT_CPU_NS
			      : left > MAX_REQUEST_NS ? MAX_REQUEST_NS
						      : left,
		.file_bytes = cpu_ns ? ASKED_BYTES : DEFAULT_FILE_BYTES,
		.bytes = cpu_ns ? ASKED_BYTES : DEFAULT_BYTES,
		.reply_bytes = REPLY_BYTES,
	};
}

void lines_budget_spend(struct lines_budget *b, uint64_t cpu_ns, uint64_t wait_ns, uint64_t bytes)
{
	b->cpu_ns = less(b->cpu_ns, cpu_ns);
	b->wait_ns = less(b->wait_ns, wait_ns);
	b->reply_bytes = less(b->reply_bytes, bytes);
}

bool lines_budget_is_spent(const struct lines_budget *b)
{
	return !b->cpu_ns || !b->wait_ns || !b->reply_bytes;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/alloc_settling.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/types.h>
#include <stdlib.h>

#include "user/base/array.h"
#include "user/base/err.h"

void alloc_settling_release(struct alloc_settling *s)
{
	free(s->waiting);
	s->waiting = NULL;
}

static int take_new(struct alloc_settling *s)
{
	struct ft_alloc_settling one;

	while (!bpf_map_lookup_and_delete_elem(bpf_map__fd(s->map), NULL, &one)) {
		if (array_reserve(s->waiting, s->cap, s->n + 1))
			return errf(-ENOMEM, "no memory for processes that start");
		s->waiting[s->n++] = one;
	}
	return 0;
}

int alloc_settling_tick(struct alloc_settling *s)
{
	uint64_t settled_ns = sideband_settled(s->sideband);
	size_t i, left = 0;
	int err;

	if (!s->unwinder || !s->known->path)
		return 0;
	err = take_new(s);
	for (i = 0; i < s->n && !err; i++) {
		const struct ft_alloc_settling *one = &s->waiting[i];

		/* The time is what the process says: a false one is only its own loss. */
		if (one->since_ns > settled_ns)
			s->waiting[left++] = *one;
		else
			err = unwinder_prepare(s->unwinder, one->tgid, &one->process, one->mm);
	}
	s->n = left;
	if (!err)
		shim_known_set(s->known, settled_ns);
	return err;
}

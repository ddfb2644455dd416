/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/sampled.h"

#include <errno.h>

#include "user/base/err.h"

/* A process image: an exec makes another one of the same process. */
struct seen_key {
	uint64_t start_ns;
	uint32_t tgid, exec_id;
};

void sampled_init(struct sampled *s)
{
	*s = (struct sampled){ 0 };
	keyset_init(&s->seen, sizeof(struct seen_key));
}

void sampled_release(struct sampled *s)
{
	keyset_release(&s->seen);
}

void sampled_prepare_mapping(void *symbolizer, const struct sym_mapping *m)
{
	symbolizer_prepare(symbolizer, m);
}

static int look_at_process(struct sampled *s, const struct seen_key *key)
{
	int err = 0;

	/* The side band has told all of what began while it was on, but for the vDSO. */
	if (s->are_vdsos_looked_for || !processes_since(s->processes, key->tgid)) {
		err = processes_scan(s->processes, key->tgid);
		processes_for_each(s->processes, key->tgid, sampled_prepare_mapping, s->symbolizer);
	}
	if (s->java)
		java_maps_look(s->java, s->processes, key->tgid);
	return err;
}

static int look_at_sample(struct sampled *s, const struct capture_sample *sample,
			  struct keyset *pids)
{
	struct seen_key key = {
		.start_ns = sample->start_ns,
		.exec_id = sample->exec_id,
		.tgid = sample->tgid,
	};
	uint32_t number;
	int added;

	cgroups_path(s->cgroups, sample->cgroup_id);
	if (sample->user == CAPTURE_NO_STACK)
		return 0;
	if (keyset_add(pids, &key.tgid, &number) < 0)
		return errf(-ENOMEM, "no memory for the list of processes");
	added = keyset_add(&s->seen, &key, &number);
	if (added < 0)
		return errf(added, "no memory for the list of processes");
	return added ? look_at_process(s, &key) : 0;
}

int sampled_look(struct sampled *s, const struct capture *capture, uint32_t *from)
{
	_cleanup_(keyset_release) struct keyset pids;
	uint32_t i;
	int err = 0;

	keyset_init(&pids, sizeof(uint32_t));
	for (; *from < capture->samples.n && !err; ++*from)
		err = look_at_sample(s, capture_sample_at(capture, *from), &pids);
	for (i = 0; i < pids.n; i++) {
		uint32_t pid = *(const uint32_t *)keyset_key(&pids, i);

		symbolizer_read_perf_map(s->symbolizer, pid, processes_since(s->processes, pid));
	}
	return err;
}

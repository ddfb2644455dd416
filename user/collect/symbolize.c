/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/symbolize.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/collect/frame_names.h"

_Static_assert(FT_ENDS == STACK_ENDS && FT_END_FRAME_POINTER == (int)STACK_END_FRAME_POINTER &&
		       FT_END_ROOT == (int)STACK_END_ROOT,
	       "the two sides of the border name the ends alike");
_Static_assert((CODE_LINES_MAX + 1) * FT_MAX_FRAMES <= PROFILE_MAX_DEPTH,
	       "a user stack, all of it inlined, and a kernel stack fit into a profile");

#define OWN_LABELS 7

/* A tracepoint's own frames: our program, and what calls it. */
#define TRACEPOINT_FRAMES 6

struct maker {
	const struct symbolize_options *o;
	const struct capture *capture;
	struct processes *processes;
	struct profile *p;
	struct frame_names names;
};

/* --- stacks -------------------------------------------------------------------------------- */

/* What is learned of one part of a stack on the way. */
struct walk {
	uint32_t node; /* of the profile, innermost so far */
	bool has_unnamed;
	bool is_rooted; /* its outermost frame is where programs begin */
	bool is_cut;	/* its outer frames were no code */
};

/* Frames of the address from the root inwards. */
static int add_nodes(struct maker *mk, const struct resolved *r, struct walk *walk)
{
	uint32_t i = r->n;
	int err = 0;

	while (i-- && !err) {
		uint32_t frame = mk->names.frames[r->first + i];

		walk->has_unnamed |= !profile_frame_at(mk->p, frame)->named;
		err = profile_add_node(mk->p, walk->node, frame, &walk->node);
	}
	return err;
}

/*
 * How many of the innermost frames are the tracepoint's own, between what it stands in and our
 * program (include/linux/tracepoint.h, kernel/trace/bpf_trace.c).
 */
static uint32_t tracepoint_frames(const struct maker *mk, const struct resolved *at_frame,
				  uint32_t n)
{
	static const char *const prefixes[] = { "bpf_prog_",	     "bpf_trace_run",
						"__bpf_trace_",	     "__traceiter_",
						"__tracepoint_iter", "bpf_trampoline_" };
	uint32_t i, own = 0, p;

	for (i = 0; i < n && i < TRACEPOINT_FRAMES && at_frame[i].n == 1; i++) {
		const struct profile_frame *frame =
			profile_frame_at(mk->p, mk->names.frames[at_frame[i].first]);
		const char *name = profile_string(mk->p, frame->function);

		for (p = 0; p < ARRAY_SIZE(prefixes); p++) {
			if (!strncmp(name, prefixes[p], strlen(prefixes[p])))
				own = i + 1;
		}
	}
	return own;
}

/* Innermost frames of a file of ours; 0 if there are no others. */
static uint32_t own_frames(const struct maker *mk, const struct resolved *at_frame, uint32_t n)
{
	const char *own = mk->o->collector->ops->own_file;
	uint32_t i;

	for (i = 0; own && i < n && at_frame[i].n; i++) {
		const struct profile_frame *frame =
			profile_frame_at(mk->p, mk->names.frames[at_frame[i].first]);

		if (strcmp(profile_frame_module(mk->p, frame), own) != 0)
			return i;
	}
	return 0;
}

/* 'image' is PROCESSES_NO_IMAGE and 'is_kernel' true for the kernel's part. */
static int add_stack(struct maker *mk, uint32_t stack, bool is_kernel, uint32_t image,
		     uint64_t time_ns, struct walk *walk)
{
	struct resolved at_frame[FT_MAX_FRAMES];
	uint32_t n = 0, at, skipped;
	int err = 0;

	for (at = stack; at != CAPTURE_NO_STACK && n < FT_MAX_FRAMES;
	     at = capture_node_at(mk->capture, at)->caller) {
		uint64_t pc = capture_node_at(mk->capture, at)->pc;

		err = is_kernel ? frame_names_kernel(&mk->names, pc, n > 0, &at_frame[n])
				: frame_names_user(&mk->names, pc, n > 0, image, time_ns,
						   &at_frame[n]);
		if (err)
			return err;
		/* Frame pointers that are none lead to return addresses that are none. */
		walk->is_cut = n > 0 && !at_frame[n].is_mapped;
		if (walk->is_cut)
			break;
		n++;
	}
	walk->is_rooted = n && at_frame[n - 1].is_root;
	skipped = is_kernel ? tracepoint_frames(mk, at_frame, n) : own_frames(mk, at_frame, n);
	while (n-- > skipped && !err)
		err = add_nodes(mk, &at_frame[n], walk);
	return err;
}

static int add_label(struct maker *mk, struct profile_label *label, const char *key,
		     const char *text, int64_t num, const char *unit)
{
	int err;

	*label = (struct profile_label){ .num = num };
	err = profile_add_string(mk->p, key, &label->key);
	if (!err && text)
		err = profile_add_string(mk->p, text, &label->str);
	if (!err && unit)
		err = profile_add_string(mk->p, unit, &label->unit);
	return err;
}

static int add_labels(struct maker *mk, const struct capture_sample *s,
		      const struct sample_tag *tag, uint32_t *ret)
{
	char process[FT_COMM_LEN + 1] = "", thread[FT_COMM_LEN + 1] = "";
	struct profile_label labels[OWN_LABELS + SAMPLE_TAG_LABELS];
	unsigned int n = 6, i;
	int err;

	/* Comms are the kernel's bytes: bounded here, cleaned where they are shown. */
	memcpy(process, s->process_comm, FT_COMM_LEN);
	memcpy(thread, s->comm, FT_COMM_LEN);
	err = add_label(mk, &labels[0], LABEL_PROCESS, process, 0, NULL);
	if (!err)
		err = add_label(mk, &labels[1], LABEL_THREAD, thread, 0, NULL);
	if (!err)
		err = add_label(mk, &labels[2], LABEL_PID, NULL, s->tgid, NULL);
	if (!err)
		err = add_label(mk, &labels[3], LABEL_TID, NULL, s->tid, NULL);
	if (!err)
		err = add_label(mk, &labels[4], LABEL_CGROUP,
				cgroups_path(mk->o->cgroups, s->cgroup_id), 0, NULL);
	if (!err)
		err = add_label(mk, &labels[5], LABEL_PROCESS_START, NULL, s->start_ns,
				"nanoseconds");
	if (!err && mk->capture->slot_ns && s->slot != CAPTURE_NO_SLOT)
		err = add_label(mk, &labels[n++], LABEL_TIME, NULL,
				(int64_t)(s->slot * mk->capture->slot_ns), "nanoseconds");
	for (i = 0; i < tag->n_labels && !err; i++)
		err = add_label(mk, &labels[n++], tag->labels[i].key, tag->labels[i].text,
				tag->labels[i].num, tag->labels[i].unit);
	return err ? err : profile_add_labels(mk->p, labels, n, ret);
}

/* The frame that the tag adds at the stack's inner end. */
static int add_leaf(struct maker *mk, const struct sample_tag *tag, struct walk *walk)
{
	struct profile_frame frame = {
		.kind = FRAME_SYNTHETIC,
		.mapping = PROFILE_NONE,
		.named = 1,
	};
	uint32_t number;
	int err;

	if (!tag->leaf[0])
		return 0;
	err = profile_add_string(mk->p, tag->leaf, &frame.function);
	if (!err)
		err = profile_add_frame(mk->p, &frame, &number);
	return err ? err : profile_add_node(mk->p, walk->node, number, &walk->node);
}

/*
 * A chain of frame pointers that ends in a null pointer has only reached the root if that is where
 * programs begin: code without frame pointers leaves zeros in the register, too. Tables say it
 * themselves.
 */
static void judge(const struct maker *mk, const struct capture_sample *s, const struct walk *user,
		  const struct walk *kernel, uint64_t count, struct stack_quality *quality)
{
	bool is_deep = s->kernel != CAPTURE_NO_STACK &&
		       capture_node_at(mk->capture, s->kernel)->depth == FT_MAX_FRAMES;
	uint32_t end = s->end;

	if (end == FT_END_NULL)
		end = user->is_rooted ? FT_END_ROOT : FT_END_FRAME_POINTER;
	if (user->is_cut && end != FT_END_UNKNOWN_MAPPING)
		end = FT_END_FRAME_POINTER;
	quality->ended[end] += count;
	if ((end == FT_END_ROOT || end == FT_END_NONE) && !is_deep)
		quality->complete += count;
	else
		quality->truncated += count;
	if (user->has_unnamed || kernel->has_unnamed)
		quality->unnamed += count;
}

static int add_sample(struct maker *mk, uint32_t i, struct stack_quality *quality)
{
	const struct collector *c = mk->o->collector;
	const struct capture_sample *s = capture_sample_at(mk->capture, i);
	const uint64_t *counted = capture_values_at(mk->capture, i);
	uint64_t time_ns = mk->capture->first_ns[i];
	int64_t values[PROFILE_MAX_VALUES];
	struct walk user = { .node = PROFILE_NONE }, kernel = { 0 };
	struct sample_tag tag = { .n_labels = 0 };
	uint32_t image = processes_image(mk->processes, s->tgid, time_ns), labels, v;
	int err = add_stack(mk, s->user, false, image, time_ns, &user);

	if (c->ops->describe_tag)
		c->ops->describe_tag(c, s->tag, &tag);
	for (v = 0; v < mk->p->n_values; v++)
		values[v] = counted[v] < INT64_MAX ? (int64_t)counted[v] : INT64_MAX;
	kernel.node = user.node;
	if (!err)
		err = add_stack(mk, s->kernel, true, PROCESSES_NO_IMAGE, time_ns, &kernel);
	if (!err)
		err = add_leaf(mk, &tag, &kernel);
	if (!err)
		err = add_labels(mk, s, &tag, &labels);
	if (!err)
		err = profile_add_sample(mk->p, kernel.node, labels, values);
	if (!err && mk->o->nodes)
		mk->o->nodes[i] = kernel.node;
	if (!err && mk->o->samples)
		mk->o->samples[i] = profile_find_sample(mk->p, kernel.node, labels);
	if (!err)
		judge(mk, s, &user, &kernel, counted[0], quality);
	return err;
}

/* A frame of the capture in one image; its callers are known when it is. */
struct seen_frame {
	uint32_t node, image, is_caller;
};

/* Lines are read for many addresses of one file together, so all are named before the first. */
static int want_lines(struct maker *mk, uint32_t i, struct keyset *seen)
{
	const struct capture_sample *s = capture_sample_at(mk->capture, i);
	uint64_t time_ns = mk->capture->first_ns[i];
	uint32_t image = processes_image(mk->processes, s->tgid, time_ns), at, number;
	const struct sym_mapping *m;

	for (at = s->user; at != CAPTURE_NO_STACK; at = capture_node_at(mk->capture, at)->caller) {
		struct seen_frame key = { at, image, at != s->user };
		uint64_t pc = capture_node_at(mk->capture, at)->pc - key.is_caller;
		int added = keyset_add(seen, &key, &number);

		if (added <= 0)
			return added;
		m = processes_find(mk->processes, image, time_ns, pc);
		if (m)
			symbolizer_want_lines(mk->o->symbolizer, m, pc);
	}
	return 0;
}

static int want_all_lines(struct maker *mk)
{
	struct keyset seen;
	uint32_t i;
	int err = 0;

	keyset_init(&seen, sizeof(struct seen_frame));
	for (i = 0; i < mk->capture->samples.n && !err; i++)
		err = want_lines(mk, i, &seen);
	keyset_release(&seen);
	return err;
}

int symbolize(const struct symbolize_options *options, struct profile *profile,
	      struct stack_quality *quality)
{
	struct maker mk = {
		.o = options,
		.capture = &options->collector->capture,
		.processes = options->processes,
		.p = profile,
	};
	uint32_t i;
	int err = want_all_lines(&mk);

	frame_names_init(&mk.names, options->processes, options->symbolizer, profile);
	for (i = 0; i < mk.capture->samples.n && !err; i++)
		err = add_sample(&mk, i, quality);
	frame_names_release(&mk.names);
	return err ? errf(err, "no memory to name %zu stacks", mk.capture->samples.n) : 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/flame_extract.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/replace.h"
#include "user/base/str.h"
#include "user/model/view.h"

static const char *const kinds[] = {
	[FRAME_USER] = "user",		 [FRAME_KERNEL] = "kernel",
	[FRAME_INLINED] = "inlined",	 [FRAME_INTERPRETED] = "interpreted",
	[FRAME_SYNTHETIC] = "synthetic",
};

static int finish(FILE *out)
{
	if (fflush(out) || ferror(out))
		return errf(errno == EPIPE ? -EPIPE : -EIO, "cannot write the stacks: %m");
	return 0;
}

/* --- folded --------------------------------------------------------------------------------------
 */

/* The path to a node, and where each of its frames begins. */
struct path {
	struct str text;
	size_t *starts;
	size_t depth, cap;
};

static void path_release(struct path *p)
{
	str_release(&p->text);
	free(p->starts);
}

/* A line that begins with "# " would be a comment. */
static int add_name(struct path *p, const char *name)
{
	size_t start = p->text.len;
	int err = str_add_clean(&p->text, *name ? name : "[empty]", *name ? strlen(name) : 7, ';');

	if (!err && !start && p->text.data[0] == '#' &&
	    (p->text.len == 1 || p->text.data[1] == ' ' || p->text.data[1] == '\t'))
		p->text.data[0] = '?';
	return err;
}

static int push(struct path *p, const struct flame_tree *tree, uint32_t node)
{
	int err = array_reserve(p->starts, p->cap, p->depth + 1);

	if (err)
		return err;
	p->starts[p->depth++] = p->text.len;
	if (p->text.len)
		err = str_add(&p->text, ";");
	if (!err)
		err = add_name(p, flame_name(tree, node));
	if (!err)
		err = str_add(&p->text, view_suffix(flame_frame_of(tree, node)->kind));
	if (!err && p->text.len > FLAME_EXTRACT_MAX_LINE)
		return errf(-EFBIG, "a stack has more than %u MiB of names",
			    FLAME_EXTRACT_MAX_LINE >> 20);
	return err;
}

static void pop(struct path *p)
{
	p->text.len = p->starts[--p->depth];
	if (p->text.data)
		p->text.data[p->text.len] = '\0';
}

static void put_line(const struct path *p, const struct flame_tree *tree, int64_t before,
		     int64_t self, FILE *out)
{
	if (!self && !before)
		return;
	fputs(p->text.len ? p->text.data : "[no stack]", out);
	if (tree->before)
		fprintf(out, " %" PRId64, before);
	fprintf(out, " %" PRId64 "\n", self);
}

/* What a node spent itself after the child, or before all children if that is PROFILE_NONE. */
static int64_t part_after(const struct flame_tree *tree, uint32_t node, uint32_t child)
{
	int64_t self = flame_tree_self(tree, node), from = 0, to = self;
	uint32_t next =
		child == PROFILE_NONE ? tree->nodes[node].first_child : tree->nodes[child].next;

	if (!tree->leads)
		return child == PROFILE_NONE ? self : 0;
	if (child != PROFILE_NONE)
		from = tree->leads[child];
	if (next != PROFILE_NONE)
		to = tree->leads[next] > from ? tree->leads[next] : from;
	from = from > self ? self : from;
	to = to > self ? self : to;
	return to - from;
}

static void put_part(const struct path *p, const struct flame_tree *tree, uint32_t node,
		     uint32_t child, FILE *out)
{
	int64_t before = child == PROFILE_NONE ? flame_tree_self_before(tree, node) : 0;

	put_line(p, tree, before, part_after(tree, node, child), out);
}

static int put_lines(struct path *p, const struct flame_tree *tree, FILE *out)
{
	const struct flame_node *nodes = tree->nodes;
	uint32_t node = 0;
	int err = 0;

	put_part(p, tree, 0, PROFILE_NONE, out);
	while (!err && !ferror(out)) {
		uint32_t next = nodes[node].first_child;

		while (next == PROFILE_NONE && node) {
			next = nodes[node].next;
			pop(p);
			put_part(p, tree, nodes[node].parent, node, out);
			node = nodes[node].parent;
		}
		if (next == PROFILE_NONE)
			break;
		node = next;
		err = push(p, tree, node);
		if (!err)
			put_part(p, tree, node, PROFILE_NONE, out);
	}
	return err;
}

int flame_extract_folded(const struct flame_data *data, FILE *out)
{
	_cleanup_(path_release) struct path path = { 0 };
	int err = put_lines(&path, data->tree, out);

	if (err == -ENOMEM)
		return errf(err, "no memory for the stacks");
	return err ? err : finish(out);
}

/* --- JSON ----------------------------------------------------------------------------------------
 */

/* Names are clean UTF-8 on one line. */
static void put_text(const char *text, FILE *out)
{
	putc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', out);
		putc(*text, out);
	}
	putc('"', out);
}

static void put_node(const struct flame_data *data, uint32_t node, FILE *out)
{
	const struct flame_tree *tree = data->tree;
	const struct flame_node *n = &tree->nodes[node];
	uint32_t kind = flame_frame_of(tree, node)->kind;

	if (node)
		fprintf(out, ",\n{\"parent\":%" PRIu32 ",\"name\":", n->parent);
	else
		fputs("{\"parent\":null,\"name\":", out);
	put_text(flame_name(tree, node), out);
	fputs(",\"module\":", out);
	put_text(flame_module(tree, node), out);
	fprintf(out, ",\"kind\":\"%s\",\"self\":%" PRId64 ",\"total\":%" PRId64,
		kind < ARRAY_SIZE(kinds) ? kinds[kind] : "user", flame_tree_self(tree, node),
		n->value);
	if (tree->before)
		fprintf(out, ",\"self_before\":%" PRId64 ",\"total_before\":%" PRId64,
			flame_tree_self_before(tree, node), tree->before[node]);
	if (data->rests[node])
		fprintf(out, ",\"rest\":%" PRIu32, data->rests[node]);
	putc('}', out);
}

int flame_extract_json(const struct flame_data *data, FILE *out)
{
	size_t i;

	fprintf(out, "{\"header\":%s,\n\"nodes\":[\n", data->header);
	for (i = 0; i < data->tree->n_nodes && !ferror(out); i++)
		put_node(data, i, out);
	fputs("\n]}\n", out);
	return finish(out);
}

/* --- files ---------------------------------------------------------------------------------------
 */

int flame_extract_read(const char *path, struct flame_data **ret)
{
	bool is_stdin = !strcmp(path, "-");
	const char *name = is_stdin ? "standard input" : path;
	_cleanup_(fclosep) FILE *in = fopen(is_stdin ? "/dev/stdin" : path, "re");
	int err;

	if (!in)
		return errf(-errno, "cannot open '%s': %m", name);
	err = flame_data_read(in, name, ret);
	if (err == -ENOENT)
		return errf(-EINVAL,
			    "'%s' has no call tree inside: pictures of flamegraph.pl, inferno and "
			    "older versions of this program have none; draw it again from its "
			    "stacks",
			    name);
	return err;
}

struct job {
	const struct flame_data *data;
	bool as_json;
};

static int write_job(void *arg, FILE *out)
{
	const struct job *job = arg;

	return job->as_json ? flame_extract_json(job->data, out)
			    : flame_extract_folded(job->data, out);
}

static int write_text(const struct flame_data *data, bool as_json, const char *output)
{
	struct job job = { .data = data, .as_json = as_json };

	if (!output)
		return write_job(&job, stdout);
	return file_replace(output, "the stacks", write_job, &job);
}

/* --- what is not there ---------------------------------------------------------------------------
 */

void flame_extract_note(const struct flame_data *data, char *text, size_t size)
{
	double total = data->tree->nodes[0].value;
	uint64_t n = 0;
	size_t i;

	*text = '\0';
	if (!data->n_rests)
		return;
	for (i = 0; i < data->tree->n_nodes; i++)
		n += data->rests[i];
	snprintf(text, size,
		 "%" PRIu64 " frames, %.4g %% of all, were too narrow for the picture: each \"[N "
		 "frames]\" stands "
		 "for N of them (--all-data keeps them)",
		 n, total > 0 ? 100.0 * data->rest_value / total : 0);
}

int flame_extract(char *const *paths, size_t n, bool as_json, const char *output, char *note,
		  size_t note_size)
{
	_cleanup_(flame_data_freep) struct flame_data *data = NULL;
	int err;

	if (n > 1)
		return errf(-EINVAL, "--extract wants one file");
	err = flame_extract_read(n ? paths[0] : "-", &data);
	if (!err)
		err = write_text(data, as_json, output);
	if (!err)
		flame_extract_note(data, note, note_size);
	return err;
}

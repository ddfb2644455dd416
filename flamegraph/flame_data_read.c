/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "flamegraph/flame_data.h"
#include "flamegraph/flame_nodes_read.h"
#include "flamegraph/flame_pack.h"
#include "user/base/array.h"
#include "user/base/err.h"

#define MAX_NAME (1u << 20) /* bytes; folded lines are not longer than a few of them */

#define N_READ (FLAME_RESTS + 1) /* what follows is for the script */

static int broken(const char *what)
{
	return errf(-EINVAL, "the call tree inside is broken: %s", what);
}

/* --- finding it ----------------------------------------------------------------------------------
 */

static int read_file(FILE *in, struct str *out)
{
	size_t n;

	do {
		if (out->len > FLAME_FILE_MAX)
			return errf(-EFBIG, "it is larger than %llu MiB", FLAME_FILE_MAX >> 20);
		if (array_reserve(out->data, out->cap, out->len + (256 << 10)))
			return errf(-ENOMEM, "no memory to read it");
		n = fread(out->data + out->len, 1, out->cap - out->len - 1, in);
		out->len += n;
	} while (n);
	out->data[out->len] = '\0';
	return ferror(in) ? errf(-errno, "cannot read it: %m") : 0;
}

/* Whether what is at 'at' is in a tag, as text has neither '<' nor '>' but as entities. */
static bool is_in_tag(const char *start, const char *at)
{
	while (at > start && at[-1] != '<' && at[-1] != '>')
		at--;
	return at > start && at[-1] == '<';
}

/*
 * What the element holds; *ret_len 0: there is none. The script that speaks of it is no such one.
 * Each step ends behind the tag or the text that was looked at: no byte is looked at again and
 * again, whatever the file holds.
 */
static const char *find_element(const struct str *file, size_t *ret_len)
{
	static const char id[] = " id=\"flame-data\"", first[] = "header ";
	const char *end = file->data + file->len, *at = file->data, *text, *stop;

	*ret_len = 0;
	while (at && (at = memmem(at, end - at, id, sizeof(id) - 1))) {
		if (!is_in_tag(file->data, at)) {
			at = memchr(at, '<', end - at);
			continue;
		}
		text = memchr(at, '>', end - at);
		if (!text)
			return NULL;
		at = ++text;
		text += strspn(text, " \t\r\n");
		stop = memchr(text, '<', end - text);
		if (!stop || strncmp(text, first, sizeof(first) - 1))
			continue;
		*ret_len = stop - text;
		return text;
	}
	return NULL;
}

/* --- its sections --------------------------------------------------------------------------------
 */

struct sections {
	struct str bytes[N_READ];
	bool there[N_READ];
	size_t unpacked;
};

static void sections_release(struct sections *s)
{
	size_t i;

	for (i = 0; i < N_READ; i++)
		str_release(&s->bytes[i]);
}

static int read_section(struct sections *s, unsigned int i, const char *text, size_t len)
{
	int err;

	if (s->there[i])
		return broken("a section is there twice");
	err = flame_unpack(text, len, FLAME_DATA_MAX - s->unpacked, &s->bytes[i]);
	if (err == -EINVAL)
		return errf(err, "the call tree inside is broken: section '%s' cannot be unpacked",
			    flame_section_names[i]);
	if (err == -EFBIG)
		return errf(err, "the call tree inside is larger than %llu MiB",
			    FLAME_DATA_MAX >> 20);
	if (err)
		return errf(err, "no memory for the call tree inside");
	s->there[i] = true;
	s->unpacked += s->bytes[i].len;
	return 0;
}

/* Sections of other names are later inventions. */
static int read_line(struct sections *s, const char *line, size_t len)
{
	const char *space = memchr(line, ' ', len);
	unsigned int i;

	if (!len)
		return 0;
	if (!space)
		return broken("a line without a section");
	for (i = 0; i < N_READ; i++) {
		size_t name_len = strlen(flame_section_names[i]);

		if (name_len == (size_t)(space - line) &&
		    !memcmp(line, flame_section_names[i], name_len))
			return read_section(s, i, space + 1, len - name_len - 1);
	}
	return 0;
}

static int read_sections(struct sections *s, const char *text, size_t len)
{
	int err = 0;

	while (len && !err) {
		const char *lf = memchr(text, '\n', len);
		size_t line_len = lf ? (size_t)(lf - text) : len, used = line_len + !!lf;

		if (line_len && text[line_len - 1] == '\r')
			line_len--;
		err = read_line(s, text, line_len);
		text += used;
		len -= used;
	}
	return err;
}

/* --- names and frames ----------------------------------------------------------------------------
 */

/* The lines of a section, whose LFs have become NULs. */
struct lines {
	char **at;
	size_t n, cap;
};

static void lines_release(struct lines *lines)
{
	free(lines->at);
}

static int split_lines(struct str *s, struct lines *ret)
{
	char *at = s->data, *end = s->data + s->len;

	while (s->data && at < end) {
		char *lf = memchr(at, '\n', end - at);

		if (!lf || lf - at > MAX_NAME)
			return broken("a name has no end");
		*lf = '\0';
		if (array_reserve(ret->at, ret->cap, ret->n + 1))
			return errf(-ENOMEM, "no memory for the call tree inside");
		ret->at[ret->n++] = at;
		at = lf + 1;
	}
	return 0;
}

static int add_frame(struct flame_tree *tree, const char *name, const char *module,
		     unsigned int kind, uint32_t *ret)
{
	_cleanup_(str_release) struct str clean = { 0 }, clean_module = { 0 };

	if (str_add_clean(&clean, name, strlen(name), 0) ||
	    str_add_clean(&clean_module, module, strlen(module), 0))
		return errf(-ENOMEM, "no memory for the call tree inside");
	return flame_tree_add_frame(tree, str_text(&clean), str_text(&clean_module), kind, ret);
}

/* ret_frames[i] is the frame of the tree for number i; number 0 is the root's. */
static int read_frames(struct flame_bytes bytes, const struct lines *names,
		       const struct lines *modules, struct flame_tree *tree, uint32_t *ret_frames)
{
	size_t i;
	int err = 0;

	for (i = 0; i < names->n && !err; i++) {
		uint64_t module;

		if (!flame_take_varint(&bytes, &module) || module >= modules->n ||
		    bytes.end - bytes.at < 4)
			return broken("its frames end early, or name a module that it has not");
		if (bytes.at[0] > FRAME_SYNTHETIC)
			return broken("a frame of a kind that there is not");
		if (i)
			err = add_frame(tree, names->at[i], modules->at[module], bytes.at[0],
					&ret_frames[i]);
		bytes.at += 4;
	}
	if (!err && bytes.at != bytes.end)
		return broken("it has more frames than names");
	return err;
}

/* --- all of it -----------------------------------------------------------------------------------
 */

static int fill(struct flame_data *data, struct sections *s, const struct lines *names,
		const struct lines *modules)
{
	_cleanup_(freep) uint32_t *frames = calloc(names->n + 1, sizeof(*frames));
	struct flame_node_sections nodes = {
		.shape = flame_bytes_of(&s->bytes[FLAME_SHAPE]),
		.edges = flame_bytes_of(&s->bytes[FLAME_EDGES]),
		.self = flame_bytes_of(&s->bytes[FLAME_SELF]),
		.before = flame_bytes_of(&s->bytes[FLAME_BEFORE]),
		.leads = flame_bytes_of(&s->bytes[FLAME_LEADS]),
		.rests = flame_bytes_of(&s->bytes[FLAME_RESTS]),
		.has_before = s->there[FLAME_BEFORE],
		.has_leads = s->there[FLAME_LEADS] && data->tree->is_chart,
		.frames = frames,
		.n_frames = names->n,
	};
	size_t i;
	int err;

	if (!frames)
		return errf(-ENOMEM, "no memory for the call tree inside");
	err = read_frames(flame_bytes_of(&s->bytes[FLAME_FRAMES]), names, modules, data->tree,
			  frames);
	if (!err)
		err = flame_nodes_read(&nodes, data->tree, &data->rests);
	if (!err)
		err = flame_tree_finish(data->tree);
	for (i = 0; i < data->tree->n_nodes && !err; i++) {
		if (!data->rests[i])
			continue;
		data->n_rests++;
		if (__builtin_add_overflow(data->rest_value, data->tree->nodes[i].value,
					   &data->rest_value))
			data->rest_value = UINT64_MAX;
	}
	return err;
}

static int read_header(const struct str *text, bool *ret_is_chart, char **ret)
{
	json_t *header = json_loadb(str_text(text), text->len, JSON_REJECT_DUPLICATES, NULL);
	const char *schema = json_string_value(json_object_get(header, "schema"));
	int err = 0;

	if (!json_is_object(header) || !schema)
		err = broken("its header is no JSON, or names no schema");
	else if (strcmp(schema, "fathom.flame/1"))
		err = errf(-EINVAL, "the call tree inside has schema '%.100s', not fathom.flame/1",
			   schema);
	if (!err) {
		*ret_is_chart = json_is_true(json_object_get(header, "chart"));
		*ret = json_dumps(header, JSON_COMPACT);
		if (!*ret)
			err = errf(-ENOMEM, "no memory for the call tree inside");
	}
	json_decref(header);
	return err;
}

static int read_data(struct sections *s, struct flame_data *data)
{
	_cleanup_(lines_release) struct lines names = { 0 }, modules = { 0 };
	bool is_chart;
	int err = read_header(&s->bytes[FLAME_HEADER], &is_chart, &data->header);

	if (!err)
		err = flame_tree_new(is_chart, &data->tree);
	if (!err)
		err = split_lines(&s->bytes[FLAME_NAMES], &names);
	if (!err)
		err = split_lines(&s->bytes[FLAME_MODULES], &modules);
	if (!err && (!names.n || !s->there[FLAME_SHAPE]))
		err = broken("it has no nodes");
	return err ? err : fill(data, s, &names, &modules);
}

static int read_element(const struct str *file, struct flame_data *data)
{
	_cleanup_(sections_release) struct sections s = { 0 };
	size_t len;
	const char *text = find_element(file, &len);
	int err;

	if (!text)
		return errf(-ENOENT, "there is no call tree inside");
	err = read_sections(&s, text, len);
	return err ? err : read_data(&s, data);
}

int flame_data_read(FILE *in, const char *name, struct flame_data **ret)
{
	_cleanup_(flame_data_freep) struct flame_data *data = calloc(1, sizeof(*data));
	_cleanup_(str_release) struct str file = { 0 };
	int err;

	if (!data)
		return errf(-ENOMEM, "no memory to read '%s'", name);
	err = read_file(in, &file);
	if (!err)
		err = read_element(&file, data);
	if (err)
		return err_prefix(err, "'%s'", name);
	*ret = take(data);
	return 0;
}

void flame_data_free(struct flame_data *data)
{
	if (data->tree)
		flame_tree_free(data->tree);
	free(data->header);
	free(data->rests);
	free(data);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/err.h"
#include "user/base/str.h"
#include "user/export/folded.h"
#include "user/export/frame_kinds.h"

struct reader {
	FILE *in;
	const char *name;
	struct profile *p;
	struct folded_repairs repairs;
	uint64_t bytes; /* read so far */
	bool some_line;
	uint64_t samples; /* lines that could be used */
	uint32_t kernel;  /* mapping, PROFILE_NONE until it is needed */
	struct str line;
	struct str clean;
	char block[65536];
	size_t at, len; /* in block */
};

/* --- lines --------------------------------------------------------------------------------- */

static int fill_block(struct reader *r)
{
	r->at = 0;
	r->len = fread(r->block, 1, sizeof(r->block), r->in);
	r->bytes += r->len;
	if (!r->len && ferror(r->in))
		return errf(-EIO, "cannot read '%s'", r->name);
	if (r->bytes > FOLDED_MAX_BYTES)
		return errf(-EFBIG, "'%s' is larger than the limit of %llu bytes", r->name,
			    FOLDED_MAX_BYTES);
	return 0;
}

/*
 * The next line, without its newline, in r->line; of a line beyond FOLDED_MAX_LINE the first part,
 * and *ret_long is set. 1, 0 at the end of the file, or -errno.
 */
static int next_line(struct reader *r, bool *ret_long)
{
	bool some = false;
	int err;

	str_clear(&r->line);
	*ret_long = false;
	for (;;) {
		const char *from, *newline;
		size_t n;

		if (r->at == r->len) {
			err = fill_block(r);
			if (err || !r->len)
				return err ? err : some;
		}
		some = true;
		from = r->block + r->at;
		newline = memchr(from, '\n', r->len - r->at);
		n = newline ? (size_t)(newline - from) : r->len - r->at;
		r->at += n + !!newline;
		if (n > FOLDED_MAX_LINE - r->line.len)
			*ret_long = true;
		else if (!*ret_long && str_add_bytes(&r->line, from, n))
			return errf(-ENOMEM, "no memory to read '%s'", r->name);
		if (newline)
			return 1;
	}
}

/* --- stacks -------------------------------------------------------------------------------- */

static int kernel_mapping(struct reader *r, uint32_t *ret)
{
	struct profile_mapping m = { 0 };
	int err = 0;

	if (r->kernel == PROFILE_NONE) {
		err = profile_add_string(r->p, kind_stored_path(FRAME_KERNEL), &m.path);
		if (!err)
			err = profile_add_mapping(r->p, &m, &r->kernel);
	}
	*ret = r->kernel;
	return err;
}

static int add_frame(struct reader *r, const char *name, size_t len, uint32_t *node)
{
	struct profile_frame frame = { .mapping = PROFILE_NONE };
	uint32_t number;
	int err = 0;

	frame.kind = folded_take_kind(name, &len);
	if (frame.kind == FRAME_KERNEL)
		err = kernel_mapping(r, &frame.mapping);
	if (!err)
		err = strtab_add_bytes(&r->p->strings, name, len, &frame.function);
	if (err)
		return err;
	frame.named = !name_is_stand_in(profile_string(r->p, frame.function));
	err = profile_add_frame(r->p, &frame, &number);
	if (!err)
		err = profile_add_node(r->p, *node, number, node);
	return err;
}

/* The next frame that is not empty, without the spaces around it; moves *stack behind it. */
static bool next_frame(const char **stack, const char **ret, size_t *ret_len)
{
	while (**stack) {
		*ret = *stack;
		*ret_len = strcspn(*stack, ";");
		*stack += *ret_len + ((*stack)[*ret_len] == ';');
		folded_trim(ret, ret_len);
		if (*ret_len)
			return true;
	}
	return false;
}

static int add_stack(struct reader *r, const char *stack, uint32_t *ret)
{
	const char *at = stack, *name;
	uint32_t node = PROFILE_NONE;
	size_t n = 0, len;
	int err;

	while (next_frame(&at, &name, &len))
		n++;
	r->repairs.too_deep += n > PROFILE_MAX_DEPTH;
	for (at = stack; next_frame(&at, &name, &len); n--) {
		if (n > PROFILE_MAX_DEPTH)
			continue;
		err = add_frame(r, name, len, &node);
		if (err)
			return err;
	}
	*ret = node;
	return 0;
}

/* The stack as one line of valid text that ends in a NUL. */
static int clean_stack(struct reader *r, const char *text, size_t len, const char **ret)
{
	r->repairs.text += !text_is_clean(text, len, 0);
	str_clear(&r->clean);
	if (str_add_clean(&r->clean, text, len, 0))
		return -ENOMEM;
	*ret = r->clean.data;
	return 0;
}

static int add_line(struct reader *r)
{
	struct folded_line line;
	const char *stack;
	uint32_t node;
	int err;

	if (!folded_line_parse(r->line.data, r->line.len, false, 1, &line, &r->repairs))
		return 0;
	err = clean_stack(r, line.stack, line.stack_len, &stack);
	if (!err)
		err = add_stack(r, stack, &node);
	if (!err)
		err = profile_add_sample(r->p, node, 0, &line.count);
	r->samples += !err;
	return err;
}

/* Editors of Windows put one before the first line. */
static void skip_byte_order_mark(struct reader *r)
{
	if (!r->some_line && r->line.len >= 3 && !memcmp(r->line.data, "\xef\xbb\xbf", 3)) {
		r->line.len -= 3;
		memmove(r->line.data, r->line.data + 3, r->line.len + 1);
	}
	r->some_line = true;
}

static int add_lines(struct reader *r)
{
	bool too_long;
	int more, err;

	while ((more = next_line(r, &too_long)) > 0) {
		skip_byte_order_mark(r);
		if (too_long) {
			r->repairs.too_long++;
			continue;
		}
		err = r->line.len ? add_line(r) : 0;
		if (err)
			return errf(err, "cannot keep the stacks of '%s': %s", r->name,
				    strerror(-err));
		if (r->p->nodes.n > IMPORT_MAX_NODES)
			return errf(-EFBIG, "'%s' has more than %u different stack frames", r->name,
				    IMPORT_MAX_NODES);
	}
	return more;
}

static int read_all(struct reader *r)
{
	char why[512];
	int err;

	r->p = profile_new();
	if (!r->p || profile_add_value_type(r->p, "samples", "count"))
		return errf(-ENOMEM, "no memory to read '%s'", r->name);
	err = add_lines(r);
	if (err || r->samples)
		return err;
	folded_repairs_describe(&r->repairs, why, sizeof(why));
	return errf(-EINVAL, "'%s' has no folded stacks (lines of 'frame;frame COUNT')%s%s",
		    r->name, *why ? "; " : "", why);
}

int folded_read(FILE *in, const char *name, struct profile **ret,
		struct folded_repairs *ret_repairs)
{
	_cleanup_(freep) struct reader *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return errf(-ENOMEM, "no memory to read '%s'", name);
	r->in = in;
	r->name = name;
	r->kernel = PROFILE_NONE;
	err = read_all(r);
	str_release(&r->line);
	str_release(&r->clean);
	if (!err) {
		*ret = take(r->p);
		*ret_repairs = r->repairs;
	}
	profile_free(r->p);
	return err;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
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

/* --- counts -------------------------------------------------------------------------------- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* Decimal digits, perhaps with a fraction. */
static bool parse_count(struct reader *r, const char *text, size_t len, int64_t *ret)
{
	size_t whole = strspn(text, "0123456789"), fraction = 0;
	double v;

	/* Behind the field is the end of the line or a space, both of which end a number. */
	if (text[whole] == '.')
		fraction = strspn(text + whole + 1, "0123456789") + 1;
	if (whole + fraction != len || !len || (!whole && fraction == 1))
		return false;
	if (!fraction) {
		errno = 0;
		*ret = strtoll(text, NULL, 10);
		return !errno;
	}
	v = round(strtod(text, NULL));
	if (!(v < 0x1p63))
		return false;
	r->repairs.fractional++;
	*ret = v;
	return true;
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

/* Takes the suffix that tells the kind from a name of *len bytes, unless nothing would be left. */
static uint32_t take_kind(const char *name, size_t *len)
{
	static const struct {
		const char *suffix;
		uint32_t kind;
	} suffixes[] = {
		{ "_[k]", FRAME_KERNEL },
		{ "_[i]", FRAME_INLINED },
		{ "_[j]", FRAME_INTERPRETED },
	};
	size_t i;

	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]) && *len > 4; i++) {
		if (!memcmp(name + *len - 4, suffixes[i].suffix, 4)) {
			*len -= 4;
			return suffixes[i].kind;
		}
	}
	return FRAME_USER;
}

static int add_frame(struct reader *r, const char *name, size_t len, uint32_t *node)
{
	struct profile_frame frame = { .mapping = PROFILE_NONE };
	uint32_t number;
	int err = 0;

	frame.kind = take_kind(name, &len);
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

/* Cuts spaces off both ends; the text stays where it is. */
static void trim(const char **text, size_t *len)
{
	while (*len && is_space((*text)[*len - 1]))
		--*len;
	while (*len && is_space(**text)) {
		++*text;
		--*len;
	}
}

/* The next frame that is not empty, without the spaces around it; moves *stack behind it. */
static bool next_frame(const char **stack, const char **ret, size_t *ret_len)
{
	while (**stack) {
		*ret = *stack;
		*ret_len = strcspn(*stack, ";");
		*stack += *ret_len + ((*stack)[*ret_len] == ';');
		trim(ret, ret_len);
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

static int add_counted(struct reader *r, const char *text, size_t len, int64_t count)
{
	const char *stack;
	uint32_t node;
	int err;

	trim(&text, &len);
	if (strspn(text, "; ") >= len) {
		r->repairs.empty_stack++;
		return 0;
	}
	err = clean_stack(r, text, len, &stack);
	if (!err)
		err = add_stack(r, stack, &node);
	if (!err)
		err = profile_add_sample(r->p, node, 0, &count);
	r->samples += !err;
	return err;
}

static int add_line(struct reader *r)
{
	const char *text = r->line.data;
	size_t len = r->line.len, stack_len;
	int64_t count;

	if (len && text[len - 1] == '\r')
		len--;
	trim(&text, &len);
	if (!len || (text[0] == '#' && (len == 1 || is_space(text[1]))))
		return 0;
	for (stack_len = len; stack_len && !is_space(text[stack_len - 1]);)
		stack_len--;
	if (parse_count(r, text + stack_len, len - stack_len, &count))
		return add_counted(r, text, stack_len, count);
	if (stack_len)
		r->repairs.bad_count++;
	else
		r->repairs.no_count++;
	return 0;
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

uint64_t folded_repairs_describe(const struct folded_repairs *r, char *text, size_t size)
{
	const struct {
		uint64_t n;
		const char *what;
	} kinds[] = {
		{ r->no_count, "without a count (left out)" },
		{ r->bad_count, "with a count that is no number (left out)" },
		{ r->empty_stack, "without a stack (left out)" },
		{ r->too_long, "too long (left out)" },
		{ r->text, "with bad UTF-8 or control characters (replaced)" },
		{ r->too_deep, "with too many frames (cut at the root)" },
		{ r->fractional, "with a fraction (rounded)" },
	};
	uint64_t total = 0;
	size_t i, len = 0;

	if (size)
		text[0] = '\0';
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].n && len < size)
			len += snprintf(text + len, size - len, "%s%" PRIu64 " %s",
					total ? ", " : "lines: ", kinds[i].n, kinds[i].what);
		total += kinds[i].n;
	}
	return total;
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

/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/report_text.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "user/base/err.h"
#include "user/base/str.h"

/* A longer name pushes its module aside instead of moving the column for all others. */
#define FUNCTION_COLUMN_MAX 56

/* Shares from which on a line is worth a colour. */
#define HOT_SHARE  0.10
#define WARM_SHARE 0.02

#define RESET "\033[0m"
#define BOLD  "\033[1m"
#define DIM   "\033[2m"

struct page {
	const struct report *r;
	const struct report_style *style;
	FILE *out;
	struct str text; /* the line that is being built */
};

static const char *code(const struct page *p, const char *color)
{
	return p->style->color ? color : "";
}

static const char *heat(const struct page *p, double share)
{
	if (share >= HOT_SHARE)
		return code(p, "\033[31m");
	return code(p, share >= WARM_SHARE ? "\033[33m" : "");
}

/* Columns that clean text takes, if each character takes one. */
static size_t columns(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static int no_memory(int err)
{
	return err ? errf(err, "cannot write the report: %s", strerror(-err)) : 0;
}

/* Amounts as text, to know how wide their column is. */
static int amount(const struct page *p, int64_t v, struct str *out)
{
	str_clear(out);
	return view_amount(v, report_unit(p->r), out);
}

static int widen(const struct page *p, int64_t v, int *width)
{
	_cleanup_(str_release) struct str s = { 0 };
	int err = amount(p, v, &s);

	if (!err && *width < (int)s.len)
		*width = (int)s.len;
	return err;
}

static int print_share(struct page *p, double share)
{
	fprintf(p->out, "%s%6.2f%%%s", heat(p, share), 100 * share,
		p->style->color && share >= WARM_SHARE ? RESET : "");
	return 7;
}

static int print_amount(struct page *p, int64_t v, int width)
{
	_cleanup_(str_release) struct str s = { 0 };
	int err = amount(p, v, &s);

	if (!err)
		fprintf(p->out, "  %*s", width, str_text(&s));
	return err;
}

/* What tells lines of one function apart: " file.c:12". */
static int add_line(struct page *p, const char *file, uint32_t line)
{
	const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
	int err;

	if (!line)
		return 0;
	err = str_add(&p->text, " ");
	if (!err)
		err = str_add_clean(&p->text, base, strlen(base), 0);
	return err ? err : str_addf(&p->text, ":%" PRIu32, line);
}

/* The function's clean name in p->text; an inlined one says so. */
static int function_text(struct page *p, const char *function, uint32_t kind, const char *file,
			 uint32_t line)
{
	int err;

	str_clear(&p->text);
	err = str_add_clean(&p->text, function, strlen(function), 0);
	if (!err && kind == FRAME_INLINED)
		err = str_add(&p->text, " (inlined)");
	return err ? err : add_line(p, file, line);
}

/* Ends a line with the module; 'used' columns of it are taken. */
static int print_module(struct page *p, const char *module, uint32_t kind, size_t used)
{
	_cleanup_(str_release) struct str s = { 0 };
	size_t room = p->style->width > used + 2 ? p->style->width - used - 2 : 0, len;
	bool cut;
	int err;

	if (!*module && kind == FRAME_KERNEL)
		module = "[kernel]"; /* all that a folded file says of it */
	err = str_add_clean(&s, module, strlen(module), 0);
	if (err)
		return err;
	/* With no room worth the name the line is broken by the terminal anyway. */
	cut = room >= 4 && columns(str_text(&s)) > room;
	if (cut) {
		room -= p->style->utf8 ? 1 : 2;
		for (len = 0; len < s.len && room; len++) {
			if (((unsigned char)s.data[len + 1] & 0xc0) != 0x80)
				room--;
		}
		s.data[len] = '\0';
	}
	fprintf(p->out, "  %s%s%s%s\n", code(p, DIM), str_text(&s),
		!cut		 ? ""
		: p->style->utf8 ? "…"
				 : "..",
		code(p, RESET));
	return 0;
}

/* The function, padded if a module follows, and its module. */
static int print_name(struct page *p, const struct top_row *row, size_t used, size_t width)
{
	int err = function_text(p, row->function, row->kind, row->file, row->line), pad = 0;
	size_t len = columns(str_text(&p->text));

	if (err)
		return err;
	if (!*row->module && row->kind != FRAME_KERNEL) {
		fprintf(p->out, "  %s\n", str_text(&p->text));
		return 0;
	}
	if (len < width)
		pad = (int)(width - len);
	fprintf(p->out, "  %s%*s", str_text(&p->text), pad, "");
	return print_module(p, row->module, row->kind, used + 2 + len + pad);
}

/* --- tables -------------------------------------------------------------------------------- */

/* A table of rows: with self and total, or (neighbours) with total only. */
struct table {
	const struct top_row *rows;
	size_t n, shown;
	bool with_self;
	int self_width, total_width;
	size_t name_width;
};

static int measure(struct page *p, struct table *t)
{
	size_t i, len;
	int err = 0;

	t->self_width = (int)strlen("SELF");
	t->total_width = (int)strlen("TOTAL");
	t->name_width = strlen("FUNCTION");
	for (i = 0; i < t->shown && !err; i++) {
		err = widen(p, t->rows[i].self, &t->self_width);
		if (!err)
			err = widen(p, t->rows[i].total, &t->total_width);
		if (!err)
			err = function_text(p, t->rows[i].function, t->rows[i].kind,
					    t->rows[i].file, t->rows[i].line);
		len = columns(str_text(&p->text));
		if (t->name_width < len && len <= FUNCTION_COLUMN_MAX)
			t->name_width = len;
	}
	return err;
}

static int print_row(struct page *p, const struct table *t, const struct top_row *row)
{
	size_t used = 0;
	int err = 0;

	if (t->with_self) {
		used = print_share(p, report_share(p->r, row->self)) + 2 + t->self_width + 2;
		err = print_amount(p, row->self, t->self_width);
		fputs("  ", p->out);
	}
	used += print_share(p, report_share(p->r, row->total)) + 2 + t->total_width;
	if (!err)
		err = print_amount(p, row->total, t->total_width);
	return err ? err : print_name(p, row, used, t->name_width);
}

static int print_table(struct page *p, struct table *t)
{
	bool modules = false;
	size_t i;
	int err = measure(p, t);

	if (err)
		return err;
	for (i = 0; i < t->shown; i++)
		modules |= *t->rows[i].module || t->rows[i].kind == FRAME_KERNEL;
	fputs(code(p, BOLD), p->out);
	if (t->with_self)
		fprintf(p->out, "%7s  %*s  ", "SELF%", t->self_width, "SELF");
	fprintf(p->out, "%7s  %*s  ", "TOTAL%", t->total_width, "TOTAL");
	if (modules)
		fprintf(p->out, "%-*s  MODULE", (int)t->name_width, "FUNCTION");
	else
		fputs("FUNCTION", p->out);
	fprintf(p->out, "%s\n", code(p, RESET));
	for (i = 0; i < t->shown && !err; i++)
		err = print_row(p, t, &t->rows[i]);
	if (!err && t->n > t->shown)
		fprintf(p->out, "... and %zu more\n", t->n - t->shown);
	return err;
}

/* Samples of which not even one frame is known are in no row: they are said apart. */
static int print_stackless(struct page *p, const struct top *top)
{
	_cleanup_(str_release) struct str s = { 0 };
	int64_t rest = top->total;
	size_t i;
	int err;

	for (i = 0; i < top->n; i++) {
		if (__builtin_sub_overflow(rest, top->rows[i].self, &rest))
			return 0;
	}
	if (!rest)
		return 0;
	err = amount(p, rest, &s);
	if (!err)
		fprintf(p->out, "%6.2f%%  %s in samples without a stack\n",
			100 * report_share(p->r, rest), str_text(&s));
	return err;
}

int report_text_top(const struct report *r, const struct top *top, size_t rows,
		    const struct report_style *style, FILE *out)
{
	struct table t = { .rows = top->rows, .n = top->n, .with_self = true };
	struct page p = { r, style, out, { 0 } };
	int err;

	t.shown = rows && rows < top->n ? rows : top->n;
	err = print_table(&p, &t);
	if (!err)
		err = print_stackless(&p, top);
	str_release(&p.text);
	return no_memory(err);
}

static int print_neighbours(struct page *p, const char *title, const struct top_row *rows, size_t n,
			    size_t limit)
{
	struct table t = { .rows = rows, .n = n, .shown = limit && limit < n ? limit : n };

	fprintf(p->out, "\n%s%s%s\n", code(p, BOLD), title, code(p, RESET));
	if (n)
		return print_table(p, &t);
	fputs("none\n", p->out);
	return 0;
}

static int print_function(struct page *p, const char *function, const struct top_neighbours *n,
			  size_t rows)
{
	int err = function_text(p, function, FRAME_USER, "", 0);

	if (err)
		return err;
	fprintf(p->out, "%s%s%s: self ", code(p, BOLD), str_text(&p->text), code(p, RESET));
	err = amount(p, n->self, &p->text);
	if (err)
		return err;
	fprintf(p->out, "%s (%.2f%%), total ", str_text(&p->text),
		100 * report_share(p->r, n->self));
	err = amount(p, n->total, &p->text);
	if (err)
		return err;
	fprintf(p->out, "%s (%.2f%%)\n", str_text(&p->text), 100 * report_share(p->r, n->total));
	err = print_neighbours(p, "Callers", n->callers, n->n_callers, rows);
	return err ? err : print_neighbours(p, "Callees", n->callees, n->n_callees, rows);
}

int report_text_function(const struct report *r, const char *function,
			 const struct top_neighbours *n, size_t rows,
			 const struct report_style *style, FILE *out)
{
	struct page p = { r, style, out, { 0 } };
	int err = print_function(&p, function, n, rows);

	str_release(&p.text);
	return no_memory(err);
}

/* --- tree ---------------------------------------------------------------------------------- */

/* Where a line stands: how far in, and on which levels further siblings will follow. */
struct indents {
	uint32_t *of_line;
	bool *open; /* level -> a sibling follows below */
};

static int print_indent(struct page *p, const struct report_tree *t, size_t line,
			struct indents *in)
{
	bool utf8 = p->style->utf8, branch;
	const struct report_line *l = &t->lines[line];
	uint32_t level;
	int err = 0;

	str_clear(&p->text);
	if (!line) {
		in->of_line[0] = 0;
		return 0;
	}
	branch = t->lines[l->parent].n_children > 1;
	in->of_line[line] = in->of_line[l->parent] + branch;
	if (branch)
		in->open[in->of_line[line]] = !l->last;
	for (level = 1; level <= in->of_line[line] && !err; level++) {
		if (branch && level == in->of_line[line])
			err = str_add(&p->text,
				      utf8 ? (l->last ? "└─ " : "├─ ") : (l->last ? "`- " : "|- "));
		else if (in->open[level])
			err = str_add(&p->text, utf8 ? "│  " : "|  ");
		else
			err = str_add(&p->text, "   ");
	}
	return err;
}

static int print_tree_line(struct page *p, uint32_t at, int total_width)
{
	const struct calltree_node *node = &p->r->tree->nodes[at];
	const char *module = calltree_module(p->r->tree, at);
	size_t used = 7 + 2 + 7 + 2 + total_width + 2;
	int err;

	print_share(p, report_share(p->r, node->total));
	fputs("  ", p->out);
	print_share(p, report_share(p->r, node->self));
	err = print_amount(p, node->total, total_width);
	if (err)
		return err;
	fprintf(p->out, "  %s", str_text(&p->text));
	used += columns(str_text(&p->text));
	err = function_text(p, calltree_name(p->r->tree, at), node->kind,
			    calltree_file(p->r->tree, at), node->line);
	if (err)
		return err;
	fputs(str_text(&p->text), p->out);
	if (*module || node->kind == FRAME_KERNEL)
		return print_module(p, module, node->kind, used + columns(str_text(&p->text)));
	fputc('\n', p->out);
	return 0;
}

static int print_pruned(struct page *p, const struct report_tree *t, double min_share)
{
	_cleanup_(str_release) struct str s = { 0 };
	int err;

	if (!t->pruned)
		return 0;
	err = view_amount((int64_t)t->pruned, "count", &s);
	if (!err)
		fprintf(p->out, "%s branch%s below %g%% not shown, %.2f%% of the total together\n",
			str_text(&s), t->pruned == 1 ? "" : "es", 100 * min_share,
			100 * report_share(p->r, t->pruned_total));
	return err;
}

static int print_tree(struct page *p, const struct report_tree *t, struct indents *in)
{
	const struct calltree *tree = p->r->tree;
	int width = (int)strlen("TOTAL"), err;
	size_t i;

	in->of_line = calloc(t->n, sizeof(*in->of_line));
	in->open = calloc((size_t)tree->max_depth + 2, sizeof(*in->open));
	if (!in->of_line || !in->open)
		return -ENOMEM;
	for (i = 0; i < t->n; i++) {
		err = widen(p, tree->nodes[t->lines[i].node].total, &width);
		if (err)
			return err;
	}
	fprintf(p->out, "%s%7s  %7s  %*s  CALLS%s\n", code(p, BOLD), "TOTAL%", "SELF%", width,
		"TOTAL", code(p, RESET));
	for (i = 0; i < t->n; i++) {
		uint32_t node = t->lines[i].node;

		err = print_indent(p, t, i, in);
		if (!err)
			err = print_tree_line(p, node, width);
		if (err)
			return err;
	}
	return 0;
}

int report_text_tree(const struct report *r, const struct report_tree *t, double min_share,
		     const struct report_style *style, FILE *out)
{
	struct page p = { r, style, out, { 0 } };
	struct indents in = { 0 };
	int err = print_tree(&p, t, &in);

	if (!err)
		err = print_pruned(&p, t, min_share);
	free(in.of_line);
	free(in.open);
	str_release(&p.text);
	return no_memory(err);
}

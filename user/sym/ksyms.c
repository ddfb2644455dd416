/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/ksyms.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/strtab.h"
#include "user/sym/addr_table.h"
#include "user/sym/line_scan.h"

/* KSYM_NAME_LEN is 512 from 6.1 on; a module's name is at most 56 bytes (MODULE_NAME_LEN). */
#define MAX_NAME    1023
#define MAX_MODULE  255
#define MAX_SYMBOLS (16u << 20)
#define MAX_MODULES 65535

/*
 * Nothing says where the last function before a gap ends (the list has no sizes): what is further
 * behind it than this has no name rather than a wrong one.
 */
#define MAX_LAST_BYTES (64 * 1024ull)

enum rank { RANK_DATA, RANK_LOCAL, RANK_WEAK, RANK_GLOBAL };

struct entry {
	uint64_t address;
	uint32_t name; /* in 'names' */
	uint16_t module;
	uint8_t rank;
	uint8_t underscores;
};

struct function {
	uint32_t name;
	uint32_t module;
};

struct ksyms {
	char *names;
	size_t names_len, names_cap;
	struct strtab modules; /* with their brackets; number 0 stands for the kernel itself */
	struct function *functions;
	size_t n;
	struct addr_table table;
};

struct loading {
	struct ksyms *syms;
	struct entry *entries;
	size_t n, cap;
	size_t n_lines;
	uint64_t seen; /* all addresses, or-ed */
};

void ksyms_free(struct ksyms *syms)
{
	if (!syms)
		return;
	free(syms->names);
	strtab_release(&syms->modules);
	free(syms->functions);
	addr_table_release(&syms->table);
	free(syms);
}

/* Types as nm(1) has them: data is kept as the end of the function before it. */
static enum rank rank_of(char type)
{
	switch (type) {
	case 'T':
		return RANK_GLOBAL;
	case 'W':
	case 'w':
		return RANK_WEAK;
	case 't':
		return RANK_LOCAL;
	default:
		return RANK_DATA;
	}
}

static int add_name(struct ksyms *syms, const char *name, size_t len, uint32_t *ret)
{
	if (syms->names_len + len + 1 > UINT32_MAX)
		return -EFBIG;
	if (array_reserve(syms->names, syms->names_cap, syms->names_len + len + 1))
		return -ENOMEM;
	memcpy(syms->names + syms->names_len, name, len);
	syms->names[syms->names_len + len] = '\0';
	*ret = syms->names_len;
	syms->names_len += len + 1;
	return 0;
}

/* "\t[nf_tables]" behind the name; 0 for the kernel itself. */
static int add_module(struct ksyms *syms, const char *at, const char *end, uint16_t *ret)
{
	const char *close;
	uint32_t module;
	int err;

	*ret = 0;
	while (at < end && (*at == '\t' || *at == ' '))
		at++;
	close = at < end && *at == '[' ? memchr(at, ']', end - at) : NULL;
	if (!close || close - at > MAX_MODULE)
		return 0;
	err = strtab_add_bytes(&syms->modules, at, close + 1 - at, &module);
	if (err || module > MAX_MODULES)
		return err ? err : -EFBIG;
	*ret = module;
	return 0;
}

static size_t count_underscores(const char *name, size_t len)
{
	size_t n = 0;

	while (n < len && n < UINT8_MAX && name[n] == '_')
		n++;
	return n;
}

static int add_line(struct loading *l, const char *line, size_t len)
{
	const char *at = line, *end = line + len, *name;
	struct entry e = { 0 };
	int err;

	if (!line_scan_hex(&at, end, &e.address) || end - at < 4 || at[0] != ' ' || at[2] != ' ')
		return 0;
	l->n_lines++;
	l->seen |= e.address;
	e.rank = rank_of(at[1]);
	name = at + 3;
	for (at = name; at < end && *at != '\t' && *at != ' '; at++) {
		if (!isgraph((unsigned char)*at))
			return 0;
	}
	if (at == name || at - name > MAX_NAME || !e.address)
		return 0;
	if (l->n >= MAX_SYMBOLS)
		return -EFBIG;
	if (e.rank != RANK_DATA) {
		e.underscores = count_underscores(name, at - name);
		err = add_name(l->syms, name, at - name, &e.name);
		if (!err)
			err = add_module(l->syms, at, end, &e.module);
		if (err)
			return err;
	}
	if (array_reserve(l->entries, l->cap, l->n + 1))
		return -ENOMEM;
	l->entries[l->n++] = e;
	return 0;
}

/* By address; of aliases the best is the last: global, few underscores, first in the alphabet. */
static int compare_entries(const void *a, const void *b, void *arg)
{
	const struct ksyms *syms = arg;
	const struct entry *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->underscores != y->underscores)
		return x->underscores > y->underscores ? -1 : 1;
	return x->rank == RANK_DATA ? 0 : strcmp(syms->names + y->name, syms->names + x->name);
}

static void sort_entries(struct loading *l)
{
	size_t i;

	for (i = 1; i < l->n; i++) {
		if (compare_entries(&l->entries[i - 1], &l->entries[i], l->syms) > 0) {
			qsort_r(l->entries, l->n, sizeof(*l->entries), compare_entries, l->syms);
			return;
		}
	}
}

static uint64_t end_of(const struct loading *l, size_t i)
{
	const struct entry *e = &l->entries[i], *next = i + 1 < l->n ? e + 1 : NULL;

	if (next && next->rank != RANK_DATA && next->module == e->module)
		return next->address;
	if (next && next->address - e->address < MAX_LAST_BYTES)
		return next->address;
	return UINT64_MAX - e->address < MAX_LAST_BYTES ? UINT64_MAX : e->address + MAX_LAST_BYTES;
}

static int make_table(struct loading *l)
{
	_cleanup_(freep) struct addr_range *ranges = NULL;
	struct ksyms *syms = l->syms;
	size_t i, n = 0;

	ranges = malloc((l->n + 1) * sizeof(*ranges));
	syms->functions = malloc((l->n + 1) * sizeof(*syms->functions));
	if (!ranges || !syms->functions)
		return -ENOMEM;
	for (i = 0; i < l->n; i++) {
		const struct entry *e = &l->entries[i];

		if (e->rank == RANK_DATA)
			continue;
		if (i + 1 < l->n && e[1].address == e->address)
			continue; /* an alias that is not the best */
		ranges[n] = (struct addr_range){ e->address, end_of(l, i), n, n };
		syms->functions[n++] = (struct function){ e->name, e->module };
	}
	syms->n = n;
	return addr_table_init(&syms->table, ranges, n);
}

static int read_lines(struct loading *l, int fd, const char *name)
{
	struct line_scan scan;
	const char *line;
	size_t len;
	int err;

	err = line_scan_init(&scan, fd, name);
	if (err)
		return err;
	while ((err = line_scan_next(&scan, &line, &len)) > 0) {
		err = add_line(l, line, len);
		if (err) {
			errf(err,
			     err == -EFBIG ? "'%s' has too many symbols"
					   : "no memory for the symbols of '%s'",
			     name);
			break;
		}
	}
	line_scan_release(&scan);
	return err;
}

static int load(struct loading *l, int fd, const char *name)
{
	int err = read_lines(l, fd, name);

	if (err)
		return err;
	/* kptr_restrict zeroes every address: refuse rather than mislabel. */
	if (l->n_lines && !l->seen)
		return errf(-EACCES,
			    "'%s' hides addresses: run as root or set kernel.kptr_restrict=0",
			    name);
	sort_entries(l);
	if (make_table(l))
		return errf(-ENOMEM, "no memory for the symbols of '%s'", name);
	return l->syms->n ? 0 : errf(-ENODATA, "'%s' has no functions in it", name);
}

int ksyms_load_fd(int fd, const char *name, struct ksyms **ret)
{
	_cleanup_(ksyms_freep) struct ksyms *syms = calloc(1, sizeof(*syms));
	struct loading l = { .syms = syms };
	int err;

	if (!syms || strtab_init(&syms->modules))
		return errf(-ENOMEM, "no memory for the symbols of '%s'", name);
	err = load(&l, fd, name);
	free(l.entries);
	if (err)
		return err;
	*ret = take(syms);
	return 0;
}

int ksyms_load(const char *path, struct ksyms **ret)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errf(-errno, "cannot open '%s': %m", path);
	return ksyms_load_fd(fd, path, ret);
}

bool ksyms_find(const struct ksyms *syms, uint64_t address, struct ksym *ret)
{
	const struct function *f;
	uint64_t offset;
	uint32_t id;

	if (!addr_table_find(&syms->table, address, &id, &offset))
		return false;
	f = &syms->functions[id];
	*ret = (struct ksym){
		.id = id,
		.name = syms->names + f->name,
		.module = f->module ? strtab_get(&syms->modules, f->module) : "[kernel]",
		.offset = offset,
	};
	return true;
}

size_t ksyms_count(const struct ksyms *syms)
{
	return syms->n;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/demangle.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/cleanup.h"

/*
 * libiberty's C++ parser recurses for each byte; by default it refuses more than 1024 bytes, which
 * real templates have. 4096 bytes of the worst kind need less than 1 MiB of stack, so they are
 * safe without that limit. Rust's has a limit of its own on depth, which stays.
 */
#define MAX_MANGLED 4096

/*
 * D's demangler has no bound on its output. A back reference ('Q') can at most double it for each
 * second one: 16 make 1 KiB to 256 KiB. Source: D's ABI, "Name Mangling".
 */
#define MAX_D_MANGLED	 1024
#define MAX_D_REFERENCES 16

struct output {
	char *text;
	size_t len, size;
	jmp_buf full;
};

bool demangle_is_mangled(const char *name)
{
	return name[0] == '_' && (name[1] == 'Z' || name[1] == 'R' || name[1] == 'D' ||
				  !strncmp(name, "_GLOBAL_", 8));
}

/*
 * Substitutions make exponentially long names of short ones, so that not only the output must
 * end, but the work for it: out of the middle of libiberty, which holds no memory then (Rust's
 * punycode excepted: one identifier's).
 */
static void receive(const char *text, size_t len, void *arg)
{
	struct output *out = arg;
	size_t room = out->size - 1 - out->len;

	if (!len)
		return; /* 'text' may be NULL then */
	memcpy(out->text + out->len, text, len < room ? len : room);
	out->len += len < room ? len : room;
	if (len >= room)
		longjmp(out->full, 1);
}

static size_t demangle_cxx_or_rust(const char *name, int options, struct output *out)
{
	if (!setjmp(out->full) && !rust_demangle_callback(name, options, receive, out)) {
		out->len = 0;
		if (!cplus_demangle_v3_callback(name, options | DMGL_NO_RECURSE_LIMIT, receive,
						out))
			return 0;
	}
	out->text[out->len] = '\0';
	return out->len;
}

/* Where "(int, char[]) const" begins, which a "!(" of template arguments is not. */
static size_t d_parameters(const char *text, size_t len)
{
	size_t i = len, depth = 0;

	while (i && text[i - 1] != ')') {
		if (!(text[i - 1] == ' ' || (text[i - 1] >= 'a' && text[i - 1] <= 'z')))
			return len;
		i--;
	}
	while (i-- > 0) {
		depth += text[i] == ')';
		depth -= text[i] == '(';
		if (!depth)
			return i && text[i - 1] != '!' ? i : len;
	}
	return len;
}

static size_t demangle_d(const char *name, enum demangle how, char *ret, size_t size)
{
	_cleanup_(freep) char *text = NULL;
	size_t references = 0, i, len;

	for (i = 0; name[i]; i++)
		references += name[i] == 'Q';
	if (i > MAX_D_MANGLED || references > MAX_D_REFERENCES)
		return 0;
	text = dlang_demangle(name, DMGL_DLANG | DMGL_PARAMS);
	if (!text)
		return 0;
	len = strlen(text);
	if (how == DEMANGLE_SHORT)
		len = d_parameters(text, len);
	if (len >= size)
		len = size - 1;
	memcpy(ret, text, len);
	ret[len] = '\0';
	return len;
}

size_t demangle_name(const char *name, enum demangle how, char *ret, size_t size)
{
	int options = how == DEMANGLE_FULL ? DMGL_PARAMS | DMGL_ANSI : DMGL_ANSI;
	struct output out = { .text = ret, .size = size };

	if (how == DEMANGLE_NONE || !size || !demangle_is_mangled(name) ||
	    strnlen(name, MAX_MANGLED + 1) > MAX_MANGLED)
		return 0;
	if (name[1] == 'D')
		return demangle_d(name, how, ret, size);
	return demangle_cxx_or_rust(name, options, &out);
}

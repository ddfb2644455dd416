/* SPDX-License-Identifier: BSD-2-Clause */
/* demangle: C++, Rust (legacy and v0) and D names as people wrote them, by libiberty. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "user/sym/sym.h"

/* Whether it looks mangled; cheap. */
bool demangle_is_mangled(const char *name);

/*
 * The demangled name, cut at 'size' - 1 bytes, and its length; 0 if it is not mangled or beyond
 * what may be demangled without risk, with 'ret' untouched or not a string. Names are hostile:
 * what recursion and references can blow up is bounded by input length, depth and output length.
 * C++ names without parameters and return type (DEMANGLE_SHORT) keep their template arguments.
 */
size_t demangle_name(const char *name, enum demangle how, char *ret, size_t size);

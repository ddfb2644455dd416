/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/frame_family.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "user/base/array.h"
#include "user/model/profile.h"

/*
 * Beginnings of files' names. Where what follows would be another word ("node" of "nodetool"), the
 * name has to end there, or to go on with a version, a suffix or a dash.
 */
static const char *const libc_files[] = {
	"libc",	 "ld-linux", "ld-musl",	  "ld",	     "libpthread", "libm",
	"libdl", "librt",    "libresolv", "libmvec", "[vdso]",	   "linux-vdso",
};

static const char *const runtime_files[] = {
	"libjvm",      "libjava",   "libjli",	   "java",	"libpython",	"python",
	"pypy",	       "libpypy",   "libruby",	   "ruby",	"libperl",	"perl",
	"libphp",      "php",	    "node",	   "nodejs",	"libnode",	"libv8",
	"bun",	       "deno",	    "libcoreclr",  "libclrjit", "libclrgc",	"dotnet",
	"libmono",     "mono",	    "beam",	   "luajit",	"lua",		"liblua",
	"libluajit",   "libart",    "libguile",	   "guile",	"sbcl",		"julia",
	"libjulia",    "libR",	    "libstdc++",   "libc++",	"libc++abi",	"libgcc_s",
	"libgfortran", "libobjc",   "libgo",	   "libgomp",	"libswiftCore", "libgphobos",
	"libphobos2",  "libatomic", "libwasmtime", "libsystem",
};

static const char *file_of(const char *module)
{
	const char *slash = strrchr(module, '/');

	return slash && slash[1] ? slash + 1 : module;
}

static bool begins(const char *file, const char *word)
{
	size_t n = strlen(word);

	/* "python3.11", "libc.so.6", "libc-2.31.so", "beam.smp" */
	return !strncmp(file, word, n) && (!file[n] || strchr(".-0123456789]", file[n]));
}

static bool is_one_of(const char *file, const char *const *words, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (begins(file, words[i]))
			return true;
	}
	return false;
}

static enum frame_family of_file(const char *file)
{
	if (!strncmp(file, "[kernel", 7) || !strncmp(file, "[guest.kernel", 13))
		return FAMILY_KERNEL; /* perf's names for it */
	if (is_one_of(file, libc_files, ARRAY_SIZE(libc_files)))
		return FAMILY_LIBC;
	if (is_one_of(file, runtime_files, ARRAY_SIZE(runtime_files)))
		return FAMILY_RUNTIME;
	return FAMILY_USER;
}

/* "name (file.py:12)", "name [file.rb:12]", "~name /srv/file.js:12": a script and its line. */
static bool has_script_line(const char *name)
{
	static const char *const scripts[] = { ".py:",	".rb:", ".js:",	 ".mjs:", ".ts:",
					       ".php:", ".pl:", ".lua:", ".ex:" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(scripts); i++) {
		const char *at = strstr(name, scripts[i]);

		if (at && isdigit((unsigned char)at[strlen(scripts[i])]))
			return true;
	}
	return false;
}

/* "java/lang/String.hashCode", "Ljava/lang/String;::hashCode", "LazyCompile:~f ..." */
static bool is_named_by_runtime(const char *name)
{
	static const char *const packages[] = { "java/", "javax/", "jdk/", "sun/" };
	size_t i;

	if (!strncmp(name, "LazyCompile:", 12))
		return true;
	name += *name == 'L';
	for (i = 0; i < ARRAY_SIZE(packages); i++) {
		if (!strncmp(name, packages[i], strlen(packages[i])))
			return true;
	}
	return false;
}

static enum frame_family of_name(const char *name)
{
	if (*name == '[' && strcmp(name, "[unknown]"))
		return of_file(file_of(name + 1));
	return has_script_line(name) || is_named_by_runtime(name) ? FAMILY_JIT : FAMILY_USER;
}

enum frame_family frame_family_of(uint32_t kind, const char *name, const char *module)
{
	switch (kind) {
	case FRAME_KERNEL:
		return FAMILY_KERNEL;
	case FRAME_INLINED:
		return FAMILY_INLINED;
	case FRAME_INTERPRETED:
		return FAMILY_JIT;
	case FRAME_SYNTHETIC:
		return FAMILY_PROCESS;
	}
	/* Go's runtime is in each of its programs. */
	if (!strncmp(name, "runtime.", 8))
		return FAMILY_RUNTIME;
	return *module ? of_file(file_of(module)) : of_name(name);
}

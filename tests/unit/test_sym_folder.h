/* SPDX-License-Identifier: BSD-2-Clause */
/* test_sym_folder: a folder for a test's files, and the tools of the build to make them. */
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[64];

static inline int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/fathom-test-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

/* Runs a shell command in the folder; its exit status. */
static inline int __attribute__((format(printf, 1, 2))) run(const char *fmt, ...)
{
	char command[4096];
	va_list ap;
	int at = snprintf(command, sizeof(command), "cd %s && ", folder);

	va_start(ap, fmt);
	vsnprintf(command + at, sizeof(command) - at, fmt, ap);
	va_end(ap);
	return system(command);
}

static inline int remove_folder(void **state)
{
	(void)state;
	return run("rm -rf %s", folder);
}

static inline const char *in_folder(const char *name)
{
	static char path[4][512];
	static unsigned int i;

	i = (i + 1) % 4;
	snprintf(path[i], sizeof(path[i]), "%s/%s", folder, name);
	return path[i];
}

/* Overwrites 'n' bytes of the file at an offset. */
static inline void patch(const char *name, long offset, const void *bytes, size_t n)
{
	FILE *f = fopen(in_folder(name), "r+e");

	if (!f || fseek(f, offset, SEEK_SET) || fwrite(bytes, 1, n, f) != n || fclose(f))
		abort();
}

static inline void write_text(const char *name, const char *text)
{
	FILE *f = fopen(in_folder(name), "we");

	if (!f || fputs(text, f) < 0 || fclose(f))
		abort();
}

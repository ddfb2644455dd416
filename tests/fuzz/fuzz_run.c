/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_run: any bytes as the files of a scenario's run (the first line is summary.json, the others
 * are samples.jsonl): what is read can be written, and is the same when it is read again.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "user/base/cleanup.h"
#include "user/base/json_parts.h"
#include "user/bench/run_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[64];

static void make_folder(void)
{
	if (folder[0])
		return;
	strcpy(folder, "/tmp/fathom-fuzz-XXXXXX");
	if (!mkdtemp(folder))
		abort();
}

static FILE *open_file(const char *name)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "we");
	if (!f)
		abort();
	return f;
}

static void write_file(const char *name, const void *data, size_t len)
{
	FILE *f = open_file(name);

	if (fwrite(data, 1, len, f) != len || fclose(f))
		abort();
}

/* The bytes of both files, one after the other. */
static char *write_run(const struct run_result *r)
{
	json_t *o = run_summary_json(r, NULL);
	_cleanup_(freep) char *summary = o ? json_text(o) : NULL, *samples = NULL;
	char *both;
	size_t len;
	FILE *out = open_memstream(&samples, &len);

	json_decref(o);
	if (!summary || !out || run_samples_write(r, out) || fclose(out))
		abort();
	write_file("summary.json", summary, strlen(summary));
	write_file("samples.jsonl", samples, len);
	if (asprintf(&both, "%s%s", summary, samples) < 0)
		abort();
	return both;
}

static void show(const struct run_result *r)
{
	static FILE *out;

	if (!out)
		out = fopen("/dev/null", "we");
	if (!out || run_report_write(r, NULL, out) || run_junit_write(r, NULL, out) ||
	    run_openmetrics_write(r, out) || run_annotations_write(r, NULL, NULL, out))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *newline = memchr(data, '\n', size);
	size_t first = newline ? (size_t)(newline - data) + 1 : size;
	_cleanup_(run_result_freep) struct run_result *r = NULL, *again = NULL;
	_cleanup_(freep) char *once = NULL, *twice = NULL;

	make_folder();
	write_file("summary.json", data, first);
	write_file("samples.jsonl", data + first, size - first);
	if (run_result_read(folder, &r))
		return 0;
	show(r);
	once = write_run(r);
	if (run_result_read(folder, &again))
		abort();
	twice = write_run(again);
	if (strcmp(once, twice))
		abort();
	return 0;
}

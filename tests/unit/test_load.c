/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/folder.h"
#include "tests/unit/full_profile.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/export/load.h"
#include "user/export/pprof.h"

static void write_pprof(const struct folder *f, const char *name, int64_t samples)
{
	_cleanup_(profile_freep) struct profile *p = profile_new();
	_cleanup_(freep) void *data = NULL;
	size_t len;

	assert_int_equal(profile_add_value_type(p, "samples", "count"), 0);
	assert_int_equal(profile_add_value_type(p, "cpu", "nanoseconds"), 0);
	FULL_ADD(p, NULL, 0, samples, FULL_MAIN);
	assert_int_equal(pprof_write(p, &data, &len), 0);
	folder_write(f, name, data, len);
}

static int64_t total_of(const char *path, const char *collector, uint64_t repairs)
{
	_cleanup_(profile_freep) struct profile *p = NULL;
	struct folded_repairs r;

	memset(&r, 0xff, sizeof(r));
	assert_int_equal(profile_load(path, collector, &p, &r), 0);
	assert_int_equal(folded_repairs_describe(&r, NULL, 0), repairs);
	return profile_total(p, 0);
}

static void assert_refused(const char *path, const char *collector, int err, const char *why)
{
	struct folded_repairs r = { .text = 5 };
	struct profile *p = NULL;

	assert_int_equal(profile_load(path, collector, &p, &r), err);
	assert_null(p);
	assert_int_equal(r.text, 5);
	if (!strstr(err_text(), why))
		print_message("'%s' is not in '%s'\n", why, err_text());
	assert_non_null(strstr(err_text(), why));
}

static void formats_are_told_by_content(void **state)
{
	_cleanup_(folder_remove) struct folder f;

	(void)state;
	folder_make(&f);
	write_pprof(&f, "x.folded", 5); /* names do not matter */
	assert_int_equal(total_of(folder_path(&f, "x.folded"), NULL, 0), 5);
	folder_write(&f, "x.pb.gz", "main;a 7\nbad\n", 13);
	assert_int_equal(total_of(folder_path(&f, "x.pb.gz"), NULL, 1), 7);
	folder_write(&f, "lines", "\n\nmain;a 7\n", 11); /* 0x0a is a protobuf's first byte, too */
	assert_int_equal(total_of(folder_path(&f, "lines"), NULL, 0), 7);
	folder_write(&f, "a", "a 1", 3);
	assert_int_equal(total_of(folder_path(&f, "a"), NULL, 0), 1);
}

static void uncompressed_pprof_is_known(void **state)
{
	/* A value type of strings 1 and 2; strings "", "samples", "count". */
	static const char plain[] = "\x0a\x04\x08\x01\x10\x02\x32\x00\x32\x07samples\x32\x05"
				    "count";
	_cleanup_(folder_remove) struct folder f;
	_cleanup_(profile_freep) struct profile *p = NULL;
	struct folded_repairs r;

	(void)state;
	folder_make(&f);
	folder_write(&f, "x", plain, sizeof(plain) - 1);
	assert_int_equal(profile_load(folder_path(&f, "x"), NULL, &p, &r), 0);
	assert_string_equal(profile_string(p, p->value_types[0].unit), "count");
}

static void a_run_folder_gives_its_first_recording_or_the_one_named(void **state)
{
	_cleanup_(folder_remove) struct folder f;

	(void)state;
	folder_make(&f);
	write_pprof(&f, "io.pb.gz", 4);
	write_pprof(&f, "file.pb.gz", 5);
	assert_int_equal(total_of(f.path, NULL, 0), 4);
	write_pprof(&f, "alloc.pb.gz", 3);
	assert_int_equal(total_of(f.path, NULL, 0), 3);
	write_pprof(&f, "offcpu.pb.gz", 2);
	write_pprof(&f, "cpu.pb.gz", 1);
	assert_int_equal(total_of(f.path, NULL, 0), 1);
	assert_int_equal(total_of(f.path, "file", 0), 5);
	assert_int_equal(total_of(f.path, "offcpu", 0), 2);
}

static void a_missing_recording_is_told_with_what_there_is(void **state)
{
	_cleanup_(folder_remove) struct folder f;

	(void)state;
	folder_make(&f);
	assert_refused(f.path, NULL, -ENOENT, "is not a run folder: it has no cpu.pb.gz");
	assert_refused(f.path, "cpu", -ENOENT, "is not a run folder");
	write_pprof(&f, "offcpu.pb.gz", 2);
	write_pprof(&f, "io.pb.gz", 2);
	assert_refused(f.path, "cpu", -ENOENT, "has no recording of 'cpu'; it has: offcpu, io");
	assert_refused(f.path, "../etc", -EINVAL, "'../etc' is not the name of a collector");
	assert_refused(f.path, "", -EINVAL, "not the name of a collector");
}

static void what_cannot_be_read_is_named(void **state)
{
	_cleanup_(folder_remove) struct folder f;

	(void)state;
	folder_make(&f);
	assert_refused("/nonexistent/x", NULL, -ENOENT, "'/nonexistent/x'");
	folder_write(&f, "empty", "", 0);
	assert_refused(folder_path(&f, "empty"), NULL, -EINVAL, "is empty");
	assert_refused("/dev/null", NULL, -EINVAL, "not a regular file");
	folder_write(&f, "cut", "\x1f\x8b\x08\0", 4);
	assert_refused(folder_path(&f, "cut"), NULL, -EINVAL, "cut short");
	folder_write(&f, "binary",
		     "\x7f"
		     "ELF\0\0\0",
		     7);
	assert_refused(folder_path(&f, "binary"), NULL, -EINVAL, "no folded stacks");
}

static void a_pipe_in_a_run_folder_is_not_waited_for(void **state)
{
	_cleanup_(folder_remove) struct folder f;

	(void)state;
	folder_make(&f);
	assert_int_equal(mkfifo(folder_path(&f, "cpu.pb.gz"), 0600), 0);
	assert_refused(f.path, NULL, -EINVAL, "not a regular file");
}

static void a_named_pipe_is_read_to_its_end(void **state)
{
	_cleanup_(folder_remove) struct folder f;
	_cleanup_(profile_freep) struct profile *p = NULL;
	struct folded_repairs repairs;
	const char *path;
	pid_t writer;

	(void)state;
	folder_make(&f);
	path = folder_path(&f, "pipe");
	assert_int_equal(mkfifo(path, 0600), 0);
	writer = fork();
	if (!writer) {
		FILE *out = fopen(path, "w");

		fputs("main;work 3\nmain 1\n", out);
		fclose(out);
		_exit(0);
	}
	assert_int_equal(profile_load(path, NULL, &p, &repairs), 0);
	assert_int_equal(waitpid(writer, NULL, 0), writer);
	assert_int_equal(profile_total(p, 0), 4);
}

/* Standard input of this program is taken for the moment. */
static void give_stdin(const void *data, size_t len)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], data, len), len);
	close(ends[1]);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
}

static void standard_input_may_be_either(void **state)
{
	_cleanup_(folder_remove) struct folder f;
	char data[4096];
	FILE *in;
	size_t n;

	(void)state;
	folder_make(&f);
	give_stdin("main;a 7\nnope\n", 14);
	assert_int_equal(total_of("-", NULL, 1), 7);
	write_pprof(&f, "x", 9);
	in = fopen(folder_path(&f, "x"), "re");
	n = fread(data, 1, sizeof(data), in);
	fclose(in);
	give_stdin(data, n);
	assert_int_equal(total_of("-", NULL, 0), 9);
	give_stdin("", 0);
	assert_refused("-", NULL, -EINVAL, "standard input is empty");
}

/* Written by runtime/pprof of Go 1.19; totals are those that 'go tool pprof -top' shows. */
static void profiles_of_go_programs_are_read(void **state)
{
	_cleanup_(profile_freep) struct profile *cpu = NULL, *heap = NULL;
	struct folded_repairs r;
	uint32_t i, leaf;
	int64_t burn = 0;
	unsigned int v;

	(void)state;
	assert_int_equal(profile_load("tests/data/go-cpu.pb.gz", NULL, &cpu, &r), 0);
	assert_int_equal(cpu->n_values, 2);
	assert_int_equal(profile_total(cpu, 0), 17);
	assert_int_equal(profile_total(cpu, 1), 170000000);
	assert_int_equal(cpu->default_value, 1);
	assert_int_equal(cpu->period_ns, 10000000);
	for (i = 0; i < cpu->samples.n; i++) {
		leaf = profile_node_at(cpu, profile_sample_at(cpu, i)->node)->frame;
		if (!strcmp(profile_string(cpu, profile_frame_at(cpu, leaf)->function),
			    "main.burn"))
			burn += profile_values_at(cpu, i)[1];
	}
	assert_int_equal(burn, 150000000);
	assert_string_equal(profile_frame_module(cpu, profile_frame_at(cpu, 0)), "burn");

	assert_int_equal(profile_load("tests/data/go-heap.pb.gz", NULL, &heap, &r), 0);
	assert_int_equal(heap->n_values, 4);
	assert_string_equal(profile_string(heap, heap->value_types[heap->default_value].type),
			    "inuse_space");
	assert_int_equal(profile_find_value_type(heap, "alloc_space", &v), 0);
	assert_true(profile_total(heap, v) / 1e4 / 1.048576 > 19848);
	assert_true(profile_total(heap, v) / 1e4 / 1.048576 < 19850);
	assert_non_null(profile_label(heap, profile_sample_at(heap, 0)->labels, "bytes"));
}

/* What standard input is while that is asked; it is left as it was. */
static bool stdin_is_folded(int fd)
{
	int saved = dup(STDIN_FILENO);
	bool is;

	dup2(fd, STDIN_FILENO);
	is = profile_is_folded("-");
	dup2(saved, STDIN_FILENO);
	close(saved);
	return is;
}

static void a_look_at_the_format_takes_nothing(void **state)
{
	_cleanup_(folder_remove) struct folder f;
	char text[16] = "";
	int fds[2], fd;

	(void)state;
	folder_make(&f);
	write_pprof(&f, "x.pb.gz", 5);
	assert_false(profile_is_folded(folder_path(&f, "x.pb.gz")));
	assert_false(profile_is_folded(folder_path(&f, "nothing")));
	assert_false(profile_is_folded(f.path));
	folder_write(&f, "x.folded", "main;a 7\n", 9);
	assert_true(profile_is_folded(folder_path(&f, "x.folded")));
	fd = open(folder_path(&f, "x.folded"), O_RDONLY | O_CLOEXEC);
	assert_true(stdin_is_folded(fd));
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	close(fd);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "main;a 7\n", 9), 9);
	assert_true(stdin_is_folded(fds[0]));
	assert_int_equal(read(fds[0], text, sizeof(text)), 9);
	assert_string_equal(text, "main;a 7\n");
	assert_int_equal(write(fds[1], "\x1f\x8b\x08\x00", 4), 4);
	assert_false(stdin_is_folded(fds[0]));
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_look_at_the_format_takes_nothing),
		cmocka_unit_test(formats_are_told_by_content),
		cmocka_unit_test(uncompressed_pprof_is_known),
		cmocka_unit_test(a_run_folder_gives_its_first_recording_or_the_one_named),
		cmocka_unit_test(a_missing_recording_is_told_with_what_there_is),
		cmocka_unit_test(what_cannot_be_read_is_named),
		cmocka_unit_test(a_named_pipe_is_read_to_its_end),
		cmocka_unit_test(a_pipe_in_a_run_folder_is_not_waited_for),
		cmocka_unit_test(standard_input_may_be_either),
		cmocka_unit_test(profiles_of_go_programs_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/schema.h"
#include "tests/unit/some_store.h"

#include <errno.h>
#include <sys/file.h>

#include "user/bench/store_layout.h"

static void an_accepted_run_is_found_with_all_its_files(void **state)
{
	_cleanup_(some_store_remove) struct some_store s;
	_cleanup_(baselines_freep) struct baselines *all = NULL;
	_cleanup_(decrefp) json_t *o = NULL;
	_cleanup_(run_result_freep) struct run_result *r = NULL;
	size_t i;

	(void)state;
	some_store_make(&s);
	assert_int_equal(store_list(s.path, NULL, NULL, &all), 0);
	assert_int_equal(all->n, 0);
	baselines_free(take(all));
	folder_write(&s.run, "not listed", "x", 1);
	accept_run(&s, "0001");
	accept_run(&s, "0002");
	assert_int_equal(store_list(s.path, NULL, NULL, &all), 0);
	assert_int_equal(all->n, 2);
	for (i = 0; i < 2; i++) {
		assert_string_equal(all->list[i].environment, SOME_ENVIRONMENT);
		assert_string_equal(all->list[i].scenario, "cpu-bound");
		assert_string_equal(all->list[i].note, "because it is good");
		assert_string_equal(all->list[i].by, "somebody");
		assert_string_equal(all->list[i].pins, "");
		assert_true(all->list[i].is_whole);
		assert_true(all->list[i].accepted_ns > 1700000000000000000);
	}
	assert_string_equal(all->list[1].id, "0002");
	assert_string_equal(all->list[1].path, in_store(&s, "0002"));
	o = json_load_file(in_store(&s, "0002/accepted.json"), 0, NULL);
	assert_true(schema_accepts(o, "baseline.schema.json"));
	json_object_del(o, "note");
	assert_false(schema_accepts(o, "baseline.schema.json"));
	assert_int_equal(run_result_read(all->list[0].path, &r), 0);
	assert_int_equal(r->n_cases, 2);
	assert_int_equal(access(in_store(&s, "0001/report.md"), F_OK), 0);
	assert_int_equal(access(in_store(&s, "0001/not listed"), F_OK), -1);
}

static void a_baseline_has_a_note_and_a_name(void **state)
{
	_cleanup_(some_store_remove) struct some_store s;
	char *id = NULL;

	(void)state;
	some_store_make(&s);
	assert_int_equal(store_accept(s.path, s.run.path, " \n", "me", true, &id), -EINVAL);
	assert_non_null(strstr(err_text(), "note"));
	assert_int_equal(store_accept(s.path, s.run.path, NULL, "me", true, &id), -EINVAL);
	assert_int_equal(store_accept(s.path, s.run.path, "good", "", true, &id), -EINVAL);
	assert_non_null(strstr(err_text(), "name"));
	assert_null(id);
	assert_int_equal(access(s.path, F_OK), -1);
}

static void runs_that_say_nothing_are_not_accepted(void **state)
{
	static const char *const words[] = { "void", "given up", "no repetitions", "environment",
					     "environment" };
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		_cleanup_(run_result_freep) struct run_result *r = some_run();
		_cleanup_(some_store_remove) struct some_store s;
		size_t n[2];
		char *id = NULL;

		some_store_make(&s);
		for (k = 0; k < 2; k++)
			n[k] = r->cases[k].n_repetitions;
		if (i == 0)
			r->cases[1].repetitions[1].outcome = REPETITION_TIMED_OUT;
		if (i == 1)
			r->abort = strdup("too much memory");
		for (k = 0; i == 2 && k < 2; k++)
			r->cases[k].n_repetitions = 0;
		if (i == 3)
			strcpy(r->environment.name, "../up");
		if (i == 4)
			strcpy(r->scenario, ".lock");
		some_run_write(r, NULL, &s.run);
		for (k = 0; k < 2; k++)
			r->cases[k].n_repetitions = n[k];
		some_manifest(&s.run, some_names, 3);
		assert_int_equal(store_accept(s.path, s.run.path, "n", "b", true, &id), -EINVAL);
		assert_non_null(strstr(err_text(), words[i]));
		assert_null(id);
	}
}

static size_t entries_of(const char *path)
{
	DIR *dir = opendir(path);
	size_t n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

/* Spoils one thing of a run folder whose manifest is right. */
static void spoil(const struct some_store *s, int how)
{
	char report[96];

	snprintf(report, sizeof(report), "%s/report.md", s->run.path);
	if (how == 0)
		folder_write(&s->run, "report.md", "# CPU-bound\n", 12);
	if (how == 1)
		folder_write(&s->run, "report.md", "# cpu-bound\n\n", 13);
	if (how >= 2)
		assert_int_equal(unlink(report), 0);
	if (how == 3)
		assert_int_equal(symlink("summary.json", report), 0);
	if (how == 4)
		assert_int_equal(mkfifo(report, 0600), 0);
	if (how == 5)
		assert_int_equal(mkdir(report, 0700), 0);
	if (how == 6) {
		folder_write(&s->run, "report.md", "# cpu-bound\n", 12);
		unlink(folder_path(&s->run, "manifest.json"));
	}
	if (how == 7) {
		/* Without the samples there is nothing to compare with. */
		folder_write(&s->run, "report.md", "# cpu-bound\n", 12);
		some_manifest(&s->run, some_names, 1);
	}
}

static void what_is_not_as_its_manifest_says_leaves_nothing_in_the_store(void **state)
{
	static const int errors[] = { -EINVAL, -EINVAL, -EINVAL, -ELOOP,
				      -EINVAL, -EINVAL, -EINVAL, -EINVAL };
	int i;

	(void)state;
	for (i = 0; i < (int)ARRAY_SIZE(errors); i++) {
		_cleanup_(some_store_remove) struct some_store s;
		char *id = NULL;

		some_store_make(&s);
		spoil(&s, i);
		assert_int_equal(store_accept(s.path, s.run.path, "n", "b", true, &id), errors[i]);
		assert_null(id);
		assert_int_equal(entries_of(in_store(&s, "")), 2);
		if (i == 5)
			assert_int_equal(rmdir(folder_path(&s.run, "report.md")), 0);
	}
}

static void manifests_that_name_what_is_elsewhere_are_refused(void **state)
{
	static const char *const bad[] = {
		"\"../summary.json\"",
		"\"/etc/passwd\"",
		"\"..\"",
		"\"\"",
		"\".hidden\"",
		"\"accepted.json\"",
		"\"manifest.json\"",
		"7",
		"\"summary.json\"",
	};
	_cleanup_(some_store_remove) struct some_store s;
	size_t i, n;
	char *id = NULL;

	(void)state;
	some_store_make(&s);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		char text[1024];
		int k;

		n = snprintf(text, sizeof(text),
			     "{\"schema\": \"fathom.manifest/1\", \"files\": [");
		for (k = 0; k < 2; k++)
			n += snprintf(text + n, sizeof(text) - n,
				      "%s{\"name\": %s, \"size\": 1, \"sha256\": \"%064d\"}",
				      k ? ", " : "", k ? bad[i] : "\"summary.json\"", 0);
		n += snprintf(text + n, sizeof(text) - n, "]}");
		folder_write(&s.run, "manifest.json", text, n);
		assert_int_equal(store_accept(s.path, s.run.path, "n", "b", true, &id), -EINVAL);
		assert_non_null(strstr(err_text(), "manifest"));
	}
	assert_int_equal(entries_of(in_store(&s, "")), 2);
}

static void a_baseline_that_was_changed_is_not_whole(void **state)
{
	static const char *const files[] = { "report.md", "manifest.json", "accepted.json" };
	size_t i;
	int how;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		for (how = 0; how < 2; how++) {
			_cleanup_(some_store_remove) struct some_store s;
			_cleanup_(baselines_freep) struct baselines *all = NULL;
			char name[64];
			FILE *f;

			some_store_make(&s);
			accept_run(&s, "0001");
			snprintf(name, sizeof(name), "0001/%s", files[i]);
			f = how ? NULL : fopen(in_store(&s, name), "r+e");
			if (f) {
				assert_true(fputc('#' + 1, f) != EOF);
				fclose(f);
			} else {
				assert_int_equal(unlink(in_store(&s, name)), 0);
			}
			assert_int_equal(store_list(s.path, NULL, NULL, &all), 0);
			assert_int_equal(all->n, 1);
			assert_false(all->list[0].is_whole);
			baselines_free(take(all));
			assert_int_equal(
				store_find(s.path, SOME_ENVIRONMENT, "cpu-bound", NULL, &all), 0);
			assert_false(all->list[0].is_whole);
			assert_int_equal(store_pin(s.path, SOME_ENVIRONMENT, "cpu-bound", "1", "x",
						   "me", true),
					 -EINVAL);
		}
	}
}

static void assert_found(const struct some_store *s, const char *what, const char *id,
			 const char *pins)
{
	_cleanup_(baselines_freep) struct baselines *found = NULL;

	if (store_find(s->path, SOME_ENVIRONMENT, "cpu-bound", what, &found))
		fail_msg("%s", err_text());
	assert_int_equal(found->n, 1);
	assert_string_equal(found->list[0].id, id);
	assert_string_equal(found->list[0].pins, pins);
	assert_true(found->list[0].is_whole);
}

static int pin(const struct some_store *s, const char *id, const char *name)
{
	return store_pin(s->path, SOME_ENVIRONMENT, "cpu-bound", id, name, "somebody", true);
}

static void a_pin_means_what_it_was_set_to_last(void **state)
{
	_cleanup_(some_store_remove) struct some_store s;
	_cleanup_(decrefp) json_t *o = NULL;

	(void)state;
	some_store_make(&s);
	accept_run(&s, "0001");
	accept_run(&s, "0002");
	accept_run(&s, "0003");
	assert_found(&s, NULL, "0003", "");
	assert_found(&s, "2", "0002", "");
	assert_found(&s, "0002", "0002", "");
	assert_int_equal(pin(&s, "0001", "stable"), 0);
	assert_int_equal(pin(&s, "1", "release-1.2"), 0);
	assert_found(&s, "stable", "0001", "release-1.2, stable");
	assert_int_equal(pin(&s, "0002", "stable"), 0);
	assert_found(&s, "stable", "0002", "stable");
	assert_found(&s, "release-1.2", "0001", "release-1.2");
	assert_int_equal(access(in_store(&s, "pin-0003.json"), F_OK), 0);
	o = json_load_file(in_store(&s, "pin-0003.json"), 0, NULL);
	assert_true(schema_accepts(o, "baseline.schema.json"));
	assert_int_equal(pin(&s, "0009", "stable"), -ENOENT);
	assert_int_equal(pin(&s, "0001", "12"), -EINVAL);
	assert_int_equal(pin(&s, "0001", "../x"), -EINVAL);
	assert_int_equal(pin(&s, "0001", "a b"), -EINVAL);
	assert_int_equal(pin(&s, "0001", ""), -EINVAL);
	assert_int_equal(store_pin(s.path, SOME_ENVIRONMENT, "cpu-bound", "1", "x", " ", true),
			 -EINVAL);
}

static void who_looks_in_vain_hears_where_there_is_one(void **state)
{
	_cleanup_(some_store_remove) struct some_store s;
	struct baselines *found = NULL;

	(void)state;
	some_store_make(&s);
	assert_int_equal(store_find(s.path, "other", "cpu-bound", NULL, &found), -ENOENT);
	assert_null(strstr(err_text(), "others"));
	accept_run(&s, "0001");
	assert_int_equal(store_find(s.path, "other", "cpu-bound", NULL, &found), -ENOENT);
	assert_non_null(strstr(err_text(), "others have one: " SOME_ENVIRONMENT));
	assert_int_equal(store_find(s.path, SOME_ENVIRONMENT, "cpu-bound", "7", &found), -ENOENT);
	assert_non_null(strstr(err_text(), "'7'"));
	assert_int_equal(store_find(s.path, SOME_ENVIRONMENT, "cpu-bound", "x", &found), -ENOENT);
	assert_int_equal(store_find(s.path, SOME_ENVIRONMENT, "io-heavy", NULL, &found), -ENOENT);
	assert_null(found);
}

static void links_in_a_store_are_not_followed(void **state)
{
	_cleanup_(some_store_remove) struct some_store s;
	_cleanup_(baselines_freep) struct baselines *all = NULL;
	char elsewhere[96], *id = NULL;

	(void)state;
	some_store_make(&s);
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", s.top.path);
	assert_int_equal(mkdir(elsewhere, 0755), 0);
	assert_int_equal(mkdir(s.path, 0755), 0);
	assert_int_equal(symlink(elsewhere, folder_path(&s.top, "store/" SOME_ENVIRONMENT)), 0);
	assert_true(store_accept(s.path, s.run.path, "n", "b", true, &id) < 0);
	assert_int_equal(entries_of(elsewhere), 2);
	assert_int_equal(unlink(folder_path(&s.top, "store/" SOME_ENVIRONMENT)), 0);
	accept_run(&s, "0001");
	/* Its number is taken, it is no baseline. */
	assert_int_equal(symlink("0001", in_store(&s, "0002")), 0);
	accept_run(&s, "0003");
	assert_int_equal(store_list(s.path, NULL, NULL, &all), 0);
	assert_int_equal(all->n, 2);
	assert_string_equal(all->list[1].id, "0003");
	assert_int_equal(unlink(folder_path(&s.top, "store/.lock")), 0);
	assert_int_equal(symlink("/etc/passwd", folder_path(&s.top, "store/.lock")), 0);
	assert_int_equal(store_accept(s.path, s.run.path, "n", "b", true, &id), -ELOOP);
	assert_null(id);
}

static void what_a_killed_writer_left_is_no_baseline(void **state)
{
	_cleanup_(some_store_remove) struct some_store s;
	_cleanup_(baselines_freep) struct baselines *all = NULL;

	(void)state;
	some_store_make(&s);
	accept_run(&s, "0001");
	assert_int_equal(mkdir(in_store(&s, ".fathom-0123456789abcdef.tmp"), 0755), 0);
	assert_int_equal(mkdir(in_store(&s, "12345678"), 0755), 0);
	assert_int_equal(mkdir(in_store(&s, "00002"), 0755), 0);
	accept_run(&s, "0002");
	assert_int_equal(store_list(s.path, NULL, "cpu-bound", &all), 0);
	assert_int_equal(all->n, 2);
}

static void who_does_not_wait_is_refused_while_another_writes(void **state)
{
	_cleanup_(some_store_remove) struct some_store s;
	_cleanup_(closep) int lock = -1;
	char *id = NULL;

	(void)state;
	some_store_make(&s);
	accept_run(&s, "0001");
	lock = open(folder_path(&s.top, "store/.lock"), O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(lock, LOCK_EX), 0);
	assert_int_equal(store_accept(s.path, s.run.path, "n", "b", false, &id), -EBUSY);
	assert_non_null(strstr(err_text(), "another fathom"));
	assert_int_equal(store_pin(s.path, SOME_ENVIRONMENT, "cpu-bound", "1", "x", "b", false),
			 -EBUSY);
	assert_int_equal(flock(lock, LOCK_UN), 0);
	accept_run(&s, "0002");
}

static void all_of_it_is_the_user_s_who_called_sudo(void **state)
{
	static const char *const names[] = { "",
					     "..",
					     "../..",
					     "../../.lock",
					     "0001",
					     "0001/accepted.json",
					     "0001/manifest.json",
					     "0001/summary.json",
					     "pin-0001.json" };
	_cleanup_(some_store_remove) struct some_store s;
	struct stat st;
	size_t i;

	(void)state;
	if (geteuid()) {
		print_message("SKIP: only root can give files away\n");
		skip();
	}
	some_store_make(&s);
	setenv("SUDO_UID", "65534", 1);
	setenv("SUDO_GID", "65533", 1);
	accept_run(&s, "0001");
	assert_int_equal(pin(&s, "0001", "stable"), 0);
	unsetenv("SUDO_UID");
	unsetenv("SUDO_GID");
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(stat(in_store(&s, names[i]), &st), 0);
		assert_int_equal(st.st_uid, 65534);
		assert_int_equal(st.st_gid, 65533);
	}
}

static int calibrate(const struct some_store *s, const char *json)
{
	return store_add_calibration(s->path, SOME_ENVIRONMENT, "cpu-bound", json, true);
}

static void the_last_calibration_counts(void **state)
{
	_cleanup_(some_store_remove) struct some_store s;
	_cleanup_(freep) char *text = NULL;

	(void)state;
	some_store_make(&s);
	assert_int_equal(store_calibration(s.path, SOME_ENVIRONMENT, "cpu-bound", &text), -ENOENT);
	assert_int_equal(calibrate(&s, "{\"schema\": \"fathom.calibration/1\", \"a\": 1}"), 0);
	assert_int_equal(calibrate(&s, "{\"schema\": \"fathom.calibration/1\", \"a\": 2}"), 0);
	assert_int_equal(calibrate(&s, "{\"schema\": \"fathom.calibration/2\"}"), -EINVAL);
	assert_int_equal(calibrate(&s, "{"), -EINVAL);
	assert_int_equal(store_calibration(s.path, SOME_ENVIRONMENT, "cpu-bound", &text), 0);
	assert_string_equal(text, "{\"schema\": \"fathom.calibration/1\", \"a\": 2}");
	assert_int_equal(store_calibration(s.path, "..", "cpu-bound", &text), -ENOENT);
	accept_run(&s, "0001");
}

static void numbers_and_names_are_told_from_others(void **state)
{
	(void)state;
	assert_int_equal(store_number("0001", "", ""), 1);
	assert_int_equal(store_number("9999", "", ""), 9999);
	assert_int_equal(store_number("10000", "", ""), 10000);
	assert_int_equal(store_number("pin-0012.json", "pin-", ".json"), 12);
	assert_int_equal(store_number("01000", "", ""), 0);
	assert_int_equal(store_number("1", "", ""), 0);
	assert_int_equal(store_number("0001x", "", ""), 0);
	assert_int_equal(store_number("1234567", "", ""), 0);
	assert_int_equal(store_number("pin-0012.json.tmp", "pin-", ".json"), 0);
	assert_true(store_is_name("a"));
	assert_true(store_is_name(SOME_ENVIRONMENT));
	assert_false(store_is_name(""));
	assert_false(store_is_name(NULL));
	assert_false(store_is_name(".."));
	assert_false(store_is_name("a/b"));
	assert_false(store_is_name("-a"));
	assert_false(store_is_name("a\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_accepted_run_is_found_with_all_its_files),
		cmocka_unit_test(a_baseline_has_a_note_and_a_name),
		cmocka_unit_test(runs_that_say_nothing_are_not_accepted),
		cmocka_unit_test(what_is_not_as_its_manifest_says_leaves_nothing_in_the_store),
		cmocka_unit_test(manifests_that_name_what_is_elsewhere_are_refused),
		cmocka_unit_test(a_baseline_that_was_changed_is_not_whole),
		cmocka_unit_test(a_pin_means_what_it_was_set_to_last),
		cmocka_unit_test(who_looks_in_vain_hears_where_there_is_one),
		cmocka_unit_test(links_in_a_store_are_not_followed),
		cmocka_unit_test(what_a_killed_writer_left_is_no_baseline),
		cmocka_unit_test(who_does_not_wait_is_refused_while_another_writes),
		cmocka_unit_test(all_of_it_is_the_user_s_who_called_sudo),
		cmocka_unit_test(the_last_calibration_counts),
		cmocka_unit_test(numbers_and_names_are_told_from_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

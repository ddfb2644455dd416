/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/schema.h"

#include <errno.h>
#include <sys/stat.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/base/json_parts.h"
#include "user/export/manifest.h"

static char *own_words[] = { (char *)"fathom", (char *)"record", (char *)"--", (char *)"true",
			     NULL };

static void decrefp(json_t **value)
{
	json_decref(*value);
}

static void folder_of_two(struct folder *f, int *ret_fd)
{
	folder_make(f);
	folder_write(f, "b", "abc", 3);
	folder_write(f, "a", "", 0);
	*ret_fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(*ret_fd >= 0);
}

static void files_have_size_and_digest_in_the_order_given(void **state)
{
	_cleanup_(folder_remove) struct folder f;
	_cleanup_(closep) int fd = -1;
	_cleanup_(decrefp) json_t *value = NULL;
	struct host_info host = { .kernel = (char *)"6.1.0", .cpus_online = 2 };
	struct manifest m = { .created_ns = 1700000000500000000,
			      .command_line = own_words,
			      .command = own_words + 3,
			      .exit_status = 0,
			      .libbpf_version = "v1.1",
			      .host = &host };
	const char *names[] = { "b", "a" };
	_cleanup_(freep) char *text = NULL;

	(void)state;
	folder_of_two(&f, &fd);
	assert_int_equal(manifest_json(&m, fd, names, 2, &value), 0);
	text = json_text(json_object_get(value, "files"));
	assert_string_equal(
		text, "[\n  {\n    \"name\": \"b\",\n    \"size\": 3,\n    \"sha256\": "
		      "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"\n  },\n"
		      "  {\n    \"name\": \"a\",\n    \"size\": 0,\n    \"sha256\": "
		      "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"\n  }"
		      "\n]\n");
	assert_string_equal(json_string_value(json_object_get(value, "created")),
			    "2023-11-14T22:13:20.500000000Z");
	assert_int_equal(json_array_size(json_object_get(value, "command_line")), 4);
	assert_int_equal(json_array_size(json_object_get(value, "command")), 1);
	assert_true(json_is_integer(json_object_get(value, "exit_status")));
	assert_true(schema_accepts(value, "manifest.schema.json"));
	assert_int_equal(json_object_set_new(value, "extra", json_null()), 0);
	assert_false(schema_accepts(value, "manifest.schema.json"));
}

static void what_is_not_known_is_null(void **state)
{
	_cleanup_(folder_remove) struct folder f;
	_cleanup_(closep) int fd = -1;
	_cleanup_(decrefp) json_t *value = NULL;
	struct host_info host = { 0 };
	struct manifest m = { .exit_status = -1, .command_line = own_words, .host = &host };

	(void)state;
	folder_of_two(&f, &fd);
	assert_int_equal(manifest_json(&m, fd, NULL, 0, &value), 0);
	assert_true(json_is_null(json_object_get(value, "command")));
	assert_true(json_is_null(json_object_get(value, "exit_status")));
	assert_true(json_is_null(json_object_get(value, "created")));
	assert_int_equal(json_array_size(json_object_get(value, "files")), 0);
	assert_true(schema_accepts(value, "manifest.schema.json"));
}

static void only_files_of_the_folder_itself_are_taken(void **state)
{
	static const struct {
		const char *name;
		int err;
	} bad[] = { { "missing", -ENOENT }, { "", -EINVAL },
		    { "..", -EINVAL },	    { "../etc/passwd", -EINVAL },
		    { "link", -ELOOP },	    { "fifo", -EINVAL },
		    { ".", -EINVAL } };
	_cleanup_(folder_remove) struct folder f;
	_cleanup_(closep) int fd = -1;
	struct host_info host = { 0 };
	struct manifest m = { .exit_status = -1, .command_line = own_words, .host = &host };
	json_t *value = NULL;
	size_t i;

	(void)state;
	folder_of_two(&f, &fd);
	assert_int_equal(symlink("b", folder_path(&f, "link")), 0);
	assert_int_equal(mkfifo(folder_path(&f, "fifo"), 0600), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *names[] = { "a", bad[i].name };

		assert_int_equal(manifest_json(&m, fd, names, 2, &value), bad[i].err);
		assert_null(value);
		assert_non_null(strstr(err_text(), bad[i].name));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_have_size_and_digest_in_the_order_given),
		cmocka_unit_test(what_is_not_known_is_null),
		cmocka_unit_test(only_files_of_the_folder_itself_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

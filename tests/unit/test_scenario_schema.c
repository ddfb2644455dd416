/* SPDX-License-Identifier: BSD-2-Clause */
/* What docs/scenarios.md and docs/schemas say of scenarios and policies is what is read. */
#include "tests/unit/schema.h"

#include "tests/unit/scenario_file.h"
#include "tests/unit/yaml_json.h"
#include "user/base/cleanup.h"

#define LEAST "name: x\ncommand: [a]\n"

static char *documentation(void)
{
	char *text = NULL;
	size_t len;

	assert_int_equal(file_read("docs/scenarios.md", 1 << 20, &text, &len), 0);
	return text;
}

/* Example number i of the documentation, the caller's. */
static char *example(unsigned int i)
{
	_cleanup_(freep) char *text = documentation();
	char *start = text, *end;

	do {
		start = strstr(start, "```yaml\n");
		assert_non_null(start);
		start += strlen("```yaml\n");
	} while (i--);
	end = strstr(start, "```\n");
	assert_non_null(end);
	return strndup(start, end - start);
}

/* Calls 'each' for all keys of a scenario, as the sentence about an unknown one lists them. */
static unsigned int for_each_key(void (*each)(const char *key, const void *ctx), const void *ctx)
{
	_cleanup_(freep) char *keys = NULL;
	struct scenario *s = NULL;
	char *key, *rest = NULL;
	unsigned int n = 0;
	struct folder f;

	folder_make(&f);
	folder_write(&f, "s.yaml", "no_such: key\n", 13);
	assert_int_equal(scenario_read(folder_path(&f, "s.yaml"), &s), -EINVAL);
	folder_remove(&f);
	keys = strdup(strstr(err_text(), "a scenario has ") + strlen("a scenario has "));
	for (key = strtok_r(keys, ", ", &rest); key; key = strtok_r(NULL, ", ", &rest), n++)
		each(key, ctx);
	return n;
}

static void assert_documented(const char *key, const void *text)
{
	char row[80];

	snprintf(row, sizeof(row), "\n| `%s` | ", key);
	if (!strstr(text, row))
		fail_msg("docs/scenarios.md does not say what '%s' is", key);
}

static void assert_in_example(const char *key, const void *text)
{
	char line[80];

	snprintf(line, sizeof(line), "\n%s:", key);
	if (strcmp(key, "name") != 0 && strcmp(key, "pid") != 0 && strcmp(key, "cgroup") != 0 &&
	    !strstr(text, line))
		fail_msg("the example in docs/scenarios.md has no '%s'", key);
}

static void assert_in_schema(const char *key, const void *schema)
{
	if (!json_object_get(json_object_get(schema, "properties"), key))
		fail_msg("scenario.schema.json has no '%s'", key);
}

static void every_key_is_in_documentation_example_and_schema(void **state)
{
	_cleanup_(freep) char *text = documentation(), *full = example(1);
	_cleanup_(json_decrefp) json_t *schema =
		json_load_file("docs/schemas/scenario.schema.json", 0, NULL);
	unsigned int n;

	(void)state;
	assert_non_null(schema);
	for_each_key(assert_documented, text);
	for_each_key(assert_in_example, full);
	n = for_each_key(assert_in_schema, schema);
	assert_int_equal(n, 30);
	assert_int_equal(json_object_size(json_object_get(schema, "properties")), n);
}

static void examples_are_read(void **state)
{
	_cleanup_(freep) char *least = example(0), *full = example(1);
	_cleanup_(scenario_freep) struct scenario *small = scenario_of(least);
	_cleanup_(scenario_freep) struct scenario *s = scenario_of(full);
	_cleanup_(scenario_cases_freep) struct scenario_cases *c = NULL;

	(void)state;
	assert_string_equal(small->name, "sort");
	assert_int_equal(scenario_cases_new(s, NULL, 0, NULL, &c), 0);
	assert_int_equal(c->n, 8);
	assert_string_equal(c->list[1].name, "small.png.on");
	assert_int_equal(s->n_metrics, 4);
	assert_int_equal(s->duration_ns, 30000000000);
}

static void the_schema_takes_what_is_read(void **state)
{
	static const char *const names[] = { "startup",	 "cpu-bound",	 "alloc-heavy",
					     "io-heavy", "steady-state", "mixed" };
	_cleanup_(freep) char *full = example(1);
	json_t *value = yaml_text_json(full, strlen(full));
	char path[64];
	size_t i;

	(void)state;
	assert_true(schema_accepts(value, "scenario.schema.json"));
	json_decref(value);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "scenarios/%s.yaml", names[i]);
		value = yaml_file_json(path);
		assert_true(schema_accepts(value, "scenario.schema.json"));
		json_decref(value);
	}
}

static void the_schema_refuses_what_is_refused(void **state)
{
	static const char *const bad[] = {
		"command: [a]\n",
		LEAST "comand: [a]\n",
		"name: x\ncommand: a b\n",
		"name: x\npid: 1\n",
		LEAST "repeat: \"5\"\n",
		LEAST "timeout: 30\n",
		LEAST "matrix: {scratch: [a]}\n",
		LEAST "ready: {tcp: 80, file: x}\n",
		LEAST "oracle: {sha256: ABC}\n",
		LEAST "metrics: [{name: a, unit: b, better: lower}]\n",
		LEAST "gates: {wall_ns: {alert: 10}}\n",
		LEAST "collectors: [gpu]\n",
	};
	struct scenario *s = NULL;
	struct folder f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *value = yaml_text_json(bad[i], strlen(bad[i]));

		folder_make(&f);
		folder_write(&f, "s.yaml", bad[i], strlen(bad[i]));
		assert_int_equal(scenario_read(folder_path(&f, "s.yaml"), &s), -EINVAL);
		folder_remove(&f);
		if (schema_accepts(value, "scenario.schema.json"))
			fail_msg("the schema takes: %s", bad[i]);
		json_decref(value);
	}
}

static void the_policy_is_of_its_schema(void **state)
{
	static const char bad[] = "version: 1\nprofiles: {a: {alpha: 1%}}\n";
	json_t *value = yaml_file_json("user/bench/policy.yaml");

	(void)state;
	assert_true(schema_accepts(value, "policy.schema.json"));
	json_decref(value);
	value = yaml_text_json(bad, sizeof(bad) - 1);
	assert_false(schema_accepts(value, "policy.schema.json"));
	json_decref(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_in_documentation_example_and_schema),
		cmocka_unit_test(examples_are_read),
		cmocka_unit_test(the_schema_takes_what_is_read),
		cmocka_unit_test(the_schema_refuses_what_is_refused),
		cmocka_unit_test(the_policy_is_of_its_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* schema: checks JSON against the schemas in docs/schemas, by Python's jsonschema. */
#pragma once

#include "tests/unit/folder.h"

#include <jansson.h>

#include "user/base/json_parts.h"
#include "user/export/summary_json.h"

/* Debian's own Python has the module when another stands before it in PATH. */
static inline const char *schema_python(void)
{
	static const char *const found[] = { "/usr/bin/python3", "python3" };
	char command[128];
	size_t i;

	for (i = 0; i < 2; i++) {
		snprintf(command, sizeof(command),
			 "%s -c 'from jsonschema import Draft202012Validator' >/dev/null 2>&1",
			 found[i]);
		if (!system(command))
			return found[i];
	}
	return NULL;
}

/* Whether 'value' is of the schema; prints why not. Skips the test if it cannot be known. */
static inline int schema_accepts(const json_t *value, const char *schema)
{
	static const char script[] =
		"import json, sys\n"
		"from jsonschema import Draft202012Validator as V\n"
		"schema = json.load(open(sys.argv[1]))\n"
		"V.check_schema(schema)\n"
		"errors = [e.json_path + ': ' + e.message for e in\n"
		"          V(schema).iter_errors(json.load(open(sys.argv[2])))]\n"
		"print('\\n'.join(errors))\n"
		"sys.exit(9 if errors else 0)\n";
	const char *python = schema_python();
	struct folder f;
	char command[512], *text;
	int status;

	if (!python) {
		print_message("SKIP: Python's jsonschema is not installed (python3-jsonschema)\n");
		skip();
	}
	folder_make(&f);
	text = json_text(value);
	assert_non_null(text);
	folder_write(&f, "check.py", script, sizeof(script) - 1);
	folder_write(&f, "value.json", text, strlen(text));
	free(text);
	snprintf(command, sizeof(command), "%s '%s/check.py' 'docs/schemas/%s' '%s/value.json'",
		 python, f.path, schema, f.path);
	status = system(command);
	folder_remove(&f);
	assert_true(status == 0 || status == 9 << 8);
	return status == 0;
}

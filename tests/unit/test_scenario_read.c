/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/scenario_file.h"

#include <errno.h>
#include <math.h>
#include <sys/stat.h>
#include <time.h>

#include "user/base/str.h"

#define LEAST "name: x\ncommand: [a]\n"

/* --- what is read -------------------------------------------------------------------------- */

static void the_least_scenario_has_a_name_and_a_command(void **state)
{
	_cleanup_(scenario_freep) struct scenario *s = scenario_of(LEAST);

	(void)state;
	assert_string_equal(s->name, "x");
	assert_string_equal(s->subject.command[0], "a");
	assert_null(s->subject.command[1]);
	assert_int_equal(s->warmup, -1);
	assert_int_equal(s->repeat, -1);
	assert_int_equal(s->duration_ns, 0);
	assert_int_equal(s->timeout_ns, 0);
	assert_int_equal(s->kind, SCENARIO_MICRO);
	assert_int_equal(s->ready.kind, READY_NONE);
	assert_null(s->description);
	assert_null(s->collectors);
	assert_null(s->iterations);
	assert_true(isnan(s->ceilings.error_rate));
	assert_false(s->oracle.is_given || s->drop_caches || s->is_production);
}

static const char full[] =
	"name: full\n"
	"description: |\n  one\n  two\n"
	"kind: real\n"
	"tags: [a, b]\n"
	"command: [\"./a b\", \"\", \"${size}\"]\n"
	"workdir: work\n"
	"env: {A: \"1\", B_2: \"two\\nlines\"}\n"
	"matrix: {size: [s, m], mode: [1, 2.5]}\n"
	"variants:\n"
	"  - {name: on, parameters: {p: \"/x\"}, env: {A: \"2\"}}\n"
	"  - {name: off, parameters: {p: \"y\"}, command: [b, \"${p}\"], workdir: w}\n"
	"setup: [s1]\nteardown: [t1]\nbefore_each: [b1]\nverify: [v1, v2]\n"
	"ready: {stdout: \"^up [0-9]+$\", stop: true}\n"
	"drop_caches: true\nwarmup: 2\nrepeat: 7\ntimeout: 2m\n"
	"oracle: {file: out, expected: \"want.${size}\"}\n"
	"collectors: [cpu, alloc]\n"
	"iterations: calls\n"
	"metrics:\n"
	"  - {name: latency, unit: us, better: lower, lines: true, aggregate: p95}\n"
	"  - {name: calls, unit: count, better: higher, regex: \"n=([0-9]+)\", file: log}\n"
	"  - {name: rate, unit: 1/s, better: higher, json: {file: r.json, pointer: /a/0/b~1c}}\n"
	"  - {name: slow, unit: us, better: lower, lines: t.txt, from: latency, aggregate: max,\n"
	"     informative: true}\n"
	"components: [{name: io, symbol: \"^(read|write)$\"}]\n"
	"slo: {p95_latency_ms: {max: 500}, rate: {min: 1.5, max: 2}}\n"
	"gates: {wall_ns: {min_effect: 2%, limit: 0.1}, rate: {informative: true}}\n"
	"ceilings: {memory: 512MiB, time: 1.5s, error_rate: 3%}\n"
	"production: true\n";

static void every_key_has_its_place(void **state)
{
	_cleanup_(scenario_freep) struct scenario *s = scenario_of(full);

	(void)state;
	assert_string_equal(s->description, "one two");
	assert_int_equal(s->kind, SCENARIO_REAL);
	assert_string_equal(s->tags[1], "b");
	assert_string_equal(s->subject.command[0], "./a b");
	assert_string_equal(s->subject.command[1], "");
	assert_string_equal(s->workdir, "work");
	assert_int_equal(s->env.n, 2);
	assert_string_equal(s->env.list[1].key, "B_2");
	assert_string_equal(s->env.list[1].value, "two\nlines");
	assert_int_equal(s->n_matrix, 2);
	assert_string_equal(s->matrix[1].values[1], "2.5");
	assert_int_equal(s->matrix[1].n_values, 2);
	assert_int_equal(s->n_variants, 2);
	assert_string_equal(s->variants[1].command[1], "${p}");
	assert_string_equal(s->variants[1].workdir, "w");
	assert_string_equal(s->variants[0].parameters.list[0].value, "/x");
	assert_string_equal(s->setup[0], "s1");
	assert_string_equal(s->teardown[0], "t1");
	assert_string_equal(s->before_each[0], "b1");
	assert_string_equal(s->verify[1], "v2");
	assert_int_equal(s->ready.kind, READY_STDOUT);
	assert_true(s->ready.stop && s->drop_caches && s->is_production);
	assert_int_equal(s->warmup, 2);
	assert_int_equal(s->repeat, 7);
	assert_int_equal(s->timeout_ns, 120000000000);
	assert_true(s->oracle.is_given);
	assert_string_equal(s->oracle.expected, "want.${size}");
	assert_string_equal(s->collectors[1], "alloc");
	assert_string_equal(s->iterations, "calls");
	assert_int_equal(s->ceilings.memory_bytes, 512 << 20);
	assert_int_equal(s->ceilings.time_ns, 1500000000);
	assert_true(s->ceilings.error_rate == 0.03);
}

static void metrics_and_limits_are_read(void **state)
{
	_cleanup_(scenario_freep) struct scenario *s = scenario_of(full);

	(void)state;
	assert_int_equal(s->n_metrics, 4);
	assert_int_equal(s->metrics[0].source, METRIC_LINES);
	assert_int_equal(s->metrics[0].aggregate, AGGREGATE_P95);
	assert_int_equal(s->metrics[1].source, METRIC_REGEX);
	assert_int_equal(s->metrics[1].better, BETTER_HIGHER);
	assert_int_equal(s->metrics[1].aggregate, AGGREGATE_MEDIAN);
	assert_string_equal(s->metrics[1].file, "log");
	assert_int_equal(s->metrics[2].source, METRIC_POINTER);
	assert_string_equal(s->metrics[2].file, "r.json");
	assert_string_equal(s->metrics[2].pattern, "/a/0/b~1c");
	assert_string_equal(s->metrics[3].from, "latency");
	assert_string_equal(s->metrics[3].file, "t.txt");
	assert_true(s->metrics[3].is_informative);
	assert_int_equal(s->n_components, 1);
	assert_int_equal(s->n_slo, 2);
	assert_true(isnan(s->slo[0].min) && s->slo[0].max == 500);
	assert_true(s->slo[1].min == 1.5 && s->slo[1].max == 2);
	assert_int_equal(s->n_gates, 2);
	assert_true(s->gates[0].min_effect == 0.02 && s->gates[0].limit == 0.1);
	assert_true(isnan(s->gates[0].alert));
	assert_true(s->gates[1].is_informative);
}

/* printf 'name: x\ncommand: [a]\n' | sha256sum */
static void the_file_itself_is_kept(void **state)
{
	_cleanup_(scenario_freep) struct scenario *s = scenario_of(LEAST);

	(void)state;
	assert_string_equal(s->text, LEAST);
	assert_int_equal(s->text_len, strlen(LEAST));
	assert_string_equal(s->sha256,
			    "8e4f8021818406620b44d20a8360b6274c68e59ad50ee46dd87d9e59e0766791");
	assert_true(s->folder[0] == '/');
	assert_string_equal(strrchr(s->path, '/'), "/s.yaml");
}

static void times_and_sizes_have_units(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} times[] = { { "1ms", 1000000 },	   { "2500us", 2500000 },  { "0.5s", 500000000 },
		      { "\"30 s\"", 30000000000 }, { "2m", 120000000000 }, { "1h", 3600000000000 } },
	  sizes[] = { { "4096", 4096 },	       { "4K", 4096 },	     { "8kB", 8000 },
		      { "1.5MiB", 1572864 },   { "2G", 2147483648 }, { "3 GB", 3000000000 },
		      { "1T", 1099511627776 }, { "8192B", 8192 } };
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		_cleanup_(scenario_freep) struct scenario *s = NULL;

		snprintf(text, sizeof(text), LEAST "timeout: %s\n", times[i].text);
		s = scenario_of(text);
		assert_int_equal(s->timeout_ns, times[i].value);
	}
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		_cleanup_(scenario_freep) struct scenario *s = NULL;

		snprintf(text, sizeof(text), LEAST "ceilings: {memory: %s}\n", sizes[i].text);
		s = scenario_of(text);
		assert_int_equal(s->ceilings.memory_bytes, sizes[i].value);
	}
}

static void a_running_service_is_measured_for_a_duration(void **state)
{
	_cleanup_(scenario_freep) struct scenario *p =
		scenario_of("name: x\npid: 4194304\nduration: 1s\n");
	_cleanup_(scenario_freep) struct scenario *c =
		scenario_of("name: x\ncgroup: /sys/fs/cgroup/a\nduration: 500ms\n");

	(void)state;
	assert_int_equal(p->subject.pid, 4194304);
	assert_int_equal(p->duration_ns, 1000000000);
	assert_string_equal(c->subject.cgroup, "/sys/fs/cgroup/a");
	assert_null(c->subject.command);
}

static void variants_may_have_all_the_commands(void **state)
{
	_cleanup_(scenario_freep) struct scenario *s = scenario_of(
		"name: x\nvariants: [{name: a, command: [a]}, {name: b, command: [b]}]\n");

	(void)state;
	assert_null(s->subject.command);
}

/* --- what is refused ----------------------------------------------------------------------- */

/* The whole sentence: people and editors jump to what it says. */
static void errors_say_where_and_what(void **state)
{
	static const struct {
		const char *text, *sentence;
	} bad[] = {
		{ "", "s.yaml:1:1: the file is empty" },
		{ "# nothing\n", "s.yaml:1:1: the file is empty" },
		{ "- a\n", "s.yaml:1:1: a scenario is a map, not a list" },
		{ "just text\n", "s.yaml:1:1: a scenario is a map, not text" },
		{ "name: [\n",
		  "s.yaml:2:1: did not find expected node content, while parsing a flow node" },
		{ "name: x\n\tcommand: [a]\n", "s.yaml:2:1: found a tab character that violates "
					       "indentation, while scanning a plain scalar" },
		{ "name: x\n  bad: y\n",
		  "s.yaml:2:6: mapping values are not allowed in this context" },
		{ "---\nname: x\n---\nname: y\n", "s.yaml:3:1: a second document is not taken" },
		{ "name: !!str x\n", "s.yaml:1:7: tags are not taken" },
		{ "? [a]\n: b\n", "s.yaml:1:3: a key is text on one line" },
		{ "\"na\\0me\": x\n", "s.yaml:1:1: an escape stands for a control character" },
		{ "name: \"x\\e\"\n", "s.yaml:1:7: an escape stands for a control character" },
		{ "{name: x, {a: b}: c}\n", "s.yaml:1:11: a key is text on one line" },
		{ "command: [a]\n", "s.yaml:1:1: 'name' is missing: a scenario needs it" },
		{ "name: x\n",
		  "s.yaml:1:1: 'command' is missing: a scenario has one of command, pid, cgroup" },
		{ LEAST "comand: [a]\n",
		  "s.yaml:3:1: unknown key 'comand': a scenario has name, description, kind, tags, "
		  "command, pid, cgroup, workdir, env, matrix, variants, setup, teardown, "
		  "before_each, ready, drop_caches, warmup, repeat, duration, timeout, verify, "
		  "oracle, collectors, iterations, metrics, components, slo, gates, ceilings, "
		  "production" },
		{ LEAST "command: [b]\n",
		  "s.yaml:3:1: the key 'command' is here for the second time" },
		{ "name: x\ncommand: a b\n", "s.yaml:2:10: command is a list, not text" },
		{ "name: x\ncommand: []\n", "s.yaml:2:10: command is empty" },
		{ "name: x\ncommand: [\"\"]\n", "s.yaml:2:11: the first word of command is empty" },
		{ "name: x\ncommand: [a, [b]]\n",
		  "s.yaml:2:14: an item of the list is text, not a list" },
		{ "name: x\ncommand: [a, ~]\n", "s.yaml:2:14: an item of the list has no value" },
		{ "name: ../x\ncommand: [a]\n",
		  "s.yaml:1:7: '../x' is no name: name is 1 to 64 of A-Z, a-z, 0-9, '.', '_' and "
		  "'-', the first of them a letter or a digit" },
		{ "name:\ncommand: [a]\n", "s.yaml:1:6: name has no value" },
		{ "name: -x\ncommand: [a]\n",
		  "s.yaml:1:7: '-x' is no name: name is 1 to 64 of A-Z, a-z, 0-9, '.', '_' and "
		  "'-', the first of them a letter or a digit" },
		{ LEAST "kind: macro\n", "s.yaml:3:7: kind is one of micro, real, not 'macro'" },
		{ LEAST "repeat: 0\n",
		  "s.yaml:3:9: repeat is out of range: it is from 1 to 10000" },
		{ LEAST "repeat: \"5\"\n", "s.yaml:3:9: repeat is a whole number, not '5'" },
		{ LEAST "repeat: 2.5\n", "s.yaml:3:9: repeat is a whole number, not '2.5'" },
		{ LEAST "repeat: 1e3x\n", "s.yaml:3:9: repeat is a whole number, not '1e3x'" },
		{ LEAST "warmup: -1\n",
		  "s.yaml:3:9: warmup is out of range: it is from 0 to 10000" },
		{ LEAST "drop_caches: yes\n",
		  "s.yaml:3:14: drop_caches is true or false, not 'yes'" },
		{ LEAST "timeout: 30\n",
		  "s.yaml:3:10: timeout is a time with its unit, as 500ms, 30s or 2m, not '30'" },
		{ LEAST "timeout: 30 parsecs\n", "s.yaml:3:10: timeout is a time with its unit, as "
						 "500ms, 30s or 2m, not '30 parsecs'" },
		{ LEAST "timeout: 0s\n",
		  "s.yaml:3:10: timeout is out of range: it is from 0.001s to 86400s" },
		{ LEAST "timeout: 100h\n",
		  "s.yaml:3:10: timeout is out of range: it is from 0.001s to 86400s" },
		{ LEAST "timeout: inf\n",
		  "s.yaml:3:10: timeout is a time with its unit, as 500ms, 30s or 2m, not 'inf'" },
		{ LEAST "tags: [a, a]\n", "s.yaml:3:11: 'a' is here for the second time" },
		{ LEAST "env: {2X: \"1\"}\n", "s.yaml:3:7: '2X' is no name: a key is 1 to 64 of "
					      "A-Z, a-z, 0-9 and '_', the first of them no digit" },
		{ LEAST "env: {A: [1]}\n", "s.yaml:3:10: the value is text, not a list" },
		{ LEAST "matrix: {size: small}\n", "s.yaml:3:16: a parameter is a list, not text" },
		{ LEAST "matrix: {size: [a, \"b/c\"]}\n",
		  "s.yaml:3:20: 'b/c' is no name: an item of the list is 1 to 64 of A-Z, a-z, 0-9, "
		  "'.', '_' and '-', the first of them a letter or a digit" },
		{ LEAST "matrix: {scratch: [a]}\n",
		  "s.yaml:3:10: 'scratch' is a name that fathom itself gives a value" },
		{ LEAST "matrix: {a: [1,2,3,4,5,6,7], b: [1,2,3,4,5,6,7], c: [1,2,3,4,5,6]}\n",
		  "s.yaml:3:9: there are more than 256 cases" },
		{ LEAST "variants: [{name: a}, {name: a}]\n",
		  "s.yaml:3:30: 'a' is here for the second time" },
		{ LEAST "variants: [{env: {A: b}}]\n",
		  "s.yaml:3:12: 'name' is missing: a variant needs it" },
		{ LEAST "matrix: {p: [a]}\nvariants: [{name: v, parameters: {p: b}}]\n",
		  "s.yaml:4:35: 'p' is a parameter of the matrix, too" },
		{ LEAST "setup: [\"${size}\"]\n",
		  "s.yaml:3:9: there is no parameter 'size' (\"$${\" is for what the command "
		  "itself is to see as \"${\")" },
		{ LEAST "setup: [\"${size\"]\n",
		  "s.yaml:3:9: '${size' has no '}' (\"$$\" stands for a dollar sign)" },
		{ LEAST "variants: [{name: a, parameters: {p: x}, env: {E: \"${q}\"}}]\n",
		  "s.yaml:3:51: there is no parameter 'q' (\"$${\" is for what the command itself "
		  "is to see as \"${\")" },
		{ LEAST "variants: [{name: a, parameters: {p: x, r: \"${p}\"}}]\n",
		  "s.yaml:3:44: there is no parameter 'p' (\"$${\" is for what the command itself "
		  "is to see as \"${\")" },
		{ LEAST "verify: [x, \"${variant}\"]\n",
		  "s.yaml:3:13: there is no parameter 'variant' (\"$${\" is for what the command "
		  "itself is to see as \"${\")" },
		{ LEAST "variants: [{name: a, parameters: {p: x}}, {name: b}]\nsetup: [\"${p}\"]\n",
		  "s.yaml:4:9: there is no parameter 'p' (\"$${\" is for what the command itself "
		  "is to see as \"${\")" },
		{ LEAST "pid: 1\n", "s.yaml:3:6: a scenario has one of command, pid, cgroup" },
		{ "name: x\npid: 1\n",
		  "s.yaml:2:6: 'duration' is missing: a running service needs it" },
		{ "name: x\npid: 0\nduration: 1s\n",
		  "s.yaml:2:6: pid is out of range: it is from 1 to 4194304" },
		{ "name: x\ncgroup: a\nduration: 1s\n",
		  "s.yaml:2:9: cgroup is an absolute path without '..'" },
		{ "name: x\ncgroup: /a/../b\nduration: 1s\n",
		  "s.yaml:2:9: cgroup is an absolute path without '..'" },
		{ "name: x\npid: 1\nduration: 1s\nready: {tcp: 80}\n",
		  "s.yaml:4:8: a running service is not waited for" },
		{ "name: x\npid: 1\nduration: 1s\nmetrics: [{name: a, unit: b, better: lower, "
		  "lines: true}]\n",
		  "s.yaml:4:11: this metric needs a file: the stdout of a running service is not "
		  "seen" },
		{ "name: x\npid: 1\nduration: 1s\nvariants: [{name: a, command: [b]}]\n",
		  "s.yaml:4:11: a running service has no command" },
		{ "name: x\npid: 1\nduration: 1s\noracle: {sha256: "
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}\n",
		  "s.yaml:4:9: 'file' is missing: the stdout of a running service is not seen" },
		{ LEAST "ready: {stop: true}\n", "s.yaml:3:8: ready has one of stdout, file, tcp" },
		{ LEAST "ready: {tcp: 80, file: x}\n",
		  "s.yaml:3:8: ready has one of stdout, file, tcp" },
		{ LEAST "ready: {tcp: 65536}\n",
		  "s.yaml:3:14: tcp is out of range: it is from 1 to 65535" },
		{ LEAST "ready: {stdout: \"[a\"}\n",
		  "s.yaml:3:17: '[a' is no regular expression: Unmatched [, [^, [:, [., or [=" },
		{ LEAST "duration: 1s\nready: {file: a, stop: true}\n",
		  "s.yaml:3:11: with 'stop' the repetition is over when it is ready: it has no "
		  "duration" },
		{ LEAST "oracle: {file: a}\n", "s.yaml:3:9: oracle has one of sha256, expected" },
		{ LEAST "oracle: {sha256: ABC}\n",
		  "s.yaml:3:18: sha256 is 64 lower-case hexadecimal digits" },
		{ LEAST "collectors: [cpu, gpu]\n", "s.yaml:3:19: there is no collector 'gpu': "
						    "cpu, io, file, alloc, pagefault, kmem" },
		{ LEAST "iterations: calls\n",
		  "s.yaml:3:13: 'calls' is neither a number nor a metric of this scenario" },
		{ LEAST "iterations: 0\n",
		  "s.yaml:3:13: iterations is out of range: it is above 0 and at most 10^15" },
		{ LEAST "metrics:\n  - {name: a, unit: b, better: lower}\n",
		  "s.yaml:4:5: a metric has one of lines, regex, json" },
		{ LEAST "metrics:\n  - {name: a, unit: b, better: less, lines: true}\n",
		  "s.yaml:4:32: better is one of lower, higher, not 'less'" },
		{ LEAST "metrics:\n  - {name: a, better: lower, lines: true}\n",
		  "s.yaml:4:5: 'unit' is missing: a metric needs it" },
		{ LEAST "metrics:\n  - {name: A, unit: b, better: lower, lines: true}\n",
		  "s.yaml:4:12: a metric's name is of a-z, 0-9 and '_', the first of them a "
		  "letter: not 'A'" },
		{ LEAST "metrics:\n  - {name: wall_ns, unit: ns, better: lower, lines: true}\n",
		  "s.yaml:4:12: every scenario has the metric 'wall_ns': give this one another "
		  "name" },
		{ LEAST "metrics:\n  - {name: a, unit: b, better: lower, regex: \"x\"}\n",
		  "s.yaml:4:46: the regular expression 'x' needs a group, '(...)', around the "
		  "value" },
		{ LEAST "metrics:\n  - {name: a, unit: b, better: lower, lines: false}\n",
		  "s.yaml:4:46: lines is true (of stdout) or a file" },
		{ LEAST
		  "metrics:\n  - {name: a, unit: b, better: lower, json: {file: a, pointer: b}}\n",
		  "s.yaml:4:64: 'b' is no JSON pointer, as /latency/p95" },
		{ LEAST "metrics:\n  - {name: a, unit: b, better: lower, json: {file: a}}\n",
		  "s.yaml:4:45: 'pointer' is missing: json needs it" },
		{ LEAST "metrics:\n  - {name: a, unit: b, better: lower, lines: true, file: c}\n",
		  "s.yaml:4:58: file belongs to a regex" },
		{ LEAST "metrics:\n  - {name: a, unit: b, better: lower, regex: (x), from: c}\n",
		  "s.yaml:4:57: from belongs to lines" },
		{ LEAST "metrics:\n  - {name: a, unit: b, better: lower, lines: true}\n  - {name: "
			"a, unit: b, better: lower, lines: true}\n",
		  "s.yaml:5:12: 'a' is here for the second time" },
		{ LEAST "components: [{name: c, symbol: \"*(\"}]\n",
		  "s.yaml:3:32: '*(' is no regular expression: Invalid preceding regular "
		  "expression" },
		{ LEAST "slo: {latency: {max: 1}}\n", "s.yaml:3:7: there is no metric 'latency'" },
		{ LEAST "slo: {wall_ns: {}}\n", "s.yaml:3:16: a limit is empty" },
		{ LEAST "slo: {wall_ns: {min: 2, max: 1}}\n", "s.yaml:3:16: min is above max" },
		{ LEAST "slo: {wall_ns: {max: fast}}\n",
		  "s.yaml:3:22: max is a number, not 'fast'" },
		{ LEAST "gates: {nothing: {limit: 3%}}\n",
		  "s.yaml:3:9: there is no metric 'nothing'" },
		{ LEAST "gates: {wall_ns: {min_effect: 9%, limit: 3%}}\n",
		  "s.yaml:3:18: min_effect is above limit" },
		{ LEAST "gates: {wall_ns: {alert: 2000%}}\n",
		  "s.yaml:3:26: alert is out of range: it is from 0% to 1000%" },
		{ LEAST "gates: {wall_ns: {alert: much}}\n",
		  "s.yaml:3:26: alert is a share as 0.03 or 3%, not 'much'" },
		{ LEAST "gates: {wall_ns: {alert: 10}}\n",
		  "s.yaml:3:26: alert is a share as 0.03 or 3%: '10' is more than all" },
		{ LEAST "ceilings: {memory: 5 elephants}\n",
		  "s.yaml:3:20: memory is a size, as 512MiB, 2G or a number of bytes, not '5 "
		  "elephants'" },
		{ LEAST "ceilings: {memory: 1}\n", "s.yaml:3:20: memory is out of range: it is "
						   "from 4096 bytes to 1.125899907e+15 bytes" },
		{ LEAST "ceilings: {error_rate: 101%}\n",
		  "s.yaml:3:24: error_rate is out of range: it is from 0% to 100%" },
		{ LEAST "production: 1\n", "s.yaml:3:13: production is true or false, not '1'" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(bad[i].text, bad[i].sentence);
}

/* The sentence is about the kind of thing; what was read before it is not lost. */
static void keys_for_one_thing_exclude_each_other(void **state)
{
	static const char metric[] = LEAST "metrics: [{name: a, unit: b, better: lower, %s}]\n";
	static const char *const pairs[] = { "lines: f, regex: (x), file: g",
					     "regex: (x), json: {file: f, pointer: /p}" };
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		snprintf(text, sizeof(text), metric, pairs[i]);
		assert_refused(text, "s.yaml:3:11: a metric has one of lines, regex, json");
	}
	assert_refused(LEAST "ready: {stdout: a, file: b}\n",
		       "s.yaml:3:8: ready has one of stdout, file, tcp");
	assert_refused(LEAST "oracle: {sha256: "
			     "0000000000000000000000000000000000000000000000000000000000000000, "
			     "expected: b}\n",
		       "s.yaml:3:9: oracle has one of sha256, expected");
}

static void bytes_that_have_no_place_are_found(void **state)
{
	static const char nul[] = "name: x\ncomm\0and: [a]\n";
	static const char why[] =
		"a control character, or what is not UTF-8, has no place in this file";
	char sentence[256];

	(void)state;
	snprintf(sentence, sizeof(sentence), "s.yaml:2:5: %s", why);
	assert_refused_bytes(nul, sizeof(nul) - 1, sentence);
	snprintf(sentence, sizeof(sentence), "s.yaml:1:9: %s", why);
	assert_refused("name: \xc3\xa9x\xff\n", sentence);
	assert_refused("name: \xc3\xa9x\xed\xa0\x80\n", sentence);
	assert_refused("name: \xc3\xa9x\x1b[2J\n", sentence);
	assert_refused("name: \xc3\xa9x\xc2\x9b\n", sentence);
	assert_refused("name: \xc3\xa9x\xe2\x80\xa8\n", sentence);
	assert_refused("name: \xc3\xa9x\r\n", sentence);
	assert_refused("name: \xc3\xa9x\xc3", sentence);
	snprintf(sentence, sizeof(sentence), "s.yaml:1:1: %s", why);
	assert_refused_bytes("\xff\xfen\0a\0m\0e\0", 10, sentence);
}

/* A chain of such lists grows ninefold with each line if it is written out. */
static void aliases_that_multiply_are_refused(void **state)
{
	(void)state;
	assert_refused("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n",
		       "s.yaml:1:4: anchors and aliases are not taken: write it out");
	assert_refused("name: *a\n", "s.yaml:1:7: anchors and aliases are not taken: write it out");
}

static void assert_refused_quickly(const struct str *s, const char *sentence)
{
	struct timespec before, after;

	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_refused_bytes(s->data, s->len, sentence);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true(after.tv_sec - before.tv_sec < 10);
}

static void fill(struct str *s, const char *start, const char *piece, size_t bytes)
{
	str_clear(s);
	assert_int_equal(str_add(s, start), 0);
	while (s->len < bytes)
		assert_int_equal(str_add(s, piece), 0);
}

static void size_and_depth_are_bounded(void **state)
{
	_cleanup_(str_release) struct str s = { 0 };
	int i;

	(void)state;
	fill(&s, "tags:\n", "- x\n", 900000);
	assert_refused_quickly(&s, "s.yaml:49999:3: there is too much in this file");
	fill(&s, "tags: ", "[", 900000);
	assert_refused_quickly(&s, "s.yaml:1:18: this is nested too deeply");
	fill(&s, "tags: ", "{a: ", 900000);
	assert_refused_quickly(&s, "s.yaml:1:51: this is nested too deeply");
	fill(&s, "tags:\n", "- x\n", 8000);
	assert_refused_quickly(&s, "s.yaml:2:1: more than 1000 words are too many");
	str_clear(&s);
	for (i = 0; i < 1100; i++)
		assert_int_equal(str_addf(&s, "k%d: x\n", i), 0);
	assert_refused_quickly(&s, "s.yaml:1001:1: there are too many keys here");
}

static void a_file_of_more_than_a_mebibyte_is_not_read(void **state)
{
	_cleanup_(str_release) struct str s = { 0 };
	struct scenario *scenario = NULL;
	struct folder f;

	(void)state;
	fill(&s, "name: x\n", "# comment\n", (1 << 20) + 1);
	folder_make(&f);
	folder_write(&f, "s.yaml", s.data, s.len);
	assert_int_equal(scenario_read(folder_path(&f, "s.yaml"), &scenario), -EFBIG);
	folder_remove(&f);
	assert_null(scenario);
}

/* "(a{255}){255}" alone takes more than a gibibyte in regcomp(3). */
static void patterns_cannot_take_all_memory(void **state)
{
	(void)state;
	assert_refused(LEAST "components: [{name: c, symbol: \"((a{255}){255}){255}\"}]\n",
		       "s.yaml:3:32: the regular expression '((a{255}){255}){255}' repeats too "
		       "much");
	assert_refused(LEAST "components: [{name: c, symbol: \"a{,99999999999999999999}\"}]\n",
		       "s.yaml:3:32: the regular expression 'a{,99999999999999999999}' repeats too "
		       "much");
	assert_refused(LEAST "components: [{name: c, symbol: \"(a*)\\\\1\"}]\n",
		       "s.yaml:3:32: the regular expression '(a*)\\1' refers back to a group");
	scenario_free(scenario_of(LEAST "components: [{name: c, symbol: \"^[a-z]{2,8}$\"}]\n"));
}

static void what_is_no_file_is_not_read(void **state)
{
	struct scenario *s = NULL;
	struct folder f;

	(void)state;
	folder_make(&f);
	assert_int_equal(scenario_read(folder_path(&f, "none.yaml"), &s), -ENOENT);
	assert_int_equal(mkfifo(folder_path(&f, "fifo"), 0600), 0);
	assert_int_equal(scenario_read(folder_path(&f, "fifo"), &s), -EINVAL);
	assert_int_equal(scenario_read(f.path, &s), -EINVAL);
	folder_remove(&f);
	assert_null(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_scenario_has_a_name_and_a_command),
		cmocka_unit_test(every_key_has_its_place),
		cmocka_unit_test(metrics_and_limits_are_read),
		cmocka_unit_test(the_file_itself_is_kept),
		cmocka_unit_test(times_and_sizes_have_units),
		cmocka_unit_test(a_running_service_is_measured_for_a_duration),
		cmocka_unit_test(variants_may_have_all_the_commands),
		cmocka_unit_test(errors_say_where_and_what),
		cmocka_unit_test(keys_for_one_thing_exclude_each_other),
		cmocka_unit_test(bytes_that_have_no_place_are_found),
		cmocka_unit_test(aliases_that_multiply_are_refused),
		cmocka_unit_test(size_and_depth_are_bounded),
		cmocka_unit_test(a_file_of_more_than_a_mebibyte_is_not_read),
		cmocka_unit_test(patterns_cannot_take_all_memory),
		cmocka_unit_test(what_is_no_file_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

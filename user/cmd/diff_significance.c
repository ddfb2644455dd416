/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/diff_significance.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "user/base/err.h"
#include "user/base/file.h"
#include "user/base/json_parts.h"
#include "user/base/str.h"
#include "user/bench/gate.h"
#include "user/bench/statistics.h"

#define GATE_FILE_MAX (64u << 20)

/* --- by samples ------------------------------------------------------------------------------ */

/* What a sample stands for, on the scale: sides may have been sampled at different rates. */
static double weight_of(const struct difference *d, enum difference_side side)
{
	return difference_amount(d, d->all, side) / (double)d->all_samples[side];
}

static double p_of(const struct difference *d, const struct difference_row *row,
		   enum difference_scale scale)
{
	uint64_t before = row->samples[DIFFERENCE_BEFORE], after = row->samples[DIFFERENCE_AFTER];
	double weight_before = weight_of(d, DIFFERENCE_BEFORE);

	if (scale == DIFFERENCE_SHARE)
		return fisher_p(before, d->all_samples[DIFFERENCE_BEFORE], after,
				d->all_samples[DIFFERENCE_AFTER]);
	/* If nothing changed, so many of both sides' samples would be after. */
	return binomial_p(after, before + after,
			  weight_before / (weight_before + weight_of(d, DIFFERENCE_AFTER)));
}

static bool is_candidate(const struct difference_row *row)
{
	return row->samples[DIFFERENCE_BEFORE] >= DIFF_MIN_SAMPLES ||
	       row->samples[DIFFERENCE_AFTER] >= DIFF_MIN_SAMPLES - row->samples[DIFFERENCE_BEFORE];
}

int diff_judge_by_samples(struct difference *d, enum difference_scale scale)
{
	_cleanup_(freep) double *p = calloc(d->n + 1, sizeof(*p));
	_cleanup_(freep) double *adjusted = calloc(d->n + 1, sizeof(*adjusted));
	size_t i, n = 0;
	int err;

	if (!p || !adjusted)
		return errf(-ENOMEM, "no memory to judge %zu functions", d->n);
	for (i = 0; i < d->n; i++) {
		if (is_candidate(&d->rows[i]))
			p[n++] = p_of(d, &d->rows[i], scale);
	}
	err = holm_adjust(p, n, adjusted);
	if (err)
		return err;
	for (i = n = 0; i < d->n; i++) {
		if (!is_candidate(&d->rows[i]))
			continue;
		d->rows[i].p = adjusted[n++];
		d->rows[i].is_significant = d->rows[i].p < DIFF_ALPHA;
	}
	d->is_judged = true;
	return 0;
}

/* --- by a gate ------------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static int read_gate(const char *path, json_t **ret)
{
	_cleanup_(str_release) struct str file = { 0 };
	_cleanup_(freep) char *text = NULL;
	json_error_t why;
	struct stat st;
	json_t *json;
	size_t len;
	bool is_folder = !stat(path, &st) && S_ISDIR(st.st_mode);
	int err = str_addf(&file, "%s%s", path, is_folder ? "/gate.json" : "");

	if (err)
		return errf(err, "no memory to read '%s'", path);
	err = file_read(str_text(&file), GATE_FILE_MAX, &text, &len);
	if (err)
		return err;
	json = json_loadb(text, len, 0, &why);
	if (!json)
		return errf(-EINVAL, "'%s' is no JSON: %s in line %d", path, why.text, why.line);
	if (strcmp(text_of(json, "schema"), GATE_SCHEMA)) {
		json_decref(json);
		return errf(-EINVAL, "'%s' is not what 'fathom gate --json' writes (schema %s)",
			    path, GATE_SCHEMA);
	}
	*ret = json;
	return 0;
}

static bool is_of(const struct diff_options *o, const json_t *gate_case, const json_t *functions)
{
	if (o->collector && strcmp(o->collector, text_of(functions, "collector")))
		return false;
	return !o->case_name || !strcmp(o->case_name, text_of(gate_case, "after")) ||
	       !strcmp(o->case_name, text_of(gate_case, "before")) ||
	       !strcmp(o->case_name, text_of(gate_case, "cell"));
}

/* The one comparison that is meant. */
static int find_comparison(const struct diff_options *o, const json_t *gate, const json_t **ret)
{
	const json_t *cases = json_object_get(gate, "cases");
	const json_t *found = NULL;
	size_t i, k, n = 0;

	for (i = 0; i < json_array_size(cases); i++) {
		const json_t *one = json_array_get(cases, i);
		const json_t *functions = json_object_get(one, "functions");

		for (k = 0; k < json_array_size(functions); k++) {
			const json_t *f = json_array_get(functions, k);
			const json_t *comparison = json_object_get(f, "comparison");

			if (!json_is_object(comparison) || !is_of(o, one, f))
				continue;
			found = comparison;
			n++;
		}
	}
	if (!n)
		return errf(-ENOENT,
			    "'%s' does not compare functions of that case and collector: "
			    "record profiles in the scenario's runs",
			    o->gate);
	if (n > 1)
		return errf(-EINVAL,
			    "'%s' compares functions %zu times: say which with --case and -c",
			    o->gate, n);
	*ret = found;
	return 0;
}

/* The number of changes whose function neither side has. */
static size_t take_changes(struct difference *d, const json_t *changes)
{
	size_t i, unknown = 0;

	for (i = 0; i < json_array_size(changes); i++) {
		const json_t *change = json_array_get(changes, i);
		const json_t *p = json_object_get(change, "p_adjusted");
		struct difference_row *row =
			difference_find(d, text_of(change, "function"), text_of(change, "module"));

		if (!row) {
			unknown++;
			continue;
		}
		row->p = json_is_number(p) ? json_number_value(p) : NAN;
		row->is_significant = strcmp(text_of(change, "class"), "same") != 0;
	}
	return unknown;
}

static int add_notes(const struct diff_options *o, const json_t *comparison, const char *value,
		     size_t unknown, struct str *out)
{
	json_int_t left_out = json_integer_value(json_object_get(comparison, "changes_left_out"));
	const char *judged = text_of(comparison, "value");
	int err = 0;

	if (strcmp(judged, value))
		err = str_addf(out, "the gate judged '%s', this is '%s'", judged, value);
	if (!err && unknown)
		err = str_addf(out,
			       "%s%zu of the functions in '%s' are on neither side: "
			       "is it of these two?",
			       out->len ? "; " : "", unknown, o->gate);
	if (!err && left_out > 0)
		err = str_addf(out, "%s'%s' leaves %lld of them out, which are shown as noise",
			       out->len ? "; " : "", o->gate, (long long)left_out);
	return err;
}

int diff_judge_by_gate(struct difference *d, const struct diff_options *o, const char *value,
		       char **ret_note)
{
	_cleanup_(json_decrefp) json_t *gate = NULL;
	_cleanup_(str_release) struct str note = { 0 };
	const json_t *comparison = NULL;
	size_t unknown;
	int err = read_gate(o->gate, &gate);

	if (!err)
		err = find_comparison(o, gate, &comparison);
	if (err)
		return err;
	unknown = take_changes(d, json_object_get(comparison, "changes"));
	err = add_notes(o, comparison, value, unknown, &note);
	if (err)
		return errf(err, "no memory to judge by '%s'", o->gate);
	d->is_judged = true;
	*ret_note = take(note.data);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/flame_text.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "flamegraph/flame_data.h"
#include "flamegraph/flame_extract.h"
#include "flamegraph/flame_nodes_read.h"
#include "flamegraph/flame_pack.h"
#include "user/base/err.h"

/* --- trees --------------------------------------------------------------------------------- */

static uint64_t random_state;

static uint32_t draw(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % below;
}

/* Two functions each have the same name, in different modules. */
static bool names_are_shared;

static uint32_t frame_of(struct flame_tree *tree, uint32_t i)
{
	static const char *const modules[] = { "", "libc.so.6", "[kernel]" };
	char name[32];
	uint32_t frame;

	snprintf(name, sizeof(name), "function_%u", names_are_shared ? i / 2 : i);
	assert_int_equal(flame_tree_add_frame(tree, name, modules[i % 3], i % 4, &frame), 0);
	return frame;
}

/*
 * Walks in a graph of calls of 'n_frames' functions, in which every function can come back. 'first'
 * is the frame that the tree is told of first.
 */
static struct flame_tree *random_tree(uint64_t seed, size_t n_stacks, uint32_t n_frames,
				      bool has_before, uint32_t first)
{
	struct flame_tree *tree = NULL;
	uint32_t frames[40];
	size_t i, depth, n;

	random_state = seed;
	assert_int_equal(flame_tree_new(false, &tree), 0);
	frame_of(tree, first);
	for (i = 0; i < n_stacks; i++) {
		uint32_t at = draw(2);

		depth = 1 + draw(40);
		for (n = 0; n < depth; n++) {
			frames[n] = frame_of(tree, at);
			at = (at * 7 + draw(3)) % n_frames;
		}
		assert_int_equal(flame_tree_add(tree, frames, n, draw(4) ? draw(100) : draw(9000),
						has_before ? draw(50) : 0),
				 0);
	}
	assert_int_equal(flame_tree_finish(tree), 0);
	return tree;
}

static void write_with(const struct flame_tree *tree, size_t budget, struct str *out)
{
	struct flame_data_options options = {
		.title = "Flame Graph",
		.value = "samples",
		.unit = "count",
		.budget = budget,
	};

	assert_int_equal(flame_data_add(tree, &options, out), 0);
}

static int read_text(const char *text, struct flame_data **ret)
{
	_cleanup_(fclosep) FILE *in = fmemopen((void *)text, strlen(text), "r");

	assert_non_null(in);
	return flame_data_read(in, "picture.svg", ret);
}

static struct flame_data *read_back(const struct str *text)
{
	_cleanup_(str_release) struct str file = { 0 };
	struct flame_data *data = NULL;

	assert_int_equal(str_addf(&file,
				  "<svg><text>id=\"flame-data\"</text>"
				  "<script>find('<x id=\"flame-data\">')</script>"
				  "<metadata id=\"flame-data\">\n%s</metadata></svg>",
				  text->data),
			 0);
	if (read_text(file.data, &data))
		fail_msg("%s", err_text());
	return data;
}

static void assert_same_text(const struct flame_tree *a, const struct flame_tree *b)
{
	_cleanup_(str_release) struct str x = { 0 }, y = { 0 };

	flame_text(a, &x);
	flame_text(b, &y);
	assert_string_equal(x.data, y.data);
}

/* The bytes of a section of the text; nothing if it has none. */
static void section_of(const struct str *text, const char *name, struct str *ret)
{
	const char *line = text->data, *lf;
	size_t len = strlen(name);

	for (; *line; line = lf + 1) {
		lf = strchr(line, '\n');
		if (strncmp(line, name, len) || line[len] != ' ')
			continue;
		assert_int_equal(flame_unpack(line + len + 1, lf - line - len - 1, 1 << 30, ret),
				 0);
		return;
	}
}

static json_t *header_of(const struct str *text)
{
	_cleanup_(str_release) struct str raw = { 0 };
	json_t *header;

	section_of(text, "header", &raw);
	header = json_loads(raw.data, 0, NULL);
	assert_non_null(header);
	return header;
}

/* --- all of it ----------------------------------------------------------------------------- */

static void a_tree_comes_back_as_it_was(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed < 40; seed++) {
		_cleanup_(flame_tree_freep) struct flame_tree *tree =
			random_tree(seed, seed * 20, 5 + seed * 3, seed % 2, 0);
		_cleanup_(flame_data_freep) struct flame_data *data = NULL;
		_cleanup_(str_release) struct str text = { 0 };

		write_with(tree, 0, &text);
		data = read_back(&text);
		assert_same_text(tree, data->tree);
		assert_int_equal(data->n_rests, 0);
	}
}

static void a_chart_keeps_the_order_of_its_stacks(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	_cleanup_(flame_data_freep) struct flame_data *data = NULL;
	_cleanup_(str_release) struct str text = { 0 };
	uint32_t frames[3], i;

	(void)state;
	assert_int_equal(flame_tree_new(true, &tree), 0);
	for (i = 0; i < 3; i++)
		frames[i] = frame_of(tree, 9 - i);
	assert_int_equal(flame_tree_add(tree, frames, 2, 5, 0), 0);
	assert_int_equal(flame_tree_add(tree, frames + 1, 1, 6, 0), 0);
	assert_int_equal(flame_tree_add(tree, frames, 3, 7, 0), 0);
	assert_int_equal(flame_tree_finish(tree), 0);
	write_with(tree, 0, &text);
	data = read_back(&text);
	assert_true(data->tree->is_chart);
	assert_same_text(tree, data->tree);
}

/* Nothing that would compress well. */
static int64_t own_of(uint32_t i)
{
	return 1 + (i * 2654435761u >> 20) % 1000;
}

/* One thread: in turn a stack of its own, and one of a child, of which all but some are narrow. */
static void a_chart_knows_what_a_parent_spent_before_its_children(void **state)
{
	size_t budget, n;

	(void)state;
	for (budget = 0; budget <= 2000; budget += 2000) {
		_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
		_cleanup_(flame_data_freep) struct flame_data *data = NULL;
		_cleanup_(str_release) struct str text = { 0 };
		uint32_t frames[2], i, child;
		int64_t own = 0, before = 0;

		assert_int_equal(flame_tree_new(true, &tree), 0);
		for (i = 0; i < 5000; i++) {
			frames[0] = frame_of(tree, 0);
			frames[1] = frame_of(tree, 1 + i % 7);
			assert_int_equal(flame_tree_add(tree, frames, 1, own_of(i), 0), 0);
			assert_int_equal(flame_tree_add(tree, frames, 2, i % 100 ? 1 : 5000, 0), 0);
		}
		assert_int_equal(flame_tree_finish(tree), 0);
		write_with(tree, budget, &text);
		data = read_back(&text);
		assert_int_equal(!data->n_rests, !budget);
		child = data->tree->nodes[1].first_child;
		for (n = 0, i = 0; i < 5000; i++) {
			own += own_of(i);
			if (budget && i % 100)
				continue;
			assert_int_equal(data->tree->leads[child], own);
			before = own;
			child = data->tree->nodes[child].next;
			n++;
		}
		assert_int_equal(n, budget ? 50 : 5000);
		assert_int_equal(child == PROFILE_NONE, !budget);
		if (child != PROFILE_NONE)
			assert_int_equal(data->tree->leads[child], before);
	}
}

static void an_empty_tree_is_a_root(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	_cleanup_(flame_data_freep) struct flame_data *data = NULL;
	_cleanup_(str_release) struct str text = { 0 };

	(void)state;
	assert_int_equal(flame_tree_new(false, &tree), 0);
	assert_int_equal(flame_tree_finish(tree), 0);
	write_with(tree, FLAME_DATA_BUDGET, &text);
	data = read_back(&text);
	assert_flame_text(data->tree, "all(0/0)");
}

static void bytes_do_not_depend_on_how_frames_are_numbered(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *a = NULL, *b = NULL;
	size_t budgets[] = { 0, 6000, 3000 }, i;

	(void)state;
	names_are_shared = true;
	a = random_tree(7, 800, 600, true, 0);
	b = random_tree(7, 800, 600, true, 401);
	names_are_shared = false;
	assert_true(strcmp(strtab_get(&a->names, a->frames[1].name),
			   strtab_get(&b->names, b->frames[1].name)));
	for (i = 0; i < ARRAY_SIZE(budgets); i++) {
		_cleanup_(str_release) struct str x = { 0 }, y = { 0 };

		write_with(a, budgets[i], &x);
		write_with(b, budgets[i], &y);
		assert_string_equal(x.data, y.data);
	}
}

static void a_name_with_a_line_feed_does_not_shift_the_others(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	_cleanup_(flame_data_freep) struct flame_data *data = NULL;
	_cleanup_(str_release) struct str text = { 0 };
	uint32_t frames[2];

	(void)state;
	assert_int_equal(flame_tree_new(false, &tree), 0);
	assert_int_equal(flame_tree_add_frame(tree, "a\nb", "x\ny", 0, &frames[0]), 0);
	assert_int_equal(flame_tree_add_frame(tree, "c", "z", 0, &frames[1]), 0);
	assert_int_equal(flame_tree_add(tree, frames, 2, 5, 0), 0);
	assert_int_equal(flame_tree_finish(tree), 0);
	write_with(tree, 0, &text);
	data = read_back(&text);
	assert_flame_text(data->tree, "all(0/5)[a?b{x?y}(0/5)[c{z}(5/5)]]");
}

/* --- a part of it -------------------------------------------------------------------------- */

static uint32_t child_like(const struct flame_tree *tree, uint32_t parent,
			   const struct flame_tree *other, uint32_t node)
{
	uint32_t child;

	for (child = tree->nodes[parent].first_child; child != PROFILE_NONE;
	     child = tree->nodes[child].next) {
		if (!strcmp(flame_name(tree, child), flame_name(other, node)) &&
		    !strcmp(flame_module(tree, child), flame_module(other, node)))
			return child;
	}
	return PROFILE_NONE;
}

static uint32_t rest_of(const struct flame_data *data, uint32_t parent)
{
	uint32_t child = data->tree->nodes[parent].first_child;

	while (child != PROFILE_NONE && !data->rests[child])
		child = data->tree->nodes[child].next;
	return child;
}

/* Of each node of the whole tree where it is in the part, or the rest that it is in. */
struct match {
	uint32_t *at;
	bool *is_hidden;
};

static struct match match_nodes(const struct flame_tree *tree, const struct flame_data *data)
{
	struct match m = { calloc(tree->n_nodes, sizeof(*m.at)), calloc(tree->n_nodes, 1) };
	uint32_t i;

	assert_true(m.at && m.is_hidden);
	for (i = 1; i < tree->n_nodes; i++) {
		uint32_t parent = tree->nodes[i].parent;

		m.at[i] = m.at[parent];
		m.is_hidden[i] = m.is_hidden[parent];
		if (m.is_hidden[parent])
			continue;
		m.at[i] = child_like(data->tree, m.at[parent], tree, i);
		m.is_hidden[i] = m.at[i] == PROFILE_NONE;
		if (m.is_hidden[i])
			m.at[i] = rest_of(data, m.at[parent]);
		assert_int_not_equal(m.at[i], PROFILE_NONE);
	}
	return m;
}

/* Each node has its values, each rest the sum and number of what is not there. */
static void assert_part(const struct flame_tree *tree, const struct flame_data *data,
			const struct match *m)
{
	size_t n = data->tree->n_nodes, n_kept = 1, n_rests = 0, i;
	int64_t *hidden = calloc(n, sizeof(*hidden)), *before = calloc(n, sizeof(*before));
	uint32_t *count = calloc(n, sizeof(*count));

	for (i = 1; i < tree->n_nodes; i++) {
		uint32_t at = m->at[i];

		count[at] += m->is_hidden[i];
		if (!m->is_hidden[i]) {
			n_kept++;
			assert_int_equal(tree->nodes[i].value, data->tree->nodes[at].value);
			assert_int_equal(flame_tree_self(tree, i), flame_tree_self(data->tree, at));
			if (tree->before)
				assert_int_equal(tree->before[i], data->tree->before[at]);
		} else if (!m->is_hidden[tree->nodes[i].parent]) {
			hidden[at] += tree->nodes[i].value;
			before[at] += tree->before ? tree->before[i] : 0;
		}
	}
	for (i = 0; i < n; i++) {
		assert_int_equal(data->rests[i], count[i]);
		if (!count[i])
			continue;
		n_rests++;
		assert_int_equal(data->tree->nodes[i].value, hidden[i]);
		if (tree->before)
			assert_int_equal(data->tree->before[i], before[i]);
	}
	assert_int_equal(n_kept + n_rests, n);
	assert_int_equal(n_rests, data->n_rests);
	free(hidden);
	free(before);
	free(count);
}

static bool is_below_itself(const struct flame_tree *tree, uint32_t node)
{
	uint32_t above = tree->nodes[node].parent;

	while (above != PROFILE_NONE && tree->nodes[above].frame != tree->nodes[node].frame)
		above = tree->nodes[above].parent;
	return above != PROFILE_NONE;
}

struct sum {
	uint64_t inside, self, inside_before, self_before, n;
};

static struct sum sum_hidden(const struct flame_tree *tree, const struct match *m, uint32_t frame)
{
	struct sum sum = { 0 };
	uint32_t i;

	for (i = 1; i < tree->n_nodes; i++) {
		if (!m->is_hidden[i] || tree->nodes[i].frame != frame)
			continue;
		sum.n++;
		sum.self += flame_tree_self(tree, i);
		sum.self_before += flame_tree_self_before(tree, i);
		if (is_below_itself(tree, i))
			continue;
		sum.inside += tree->nodes[i].value;
		sum.inside_before += tree->before ? tree->before[i] : 0;
	}
	return sum;
}

static uint64_t take_number(struct flame_bytes *bytes)
{
	uint64_t v = 0;

	assert_true(flame_take_varint(bytes, &v));
	return v;
}

/* In this test's trees no two frames have the same name. */
static uint32_t frame_named(const struct flame_tree *tree, const char *lines, uint64_t number)
{
	uint32_t i;
	size_t len;

	for (; number--; lines++) {
		lines = strchr(lines, '\n');
		assert_non_null(lines);
	}
	len = strcspn(lines, "\n");
	for (i = 0; i < tree->n_frames; i++) {
		const char *name = strtab_get(&tree->names, tree->frames[i].name);

		if (strlen(name) == len && !memcmp(name, lines, len))
			return i;
	}
	fail_msg("no frame is named '%.*s'", (int)len, lines);
	return 0;
}

/* As they are written, and as they are counted here one by one. */
static void assert_rest_frames(const struct flame_tree *tree, const struct match *m,
			       const struct str *text)
{
	_cleanup_(str_release) struct str raw = { 0 }, names = { 0 };
	bool *seen = calloc(tree->n_frames, 1);
	struct flame_bytes bytes;
	uint64_t number = 0;
	uint32_t i;

	assert_non_null(seen);
	section_of(text, "rest_frames", &raw);
	section_of(text, "names", &names);
	for (bytes = flame_bytes_of(&raw); bytes.at < bytes.end;) {
		uint32_t frame;
		struct sum sum;

		number += take_number(&bytes);
		frame = frame_named(tree, names.data, number);
		sum = sum_hidden(tree, m, frame);
		seen[frame] = true;
		assert_true(sum.n > 0);
		assert_int_equal(take_number(&bytes), sum.inside);
		assert_int_equal(take_number(&bytes), sum.self);
		if (!tree->before)
			continue;
		assert_int_equal(take_number(&bytes), sum.inside_before);
		assert_int_equal(take_number(&bytes), sum.self_before);
	}
	for (i = 0; i < tree->n_frames; i++)
		assert_true(seen[i] || !sum_hidden(tree, m, i).n);
	free(seen);
}

static void check_part(const struct flame_tree *tree, size_t budget)
{
	_cleanup_(flame_data_freep) struct flame_data *data = NULL;
	_cleanup_(str_release) struct str text = { 0 };
	struct match m;
	json_t *header;

	write_with(tree, budget, &text);
	assert_true(text.len <= budget);
	data = read_back(&text);
	assert_true(data->n_rests > 0);
	assert_int_equal(data->tree->nodes[0].value, tree->nodes[0].value);
	header = header_of(&text);
	assert_int_equal(json_integer_value(json_object_get(header, "nodes")), data->tree->n_nodes);
	assert_int_equal(json_integer_value(json_object_get(header, "all_nodes")), tree->n_nodes);
	json_decref(header);
	m = match_nodes(tree, data);
	assert_part(tree, data, &m);
	assert_rest_frames(tree, &m, &text);
	free(m.at);
	free(m.is_hidden);
}

static void what_does_not_fit_is_exact_in_sums(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed < 30; seed++) {
		_cleanup_(flame_tree_freep) struct flame_tree *tree =
			random_tree(seed, 400 + seed * 20, 20 + seed * 2, seed % 2, 0);

		check_part(tree, 3000 + seed * 100);
	}
}

/* Functions in the middle of one deep branch, which many threads of the census share. */
static void a_trunk_is_counted_as_its_branches_are(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	uint32_t frames[30], i;

	(void)state;
	assert_int_equal(flame_tree_new(false, &tree), 0);
	random_state = 5;
	for (i = 0; i < 3000; i++) {
		uint32_t n = 0, depth = 10 + draw(20);

		for (; n < depth; n++)
			frames[n] = frame_of(tree, n < 10 ? n % 4 : draw(6));
		assert_int_equal(flame_tree_add(tree, frames, n, 1 + draw(3), 0), 0);
	}
	assert_int_equal(flame_tree_finish(tree), 0);
	check_part(tree, 3000);
}

static void the_budget_is_used(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = random_tree(3, 20000, 300, false, 0);
	_cleanup_(str_release) struct str whole = { 0 }, part = { 0 };

	(void)state;
	write_with(tree, 0, &whole);
	write_with(tree, whole.len / 2, &part);
	assert_true(part.len <= whole.len / 2 && part.len > whole.len / 4);
	str_clear(&part);
	write_with(tree, whole.len, &part);
	assert_string_equal(part.data, whole.data);
}

/* Each stack ends in a function of its own; their names alone are more than the budget. */
static struct flame_tree *tree_of_names(uint32_t n)
{
	struct flame_tree *tree = NULL;
	uint32_t frames[2], i;

	assert_int_equal(flame_tree_new(false, &tree), 0);
	random_state = 17;
	for (i = 0; i < n; i++) {
		char name[64];

		snprintf(name, sizeof(name), "f_%08x%08x", draw(UINT32_MAX), draw(UINT32_MAX));
		frames[0] = frame_of(tree, i % 50);
		assert_int_equal(flame_tree_add_frame(tree, name, "", 0, &frames[1]), 0);
		assert_int_equal(flame_tree_add(tree, frames, 2, 1 + draw(1000), 0), 0);
	}
	assert_int_equal(flame_tree_finish(tree), 0);
	return tree;
}

/* What the frames listed and those not listed are together is all there are in rests. */
static void names_do_not_leave_the_budget(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = tree_of_names(5000);
	_cleanup_(flame_data_freep) struct flame_data *data = NULL;
	_cleanup_(str_release) struct str text = { 0 }, raw = { 0 };
	uint64_t n_listed = 0, largest = 0, least = UINT64_MAX, inside;
	json_t *header, *unlisted;
	struct flame_bytes bytes;
	struct match m;
	uint32_t i;

	(void)state;
	write_with(tree, 20000, &text);
	assert_in_range(text.len, 8000, 20000);
	data = read_back(&text);
	m = match_nodes(tree, data);
	assert_part(tree, data, &m);
	section_of(&text, "rest_frames", &raw);
	for (bytes = flame_bytes_of(&raw); bytes.at < bytes.end; n_listed++) {
		take_number(&bytes);
		inside = take_number(&bytes);
		take_number(&bytes);
		least = inside && inside < least ? inside : least;
	}
	header = header_of(&text);
	unlisted = json_object_get(header, "unlisted");
	for (i = 1; i < tree->n_nodes; i++)
		largest += m.is_hidden[i];
	assert_int_equal(n_listed + json_integer_value(json_object_get(unlisted, "frames")),
			 largest);
	assert_true(json_integer_value(json_object_get(unlisted, "inside")) <= (int64_t)least);
	json_decref(header);
	free(m.at);
	free(m.is_hidden);
}

static void nothing_fits_but_the_root_and_its_rest(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = random_tree(3, 200, 30, false, 0);
	_cleanup_(flame_data_freep) struct flame_data *data = NULL;
	_cleanup_(str_release) struct str text = { 0 };

	(void)state;
	write_with(tree, 1, &text);
	data = read_back(&text);
	assert_int_equal(data->tree->n_nodes, 2);
	assert_int_equal(data->rests[1], tree->n_nodes - 1);
	assert_int_equal(data->rest_value, tree->nodes[0].value);
}

/* --- what else is in it -------------------------------------------------------------------- */

/* Two of 2^63 - 1 and 2 are 2^64, of which no 64 bits are left. */
static void a_rest_of_the_largest_values_is_as_large(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = NULL;
	_cleanup_(flame_data_freep) struct flame_data *data = NULL;
	_cleanup_(str_release) struct str text = { 0 };
	char note[256];
	uint32_t i, frame;

	(void)state;
	assert_int_equal(flame_tree_new(false, &tree), 0);
	for (i = 0; i < 3; i++) {
		frame = frame_of(tree, i);
		assert_int_equal(flame_tree_add(tree, &frame, 1, i < 2 ? INT64_MAX : 2, 0), 0);
	}
	assert_int_equal(flame_tree_finish(tree), 0);
	write_with(tree, 1, &text);
	data = read_back(&text);
	assert_int_equal(data->n_rests, 1);
	assert_true(data->rest_value == INT64_MAX);
	flame_extract_note(data, note, sizeof(note));
	assert_non_null(strstr(note, "3 frames, 100 % of all,"));
}

static void samples_in_time_name_their_nodes(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = random_tree(11, 600, 40, false, 0);
	_cleanup_(flame_data_freep) struct flame_data *data = NULL;
	_cleanup_(str_release) struct str text = { 0 }, raw = { 0 };
	struct flame_moment moments[500];
	struct flame_time time = { .slot_ns = 20000000, .moments = moments, .n = 500 };
	struct flame_data_options options = { .time = &time, .budget = 3000 };
	struct flame_bytes bytes;
	uint64_t slot = 0;
	struct match m;
	json_t *header;
	uint32_t i;

	(void)state;
	for (i = 0; i < 500; i++) {
		slot += draw(3);
		moments[i] = (struct flame_moment){ slot, draw(tree->n_nodes), 1 + draw(5) };
	}
	assert_int_equal(flame_data_add(tree, &options, &text), 0);
	data = read_back(&text);
	m = match_nodes(tree, data);
	section_of(&text, "time", &raw);
	bytes = flame_bytes_of(&raw);
	for (i = 0, slot = 0; i < 500; i++) {
		slot += take_number(&bytes);
		assert_int_equal(slot, moments[i].slot);
		assert_int_equal(take_number(&bytes), m.at[moments[i].node]);
		assert_int_equal(take_number(&bytes), moments[i].value);
	}
	assert_ptr_equal(bytes.at, bytes.end);
	header = header_of(&text);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(header, "time"), "slots")),
		slot + 1);
	json_decref(header);
	free(m.at);
	free(m.is_hidden);
}

static void the_header_says_what_a_picture_is_of(void **state)
{
	static const char *const provenance[][2] = { { "host", "h\n1" }, { "rate", "99 Hz" } };
	_cleanup_(flame_tree_freep) struct flame_tree *tree = random_tree(1, 3, 4, true, 0);
	_cleanup_(str_release) struct str text = { 0 }, raw = { 0 };
	struct flame_data_options options = {
		.title = "T \"1\"",
		.unit = "bytes",
		.provenance = provenance,
		.n_provenance = 2,
		.is_negated = true,
		.delta_by = "percent",
	};
	uint32_t i;

	(void)state;
	tree->verdicts = calloc(tree->n_frames, sizeof(*tree->verdicts));
	assert_non_null(tree->verdicts);
	for (i = 0; i < tree->n_frames; i++)
		tree->verdicts[i].p = NAN;
	tree->verdicts[1] = (struct flame_verdict){ .p = 0.25, .is_significant = true };
	tree->scale_before = 0.5;
	assert_int_equal(flame_data_add(tree, &options, &text), 0);
	section_of(&text, "header", &raw);
	assert_non_null(strstr(raw.data, "{\"schema\":\"fathom.flame/1\",\"title\":\"T \\\"1\\\"\","
					 "\"subtitle\":null,\"value\":null,\"unit\":\"bytes\","));
	assert_non_null(strstr(raw.data, "\"chart\":false,\"icicle\":false,\"negate\":true,"
					 "\"provenance\":[[\"host\",\"h?1\"],[\"rate\",\"99 Hz\"]],"
					 "\"scales\":[0.5,1],\"delta_by\":\"percent\","
					 "\"verdicts\":[["));
	assert_non_null(strstr(raw.data, ",0.25,1]]}"));
}

static void colours_go_with_their_frames(void **state)
{
	_cleanup_(flame_tree_freep) struct flame_tree *tree = random_tree(1, 50, 9, false, 8);
	_cleanup_(str_release) struct str text = { 0 }, frames = { 0 }, names = { 0 };
	struct flame_data_options options = { 0 };
	uint32_t colors[64], number;
	struct flame_bytes bytes;

	(void)state;
	for (number = 0; number < tree->n_frames; number++)
		colors[number] = 0x102030 * number;
	options.colors = colors;
	assert_int_equal(flame_data_add(tree, &options, &text), 0);
	section_of(&text, "frames", &frames);
	section_of(&text, "names", &names);
	bytes = flame_bytes_of(&frames);
	for (number = 0; bytes.at < bytes.end; number++) {
		uint32_t frame = frame_named(tree, names.data, number);

		take_number(&bytes);
		assert_int_equal(bytes.at[0], tree->frames[frame].kind);
		assert_int_equal(bytes.at[1] << 16 | bytes.at[2] << 8 | bytes.at[3],
				 colors[frame] & 0xffffff);
		bytes.at += 4;
	}
	assert_true(number > 2);
}

/* --- hostile files ------------------------------------------------------------------------- */

static void assert_refused(const char *text, int err, const char *sentence)
{
	struct flame_data *data = NULL;

	assert_int_equal(read_text(text, &data), err);
	assert_null(data);
	if (!strstr(err_text(), sentence))
		fail_msg("'%s' does not say '%s'", err_text(), sentence);
}

static void a_picture_without_data_is_told(void **state)
{
	(void)state;
	assert_refused("<svg><g id=\"frames\"/></svg>", -ENOENT, "there is no call tree inside");
	assert_refused("<svg><text> id=\"flame-data\" header x</text></svg>", -ENOENT,
		       "there is no call tree");
	assert_refused("<svg><metadata id=\"flame-data\">", -ENOENT, "there is no call tree");
	assert_refused("<svg><metadata id=\"flame-data", -ENOENT, "there is no call tree");
	assert_refused(" ", -ENOENT, "there is no call tree");
}

/* Each would have to be read to the file's end, and back to its beginning, by a naive search. */
static void a_file_full_of_what_looks_like_it_is_read_once(void **state)
{
	static const char id[] = " id=\"flame-data\"";
	_cleanup_(str_release) struct str text = { 0 }, tag = { 0 };
	clock_t start = clock();
	int i;

	(void)state;
	assert_int_equal(str_add(&text, "<svg>"), 0);
	assert_int_equal(str_add(&tag, "<svg"), 0);
	for (i = 0; i < 200000; i++) {
		assert_int_equal(str_add(&text, id), 0);
		assert_int_equal(str_add(&tag, id), 0);
	}
	assert_refused(tag.data, -ENOENT, "there is no call tree");
	assert_refused(text.data, -ENOENT, "there is no call tree");
	assert_int_equal(str_add(&text, "</svg>"), 0);
	assert_refused(text.data, -ENOENT, "there is no call tree");
	assert_true((clock() - start) / CLOCKS_PER_SEC < 5);
}

struct part {
	const char *name, *bytes;
	size_t len;
};

#define PART(name, bytes)                      \
	{                                      \
		name, bytes, sizeof(bytes) - 1 \
	}

static void assert_parts_refused(const struct part *parts, size_t n, const char *sentence)
{
	struct flame_section sections[12] = { 0 };
	_cleanup_(str_release) struct str file = { 0 };
	size_t i;

	assert_true(n <= ARRAY_SIZE(sections));
	for (i = 0; i < n; i++) {
		sections[i].name = parts[i].name;
		assert_int_equal(str_add_bytes(&sections[i].raw, parts[i].bytes, parts[i].len), 0);
	}
	assert_int_equal(flame_pack(sections, n), 0);
	assert_int_equal(str_add(&file, "<metadata id=\"flame-data\">"), 0);
	for (i = 0; i < n; i++) {
		assert_int_equal(str_add(&file, str_text(&sections[i].text)), 0);
		str_release(&sections[i].raw);
		str_release(&sections[i].text);
	}
	assert_int_equal(str_add(&file, "</metadata>"), 0);
	assert_refused(file.data, -EINVAL, sentence);
}

#define SCHEMA	PART("header", "{\"schema\":\"fathom.flame/1\"}")
#define TWO	PART("names", "all\na\n")
#define MODULES PART("modules", "\n")
#define FRAMES	PART("frames", "\0\4\0\0\0\0\0\1\2\3")
#define REFUSED(sentence, ...)                                            \
	do {                                                              \
		const struct part parts[] = { __VA_ARGS__ };              \
		assert_parts_refused(parts, ARRAY_SIZE(parts), sentence); \
	} while (0)

static void sections_that_do_not_fit_together_are_refused(void **state)
{
	(void)state;
	REFUSED("no JSON", PART("header", "{"));
	REFUSED("has schema 'x'", PART("header", "{\"schema\":\"x\"}"));
	REFUSED("it has no nodes", SCHEMA);
	REFUSED("a name has no end", SCHEMA, PART("names", "all"));
	REFUSED("its frames end early", SCHEMA, TWO, MODULES, PART("shape", "\0"));
	REFUSED("a module that it has not", SCHEMA, TWO, MODULES,
		PART("frames", "\1\4\0\0\0\0\0\1\2\3"), PART("shape", "\0"));
	REFUSED("of a kind", SCHEMA, TWO, MODULES, PART("frames", "\0\5\0\0\0\0\0\1\2\3"),
		PART("shape", "\0"));
	REFUSED("more frames than names", SCHEMA, TWO, MODULES,
		PART("frames", "\0\4\0\0\0\0\0\1\2\3\0"), PART("shape", "\0"));
	REFUSED("its edges end early", SCHEMA, TWO, MODULES, FRAMES, PART("shape", "\2\0"));
	REFUSED("an edge that was not there", SCHEMA, TWO, MODULES, FRAMES, PART("shape", "\2\0"),
		PART("edges", "\1"));
	REFUSED("a frame that it has not", SCHEMA, TWO, MODULES, FRAMES, PART("shape", "\2\0"),
		PART("edges", "\0\2"));
	REFUSED("its shape ends early", SCHEMA, TWO, MODULES, FRAMES, PART("shape", "\2"),
		PART("edges", "\0\1"));
	REFUSED("a value is missing", SCHEMA, TWO, MODULES, FRAMES, PART("shape", "\1"));
	REFUSED("beyond 2^63", SCHEMA, TWO, MODULES, FRAMES, PART("shape", "\1"),
		PART("self", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"));
	REFUSED("beyond 2^63", SCHEMA, TWO, MODULES, FRAMES, PART("shape", "\1"),
		PART("self", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\2"));
	REFUSED("a rest of no size", SCHEMA, TWO, MODULES, FRAMES, PART("shape", "\2\0"),
		PART("edges", "\0\0"));
	REFUSED("a rest with children", SCHEMA, TWO, MODULES, FRAMES, PART("shape", "\2\2\0"),
		PART("edges", "\0\0\0\1"), PART("rests", "\1"));
	REFUSED("more of it than it has nodes", SCHEMA, TWO, MODULES, FRAMES,
		PART("shape", "\0\0"));
	REFUSED("a section is there twice", SCHEMA, TWO, TWO);
}

static void a_chain_without_end_is_refused(void **state)
{
	_cleanup_(str_release) struct str shape = { 0 }, edges = { 0 };
	size_t i;

	(void)state;
	assert_int_equal(str_add_bytes(&edges, "\0\1\0\1", 4), 0);
	for (i = 0; i < 100000; i++) {
		assert_int_equal(str_add_bytes(&shape, "\2", 1), 0);
		assert_int_equal(str_add_bytes(&edges, "\1", 1), 0);
	}
	REFUSED("it is too deep", SCHEMA, TWO, MODULES, FRAMES, { "shape", shape.data, shape.len },
		{ "edges", edges.data, edges.len });
}

static void what_is_no_base64_or_does_not_unpack_is_refused(void **state)
{
	(void)state;
	assert_refused("<m id=\"flame-data\">header !!!!\n</m>", -EINVAL, "cannot be unpacked");
	assert_refused("<m id=\"flame-data\">header AAA\n</m>", -EINVAL, "cannot be unpacked");
	assert_refused("<m id=\"flame-data\">header AAAA\n</m>", -EINVAL, "cannot be unpacked");
	assert_refused("<m id=\"flame-data\">header =AAA\n</m>", -EINVAL, "cannot be unpacked");
}

static void more_than_is_allowed_is_not_unpacked(void **state)
{
	struct flame_section section = { .name = "x" };
	_cleanup_(str_release) struct str out = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < 1000; i++)
		assert_int_equal(str_add(&section.raw, "0123456789"), 0);
	assert_int_equal(flame_pack(&section, 1), 0);
	assert_int_equal(flame_unpack(section.text.data + 2, section.text.len - 3, 9999, &out),
			 -EFBIG);
	assert_int_equal(flame_unpack(section.text.data + 2, section.text.len - 3, 10000, &out), 0);
	assert_string_equal(out.data, section.raw.data);
	str_release(&section.raw);
	str_release(&section.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_comes_back_as_it_was),
		cmocka_unit_test(a_chart_keeps_the_order_of_its_stacks),
		cmocka_unit_test(a_chart_knows_what_a_parent_spent_before_its_children),
		cmocka_unit_test(an_empty_tree_is_a_root),
		cmocka_unit_test(bytes_do_not_depend_on_how_frames_are_numbered),
		cmocka_unit_test(a_name_with_a_line_feed_does_not_shift_the_others),
		cmocka_unit_test(what_does_not_fit_is_exact_in_sums),
		cmocka_unit_test(a_trunk_is_counted_as_its_branches_are),
		cmocka_unit_test(the_budget_is_used),
		cmocka_unit_test(names_do_not_leave_the_budget),
		cmocka_unit_test(nothing_fits_but_the_root_and_its_rest),
		cmocka_unit_test(a_rest_of_the_largest_values_is_as_large),
		cmocka_unit_test(samples_in_time_name_their_nodes),
		cmocka_unit_test(the_header_says_what_a_picture_is_of),
		cmocka_unit_test(colours_go_with_their_frames),
		cmocka_unit_test(a_picture_without_data_is_told),
		cmocka_unit_test(a_file_full_of_what_looks_like_it_is_read_once),
		cmocka_unit_test(sections_that_do_not_fit_together_are_refused),
		cmocka_unit_test(a_chain_without_end_is_refused),
		cmocka_unit_test(what_is_no_base64_or_does_not_unpack_is_refused),
		cmocka_unit_test(more_than_is_allowed_is_not_unpacked),
	};

	return cmocka_run_group_tests_name("flame_data", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "user/base/cleanup.h"
#include "user/sym/lines_reply.h"

static struct lines_writer writer;
static char message[LINES_REPLY_MAX];

/* What one side sends is what the other has. */
static size_t pass(int err)
{
	int pair[2], room = 2 * LINES_REPLY_MAX;
	ssize_t n;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
	assert_true(lines_writer_send(&writer, err, pair[0]));
	n = recv(pair[1], message, sizeof(message), MSG_TRUNC);
	assert_in_range(n, 1, sizeof(message));
	close(pair[0]);
	close(pair[1]);
	return n;
}

static const char file[] = "/src/a.c";

static const struct code_line two[] = {
	{ .function = "inner", .file = file, .line = 7 },
	{ .function = NULL, .file = file, .line = 12 },
};

static size_t make_message(void)
{
	lines_writer_begin(&writer);
	assert_true(lines_writer_add(&writer, two, 2));
	assert_true(lines_writer_add(&writer, NULL, 0));
	assert_true(lines_writer_add(&writer, two, 1));
	return pass(0);
}

struct told {
	uint32_t n, lines;
	size_t bytes; /* of strings */
	struct code_line last;
};

static int tell(void *ctx, const struct code_line *lines, uint32_t n)
{
	struct told *t = ctx;
	uint32_t i;

	assert_in_range(n, 0, CODE_LINES_MAX);
	for (i = 0; i < n; i++) {
		t->bytes += lines[i].function ? strlen(lines[i].function) : 0;
		t->bytes += lines[i].file ? strlen(lines[i].file) : 0;
		t->last = lines[i];
	}
	t->n++;
	t->lines += n;
	return 0;
}

static void what_is_written_is_read(void **state)
{
	struct told t = { 0 };
	size_t len = make_message();

	(void)state;
	assert_int_equal(lines_reply_parse(message, len, 5, tell, &t), 3);
	assert_int_equal(t.n, 3);
	assert_int_equal(t.lines, 3);
	assert_int_equal(t.bytes, 2 * strlen("inner") + 3 * strlen(file));
	assert_string_equal(t.last.function, "inner");
	assert_string_equal(t.last.file, file);
	assert_int_equal(t.last.line, 7);
}

static void errors_are_told(void **state)
{
	struct told t = { 0 };

	(void)state;
	lines_writer_begin(&writer);
	assert_true(lines_writer_add(&writer, two, 2));
	assert_int_equal(lines_reply_parse(message, pass(-EFBIG), 5, tell, &t), -EFBIG);
	lines_writer_begin(&writer);
	assert_int_equal(lines_reply_parse(message, pass(-EPERM), 5, tell, &t), -EPROTO);
	lines_writer_begin(&writer); /* as to LINES_OPEN */
	assert_int_equal(lines_reply_parse(message, pass(0), 0, tell, &t), 0);
	assert_int_equal(lines_reply_parse(message, pass(0), 5, tell, &t), -EPROTO);
	assert_int_equal(t.n, 0);
}

static void more_answers_than_questions_are_refused(void **state)
{
	struct told t = { 0 };

	(void)state;
	assert_int_equal(lines_reply_parse(message, make_message(), 2, tell, &t), -EPROTO);
	assert_int_equal(lines_reply_parse(message, make_message(), 0, tell, &t), -EPROTO);
	assert_int_equal(t.n, 0);
}

static void a_reply_that_is_cut_short_is_refused(void **state)
{
	size_t len = make_message(), n;

	(void)state;
	for (n = 0; n < len; n++) {
		_cleanup_(freep) char *copy = malloc(n ? n : 1);
		struct told t = { 0 };
		int told = lines_reply_parse(memcpy(copy, message, n), n, 3, tell, &t);

		/* Without the last string, if that is whole, it is another sound reply. */
		assert_true(told == -EPROTO || told == 3);
		assert_int_equal(t.n, told == 3 ? 3 : 0);
	}
}

/* Each byte in turn has each value; the sanitizers see to what is read. */
static void any_byte_may_be_another_one(void **state)
{
	size_t len = make_message(), i, refused = 0;
	unsigned int value;

	(void)state;
	for (i = 0; i < len; i++) {
		for (value = 0; value < 256; value++) {
			_cleanup_(freep) char *copy = malloc(len);
			struct told t = { 0 };
			int n;

			memcpy(copy, message, len);
			copy[i] = (char)value;
			n = lines_reply_parse(copy, len, 3, tell, &t);
			assert_in_range(n + 200, 0, 203);
			assert_int_equal(t.n, n > 0 ? n : 0);
			refused += n == -EPROTO;
		}
	}
	assert_true(refused > 1000);
}

static void a_full_reply_still_has_room_for_the_longest_answer(void **state)
{
	static char names[CODE_LINES_MAX][2 * LINES_STRING_MAX];
	struct code_line longest[CODE_LINES_MAX];
	struct told t = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < CODE_LINES_MAX; i++) {
		memset(names[i], 'x', sizeof(names[i]) - 1);
		longest[i] = (struct code_line){ names[i], names[i] + 1, 1 };
	}
	lines_writer_begin(&writer);
	assert_true(lines_writer_add(&writer, longest, CODE_LINES_MAX));
	lines_writer_begin(&writer);
	for (i = 0; i < LINES_BATCH; i++)
		assert_true(lines_writer_add(&writer, two, 2));
	assert_false(lines_writer_add(&writer, two, 2));
	assert_int_equal(lines_reply_parse(message, pass(0), LINES_BATCH, tell, &t), LINES_BATCH);
	assert_int_equal(t.lines, 2 * LINES_BATCH);
	lines_writer_begin(&writer);
	assert_true(lines_writer_add(&writer, two, 2));
	assert_false(lines_writer_add(&writer, longest, CODE_LINES_MAX));
	t = (struct told){ 0 };
	assert_int_equal(lines_reply_parse(message, pass(0), 2, tell, &t), 1);
	assert_int_equal(t.lines, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(errors_are_told),
		cmocka_unit_test(more_answers_than_questions_are_refused),
		cmocka_unit_test(a_reply_that_is_cut_short_is_refused),
		cmocka_unit_test(any_byte_may_be_another_one),
		cmocka_unit_test(a_full_reply_still_has_room_for_the_longest_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/unit/test_sym_folder.h"
#include "user/base/array.h"
#include "user/base/clock.h"
#include "user/sym/debuginfod.h"
#include "user/sym/elf_symbols.h"

static const char program[] = "static int hidden(int x) { return x * 3; }\n"
			      "int (*volatile f)(int) = hidden;\n"
			      "int main(int c, char **v) { (void)v; return f(c); }\n";

/*
 * A server on a free port, which it writes into a file: /buildid/ID/debuginfo is a file of that
 * path; of the build ID "00..00" it promises a body that never comes.
 */
static const char server[] = "import http.server, os, time\n"
			     "class Handler(http.server.SimpleHTTPRequestHandler):\n"
			     "    def do_GET(self):\n"
			     "        if '/0000' in self.path:\n"
			     "            self.send_response(200)\n"
			     "            self.send_header('Content-Length', '100000')\n"
			     "            self.end_headers()\n"
			     "            time.sleep(60)\n"
			     "        else:\n"
			     "            super().do_GET()\n"
			     "    def log_message(self, *args): pass\n"
			     "s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)\n"
			     "open('port.new', 'w').write(str(s.server_port))\n"
			     "os.rename('port.new', 'port')\n"
			     "s.serve_forever()\n";

static pid_t server_pid;
static bool is_possible;

static int start_server(void)
{
	char url[64];
	unsigned int port = 0;
	FILE *f = NULL;
	int i;

	server_pid = fork();
	if (!server_pid) {
		if (chdir(folder))
			_exit(1);
		execlp("python3", "python3", "server.py", NULL);
		_exit(127);
	}
	for (i = 0; i < 1000 && !f; i++) {
		usleep(10000);
		f = fopen(in_folder("port"), "re");
	}
	if (!f)
		return -1;
	i = fscanf(f, "%u", &port);
	fclose(f);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u", port);
	return i == 1 ? setenv("DEBUGINFOD_URLS", url, 1) : -1;
}

static int set_up(void **state)
{
	if (make_folder(state))
		return -1;
	write_text("program.c", program);
	write_text("server.py", server);
	setenv("DEBUGINFOD_CACHE_PATH", in_folder("cache"), 1);
	is_possible = dlopen("libdebuginfod.so.1", RTLD_NOW) && !run("python3 --version >version");
	if (!is_possible)
		return 0;
	if (run("gcc -O2 -g -Wl,--build-id program.c -o program && "
		"objcopy --only-keep-debug program program.debug && "
		"strip -o stripped program && "
		"id=$(readelf -n program | sed -n 's/.*Build ID: //p') && "
		"mkdir -p buildid/$id && cp program.debug buildid/$id/debuginfo"))
		return -1;
	return start_server();
}

static int tear_down(void **state)
{
	if (server_pid > 0) {
		kill(server_pid, SIGKILL);
		waitpid(server_pid, NULL, 0);
	}
	return remove_folder(state);
}

static void without_servers_there_is_none(void **state)
{
	_cleanup_(freep) char *urls =
		getenv("DEBUGINFOD_URLS") ? strdup(getenv("DEBUGINFOD_URLS")) : NULL;
	struct debuginfod *d = (void *)1;

	(void)state;
	unsetenv("DEBUGINFOD_URLS");
	assert_int_equal(debuginfod_new(1, &d), 0);
	assert_null(d);
	setenv("DEBUGINFOD_URLS", "  ", 1);
	assert_int_equal(debuginfod_new(1, &d), 0);
	assert_null(d);
	assert_int_equal(debuginfod_counts(NULL).found, 0);
	if (urls)
		setenv("DEBUGINFOD_URLS", urls, 1);
}

static void names_of_a_stripped_program_come_from_the_server(void **state)
{
	_cleanup_(debuginfod_freep) struct debuginfod *d = NULL;
	_cleanup_(elf_image_freep) struct elf_image *image = NULL;
	_cleanup_(elf_symbols_freep) struct elf_symbols *symbols = NULL;
	_cleanup_(closep) int fd = -1;
	struct debug_search search = { .directory = "/nowhere" };
	struct elf_function f;
	bool found = false;
	size_t i;

	(void)state;
	if (!is_possible)
		skip();
	assert_int_equal(debuginfod_new(DEBUGINFOD_BUDGET_NS, &d), 0);
	search.debuginfod = d;
	fd = open(in_folder("stripped"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(elf_image_open(fd, "stripped", &image), 0);
	assert_int_equal(elf_symbols_load(image, &search, &symbols), 0);
	for (i = 0; i < symbols->table.n; i++)
		found |= elf_symbols_find(symbols, symbols->table.starts[i], &f) &&
			 !strcmp(f.name, "hidden");
	assert_true(found);
	assert_int_equal(debuginfod_counts(d).found, 1);
	assert_int_equal(debuginfod_counts(d).missing + debuginfod_counts(d).failed, 0);
}

static void what_no_server_has_is_missing_and_no_failure(void **state)
{
	static const uint8_t id[20] = { 1, 2, 3 };
	_cleanup_(debuginfod_freep) struct debuginfod *d = NULL;
	_cleanup_(freep) char *path = NULL;

	(void)state;
	if (!is_possible)
		skip();
	assert_int_equal(debuginfod_new(DEBUGINFOD_BUDGET_NS, &d), 0);
	assert_int_equal(debuginfod_fetch(d, id, sizeof(id), &path), -ENOENT);
	assert_int_equal(debuginfod_counts(d).missing, 1);
	assert_int_equal(debuginfod_counts(d).failed, 0);
}

static void a_server_that_keeps_us_waiting_costs_the_budget_and_no_more(void **state)
{
	static const uint8_t id[20];
	_cleanup_(debuginfod_freep) struct debuginfod *d = NULL;
	_cleanup_(freep) char *path = NULL;
	uint64_t began = clock_ns(CLOCK_MONOTONIC);

	(void)state;
	if (!is_possible)
		skip();
	assert_int_equal(debuginfod_new(500000000, &d), 0);
	assert_true(debuginfod_fetch(d, id, sizeof(id), &path) < 0);
	assert_true(clock_ns(CLOCK_MONOTONIC) - began < 20000000000ull);
	assert_int_equal(debuginfod_fetch(d, id, sizeof(id), &path), -ETIMEDOUT);
	assert_int_equal(debuginfod_counts(d).failed, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_servers_there_is_none),
		cmocka_unit_test(names_of_a_stripped_program_come_from_the_server),
		cmocka_unit_test(what_no_server_has_is_missing_and_no_failure),
		cmocka_unit_test(a_server_that_keeps_us_waiting_costs_the_budget_and_no_more),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

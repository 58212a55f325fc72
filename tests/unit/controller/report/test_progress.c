// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "controller/report/progress.h"

static char *text;
static size_t len;

static FILE *log_new(void)
{
	FILE *log = open_memstream(&text, &len);

	assert_non_null(log);
	return log;
}

static void terminal_line_has_bar_rate_and_time_left(void **state)
{
	struct progress progress;
	struct progress_state at = {.total = 400, .done = 100, .running = 20, .failed = 3};
	char line[200];

	(void)state;
	progress_init(&progress, NULL, true, 1000);
	progress_format(&progress, &at, 11000, line, sizeof(line));
	assert_string_equal(line, "[#######.......................] 100/400 hosts 25%, 20 running, "
				  "10.0/s, 30 s left, 3 not looked at");
	at.done = 400;
	progress_format(&progress, &at, 11000, line, sizeof(line));
	assert_non_null(strstr(line, "[##############################] 400/400 hosts 100%"));
	at = (struct progress_state){0};
	progress_format(&progress, &at, 1000, line, sizeof(line));
	assert_non_null(strstr(line, "0/0 hosts 100%"));
}

static void line_of_one_host_says_where_it_is(void **state)
{
	struct progress progress;
	struct progress_state at = {
		.total = 1, .running = 1, .at = "reading", .due = 300, .read = 120};
	char line[200];

	(void)state;
	progress_init(&progress, NULL, true, 1000);
	progress_format(&progress, &at, 24000, line, sizeof(line));
	assert_string_equal(line, "[############..................] 0/1 host 0%, reading, "
				  "120 of 300 sections, 23 s");
	at.at = "looking at all files";
	at.due = at.read = 0;
	progress_format(&progress, &at, 3000, line, sizeof(line));
	assert_string_equal(line, "[..............................] 0/1 host 0%, "
				  "looking at all files, 2 s");
}

static void elsewhere_there_is_a_line_a_minute(void **state)
{
	const struct progress_state at = {.total = 10, .done = 1, .running = 1};
	FILE *log = log_new();
	struct progress progress;

	(void)state;
	progress_init(&progress, log, false, 0);
	for (uint64_t now = 0; now <= 180000; now += 1000) {
		progress_update(&progress, &at, now, false);
	}
	progress_update(&progress, &at, 180001, true);
	progress_clear(&progress);
	(void)fclose(log);
	assert_string_equal(text, "muster: 1/10 hosts 10%, 1 running, 0.0/s, 9 min 0 s left\n"
				  "muster: 1/10 hosts 10%, 1 running, 0.0/s, 18 min 0 s left\n"
				  "muster: 1/10 hosts 10%, 1 running, 0.0/s, 27 min 0 s left\n"
				  "muster: 1/10 hosts 10%, 1 running, 0.0/s, 27 min 0 s left\n");
	free(text);
}

static void line_is_wiped_before_anything_else_is_said(void **state)
{
	const struct progress_state at = {.total = 10};
	FILE *log = log_new();
	struct progress progress;

	(void)state;
	progress_init(&progress, log, true, 0);
	progress_update(&progress, &at, 50, false);
	assert_int_equal(fflush(log), 0);
	assert_int_equal(len, 0);
	progress_update(&progress, &at, 150, false);
	progress_clear(&progress);
	progress_clear(&progress);
	(void)fclose(log);
	assert_string_equal(text,
			    "\r[..............................] 0/10 hosts 0%, 0 running\033[K"
			    "\r\033[K");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terminal_line_has_bar_rate_and_time_left),
		cmocka_unit_test(line_of_one_host_says_where_it_is),
		cmocka_unit_test(elsewhere_there_is_a_line_a_minute),
		cmocka_unit_test(line_is_wiped_before_anything_else_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

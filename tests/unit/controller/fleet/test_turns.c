// SPDX-License-Identifier: MIT
#include "controller/fleet/turns.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HOSTS 12

/* Where `limited`, even hosts fall under limit 0, and where `two`, those from 8 on under limit 1 as well. */
struct bench {
	bool limited;
	bool two;
	bool done[HOSTS];
};

static void describe(const void *context, size_t index, struct turns_host *host)
{
	static const size_t both[] = {0, 1};
	const struct bench *bench = context;

	*host = (struct turns_host){.done = bench->done[index]};
	if (bench->limited && index % 2 == 0) {
		host->limits = both;
		host->limit_count = bench->two && index >= 8 ? 2 : 1;
	}
}

static struct turns *make(const struct bench *bench, const struct turns_config *config)
{
	struct turns_config all = *config;
	struct turns *turns = NULL;
	struct error err;

	all.host_count = HOSTS;
	all.parked = HOSTS;
	all.host = describe;
	all.context = bench;
	assert_int_equal(turns_new(&all, &turns, &err), 0);
	return turns;
}

static void no_more_run_at_once_than_may(void **state)
{
	const struct bench bench = {.two = false};
	struct turns *turns = make(&bench, &(struct turns_config){.parallel = 3, .read_all = 3});
	struct turn turn;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_true(turns_next(turns, 0, &turn));
		assert_int_equal(turn.index, i);
	}
	assert_false(turns_next(turns, 0, &turn));
	turns_over(turns, 1);
	assert_true(turns_next(turns, 0, &turn));
	assert_int_equal(turn.index, 3);
	turns_free(turns);
}

static void every_host_has_one_turn_under_every_limit(void **state)
{
	static const struct turns_limit limits[] = {{2}, {1}};
	const struct bench bench = {.limited = true, .two = true, .done = {[5] = true}};
	struct turns *turns = make(
		&bench, &(struct turns_config){
				.parallel = 5, .read_all = 5, .limits = limits, .limit_count = 2});
	bool running[HOSTS] = {false}, over[HOSTS] = {false};
	unsigned rounds = 0;

	(void)state;
	while (!turns_are_over(turns)) {
		size_t even = 0, high = 0;
		struct turn turn;

		assert_true(rounds++ < 100);
		while (turns_next(turns, 0, &turn)) {
			assert_false(running[turn.index] || over[turn.index] || turn.index == 5);
			running[turn.index] = true;
		}
		for (size_t i = 0; i < HOSTS; i++) {
			even += running[i] && i % 2 == 0;
			high += running[i] && i % 2 == 0 && i >= 8;
		}
		assert_true(even <= 2 && high <= 1);
		for (size_t i = 0; i < HOSTS; i++) {
			if (running[i]) {
				turns_over(turns, i);
				running[i] = false;
				over[i] = true;
				break;
			}
		}
	}
	for (size_t i = 0; i < HOSTS; i++) {
		assert_true(over[i] == (i != 5));
		assert_true(turns_is_over(turns, i));
	}
	turns_free(turns);
}

static void a_group_at_its_limit_does_not_hold_up_the_others(void **state)
{
	static const struct turns_limit limits[] = {{1}};
	const struct bench bench = {.limited = true};
	struct turns *turns = make(&bench, &(struct turns_config){.parallel = HOSTS,
								  .read_all = HOSTS,
								  .limits = limits,
								  .limit_count = 1});
	size_t started = 0;
	struct turn turn;

	(void)state;
	while (turns_next(turns, 0, &turn)) {
		started++;
	}
	assert_int_equal(started, 1 + HOSTS / 2);
	turns_free(turns);
}

static void those_that_read_everything_go_a_few_at_a_time(void **state)
{
	const struct bench bench = {.two = false};
	struct turns *turns = make(&bench, &(struct turns_config){.parallel = 4, .read_all = 1});
	struct turn turn;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_true(turns_next(turns, 0, &turn));
		assert_int_equal(turns_may_read_all(turns, turn.index), i == 0);
	}
	/* The parked ones gave their places back: those that read little go on. */
	assert_int_equal(turns_running(turns), 1);
	assert_true(turns_next(turns, 0, &turn));
	assert_int_equal(turn.index, 4);
	assert_false(turn.parked);
	turns_over(turns, 0);
	assert_true(turns_next(turns, 0, &turn));
	assert_int_equal(turn.index, 1);
	assert_true(turn.parked);
	turns_free(turns);
}

static void those_that_read_everything_wait_while_held(void **state)
{
	const struct bench bench = {.two = false};
	struct turns *turns = make(&bench, &(struct turns_config){.parallel = 4, .read_all = 4});
	struct turn turn;

	(void)state;
	turns_hold(turns, true);
	assert_true(turns_next(turns, 0, &turn));
	assert_false(turns_may_read_all(turns, 0));
	assert_true(turns_next(turns, 0, &turn));
	assert_int_equal(turn.index, 1);
	assert_false(turn.parked);
	turns_hold(turns, false);
	assert_true(turns_may_read_all(turns, 1));
	assert_true(turns_next(turns, 0, &turn));
	assert_int_equal(turn.index, 0);
	assert_true(turn.parked);
	turns_free(turns);
}

static void too_many_parked_hosts_stop_the_rest(void **state)
{
	const struct bench bench = {.two = false};
	struct turns_config config = {.host_count = HOSTS,
				      .parallel = 4,
				      .read_all = 1,
				      .parked = 2,
				      .host = describe,
				      .context = &bench};
	struct turns *turns = NULL;
	struct error err;
	struct turn turn;

	(void)state;
	assert_int_equal(turns_new(&config, &turns, &err), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_true(turns_next(turns, 0, &turn));
		assert_int_equal(turns_may_read_all(turns, turn.index), i == 0);
	}
	assert_false(turns_next(turns, 0, &turn));
	turns_over(turns, 0);
	assert_true(turns_next(turns, 0, &turn));
	assert_true(turn.parked);
	turns_free(turns);
}

static void an_unreachable_host_has_its_turn_again_when_it_is_due(void **state)
{
	const struct bench bench = {.two = false};
	struct turns *turns = make(&bench, &(struct turns_config){.parallel = 1, .read_all = 1});
	struct turn turn;

	(void)state;
	assert_true(turns_next(turns, 0, &turn));
	turns_retry(turns, turn.index, 100);
	for (size_t i = 1; i < HOSTS; i++) {
		assert_true(turns_next(turns, 99, &turn));
		assert_int_equal(turn.index, i);
		turns_over(turns, i);
	}
	assert_false(turns_next(turns, 99, &turn));
	assert_false(turns_are_over(turns));
	assert_true(turns_next(turns, 100, &turn));
	assert_int_equal(turn.index, 0);
	assert_int_equal(turn.attempt, 1);
	turns_over(turns, 0);
	assert_true(turns_are_over(turns));
	turns_free(turns);
}

static void nobody_begins_after_the_end(void **state)
{
	const struct bench bench = {.two = false};
	struct turns *turns = make(&bench, &(struct turns_config){.parallel = 2, .read_all = 1});
	struct turn turn;

	(void)state;
	assert_true(turns_next(turns, 0, &turn));
	turns_close(turns);
	assert_false(turns_next(turns, 0, &turn));
	assert_false(turns_are_over(turns));
	turns_over(turns, 0);
	assert_true(turns_are_over(turns));
	assert_false(turns_is_over(turns, 1));
	turns_free(turns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_more_run_at_once_than_may),
		cmocka_unit_test(every_host_has_one_turn_under_every_limit),
		cmocka_unit_test(a_group_at_its_limit_does_not_hold_up_the_others),
		cmocka_unit_test(those_that_read_everything_go_a_few_at_a_time),
		cmocka_unit_test(those_that_read_everything_wait_while_held),
		cmocka_unit_test(too_many_parked_hosts_stop_the_rest),
		cmocka_unit_test(an_unreachable_host_has_its_turn_again_when_it_is_due),
		cmocka_unit_test(nobody_begins_after_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
/* Who may tell more, and who waits: nothing is held beyond the budget but one host's, and all end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/fleet/budget.h"

#define MOST 100U
#define HOSTS 40

static void claims_fit_until_it_is_used_up(void **state)
{
	struct budget_claim claim[5] = {{.bytes = 0}};
	struct budget budget;

	(void)state;
	budget_init(&budget, MOST);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(budget_has_room(&budget, 25), i < 4);
		assert_int_equal(budget_ask(&budget, &claim[i], 25), i < 4);
	}
	assert_int_equal(budget.used, MOST);
	assert_null(budget_next(&budget));
	budget_drop(&budget, &claim[2]);
	assert_ptr_equal(budget_next(&budget), &claim[4]);
	assert_null(budget_next(&budget));
	assert_int_equal(budget.used, MOST);
}

static void those_that_wait_have_their_turn_in_order(void **state)
{
	struct budget_claim held[4] = {{.bytes = 0}}, claim[2] = {{.bytes = 0}};
	struct budget_claim late = {.bytes = 0};
	struct budget budget;

	(void)state;
	budget_init(&budget, 40);
	for (size_t i = 0; i < 4; i++) {
		assert_true(budget_ask(&budget, &held[i], i == 3 ? 9 : 10));
	}
	assert_false(budget_ask(&budget, &claim[0], 10));
	assert_false(budget_ask(&budget, &claim[1], 10));
	/* There would be room for so little, but others were first. */
	assert_false(budget_ask(&budget, &late, 1));
	budget_drop(&budget, &held[0]);
	assert_ptr_equal(budget_next(&budget), &claim[0]);
	assert_null(budget_next(&budget));
	budget_drop(&budget, &held[1]);
	assert_ptr_equal(budget_next(&budget), &claim[1]);
	assert_ptr_equal(budget_next(&budget), &late);
}

static void one_that_grows_beyond_what_is_left_waits_for_the_others(void **state)
{
	struct budget_claim claim[4] = {{.bytes = 0}}, small = {.bytes = 0};
	struct budget budget;

	(void)state;
	budget_init(&budget, MOST);
	for (size_t i = 0; i < 4; i++) {
		assert_true(budget_ask(&budget, &claim[i], 22));
	}
	assert_true(budget_grow(&budget, &claim[0], 25));
	assert_true(budget_grow(&budget, &claim[1], 25));
	assert_true(budget_grow(&budget, &claim[2], 25));
	assert_true(budget_grow(&budget, &claim[3], 25));
	/* It never shrinks, so this is nothing new. */
	assert_true(budget_grow(&budget, &claim[3], 1));
	assert_int_equal(budget.used, MOST);
	assert_false(budget_grow(&budget, &small, 5));
	assert_false(budget_grow(&budget, &small, 6));
	assert_int_equal(small.state, BUDGET_GROWING);
	assert_null(budget_next(&budget));
	budget_drop(&budget, &claim[1]);
	assert_ptr_equal(budget_next(&budget), &small);
	assert_int_equal(small.state, BUDGET_HELD);
}

static void of_large_ones_one_goes_on_and_small_ones_beside_it(void **state)
{
	struct budget_claim large[2] = {{.bytes = 0}}, small = {.bytes = 0};
	struct budget budget;

	(void)state;
	budget_init(&budget, MOST);
	assert_true(budget_ask(&budget, &large[0], 10));
	assert_true(budget_ask(&budget, &large[1], 10));
	assert_true(budget_grow(&budget, &large[0], 5000));
	assert_int_equal(budget.used, 35);
	assert_false(budget_grow(&budget, &large[1], 30));
	assert_null(budget_next(&budget));
	assert_true(budget_ask(&budget, &small, 25));
	assert_true(budget_grow(&budget, &large[0], 6000));
	budget_drop(&budget, &large[0]);
	assert_ptr_equal(budget_next(&budget), &large[1]);
	budget_drop(&budget, &large[1]);
	budget_drop(&budget, &small);
	assert_int_equal(budget.used, 0);
	assert_int_equal(budget.moving, 0);
}

static void one_goes_on_even_where_nothing_fits(void **state)
{
	struct budget_claim claim[2] = {{.bytes = 0}};
	struct budget budget;

	(void)state;
	budget_init(&budget, 0);
	assert_true(budget_ask(&budget, &claim[0], 10));
	assert_true(budget_grow(&budget, &claim[0], 20));
	assert_true(budget_ask(&budget, &claim[1], 0)); /* it is nothing */
	assert_false(budget_grow(&budget, &claim[1], 20));
	assert_true(budget_grow(&budget, &claim[0], 30));
	assert_null(budget_next(&budget));
	budget_drop(&budget, &claim[0]);
	assert_ptr_equal(budget_next(&budget), &claim[1]);
}

static void whoever_waits_may_be_dropped(void **state)
{
	struct budget_claim held = {.bytes = 0}, waiting[3] = {{.bytes = 0}};
	struct budget budget;

	(void)state;
	budget_init(&budget, 4);
	assert_true(budget_ask(&budget, &held, 4));
	for (size_t i = 0; i < 3; i++) {
		(void)budget_ask(&budget, &waiting[i], 4);
	}
	(void)budget_grow(&budget, &held, 8);
	budget_drop(&budget, &waiting[1]);
	budget_drop(&budget, &waiting[2]);
	budget_drop(&budget, &waiting[0]);
	budget_drop(&budget, &held);
	budget_drop(&budget, &held);
	assert_int_equal(budget.used, 0);
	assert_int_equal(budget.moving, 0);
	assert_null(budget_next(&budget));
}

/* Numbers that are the same each time. */
static unsigned draw(unsigned *seed)
{
	*seed = *seed * 1103515245U + 12345U;
	return *seed >> 16 & 0x7fff;
}

struct host {
	struct budget_claim claim;
	size_t now, end; /* bytes told, and in all */
	bool goes_on;
	bool over;
};

/* Hosts that tell 1 to 60 bytes each, a few at a time, in any order: all of them come to their end. */
static void all_end_whatever_the_order(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 300; seed++) {
		struct host host[HOSTS] = {{.now = 0}};
		unsigned dice = seed, steps = 0;
		struct budget budget;
		size_t left = HOSTS;

		budget_init(&budget, MOST);
		for (size_t i = 0; i < HOSTS; i++) {
			host[i].end = 1 + draw(&dice) % 60;
			host[i].goes_on = budget_ask(&budget, &host[i].claim, 10);
		}
		while (left > 0) {
			struct host *h = &host[draw(&dice) % HOSTS];
			struct budget_claim *claim;
			size_t real = 0;

			assert_true(steps++ < 1000000);
			if (!h->over && h->goes_on) {
				h->now += 1 + draw(&dice) % 5;
				h->goes_on = budget_grow(&budget, &h->claim, h->now);
				if (h->now >= h->end) {
					h->over = true;
					left--;
					budget_drop(&budget, &h->claim);
				}
			}
			while ((claim = budget_next(&budget))) {
				((struct host *)(void *)claim)->goes_on = true;
			}
			for (size_t i = 0; i < HOSTS; i++) {
				real += host[i].over ? 0 : host[i].now;
			}
			/* One large one, and of each other the step in which it went beyond. */
			assert_true(real <= MOST + 64 + 5 * HOSTS / 2);
		}
		assert_int_equal(budget.used, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claims_fit_until_it_is_used_up),
		cmocka_unit_test(those_that_wait_have_their_turn_in_order),
		cmocka_unit_test(one_that_grows_beyond_what_is_left_waits_for_the_others),
		cmocka_unit_test(of_large_ones_one_goes_on_and_small_ones_beside_it),
		cmocka_unit_test(one_goes_on_even_where_nothing_fits),
		cmocka_unit_test(whoever_waits_may_be_dropped),
		cmocka_unit_test(all_end_whatever_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

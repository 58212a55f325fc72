// SPDX-License-Identifier: MIT
#include "controller/fleet/plan.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define DAY_S 86400
#define NIGHT_S (20000LL * DAY_S)

static const uint8_t secret[PLAN_SECRET_SIZE] = {7};

static struct plan plan_of(const char *host, int64_t now_s, const struct plan_clock *complete)
{
	char *roots[] = {(char *)(uintptr_t) "/etc", (char *)(uintptr_t) "/usr"};
	struct policy policy = {.roots = {roots, 2}, .rehash_of = 30, .timeline_window_s = 3600};
	struct plan_options options = {.secret = secret, .now_s = now_s};
	struct plan plan;
	struct error err;

	assert_int_equal(plan_make(&policy, &options, host, complete, &plan, &err), 0);
	return plan;
}

static void every_session_has_its_own_nonce(void **state)
{
	struct plan a = plan_of("web1", NIGHT_S, NULL), b = plan_of("web1", NIGHT_S, NULL);

	(void)state;
	assert_memory_not_equal(a.nonce, b.nonce, NONCE_SIZE);
	assert_memory_not_equal(a.seed, b.seed, SEED_SIZE);
}

static void a_cycle_keeps_its_order_and_every_part_has_its_night(void **state)
{
	int64_t start_s = NIGHT_S - NIGHT_S % (30LL * DAY_S);
	struct plan first = plan_of("web1", start_s, NULL);
	uint32_t parts = 0;

	(void)state;
	for (int64_t night = 0; night < 30; night++) {
		struct plan plan = plan_of("web1", start_s + night * DAY_S, NULL);

		assert_int_equal(plan.slice_of, 30);
		assert_memory_equal(plan.slice_key, first.slice_key, SEED_SIZE);
		parts |= 1U << plan.slice_part;
	}
	assert_int_equal(parts, (1U << 30) - 1);
	assert_memory_not_equal(plan_of("web1", start_s + 30LL * DAY_S, NULL).slice_key,
				first.slice_key, SEED_SIZE);
	assert_memory_not_equal(plan_of("web2", start_s, NULL).slice_key, first.slice_key,
				SEED_SIZE);
}

static void the_timeline_goes_on_from_the_last_complete_look_in_the_hosts_clock(void **state)
{
	struct plan_clock behind = {.clock_ns = 42, .offset_ns = -42};

	(void)state;
	assert_int_equal(plan_of("web1", NIGHT_S, &behind).since_ns, 42);
	assert_int_equal(plan_of("web1", NIGHT_S, NULL).since_ns, (NIGHT_S - 3600) * 1000000000LL);
}

/* A host that once said tomorrow, or the end of time, would be asked for nothing until then. */
static void a_clock_ahead_puts_off_no_timeline(void **state)
{
	const int64_t ns = 1000000000, night_ns = (NIGHT_S - DAY_S) * ns;
	struct plan_clock little = {night_ns + 60 * ns, 60 * ns};
	struct plan_clock tomorrow = {night_ns + DAY_S * ns, DAY_S * ns};
	struct plan_clock never = {INT64_MAX, INT64_MAX - night_ns};
	struct plan_clock liar = {INT64_MAX, 0};

	(void)state;
	assert_int_equal(plan_of("web1", NIGHT_S, &little).since_ns, night_ns + 60 * ns);
	assert_int_equal(plan_of("web1", NIGHT_S, &tomorrow).since_ns, night_ns);
	assert_int_equal(plan_of("web1", NIGHT_S, &never).since_ns, night_ns);
	assert_true(plan_of("web1", NIGHT_S, &liar).since_ns <= (NIGHT_S + 300) * ns);
}

static void more_roots_than_a_plan_holds_are_the_operators_to_mend(void **state)
{
	char *many[PLAN_ITEMS_MAX + 1];
	struct policy policy = {.roots = {many, PLAN_ITEMS_MAX + 1}};
	struct plan_options options = {.now_s = NIGHT_S};
	struct plan plan;
	struct error err;

	(void)state;
	for (size_t i = 0; i <= PLAN_ITEMS_MAX; i++) {
		many[i] = (char *)(uintptr_t) "/x";
	}
	assert_int_equal(plan_make(&policy, &options, "web1", NULL, &plan, &err), -1);
	assert_int_equal(err.kind, ERROR_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_session_has_its_own_nonce),
		cmocka_unit_test(a_cycle_keeps_its_order_and_every_part_has_its_night),
		cmocka_unit_test(
			the_timeline_goes_on_from_the_last_complete_look_in_the_hosts_clock),
		cmocka_unit_test(a_clock_ahead_puts_off_no_timeline),
		cmocka_unit_test(more_roots_than_a_plan_holds_are_the_operators_to_mend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

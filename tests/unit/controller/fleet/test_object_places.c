// SPDX-License-Identifier: MIT
#include "controller/fleet/object_places.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct digest digest_of(uint8_t n)
{
	struct digest digest;

	memset(digest.bytes, n, DIGEST_SIZE);
	return digest;
}

static void an_object_in_flight_is_asked_of_one_host_only(void **state)
{
	struct object_places *places;
	struct digest a = digest_of(1);
	struct error err;

	(void)state;
	assert_int_equal(object_places_new(&places, &err), 0);
	assert_int_equal(object_places_ask(places, &a, 1, false), OBJECT_WANTED);
	assert_int_equal(object_places_ask(places, &a, 2, false), OBJECT_ELSEWHERE);
	assert_int_equal(object_places_ask(places, &a, 1, false), OBJECT_KEPT);
	object_places_free(places);
}

static void what_a_failed_host_owed_is_asked_of_the_next(void **state)
{
	struct object_places *places;
	struct digest a = digest_of(1);
	struct error err;

	(void)state;
	assert_int_equal(object_places_new(&places, &err), 0);
	assert_int_equal(object_places_ask(places, &a, 1, false), OBJECT_WANTED);
	object_places_release(places, 1);
	assert_int_equal(object_places_ask(places, &a, 2, false), OBJECT_WANTED);
	object_places_free(places);
}

static void nobody_waits_at_the_end(void **state)
{
	struct object_places *places;
	struct digest a = digest_of(1);
	struct error err;

	(void)state;
	assert_int_equal(object_places_new(&places, &err), 0);
	assert_int_equal(object_places_ask(places, &a, 1, false), OBJECT_WANTED);
	assert_int_equal(object_places_ask(places, &a, 2, true), OBJECT_WANTED);
	object_places_free(places);
}

static void what_is_stored_is_kept_for_everybody(void **state)
{
	struct object_places *places;
	struct digest a = digest_of(1);
	struct error err;

	(void)state;
	assert_int_equal(object_places_new(&places, &err), 0);
	assert_int_equal(object_places_ask(places, &a, 1, false), OBJECT_WANTED);
	assert_int_equal(object_places_keep(places, &a, &err), 0);
	assert_int_equal(object_places_keep(places, &a, &err), 0);
	object_places_release(places, 1);
	assert_int_equal(object_places_ask(places, &a, 2, false), OBJECT_KEPT);
	object_places_free(places);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_in_flight_is_asked_of_one_host_only),
		cmocka_unit_test(what_a_failed_host_owed_is_asked_of_the_next),
		cmocka_unit_test(nobody_waits_at_the_end),
		cmocka_unit_test(what_is_stored_is_kept_for_everybody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

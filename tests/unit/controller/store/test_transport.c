// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/controller/store/host_maker.h"

#define NIGHT 86400
#define T0 1760000000
#define NIGHTS 5

static struct host_maker maker;

/* Night by night; NULL: nobody reached it. */
static const char *const spoken[NIGHTS] = {"libssh2", "libssh2", "ssh (ProxyCommand)", NULL,
					   "libssh2"};

static void sweep(struct store *store, struct store_run run[NIGHTS])
{
	struct error err = {0};

	for (int night = 0; night < NIGHTS; night++) {
		run[night] = begin_run(store, T0 + night * NIGHT);
		host_maker_start(&maker, "web001", run[night].started_s);
		maker.host.transport = spoken[night];
		if (!spoken[night]) {
			maker.host.observation = NULL;
			maker.host.outcome = OUTCOME_NO_ROUTE;
		}
		if (host_maker_put(&maker, store, &run[night], &err)) {
			fail_msg("%s", err.msg);
		}
		end_run(store, &run[night], run[night].started_s + 60);
	}
}

static int note(void *context, const struct store_host_row *row)
{
	(void)snprintf(context, STORE_TRANSPORT_ROOM, "%s", row->transport);
	return 0;
}

static void assert_transport(struct store *store, int64_t run, const char *expected)
{
	char transport[STORE_TRANSPORT_ROOM] = "none";
	struct error err = {0};

	assert_int_equal(store_hosts(store, run, note, transport, &err), 0);
	assert_string_equal(transport, expected);
}

static void each_run_tells_who_spoke_with_its_hosts(void **state)
{
	struct store_run run[NIGHTS];
	struct store *store;
	struct place place;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	sweep(store, run);
	assert_transport(store, 0, "libssh2");
	assert_transport(store, run[0].id, "libssh2");
	assert_transport(store, run[1].id, "libssh2");
	assert_transport(store, run[2].id, "ssh (ProxyCommand)");
	/* Nobody reached it then: whoever did last. */
	assert_transport(store, run[3].id, "ssh (ProxyCommand)");
	assert_transport(store, run[4].id, "libssh2");
	store_close(store);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM v_hosts "
						"WHERE transport = 'libssh2'"),
			 1);
	assert_sound(place.path);
	place_remove(&place);
}

static void only_a_change_costs_a_row(void **state)
{
	struct store_run run[NIGHTS];
	struct store *store;
	struct place place;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	sweep(store, run);
	store_close(store);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM host_transport"), 3);
	place_remove(&place);
}

static void pruning_keeps_the_one_that_still_holds(void **state)
{
	struct store_run run[NIGHTS];
	struct store_pruned pruned;
	struct error err = {0};
	struct store *store;
	struct place place;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	sweep(store, run);
	assert_int_equal(store_prune(store, 2, &pruned, &err), 0);
	assert_int_equal(pruned.runs, 3);
	assert_transport(store, run[3].id, "ssh (ProxyCommand)");
	assert_transport(store, run[4].id, "libssh2");
	store_close(store);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM host_transport"), 2);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM host_transport "
						"WHERE transport NOT IN (SELECT id FROM text)"),
			 0);
	assert_sound(place.path);
	place_remove(&place);
}

static void file_of_the_layout_before_gets_the_table(void **state)
{
	struct store_run run[NIGHTS];
	struct store *store;
	struct place place;

	(void)state;
	place_make(&place);
	store_close(open_store(place.path, STORE_WRITE));
	(void)ask_number(place.path, "DROP VIEW v_hosts");
	(void)ask_number(place.path, "DROP TABLE host_transport");
	(void)ask_number(place.path, "PRAGMA user_version = 5");
	store = open_store(place.path, STORE_WRITE);
	sweep(store, run);
	assert_transport(store, run[2].id, "ssh (ProxyCommand)");
	store_close(store);
	assert_sound(place.path);
	place_remove(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_run_tells_who_spoke_with_its_hosts),
		cmocka_unit_test(only_a_change_costs_a_row),
		cmocka_unit_test(pruning_keeps_the_one_that_still_holds),
		cmocka_unit_test(file_of_the_layout_before_gets_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

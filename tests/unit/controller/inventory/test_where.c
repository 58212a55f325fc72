// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "controller/inventory/inventory.h"
#include "controller/inventory/where.h"

static void user_name_and_port_are_told_apart(void **state)
{
	static const struct {
		const char *text, *user, *name;
		uint16_t port;
	} rows[] = {
		{"web1", "", "web1", 0},
		{"web1:22", "", "web1", 22},
		{"root@web1", "root", "web1", 0},
		{"root@web1:2222", "root", "web1", 2222},
		{"jo@corp@web1:65535", "jo@corp", "web1", 65535},
		{"root@web[1-3]:1", "root", "web[1-3]", 1},
		{"[0-10/2]", "", "[0-10/2]", 0},
		{"[0-10/2]:22", "", "[0-10/2]", 22},
		{"fe80::1", "", "fe80::1", 0},
		{"2001:db8::[1-9]", "", "2001:db8::[1-9]", 0},
		{"[2001:db8::1]", "", "2001:db8::1", 0},
		{"[2001:db8::1]:22", "", "2001:db8::1", 22},
		{"root@[::1]:2222", "root", "::1", 2222},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = {0};
		struct where where;

		if (where_cut(bytes_from_string(rows[i].text), &where, &err) < 0) {
			fail_msg("%s: %s", rows[i].text, err.msg);
		}
		assert_string_equal(where.user, rows[i].user);
		assert_int_equal(where.port, rows[i].port);
		assert_true(bytes_equal_string(where.name, rows[i].name));
	}
}

static void what_is_neither_is_refused(void **state)
{
	static const char *const rows[] = {
		"a:",   "a:0",   "a:65536", "a:99999999999", "a:2x",   "a:-1",     "@",
		"-x@a", "a b@c", "[::1]:",  "[::1]:x",       "$(x)@a", "a\n@c:22", "root@a:b"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = {0};
		struct where where;

		if (where_cut(bytes_from_string(rows[i]), &where, &err) == 0) {
			fail_msg("%s is taken", rows[i]);
		}
		assert_int_equal(err.kind, ERROR_CONFIG);
	}
}

static struct nodeset *select_typed(struct inventory *inventory, const char *text,
				    struct error *err)
{
	struct nodeset *hosts = NULL;

	return inventory_select_named(inventory, text, &hosts, err) < 0 ? NULL : hosts;
}

static void what_is_typed_wins_over_the_inventory(void **state)
{
	struct inventory *inventory = NULL;
	const struct inventory_host *host;
	struct nodeset *hosts;
	struct error err = {0};

	(void)state;
	assert_int_equal(inventory_new(&inventory, &err), 0);
	assert_int_equal(
		inventory_read_text(inventory, "i.yaml",
				    BYTES_LITERAL("hosts: {web1: {user: inspect, port: 22}}\n"
						  "groups: {db: \"root@db[1-2]:2022\"}\n"),
				    &err),
		0);
	hosts = select_typed(inventory, "root@web[1-2]:2222,@db!db1,[::1]:24", &err);
	assert_non_null(hosts);
	assert_int_equal(nodeset_count(hosts), 4);
	assert_true(nodeset_has(hosts, "::1"));
	nodeset_free(hosts);
	host = inventory_find(inventory, "web1");
	assert_string_equal(host->vars.user, "root");
	assert_int_equal(host->vars.port, 2222);
	assert_true(host->user_is_named && host->port_is_named);
	host = inventory_find(inventory, "db2");
	assert_string_equal(host->vars.user, "root");
	assert_int_equal(host->vars.port, 2022);
	assert_false(host->user_is_named || host->port_is_named);
	assert_int_equal(inventory_find(inventory, "::1")->vars.port, 24);

	/* One name for two machines would mix their histories. */
	assert_null(select_typed(inventory, "127.0.0.1:22,127.0.0.1:23", &err));
	assert_non_null(strstr(err.msg, "127.0.0.1 is named with two users or ports"));
	assert_null(select_typed(inventory, "root@@db", &err));
	assert_null(select_typed(inventory, "root@", &err));
	inventory_free(inventory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(user_name_and_port_are_told_apart),
		cmocka_unit_test(what_is_neither_is_refused),
		cmocka_unit_test(what_is_typed_wins_over_the_inventory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

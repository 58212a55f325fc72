// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "controller/inventory/fold.h"
#include "controller/inventory/inventory.h"

static const char *const by_name = "web1:\n"
				   "  nodename: web1\n"
				   "  hostname: 192.0.2.1:2222\n"
				   "  username: inspect\n"
				   "  tags: 'web, prod'\n"
				   "  osFamily: unix\n"
				   "  attributes: {nested: [1, {a: b}]}\n"
				   "web2:\n"
				   "  nodename: web2\n"
				   "  hostname: '[2001:db8::1]:22'\n"
				   "  username: ${job.username}\n"
				   "  tags: [web, 'bad tag']\n"
				   "db1:\n"
				   "  nodename: db1\n"
				   "  hostname: db1\n"
				   "  username: root\n";

static const char *const as_list =
	"[{\"nodename\":\"web1\",\"hostname\":\"192.0.2.1:2222\",\"username\":\"inspect\","
	"\"tags\":[\"web\",\"prod\"],\"note\":\"\\ud83d\\ude00\"},"
	"{\"nodename\":\"web2\",\"hostname\":\"[2001:db8::1]:22\",\"tags\":\"web,bad tag\"},"
	"{\"nodename\":\"db1\",\"username\":\"root\"}]";

static void both_models_are_read(void **state)
{
	static const char *const names[] = {"nodes.yaml", "nodes.json"};
	const char *const texts[] = {by_name, as_list};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct inventory *inventory = NULL;
		const struct inventory_host *host;
		struct nodeset *hosts = NULL;
		struct error err = {0};

		assert_int_equal(inventory_new(&inventory, &err), 0);
		if (inventory_read_text(inventory, names[i], bytes_from_string(texts[i]), &err) <
		    0) {
			fail_msg("%s", err.msg);
		}
		assert_int_equal(inventory_count(inventory), 3);
		host = inventory_find(inventory, "web1");
		assert_string_equal(host->vars.address, "192.0.2.1");
		assert_int_equal(host->vars.port, 2222);
		assert_string_equal(host->vars.user, "inspect");
		host = inventory_find(inventory, "web2");
		assert_string_equal(host->vars.address, "2001:db8::1");
		assert_int_equal(host->vars.port, 22);
		assert_null(host->vars.user); /* ${job.username} is not ours to know */
		host = inventory_find(inventory, "db1");
		assert_null(host->vars.address);
		assert_string_equal(host->vars.user, "root");
		assert_int_equal(inventory_select(inventory, "@web&@prod", &hosts, &err), 0);
		assert_int_equal(nodeset_count(hosts), 1);
		nodeset_free(hosts);
		assert_non_null(strstr(inventory_note(inventory, 0), "\"bad tag\" is no group"));
		inventory_free(inventory);
	}
}

static void faults_have_a_place(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{"w1: {nodename: 'a b', hostname: x}\n", "nodes.yaml:1:"},
		{"w1: {nodename: w1, hostname: 'x:99999'}\n", "hostname: a port is a number"},
		{"w1: {nodename: w1, hostname: 'a b'}\n", "hostname is no address"},
		{"w1: {nodename: w1, username: '-x'}\n", "username is no user name"},
		{"- {hostname: x}\n", "nodename is missing"},
		{"w1: {nodename: w1}\nw2: 3\n", "nodes.yaml:2:5: expected a mapping"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct inventory *inventory = NULL;
		struct error err = {0};

		assert_int_equal(inventory_new(&inventory, &err), 0);
		if (inventory_read_text(inventory, "nodes.yaml", bytes_from_string(rows[i].text),
					&err) == 0 ||
		    strncmp(err.msg, "nodes.yaml:", 11) != 0 || !strstr(err.msg, rows[i].message)) {
			fail_msg("%s: \"%s\", not \"%s\"", rows[i].text, err.msg, rows[i].message);
		}
		inventory_free(inventory);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_models_are_read),
		cmocka_unit_test(faults_have_a_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

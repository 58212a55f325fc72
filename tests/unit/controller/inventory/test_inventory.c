// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "controller/inventory/fold.h"
#include "controller/inventory/inventory.h"

static struct inventory *inventory_of(const char *name, const char *text)
{
	struct inventory *inventory = NULL;
	struct error err = {0};

	assert_int_equal(inventory_new(&inventory, &err), 0);
	if (inventory_read_text(inventory, name, bytes_from_string(text), &err) < 0) {
		fail_msg("%s", err.msg);
	}
	return inventory;
}

static void assert_selects(struct inventory *inventory, const char *notation, const char *folded)
{
	struct nodeset *hosts = NULL;
	struct error err = {0};
	char *text = NULL;

	if (inventory_select(inventory, notation, &hosts, &err) < 0) {
		fail_msg("%s", err.msg);
	}
	assert_int_equal(fold_nodeset(hosts, &text, &err), 0);
	assert_string_equal(text, folded);
	free(text);
	nodeset_free(hosts);
}

static void plain_list_is_read(void **state)
{
	struct inventory *inventory = inventory_of("hosts", "# all of ours\n"
							    "web[1-3]   # front\n"
							    "\r\n"
							    "\n"
							    "root@db1:2222\n"
							    "admin@db[2-3]\n"
							    "fe80::1\n"
							    "last:22");
	const struct inventory_host *host;

	(void)state;
	assert_int_equal(inventory_count(inventory), 8);
	assert_selects(inventory, "@all", "db[1-3],fe80::1,last,web[1-3]");
	host = inventory_find(inventory, "db1");
	assert_string_equal(host->vars.user, "root");
	assert_int_equal(host->vars.port, 2222);
	assert_null(host->vars.address);
	host = inventory_find(inventory, "db3");
	assert_string_equal(host->vars.user, "admin");
	assert_int_equal(host->vars.port, 0);
	assert_int_equal(inventory_find(inventory, "fe80::1")->vars.port, 0);
	assert_int_equal(inventory_find(inventory, "last")->vars.port, 22);
	assert_null(inventory_find(inventory, "web4"));
	inventory_free(inventory);
}

static const char *const sample = "---\n"
				  "vars: {user: inspect, become: sudo, port: 22}\n"
				  "groups:\n"
				  "  web:\n"
				  "    hosts: web[001-004]\n"
				  "    vars: {port: 2022, transport: libssh2}\n"
				  "  edge: [web001, lb1]\n"
				  "  special:\n"
				  "    vars: {port: 2122, user: other}\n"
				  "    hosts: [web002]\n"
				  "  prod: \"@web,@edge!web004\"\n"
				  "  empty:\n"
				  "hosts:\n"
				  "  web001: {address: 192.0.2.1, port: 9022}\n"
				  "  db[1-2]:\n"
				  "  old: {become: none, transport: ssh}\n";

static void yaml_inventory_is_read(void **state)
{
	struct inventory *inventory = inventory_of("i.yaml", sample);
	const struct inventory_host *host;
	const char *groups[8];

	(void)state;
	assert_selects(inventory, "@all", "db[1-2],lb1,old,web[001-004]");
	assert_selects(inventory, "@prod", "lb1,web[001-003]");
	assert_selects(inventory, "@empty", "");
	assert_selects(inventory, "@web&@edge,new9", "new9,web001");
	host = inventory_find(inventory, "web001");
	assert_string_equal(host->vars.address, "192.0.2.1");
	assert_int_equal(host->vars.port, 9022);
	assert_string_equal(host->vars.user, "inspect");
	assert_int_equal(host->vars.become, INVENTORY_BECOME_SUDO);
	host = inventory_find(inventory, "web002");
	assert_int_equal(host->vars.port, 2122);
	assert_string_equal(host->vars.user, "other");
	assert_int_equal(inventory_find(inventory, "web003")->vars.port, 2022);
	assert_int_equal(inventory_find(inventory, "db2")->vars.port, 22);
	assert_int_equal(inventory_find(inventory, "old")->vars.become, INVENTORY_BECOME_NONE);
	assert_int_equal(inventory_find(inventory, "old")->vars.transport, INVENTORY_TRANSPORT_SSH);
	assert_int_equal(inventory_find(inventory, "web003")->vars.transport,
			 INVENTORY_TRANSPORT_LIBSSH2);
	assert_int_equal(inventory_find(inventory, "lb1")->vars.transport,
			 INVENTORY_TRANSPORT_UNSET);
	assert_int_equal(inventory_groups_of(inventory, "web001", groups, 8), 3);
	assert_string_equal(groups[0], "web");
	assert_string_equal(groups[1], "edge");
	assert_string_equal(groups[2], "prod");
	assert_int_equal(inventory_groups_of(inventory, "web001", groups, 1), 3);
	assert_int_equal(inventory_groups_of(inventory, "nobody", groups, 8), 0);
	assert_int_equal(inventory_group_count(inventory), 5);
	assert_string_equal(inventory_group_name(inventory, 0), "web");
	assert_null(inventory_group_name(inventory, 5));
	inventory_free(inventory);
}

static void yaml_is_known_by_its_first_line(void **state)
{
	struct inventory *inventory = inventory_of("stdin", "# c\n\nhosts: [a1, a2]\n");

	(void)state;
	assert_selects(inventory, "@all", "a[1-2]");
	inventory_free(inventory);
}

static void groups_of_the_configuration_are_added(void **state)
{
	struct inventory *inventory = inventory_of("hosts", "a1\n");
	struct error err = {0};

	(void)state;
	assert_int_equal(inventory_add_group(inventory, "one", "a[1-2]", &err), 0);
	assert_int_equal(inventory_add_group(inventory, "two", "@one,b", &err), 0);
	assert_int_equal(inventory_add_group(inventory, "one", "c", &err), 0);
	assert_selects(inventory, "@one", "a[1-2],c");
	assert_selects(inventory, "@two", "a[1-2],b");
	assert_selects(inventory, "@all", "a[1-2],b,c");
	assert_int_equal(inventory_add_group(inventory, "all", "c", &err), -1);
	assert_int_equal(inventory_add_group(inventory, "x y", "c", &err), -1);
	inventory_free(inventory);
}

static void fault_names_file_and_line(void **state)
{
	static const struct {
		const char *name;
		const char *text;
		const char *message;
	} rows[] = {
		{"hosts", "a\nweb[1-\n", "hosts:2: \"web[1-\": expected a number after -"},
		{"hosts", "a b\n", "hosts:1: \"a b\" is no host name (letters, digits, . _ : -)"},
		{"hosts", "-oX\n", "hosts:1: \"-oX\" is no host name (letters, digits, . _ : -)"},
		{"hosts", "a:0\n", "hosts:1: a port is a number from 1 to 65535"},
		{"hosts", "a:65536\n", "hosts:1: a port is a number from 1 to 65535"},
		{"hosts", "a:x\n", "hosts:1: a port is a number from 1 to 65535"},
		{"hosts", "-x@a\n", "hosts:1: \"-x\" is no user name"},
		{"hosts", "a;b@c\n", "hosts:1: \"a;b\" is no user name"},
		{"hosts", "@web\n",
		 "hosts:1: a plain list defines hosts, not groups: use a YAML inventory"},
		{"i.yaml", "host: a\n",
		 "i.yaml:1:1: unknown key \"host\": did you mean \"hosts\"?"},
		{"i.yaml", "vars: {prot: 1}\n",
		 "i.yaml:1:8: unknown key \"prot\": did you mean \"port\"?"},
		{"i.yaml", "vars: {become: sud}\n",
		 "i.yaml:1:16: unknown value \"sud\": did you mean \"sudo\"?"},
		{"i.yaml", "vars: {address: -x}\n", "i.yaml:1:17: \"-x\" is no address"},
		{"i.yaml", "vars: {user: \"a b\"}\n", "i.yaml:1:14: \"a b\" is no user name"},
		{"i.yaml", "groups: {web: a1}\nhosts: \"@wbe\"\n",
		 "i.yaml:2:8: unknown group @wbe: did you mean @web?"},
		{"i.yaml", "groups: {a: \"@b\", b: x}\n",
		 "i.yaml:1:13: unknown group @b: 0 groups are "
		 "known (muster hosts lists them)"},
		{"i.yaml", "groups: {all: x}\n",
		 "i.yaml:1:10: \"all\" is no group name (letters, digits, . _ : -; not all)"},
		{"i.yaml", "groups: [a]\n", "i.yaml:1:9: expected a mapping, found a list"},
		{"i.yaml", "hosts: a]\n", "i.yaml:1:8: \"a]\": ] without ["},
		{"i.yaml", "- a\n", "i.yaml:1:1: expected a mapping, found a list"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct inventory *inventory = NULL;
		struct error err = {0};

		assert_int_equal(inventory_new(&inventory, &err), 0);
		assert_int_equal(inventory_read_text(inventory, rows[i].name,
						     bytes_from_string(rows[i].text), &err),
				 -1);
		assert_int_equal(err.kind, ERROR_CONFIG);
		assert_string_equal(err.msg, rows[i].message);
		inventory_free(inventory);
	}
}

static void bytes_that_are_no_text_are_refused(void **state)
{
	struct inventory *inventory = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(inventory_new(&inventory, &err), 0);
	assert_int_equal(inventory_read_text(inventory, "x\n", BYTES_LITERAL("a\0b"), &err), -1);
	assert_string_equal(err.msg, "x\\012:1: a NUL byte: no list of hosts");
	assert_int_equal(inventory_read(inventory, "/nonexistent/hosts", &err), -1);
	assert_string_equal(err.msg, "/nonexistent/hosts: No such file or directory");
	inventory_free(inventory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_list_is_read),
		cmocka_unit_test(yaml_inventory_is_read),
		cmocka_unit_test(yaml_is_known_by_its_first_line),
		cmocka_unit_test(groups_of_the_configuration_are_added),
		cmocka_unit_test(fault_names_file_and_line),
		cmocka_unit_test(bytes_that_are_no_text_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

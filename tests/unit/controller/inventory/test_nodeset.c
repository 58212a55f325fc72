// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "controller/inventory/nodeset.h"

static int add_group(void *context, const char *group, struct nodeset *set, struct error *err)
{
	(void)context;
	if (strcmp(group, "web") == 0) {
		return nodeset_add(set, "web1", err) < 0 ? -1 : nodeset_add(set, "web2", err);
	}
	if (strcmp(group, "rack1") == 0) {
		return nodeset_add(set, "db1", err);
	}
	return error_set(err, ERROR_CONFIG, 0, "unknown group @%s", group);
}

static const struct nodeset_groups groups = {.add = add_group, .context = NULL};

/* The names with blanks between. */
static void joined(struct nodeset *set, char *to, size_t room)
{
	size_t used = 0;

	to[0] = '\0';
	for (size_t i = 0; i < nodeset_count(set) && used < room; i++) {
		used += (size_t)snprintf(to + used, room - used, "%s%s", i ? " " : "",
					 nodeset_name(set, i));
	}
}

static void notation_expands(void **state)
{
	static const struct {
		const char *text;
		const char *names;
	} rows[] = {
		{"a", "a"},
		{"a,b", "a b"},
		{"b , a", "a b"},
		{"a,a,a", "a"},
		{"web[1-3]", "web1 web2 web3"},
		{"web[001-003]", "web001 web002 web003"},
		{"web[08-11]", "web08 web09 web10 web11"},
		{"web[099-101]", "web099 web100 web101"},
		{"[0-10/5]", "0 5 10"},
		{"n[0-10/3].example.com",
		 "n0.example.com n3.example.com n6.example.com n9.example.com"},
		{"web[1,3-5]", "web1 web3 web4 web5"},
		{"web[5,1]", "web1 web5"},
		{"web[10,9]", "web9 web10"},
		{"dc[1-2]n[1-2]", "dc1n1 dc1n2 dc2n1 dc2n2"},
		{"a[1-2][3-4]", "a13 a14 a23 a24"},
		{"web[1-5]!web3", "web1 web2 web4 web5"},
		{"web[1-5]!web[2-9]", "web1"},
		{"db[01-10]&db[05-20]", "db05 db06 db07 db08 db09 db10"},
		{"a[1-3]^a[2-4]", "a1 a4"},
		{"a,b!a,a", "a b"},
		{"a[1-9]&a[3-5]!a4,z", "a3 a5 z"},
		{"@web", "web1 web2"},
		{"@web!web1", "web2"},
		{"@rack[1-1],x", "db1 x"},
		{"a!a", ""},
		{"fe80::1", "fe80::1"},
		{"x_y.z-1", "x_y.z-1"},
		{"web1,web01,web001,web2", "web1 web01 web001 web2"},
		{"000000000000000000000000001", "000000000000000000000000001"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct nodeset *set = NULL;
		struct error err = {0};
		char names[512];

		if (nodeset_parse(&set, rows[i].text, &groups, &err) < 0) {
			fail_msg("%s: %s", rows[i].text, err.msg);
		}
		joined(set, names, sizeof(names));
		assert_string_equal(names, rows[i].names);
		nodeset_free(set);
	}
}

static void wrong_notation_says_what_is_wrong(void **state)
{
	static const struct {
		const char *text;
		const char *message;
	} rows[] = {
		{"", "expected a host's name"},
		{"a,", "expected a host's name"},
		{",a", "expected a host's name"},
		{"a!!b", "expected a host's name"},
		{"@", "@ without a group's name"},
		{"@no", "unknown group @no"},
		{"a b", "\"a b\" is no host name (letters, digits, . _ : -)"},
		{"-oProxyCommand=x",
		 "\"-oProxyCommand=x\" is no host name (letters, digits, . _ : -)"},
		{"a\x1b[1m", "\"a\\033[1m\": [ without ]"},
		{"a\nb", "\"a\\012b\" is no host name (letters, digits, . _ : -)"},
		{"web[", "\"web[\": expected a number in [ ]"},
		{"web[]", "\"web[]\": expected a number in [ ]"},
		{"web]", "\"web]\": ] without ["},
		{"web[1", "\"web[1\": [ without ]"},
		{"web[1-]", "\"web[1-]\": expected a number after -"},
		{"web[5-1]", "\"web[5-1]\": a range goes upwards"},
		{"web[1-5/0]", "\"web[1-5/0]\": expected a step after /"},
		{"web[1-5/]", "\"web[1-5/]\": expected a step after /"},
		{"web[01-002]", "\"web[01-002]\": both ends of a range are padded alike"},
		{"web[a-c]", "\"web[a-c]\": expected a number in [ ]"},
		{"web[1,,2]", "\"web[1,,2]\": expected a number in [ ]"},
		{"web[[1]]", "\"web[[1]]\": expected a number in [ ]"},
		{"[1-9999999999999999999]",
		 "\"[1-9999999999999999999]\": expected a number after -"},
		{"[0-1000000]", "\"[0-1000000]\": more than 1000000 hosts"},
		{"[0-999]a[0-999]b[0-1]", "\"[0-999]a[0-999]b[0-1]\": more than 1000000 hosts"},
		{"[1][1][1][1][1][1][1][1][1]", "\"[1][1][1][1][1][1][1][1][1]\": too many [ ]"},
		{"a[0-999999],b[0-999999],c", "more than 1000000 hosts"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct nodeset *set = NULL;
		struct error err = {0};

		assert_int_equal(nodeset_parse(&set, rows[i].text, &groups, &err), -1);
		assert_null(set);
		assert_int_equal(err.kind, ERROR_CONFIG);
		assert_string_equal(err.msg, rows[i].message);
	}
}

static void groups_need_someone_who_knows_them(void **state)
{
	struct nodeset *set = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(nodeset_parse(&set, "@web", NULL, &err), -1);
	assert_string_equal(err.msg, "\"web\": no groups are known here");
}

/* Alone it is a port's: such a name could be written down, but not be read back. */
static void a_name_has_no_single_colon(void **state)
{
	(void)state;
	assert_true(nodeset_name_is_valid("2001:db8::1"));
	assert_true(nodeset_name_is_valid("::1"));
	assert_false(nodeset_name_is_valid("web1:22"));
	assert_false(nodeset_name_is_valid(":"));
}

static void overlong_names_are_refused(void **state)
{
	char text[NODESET_NAME_MAX + 8];
	struct nodeset *set = NULL;
	struct error err = {0};

	(void)state;
	memset(text, 'a', sizeof(text));
	text[NODESET_NAME_MAX] = '\0';
	assert_true(nodeset_name_is_valid(text));
	assert_int_equal(nodeset_parse(&set, text, NULL, &err), 0);
	nodeset_free(set);
	memcpy(text + NODESET_NAME_MAX, "b", 2);
	assert_false(nodeset_name_is_valid(text));
	assert_int_equal(nodeset_parse(&set, text, NULL, &err), -1);
	memcpy(text + NODESET_NAME_MAX - 1, "[10]", 5);
	assert_int_equal(nodeset_parse(&set, text, NULL, &err), -1);
	assert_non_null(strstr(err.msg, "at most 255 bytes"));
}

static void a_million_hosts_fit(void **state)
{
	struct nodeset *set = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(nodeset_parse(&set, "h[000000-999999],h[5-9]!h[5-9]", NULL, &err), 0);
	assert_int_equal(nodeset_count(set), 1000000);
	assert_true(nodeset_has(set, "h012345"));
	assert_false(nodeset_has(set, "h12345x"));
	nodeset_free(set);
}

static void order_is_natural_and_total(void **state)
{
	static const char *const names[] = {"1",      "2",   "10",   "a",  "a-1", "a1",
					    "a01",    "a1b", "a01a", "a2", "a10", "a10b2",
					    "a10b10", "b",   "b.1",  "b1"};
	size_t count = sizeof(names) / sizeof(names[0]);

	(void)state;
	assert_true(nodeset_name_compare("web2", "web10") < 0);
	assert_true(nodeset_name_compare("web1", "web01") < 0);
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < count; j++) {
			int order = nodeset_name_compare(names[i], names[j]);
			int back = nodeset_name_compare(names[j], names[i]);

			assert_int_equal(order == 0, i == j);
			assert_int_equal(order<0, back> 0);
			for (size_t k = 0; k < count; k++) {
				if (order < 0 && nodeset_name_compare(names[j], names[k]) < 0) {
					assert_true(nodeset_name_compare(names[i], names[k]) < 0);
				}
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(notation_expands),
		cmocka_unit_test(wrong_notation_says_what_is_wrong),
		cmocka_unit_test(groups_need_someone_who_knows_them),
		cmocka_unit_test(a_name_has_no_single_colon),
		cmocka_unit_test(overlong_names_are_refused),
		cmocka_unit_test(a_million_hosts_fit),
		cmocka_unit_test(order_is_natural_and_total),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

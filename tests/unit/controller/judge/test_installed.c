// SPDX-License-Identifier: MIT
/* Lists of installed packages: what is in them, and what is found in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/judge/packages.h"

static struct installed item(const char *name, const char *arch, const char *version)
{
	return (struct installed){bytes_from_string(name), bytes_from_string(arch),
				  bytes_from_string(version)};
}

static struct one_package build(const struct installed *of)
{
	return (struct one_package){.key = section_key_make(SECTION_PACKAGE, BYTES_LITERAL("rpm"),
							    of->name, of->version, of->arch)};
}

static void every_version_of_a_name_and_architecture_is_found(void **state)
{
	const struct installed items[] = {
		item("bash", "x86_64", "5"),    item("kernel", "i686", "9"),
		item("kernel", "x86_64", "1"),  item("kernel", "x86_64", "2"),
		item("kernel2", "x86_64", "2"),
	};
	const struct installed_list list = {.item = items, .count = 5};
	size_t count = 0;

	(void)state;
	assert_int_equal(installed_find(&list, items[2].name, items[2].arch, &count), 2);
	assert_int_equal(count, 2);
	(void)installed_find(&list, BYTES_LITERAL("kernel"), BYTES_LITERAL("noarch"), &count);
	assert_int_equal(count, 0);
}

static void looks_at_no_more_versions_than_a_host_may_sensibly_have(void **state)
{
	static struct installed items[1000];
	struct installed_list list = {.item = items, .count = 1000};
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		items[i] = item("a", "b", "c");
	}
	assert_int_equal(installed_find(&list, items[0].name, items[0].arch, &count), 0);
	assert_int_equal(count, 64);
}

static void a_build_is_had_by_all_three_of_its_parts(void **state)
{
	const struct installed items[] = {item("a", "x", "1"), item("a", "x", "3")};
	const struct installed_list list = {.item = items, .count = 2}, empty = {.count = 0};
	const struct installed other[] = {item("a", "x", "2"), item("a", "y", "1"),
					  item("b", "x", "1")};
	struct one_package one = build(&items[1]);

	(void)state;
	assert_true(installed_has(&list, &one));
	assert_false(installed_has(&empty, &one));
	for (size_t i = 0; i < 3; i++) {
		one = build(&other[i]);
		assert_false(installed_has(&list, &one));
	}
}

static void only_states_with_a_flaw_are_odd(void **state)
{
	static const struct {
		const char *state;
		bool is_odd;
	} rows[] = {
		{"", false},
		{"installed", false},
		{"install ok installed", false},
		{"hold ok installed", false},
		{"deinstall ok config-files", false},
		{"purge ok not-installed", false},
		{"install reinstreq installed", true},
		{"install ok half-configured", true},
		{"install ok unpacked", true},
		{"install ok triggers-pending", true},
		{"installed ok", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(installed_is_odd(bytes_from_string(rows[i].state)),
				 rows[i].is_odd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_version_of_a_name_and_architecture_is_found),
		cmocka_unit_test(looks_at_no_more_versions_than_a_host_may_sensibly_have),
		cmocka_unit_test(a_build_is_had_by_all_three_of_its_parts),
		cmocka_unit_test(only_states_with_a_flaw_are_odd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

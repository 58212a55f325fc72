// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/judge/packages.h"

static int sign(int order)
{
	return (order > 0) - (order < 0);
}

static int compare(const char *a, const char *b)
{
	return sign(judge_deb_version_compare(bytes_from_string(a), bytes_from_string(b)));
}

static const struct {
	const char *a;
	const char *b;
	int order;
} table[] = {
	{"1.0", "1.0", 0},
	{"1.0", "1.1", -1},
	{"1.10", "1.9", 1},
	{"1.0-1", "1.0-2", -1},
	{"1.0", "1.0-0", 0},
	{"1:1.0", "2.0", 1},
	{"0:1.0", "1.0", 0},
	{"1.0~rc1", "1.0", -1},
	{"1.0~~", "1.0~", -1},
	{"1.0~rc1-1", "1.0-1", -1},
	{"1.0+b1", "1.0", 1},
	{"1.0a", "1.0", 1},
	{"1.0a", "1.0+", -1},
	{"1.0-1+deb12u1", "1.0-1", 1},
	{"1.0-1~bpo12+1", "1.0-1", -1},
	{"2.36-9+deb12u10", "2.36-9+deb12u9", 1},
	{"001", "1", 0},
	{"1.00000000000000000000000000000000000001", "1.1", 0},
	{"99999999999999999999999999999", "100000000000000000000000000000", -1},
	{"1.2-3-4", "1.2-3-5", -1},
	{"", "", 0},
	{"", "1", -1},
	{"a", "1", 1},
	{"1:", "1", 1},
	{"-", "", 0},
};

static void versions_compare_as_dpkg_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (compare(table[i].a, table[i].b) != table[i].order) {
			print_message("%s %s\n", table[i].a, table[i].b);
		}
		assert_int_equal(compare(table[i].a, table[i].b), table[i].order);
		assert_int_equal(compare(table[i].b, table[i].a), -table[i].order);
	}
}

static unsigned next(unsigned *seed)
{
	*seed = *seed * 1103515245U + 12345U;
	return *seed >> 16;
}

/* What dpkg accepts as a version: it must begin with a digit. */
static void random_version(unsigned *seed, char *to, size_t room)
{
	static const char signs[] = "0123456789~+.aZz";
	size_t len = next(seed) % (room - 6), at = 0;

	if (next(seed) % 4 == 0) {
		to[at++] = (char)('0' + next(seed) % 3);
		to[at++] = ':';
	}
	to[at++] = (char)('0' + next(seed) % 10);
	while (len-- > 0) {
		to[at++] = signs[next(seed) % (sizeof(signs) - 1)];
	}
	if (next(seed) % 2 == 0) {
		to[at++] = '-';
		to[at++] = (char)('0' + next(seed) % 10);
	}
	to[at] = '\0';
}

static bool dpkg_says(const char *a, const char *relation, const char *b)
{
	pid_t child = fork();
	int status = 0;

	assert_true(child >= 0);
	if (child == 0) {
		execlp("dpkg", "dpkg", "--compare-versions", a, relation, b, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	return WEXITSTATUS(status) == 0;
}

static void random_versions_compare_as_dpkg_does(void **state)
{
	unsigned seed = 20261121;

	(void)state;
	if (access("/usr/bin/dpkg", X_OK) != 0) {
		print_message("no dpkg here\n");
		skip();
	}
	for (unsigned i = 0; i < 150; i++) {
		static const char *const relations[] = {"lt", "eq", "gt"};
		char a[24], b[32];
		int order;

		random_version(&seed, a, sizeof(a));
		random_version(&seed, b, sizeof(a));
		/* Half of them differ in one place only. */
		if (i % 2 == 0) {
			(void)snprintf(b, sizeof(b), "%s", a);
			(void)snprintf(b + strlen(b), 2, "%c", i % 4 ? '~' : '+');
		}
		order = compare(a, b);
		if (!dpkg_says(a, relations[order + 1], b)) {
			print_message("%s %s %s\n", a, relations[order + 1], b);
		}
		assert_true(dpkg_says(a, relations[order + 1], b));
	}
}

/* The cases of rpm's own test suite that tell the rules apart. */
static void rpm_versions_compare_as_rpm_does(void **state)
{
	static const struct {
		const char *a;
		const char *b;
		int order;
	} rows[] = {
		{"0:1.0-1", "0:1.0-1", 0},          {"0:1.0-1", "0:1.0-2", -1},
		{"1:1.0-1", "0:2.0-1", 1},          {"0:10-1", "0:9-1", 1},
		{"0:1.010-1", "0:1.10-1", 0},       {"0:2.0.1a-1", "0:2.0.1-1", 1},
		{"0:5.5p1-1", "0:5.5p10-1", -1},    {"0:10xyz-1", "0:10.1xyz-1", -1},
		{"0:xyz.4-1", "0:8-1", -1},         {"0:1.0~rc1-1", "0:1.0-1", -1},
		{"0:1.0~rc1-1", "0:1.0~rc2-1", -1}, {"0:1.0^git1-1", "0:1.0-1", 1},
		{"0:1.0^git1-1", "0:1.0.1-1", -1},  {"0:1.0^git1~pre-1", "0:1.0^git1-1", -1},
		{"0:2_0-1", "0:2.0-1", 0},          {"0:1.0-1.el9", "0:1.0-1.el9_1", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes a = bytes_from_string(rows[i].a), b = bytes_from_string(rows[i].b);
		int order = judge_rpm_version_compare(a, b);
		int back = judge_rpm_version_compare(b, a);

		if ((order > 0) - (order < 0) != rows[i].order) {
			print_message("%s %s\n", rows[i].a, rows[i].b);
		}
		assert_int_equal((order > 0) - (order < 0), rows[i].order);
		assert_int_equal((back > 0) - (back < 0), -rows[i].order);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rpm_versions_compare_as_rpm_does),
		cmocka_unit_test(versions_compare_as_dpkg_does),
		cmocka_unit_test(random_versions_compare_as_dpkg_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

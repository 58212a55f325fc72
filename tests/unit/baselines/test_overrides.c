// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "baselines/baseline.h"
#include "baselines/overrides.h"
#include "tests/unit/baselines/fixture.h"

static void lines_of_all_managers_are_one_list(void **state)
{
	struct baseline *b = NULL;
	struct error err = {0};
	struct fixture f;

	(void)state;
	fixture_repository(&f);
	fixture_write(&f, "muster.yaml", "");
	fixture_write(&f, "packages/dpkg/overrides.records",
		      "# why\nstatoverride /usr/bin/a root adm 2755\ncapability /usr/bin/b "
		      "cap_net_raw\\075ep\n");
	fixture_write(&f, "packages/rpm/overrides.records",
		      "alternative x /usr/bin/x auto /usr/bin/y\n");
	fixture_write(&f, "packages/rpm/Fedora/overrides.records", "not read\n");
	fixture_commit(&f);
	if (baseline_open(f.path, NULL, &b, &err) < 0) {
		fail_msg("%s", err.msg);
	}
	assert_int_equal(baseline_overrides(b)->count, 3);
	assert_true(records_has(baseline_overrides(b),
				BYTES_LITERAL("statoverride /usr/bin/a root adm 2755")));
	assert_true(records_has(baseline_overrides(b),
				BYTES_LITERAL("alternative x /usr/bin/x auto /usr/bin/y")));
	baseline_close(b);
	fixture_remove(&f);
}

static void baseline_without_overrides_has_no_lines(void **state)
{
	struct baseline *b = NULL;
	struct error err = {0};
	struct fixture f;

	(void)state;
	fixture_repository(&f);
	fixture_write(&f, "muster.yaml", "");
	fixture_commit(&f);
	assert_int_equal(baseline_open(f.path, NULL, &b, &err), 0);
	assert_int_equal(baseline_overrides(b)->count, 0);
	baseline_close(b);
	fixture_remove(&f);
}

/* What would hide a change of content on every host may not stand there. */
static void other_kinds_are_refused_with_their_line(void **state)
{
	static const char *const wrong[] = {
		"absent /x",
		("package dpkg a 1 amd64 "
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
		"claim dpkg a /x",
		"flags /x i",
		"link /x /y",
		"package-state dpkg a amd64 x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct record_list *list = NULL;
		struct error err = {0};
		char text[256] = "# comment\ncapability /a cap_chown\\075p\n";

		strncat(text, wrong[i], sizeof(text) - strlen(text) - 2);
		strcat(text, "\n");
		assert_int_equal(overrides_parse("o", bytes_from_string(text), &list, &err), -1);
		assert_int_equal(err.kind, ERROR_CONFIG);
		if (!strstr(err.msg, "o:3: ")) {
			fail_msg("%s: %s", wrong[i], err.msg);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_all_managers_are_one_list),
		cmocka_unit_test(baseline_without_overrides_has_no_lines),
		cmocka_unit_test(other_kinds_are_refused_with_their_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

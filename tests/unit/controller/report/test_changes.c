// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "controller/report/changes.h"
#include "controller/report/groups.h"

static void add(struct changes *changes, const char *host, const char *id, enum severity severity,
		enum finding_state state, const char *subject, int64_t seen_s)
{
	struct finding finding = {.severity = severity, .state = state, .marker = ' '};
	struct error err = {0};

	(void)snprintf(finding.id, sizeof(finding.id), "%s", id);
	finding.subject = bytes_from_string(subject);
	assert_int_equal(changes_add(changes, host, &finding, seen_s, NULL, &err), 0);
}

static void findings_fold_to_changes_by_fingerprint_and_state(void **state)
{
	struct changes *changes = NULL;
	struct error err = {0};
	char host[16];

	(void)state;
	assert_int_equal(changes_new(&changes, &err), 0);
	for (int i = 1; i <= 40; i++) {
		(void)snprintf(host, sizeof(host), "web%03d", i);
		add(changes, host, "aaaa", SEVERITY_MEDIUM, FINDING_NEW, "/etc/a", 1000 - i);
		if (i == 7) {
			add(changes, host, "bbbb", SEVERITY_HIGH, FINDING_NEW, "/bin/b", 0);
			add(changes, host, "aaaa", SEVERITY_MEDIUM, FINDING_OPEN, "/etc/a", 5);
			add(changes, host, "cccc", SEVERITY_MEDIUM, FINDING_NEW, "/etc/c", 0);
		}
	}
	changes_sort(changes);
	assert_int_equal(changes_count(changes), 4);
	assert_string_equal(changes_at(changes, 0)->finding->id, "bbbb");
	assert_string_equal(changes_at(changes, 1)->finding->id, "aaaa");
	assert_int_equal(changes_at(changes, 1)->host_count, 40);
	assert_int_equal(changes_at(changes, 1)->first_seen_s, 960);
	assert_string_equal(changes_at(changes, 1)->hosts[39], "web040");
	assert_int_equal(changes_at(changes, 2)->finding->state, FINDING_OPEN);
	assert_string_equal(changes_at(changes, 3)->finding->id, "cccc");
	assert_null(changes_at(changes, 4));
	changes_free(changes);
}

static void hosts_are_grouped_by_cause(void **state)
{
	struct groups *groups = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(groups_new(&groups, &err), 0);
	assert_int_equal(groups_add(groups, "timeout\nx", 7, "a", 1, &err), 0);
	assert_int_equal(groups_add(groups, "refused\n", 6, "b", 0, &err), 0);
	assert_int_equal(groups_add(groups, "timeout\nx", 7, "a", 1, &err), 0);
	assert_int_equal(groups_add(groups, "timeout\nx", 7, "c", 1, &err), 0);
	assert_int_equal(groups_add(groups, "timeout\ny", 7, "d", 0, &err), 0);
	groups_sort(groups);
	assert_string_equal(groups_at(groups, 0)->key, "refused\n");
	assert_string_equal(groups_at(groups, 1)->key, "timeout\nx");
	assert_int_equal(groups_at(groups, 1)->host_count, 2);
	assert_int_equal(groups_at(groups, 1)->amount, 3);
	assert_string_equal(groups_at(groups, 2)->hosts[0], "d");
	assert_null(groups_at(groups, 3));
	groups_free(groups);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(findings_fold_to_changes_by_fingerprint_and_state),
		cmocka_unit_test(hosts_are_grouped_by_cause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "controller/fleet/acks.h"
#include "controller/inventory/inventory.h"
#include "tests/unit/baselines/fixture.h"

#define NOW 1795226400 /* 2026-11-21 */

struct world {
	struct fixture fixture;
	struct baseline *baseline;
	struct inventory *inventory;
	struct findings findings;
	struct acks *acks;
};

/* One ack of the first finding, for `hosts`, until a day. */
static void make(struct world *w, const char *hosts, const char *until)
{
	const struct finding finding = {.rule = RULE_CONFIG_CHANGED,
					.subject = BYTES_LITERAL("/etc/ntp.conf"),
					.new_value = BYTES_LITERAL("type=file")};
	struct nodeset_groups groups;
	struct error err = {0};
	char text[1024];

	memset(w, 0, sizeof(*w));
	assert_int_equal(findings_add(&w->findings, &finding, &err), 0);
	(void)snprintf(
		text, sizeof(text),
		"- id: A-0042\n  rule: config.changed\n  path: /etc/ntp.conf\n  finding: %s\n"
		"  hosts: \"%s\"\n  reason: CHG1234\n  until: %s\n",
		w->findings.item[0].id, hosts, until);
	fixture_repository(&w->fixture);
	fixture_write(&w->fixture, "muster.yaml", "roots: [/etc]\n");
	fixture_write(&w->fixture, "acks/one.yaml", text);
	fixture_commit(&w->fixture);
	assert_int_equal(baseline_open(w->fixture.path, NULL, &w->baseline, &err), 0);
	assert_int_equal(inventory_new(&w->inventory, &err), 0);
	assert_int_equal(inventory_add_group(w->inventory, "web", "web[01-03]", &err), 0);
	groups = inventory_nodeset_groups(w->inventory);
	assert_int_equal(acks_new(&w->acks, w->baseline, &groups, &err), 0);
}

static void forget(struct world *w)
{
	acks_free(w->acks);
	findings_clear(&w->findings);
	inventory_free(w->inventory);
	baseline_close(w->baseline);
	fixture_remove(&w->fixture);
}

static const struct ack *apply(struct world *w, const char *host)
{
	const struct ack *const *applied = NULL;
	struct error err = {0};

	w->findings.item[0].state = FINDING_NEW;
	assert_int_equal(acks_apply(w->acks, host, NOW, &w->findings, &applied, &err), 0);
	assert_int_equal(applied[0] != NULL, w->findings.item[0].state == FINDING_ACKNOWLEDGED);
	return applied[0];
}

static void groups_and_ranges_of_an_ack_are_the_inventorys(void **state)
{
	static const char *const sets[] = {"@web", "web[01-02],web03", "@web!db1", "@all"};
	const struct ack *ack;
	struct world w;

	(void)state;
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		make(&w, sets[i], "2026-12-15");
		assert_null(acks_fault(w.acks, 0));
		ack = apply(&w, "web02");
		assert_non_null(ack);
		assert_string_equal(ack->id, "A-0042");
		assert_string_equal(ack->reason, "CHG1234");
		assert_null(apply(&w, "db1"));
		forget(&w);
	}
}

static void an_unknown_group_sets_nothing_aside_and_is_told(void **state)
{
	const char *fault;
	struct world w;

	(void)state;
	make(&w, "@webb", "2026-12-15");
	fault = acks_fault(w.acks, 0);
	assert_non_null(fault);
	assert_non_null(strstr(fault, "acks/one.yaml:"));
	assert_non_null(strstr(fault, "A-0042"));
	assert_non_null(strstr(fault, "did you mean @web?"));
	assert_null(acks_fault(w.acks, 1));
	assert_null(apply(&w, "web02"));
	forget(&w);
}

static void an_ack_ends_and_binds_one_content(void **state)
{
	struct world w;

	(void)state;
	make(&w, "@web", "2026-11-20");
	assert_null(apply(&w, "web02"));
	forget(&w);
	make(&w, "@web", "2026-12-15");
	assert_non_null(apply(&w, "web02"));
	w.findings.item[0].id[0] ^= 1; /* a further change */
	assert_null(apply(&w, "web02"));
	forget(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_and_ranges_of_an_ack_are_the_inventorys),
		cmocka_unit_test(an_unknown_group_sets_nothing_aside_and_is_told),
		cmocka_unit_test(an_ack_ends_and_binds_one_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

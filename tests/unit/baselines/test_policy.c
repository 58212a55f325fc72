// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "baselines/policy.h"
#include "schema/message.h"

static struct policy *parse(const char *text)
{
	struct policy *policy = NULL;
	struct error err = {0};

	if (policy_parse("muster.yaml", bytes_from_string(text), &policy, &err) < 0) {
		fail_msg("%s", err.msg);
	}
	return policy;
}

static void same_list(const struct string_list *a, const struct string_list *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		assert_string_equal(a->item[i], b->item[i]);
	}
}

static void same(const struct policy *a, const struct policy *b)
{
	same_list(&a->roots, &b->roots);
	same_list(&a->volatiles, &b->volatiles);
	same_list(&a->web_roots, &b->web_roots);
	same_list(&a->excludes, &b->excludes);
	same_list(&a->always, &b->always);
	same_list(&a->generated, &b->generated);
	same_list(&a->generated_reasons, &b->generated_reasons);
	same_list(&a->severities, &b->severities);
	assert_int_equal(a->max_age_s, b->max_age_s);
	assert_int_equal(a->rehash_of, b->rehash_of);
	assert_int_equal(a->budget_s, b->budget_s);
	assert_int_equal(a->budget_read_bytes, b->budget_read_bytes);
	assert_int_equal(a->budget_entries, b->budget_entries);
	assert_int_equal(a->budget_depth, b->budget_depth);
	assert_int_equal(a->rate_bytes_s, b->rate_bytes_s);
	assert_int_equal(a->timeline_window_s, b->timeline_window_s);
	assert_int_equal(a->weight_count, b->weight_count);
	for (size_t i = 0; i < a->weight_count; i++) {
		assert_string_equal(a->weights[i].pattern, b->weights[i].pattern);
		assert_int_equal(a->weights[i].at_least, b->weights[i].at_least);
	}
	assert_int_equal(a->known_count, b->known_count);
	for (size_t i = 0; i < a->known_count; i++) {
		assert_string_equal(a->known[i].kind, b->known[i].kind);
		assert_string_equal(a->known[i].pattern, b->known[i].pattern);
		assert_string_equal(a->known[i].reason, b->known[i].reason);
	}
}

static void written_default_is_the_built_in_one(void **state)
{
	char *text = policy_default_text();
	struct policy *policy;

	(void)state;
	assert_non_null(text);
	policy = parse(text);
	same(policy, policy_default());
	/* Nothing in it came from the built-in one for lack of a key. */
	assert_ptr_not_equal(policy->known, policy_default()->known);
	assert_ptr_not_equal(policy->generated.item, policy_default()->generated.item);
	policy_free(policy);
	free(text);
}

/* What the probe gets must fit its plan. */
static void default_fits_a_plan(void **state)
{
	const struct policy *policy = policy_default();

	(void)state;
	assert_true(policy->roots.count > 0 && policy->roots.count <= PLAN_ITEMS_MAX);
	assert_true(policy->always.count <= PLAN_ITEMS_MAX);
	assert_true(policy->max_age_s > policy->rehash_of * 86400U);
}

static void absent_keys_keep_the_default(void **state)
{
	struct policy *policy = parse("");

	(void)state;
	same(policy, policy_default());
	policy_free(policy);
	policy = parse("# nothing but a comment\n");
	same(policy, policy_default());
	policy_free(policy);
	policy_free(NULL);
}

static void given_keys_replace_the_default(void **state)
{
	struct policy *policy = parse("roots: [/etc, /]\n"
				      "exclude: ['/etc/a*']\n"
				      "max_age: 2w\n"
				      "budget_read: 3G\n"
				      "read_rate: 4096\n"
				      "weights:\n"
				      "- {path: /etc/x/**, at_least: low}\n"
				      "known: []\n"
				      "severities: {file.changed: info, unowned.appeared: high}\n");

	(void)state;
	assert_int_equal(policy->roots.count, 2);
	assert_string_equal(policy->roots.item[1], "/");
	assert_int_equal(policy->max_age_s, 14 * 86400);
	assert_int_equal(policy->budget_read_bytes, (uint64_t)3 << 30);
	assert_int_equal(policy->rate_bytes_s, 4096);
	assert_int_equal(policy->weight_count, 1);
	assert_int_equal(policy->weights[0].at_least, SEVERITY_LOW);
	assert_int_equal(policy->known_count, 0);
	assert_int_equal(policy->severities.count, 2);
	assert_string_equal(policy->severities.item[0], "file.changed=info");
	same_list(&policy->always, &policy_default()->always);
	policy_free(policy);
}

static void faults_name_line_and_column(void **state)
{
	static const struct {
		const char *text;
		const char *message;
	} faults[] = {
		{"roots:\n- /etc\nrotos: []\n", "muster.yaml:3:1: "},
		{"rotos: []\n", "roots"},
		{"roots: [etc]\n", "muster.yaml:1:9: not an absolute path"},
		{"roots: [/etc/]\n", "not an absolute path"},
		{"roots: [/etc/../x]\n", "not an absolute path"},
		{"roots: [/etc//x]\n", "not an absolute path"},
		{"roots: ['']\n", "not an absolute path"},
		{"roots: /etc\n", "muster.yaml:1:8"},
		{"always: ['/etc/**']\n", "** is not known here"},
		{"weights: [{path: '/**/x', at_least: low}]\n", "** is known only at the end"},
		{"weights: [{path: '/a**', at_least: low}]\n", "** is known only at the end"},
		{"weights: [{path: '/a'}]\n", "at_least is missing"},
		{"weights: [{path: '/a', at_least: hgih}]\n", "hgih is no severity"},
		{"known: [{kind: mont, match: x, reason: y}]\n", "mont is no kind"},
		{"known: [{kind: mount, match: x}]\n", "reason is missing"},
		{"known: [{kind: mount, match: x, reason: ''}]\n", "reason is empty"},
		{"generated: [/etc/x]\n", "muster.yaml:1:13"},
		{"severities: {file.changed: hgih}\n", "high"},
		{"severities: {File: high}\n", "not the name of a rule"},
		{"severities: {a.b: high, a.b: low}\n", "a.b stands twice"},
		{"read_rate: 4T\n", "not a size"},
		{"read_rate: 99999999999G\n", "not a size"},
		{"read_rate: -1\n", "not a size"},
		{"rehash_nights: 0\n", "muster.yaml:1:16"},
		{"max_age: 1y\n", "muster.yaml:1:10"},
		{"[]\n", "muster.yaml:1:1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct policy *policy = NULL;
		struct error err = {0};

		assert_int_equal(policy_parse("muster.yaml", bytes_from_string(faults[i].text),
					      &policy, &err),
				 -1);
		assert_int_equal(err.kind, ERROR_CONFIG);
		if (!strstr(err.msg, faults[i].message)) {
			fail_msg("%zu: %s, not %s", i, err.msg, faults[i].message);
		}
	}
}

static void severities_have_names(void **state)
{
	enum severity severity;

	(void)state;
	for (int s = SEVERITY_INFO; s <= SEVERITY_CRITICAL; s++) {
		assert_true(severity_from_name(severity_name((enum severity)s), &severity));
		assert_int_equal(severity, s);
	}
	assert_false(severity_from_name("hgih", &severity));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_default_is_the_built_in_one),
		cmocka_unit_test(default_fits_a_plan),
		cmocka_unit_test(absent_keys_keep_the_default),
		cmocka_unit_test(given_keys_replace_the_default),
		cmocka_unit_test(faults_name_line_and_column),
		cmocka_unit_test(severities_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

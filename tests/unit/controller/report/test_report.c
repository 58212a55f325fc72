// SPDX-License-Identifier: MIT
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "controller/report/report.h"
#include "schema/escape.h"
#include "tests/unit/controller/report/hostile.h"
#include "tests/unit/controller/report/schema_check.h"

struct output {
	struct report *report;
	FILE *out;
	char *text;
	size_t len;
};

static const struct store_run run = {.name = "20261121T020000Z-7f3a",
				     .kind = "sweep",
				     .sweep = "",
				     .commit = "0123456789abcdef",
				     .version = "0.1.0",
				     .started_s = 1795226400,
				     .finished_s = 1795226412,
				     .hosts_asked = 40};

static void begin(struct output *o, struct report_options options)
{
	struct error err = {0};

	memset(o, 0, sizeof(*o));
	o->out = open_memstream(&o->text, &o->len);
	options.out = o->out;
	options.is_run = true;
	if (options.fail_on == 0) {
		options.fail_on = SEVERITY_MEDIUM;
	}
	assert_int_equal(report_new(&o->report, &options, &err), 0);
	assert_int_equal(report_run_start(o->report, &run, &err), 0);
}

static void add_host(struct output *o, const char *name, enum outcome outcome, const char *reason)
{
	struct judge_counts counts = {.packages = 2, .files_proved = 1000, .files_unproved = 3};
	struct report_host host = {.name = name,
				   .outcome = outcome,
				   .reason = reason,
				   .sent_bytes = 100,
				   .received_bytes = 2000,
				   .wall_ms = 12};
	struct error err = {0};

	if (outcome_class(outcome) == OUTCOME_CLASS_LOOKED) {
		host.counts = &counts;
	}
	assert_int_equal(report_host(o->report, &host, &err), 0);
}

static struct finding changed(const char *id)
{
	struct finding finding = {.rule = RULE_CONFIG_CHANGED,
				  .severity = SEVERITY_HIGH,
				  .witness = WITNESS_MANIFEST,
				  .state = FINDING_NEW,
				  .letters = "S.5....T.",
				  .marker = 'c',
				  .subject = BYTES_LITERAL("/etc/ssh/sshd_config"),
				  .package = BYTES_LITERAL("openssh-server 1:9.2p1-2"),
				  .old_value = BYTES_LITERAL("type=file mode=0644 size=3289"),
				  .new_value = BYTES_LITERAL("type=file mode=0644 size=3300")};

	(void)snprintf(finding.id, sizeof(finding.id), "%s", id);
	return finding;
}

static void add_finding(struct output *o, const char *host, const struct finding *finding)
{
	struct report_finding found = {
		.host = host, .finding = finding, .first_seen_s = 1795226400, .ack = ""};
	struct error err = {0};

	assert_int_equal(report_finding(o->report, &found, &err), 0);
}

static void finish(struct output *o)
{
	struct error err = {0};

	assert_int_equal(report_run_end(o->report, &run, false, &err), 0);
	(void)fclose(o->out);
}

static void forget(struct output *o)
{
	report_free(o->report);
	free(o->text);
}

/* Forty web servers with one change, two hosts that were not reached. */
static void sweep(struct output *o, struct report_options options)
{
	struct finding finding = changed("8c1d20aa00000000");
	char name[16];

	begin(o, options);
	for (int i = 1; i <= 40; i++) {
		(void)snprintf(name, sizeof(name), "web%03d", i);
		add_host(o, name, OUTCOME_FINDINGS, "");
		add_finding(o, name, &finding);
	}
	add_host(o, "db1", OUTCOME_TIMEOUT, "no answer in 20 s");
	add_host(o, "db2", OUTCOME_TIMEOUT, "no answer in 20 s");
	add_host(o, "db3", OUTCOME_KEY_UNKNOWN, "SHA256:abc");
	finish(o);
}

static void assert_begins(const char *text, const char *start)
{
	assert_int_equal(strncmp(text, start, strlen(start)), 0);
}

static void text_folds_changes_and_causes(void **state)
{
	struct output o;

	(void)state;
	sweep(&o, (struct report_options){.format = REPORT_TEXT});
	assert_int_equal(report_verdict(o.report), REPORT_FINDINGS);
	assert_string_equal(
		o.text,
		"FINDINGS: 1 change open on 40 of 43 hosts (1 high); 3 hosts not looked at whole.\n"
		"Coverage: 40 whole, 3 not at all.\n"
		"Run 20261121T020000Z-7f3a of 2026-11-21T02:00:00Z, baseline 0123456789ab, took "
		"12 s.\n"
		"Files: 40,000 proved, 120 unproved, 0 skipped.\n"
		"\n"
		"Not looked at whole:\n"
		"  timeout        db[1-2] (2)  no answer in 20 s\n"
		"      try: check the host, or allow it more time (--timeout)\n"
		"  key-unknown    db3  SHA256:abc\n"
		"      try: fetch the key for review: muster hosts keys db3 --import FILE\n"
		"\n"
		"New:\n"
		"  web[001-040] (40)  HIGH      S.5....T.  c /etc/ssh/sshd_config  (openssh-server "
		"1:9.2p1-2)  8c1d20aa\n"
		"\n"
		"Next:\n"
		"  muster show 8c1d20aa                              what it was, what it is\n"
		"  muster accept 8c1d20aa                            it is right: make it the "
		"baseline\n"
		"  muster ack 8c1d20aa --reason TEXT --until 30d     it is known: set it aside\n");
	forget(&o);
}

static void clean_is_said_only_of_what_was_looked_at(void **state)
{
	struct output o;

	(void)state;
	begin(&o, (struct report_options){.format = REPORT_TEXT});
	add_host(&o, "a", OUTCOME_CLEAN, "");
	finish(&o);
	assert_int_equal(report_verdict(o.report), REPORT_CLEAN);
	assert_begins(o.text,
		      "CLEAN: 1 of 1 host looked at whole, nothing open at medium or above.\n");
	forget(&o);

	begin(&o, (struct report_options){.format = REPORT_TEXT});
	add_host(&o, "a", OUTCOME_CLEAN, "");
	add_host(&o, "b", OUTCOME_PARTIAL, "");
	finish(&o);
	assert_int_equal(report_verdict(o.report), REPORT_INCOMPLETE);
	assert_begins(o.text, "INCOMPLETE: 1 of 2 hosts looked at whole");
	forget(&o);

	begin(&o, (struct report_options){.format = REPORT_TEXT});
	finish(&o);
	assert_int_equal(report_verdict(o.report), REPORT_INCOMPLETE);
	forget(&o);
}

static void hosts_not_seen_are_told_with_how_long_ago(void **state)
{
	static const struct {
		const char *name;
		enum outcome outcome;
		int64_t days; /* since it was looked at whole; 0: never */
	} hosts[] = {
		{"a", OUTCOME_TIMEOUT, 1},  {"b", OUTCOME_TIMEOUT, 3}, {"c", OUTCOME_TIMEOUT, 3},
		{"d", OUTCOME_REFUSED, 40}, {"e", OUTCOME_REFUSED, 0}, {"f", OUTCOME_PARTIAL, 1},
		{"g", OUTCOME_CLEAN, 2},
	};
	struct output o;

	(void)state;
	begin(&o, (struct report_options){.format = REPORT_TEXT});
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		const struct report_host host = {
			.name = hosts[i].name,
			.outcome = hosts[i].outcome,
			.reason = "why",
			.has_last_complete = true,
			.last_complete_s =
				hosts[i].days ? run.started_s - hosts[i].days * 86400 - 60 : 0,
		};
		struct error err = {0};

		assert_int_equal(report_host(o.report, &host, &err), 0);
	}
	finish(&o);
	assert_non_null(strstr(o.text,
			       "\nCoverage: 1 whole, 1 partly, 5 not at all; last whole: "
			       "2 within a day, 2 within a week, 1 longer ago, 1 never.\n"));
	assert_non_null(strstr(o.text, "(2)  why; last whole 3 days ago\n"));
	assert_non_null(strstr(o.text, "e  why; never looked at whole\n"));
	forget(&o);
}

static void verdict_follows_fail_on_and_state(void **state)
{
	static const struct {
		enum finding_state state;
		enum severity severity;
		unsigned fail_on;
		enum report_verdict verdict;
	} rows[] = {
		{FINDING_NEW, SEVERITY_MEDIUM, SEVERITY_MEDIUM, REPORT_FINDINGS},
		{FINDING_OPEN, SEVERITY_CRITICAL, SEVERITY_CRITICAL, REPORT_FINDINGS},
		{FINDING_NEW, SEVERITY_LOW, SEVERITY_MEDIUM, REPORT_CLEAN},
		{FINDING_NEW, SEVERITY_CRITICAL, REPORT_FAIL_NEVER, REPORT_CLEAN},
		{FINDING_ACKNOWLEDGED, SEVERITY_HIGH, SEVERITY_LOW, REPORT_CLEAN},
		{FINDING_EXPLAINED, SEVERITY_HIGH, SEVERITY_LOW, REPORT_CLEAN},
		{FINDING_RESOLVED, SEVERITY_HIGH, SEVERITY_LOW, REPORT_CLEAN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct finding finding = changed("1");
		struct output o;

		finding.state = rows[i].state;
		finding.severity = rows[i].severity;
		begin(&o, (struct report_options){.fail_on = rows[i].fail_on});
		add_host(&o, "a", OUTCOME_FINDINGS, "");
		add_finding(&o, "a", &finding);
		finish(&o);
		assert_int_equal(report_verdict(o.report), rows[i].verdict);
		forget(&o);
	}
}

static void ndjson_is_of_its_schema_and_ends_in_run_end(void **state)
{
	struct output o;
	unsigned lines;

	(void)state;
	sweep(&o, (struct report_options){.format = REPORT_NDJSON});
	assert_true(schema_check_lines(o.text, &lines));
	assert_int_equal(lines, 1 + 40 * 2 + 3 + 1);
	assert_begins(o.text, "{\"v\":1,\"type\":\"run_start\",");
	assert_non_null(strstr(o.text, "{\"v\":1,\"type\":\"run_end\","));
	assert_non_null(
		strstr(o.text, "\"old\":{\"type\":\"file\",\"mode\":\"0644\",\"size\":\"3289\"}"));
	assert_non_null(
		strstr(o.text, "\"pkg\":{\"name\":\"openssh-server\",\"ver\":\"1:9.2p1-2\"}"));
	assert_non_null(strstr(o.text, "\"verdict\":\"findings\""));
	forget(&o);
}

static void ndjson_says_who_spoke_and_why(void **state)
{
	static const struct {
		const char *transport, *expected;
	} rows[] = {
		{"libssh2", "\"transport\":\"libssh2\",\"files\""},
		{"ssh (host certificate only)",
		 "\"transport\":\"ssh\",\"transport_reason\":\"host certificate only\",\"files\""},
		{"local", "\"transport\":\"local\",\"files\""},
		{"", "\"transport\":null,\"files\""},
		{NULL, "\"transport\":null,\"files\""},
	};
	struct error err = {0};
	unsigned lines;
	struct output o;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct report_host host = {
			.name = "web1", .outcome = OUTCOME_TIMEOUT, .transport = rows[i].transport};

		begin(&o, (struct report_options){.format = REPORT_NDJSON});
		assert_int_equal(report_host(o.report, &host, &err), 0);
		finish(&o);
		assert_true(schema_check_lines(o.text, &lines));
		assert_non_null(strstr(o.text, rows[i].expected));
		forget(&o);
	}
}

static void hostile_findings(struct output *o, struct report_options options)
{
	begin(o, options);
	for (size_t i = 0; i < HOSTILE_COUNT; i++) {
		char id[FINGERPRINT_SIZE], reason[1200];
		struct coverage_item gap = {.check = hostile[i],
					    .subject = hostile[i],
					    .state = COVERAGE_PARTIAL,
					    .reason = hostile[i],
					    .count = 1};
		struct report_host host = {.name = "web1",
					   .outcome = OUTCOME_PARTIAL,
					   .coverage = &gap,
					   .coverage_count = 1};
		struct error err = {0};
		struct finding finding;

		(void)snprintf(id, sizeof(id), "%016zx", i);
		finding = changed(id);
		finding.subject = finding.package = hostile[i];
		finding.old_value = finding.new_value = finding.detail = hostile[i];
		host.reason = escape_text(hostile[i], reason, sizeof(reason));
		assert_int_equal(report_host(o->report, &host, &err), 0);
		add_finding(o, "web1", &finding);
	}
	finish(o);
}

static void hostile_bytes_pass_no_writer(void **state)
{
	struct output o;
	unsigned lines;

	(void)state;
	hostile_findings(&o, (struct report_options){.format = REPORT_TEXT, .verbose = 2});
	assert_true(hostile_is_harmless(o.text, o.len));
	/* A name at column 0 could drive whoever reads the log by lines. */
	assert_null(strstr(o.text, "\nRUNDECK"));
	forget(&o);
	hostile_findings(&o, (struct report_options){.format = REPORT_NDJSON});
	assert_true(hostile_is_harmless(o.text, o.len));
	assert_true(schema_check_lines(o.text, &lines));
	assert_int_equal(lines, 2 + 2 * HOSTILE_COUNT);
	forget(&o);
}

/* As long as the base64 of `len` bytes may be. */
static size_t unbase64(const char *text, uint8_t *to)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t group = 0;
	size_t used = 0, bits = 0;

	for (; *text && *text != '='; text++) {
		group = group << 6 | (uint32_t)(strchr(letters, *text) - letters);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			to[used++] = (uint8_t)(group >> bits);
		}
	}
	return used;
}

static void paths_in_ndjson_come_back_exactly(void **state)
{
	struct output o;
	size_t seen = 0;

	(void)state;
	hostile_findings(&o, (struct report_options){.format = REPORT_NDJSON});
	for (char *line = o.text, *end; (end = strchr(line, '\n')); line = end + 1) {
		json_t *root = json_loadb(line, (size_t)(end - line), JSON_ALLOW_NUL, NULL);
		json_t *path = json_object_get(root, "path");
		const char *exact = json_string_value(json_object_get(root, "path_b64"));
		uint8_t back[256];

		if (path && exact) {
			assert_int_equal(unbase64(exact, back), hostile[seen].len);
			assert_memory_equal(back, hostile[seen].data, hostile[seen].len);
			seen++;
		} else if (path) {
			assert_int_equal(json_string_length(path), hostile[seen].len);
			assert_memory_equal(json_string_value(path), hostile[seen].data,
					    hostile[seen].len);
			seen++;
		}
		json_decref(root);
	}
	assert_int_equal(seen, HOSTILE_COUNT);
	forget(&o);
}

static void colour_is_only_where_it_is_asked_for(void **state)
{
	struct output o;

	(void)state;
	sweep(&o, (struct report_options){.format = REPORT_TEXT, .color = true});
	assert_non_null(strstr(o.text, "\033[1;31mHIGH    \033[0m"));
	forget(&o);
	sweep(&o, (struct report_options){.format = REPORT_TEXT});
	assert_null(strchr(o.text, '\033'));
	forget(&o);
}

static void information_and_what_is_set_aside_are_counted(void **state)
{
	struct finding upgraded = changed("aa"), acknowledged = changed("bb");
	struct output o;

	(void)state;
	upgraded.severity = SEVERITY_INFO;
	upgraded.rule = RULE_PACKAGE_UPGRADED;
	upgraded.letters[0] = '\0';
	acknowledged.state = FINDING_ACKNOWLEDGED;
	for (int all = 0; all < 2; all++) {
		begin(&o, (struct report_options){.format = REPORT_TEXT, .all = all != 0});
		add_host(&o, "a", OUTCOME_FINDINGS, "");
		add_finding(&o, "a", &upgraded);
		add_finding(&o, "a", &acknowledged);
		finish(&o);
		assert_int_equal(strstr(o.text, "package.upgraded") != NULL, all);
		assert_int_equal(strstr(o.text, "\nAcknowledged:\n") != NULL, all);
		assert_int_equal(strstr(o.text, "1 acknowledged, 0 explained, 0 resolved") != NULL,
				 !all);
		assert_int_equal(strstr(o.text, "1 for information") != NULL, !all);
		forget(&o);
	}
}

/* After an upgrade of half a fleet: a line a package, and no run fails for it. */
static void explained_changes_are_a_line_each_and_no_alarm(void **state)
{
	struct finding upgraded = changed("aa00000000000000");
	char name[16], subject[32], id[17];
	struct output o;

	(void)state;
	upgraded.severity = SEVERITY_INFO;
	upgraded.state = FINDING_EXPLAINED;
	upgraded.rule = RULE_PACKAGE_UPGRADED;
	upgraded.letters[0] = '\0';
	for (int each = 0; each < 2; each++) {
		begin(&o, (struct report_options){.format = REPORT_TEXT, .explained = each != 0});
		for (int h = 1; h <= 40; h++) {
			(void)snprintf(name, sizeof(name), "web%03d", h);
			add_host(&o, name, OUTCOME_CLEAN, "");
			for (int p = 0; p < 25; p++) {
				(void)snprintf(id, sizeof(id), "%016x", p + 1);
				(void)snprintf(subject, sizeof(subject), "lib%02d:amd64", p);
				memcpy(upgraded.id, id, sizeof(id));
				upgraded.subject = bytes_from_string(subject);
				upgraded.package = upgraded.subject;
				add_finding(&o, name, &upgraded);
			}
		}
		finish(&o);
		assert_int_equal(report_verdict(o.report), REPORT_CLEAN);
		assert_non_null(strstr(o.text, "\nExplained, nothing to do:\n  web[001-040] (40)"));
		assert_non_null(strstr(o.text, "lib00:amd64"));
		assert_non_null(strstr(o.text, "lib19:amd64"));
		assert_int_equal(strstr(o.text, "lib20:amd64") != NULL, each);
		assert_non_null(strstr(o.text, "1000 explained"));
		forget(&o);
	}
}

static void what_judged_packages_and_files_is_counted(void **state)
{
	struct judge_counts counts = {.packages = 5, .files_proved = 20};
	struct judge_counts vouched = {0};
	struct report_host host = {.name = "a", .outcome = OUTCOME_CLEAN, .counts = &counts};
	struct error err = {0};
	struct output o;

	(void)state;
	counts.packages_by_witness[WITNESS_MANIFEST] = 2;
	counts.files_by_witness[WITNESS_MANIFEST] = 1200;
	counts.packages_by_witness[WITNESS_FIRST_SIGHT] = 3;
	counts.files_by_witness[WITNESS_FIRST_SIGHT] = 40;
	vouched.packages_by_witness[WITNESS_FIRST_SIGHT] = 2;
	vouched.files_by_witness[WITNESS_FIRST_SIGHT] = 30;
	for (int format = REPORT_TEXT; format <= REPORT_NDJSON; format++) {
		begin(&o, (struct report_options){.format = (enum report_format)format});
		assert_int_equal(report_host(o.report, &host, &err), 0);
		report_vouched(o.report, &vouched);
		finish(&o);
		assert_non_null(strstr(
			o.text, format == REPORT_TEXT
					? "Judged by: manifest 2 packages, 1,200 files; fleet 2 "
					  "packages, 30 files; first-sight 1 package, 10 files.\n"
					: "\"witnesses\":{\"packages\":{\"manifest\":2,"
					  "\"fleet\":2,\"first-sight\":1},\"files\":{"
					  "\"manifest\":1200,\"fleet\":30,\"first-sight\":10}}"));
		forget(&o);
	}
}

static void a_look_without_any_proof_says_so(void **state)
{
	for (uint64_t proved = 0; proved < 2; proved++) {
		struct judge_counts counts = {.files_proved = proved, .files_unproved = 40};
		struct report_host host = {
			.name = "a", .outcome = OUTCOME_CLEAN, .counts = &counts};
		struct error err = {0};
		struct output o;

		(void)state;
		begin(&o, (struct report_options){.format = REPORT_TEXT});
		assert_int_equal(report_host(o.report, &host, &err), 0);
		finish(&o);
		assert_true((strstr(o.text, "Nothing of this is proved") != NULL) == (proved == 0));
		forget(&o);
	}
}

/* Comparing hosts at the end may find something on one that looked clean alone. */
static void outcome_may_change_at_the_end(void **state)
{
	struct finding odd = changed("dd");
	struct output o;

	(void)state;
	odd.rule = RULE_FLEET_DIFFERS;
	begin(&o, (struct report_options){.format = REPORT_NDJSON});
	add_host(&o, "a", OUTCOME_CLEAN, "");
	add_host(&o, "b", OUTCOME_CLEAN, "");
	add_finding(&o, "a", &odd);
	report_outcome_changed(o.report, OUTCOME_CLEAN, OUTCOME_FINDINGS);
	finish(&o);
	assert_int_equal(report_verdict(o.report), REPORT_FINDINGS);
	assert_non_null(strstr(o.text, "\"hosts\":{\"clean\":1,\"findings\":1}"));
	forget(&o);
}

static void an_acknowledgement_says_why_and_until_when(void **state)
{
	struct finding acknowledged = changed("bb"), old = changed("cc");
	struct report_finding found = {.host = "web1",
				       .finding = &acknowledged,
				       .first_seen_s = 1795226400,
				       .ack = "A-0042",
				       .ack_reason = "CHG1234\033[2J",
				       .ack_until_s = 1797379200}; /* the end of 2026-12-15 */
	const char *const said = "A-0042 until 2026-12-15: CHG1234\\033[2J";
	struct error err = {0};
	struct output o;

	(void)state;
	acknowledged.state = FINDING_ACKNOWLEDGED;
	old.state = FINDING_OPEN;
	for (int all = 0; all < 2; all++) {
		begin(&o, (struct report_options){.format = REPORT_TEXT, .all = all != 0});
		add_host(&o, "web1", OUTCOME_FINDINGS, "");
		assert_int_equal(report_finding(o.report, &found, &err), 0);
		add_finding(&o, "web1", &old);
		finish(&o);
		assert_non_null(strstr(o.text, said));
		assert_int_equal(strstr(o.text, "1 finding on web1") != NULL, !all);
		assert_non_null(strstr(o.text, "since 2026-11-21"));
		forget(&o);
	}
	begin(&o, (struct report_options){.format = REPORT_NDJSON});
	add_host(&o, "web1", OUTCOME_CLEAN, "");
	assert_int_equal(report_finding(o.report, &found, &err), 0);
	finish(&o);
	assert_non_null(strstr(o.text, "\"ack\":\"A-0042\",\"ack_reason\":\"CHG1234"));
	assert_non_null(strstr(o.text, "\"ack_until\":\"2026-12-16T00:00:00Z\""));
	forget(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_folds_changes_and_causes),
		cmocka_unit_test(clean_is_said_only_of_what_was_looked_at),
		cmocka_unit_test(hosts_not_seen_are_told_with_how_long_ago),
		cmocka_unit_test(verdict_follows_fail_on_and_state),
		cmocka_unit_test(ndjson_is_of_its_schema_and_ends_in_run_end),
		cmocka_unit_test(ndjson_says_who_spoke_and_why),
		cmocka_unit_test(hostile_bytes_pass_no_writer),
		cmocka_unit_test(paths_in_ndjson_come_back_exactly),
		cmocka_unit_test(colour_is_only_where_it_is_asked_for),
		cmocka_unit_test(an_acknowledgement_says_why_and_until_when),
		cmocka_unit_test(information_and_what_is_set_aside_are_counted),
		cmocka_unit_test(explained_changes_are_a_line_each_and_no_alarm),
		cmocka_unit_test(what_judged_packages_and_files_is_counted),
		cmocka_unit_test(a_look_without_any_proof_says_so),
		cmocka_unit_test(outcome_may_change_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

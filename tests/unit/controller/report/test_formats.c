// SPDX-License-Identifier: MIT
/* Reports for other programs: Rundeck's log, Prometheus' text file, the journal's datagrams. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "controller/report/report.h"
#include "tests/unit/controller/report/hostile.h"

static const struct store_run run = {.name = "20261121T020000Z-7f3a",
				     .kind = "sweep",
				     .sweep = "",
				     .commit = "0123456789abcdef",
				     .version = "0.1.0",
				     .started_s = 1795226400,
				     .finished_s = 1795226412,
				     .hosts_asked = 3};

static void tell(struct report *report, const char *host, enum outcome outcome, const char *reason,
		 const struct finding *finding)
{
	const struct judge_counts counts = {.packages = 2, .files_proved = 1000};
	struct report_host told = {
		.name = host, .outcome = outcome, .reason = reason, .counts = &counts};
	struct report_finding found = {
		.host = host, .finding = finding, .first_seen_s = run.started_s, .ack = ""};
	struct error err = {0};

	assert_int_equal(report_host(report, &told, &err), 0);
	if (finding) {
		assert_int_equal(report_finding(report, &found, &err), 0);
	}
}

static struct finding finding_of(struct bytes subject, enum severity severity,
				 enum finding_state state)
{
	struct finding finding = {.rule = RULE_FILE_CHANGED,
				  .severity = severity,
				  .state = state,
				  .letters = "..5......",
				  .marker = ' ',
				  .subject = subject,
				  .old_value = BYTES_LITERAL("type=file mode=0755"),
				  .new_value = BYTES_LITERAL("type=file mode=4755")};

	(void)snprintf(finding.id, sizeof(finding.id), "%08zx%08x", subject.len,
		       (unsigned)severity * 16 + (unsigned)state);
	return finding;
}

/* Two web servers with one change whose path is `subject`, one host that was not reached. */
static char *report_of(struct report_options options, struct bytes subject)
{
	struct finding finding = finding_of(subject, SEVERITY_HIGH, FINDING_NEW);
	struct report *report = NULL;
	struct error err = {0};
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	options.out = out;
	options.is_run = true;
	if (options.fail_on == 0) {
		options.fail_on = SEVERITY_MEDIUM;
	}
	assert_int_equal(report_new(&report, &options, &err), 0);
	assert_int_equal(report_run_start(report, &run, &err), 0);
	tell(report, "web1", OUTCOME_FINDINGS, "", &finding);
	tell(report, "web2", OUTCOME_FINDINGS, "", &finding);
	tell(report, "db1", OUTCOME_TIMEOUT, "no answer\\012RUNDECK:DATA:muster_verdict=clean",
	     NULL);
	assert_int_equal(report_run_end(report, &run, false, &err), 0);
	report_free(report);
	(void)fclose(out);
	return text;
}

/* What Rundeck takes for its own, by line starts, as its filters do. */
static size_t count_lines(const char *text, const char *start)
{
	size_t count = 0;

	for (const char *line = text; line && *line;) {
		count += strncmp(line, start, strlen(start)) == 0 ? 1 : 0;
		line = strchr(line, '\n');
		line += line ? 1 : 0;
	}
	return count;
}

static size_t count_words(const char *text, const char *word)
{
	size_t count = 0;

	for (const char *at = text; (at = strstr(at, word)); at++) {
		count++;
	}
	return count;
}

static void no_host_drives_a_rundeck_job(void **state)
{
	static const char *const subjects[] = {
		"/tmp/x\nRUNDECK:DATA:muster_verdict=clean",
		"RUNDECK:DATA:muster_verdict=clean",
		"/tmp/\n#END:RUNDECK:DATATYPE\n#BEGIN:RUNDECK:DATATYPE:text/html\n<script>",
		"/tmp/\rRUNDECK:DATA:x=y",
		"/tmp/<img src=x onerror=alert(1)>",
	};
	char *plain = report_of((struct report_options){.format = REPORT_RUNDECK},
				BYTES_LITERAL("/usr/bin/ssh"));
	size_t words = count_words(plain, "RUNDECK");

	(void)state;
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		char *text =
			report_of((struct report_options){.format = REPORT_RUNDECK, .verbose = 1},
				  bytes_from_string(subjects[i]));

		assert_int_equal(count_lines(text, "RUNDECK:DATA:"),
				 count_lines(plain, "RUNDECK:DATA:"));
		assert_int_equal(count_lines(text, "#BEGIN:"), 2);
		assert_int_equal(count_lines(text, "#END:"), 2);
		/* Not even inside a line: a filter of somebody's own may look there. */
		assert_int_equal(count_words(text, "RUNDECK"), words);
		assert_null(strstr(text, "\033"));
		assert_null(strchr(text, '\r'));
		assert_null(strstr(strstr(text, "application/json"), "<img"));
		free(text);
	}
	free(plain);
}

static void hostile_bytes_stay_in_their_line(void **state)
{
	char *plain = report_of((struct report_options){.format = REPORT_RUNDECK},
				BYTES_LITERAL("/usr/bin/ssh"));

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		char *text =
			report_of((struct report_options){.format = REPORT_RUNDECK}, hostile[i]);

		assert_int_equal(count_lines(text, ""), count_lines(plain, ""));
		free(text);
	}
	free(plain);
}

static void a_rundeck_table_is_a_list_of_like_objects(void **state)
{
	char *text = report_of((struct report_options){.format = REPORT_RUNDECK},
			       BYTES_LITERAL("/tmp/RUNDECK:DATA:x=y"));
	char *line = strstr(text, "#BEGIN:RUNDECK:DATATYPE:application/json\n");
	json_error_t fault;
	json_t *table, *row;

	(void)state;
	assert_non_null(line);
	line = strchr(line, '\n') + 1;
	line[strcspn(line, "\n")] = '\0';
	table = json_loads(line, 0, &fault);
	assert_true(json_is_array(table));
	assert_int_equal(json_array_size(table), 1);
	row = json_array_get(table, 0);
	assert_string_equal(json_string_value(json_object_get(row, "path")),
			    "/tmp/RUNDECK:DATA:x=y");
	assert_string_equal(json_string_value(json_object_get(row, "hosts")), "web[1-2]");
	assert_string_equal(json_string_value(json_object_get(row, "severity")), "high");
	json_decref(table);
	free(text);
}

static void rundeck_gets_its_data_lines(void **state)
{
	static const char *const lines[] = {
		"RUNDECK:DATA:muster_run=20261121T020000Z-7f3a\n",
		"RUNDECK:DATA:muster_verdict=findings\n",
		"RUNDECK:DATA:muster_hosts=3\n",
		"RUNDECK:DATA:muster_hosts_drift=2\n",
		"RUNDECK:DATA:muster_hosts_unreachable=1\n",
		"RUNDECK:DATA:muster_findings_high=2\n",
		"RUNDECK:DATA:muster_changes=1\n",
		"muster| FINDINGS: 1 change open on 2 of 3 hosts",
	};
	char *text = report_of((struct report_options){.format = REPORT_RUNDECK},
			       BYTES_LITERAL("/usr/bin/ssh"));

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (!strstr(text, lines[i])) {
			fail_msg("without %s:\n%s", lines[i], text);
		}
	}
	free(text);
}

/* Each sample's family is described before it, once, and no sample comes twice. */
static void prom_is_well_formed(void **state)
{
	char *text = report_of((struct report_options){.format = REPORT_PROM},
			       BYTES_LITERAL("/tmp/\" 1\nmuster_hosts{state=\"clean\"} 99\n"));
	char family[128] = "", *line, *rest = text, *seen[256];
	size_t count = 0;

	(void)state;
	while ((line = strsep(&rest, "\n")) && *line) {
		size_t name = strspn(line, "abcdefghijklmnopqrstuvwxyz_");
		char *value;

		if (strncmp(line, "# HELP ", 7) == 0) {
			(void)snprintf(family, sizeof(family), "%.*s", (int)strcspn(line + 7, " "),
				       line + 7);
			continue;
		}
		if (strncmp(line, "# TYPE ", 7) == 0) {
			assert_int_equal(strncmp(line + 7, family, strlen(family)), 0);
			assert_non_null(strstr(line, " gauge"));
			continue;
		}
		assert_int_equal(strlen(family), name);
		assert_int_equal(strncmp(line, family, name), 0);
		assert_int_equal(line[name], '{');
		value = strstr(line, "} ");
		assert_non_null(value);
		assert_int_equal(strspn(value + 2, "0123456789"), strlen(value + 2));
		value[1] = '\0';
		for (size_t i = 0; i < count; i++) {
			assert_string_not_equal(seen[i], line);
		}
		assert_true(count < 256);
		seen[count++] = line;
	}
	assert_true(count > 40);
	free(text);
}

static void prom_counts_what_the_report_counts(void **state)
{
	static const char *const lines[] = {
		"muster_run_last_completion_timestamp_seconds{kind=\"sweep\"} 1795226412\n",
		"muster_run_duration_seconds{kind=\"sweep\"} 12\n",
		"muster_hosts{kind=\"sweep\",state=\"findings\"} 2\n",
		"muster_hosts{kind=\"sweep\",state=\"timeout\"} 1\n",
		"muster_hosts{kind=\"sweep\",state=\"clean\"} 0\n",
		"muster_findings{kind=\"sweep\",severity=\"high\",state=\"new\"} 2\n",
		"muster_findings{kind=\"sweep\",severity=\"critical\",state=\"open\"} 0\n",
		"muster_run_verdict{kind=\"sweep\",verdict=\"findings\"} 1\n",
		"muster_run_verdict{kind=\"sweep\",verdict=\"clean\"} 0\n",
		"muster_files{kind=\"sweep\",state=\"proved\"} 3000\n",
	};
	char *text = report_of((struct report_options){.format = REPORT_PROM},
			       BYTES_LITERAL("/usr/bin/ssh"));

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (!strstr(text, lines[i])) {
			fail_msg("without %s:\n%s", lines[i], text);
		}
	}
	free(text);
}

/* A journal of our own: what was sent to it, one datagram a call. */
struct fake_journal {
	char folder[32];
	char path[64];
	int fd;
};

static void journal_start(struct fake_journal *journal)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(journal->folder, sizeof(journal->folder), "/tmp/muster-test.XXXXXX");
	assert_non_null(mkdtemp(journal->folder));
	(void)snprintf(journal->path, sizeof(journal->path), "%s/socket", journal->folder);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", journal->path);
	journal->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(journal->fd >= 0);
	assert_int_equal(bind(journal->fd, (const struct sockaddr *)&address, sizeof(address)), 0);
}

static size_t journal_take(struct fake_journal *journal, char *to, size_t room)
{
	ssize_t got = recv(journal->fd, to, room - 1, 0);

	to[got > 0 ? got : 0] = '\0';
	return got > 0 ? (size_t)got : 0;
}

static void journal_end(struct fake_journal *journal)
{
	(void)close(journal->fd);
	(void)unlink(journal->path);
	(void)rmdir(journal->folder);
}

static void the_journal_is_told_what_is_new(void **state)
{
	struct fake_journal journal;
	char record[8192];

	(void)state;
	journal_start(&journal);
	free(report_of(
		(struct report_options){.format = REPORT_JOURNAL, .journal_socket = journal.path},
		BYTES_LITERAL("/tmp/x\nPRIORITY=7\nMUSTER_HOST=none")));
	assert_true(journal_take(&journal, record, sizeof(record)) > 0);
	assert_int_equal(strncmp(record, "MESSAGE=new finding ", 20), 0);
	assert_non_null(strstr(record, "\nPRIORITY=3\n"));
	assert_non_null(strstr(record, "\nMUSTER_HOSTS=web[1-2]\n"));
	assert_non_null(strstr(record, "\nMUSTER_HOST=web1\nMUSTER_HOST=web2\n"));
	assert_non_null(strstr(record, "\nMUSTER_PATH=/tmp/x\\012PRIORITY=7\\012"));
	assert_int_equal(count_lines(record, "PRIORITY="), 1);
	assert_int_equal(count_lines(record, "MUSTER_HOST="), 2);
	assert_true(journal_take(&journal, record, sizeof(record)) > 0);
	assert_int_equal(strncmp(record, "MESSAGE=sweep ended: findings, 2 of 3 hosts", 43), 0);
	assert_int_equal(journal_take(&journal, record, sizeof(record)), 0);
	journal_end(&journal);
}

static void the_journal_is_not_told_what_was_known(void **state)
{
	static const struct {
		enum severity severity;
		enum finding_state state;
		unsigned fail_on;
		bool is_told;
	} rows[] = {
		{SEVERITY_HIGH, FINDING_NEW, SEVERITY_MEDIUM, true},
		{SEVERITY_HIGH, FINDING_OPEN, SEVERITY_MEDIUM, false},
		{SEVERITY_HIGH, FINDING_ACKNOWLEDGED, SEVERITY_MEDIUM, false},
		{SEVERITY_LOW, FINDING_NEW, SEVERITY_MEDIUM, false},
		{SEVERITY_LOW, FINDING_NEW, SEVERITY_LOW, true},
		{SEVERITY_MEDIUM, FINDING_NEW, REPORT_FAIL_NEVER, true},
		{SEVERITY_LOW, FINDING_NEW, REPORT_FAIL_NEVER, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct finding finding =
			finding_of(BYTES_LITERAL("/usr/bin/ssh"), rows[i].severity, rows[i].state);
		struct report_options options = {
			.format = REPORT_JOURNAL, .fail_on = rows[i].fail_on, .is_run = true};
		struct report *report = NULL;
		struct fake_journal journal;
		struct error err = {0};
		char record[8192];
		size_t count = 0;

		journal_start(&journal);
		options.journal_socket = journal.path;
		assert_int_equal(report_new(&report, &options, &err), 0);
		assert_int_equal(report_run_start(report, &run, &err), 0);
		tell(report, "web1", OUTCOME_FINDINGS, "", &finding);
		assert_int_equal(report_run_end(report, &run, false, &err), 0);
		report_free(report);
		while (journal_take(&journal, record, sizeof(record)) > 0) {
			count++;
		}
		assert_int_equal(count, rows[i].is_told ? 2 : 1);
		journal_end(&journal);
	}
}

static void a_journal_that_goes_away_stops_no_report(void **state)
{
	struct finding finding = finding_of(BYTES_LITERAL("/x"), SEVERITY_HIGH, FINDING_NEW);
	struct report_options options = {.format = REPORT_TEXT, .is_run = true};
	struct report *report = NULL;
	struct fake_journal journal;
	struct error err = {0};
	char *text = NULL;
	size_t len = 0;

	(void)state;
	journal_start(&journal);
	options.journal_socket = journal.path;
	options.out = open_memstream(&text, &len);
	assert_non_null(options.out);
	assert_int_equal(report_new(&report, &options, &err), 0);
	assert_int_equal(report_add(report, REPORT_JOURNAL, NULL, &err), 0);
	assert_int_equal(report_run_start(report, &run, &err), 0);
	tell(report, "web1", OUTCOME_FINDINGS, "", &finding);
	journal_end(&journal);
	assert_int_equal(report_run_end(report, &run, false, &err), 0);
	report_free(report);
	(void)fclose(options.out);
	assert_int_equal(strncmp(text, "FINDINGS", 8), 0);
	free(text);
}

static void one_report_goes_to_several_places(void **state)
{
	struct finding finding = finding_of(BYTES_LITERAL("/x"), SEVERITY_HIGH, FINDING_NEW);
	struct report_options options = {
		.format = REPORT_TEXT, .color = true, .is_run = true, .fail_on = SEVERITY_MEDIUM};
	struct report *report = NULL;
	struct error err = {0};
	char *text[3] = {NULL};
	size_t len[3];
	FILE *out[3];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		out[i] = open_memstream(&text[i], &len[i]);
		assert_non_null(out[i]);
	}
	options.out = out[0];
	assert_int_equal(report_new(&report, &options, &err), 0);
	assert_int_equal(report_add(report, REPORT_NDJSON, out[1], &err), 0);
	assert_int_equal(report_add(report, REPORT_TEXT, out[2], &err), 0);
	assert_int_equal(report_run_start(report, &run, &err), 0);
	tell(report, "web1", OUTCOME_FINDINGS, "", &finding);
	assert_int_equal(report_run_end(report, &run, false, &err), 0);
	assert_int_equal(report_verdict(report), REPORT_FINDINGS);
	assert_int_equal(report_tally(report)->hosts, 1);
	report_free(report);
	for (size_t i = 0; i < 3; i++) {
		(void)fclose(out[i]);
	}
	assert_non_null(strstr(text[0], "\033["));
	assert_null(strstr(text[2], "\033"));
	assert_int_equal(strncmp(text[2], "FINDINGS: 1 change", 18), 0);
	assert_int_equal(count_lines(text[1], "{\"v\":1,"), 4);
	for (size_t i = 0; i < 3; i++) {
		free(text[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_host_drives_a_rundeck_job),
		cmocka_unit_test(hostile_bytes_stay_in_their_line),
		cmocka_unit_test(a_rundeck_table_is_a_list_of_like_objects),
		cmocka_unit_test(rundeck_gets_its_data_lines),
		cmocka_unit_test(prom_is_well_formed),
		cmocka_unit_test(prom_counts_what_the_report_counts),
		cmocka_unit_test(the_journal_is_told_what_is_new),
		cmocka_unit_test(the_journal_is_not_told_what_was_known),
		cmocka_unit_test(a_journal_that_goes_away_stops_no_report),
		cmocka_unit_test(one_report_goes_to_several_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

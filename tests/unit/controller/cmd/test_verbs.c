// SPDX-License-Identifier: MIT
/* The verbs that read and decide, over a database and a baseline made here. No host is asked. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "controller/cmd/cmd.h"
#include "controller/cmd/verb.h"
#include "controller/store/store.h"

#define WORDS_MAX 24

static char folder[64];

struct said {
	int code;
	char *out;
	char *log;
};

/* Runs a command line, cut at blanks; + stands for a blank inside a word. */
static struct said say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static struct said say(const char *format, ...)
{
	char line[512], *argv[WORDS_MAX];
	struct said said = {0};
	size_t out_len, log_len;
	FILE *out = open_memstream(&said.out, &out_len);
	FILE *log = open_memstream(&said.log, &log_len);
	va_list args;
	int argc = 0;

	assert_non_null(out);
	assert_non_null(log);
	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	for (char *word = strtok(line, " "); word && argc < WORDS_MAX - 1;
	     word = strtok(NULL, " ")) {
		for (char *p = word; *p; p++) {
			*p = *p == '+' ? ' ' : *p;
		}
		argv[argc++] = word;
	}
	argv[argc] = NULL;
	said.code = cmd_run(argc, argv, out, log);
	(void)fclose(out);
	(void)fclose(log);
	return said;
}

static void forget(struct said *said)
{
	free(said->out);
	free(said->log);
}

/* What was said must hold `words`, and end with this code. */
static void assert_says(struct said said, int code, const char *words)
{
	if (said.code != code || (!strstr(said.out, words) && !strstr(said.log, words))) {
		fail_msg("exit %d, not %d, or without \"%s\":\n%s%s", said.code, code, words,
			 said.out, said.log);
	}
	forget(&said);
}

static struct finding finding_of(const char *subject, const char *was, const char *is)
{
	return (struct finding){.rule = RULE_CONFIG_CHANGED,
				.severity = SEVERITY_HIGH,
				.witness = WITNESS_FIRST_SIGHT,
				.letters = "S.5......",
				.marker = 'c',
				.subject = bytes_from_string(subject),
				.old_value = bytes_from_string(was),
				.new_value = bytes_from_string(is)};
}

static void put_host(struct store *store, const struct store_run *run, const char *name,
		     enum outcome outcome, const struct finding *finding)
{
	struct observation seen = {0};
	struct judge_counts counts = {.packages = 1, .files_proved = 10};
	struct findings findings = {0};
	struct store_host host = {.name = name,
				  .outcome = outcome,
				  .reason = outcome == OUTCOME_REFUSED ? "port 22" : "",
				  .findings = &findings,
				  .started_s = run->started_s,
				  .finished_s = run->started_s + 1};
	struct error err = {0};

	if (outcome != OUTCOME_REFUSED) {
		host.observation = &seen;
		host.counts = &counts;
	}
	if (finding) {
		assert_int_equal(findings_add(&findings, finding, &err), 0);
	}
	if (store_host_put(store, run, &host, &err) < 0) {
		fail_msg("%s", err.msg);
	}
	findings_clear(&findings);
}

/* Two runs; in the second, two of three hosts have one change, and one was not reached. */
static void make_database(const char *path)
{
	struct finding finding = finding_of(
		"/etc/motd", "type=file mode=0644 uname=root gname=root size=3 time=1.000000000",
		"type=file mode=0666 uname=root gname=root size=4 time=2.000000000");
	struct error err = {0};
	struct store *store = NULL;

	if (store_open(path, STORE_WRITE, &store, &err) < 0) {
		fail_msg("%s", err.msg);
	}
	for (int i = 0; i < 2; i++) {
		struct store_run run = {.kind = "sweep",
					.sweep = "",
					.commit = "",
					.version = "0",
					.started_s = 1795226400 + i * 86400,
					.hosts_asked = 3};

		assert_int_equal(store_run_begin(store, &run, &err), 0);
		put_host(store, &run, "web1", i ? OUTCOME_FINDINGS : OUTCOME_CLEAN,
			 i ? &finding : NULL);
		put_host(store, &run, "web2", i ? OUTCOME_FINDINGS : OUTCOME_CLEAN,
			 i ? &finding : NULL);
		put_host(store, &run, "db1", OUTCOME_REFUSED, NULL);
		run.finished_s = run.started_s + 10;
		assert_int_equal(store_run_end(store, &run, &err), 0);
	}
	store_close(store);
}

static int make_folder(void **state)
{
	char path[128];
	FILE *config;

	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/muster-verbs-XXXXXX");
	if (!mkdtemp(folder) || setenv("HOME", folder, 1) || unsetenv("XDG_CONFIG_HOME") ||
	    setenv("XDG_STATE_HOME", folder, 1) || unsetenv("MUSTER_CONFIG") ||
	    unsetenv("MUSTER_DB")) {
		return -1;
	}
	(void)snprintf(path, sizeof(path), "%s/.gitconfig", folder);
	config = fopen(path, "w");
	if (!config || fputs("[user]\n\tname = T\n\temail = t@example.com\n", config) < 0 ||
	    fclose(config) != 0) {
		return -1;
	}
	(void)snprintf(path, sizeof(path), "%s/x.db", folder);
	make_database(path);
	return 0;
}

static int remove_folder(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	/* NOLINTNEXTLINE(cert-env33-c): a path made here */
	return system(command);
}

static void status_gives_the_verdict_first(void **state)
{
	(void)state;
	assert_says(
		say("muster status --db %s/x.db", folder), EXIT_FINDINGS,
		"FINDINGS: 1 change open on 2 of 3 hosts (1 high); 1 host not looked at whole.");
	assert_says(say("muster status --db %s/x.db", folder), EXIT_FINDINGS,
		    "  refused        db1  port 22; never looked at whole\n");
	assert_says(say("muster status --db %s/x.db", folder), EXIT_FINDINGS,
		    "web[1-2] (2)  HIGH      S.5......  c /etc/motd");
	assert_says(say("muster status --db %s/x.db --fail-on critical", folder), EXIT_INCOMPLETE,
		    "INCOMPLETE: 2 of 3 hosts looked at whole");
	assert_says(say("muster status --db %s/x.db --fail-on never web1", folder), EXIT_CLEAN,
		    "CLEAN: 1 of 1 host looked at whole");
	assert_says(say("muster status --db %s/x.db web3", folder), EXIT_INCOMPLETE,
		    "never looked at");
	assert_says(say("muster status --db %s/x.db --format ndjson", folder), EXIT_FINDINGS,
		    "\"type\":\"run_end\"");
}

/* The fingerprint that the report shows. */
static void find_id(char id[FINGERPRINT_SIZE])
{
	struct said said = say("muster status --db %s/x.db --format ndjson", folder);
	const char *place = strstr(said.out, "\"fid\":\"");

	assert_non_null(place);
	(void)snprintf(id, FINGERPRINT_SIZE, "%s", place + strlen("\"fid\":\""));
	forget(&said);
}

static void show_takes_runs_hosts_and_findings(void **state)
{
	char id[FINGERPRINT_SIZE];

	(void)state;
	find_id(id);
	assert_says(say("muster show latest --db %s/x.db", folder), EXIT_FINDINGS,
		    "FINDINGS: 1 change");
	assert_says(say("muster show latest --fail-on critical --db %s/x.db", folder),
		    EXIT_INCOMPLETE, "INCOMPLETE: 2 of 3");
	assert_says(say("muster show latest --fail-on critical --max-incomplete 50%% --db %s/x.db",
			folder),
		    EXIT_CLEAN, "CLEAN: 2 of 3");
	assert_says(say("muster show previous --db %s/x.db", folder), EXIT_INCOMPLETE,
		    "INCOMPLETE: 2 of 3");
	assert_says(say("muster show web2 --db %s/x.db", folder), EXIT_FINDINGS, "of 1 host");
	assert_says(say("muster show %.6s --db %s/x.db", id, folder), EXIT_CLEAN,
		    "mode 0644 -> 0666, size 3 -> 4");
	assert_says(say("muster show %.6s --db %s/x.db", id, folder), EXIT_CLEAN, "web[1-2] (2)");
	assert_says(say("muster show nonsense --db %s/x.db", folder), EXIT_FATAL,
		    "\"nonsense\": no run, host or finding of that name");
	assert_says(say("muster diff --db %s/x.db", folder), EXIT_CLEAN, "2 hosts compared");
	assert_says(say("muster diff --hosts web3 --db %s/x.db", folder), EXIT_INCOMPLETE,
		    "Nothing was compared");
	assert_says(say("muster diff nonsense --db %s/x.db", folder), EXIT_FATAL, "  try: ");
	assert_says(say("muster timeline web1 --since 2d --db %s/x.db", folder), EXIT_CLEAN, "");
	assert_says(say("muster timeline web9 --db %s/x.db", folder), EXIT_FATAL,
		    "web9: never looked at");
	assert_says(say("muster timeline web1 --since never --db %s/x.db", folder), EXIT_FATAL,
		    "--since: expected");
}

static void add_run(const char *host, int day)
{
	char path[128];
	struct store *store = NULL;
	struct error err = {0};
	struct store_run run = {.kind = "check",
				.sweep = "",
				.commit = "",
				.version = "0",
				.started_s = 1795226400 + day * 86400,
				.hosts_asked = 1};

	(void)snprintf(path, sizeof(path), "%s/y.db", folder);
	assert_int_equal(store_open(path, STORE_WRITE, &store, &err), 0);
	assert_int_equal(store_run_begin(store, &run, &err), 0);
	put_host(store, &run, host, OUTCOME_CLEAN, NULL);
	run.finished_s = run.started_s + 10;
	assert_int_equal(store_run_end(store, &run, &err), 0);
	store_close(store);
}

static void diff_takes_runs_that_share_hosts(void **state)
{
	struct said said;

	(void)state;
	add_run("a", 0);
	add_run("b", 1);
	assert_says(say("muster diff --db %s/y.db", folder), EXIT_INCOMPLETE,
		    "Nothing was compared");
	add_run("a", 2);
	add_run("other", 3);
	/* The newest one looked at nobody else's host. */
	said = say("muster diff --db %s/y.db", folder);
	assert_non_null(strstr(said.out, "(2026-11-21"));
	assert_non_null(strstr(said.out, "(2026-11-23"));
	assert_says(said, EXIT_CLEAN, "1 host compared.\n");
	add_run("b", 4);
	assert_says(say("muster diff --db %s/y.db", folder), EXIT_CLEAN, "(2026-11-25");
	said = say("muster diff a --db %s/y.db", folder);
	assert_non_null(strstr(said.out, "(2026-11-23"));
	assert_says(said, EXIT_CLEAN, "1 host compared.\n");
	assert_says(say("muster diff --hosts a --db %s/y.db", folder), EXIT_CLEAN, "(2026-11-23");
	assert_says(say("muster diff nobody --db %s/y.db", folder), EXIT_FATAL, "no run `nobody`");
}

static void forgotten_hosts_are_in_no_status(void **state)
{
	(void)state;
	assert_says(say("muster hosts forget other nobody --db %s/y.db", folder), EXIT_CLEAN,
		    "1 host forgotten.");
	assert_says(say("muster status --db %s/y.db", folder), EXIT_CLEAN, "2 of 2 hosts");
	/* What a run saw stays its record. */
	assert_says(say("muster show previous --db %s/y.db", folder), EXIT_CLEAN, "1 of 1 host");
	assert_says(say("muster hosts forget other --db %s/y.db", folder), EXIT_INCOMPLETE,
		    "other: nothing is known of it");
	add_run("other", 5);
	assert_says(say("muster status --db %s/y.db", folder), EXIT_CLEAN, "3 of 3 hosts");
	assert_says(say("muster hosts forget other --db %s/y.db", folder), EXIT_CLEAN, "1 host");
	assert_says(say("muster prune --keep 1 --db %s/y.db", folder), EXIT_CLEAN,
		    "Dropped 5 runs");
	assert_says(say("muster status --db %s/y.db", folder), EXIT_CLEAN, "2 of 2 hosts");
}

static void advised_commands_can_be_pasted(void **state)
{
	char id[FINGERPRINT_SIZE], line[256];

	(void)state;
	find_id(id);
	(void)snprintf(line, sizeof(line), "  muster show %.8s --db %s/x.db ", id, folder);
	assert_says(say("muster status --db %s/x.db", folder), EXIT_FINDINGS, line);
	/* Options stand in the order of the help. */
	(void)snprintf(line, sizeof(line),
		       "  muster ack %.8s --reason TEXT --until 30d --baseline 'a b' --db %s/x.db",
		       id, folder);
	assert_says(say("muster show %.8s --db %s/x.db --baseline a+b", id, folder), EXIT_CLEAN,
		    line);
}

/* A small file's text; "" where there is none. */
static const char *content(const char *name)
{
	static char text[65536];
	char path[128];
	size_t len = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "r");
	if (file) {
		len = fread(text, 1, sizeof(text) - 1, file);
		(void)fclose(file);
	}
	text[len] = '\0';
	return text;
}

static size_t files_in(const char *name)
{
	char path[128];
	size_t count = 0;
	struct dirent *entry;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		count += entry->d_name[0] != '.' ? 1 : 0;
	}
	(void)closedir(dir);
	return count;
}

static void reports_go_to_files_whole(void **state)
{
	char id[FINGERPRINT_SIZE], path[128];
	struct stat status;

	(void)state;
	find_id(id);
	(void)snprintf(path, sizeof(path), "%s/out", folder);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_says(say("muster show latest --db %s/x.db -o ndjson:%s/out/n -o prom:%s/out/p "
			"--output rundeck:%s/out/r -otext:%s/out/t",
			folder, folder, folder, folder, folder),
		    EXIT_FINDINGS, "FINDINGS: 1 change");
	assert_int_equal(files_in("out"), 4);
	assert_non_null(strstr(content("out/n"), "\"type\":\"run_end\""));
	assert_non_null(
		strstr(content("out/p"), "muster_hosts{kind=\"sweep\",state=\"refused\"} 1\n"));
	assert_non_null(strstr(content("out/r"), "RUNDECK:DATA:muster_verdict=findings\n"));
	assert_int_equal(strncmp(content("out/t"), "FINDINGS: 1 change", 18), 0);
	(void)snprintf(path, sizeof(path), "%s/out/p", folder);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0444, 0444); /* for a collector of another user */

	assert_says(say("muster show %s --db %s/x.db -o ndjson:%s/out/f", id, folder, folder),
		    EXIT_CLEAN, "mode 0644 -> 0666");
	assert_non_null(strstr(content("out/f"), "\"host\":\"web2\""));
	assert_says(say("muster show web1 --db %s/x.db -o ndjson:%s/out/h", folder, folder),
		    EXIT_FINDINGS, "of 1 host");
	assert_non_null(strstr(content("out/h"), "\"host\":\"web1\""));
	assert_null(strstr(content("out/h"), "\"host\":\"web2\""));
}

static void rule_is_for_one_user_alone(void **state)
{
	static const char *const aliases[] = {"ALL", "A", "ADMINS", "WEB_2"};
	static const char *const users[] = {"inspect", "Inspect", "ALLy", "A.B", "_A"};

	(void)state;
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		assert_says(say("muster sudoers --user %s", aliases[i]), EXIT_FATAL,
			    "sudo takes a name in capitals for an alias");
	}
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		/* A rule needs probes, which need not be built where this runs. */
		struct said said = say("muster sudoers --user %s", users[i]);

		assert_non_null(strstr(said.out, "# Lets "));
		assert_non_null(strstr(said.out, users[i]));
		forget(&said);
	}
}

static void what_is_no_file_is_not_replaced(void **state)
{
	char pipe_path[128], link_path[128], said[64] = "";
	struct stat status;
	int reader;

	(void)state;
	(void)snprintf(pipe_path, sizeof(pipe_path), "%s/pipe", folder);
	(void)snprintf(link_path, sizeof(link_path), "%s/link", folder);
	assert_int_equal(mkfifo(pipe_path, 0600), 0);
	assert_says(say("muster show latest --db %s/x.db -o text:%s/pipe", folder, folder),
		    EXIT_FATAL, "/pipe: it cannot be written: No such device");
	reader = open(pipe_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(reader >= 0);
	assert_says(say("muster show latest --db %s/x.db -o text:%s/pipe", folder, folder),
		    EXIT_FINDINGS, "FINDINGS: 1 change");
	assert_true(read(reader, said, sizeof(said) - 1) > 18);
	assert_int_equal(strncmp(said, "FINDINGS: 1 change", 18), 0);
	assert_int_equal(close(reader), 0);
	assert_int_equal(lstat(pipe_path, &status), 0);
	assert_true(S_ISFIFO(status.st_mode));

	assert_int_equal(symlink("out/t", link_path), 0);
	assert_says(say("muster show latest --db %s/x.db -o text:%s/link", folder, folder),
		    EXIT_FATAL, "/link: name the file itself: Too many levels of symbolic links");
	assert_int_equal(unlink(link_path), 0);
	assert_int_equal(symlink("/dev/null", link_path), 0);
	assert_says(say("muster show latest --db %s/x.db -o text:%s/link", folder, folder),
		    EXIT_FINDINGS, "FINDINGS: 1 change");
	assert_int_equal(lstat(link_path, &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	assert_int_equal(unlink(link_path), 0);
	assert_int_equal(unlink(pipe_path), 0);
}

static void a_report_that_fails_leaves_what_was_there(void **state)
{
	(void)state;
	assert_says(say("muster show latest --db %s/x.db -o ndjsn:x", folder), EXIT_FATAL,
		    "-o ndjsn:x: unknown format: did you mean ndjson?");
	assert_says(say("muster show latest --db %s/x.db -o file", folder), EXIT_FATAL,
		    "expected FORMAT:FILE");
	assert_says(say("muster show latest --db %s/x.db -o journal:x", folder), EXIT_FATAL,
		    "expected FORMAT:FILE");
	assert_says(say("muster show latest --db %s/x.db -o prom:", folder), EXIT_FATAL,
		    "FILE is missing");
	assert_says(say("muster show latest --db %s/x.db -o prom:%s/out/p -o text:%s/out/p", folder,
			folder, folder),
		    EXIT_FATAL, "named twice");
	assert_says(say("muster show latest --db %s/x.db -o prom:%s/none/p", folder, folder),
		    EXIT_FATAL, "/none/p: no file can be made beside it: No such file");
	assert_says(say("muster show latest --db %s/x.db -o prom:%s/out", folder, folder),
		    EXIT_FATAL, "not a file");
	/* Nothing half done stays, and a run that was not told leaves the last report alone. */
	assert_says(say("muster show nonsense --db %s/x.db -o text:%s/out/t", folder, folder),
		    EXIT_FATAL, "no run, host or finding");
	assert_int_equal(files_in("out"), 6);
	assert_int_equal(strncmp(content("out/t"), "FINDINGS: 1 change", 18), 0);
	assert_says(say("muster status --db %s/x.db -o text:x", folder), EXIT_FATAL,
		    "--output: not an option of muster status");
}

static void rundeck_has_one_stream(void **state)
{
	struct said said = say("muster status --db %s/none.db --format rundeck", folder);

	(void)state;
	assert_int_equal(said.code, EXIT_FATAL);
	assert_string_equal(said.log, "");
	assert_int_equal(strncmp(said.out, "muster: ", 8), 0);
	forget(&said);
	assert_says(say("muster status --db %s/x.db --format rundeck", folder), EXIT_FINDINGS,
		    "RUNDECK:DATA:muster_hosts_drift=2\n");
	assert_says(say("muster diff --db %s/x.db --format rundeck", folder), EXIT_FATAL,
		    "--format rundeck: not a format of muster diff");
	said = say("muster hosts web[1-2] root@db1:2222 [::1]:22 new --db %s/x.db --format rundeck",
		   folder);
	assert_int_equal(said.code, EXIT_CLEAN);
	assert_non_null(strstr(said.out, "\"web1\":\n  nodename: \"web1\"\n"));
	assert_non_null(strstr(said.out, "  hostname: \"db1:2222\"\n  username: \"root\"\n"));
	assert_non_null(strstr(said.out, "  hostname: \"[::1]:22\"\n"));
	assert_non_null(strstr(said.out, "  muster_state: \"drift\"\n"));
	assert_non_null(strstr(said.out, "  muster_state: \"unreachable\"\n"));
	assert_non_null(strstr(said.out, "  muster_state: \"never\"\n"));
	assert_non_null(strstr(said.out, "  muster_findings_high: \"1\"\n"));
	forget(&said);
}

static void decisions_are_commits(void **state)
{
	char id[FINGERPRINT_SIZE], base[256];

	(void)state;
	find_id(id);
	(void)snprintf(base, sizeof(base), "--baseline %s/b --db %s/x.db", folder, folder);
	assert_says(say("muster init %s/b", folder), EXIT_CLEAN, "Made a baseline in");
	assert_says(say("muster init %s/b", folder), EXIT_FATAL, "  try: ");
	assert_says(say("muster baseline verify --baseline %s/b", folder), EXIT_CLEAN,
		    "0 broken files");
	assert_says(say("muster ack %s %s", id, base), EXIT_FATAL, "--reason TEXT is missing");
	assert_says(say("muster ack %s --reason x %s", id, base), EXIT_FATAL,
		    "--until DATE is missing");
	assert_says(say("muster ack %s --reason x --until soon %s", id, base), EXIT_FATAL,
		    "--until: expected a day");
	assert_says(say("muster ack %s --reason x --until 300d %s", id, base), EXIT_FATAL,
		    "--until: expected a day");
	assert_says(say("muster ack %s --reason CHG+12 --until 30d --hosts web2 %s", id, base),
		    EXIT_CLEAN, "A-0001  ");
	assert_says(say("muster baseline list --baseline %s/b", folder), EXIT_CLEAN,
		    "ack      A-0001");
	assert_says(say("muster accept %s %s", id, base), EXIT_CLEAN, "Accepted, commit ");
	assert_says(say("muster accept %s %s", id, base), EXIT_CLEAN, "Nothing to do");
	assert_says(say("muster baseline list --baseline %s/b", folder), EXIT_CLEAN,
		    "host     web2");
	assert_says(say("muster accept 0123456789abcdef %s", base), EXIT_FATAL, "  try: ");
	assert_says(say("muster accept %s --hosts db1 %s", id, base), EXIT_FATAL,
		    "no open finding of that fingerprint on these hosts");
	assert_says(say("muster accept %s --db %s/x.db", id, folder), EXIT_FATAL,
		    "no baseline is configured");
	assert_says(say("muster baseline capture web1 %s", base), EXIT_CLEAN,
		    "web1: no file disagrees with the host's own package database.");
	assert_says(say("muster baseline capture db1 %s", base), EXIT_FATAL,
		    "nothing is committed: db1: never looked at whole");
	assert_says(say("muster baseline verify --baseline %s/b", folder), EXIT_CLEAN,
		    "0 broken files");
	assert_says(say("muster baseline import /nonexistent.deb --baseline %s/b", folder),
		    EXIT_FATAL, "/nonexistent.deb");
}

static void import_says_what_its_proof_lacks(void **state)
{
	(void)state;
	assert_says(say("muster baseline import --baseline %s/b", folder), EXIT_FATAL,
		    "FILE is missing");
	assert_says(say("muster baseline import x.deb --mirror /tmp --baseline %s/b", folder),
		    EXIT_FATAL, "--mirror finds packages and releases itself");
	assert_says(say("muster baseline import x.deb --release InRelease --baseline %s/b", folder),
		    EXIT_FATAL, "--release without --packages");
	assert_says(say("muster baseline import x.deb --release InRelease --packages P "
			"--baseline %s/b",
			folder),
		    EXIT_FATAL, "the baseline has no keys/keys.yaml");
	assert_says(say("muster baseline import --mirror /tmp --keyring /nonexistent.gpg "
			"--baseline %s/b",
			folder),
		    EXIT_FATAL, "/nonexistent.gpg: No such file");
	assert_says(
		say("muster baseline import --mirror /tmp --keyring /etc/passwd --baseline %s/b",
		    folder),
		EXIT_FATAL, "no OpenPGP public keys");
	assert_says(say("muster baseline import --mirror /tmp --fingerprint 12AB --baseline %s/b",
			folder),
		    EXIT_FATAL, "no whole fingerprint");
}

static void hosts_have_states_and_runs_are_pruned(void **state)
{
	(void)state;
	assert_says(say("muster hosts web[1-3] db1 --db %s/x.db", folder), EXIT_CLEAN,
		    "db1   refused");
	assert_says(say("muster hosts web[1-3] db1 --db %s/x.db", folder), EXIT_CLEAN,
		    "web3  not-asked");
	assert_says(say("muster prune --db %s/x.db", folder), EXIT_FATAL, "--keep N is missing");
	assert_says(say("muster prune --keep 0 --db %s/x.db", folder), EXIT_FATAL,
		    "--keep: expected");
	assert_says(say("muster prune --keep 1 --db %s/none.db", folder), EXIT_FATAL,
		    "no database yet");
	assert_says(say("muster prune --keep 1 --db %s/x.db", folder), EXIT_CLEAN, "Dropped 1 run");
	assert_says(say("muster status --db %s/x.db", folder), EXIT_FINDINGS, "FINDINGS: 1 change");
}

static void missing_things_say_what_to_do(void **state)
{
	(void)state;
	assert_says(say("muster status --db %s/none.db", folder), EXIT_FATAL,
		    "  try: look at a host first: muster check localhost");
	assert_says(say("muster sweep --db %s/y.db", folder), EXIT_FATAL,
		    "muster: sweep: no hosts to look at");
	assert_says(say("muster check @web --db %s/y.db", folder), EXIT_FATAL,
		    "unknown group @web");
	assert_says(say("muster baseline verify --baseline %s/nowhere", folder), EXIT_FATAL,
		    "nowhere");
	assert_says(say("muster version"), EXIT_CLEAN, "libgit2");
}

static void an_empty_word_decides_nothing(void **state)
{
	char base[128], db[128];
	char *argv[] = {"muster", "accept", "", "--baseline", base, "--db", db, NULL};
	struct said said = {0};
	size_t out_len, log_len;
	FILE *out = open_memstream(&said.out, &out_len);
	FILE *log = open_memstream(&said.log, &log_len);

	(void)state;
	assert_non_null(out);
	assert_non_null(log);
	(void)snprintf(base, sizeof(base), "%s/empty", folder);
	(void)snprintf(db, sizeof(db), "%s/x.db", folder);
	assert_says(say("muster init %s", base), EXIT_CLEAN, "Made a baseline in");
	said.code = cmd_run((int)(sizeof(argv) / sizeof(argv[0])) - 1, argv, out, log);
	(void)fclose(out);
	(void)fclose(log);
	assert_says(said, EXIT_FATAL, "an empty word names no finding");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_gives_the_verdict_first),
		cmocka_unit_test(show_takes_runs_hosts_and_findings),
		cmocka_unit_test(diff_takes_runs_that_share_hosts),
		cmocka_unit_test(forgotten_hosts_are_in_no_status),
		cmocka_unit_test(advised_commands_can_be_pasted),
		cmocka_unit_test(reports_go_to_files_whole),
		cmocka_unit_test(rule_is_for_one_user_alone),
		cmocka_unit_test(what_is_no_file_is_not_replaced),
		cmocka_unit_test(a_report_that_fails_leaves_what_was_there),
		cmocka_unit_test(rundeck_has_one_stream),
		cmocka_unit_test(decisions_are_commits),
		cmocka_unit_test(an_empty_word_decides_nothing),
		cmocka_unit_test(import_says_what_its_proof_lacks),
		cmocka_unit_test(hosts_have_states_and_runs_are_pruned),
		cmocka_unit_test(missing_things_say_what_to_do),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

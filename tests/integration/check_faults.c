// SPDX-License-Identifier: MIT
/*
 * `muster check` of one host where one call fails: the n-th allocation, read, write or sync of the
 * whole program, in our code and in the libraries it uses. Each time it has to end in an error (or in
 * the very result that it has without), never in a crash, without an end, or clean; and the database
 * has to be whole.
 *
 *	check_faults [--sites | --all | --at STACK] [--runs N] [KIND...]	KIND: allocation, read, write, sync
 *
 * Without an option one call fails for each place of ours that calls, by itself or through a library;
 * with --sites one for each stack by which a call is come to, which takes minutes; with --all every
 * one, which takes an hour. --runs takes every so many-th of these, --at one stack that was printed.
 *
 * The program is the product, linked once more with calls of ours before those of the C library; each
 * failure is a forked child. It is the probe as well: a small host over standard input and output.
 * Left alone is libuv, where it keeps itself going: it aborts by design where it has no memory for a
 * handle, or cannot write into its own wake-up descriptor.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>
#include <uv.h>

#include "controller/cmd/cmd.h"
#include "controller/cmd/verb.h"
#include "schema/entry.h"
#include "tests/integration/fault_calls.h"
#include "tests/unit/controller/fleet/fake_probe.h"

#define WITHIN_S 30

/* A sanitizer's own exit code is none of the program's. Leaks where memory failed end with the program. */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
	return "exitcode=99:detect_leaks=0";
}

__attribute__((visibility("default"))) const char *__ubsan_default_options(void)
{
	return "exitcode=99:halt_on_error=1";
}

/* The probe */

static void put_entry(struct cbor_writer *w, const char *path, uint8_t content)
{
	struct entry entry = {
		.path = bytes_from_string(path),
		.type = ENTRY_FILE,
		.mode = content % 4 == 0 ? 04755 : 0755,
		.owner = BYTES_LITERAL("root"),
		.group = BYTES_LITERAL("root"),
		.has_size = true,
		.size = 100,
		.has_sha256 = true,
		.has_mtime = true,
		.mtime_s = 1700000000,
		.magic = ENTRY_MAGIC_ELF,
	};

	memset(entry.sha256.bytes, content, DIGEST_SIZE);
	entry_encode(w, &entry);
}

static void furnish(struct fake_probe *probe)
{
	static const char *const dirs[] = {"/etc", "/opt", "/usr/local/bin", "/usr/local/lib"};
	static uint8_t content[4][4096];

	for (unsigned d = 0; d < 4; d++) {
		struct cbor_writer w;

		cbor_writer_init(&w, content[d], sizeof(content[d]));
		for (unsigned i = 0; i < 4; i++) {
			char path[64];

			(void)snprintf(path, sizeof(path), "%s/own%u", dirs[d], i);
			put_entry(&w, path, (uint8_t)(1 + d * 4 + i));
		}
		/* For other tests: one more file, of any name. */
		if (d == 0 && getenv("MUSTER_TEST_NAME")) {
			put_entry(&w, getenv("MUSTER_TEST_NAME"), 40);
		}
		fake_probe_tree(probe, dirs[d], (const char *)content[d], d + 1, d == 1);
		probe->section[probe->count - 1].content_len = w.len;
	}
}

static bool read_all(uint8_t *to, size_t len)
{
	while (len > 0) {
		ssize_t got = read(STDIN_FILENO, to, len);

		if (got <= 0) {
			return false;
		}
		to += got;
		len -= (size_t)got;
	}
	return true;
}

static bool say(struct fake_probe *probe)
{
	struct bytes payload;

	while (fake_probe_next(probe, &payload)) {
		uint8_t head[FRAME_HEAD];

		frame_head((uint32_t)payload.len, head);
		if (write(STDOUT_FILENO, head, sizeof(head)) != (ssize_t)sizeof(head) ||
		    write(STDOUT_FILENO, payload.data, payload.len) != (ssize_t)payload.len) {
			return false;
		}
		if (message_type_of(payload) == MESSAGE_END) {
			return false;
		}
	}
	return true;
}

static int be_probe(void)
{
	static uint8_t frame[FRAME_MAX];
	struct fake_probe probe;
	uint8_t head[FRAME_HEAD];

	fake_probe_init(&probe);
	furnish(&probe);
	fake_probe_start(&probe);
	while (say(&probe) && read_all(head, sizeof(head))) {
		size_t len = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 |
			     head[3];

		if (len > sizeof(frame) || !read_all(frame, len)) {
			break;
		}
		fake_probe_receive(&probe, bytes_make(frame, len));
	}
	fake_probe_clear(&probe);
	return 0;
}

/* One run */

struct bed {
	char folder[64];
	char database[96];
	char out[96];
	char log[96];
};

static void put_path(char *to, size_t room, const struct bed *bed, const char *name)
{
	(void)snprintf(to, room, "%s/%s", bed->folder, name);
}

static void forget(const struct bed *bed)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-lock", "-journal"};
	char path[128];

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", bed->database, suffixes[i]);
		(void)unlink(path);
	}
}

/* What fails: the `at`-th call (0: none), or where a stack is given the first by way of that. */
struct fault {
	long at;
	uint64_t stack;
};

static int check(const struct bed *bed, enum fault_kind kind, const struct fault *fault)
{
	char database[96], name[] = "muster", verb[] = "check", host[] = "localhost";
	char become[] = "--become", none[] = "none", db[] = "--db", format[] = "--format";
	char ndjson[] = "ndjson";
	char *args[] = {name, verb, host, become, none, db, database, format, ndjson, NULL};
	FILE *out = fopen(bed->out, "w"), *log = fopen(bed->log, "w");
	int code;

	if (!out || !log) {
		return 99;
	}
	(void)snprintf(database, sizeof(database), "%s", bed->database);
	if (fault->stack != 0) {
		fault_arm_site(kind, fault->stack);
	} else {
		fault_arm(kind, fault->at);
	}
	code = cmd_run((int)(sizeof(args) / sizeof(args[0])) - 1, args, out, log);
	/* As main does when it returns. */
	if (fclose(out) != 0 && code == 0) {
		code = EXIT_FATAL;
	}
	(void)fclose(log);
	fault_disarm();
	return code;
}

struct outcome_of_run {
	int code;      /* exit code, or -1 */
	int signal;    /* it died of this */
	bool late;     /* had to be ended */
	bool failed;   /* the call was reached */
	long counted;  /* calls of that kind, where none failed */
	int state;     /* of the host: rows in the database with state findings */
	char why[128]; /* what is wrong with the database */
};

/* Shared with the children. */
static struct fault_report *report;

static void run(const struct bed *bed, enum fault_kind kind, const struct fault *fault, bool learns,
		struct outcome_of_run *o)
{
	struct timespec tick = {.tv_nsec = 1000000};
	int status = 0;
	pid_t child;

	*o = (struct outcome_of_run){.code = -1};
	forget(bed);
	memset(report, 0, offsetof(struct fault_report, site));
	report->learns = learns;
	child = fork();
	if (child == 0) {
		fault_report_to(report);
		_exit(check(bed, kind, fault));
	}
	for (long waited = 0; waitpid(child, &status, WNOHANG) == 0; waited++) {
		if (waited > WITHIN_S * 1000L) {
			o->late = true;
			(void)kill(child, SIGKILL);
		}
		(void)nanosleep(&tick, NULL);
	}
	o->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	o->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	o->failed = atomic_load(&report->failed) > 0;
	o->counted = atomic_load(&report->count);
}

static int ask(sqlite3 *db, const char *sql, char *text, size_t room)
{
	sqlite3_stmt *statement = NULL;
	int number = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW) {
		number = sqlite3_column_int(statement, 0);
		(void)snprintf(text, room, "%s", (const char *)sqlite3_column_text(statement, 0));
	} else {
		(void)snprintf(text, room, "%s", sqlite3_errmsg(db));
	}
	(void)sqlite3_finalize(statement);
	return number;
}

/* -1: no row of this host. */
static void look_at_database(const struct bed *bed, struct outcome_of_run *o)
{
	struct stat st;
	sqlite3 *db = NULL;
	char text[128];

	o->state = -1;
	if (stat(bed->database, &st) < 0 || st.st_size == 0) {
		return; /* it never came to one */
	}
	if (sqlite3_open_v2(bed->database, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
		(void)snprintf(o->why, sizeof(o->why), "%s", sqlite3_errmsg(db));
	} else {
		(void)ask(db, "PRAGMA integrity_check", o->why, sizeof(o->why));
		if (strcmp(o->why, "ok") == 0) {
			o->why[0] = '\0';
		}
		if (ask(db, "SELECT count(*) FROM pragma_foreign_key_check", text, sizeof(text)) >
		    0) {
			(void)snprintf(o->why, sizeof(o->why), "%s", "foreign keys are broken");
		}
		if (ask(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'v_findings'", text,
			sizeof(text)) > 0) {
			o->state = ask(db, "SELECT count(*) FROM v_findings", text, sizeof(text));
		}
	}
	(void)sqlite3_close(db);
}

/* The sweep */

struct sums {
	long runs, errors, absorbed, unreached, wrong;
};

/* NULL where all is as it has to be. */
static const char *judge(const struct outcome_of_run *o, const struct outcome_of_run *good)
{
	if (o->late) {
		return "had no end";
	}
	if (o->signal) {
		return "died";
	}
	if (o->why[0]) {
		return o->why;
	}
	if (o->code == EXIT_FATAL || o->code == EXIT_INCOMPLETE) {
		return NULL;
	}
	/* What it could do without: then all of the result is there. */
	return o->code == good->code && o->state == good->state ? NULL : "ended as if nothing were";
}

static void show_log(const struct bed *bed)
{
	char line[512];
	FILE *log = fopen(bed->log, "r");

	for (unsigned i = 0; log && i < 12 && fgets(line, sizeof(line), log); i++) {
		(void)printf("	%s", line);
	}
	if (log) {
		(void)fclose(log);
	}
}

static void try_one(const struct bed *bed, enum fault_kind kind, const struct fault_site *site,
		    const struct outcome_of_run *good, struct sums *sums)
{
	struct fault fault = {.at = site->first};
	struct outcome_of_run o;
	const char *wrong;

	run(bed, kind, &fault, false, &o);
	if (site->stack != 0 && report->failed_site != site->stack) {
		/* Threads took their turns otherwise. */
		fault.stack = site->stack;
		run(bed, kind, &fault, false, &o);
	}
	look_at_database(bed, &o);
	wrong = judge(&o, good);
	sums->runs++;
	sums->unreached += !o.failed;
	sums->errors += !wrong && o.failed && o.code != good->code;
	sums->absorbed += !wrong && o.failed && o.code == good->code;
	if (wrong) {
		sums->wrong++;
		(void)printf("FAIL %s %ld by %#" PRIx64 ": %s (exit %d, signal %d, %d findings)\n",
			     fault_kind_name(kind), site->first, site->stack, wrong, o.code,
			     o.signal, o.state);
		show_log(bed);
		(void)fflush(stdout);
		/* Of a child with the same layout of memory. */
		backtrace_symbols_fd(report->failed_at, report->failed_depth, STDOUT_FILENO);
	}
}

static enum which { EACH_PLACE, EACH_SITE, EACH_CALL } which;

static bool is_new_place(const struct fault_site *site, long count)
{
	for (long i = 0; i < count; i++) {
		if (site[i].ours == site[count].ours) {
			return false;
		}
	}
	return true;
}

/* What is to fail, of what the report has learnt: freed by the caller. */
static struct fault_site *choose(long calls, long *count)
{
	long most = which == EACH_CALL ? calls : report->site_count;
	struct fault_site *chosen = calloc((size_t)most + 1, sizeof(*chosen));

	*count = 0;
	for (long i = 0; chosen && i < most; i++) {
		if (which == EACH_CALL) {
			chosen[(*count)++].first = i + 1;
		} else if (which == EACH_SITE || is_new_place(report->site, i)) {
			chosen[(*count)++] = report->site[i];
		}
	}
	return chosen;
}

static int sweep(const struct bed *bed, enum fault_kind kind, long runs_at_most, uint64_t only)
{
	static const char *const names[] = {"places", "stacks", "calls"};
	struct fault_site *chosen, one = {.stack = only, .first = -1};
	struct outcome_of_run good;
	struct sums sums = {0};
	long count, stacks, stride;

	run(bed, kind, &(struct fault){0}, true, &good);
	look_at_database(bed, &good);
	stacks = report->site_count;
	chosen = choose(good.counted, &count);
	if (good.code != EXIT_FINDINGS || good.state <= 0 || count == 0 || stacks == FAULT_SITES) {
		(void)printf("FAIL without a fault: exit %d, %d findings, %ld calls\n", good.code,
			     good.state, good.counted);
		show_log(bed);
		free(chosen);
		return 1;
	}
	stride = runs_at_most > 0 ? (count + runs_at_most - 1) / runs_at_most : 1;
	for (long i = 0; i < (only ? 1 : count); i += stride) {
		try_one(bed, kind, only ? &one : &chosen[i], &good, &sums);
	}
	(void)printf("%-10s %ld calls by %ld stacks, %ld %s: %ld runs, %ld ended in an error, %ld "
		     "did without, %ld were not reached, %ld wrong\n",
		     fault_kind_name(kind), good.counted, stacks, count, names[which], sums.runs,
		     sums.errors, sums.absorbed, sums.unreached, sums.wrong);
	(void)fflush(stdout);
	free(chosen);
	return sums.wrong > 0 || (!only && sums.errors == 0);
}

int main(int argc, char **argv)
{
	static const char *const files[] = {"out", "log"};
	struct bed bed = {.folder = "/tmp/muster-faults.XXXXXX"};
	bool wanted[FAULT_KINDS] = {false}, any = false;
	long runs_at_most = 0;
	uint64_t only = 0;
	int bad = 0;
	char path[128];

	if (argc == 2 && strcmp(argv[1], "--stdio") == 0) {
		return be_probe();
	}
	for (int i = 1; i < argc; i++) {
		bool is_kind = false;

		for (unsigned k = 0; k < FAULT_KINDS; k++) {
			if (strcmp(argv[i], fault_kind_name((enum fault_kind)k)) == 0) {
				wanted[k] = any = is_kind = true;
			}
		}
		if (strcmp(argv[i], "--all") == 0) {
			which = EACH_CALL;
		} else if (strcmp(argv[i], "--sites") == 0) {
			which = EACH_SITE;
		} else if (strcmp(argv[i], "--at") == 0 && i + 1 < argc) {
			only = strtoull(argv[++i], NULL, 16);
		} else if (strcmp(argv[i], "--runs") == 0 && i + 1 < argc) {
			runs_at_most = strtol(argv[++i], NULL, 10);
		} else if (!is_kind) {
			(void)fprintf(
				stderr,
				"usage: check_faults [--sites | --all | --at STACK] [--runs N] "
				"[allocation|read|write|sync ...]\n");
			return 2;
		}
	}
	/* Stacks are known by their addresses: let those be the same each time. */
	if (!(personality(0xffffffff) & ADDR_NO_RANDOMIZE) && personality(ADDR_NO_RANDOMIZE) >= 0) {
		(void)execv("/proc/self/exe", argv);
	}
	report = fault_report_new();
	if (!report || !mkdtemp(bed.folder)) {
		return 99;
	}
	put_path(bed.database, sizeof(bed.database), &bed, "m.db");
	put_path(bed.out, sizeof(bed.out), &bed, "out");
	put_path(bed.log, sizeof(bed.log), &bed, "log");
	(void)setenv("HOME", bed.folder, 1);
	(void)setenv("XDG_CONFIG_HOME", bed.folder, 1);
	(void)setenv("XDG_STATE_HOME", bed.folder, 1);
	(void)unsetenv("MUSTER_CONFIG");
	for (unsigned k = 0; k < FAULT_KINDS; k++) {
		if (!any || wanted[k]) {
			bad |= sweep(&bed, (enum fault_kind)k, runs_at_most, only);
		}
	}
	forget(&bed);
	for (size_t i = 0; i < 2; i++) {
		put_path(path, sizeof(path), &bed, files[i]);
		(void)unlink(path);
	}
	(void)rmdir(bed.folder);
	return bad;
}

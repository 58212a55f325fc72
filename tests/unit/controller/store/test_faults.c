// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/controller/store/fault_vfs.h"
#include "tests/unit/controller/store/host_maker.h"

#define T0 1760000000
#define HOSTS 3

static struct host_maker maker;
/* Of how many operations one is made to fail: all of them take minutes under the sanitizers. */
static long stride = 5;

static void make_host(int host, int night)
{
	char name[16], content[32];

	(void)snprintf(name, sizeof(name), "web%03d", host);
	host_maker_start(&maker, "", T0 + night);
	maker.host.name = arena_string(&maker.arena, name);
	for (int i = 0; i < 12; i++) {
		(void)snprintf(name, sizeof(name), "p%d", i);
		(void)snprintf(content, sizeof(content), "%s of %d", name, i % 7 ? 0 : night);
		host_maker_text(&maker, SECTION_PACKAGE, name, content);
	}
	(void)snprintf(content, sizeof(content), "own of %d in %d", host, night);
	host_maker_text(&maker, SECTION_TREE, "/etc", content);
	host_maker_finding(&maker, "00000000000000a1", "/usr/bin/login");
	host_maker_finding(&maker, night % 2 ? "00000000000000a2" : "00000000000000a3", "/etc/x");
}

/* Puts the hosts; *done counts those that were reported done. Returns -1 at the first fault. */
static int sweep(const char *path, int night, int *done, int report, struct error *err)
{
	struct store *store = NULL;
	struct store_run run = {.kind = "sweep", .started_s = T0 + night};
	int result = -1;

	*done = 0;
	if (store_open(path, STORE_WRITE, &store, err)) {
		return -1;
	}
	if (store_run_begin(store, &run, err)) {
		goto out;
	}
	for (int h = 0; h < HOSTS; h++) {
		make_host(h, night);
		if (host_maker_put(&maker, store, &run, err)) {
			goto out;
		}
		(*done)++;
		if (report >= 0 && write(report, "x", 1) != 1) {
			goto out;
		}
	}
	run.finished_s = T0 + night + 1;
	result = store_run_end(store, &run, err);
out:
	store_close(store);
	host_maker_clear(&maker);
	return result;
}

/* Every host that was reported done is whole in the run of that night, and no half one is. */
static void assert_kept(const char *path, int night, int done)
{
	struct store *store = open_store(path, STORE_READ);
	struct observation *kept = NULL;
	struct error err = {0};
	char sql[256];

	for (int h = 0; h < HOSTS; h++) {
		make_host(h, night);
		if (store_observation_load(store, maker.host.name, STORE_LATEST, &kept, &err)) {
			fail_msg("%s", err.msg);
		}
		if (h < done) {
			assert_non_null(kept);
			assert_int_equal(kept->section_count, maker.observation.section_count);
		}
		for (size_t i = 0; kept && i < kept->section_count; i++) {
			uint8_t *data = NULL;
			size_t len;

			if (store_object_load(store, &kept->sections[i].content, &data, &len,
					      &err)) {
				fail_msg("%s", err.msg);
			}
			free(data);
		}
		store_observation_free(kept);
	}
	store_close(store);
	host_maker_clear(&maker);
	(void)snprintf(sql, sizeof(sql),
		       "SELECT count(*) FROM host_run JOIN run ON run.id = host_run.run "
		       "WHERE run.started = %d",
		       T0 + night);
	assert_in_range(ask_number(path, sql), done, HOSTS);
	/* Findings of a host are there as often as it was put. */
	assert_int_equal(ask_number(path,
				    "SELECT count(*) FROM host h WHERE latest IS NOT NULL AND 2 <> "
				    "(SELECT count(*) FROM interval i WHERE i.host = h.id "
				    "AND until_run IS NULL)"),
			 0);
}

static void copy(const char *from, const char *to)
{
	static char room[1 << 16];
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
	size_t n;

	assert_non_null(in);
	assert_non_null(out);
	while ((n = fread(room, 1, sizeof(room), in)) > 0) {
		assert_int_equal(fwrite(room, 1, n, out), n);
	}
	assert_int_equal(fclose(in), 0);
	assert_int_equal(fclose(out), 0);
}

struct bed {
	struct place place;
	char base[160]; /* one whole night */
	long operations;
};

static void make_bed(struct bed *bed)
{
	struct error err = {0};
	int done;

	place_make(&bed->place);
	(void)snprintf(bed->base, sizeof(bed->base), "%s/base", bed->place.folder);
	fault_vfs_install();
	fault_vfs_arm(FAULT_NONE, 0);
	if (sweep(bed->base, 0, &done, -1, &err)) {
		fail_msg("%s", err.msg);
	}
	copy(bed->base, bed->place.path);
	fault_vfs_arm(FAULT_NONE, 0);
	assert_int_equal(sweep(bed->place.path, 1, &done, -1, &err), 0);
	bed->operations = fault_vfs_count();
	assert_true(bed->operations > 20);
}

static void fresh(const struct bed *bed)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-lock"};
	char name[192];

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", bed->place.path, suffixes[i]);
		(void)unlink(name);
	}
	copy(bed->base, bed->place.path);
}

static void after(const struct bed *bed, int done, bool go_on)
{
	struct error err = {0};
	int all;

	fault_vfs_arm(FAULT_NONE, 0);
	assert_kept(bed->place.path, 1, done);
	assert_sound(bed->place.path);
	if (!go_on) {
		return;
	}
	if (sweep(bed->place.path, 2, &all, -1, &err)) {
		fail_msg("%s", err.msg);
	}
	assert_kept(bed->place.path, 2, HOSTS);
	assert_sound(bed->place.path);
}

static void every_failing_write_is_a_store_error_and_keeps_what_was_done(void **state)
{
	static const enum fault faults[] = {FAULT_FULL, FAULT_ERROR, FAULT_TORN};
	struct bed bed;

	(void)state;
	make_bed(&bed);
	for (size_t f = 0; f < sizeof(faults) / sizeof(faults[0]); f++) {
		int failed = 0;

		for (long at = 1 + (long)f; at <= bed.operations; at += stride) {
			struct error err = {0};
			int done = 0;

			fresh(&bed);
			fault_vfs_arm(faults[f], at);
			if (sweep(bed.place.path, 1, &done, -1, &err)) {
				assert_int_equal(err.kind, ERROR_STORE);
				assert_non_null(strstr(err.msg, bed.place.path));
				failed++;
			}
			after(&bed, done, at % 3 == 0);
		}
		/* What fails in the last checkpoint, when all is in the log, is no fault of a run. */
		assert_in_range(failed, bed.operations / stride / 2, bed.operations);
	}
	place_remove(&bed.place);
}

static int in_child(const struct bed *bed, enum fault fault, long at)
{
	int pipes[2], status, done = 0, count = 0;
	struct error err = {0};
	char byte;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(pipes[0]);
		fault_vfs_arm(fault, at);
		(void)sweep(bed->place.path, 1, &done, pipes[1], &err);
		(void)kill(getpid(), SIGKILL); /* without the leak check of a parent's memory */
	}
	(void)close(pipes[1]);
	while (read(pipes[0], &byte, 1) == 1) {
		count++;
	}
	(void)close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return count;
}

static void killed_at_any_write_nothing_done_is_lost(void **state)
{
	struct bed bed;

	(void)state;
	make_bed(&bed);
	for (long at = 1; at <= bed.operations; at += stride) {
		fresh(&bed);
		after(&bed, in_child(&bed, at % 2 ? FAULT_KILL : FAULT_KILL_TORN, at), at % 3 == 0);
	}
	place_remove(&bed.place);
}

static void killed_while_the_file_is_made_it_is_made_again(void **state)
{
	struct bed bed;
	struct error err = {0};
	long operations;
	int done;

	(void)state;
	make_bed(&bed);
	fresh(&bed);
	(void)unlink(bed.place.path);
	fault_vfs_arm(FAULT_NONE, 0);
	store_close(open_store(bed.place.path, STORE_WRITE));
	operations = fault_vfs_count();
	for (long at = 1; at <= operations; at += stride) {
		fresh(&bed);
		(void)unlink(bed.place.path);
		(void)in_child(&bed, FAULT_KILL_TORN, at);
		fault_vfs_arm(FAULT_NONE, 0);
		if (sweep(bed.place.path, 2, &done, -1, &err)) {
			fail_msg("%s", err.msg);
		}
		assert_kept(bed.place.path, 2, HOSTS);
		assert_sound(bed.place.path);
	}
	place_remove(&bed.place);
}

static void prune_that_fails_changes_nothing(void **state)
{
	struct bed bed;
	struct store_pruned pruned;
	long operations;
	int done;

	(void)state;
	make_bed(&bed);
	for (int night = 1; night < 4; night++) {
		struct error err = {0};

		assert_int_equal(sweep(bed.base, night, &done, -1, &err), 0);
	}
	operations = 100;
	for (long at = 1; at <= operations; at += stride) {
		struct error err = {0};
		struct store *store;

		fresh(&bed);
		store = open_store(bed.place.path, STORE_WRITE);
		fault_vfs_arm(FAULT_ERROR, at);
		if (store_prune(store, 2, &pruned, &err)) {
			assert_int_equal(err.kind, ERROR_STORE);
		}
		operations = fault_vfs_count() < at ? 0 : operations;
		fault_vfs_arm(FAULT_NONE, 0);
		store_close(store);
		assert_kept(bed.place.path, 3, HOSTS);
		assert_sound(bed.place.path);
	}
	assert_int_equal(operations, 0); /* all of them were tried */
	place_remove(&bed.place);
}

static void file_size_limit_is_told_as_no_room(void **state)
{
	struct rlimit limit, old;
	struct error err = {0};
	struct bed bed;
	int done;

	(void)state;
	make_bed(&bed);
	fresh(&bed);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	limit = (struct rlimit){.rlim_cur = 60000, .rlim_max = old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(sweep(bed.place.path, 1, &done, -1, &err), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(err.kind, ERROR_STORE);
	assert_non_null(strstr(err.msg, "no room left"));
	after(&bed, done, true);
	place_remove(&bed.place);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_failing_write_is_a_store_error_and_keeps_what_was_done),
		cmocka_unit_test(killed_at_any_write_nothing_done_is_lost),
		cmocka_unit_test(killed_while_the_file_is_made_it_is_made_again),
		cmocka_unit_test(prune_that_fails_changes_nothing),
		cmocka_unit_test(file_size_limit_is_told_as_no_room),
	};

	if (argc > 1 && strcmp(argv[1], "all") == 0) {
		stride = 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

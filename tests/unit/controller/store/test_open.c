// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/controller/store/host_maker.h"

#define T0 1760000000

static struct host_maker maker;

struct whole_file {
	uint8_t *data;
	size_t len;
};

static struct whole_file slurp(const char *path)
{
	struct whole_file file = {malloc(4 << 20), 0};
	FILE *in = fopen(path, "rb");

	assert_non_null(in);
	assert_non_null(file.data);
	file.len = fread(file.data, 1, 4 << 20, in);
	(void)fclose(in);
	return file;
}

static void spit(const char *path, const void *data, size_t len)
{
	FILE *out = fopen(path, "wb");

	assert_non_null(out);
	assert_int_equal(fwrite(data, 1, len, out), len);
	assert_int_equal(fclose(out), 0);
}

static void make_database(const char *path)
{
	struct store *store = open_store(path, STORE_WRITE);
	struct store_run run = begin_run(store, T0);
	struct error err = {0};

	host_maker_start(&maker, "web001", T0);
	for (int i = 0; i < 40; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "p%d", i);
		host_maker_text(&maker, SECTION_PACKAGE, name, name);
	}
	assert_int_equal(host_maker_put(&maker, store, &run, &err), 0);
	end_run(store, &run, T0 + 1);
	store_close(store);
	host_maker_clear(&maker);
}

/* Refused for both, with this word in the message, and not a byte of it changed. */
static void assert_refused(const char *path, const char *word)
{
	struct whole_file before = slurp(path), after;
	struct store *store = NULL;

	for (int mode = 0; mode < 2; mode++) {
		struct error err = {0};

		assert_int_equal(store_open(path, mode ? STORE_WRITE : STORE_READ, &store, &err),
				 -1);
		assert_int_equal(err.kind, ERROR_STORE);
		if (!strstr(err.msg, word) || !strstr(err.msg, path)) {
			fail_msg("no `%s` and path in: %s", word, err.msg);
		}
		after = slurp(path);
		assert_int_equal(before.len, after.len);
		assert_memory_equal(before.data, after.data, before.len);
		free(after.data);
	}
	free(before.data);
}

static void what_is_no_database_is_refused(void **state)
{
	static const char text[] =
		"hosts:\n  - web001\n  - web002\n# a list that somebody named by "
		"mistake, longer than a database's header of 100 bytes\n";
	struct place place;

	(void)state;
	place_make(&place);
	spit(place.path, text, sizeof(text));
	assert_refused(place.path, "not a database");
	spit(place.path, "short", 5);
	assert_refused(place.path, "not a database");
	place_remove(&place);
}

static void newer_layout_is_refused(void **state)
{
	struct place place;

	(void)state;
	place_make(&place);
	make_database(place.path);
	(void)ask_number(place.path, "PRAGMA user_version = 99");
	assert_refused(place.path, "newer muster");
	place_remove(&place);
}

static void newer_layout_in_the_log_is_refused_and_the_log_kept(void **state)
{
	struct whole_file wal, after;
	struct store *store = NULL;
	struct error err = {0};
	struct place place;
	sqlite3 *db = NULL;
	char log[160];
	pid_t pid;
	int status;

	(void)state;
	place_make(&place);
	make_database(place.path);
	(void)snprintf(log, sizeof(log), "%s-wal", place.path);
	pid = fork();
	if (pid == 0) {
		(void)sqlite3_open(place.path, &db);
		(void)sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL);
		(void)kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	wal = slurp(log);
	assert_true(wal.len > 0);
	assert_int_equal(store_open(place.path, STORE_WRITE, &store, &err), -1);
	assert_non_null(strstr(err.msg, "newer muster"));
	after = slurp(log);
	assert_int_equal(wal.len, after.len);
	assert_memory_equal(wal.data, after.data, wal.len);
	free(wal.data);
	free(after.data);
	place_remove(&place);
}

static void database_of_another_program_is_refused(void **state)
{
	struct place place;
	sqlite3 *db = NULL;

	(void)state;
	place_make(&place);
	assert_int_equal(sqlite3_open(place.path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE moz_places (id)", NULL, NULL, NULL),
			 SQLITE_OK);
	(void)sqlite3_close(db);
	assert_refused(place.path, "another program");
	place_remove(&place);
}

static void truncated_database_is_refused(void **state)
{
	struct place place;
	struct whole_file file;

	(void)state;
	place_make(&place);
	make_database(place.path);
	file = slurp(place.path);
	for (size_t len = 100; len < file.len; len += 4096 + 100) {
		spit(place.path, file.data, len);
		assert_refused(place.path, "truncated");
	}
	free(file.data);
	place_remove(&place);
}

static int no_row(void *context, const struct store_host_row *row)
{
	(void)context;
	(void)row;
	return 0;
}

/* Whatever is overwritten: an error that says so, or it did not matter; never a crash. */
static void damaged_pages_are_told_and_never_followed(void **state)
{
	struct observation *kept = NULL;
	struct whole_file file;
	struct place place;
	int told = 0;

	(void)state;
	place_make(&place);
	make_database(place.path);
	file = slurp(place.path);
	for (size_t page = 0; page * 4096 < file.len; page++) {
		struct store *store = NULL;
		struct error err = {0};
		uint8_t saved[4096];

		memcpy(saved, file.data + page * 4096, sizeof(saved));
		memset(file.data + page * 4096 + (page == 0 ? 100 : 0), (int)page % 3 ? 0xa5 : 0,
		       page == 0 ? 3996 : 4096);
		spit(place.path, file.data, file.len);
		if (store_open(place.path, STORE_READ, &store, &err) ||
		    store_hosts(store, 0, no_row, NULL, &err) ||
		    store_observation_load(store, "web001", STORE_LATEST, &kept, &err)) {
			assert_int_equal(err.kind, ERROR_STORE);
			assert_true(strlen(err.msg) > 0);
			told++;
		}
		store_observation_free(kept);
		kept = NULL;
		store_close(store);
		memcpy(file.data + page * 4096, saved, sizeof(saved));
	}
	assert_true(told > 5);
	free(file.data);
	place_remove(&place);
}

static void second_writer_is_told_of_the_first(void **state)
{
	struct store *store, *other = NULL, *reader;
	struct error err = {0};
	struct place place;
	char pid[32];

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	(void)snprintf(pid, sizeof(pid), "pid %ld, since 2", (long)getpid());
	/* Twice: who came second leaves the first one's name where it is. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(store_open(place.path, STORE_WRITE, &other, &err), -1);
		assert_int_equal(err.kind, ERROR_STORE);
		assert_non_null(strstr(err.msg, pid));
	}
	reader = open_store(place.path, STORE_READ); /* readers are never kept out */
	store_close(reader);
	store_close(store);
	store_close(open_store(place.path, STORE_WRITE));
	place_remove(&place);
}

static void locked_by_a_shell_is_told(void **state)
{
	struct store *store;
	struct store_run run = {.kind = "check", .started_s = T0};
	struct error err = {0};
	struct place place;
	sqlite3 *db = NULL;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	assert_int_equal(sqlite3_open(place.path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(store_run_begin(store, &run, &err), -1);
	assert_int_equal(err.kind, ERROR_STORE);
	assert_non_null(strstr(err.msg, "locked by another program"));
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(store_run_begin(store, &run, &err), 0);
	(void)sqlite3_close(db);
	store_close(store);
	place_remove(&place);
}

static void missing_file_is_not_made_by_a_reader(void **state)
{
	struct store *store = NULL;
	struct error err = {0};
	struct place place;

	(void)state;
	place_make(&place);
	assert_int_equal(store_open(place.path, STORE_READ, &store, &err), -1);
	assert_int_equal(err.kind, ERROR_STORE);
	assert_int_equal(access(place.path, F_OK), -1);
	assert_int_equal(store_open("/nowhere/at/all.db", STORE_WRITE, &store, &err), -1);
	assert_non_null(strstr(err.msg, "/nowhere/at/all.db"));
	assert_int_equal(store_open(place.folder, STORE_WRITE, &store, &err), -1);
	assert_non_null(strstr(err.msg, "regular"));
	place_remove(&place);
}

/* In a mount namespace of its own, so that nothing is left behind: 0 well, 1 failed, 2 cannot. */
static int in_own_mounts(int (*body)(const char *folder), const char *folder)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int result = 2;

		if (unshare(CLONE_NEWNS) == 0 &&
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		    mount("tmpfs", folder, "tmpfs", 0, "size=1m") == 0) {
			result = body(folder);
		}
		/* Without the leak check of the parent's memory. */
		(void)fflush(NULL);
		(void)execl("/bin/sh", "sh", "-c",
			    result == 0   ? ":"
			    : result == 1 ? "false"
					  : "(exit 2)",
			    (char *)NULL);
		(void)kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int fill_the_disk(const char *folder)
{
	struct store *store = NULL;
	struct error err = {0};
	struct store_run run = {.kind = "sweep", .started_s = T0};
	char path[128], name[16];
	int done = 0, result = 0;

	(void)snprintf(path, sizeof(path), "%s/m.db", folder);
	if (store_open(path, STORE_WRITE, &store, &err) || store_run_begin(store, &run, &err)) {
		return 1;
	}
	for (; done < 500 && result == 0; done += result == 0) {
		uint8_t noise[2000];
		uint32_t x = (uint32_t)done + 1;

		for (size_t i = 0; i < sizeof(noise); i++) {
			x = x * 1664525U + 1013904223U;
			noise[i] = (uint8_t)(x >> 24);
		}
		(void)snprintf(name, sizeof(name), "web%03d", done);
		host_maker_start(&maker, name, T0);
		host_maker_section(&maker, SECTION_TREE, "/etc", "", "", "",
				   bytes_make(noise, sizeof(noise)));
		result = host_maker_put(&maker, store, &run, &err);
	}
	store_close(store);
	return result == -1 && err.kind == ERROR_STORE && strstr(err.msg, "no room left") &&
			       done > 5 &&
			       ask_number(path, "SELECT count(*) FROM host_run") == done &&
			       ask_number(path, "SELECT count(*) FROM pragma_integrity_check "
						"WHERE integrity_check = 'ok'") == 1
		       ? 0
		       : 1;
}

static int make_it_read_only(const char *folder)
{
	struct store *store = NULL;
	struct observation *kept = NULL;
	struct error err = {0};
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/m.db", folder);
	make_database(path);
	if (mount(NULL, folder, NULL, MS_REMOUNT | MS_RDONLY, NULL) != 0) {
		return 2;
	}
	if (store_open(path, STORE_WRITE, &store, &err) == 0 || err.kind != ERROR_STORE ||
	    !strstr(err.msg, "read-only")) {
		return 1;
	}
	if (store_open(path, STORE_READ, &store, &err) ||
	    store_observation_load(store, "web001", STORE_LATEST, &kept, &err) || !kept) {
		return 1;
	}
	return 0;
}

static void on_a_mount(int (*body)(const char *folder))
{
	struct place place;
	int result;

	place_make(&place);
	result = in_own_mounts(body, place.folder);
	place_remove(&place);
	if (result == 2) {
		print_message("skipped: cannot mount here\n");
		skip();
	}
	assert_int_equal(result, 0);
}

static void full_disk_is_told_and_finished_hosts_are_kept(void **state)
{
	(void)state;
	on_a_mount(fill_the_disk);
}

static void read_only_file_system_can_be_read_and_not_written(void **state)
{
	(void)state;
	on_a_mount(make_it_read_only);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_database_is_refused),
		cmocka_unit_test(newer_layout_is_refused),
		cmocka_unit_test(newer_layout_in_the_log_is_refused_and_the_log_kept),
		cmocka_unit_test(database_of_another_program_is_refused),
		cmocka_unit_test(truncated_database_is_refused),
		cmocka_unit_test(damaged_pages_are_told_and_never_followed),
		cmocka_unit_test(second_writer_is_told_of_the_first),
		cmocka_unit_test(locked_by_a_shell_is_told),
		cmocka_unit_test(missing_file_is_not_made_by_a_reader),
		cmocka_unit_test(full_disk_is_told_and_finished_hosts_are_kept),
		cmocka_unit_test(read_only_file_system_can_be_read_and_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

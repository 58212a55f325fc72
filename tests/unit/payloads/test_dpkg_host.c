// SPDX-License-Identifier: MIT
/*
 * Holds the dpkg reader against dpkg's own on this machine's real database: what is installed, every
 * path of every package, every diversion. Skips, and says so, where dpkg is absent.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "payloads/package_db.h"
#include "payloads/package_paths.h"

struct lines {
	char **line;
	size_t count;
	size_t room;
};

static void lines_add(struct lines *lines, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void lines_add(struct lines *lines, const char *format, ...)
{
	va_list args;
	char text[3 * 4096];

	if (lines->count == lines->room) {
		lines->room = lines->room ? lines->room * 2 : 1024;
		lines->line = realloc(lines->line, lines->room * sizeof(char *));
		assert_non_null(lines->line);
	}
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	lines->line[lines->count] = strdup(text);
	assert_non_null(lines->line[lines->count]);
	lines->count++;
}

static void lines_clear(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		free(lines->line[i]);
	}
	free(lines->line);
	memset(lines, 0, sizeof(*lines));
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, each once. */
static void lines_sort(struct lines *lines)
{
	size_t to = 0;

	if (lines->count == 0) {
		return;
	}
	qsort(lines->line, lines->count, sizeof(char *), compare);
	for (size_t i = 1; i < lines->count; i++) {
		if (strcmp(lines->line[to], lines->line[i]) == 0) {
			free(lines->line[i]);
		} else {
			lines->line[++to] = lines->line[i];
		}
	}
	lines->count = to + 1;
}

static void lines_assert_equal(const struct lines *ours, const struct lines *theirs)
{
	for (size_t i = 0; i < ours->count && i < theirs->count; i++) {
		assert_string_equal(ours->line[i], theirs->line[i]);
	}
	assert_int_equal(ours->count, theirs->count);
}

/* What a program prints, line by line. False where it is not there. */
static bool run(char *const argv[], struct lines *lines)
{
	int pipe_fd[2];
	int status;
	pid_t child;
	FILE *from;
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	assert_int_equal(pipe(pipe_fd), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)dup2(pipe_fd[1], STDOUT_FILENO);
		(void)close(pipe_fd[0]);
		(void)close(pipe_fd[1]);
		(void)setenv("LC_ALL", "C", 1);
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	(void)close(pipe_fd[1]);
	from = fdopen(pipe_fd[0], "r");
	assert_non_null(from);
	while ((len = getline(&line, &room, from)) > 0) {
		line[len - (line[len - 1] == '\n')] = '\0';
		lines_add(lines, "%s", line);
	}
	free(line);
	(void)fclose(from);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static struct package_db *db;
static struct path_aliases aliases;

static int setup(void **state)
{
	struct lines lines = {NULL, 0, 0};
	char *argv[] = {(char[]){"dpkg-query"}, (char[]){"--version"}, NULL};
	bool has_dpkg = run(argv, &lines);
	struct package_db_host host = {.root_fd = open("/", O_RDONLY | O_DIRECTORY)};

	(void)state;
	lines_clear(&lines);
	path_aliases_read(&aliases, host.root_fd);
	if (!has_dpkg || package_db_open(&package_db_dpkg, &host, &db) != PACKAGE_DB_FOUND) {
		print_message("SKIP: no dpkg database on this machine\n");
		db = NULL;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	package_db_close(db);
	return 0;
}

static void need_db(void)
{
	if (!db) {
		skip();
	}
}

#define BYTES(b) (int)(b).len, (const char *)(b).data

static bool add_package(void *context, const struct record *record)
{
	lines_add(context, "%.*s %.*s %.*s %.*s", BYTES(record->field[PACKAGES_NAME]),
		  BYTES(record->field[PACKAGES_VERSION]), BYTES(record->field[PACKAGES_ARCH]),
		  BYTES(record->field[PACKAGES_STATE]));
	return true;
}

static void packages_are_those_of_dpkg_query(void **state)
{
	struct lines ours = {NULL, 0, 0};
	struct lines theirs = {NULL, 0, 0};
	char *argv[] = {(char[]){"dpkg-query"}, (char[]){"-W"}, (char[]){"-f"},
			(char[]){"${Package} ${Version} ${Architecture} ${Status}\n"}, NULL};

	(void)state;
	need_db();
	assert_true(run(argv, &theirs));
	assert_true(package_db_records(db, SECTION_PACKAGES, 0, add_package, &ours));
	lines_sort(&ours);
	lines_sort(&theirs);
	assert_true(ours.count > 0);
	lines_assert_equal(&ours, &theirs);
	print_message("%zu packages\n", ours.count);
	lines_clear(&ours);
	lines_clear(&theirs);
}

static void canonical(const char *raw, char to[PATH_ROOM])
{
	size_t len;

	assert_int_equal(path_clean(bytes_from_string(raw), true, (uint8_t *)to, &len), PATH_FINE);
	assert_true(path_map(&aliases, (uint8_t *)to, &len, NULL));
}

/* dpkg-query -L: paths, "diverted by X to: Y" behind one, an empty line between packages. */
static void theirs_take(struct lines *theirs, const char *line, const char *package)
{
	const char *to = strstr(line, "diverted ") == line ? strstr(line, " to: ") : NULL;
	char path[PATH_ROOM];

	if (!to && strncmp(line, "locally diverted to: ", 21) == 0) {
		to = line + 16;
	}
	if (strncmp(line, "package diverts others to: ", 27) == 0) {
		return;
	}
	if (to) {
		canonical(to + 5, path);
		lines_add(theirs, "%s: diverted to %s", package, path);
		return;
	}
	canonical(line, path);
	lines_add(theirs, "%s: %s", package, path);
}

struct claim_context {
	struct lines *lines;
	char package[1024];
};

static bool add_claim(void *context, const struct claim *claim)
{
	struct claim_context *claims = context;

	if (claim->flags & CLAIM_LISTED) {
		lines_add(claims->lines, "%s: %.*s", claims->package, BYTES(claim->path));
		if (claim->flags & CLAIM_DIVERTED) {
			lines_add(claims->lines, "%s: diverted to %.*s", claims->package,
				  BYTES(claim->place));
		}
		assert_int_equal(claim->path.data[claim->path.len], '\0');
	}
	return true;
}

static void paths_are_those_of_dpkg_query(void **state)
{
	struct lines ours = {NULL, 0, 0};
	struct lines theirs = {NULL, 0, 0};
	struct lines output = {NULL, 0, 0};
	uint32_t count;
	char **argv;
	uint32_t at = 0;

	(void)state;
	need_db();
	count = package_db_count(db);
	argv = calloc(count + 3, sizeof(char *));
	assert_non_null(argv);
	argv[0] = strdup("dpkg-query");
	argv[1] = strdup("-L");
	for (uint32_t i = 0; i < count; i++) {
		struct package package;
		struct claim_context context = {&ours, ""};

		package_db_package(db, i, &package);
		(void)snprintf(context.package, sizeof(context.package), "%.*s:%.*s",
			       BYTES(package.name), BYTES(package.arch));
		argv[i + 2] = strdup(context.package);
		assert_true(package_db_claims(db, i, false, add_claim, &context));
		assert_true(package.install_s > 0);
	}
	assert_true(run(argv, &output));
	for (size_t i = 0; i < output.count; i++) {
		if (output.line[i][0] == '\0') {
			at++;
		} else if (strcmp(output.line[i], "Package 'x' does not contain any files") != 0) {
			theirs_take(&theirs, output.line[i], argv[at + 2]);
		}
	}
	lines_sort(&ours);
	lines_sort(&theirs);
	lines_assert_equal(&ours, &theirs);
	print_message("%zu paths\n", ours.count);
	for (uint32_t i = 0; i < count + 2; i++) {
		free(argv[i]);
	}
	free(argv);
	lines_clear(&output);
	lines_clear(&ours);
	lines_clear(&theirs);
}

static bool add_diversion(void *context, const struct record *record)
{
	if (!bytes_equal_string(record->field[EXCEPTION_KIND], EXCEPTION_DIVERSION)) {
		return true;
	}
	if (bytes_equal_string(record->field[DIVERSION_BY], ":")) {
		lines_add(context, "local diversion of %.*s to %.*s",
			  BYTES(record->field[DIVERSION_FROM]), BYTES(record->field[DIVERSION_TO]));
	} else {
		lines_add(context, "diversion of %.*s to %.*s by %.*s",
			  BYTES(record->field[DIVERSION_FROM]), BYTES(record->field[DIVERSION_TO]),
			  BYTES(record->field[DIVERSION_BY]));
	}
	return true;
}

static void diversions_are_those_of_dpkg_divert(void **state)
{
	struct lines ours = {NULL, 0, 0};
	struct lines theirs = {NULL, 0, 0};
	struct lines output = {NULL, 0, 0};
	char *argv[] = {(char[]){"dpkg-divert"}, (char[]){"--list"}, NULL};

	(void)state;
	need_db();
	assert_true(run(argv, &output));
	for (size_t i = 0; i < output.count; i++) {
		/* The words around the paths stay; the paths become canonical. */
		char *from = strstr(output.line[i], " of ");
		char *to = strstr(output.line[i], " to ");
		char *by = to ? strstr(to, " by ") : NULL;
		char path[2][PATH_ROOM];

		if (!from || !to) {
			fail_msg("%s", output.line[i]);
			return;
		}
		*from = *to = '\0';
		if (by) {
			*by = '\0';
		}
		canonical(from + 4, path[0]);
		canonical(to + 4, path[1]);
		lines_add(&theirs, "%s of %s to %s%s%s", output.line[i], path[0], path[1],
			  by ? " by " : "", by ? by + 4 : "");
	}
	assert_true(package_db_records(db, SECTION_EXCEPTIONS, 0, add_diversion, &ours));
	lines_sort(&ours);
	lines_sort(&theirs);
	lines_assert_equal(&ours, &theirs);
	print_message("%zu diversions\n", ours.count);
	lines_clear(&output);
	lines_clear(&ours);
	lines_clear(&theirs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packages_are_those_of_dpkg_query),
		cmocka_unit_test(paths_are_those_of_dpkg_query),
		cmocka_unit_test(diversions_are_those_of_dpkg_divert),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

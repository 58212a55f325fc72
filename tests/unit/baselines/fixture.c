// SPDX-License-Identifier: MIT
#include "tests/unit/baselines/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* Neither the user's nor the system's configuration has a say. */
#define GIT_ALONE                                                                           \
	"unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE;"                                       \
	"export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null HOME=/nonexistent;" \
	"export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org;"                          \
	"export GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.org;"

static char *command_in(const struct fixture *fixture, const char *command)
{
	char *whole = NULL;

	assert_true(asprintf(&whole, "cd '%s' && { " GIT_ALONE " %s; }", fixture->path, command) >
		    0);
	return whole;
}

void fixture_folder(struct fixture *fixture)
{
	(void)snprintf(fixture->path, sizeof(fixture->path), "/tmp/muster-test-XXXXXX");
	assert_non_null(mkdtemp(fixture->path));
}

void fixture_repository(struct fixture *fixture)
{
	fixture_folder(fixture);
	assert_int_equal(fixture_run(fixture, "git init -q -b main ."), 0);
}

static void make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0755);
		*slash = '/';
	}
}

void fixture_write(const struct fixture *fixture, const char *name, const char *text)
{
	char path[512];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", fixture->path, name);
	make_folders(path);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

void fixture_link(const struct fixture *fixture, const char *name, const char *target)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", fixture->path, name);
	make_folders(path);
	assert_int_equal(symlink(target, path), 0);
}

int fixture_run(const struct fixture *fixture, const char *command)
{
	char *whole = command_in(fixture, command);
	int status = system(whole); /* NOLINT(cert-env33-c): fixed commands of the tests */

	free(whole);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

void fixture_commit(const struct fixture *fixture)
{
	assert_int_equal(fixture_run(fixture, "git add -A && git commit -q -m test"), 0);
}

char *fixture_output(const struct fixture *fixture, const char *command)
{
	char *whole = command_in(fixture, command), *text = NULL;
	FILE *pipe = popen(whole, "r"); /* NOLINT(cert-env33-c) */
	size_t room = 0;
	ssize_t len;

	assert_non_null(pipe);
	len = getdelim(&text, &room, '\0', pipe);
	if (len < 0) {
		free(text);
		text = calloc(1, 1);
		len = 0;
	}
	assert_non_null(text);
	if (len > 0 && text[len - 1] == '\n') {
		text[len - 1] = '\0';
	}
	assert_int_equal(pclose(pipe), 0);
	free(whole);
	return text;
}

void fixture_remove(struct fixture *fixture)
{
	assert_int_equal(fixture_run(fixture, "rm -rf \"$PWD\""), 0);
}

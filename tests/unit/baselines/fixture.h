// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_BASELINES_FIXTURE_H
#define TESTS_UNIT_BASELINES_FIXTURE_H

/*
 * A baseline repository in a temporary folder, written with the git command, so that what libgit2
 * reads was made by another program. Any failure fails the test.
 */

#include <stddef.h>

struct fixture {
	char path[128];
};

/* An empty folder, and the same as a repository with branch main and no commit. */
void fixture_folder(struct fixture *fixture);
void fixture_repository(struct fixture *fixture);
/* Writes a file of the work tree, making its folders. */
void fixture_write(const struct fixture *fixture, const char *name, const char *text);
void fixture_link(const struct fixture *fixture, const char *name, const char *target);
/* Runs a shell command in the folder; returns its exit status. */
int fixture_run(const struct fixture *fixture, const char *command);
/* Adds and commits all. */
void fixture_commit(const struct fixture *fixture);
/* What a command prints, without the last newline; free(). */
char *fixture_output(const struct fixture *fixture, const char *command);
void fixture_remove(struct fixture *fixture);

#endif

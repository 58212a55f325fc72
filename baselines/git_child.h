// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_GIT_CHILD_H
#define MUSTER_BASELINES_GIT_CHILD_H

/*
 * git as a child process, by a vector of arguments and never through a shell. It gets an environment
 * of its own in which only https, ssh and local paths are transports, nothing asks anybody, and no
 * replacement of an object counts; its hooks are switched off. Blocks until it ends.
 */

#include <stddef.h>

#include "schema/error.h"

#define GIT_CHILD_SAID 240

/*
 * Runs `git ARGUMENT...` (NULL behind the last) and waits, at most `timeout_s` seconds: then it and
 * what it started are killed, and that is an error of the kind NET. *status is the exit code, 128 and
 * the signal where it died of one. `said` gets the beginning of its stderr, escaped, lines joined by
 * "; ", "" where it said nothing. CONFIG error where git is not installed.
 */
int git_child_run(const char *const *arguments, unsigned timeout_s, int *status,
		  char said[GIT_CHILD_SAID], struct error *err) MUST_CHECK;

#endif

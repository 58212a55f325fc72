// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_FETCH_H
#define MUSTER_BASELINES_FETCH_H

/*
 * A bare baseline follows its remote `origin`: the branch that HEAD names is moved to what a `git`
 * child fetched, if that is a descendant of the commit it has and, where signers are named, a good
 * signature by one of them is on it. Whatever fails, the branch stays where it was. Blocks.
 *
 * Errors by kind: CONFIG: nothing can be fetched as this is set up (no bare repository, no origin, a
 * URL that is none, a signers file inside the repository). NET: origin could not be asked. AUTH: what
 * it has was refused. What a remote said is escaped.
 */

#include <stdbool.h>
#include <stdint.h>

#include "schema/error.h"

/*
 * `signers` (NULL: none are asked for) is a file of allowed signers as ssh-keygen(1) has it.
 * *moved: whether the branch has a newer commit now.
 */
int fetch_baseline(const char *path, const char *signers, bool *moved,
		   struct error *err) MUST_CHECK;

/* AUTH error where this commit (hex) carries no good signature by one of the signers. */
int fetch_verify(const char *path, const char *commit, const char *signers,
		 struct error *err) MUST_CHECK;

/* When the commit (hex) was made, by its own word. False where it cannot be read. */
bool fetch_commit_time(const char *path, const char *commit, int64_t *made_s);

#endif

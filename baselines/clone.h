// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_CLONE_H
#define MUSTER_BASELINES_CLONE_H

/*
 * A git clone that is written to: files are staged as blobs beside the commit HEAD had when it was
 * opened, and become one commit. No hook or filter runs. The work tree follows; one that holds
 * changes of its own in these files stops everything before anything is changed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/error.h"

#define CLONE_COMMIT_SIZE 41

struct clone;

/* Makes a repository on branch main in a folder that is absent or empty. */
int clone_create(const char *dir, const char *author, struct error *err) MUST_CHECK;

/* `author`: "Name <mail>", or NULL: git's configuration. A repository without commits is fine. */
int clone_open(const char *dir, const char *author, struct clone **clone,
	       struct error *err) MUST_CHECK;
void clone_free(struct clone *clone);

/* HEAD's commit in hex, "" where there is none yet. */
const char *clone_head(const struct clone *clone);

int clone_put(struct clone *clone, const char *path, struct bytes content,
	      struct error *err) MUST_CHECK;
int clone_remove(struct clone *clone, const char *path, struct error *err) MUST_CHECK;
/* As staged, else as in HEAD. *data NULL where there is none; free(). At most `most` bytes. */
int clone_read(struct clone *clone, const char *path, size_t most, uint8_t **data, size_t *len,
	       struct error *err) MUST_CHECK;
/* Files that differ from HEAD. */
size_t clone_count(const struct clone *clone);

/* *commit "" where nothing differs. */
int clone_commit(struct clone *clone, const char *message, char commit[CLONE_COMMIT_SIZE],
		 struct error *err) MUST_CHECK;

#endif

// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_WALK_H
#define MUSTER_PAYLOADS_WALK_H

/*
 * Walks a directory tree in canonical order (bytes_path_compare) with getdents64 and openat, an
 * explicit stack and fixed memory. Asks about mounts before it touches a name, never follows a
 * link, and tells every directory that it could not look into, whole or in part, as a fault.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "payloads/mounts.h"
#include "payloads/sys.h"
#include "payloads/table.h"
#include "schema/bytes.h"
#include "schema/entry.h"

#define WALK_DEPTH_MAX 200U /* open directories at a time */
#define WALK_NAMES_SIZE (4U << 20)
#define WALK_NAMES_MAX (WALK_NAMES_SIZE / 16)

struct walk_entry {
	int dir_fd; /* of the directory that holds it */
	const char *name;
	struct bytes path; /* NUL-terminated */
	uint64_t hash;     /* of the path, by the walk's hasher */
	uint8_t type;      /* DT_*, never DT_UNKNOWN */
};

enum walk_want { WALK_DROP, WALK_KEEP };

struct walk;

struct walk_client {
	/*
	 * In the directory's own order: whether the name is worth keeping until it is visited.
	 * Directories that are not kept are not entered.
	 */
	enum walk_want (*filter)(void *context, const struct walk_entry *entry);
	/* In canonical order. For a directory: whether to enter it. */
	bool (*visit)(void *context, const struct walk_entry *entry);
	/* Something below `path` stays unseen; `reason` is a word with static storage. */
	void (*fault)(void *context, struct bytes path, const char *reason);
	/* Between directories: false ends the walk (the client knows why). */
	bool (*go_on)(void *context);
	void *context;
};

struct walk_level {
	int fd;
	size_t path_len;
	size_t text_start; /* in names */
	size_t text_end;
	size_t list_start; /* in list */
	size_t next;
	size_t end;
};

struct walk_name {
	uint64_t hash;
	uint32_t at;
	uint16_t len;
	uint8_t type;
};

struct walk {
	const struct sys *sys;
	const struct mounts *mounts; /* NULL: none */
	const struct table *hasher;
	int root_fd; /* taken for "/" */
	bool flat;   /* the directory alone, nothing is entered */
	bool skip_binds;
	uint32_t depth_most;   /* below the start; 0: as deep as there is room */
	uint64_t entries_most; /* over all walks; 0: none */
	uint64_t entries;      /* names seen so far */

	char path[ENTRY_PATH_MAX + 1];
	struct walk_level level[WALK_DEPTH_MAX];
	size_t depth;
	char *names;
	struct walk_name *list;
	uint8_t *buffer;
};

/* Memory by mmap, touched as far as it is used. 0 or -ENOMEM. */
int walk_init(struct walk *walk);
void walk_clear(struct walk *walk);

/*
 * Visits everything below the directory `start`, which itself is not visited; the caller has asked
 * whether it may be entered. 0, or -errno where it could not be opened (told as no fault).
 */
int walk_run(struct walk *walk, struct bytes start, const struct walk_client *client);

#endif

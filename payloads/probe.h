// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_PROBE_H
#define MUSTER_PAYLOADS_PROBE_H

/*
 * All that one inspection knows, in one place: the plan, the tables, the readers, the budgets. Made
 * once per process (or per test), used by one thread. The collectors (collect.h) and the stat pass
 * (scan.h) work on it; conversation.h owns it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "payloads/catalog.h"
#include "payloads/channel.h"
#include "payloads/coverage.h"
#include "payloads/file.h"
#include "payloads/mounts.h"
#include "payloads/names.h"
#include "payloads/package_db.h"
#include "payloads/place.h"
#include "payloads/ring.h"
#include "payloads/sys.h"
#include "payloads/table.h"
#include "payloads/timeline.h"
#include "payloads/walk.h"
#include "schema/message.h"

#define PROBE_DBS_MAX 4
#define PROBE_DIRS_TEXT (8U << 20)
#define PROBE_DIRS_MAX (PROBE_DIRS_TEXT / 32)
#define PROBE_FOUND_TEXT (256U << 10)
#define PROBE_FOUND_MAX 4096U
#define PROBE_MD5_SIZE (1U << 20)
#define PROBE_RING_SIZE (3U << 20)
#define PROBE_OWNED_MAX (1U << 20)

/* What is taken for the host; tests take something else. */
struct probe_host {
	const char *root;      /* directory that is "/" */
	const char *mountinfo; /* /proc/self/mountinfo */
};

/* A list of paths that a section is made of, sorted on demand. */
struct path_list {
	uint8_t *text;
	struct path_item {
		uint32_t at;
		uint16_t len;
	} * list;
	size_t count;
	size_t text_len;
	size_t text_room;
	size_t list_room;
};

struct probe {
	struct sys sys;
	struct channel channel;
	int root_fd;
	const struct probe_host *host;
	int64_t start_ns;   /* monotonic */
	int64_t scanned_ns; /* CLOCK_REALTIME when the stat pass began */

	uint8_t plan_payload[FRAME_MAX]; /* the plan's strings are borrowed from it */
	struct plan plan;
	struct plan_list roots;     /* of the plan, sorted, none below another */
	struct plan_list volatiles; /* both kinds, sorted, none below another or a root */
	bool has_labels;

	struct table owned;
	struct table seen_dirs; /* of the owned: most packages name the same ones */
	struct mounts mounts;
	struct names users;
	struct names groups;
	struct coverage coverage;
	struct timeline timeline;
	struct catalog catalog;
	struct reader reader;
	struct walk walk;
	struct place place;
	struct ring ring;
	struct path_list dirs;  /* that packages own */
	struct path_list found; /* set-id files that no other section holds */
	uint8_t *md5_buffer;

	struct package_db *db[PROBE_DBS_MAX];
	size_t db_count;

	unsigned turns;
	bool is_late;     /* past the deadline when last looked */
	uint64_t entries; /* objects looked at */
	uint64_t unread;  /* files that could not be read */
	uint32_t hashed;  /* sections */
};

/* Opens the host and takes memory. The plan comes later. A status to end with, or 0. */
enum status probe_init(struct probe *probe, const struct probe_host *host, int in_fd, int out_fd);
void probe_clear(struct probe *probe);

/* Whether the scan may go on; cheap enough to ask for every object. */
bool probe_go_on(struct probe *probe);

/* Coverage of a check with a reason of static storage. */
void probe_partial(struct probe *probe, const char *check, struct bytes subject, const char *reason,
		   uint64_t count);

bool path_list_init(struct path_list *paths, size_t text_room, size_t list_room);
void path_list_clear(struct path_list *paths);
bool path_list_add(struct path_list *paths, struct bytes path);
void path_list_sort(struct path_list *paths); /* canonical order */
static inline struct bytes path_list_get(const struct path_list *paths, size_t i)
{
	return bytes_make(paths->text + paths->list[i].at, paths->list[i].len);
}

/* Whether `path` is the directory or below it; both canonical. */
bool path_is_within(struct bytes path, struct bytes directory);
/* The directory that holds it: "/" for what is at the top. */
struct bytes path_parent(struct bytes path);
/* As many components from the front as `depth`, the path itself where it has no more. */
struct bytes path_cut(struct bytes path, unsigned depth);
unsigned path_depth(struct bytes path); /* components; 0 for "/" */
bool path_in_list(const struct plan_list *list, struct bytes path);

#endif

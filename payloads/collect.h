// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_COLLECT_H
#define MUSTER_PAYLOADS_COLLECT_H

/*
 * Makes the canonical encoding of a section, as often as it is asked for: nothing but the catalogue
 * is kept between the stat pass and here. One collector a kind of section; all put their objects
 * through object_add, so that one object is one entry wherever it stands.
 */

#include <stdbool.h>
#include <stdint.h>

#include "payloads/probe.h"
#include "payloads/sink.h"
#include "schema/entry.h"
#include "schema/record.h"

struct collection {
	struct probe *probe;
	struct sink *sink;
	struct sink *md5;   /* NULL: not asked for */
	bool again;         /* a repeated look: tells no coverage twice */
	int64_t started_ns; /* CLOCK_REALTIME */
	uint32_t index;     /* of the section */
	uint64_t stat;
	bool settled;
	uint32_t unread;
	void (*done)(struct collection *collection);
	void *context;
};

/* Which fields an entry has beyond type, mode, owner and group. */
enum object_want {
	OBJECT_CONTENT = 1, /* of regular files */
	OBJECT_TIME = 2,    /* mtime of files and links */
	OBJECT_MAGIC = 4,
	OBJECT_MD5_ONLY = 8, /* its record for collection->md5, and neither entry nor stat */
};

struct subject {
	struct bytes path; /* as the entry says it */
	int dir_fd;
	const char *name;
	struct sys_stat st; /* of the name, links not followed */
	const char *check;  /* for coverage */
};

/*
 * Part of a section's stat digest: addends, in any order. Never 0 in all likelihood. Where nothing is
 * wanted of an object beyond what a stat answers ([dirs]: `want` 0), its times stand for nothing and
 * are left out: /run and /tmp change all day.
 */
uint64_t object_stat(struct probe *probe, struct bytes path, const struct sys_stat *st,
		     unsigned want);
/* Stands for a path that is not there or cannot be looked at. */
uint64_t object_absent(struct bytes path);
/* For sections of records: a digest of their bytes or of a stamp. */
uint64_t object_stamp(struct bytes data);

/*
 * Reads the object and puts its entry, in the order of the calls, at the latest with object_flush.
 * So far ahead there is mostly a second file to be hashed beside the first. Nothing else goes into the
 * collection's sink between, and none of its parts may move.
 */
#define OBJECTS_AHEAD 64U
int object_init(void); /* memory for them; 0 or -ENOMEM */
void object_clear(void);
void object_add(struct collection *collection, const struct subject *object, unsigned want);
/* Calls `done` when all that was added before has been put. */
void object_then(struct collection *collection, void (*done)(struct collection *collection));
void object_flush(void);

/* For objects that changed since the plan's moment, in the stat pass. */
void object_note_time(struct probe *probe, struct bytes path, const struct sys_stat *st);

/*
 * Runs the collector of section `index` and calls collection->done when all of it is in the sink: at
 * once, or in a later call of this or of object_flush, in the order of the calls. At most
 * OBJECTS_AHEAD + 1 are under way at a time.
 */
void collect_begin(struct collection *collection, uint32_t index);
/* The same, done on return (with all that were begun before). collection->done may be NULL. */
void collect_section(struct collection *collection, uint32_t index);

/* The collectors, and their parts of the stat pass (scan.h). */
void collect_package(struct collection *collection, const struct catalog_item *item);
void collect_dirs(struct collection *collection);
void collect_records(struct collection *collection, const struct catalog_item *item);
void collect_labels(struct collection *collection, const struct catalog_item *item);
void collect_tree(struct collection *collection, struct bytes directory);
void collect_volatile(struct collection *collection, struct bytes root);
void collect_setid(struct collection *collection);
void collect_flags(struct collection *collection);
void collect_mounts(struct collection *collection);
void collect_host(struct collection *collection);

bool scan_packages(struct probe *probe);
void scan_trees(struct probe *probe);
void scan_volatiles(struct probe *probe);
void scan_setid(struct probe *probe);
void scan_facts(struct probe *probe);

/* Section made by the stat pass: CATALOG_NONE where it does not fit, which is told. */
uint32_t scan_section(struct probe *probe, const struct section_key *key, uint32_t ref,
		      uint32_t db);
/* Marks the section where the path touches a pattern of the always-set. */
void scan_touch(struct probe *probe, uint32_t index, struct bytes path);
/* Marks it whatever the patterns say. */
void scan_always(struct probe *probe, uint32_t index);
static inline void scan_sum(struct probe *probe, uint32_t index, uint64_t part)
{
	if (index != CATALOG_NONE) {
		probe->catalog.list[index].stat += part;
	}
}

#endif

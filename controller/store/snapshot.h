// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_STORE_SNAPSHOT_H
#define MUSTER_CONTROLLER_STORE_SNAPSHOT_H

/*
 * A host's sections as pairs of small ids, in order of the encoded keys. Equal snapshots are one
 * row; a snapshot much like another is kept as its difference from that one (the base), one step
 * deep, so that a patch night costs what was patched. Bases that were in use lately are held
 * decoded. The same is done for sets of packages.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/store/db.h"
#include "controller/store/names.h"
#include "controller/store/pack.h"
#include "schema/error.h"

struct pair {
	uint32_t key;
	uint32_t object;
};

struct pairs {
	struct pair *item;
	size_t count;
	size_t room;
};

struct ids {
	uint32_t *item; /* ascending */
	size_t count;
	size_t room;
};

#define SNAPSHOT_BASES 48
#define SNAPSHOT_SECTIONS_MAX 4000000U

struct snapshots {
	struct base {
		int64_t id;
		uint64_t used;
		struct pairs pairs;
	} base[SNAPSHOT_BASES];
	struct list_base {
		int64_t id;
		uint64_t used;
		struct ids ids;
	} list[SNAPSHOT_BASES];
	uint64_t clock;
	struct pack packed;
	struct pack plain;
	struct pack best;
	struct ids packages;
	struct pack bits;
};

void snapshots_clear(struct snapshots *s);
void pairs_clear(struct pairs *pairs);
int pairs_add(struct pairs *pairs, struct pair pair, struct error *err) MUST_CHECK;

/* What snapshot code works on, borrowed from the store. */
struct snapshot_store {
	struct db *db;
	struct names *names; /* loaded */
	struct squeezer *squeezer;
	struct snapshots *cache;
};

/* Replaces *pairs. STORE error naming the snapshot where it is damaged. */
int snapshot_load(const struct snapshot_store *s, int64_t id, struct pairs *pairs,
		  struct error *err) MUST_CHECK;

/*
 * Inside a transaction: the id of these pairs, a new row where they were never seen, and of the
 * list of packages they name. `like` is a snapshot that is probably similar, or 0.
 */
int snapshot_put(const struct snapshot_store *s, const struct pairs *pairs, int64_t like,
		 int64_t *id, int64_t *packages, struct error *err) MUST_CHECK;

#endif

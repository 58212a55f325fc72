// SPDX-License-Identifier: MIT
#ifndef MUSTER_TESTS_HOST_MAKER_H
#define MUSTER_TESTS_HOST_MAKER_H

/*
 * Made-up hosts for tests of the store: sections with the content given, their objects, findings,
 * and a database in a directory of its own. Fails the test on any fault of its own.
 */

#include "baselines/arena.h"
#include "controller/store/store.h"

#define MAKER_SECTIONS 4000
#define MAKER_FINDINGS 64

struct host_maker {
	struct arena arena;
	struct observation observation;
	struct observed_section sections[MAKER_SECTIONS];
	struct store_object objects[MAKER_SECTIONS];
	struct finding items[MAKER_FINDINGS];
	struct findings findings;
	struct judge_counts counts;
	struct coverage_item coverage[4];
	const char *acks[MAKER_FINDINGS];
	struct store_host host;
};

/* A host without sections or findings, complete and clean. */
void host_maker_start(struct host_maker *m, const char *name, int64_t now_s);
void host_maker_clear(struct host_maker *m);
/* `content` as it stands: not every test needs entries. */
void host_maker_section(struct host_maker *m, enum section_kind kind, const char *a, const char *b,
			const char *c, const char *d, struct bytes content);
void host_maker_text(struct host_maker *m, enum section_kind kind, const char *name,
		     const char *content);
struct finding *host_maker_finding(struct host_maker *m, const char *id, const char *subject);
/* Sorts sections and puts the host. */
int host_maker_put(struct host_maker *m, struct store *store, const struct store_run *run,
		   struct error *err);

/* A fresh directory and the database's name in it; removed with what is in it. */
struct place {
	char folder[64];
	char path[128];
};
void place_make(struct place *place);
void place_remove(struct place *place);

struct store *open_store(const char *path, enum store_mode mode);
struct store_run begin_run(struct store *store, int64_t started_s);
void end_run(struct store *store, struct store_run *run, int64_t finished_s);
/* With a connection of its own. */
int64_t ask_number(const char *path, const char *sql);
/* integrity_check and foreign_key_check find nothing. */
void assert_sound(const char *path);

#endif

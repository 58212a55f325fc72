// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_STORE_INNER_H
#define MUSTER_CONTROLLER_STORE_INNER_H

/* What the files of the store share, and nobody else sees. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baselines/arena.h"
#include "controller/store/db.h"
#include "controller/store/names.h"
#include "controller/store/pack.h"
#include "controller/store/snapshot.h"
#include "controller/store/store.h"

#define HOST_RUN_SHIFT 24 /* host_run.id is (run << 24) + n */
#define HOST_RUN_MOST ((INT64_C(1) << HOST_RUN_SHIFT) - 1)
#define OBJECT_MOST (256U << 20) /* bytes of one section, above any cap on a host */

struct store {
	struct db db;
	struct names names;
	struct snapshots snapshots;
	struct squeezer squeezer;
	struct pack blob;   /* scratch, one use at a time */
	struct pack packed; /* likewise */
	struct pairs pairs; /* of the host being put */
	struct pairs last;  /* of its snapshot before */
	struct arena words; /* strings of runs handed out, until close */
	int64_t *read_s;    /* of the sections of the last store_latest_load */
	bool fleet_moved;   /* what hosts are compared by changed since the last comparison */
};

/* Names loaded; what snapshot code wants. */
int store_ready(struct store *store, struct error *err) MUST_CHECK;
struct snapshot_store store_snapshots(struct store *store);
/* After a rollback: what is in memory may not be in the file. */
void store_forget(struct store *store);

static inline int64_t host_run_first(int64_t run)
{
	return run << HOST_RUN_SHIFT;
}
static inline int64_t host_run_run(int64_t id)
{
	return id >> HOST_RUN_SHIFT;
}

/* The id of a host, 0 where it is not known. */
int store_host_id(struct store *store, const char *name, int64_t *id, struct error *err) MUST_CHECK;

/* The host's row in a run, 0 where it is not in it. */
int store_row_of(struct store *store, int64_t host, int64_t run, int64_t *row,
		 struct error *err) MUST_CHECK;

/* host_run.session (schema/store.sql). */
struct session {
	int64_t clock_offset_ns;
	int64_t clock_ns; /* of hello */
	uint64_t probe_bytes;
	struct end end; /* without stream */
};
void session_write(struct pack *p, const struct session *session, int64_t finished_s);
/* False where it is damaged; u then stands at the coverage counts. */
bool session_read(struct unpack *u, int64_t finished_s, struct session *session);

/* Rows of judge_counts and open findings. */
struct tally {
	struct judge_counts counts;
	size_t open[SEVERITY_CRITICAL + 1];
	size_t acknowledged;
	size_t explained;
};
int tally_put(struct store *store, const struct tally *tally, int64_t *id,
	      struct error *err) MUST_CHECK;

/* Findings of one host in one run (interval.c). */
int interval_put(struct store *store, int64_t host, const struct store_run *run,
		 const struct store_host *put, struct tally *tally, struct error *err) MUST_CHECK;

/*
 * After a partial look: was the place of this finding looked at (looked_at.c)? Subject and package
 * as they are stored, escaped.
 */
bool looked_at(const struct observation *o, const char *rule, struct bytes subject,
	       struct bytes package);

/* Coverage and hello, interned (session.c). *counts holds what differs from the interned row. */
int session_put_coverage(struct store *store, const struct observation *o, struct pack *counts,
			 int64_t *id, struct error *err) MUST_CHECK;
int session_put_facts(struct store *store, const struct hello *hello, int64_t *id,
		      struct error *err) MUST_CHECK;
/* Into arena memory. `counts` stands at the coverage counts of the session blob. */
int session_load_coverage(struct store *store, int64_t id, struct unpack *counts,
			  struct arena *arena, struct coverage_item **items, size_t *count,
			  struct error *err) MUST_CHECK;
int session_load_facts(struct store *store, int64_t id, struct arena *arena, struct hello *hello,
		       struct error *err) MUST_CHECK;

/*
 * The row of a host's first sight, and the snapshot in the place of its own (NULL: that), of host h.
 * Whatever loads it and whatever says whether it is another one (verdict.c) must mean the same.
 */
#define FIRST_SIGHT_JOIN "LEFT JOIN host_sight s ON s.host = h.id "
#define FIRST_SIGHT_ROW "coalesce(s.row, h.first)"
#define FIRST_SIGHT_SNAPSHOT "s.snapshot"

/* As store_observation_load, of a row of host_run, with another snapshot's sections where not 0. */
int store_observation_of_row(struct store *store, int64_t row, int64_t sections,
			     struct observation **observation, struct error *err) MUST_CHECK;

/*
 * The first sight of a host that was never looked at whole before, section by section (sight.c): `row`
 * and `snapshot` are those of this look.
 */
int sight_put(struct store *store, const struct store_host *put, int64_t host, int64_t row,
	      int64_t snapshot, struct error *err) MUST_CHECK;

/*
 * Stat digests, what they come to (store_host.stat_root), and times of reading (reading.c): written
 * where they differ from what is kept.
 */
int reading_put(struct store *store, int64_t host, int64_t snapshot, const struct observation *o,
		const struct digest *root, struct error *err) MUST_CHECK;
/* The times of `count` sections. False where they are damaged; *u then stands behind them. */
bool times_read(struct unpack *u, int64_t *read_s, size_t count);
/* Times alone: sections are what they were. */
int reading_renew(struct store *store, int64_t host, const struct store_same *same,
		  struct error *err) MUST_CHECK;
/*
 * Fills stat, read_s, unread and always of sections that are pairs[0..]; where the host's rows are
 * of another snapshot, only of pairs that both have. Others stay 0.
 */
int reading_load(struct store *store, int64_t host, int64_t snapshot, const struct pairs *pairs,
		 struct observed_section *sections, struct error *err) MUST_CHECK;

/* As store_hosts, of one host where `name` is not NULL. */
int store_host_rows(struct store *store, const char *name, int64_t run, store_host_cb *callback,
		    void *context, struct error *err) MUST_CHECK;

int timeline_put(struct store *store, int64_t host, const struct store_run *run,
		 const struct observation *o, struct error *err) MUST_CHECK;

/* PRETTY_NAME of os-release's text, escaped (os_release.c). Empty where there is none. */
void os_release_name(struct bytes section, char *to, size_t room);
/* ID and VERSION_ID, escaped; empty where there is no ID. */
void os_release_release(struct bytes section, char *to, size_t room);

/* The witness of each package (witness.c). *id 0 where `packages` is NULL. */
int witness_put(struct store *store, const struct judged_package *packages, size_t sections,
		int64_t *id, struct error *err) MUST_CHECK;
/* Fills `packages`, one a section. */
int witness_load(struct store *store, int64_t id, struct judged_package *packages, size_t sections,
		 struct error *err) MUST_CHECK;
/* "name=packages/files", blanks between. */
#define WITNESS_TEXT_ROOM 384
void witness_text(const struct judge_counts *counts, char to[WITNESS_TEXT_ROOM]);
void witness_read_text(const char *text, struct judge_counts *counts);
/* Takes what the fleet vouches for (host_witness.fleet) from the weaker witnesses. */
void witness_move(struct judge_counts *counts, const char *fleet);

/*
 * Inside a transaction: what the host's latest observation was judged by, and the witnesses of its
 * packages (verdict.c). `before` is what is kept; `now` NULL: nothing is.
 */
struct kept_verdict {
	bool found;
	struct store_verdict verdict;
	int64_t witness;
};
void verdict_read(sqlite3_stmt *stmt, int column, struct kept_verdict *kept);
int verdict_put(struct store *store, int64_t host, const struct kept_verdict *before,
		const struct store_verdict *now, int64_t witness, struct error *err) MUST_CHECK;

/* The tally of a row, for who changes it (session.c). */
int tally_load(struct store *store, int64_t id, struct tally *tally, struct error *err) MUST_CHECK;
/* Findings of the fleet alone (interval.c); *tally is counted anew. */
int interval_put_fleet(struct store *store, int64_t host, const struct store_run *run,
		       struct findings *findings, const char *const *acks, struct tally *tally,
		       struct error *err) MUST_CHECK;

/* Interned (put.c); *id 0 for none or "". */
int text_put(struct store *store, const char *value, int64_t *id, struct error *err) MUST_CHECK;
/* Who spoke with the host of this row; `before` as it was, "" where it is not known (transport.c). */
int transport_put(struct store *store, int64_t host, int64_t row, const char *before,
		  const char *now, struct error *err) MUST_CHECK;

int store_damaged(struct store *store, const char *what, int64_t id, struct error *err);

#endif

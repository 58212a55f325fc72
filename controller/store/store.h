// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_STORE_STORE_H
#define MUSTER_CONTROLLER_STORE_STORE_H

/*
 * What muster remembers: one SQLite file (WAL), one writer. Objects are stored once for the whole
 * fleet under their digest (zstd); keys and host names are interned; a host's snapshot is one
 * content-addressed object, so that an unchanged night costs one small row a host; findings are
 * intervals of runs. Layout and views: schema/store.sql, versioned by PRAGMA user_version. Blocking:
 * never on the event loop's thread. Not thread-safe: one store a thread. All errors are STORE,
 * and leave the file as it was.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baselines/rpm/proof.h"
#include "controller/judge/finding.h"
#include "controller/judge/judge.h"
#include "controller/judge/observation.h"
#include "schema/bytes.h"
#include "schema/error.h"
#include "schema/outcome.h"

struct store;

enum store_mode { STORE_READ, STORE_WRITE };

/*
 * Creates the file (0600) in STORE_WRITE. Refuses what is no database, another program's, a newer
 * layout, truncated or unreadable, and leaves it as it is. STORE_WRITE also holds the run lock
 * (PATH-lock) until closed: a second writer is told the first one's pid and since when. Readers are
 * never kept out, and see the file as it was at their first query until they close it.
 */
int store_open(const char *path, enum store_mode mode, struct store **store,
	       struct error *err) MUST_CHECK;
void store_close(struct store *store);

/* Runs. The name is public: 20261121T020000Z-7f3a. */
struct store_run {
	int64_t id;
	char name[32];
	const char *kind;    /* check, sweep */
	const char *sweep;   /* configured name, or "" */
	const char *commit;  /* baseline, hex, or "" */
	const char *version; /* muster's */
	/* Why the baseline, which was to be fetched, was not, escaped; NULL or "": it was up to date. */
	const char *stale;
	int64_t stale_made_s; /* then: when its commit was made; 0: not known */
	int64_t started_s;
	int64_t finished_s; /* 0: still running or killed */
	size_t hosts_asked;
};
int store_run_begin(struct store *store, struct store_run *run, struct error *err) MUST_CHECK;
int store_run_end(struct store *store, const struct store_run *run, struct error *err) MUST_CHECK;
/*
 * A run that was killed or interrupted, to be gone on with: as store_run_find, and CONFIG error where
 * a later run exists, since hosts have moved on with that one.
 */
int store_run_resume(struct store *store, const char *name, struct store_run *run,
		     struct error *err) MUST_CHECK;
/* It is running again; once with a stale baseline, it stays told so. */
int store_run_reopen(struct store *store, const struct store_run *run,
		     struct error *err) MUST_CHECK;
/*
 * The hosts that have a result in this run which stands: all but those that were not asked or broken
 * off. The callback's value is as in a query.
 */
int store_run_hosts_done(struct store *store, int64_t run,
			 int (*callback)(void *context, const char *host), void *context,
			 struct error *err) MUST_CHECK;

/* One host of one run, written in one transaction: objects, snapshot, stat row, findings. */
struct store_object {
	struct digest digest;
	struct bytes content;
};
/*
 * What a host's findings followed from and what they are, by their digests (judge/basis.h): as long as
 * nothing of the first changes, the second needs no judging.
 */
struct store_verdict {
	struct digest basis;
	struct digest findings;
};
/* The sections are those of the host's latest observation, which was a complete one. */
struct store_same {
	size_t sections;
	const uint8_t *read; /* a bit a section: read at read_s, the others when they were */
	int64_t read_s;
	int64_t oldest_s; /* of all; 0: there are none */
};
/* Who spoke SSH with a host, in words, as it is kept; longer ones are cut. */
#define STORE_TRANSPORT_ROOM 192
struct store_host {
	const char *name;
	enum outcome outcome;
	const char *reason;    /* escaped text, may be "" */
	const char *transport; /* who spoke with it: "ssh (ProxyCommand)"; NULL: nobody */
	struct bytes excerpt;  /* evidence of a protocol error, capped by the caller */
	const struct observation *observation; /* NULL where the host was not looked at */
	const struct store_same
		*same; /* instead of the observation's sections; is_reused as well */
	const struct store_object *objects; /* new ones, digests already recomputed */
	size_t object_count;
	/* Over the observation's stat digests, as the probe would say it; NULL: one is missing. */
	const struct digest *stat_root;
	const struct judge_counts *counts;
	const struct judged_package *packages; /* one a section; NULL: not judged by packages */
	const struct store_verdict
		*verdict; /* kept beside the observation; NULL: not to be used again */
	bool is_reused;   /* by store_known: counts and packages are those that are kept with it */
	/* All that are true now. States other than acknowledged and explained are set by this call. */
	const struct findings *findings;
	const char *const *acks; /* one a finding, "" or NULL where none; NULL: none at all */
	/* Filled by this call, one a finding: when its first run began. NULL: not asked for. */
	int64_t *first_seen_s;
	uint64_t sent_bytes;
	uint64_t received_bytes;
	uint64_t probe_bytes;
	int64_t started_s;
	int64_t finished_s;
	int64_t last_complete_s; /* set by this call where it is not looked at whole; 0: never was */
};
/*
 * An observation is kept as the host's latest; the first complete one (clean or findings) also as
 * its first sight. Of a host that was looked at in part before, each section as it was first read
 * whole is, and stays, its first sight: rights gained or lost later never make it start again. Findings that were open and are not among host->findings become resolved; where
 * the outcome is not complete, what could not be looked at stays open.
 */
int store_host_put(struct store *store, const struct store_run *run, struct store_host *host,
		   struct error *err) MUST_CHECK;

/*
 * Objects ahead of the host that names them, in one transaction: contents whose digests were
 * recomputed. What no host comes to name goes at the next prune.
 */
int store_objects_put(struct store *store, const struct store_object *objects, size_t count,
		      struct error *err) MUST_CHECK;

/* 32 random bytes of this database's own, made on first use: the order of slices. */
int store_secret(struct store *store, uint8_t secret[32], struct error *err) MUST_CHECK;

/* Objects. */
/* In memory. For STORE_WRITE; in STORE_READ false until something was loaded. */
bool store_has_object(const struct store *store, const struct digest *digest);
/* Every object's digest, in no order; the callback's value is as in a query. */
int store_each_object(struct store *store,
		      int (*callback)(void *context, const struct digest *digest), void *context,
		      struct error *err) MUST_CHECK;
/* Allocates *content (free with free()). STORE error where it is absent or damaged. */
int store_object_load(struct store *store, const struct digest *digest, uint8_t **data, size_t *len,
		      struct error *err) MUST_CHECK;

/*
 * A host's kept observation: sections, coverage, hello, end (without its stream digest), no
 * timeline; NULL where there is none. Owned by the caller: store_observation_free, before
 * store_close, since keys are borrowed from the store. Stat digests and times of reading are those
 * of the latest observation; a section that it has not with this content has 0.
 */
enum store_which { STORE_FIRST, STORE_LAST_COMPLETE, STORE_LATEST };
int store_observation_load(struct store *store, const char *host, enum store_which which,
			   struct observation **observation, struct error *err) MUST_CHECK;
/*
 * What the host's clock said at its last complete look, and how far it was ahead of ours then.
 * *known is false where there was none.
 */
int store_complete_clock(struct store *store, const char *host, int64_t *clock_ns,
			 int64_t *offset_ns, bool *known, struct error *err) MUST_CHECK;
/* As store_observation_load, of one run; NULL also where the host was not looked at in it. */
int store_observation_of_run(struct store *store, const char *host, int64_t run,
			     struct observation **observation, struct error *err) MUST_CHECK;
void store_observation_free(struct observation *observation);

/*
 * The latest observation where it is a complete one, as it is kept: nothing of it is copied.
 * Borrowed from the store until its next call. `found` is false where there is none, or no outline
 * of it: it is to be loaded.
 */
struct store_latest {
	const struct store *store;
	bool found;
	bool has_stat_root;
	struct digest stat_root; /* as store_host had it */
	size_t section_count;
	int64_t clock_ns; /* of its hello */
	int64_t clock_offset_ns;
	const int64_t *read_s; /* one a section, in order of keys */
	const uint8_t *always; /* a bit a section */
};
int store_latest_load(struct store *store, const char *host, struct store_latest *latest,
		      struct error *err) MUST_CHECK;
struct bytes store_latest_key(const struct store_latest *latest, size_t index);
const struct digest *store_latest_content(const struct store_latest *latest, size_t index);

/*
 * What is known of a host before it is judged, without loading any of it. The observations' digests
 * tell them apart within this database: what the judge looks at of two is the same where they are;
 * zero where there is none. The verdict is that of the latest observation, with its counts; *found is
 * false where none was kept.
 */
struct store_known {
	struct digest first;
	struct digest last_complete;
	bool is_settled; /* the latest observation is the last complete one, and all is kept of it */
	bool found;
	struct store_verdict verdict;
	struct judge_counts counts; /* those that are kept (judge/basis.h) */
};
int store_known_load(struct store *store, const char *host, struct store_known *known,
		     struct error *err) MUST_CHECK;

/*
 * Reading for reports. Every query calls back a row at a time, borrowed during the call; a
 * callback's negative value stops the query, which then returns -1 with *err as the callback left
 * it; a positive one stops it without fault. A callback may query the store again.
 */
struct store_finding_row {
	const char *host;
	const struct finding *finding;
	int64_t first_run;
	int64_t last_run;
	int64_t first_seen_s;
	const char *ack;       /* id, or "" */
	const char *rule_name; /* as stored: a newer muster may know more rules */
};
struct store_finding_query {
	const char *host;   /* NULL: all */
	const char *id;     /* fingerprint or unambiguous prefix (else CONFIG); NULL: all */
	int64_t run;        /* as of this run; 0: latest of each host */
	bool with_resolved; /* in that run; with `id` also earlier ones */
	bool with_explained;
	enum severity at_least;
};
typedef int store_finding_cb(void *context, const struct store_finding_row *row);
int store_findings(struct store *store, const struct store_finding_query *query,
		   store_finding_cb *callback, void *context, struct error *err) MUST_CHECK;
/*
 * What no host's own result settles in the newest run, by host: findings of comparing hosts with each
 * other, and all that still holds on hosts that were not looked at whole. Asked for at the run's end.
 */
int store_findings_at_end(struct store *store, const struct store_run *run,
			  store_finding_cb *callback, void *context, struct error *err) MUST_CHECK;

/* What holds of one host now, explained or not, in no order; costs the same in any fleet. */
int store_host_findings(struct store *store, const char *host, store_finding_cb *callback,
			void *context, struct error *err) MUST_CHECK;

struct store_host_row {
	const char *name;
	int64_t run;
	enum outcome outcome;
	const char *reason;
	int64_t finished_s;
	int64_t last_complete_s; /* 0: never */
	int64_t oldest_content_s;
	size_t open[SEVERITY_CRITICAL + 1]; /* new ones among them */
	size_t acknowledged;
	size_t explained;
	struct judge_counts counts;
	struct hello hello; /* of the latest session; empty fields where none */
	struct end end;
	uint64_t sent_bytes;
	uint64_t received_bytes;
	uint64_t probe_bytes;
	const char *os;        /* PRETTY_NAME or ID VERSION_ID, escaped; may be "" */
	const char *transport; /* who spoke with it when it was last reached; "": not known */
};
typedef int store_host_cb(void *context, const struct store_host_row *row);
/* run 0: the latest of each host. */
int store_hosts(struct store *store, int64_t run, store_host_cb *callback, void *context,
		struct error *err) MUST_CHECK;

typedef int store_run_cb(void *context, const struct store_run *run);
int store_runs(struct store *store, size_t most, store_run_cb *callback, void *context,
	       struct error *err) MUST_CHECK;
/*
 * By public name, unambiguous prefix, "latest" (also "-1"), "previous" (also "-2"), "-3" ... CONFIG
 * error where there is none. The run's strings live until store_close.
 */
int store_run_find(struct store *store, const char *name, struct store_run *run,
		   struct error *err) MUST_CHECK;

/*
 * The two runs that can be laid side by side: the newest that is over and looked at a host which an
 * earlier one looked at too, whole or in part, and the newest such one. `wanted` NULL: any host counts.
 */
int store_run_pair(struct store *store, bool (*wanted)(void *context, const char *host),
		   void *context, struct store_run *older, struct store_run *newer, bool *found,
		   struct error *err) MUST_CHECK;

/*
 * A host that is no more, or never was: from now on it is in no report of today. What earlier runs
 * had of it stays until they are pruned. *known is false where there is nothing to forget.
 */
int store_host_forget(struct store *store, const char *name, bool *known,
		      struct error *err) MUST_CHECK;

/*
 * What differs between two runs of one host: sections first, then entries or records in them. Hosts
 * that were not looked at in both are left out. A package that came, went or changed its version is
 * one row with its name as subject and versions as values (key kind package), without its files; of
 * an upgraded one only differences in configuration files are told beside. Rows come by host name,
 * then in order of keys.
 */
enum store_change { STORE_ADDED, STORE_REMOVED, STORE_CHANGED };
struct store_diff_row {
	const char *host;
	const struct section_key *key;
	enum store_change change;
	struct bytes subject;   /* path or record's escaped line */
	struct bytes old_value; /* words of manifest_words, or escaped record */
	struct bytes new_value;
};
typedef int store_diff_cb(void *context, const struct store_diff_row *row);
int store_diff(struct store *store, int64_t run_a, int64_t run_b, const char *host /* NULL: all */,
	       store_diff_cb *callback, void *context, struct error *err) MUST_CHECK;

/* The append-only timeline of a host, ascending by ctime. Bounds 0: open. */
typedef int store_timeline_cb(void *context, const struct timeline_item *item);
int store_timeline(struct store *store, const char *host, int64_t since_ns, int64_t until_ns,
		   store_timeline_cb *callback, void *context, struct error *err) MUST_CHECK;
int store_coverage(struct store *store, const char *host, int64_t run,
		   int (*callback)(void *context, const struct coverage_item *item), void *context,
		   struct error *err) MUST_CHECK;

/*
 * Verdicts on vendors' signatures over rpm headers, by the digest of a [header, rpm, ...] section's
 * content; each holds as long as the keys and the gpgv that checked them stay the same (`keys` is of both).
 */
struct store_proof {
	struct digest section;
	enum rpm_verdict verdict;
	char fingerprint[RPM_FINGERPRINT_SIZE];
	char reason[RPM_REASON_SIZE];
};
/* Of proof->section. */
int store_proof_get(struct store *store, const struct digest *keys, struct store_proof *proof,
		    bool *found, struct error *err) MUST_CHECK;
/* In one transaction; replaces what other keys said of the same sections. */
int store_proof_put(struct store *store, const struct digest *keys,
		    const struct store_proof *proofs, size_t count, struct error *err) MUST_CHECK;

/* Evidence of a broken protocol in that run (0: the latest), free(); NULL where there is none. */
int store_excerpt(struct store *store, const char *host, int64_t run, uint8_t **data, size_t *len,
		  struct error *err) MUST_CHECK;

/* Keeps the newest `keep` runs (and each host's first sight and latest); drops unused objects. */
struct store_pruned {
	size_t runs;
	size_t objects;
	uint64_t bytes;
};
int store_prune(struct store *store, size_t keep, struct store_pruned *pruned,
		struct error *err) MUST_CHECK;

#endif

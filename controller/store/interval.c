// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controller/store/inner.h"
#include "schema/escape.h"

/*
 * A finding is written when it comes, when it changes and when it goes; a night on which it is still
 * there writes nothing. What a host had is compared with what it has by fingerprint.
 */
struct current {
	int64_t id;
	int64_t finding;
	char fingerprint[FINGERPRINT_SIZE];
	struct digest digest; /* first half only */
	enum finding_state state;
	char *ack;
	int64_t first_run;
	int64_t first_seen_s;
	int64_t from_run;
	enum severity severity;
	char *rule;
	char *subject; /* escaped */
	char *package; /* escaped */
	bool seen;
};

struct currents {
	struct arena arena;
	struct current *item;
	size_t count;
	size_t room;
};

static enum finding_state state_of(const char *name)
{
	if (strcmp(name, "acknowledged") == 0) {
		return FINDING_ACKNOWLEDGED;
	}
	return strcmp(name, "explained") == 0 ? FINDING_EXPLAINED : FINDING_OPEN;
}

static const char *name_of(enum finding_state state)
{
	switch (state) {
	case FINDING_ACKNOWLEDGED:
		return "acknowledged";
	case FINDING_EXPLAINED:
		return "explained";
	default:
		return "open";
	}
}

static int by_fingerprint(const void *a, const void *b)
{
	const struct current *x = a, *y = b;

	return strcmp(x->fingerprint, y->fingerprint);
}

static int current_read(struct currents *now, sqlite3_stmt *stmt, struct error *err)
{
	struct bytes digest = db_bytes(stmt, 3);
	struct current *c;

	if (now->count == now->room) {
		size_t room = now->room ? now->room * 2 : 64;
		struct current *item = realloc(now->item, room * sizeof(*item));

		if (!item) {
			return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
		}
		now->item = item;
		now->room = room;
	}
	c = &now->item[now->count];
	*c = (struct current){
		.id = sqlite3_column_int64(stmt, 0),
		.finding = sqlite3_column_int64(stmt, 1),
		.state = state_of(db_text(stmt, 4)),
		.ack = arena_string(&now->arena, db_text(stmt, 5)),
		.first_run = sqlite3_column_int64(stmt, 6),
		.from_run = sqlite3_column_int64(stmt, 7),
		.severity = (enum severity)(sqlite3_column_int(stmt, 8) & 7),
		.rule = arena_string(&now->arena, db_text(stmt, 9)),
		.subject = arena_string(&now->arena, db_text(stmt, 10)),
		.package = arena_string(&now->arena, db_text(stmt, 11)),
		.first_seen_s = sqlite3_column_int64(stmt, 12),
	};
	if (!c->ack || !c->rule || !c->subject || !c->package) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	if (c->severity > SEVERITY_CRITICAL) {
		c->severity = SEVERITY_CRITICAL;
	}
	(void)strncpy(c->fingerprint, db_text(stmt, 2), sizeof(c->fingerprint) - 1);
	memcpy(c->digest.bytes, digest.data, digest.len < 16 ? digest.len : 16);
	now->count++;
	return 0;
}

static int currents_load(struct store *store, int64_t host, struct currents *now, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	bool row = true;
	int result;

	result = db_start(&store->db, &stmt, err,
			  "SELECT i.id, i.finding, f.fingerprint, f.digest, i.state, i.ack, "
			  "i.first_run, i.from_run, f.severity, f.rule, f.subject, f.package, "
			  "r.started FROM interval i JOIN finding f ON f.id = i.finding "
			  "JOIN run r ON r.id = i.first_run "
			  "WHERE i.host = ? AND i.until_run IS NULL",
			  "i", host);
	while (result == 0 && (result = db_next(&store->db, stmt, &row, err)) == 0 && row) {
		result = current_read(now, stmt, err);
	}
	db_end(stmt);
	if (result == 0 && now->count > 1) {
		qsort(now->item, now->count, sizeof(*now->item), by_fingerprint);
	}
	return result;
}

static int finding_digest(struct store *store, const struct finding *f, struct digest *digest,
			  struct error *err)
{
	struct pack *p = &store->blob;

	p->len = 0;
	pack_raw(p, f->id, strnlen(f->id, sizeof(f->id)));
	pack_uint(p, 0);
	pack_bytes(p, bytes_from_string(rule_name(f->rule)));
	pack_uint(p, (uint64_t)f->severity);
	pack_bytes(p, bytes_from_string(witness_name(f->witness)));
	pack_bytes(p, bytes_make(f->letters, strnlen(f->letters, sizeof(f->letters))));
	pack_raw(p, &f->marker, 1);
	pack_bytes(p, f->subject);
	pack_bytes(p, f->package);
	pack_bytes(p, f->old_value);
	pack_bytes(p, f->new_value);
	pack_bytes(p, f->detail);
	if (p->failed) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	return pack_digest(pack_all(p), digest, err);
}

static int finding_insert(struct store *store, const struct finding *f, struct bytes digest,
			  int64_t *id, struct error *err)
{
	size_t subject_room = ESCAPE_ROOM(f->subject.len),
	       package_room = ESCAPE_ROOM(f->package.len);
	char marker[2] = {f->marker == '\0' ? ' ' : f->marker, '\0'};
	char *subject = malloc(subject_room), *package = malloc(package_room);
	char letters[sizeof(f->letters) + 1] = "";
	int result = -1;

	if (!subject || !package) {
		(void)error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
		goto out;
	}
	memcpy(letters, f->letters, sizeof(f->letters));
	if (db_exec(&store->db, err,
		    "INSERT INTO finding (digest, fingerprint, rule, severity, witness, letters, "
		    "marker, subject, package, old, new, detail) "
		    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		    "bttittttt"
		    "sss",
		    digest, f->id, rule_name(f->rule), (int64_t)f->severity,
		    witness_name(f->witness), letters, marker,
		    escape_text(f->subject, subject, subject_room),
		    escape_text(f->package, package, package_room), f->old_value, f->new_value,
		    f->detail)) {
		goto out;
	}
	*id = sqlite3_last_insert_rowid(store->db.sql);
	result = 0;
out:
	free(subject);
	free(package);
	return result;
}

static int finding_intern(struct store *store, const struct finding *f, const struct digest *digest,
			  int64_t *id, struct error *err)
{
	struct bytes half = bytes_make(digest->bytes, 16);

	if (db_number(&store->db, id, 0, err, "SELECT id FROM finding WHERE digest = ?", "b",
		      half)) {
		return -1;
	}
	return *id != 0 ? 0 : finding_insert(store, f, half, id, err);
}

static int interval_insert(struct store *store, int64_t host, int64_t finding,
			   enum finding_state state, const char *ack, int64_t first_run,
			   int64_t run, struct error *err)
{
	return db_exec(&store->db, err,
		       "INSERT INTO interval (host, finding, state, ack, first_run, from_run) "
		       "VALUES (?, ?, ?, ?, ?, ?)",
		       "iittii", host, finding, name_of(state), ack, first_run, run);
}

static int interval_end(struct store *store, const struct current *c, int64_t run, bool resolved,
			int64_t last_run, struct error *err)
{
	if (c->from_run == run) {
		/* The same host twice in one run: what was said before does not count. */
		return db_exec(&store->db, err, "DELETE FROM interval WHERE id = ?", "i", c->id);
	}
	return db_exec(&store->db, err,
		       "UPDATE interval SET until_run = ?, resolved = ?, last_run = ? WHERE id = ?",
		       "iizi", run, (int64_t)resolved, last_run, c->id);
}

static void count_open(struct tally *tally, enum finding_state state, enum severity severity)
{
	if (state == FINDING_ACKNOWLEDGED) {
		tally->acknowledged++;
	} else if (state == FINDING_EXPLAINED) {
		tally->explained++;
	} else {
		tally->open[severity <= SEVERITY_CRITICAL ? severity : SEVERITY_CRITICAL]++;
	}
}

static enum finding_state wanted_state(const struct finding *f)
{
	return f->state == FINDING_ACKNOWLEDGED || f->state == FINDING_EXPLAINED ? f->state
										 : FINDING_OPEN;
}

/* Whose findings are put, by which run, and which run of that host was the last before. */
struct interval_at {
	int64_t host, run, last_run;
};

static int put_one(struct store *store, const struct interval_at *at, struct currents *now,
		   struct finding *f, const char *ack, struct tally *tally, int64_t *first_seen_s,
		   struct error *err)
{
	struct current key = {0}, *c;
	enum finding_state state = wanted_state(f);
	struct digest digest;
	int64_t id, first_run;

	memcpy(key.fingerprint, f->id, sizeof(key.fingerprint));
	c = now->count ? bsearch(&key, now->item, now->count, sizeof(key), by_fingerprint) : NULL;
	if (finding_digest(store, f, &digest, err)) {
		return -1;
	}
	first_run = c ? c->first_run : at->run;
	if (!c || memcmp(c->digest.bytes, digest.bytes, 16) != 0 || c->state != state ||
	    strcmp(c->ack, ack) != 0) {
		if ((c && interval_end(store, c, at->run, false, at->last_run, err)) ||
		    finding_intern(store, f, &digest, &id, err) ||
		    interval_insert(store, at->host, id, state, ack, first_run, at->run, err)) {
			return -1;
		}
	}
	if (c) {
		c->seen = true;
		*first_seen_s = c->first_seen_s;
	}
	f->state = state == FINDING_OPEN && first_run == at->run ? FINDING_NEW : state;
	count_open(tally, state, f->severity);
	return 0;
}

static bool may_resolve(const struct store_host *put, const struct current *c)
{
	if (!put->observation) {
		return false;
	}
	switch (outcome_class(put->outcome)) {
	case OUTCOME_CLASS_LOOKED:
		return true;
	case OUTCOME_CLASS_PARTIAL:
		return looked_at(put->observation, c->rule, bytes_from_string(c->subject),
				 bytes_from_string(c->package));
	default:
		return false;
	}
}

static int by_id(const void *a, const void *b)
{
	const struct finding *const *x = a, *const *y = b;
	int order = strcmp((*x)->id, (*y)->id);

	return order != 0 ? order : (*x > *y) - (*x < *y);
}

/* In order of fingerprints, so that one that comes twice is put once. */
static int put_all(struct store *store, int64_t host, const struct store_run *run, int64_t last,
		   const struct store_host *put, struct currents *now, struct tally *tally,
		   struct error *err)
{
	size_t count = put->findings ? put->findings->count : 0;
	struct finding **order = calloc(count + 1, sizeof(struct finding *));
	const struct interval_at put_at = {.host = host, .run = run->id, .last_run = last};
	int64_t seen_s = run->started_s;
	int result = 0;

	if (!order) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	for (size_t i = 0; i < count; i++) {
		order[i] = &put->findings->item[i];
	}
	if (count > 1) {
		qsort(order, count, sizeof(struct finding *), by_id);
	}
	for (size_t i = 0; i < count && result == 0; i++) {
		size_t at = (size_t)(order[i] - put->findings->item);
		const char *ack = put->acks ? put->acks[at] : NULL;

		if (i > 0 && strcmp(order[i]->id, order[i - 1]->id) == 0) {
			order[i]->state = order[i - 1]->state;
		} else {
			seen_s = run->started_s;
			result = put_one(store, &put_at, now, order[i], ack ? ack : "", tally,
					 &seen_s, err);
		}
		if (put->first_seen_s) {
			put->first_seen_s[at] = seen_s;
		}
	}
	free(order);
	return result;
}

int interval_put_fleet(struct store *store, int64_t host, const struct store_run *run,
		       struct findings *findings, const char *const *acks, struct tally *tally,
		       struct error *err)
{
	const struct store_host put = {.findings = findings, .acks = acks};
	struct currents now = {0};
	int result = -1;

	if (currents_load(store, host, &now, err) ||
	    put_all(store, host, run, run->id, &put, &now, tally, err)) {
		goto out;
	}
	for (size_t i = 0; i < now.count; i++) {
		const struct current *c = &now.item[i];

		if (c->seen) {
			continue;
		}
		if (strncmp(c->rule, "fleet.", 6) != 0) {
			count_open(tally, c->state, c->severity);
		} else if (interval_end(store, c, run->id, true, run->id, err)) {
			goto out;
		}
	}
	result = 0;
out:
	arena_clear(&now.arena);
	free(now.item);
	return result;
}

int interval_put(struct store *store, int64_t host, const struct store_run *run,
		 const struct store_host *put, struct tally *tally, struct error *err)
{
	struct currents now = {0};
	int64_t last = 0;
	int result = -1;

	if (currents_load(store, host, &now, err) ||
	    db_number(&store->db, &last, 0, err,
		      "SELECT coalesce(observed, latest) FROM host WHERE id = ?", "i", host)) {
		goto out;
	}
	last = host_run_run(last);
	if (put_all(store, host, run, last, put, &now, tally, err)) {
		goto out;
	}
	for (size_t i = 0; i < now.count; i++) {
		if (now.item[i].seen) {
			continue;
		}
		if (!may_resolve(put, &now.item[i])) {
			count_open(tally, now.item[i].state, now.item[i].severity);
		} else if (interval_end(store, &now.item[i], run->id, true, last, err)) {
			goto out;
		}
	}
	result = 0;
out:
	arena_clear(&now.arena);
	free(now.item);
	return result;
}

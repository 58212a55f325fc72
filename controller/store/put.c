// SPDX-License-Identifier: MIT
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/store/inner.h"
#include "schema/escape.h"

/* Rows of the host before this one: ids of host_run, 0 where there is none. */
struct previous {
	int64_t host;
	int64_t row; /* of this run already, or 0 */
	int64_t latest;
	int64_t observed;
	int64_t complete;
	int64_t first;
	int64_t snapshot; /* of observed */
	int64_t packages;
	int64_t witness; /* of complete; 0: none yet */
	char release[256];
	char transport[STORE_TRANSPORT_ROOM];
	struct kept_verdict verdict; /* of observed */
};

static int find_host(struct store *store, const char *name, struct previous *p, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	bool row = false;
	int result;

	*p = (struct previous){0};
	result = db_start(&store->db, &stmt, err,
			  "SELECT h.id, h.latest, h.observed, h.complete, h.first, r.snapshot, "
			  "h.packages, w.witness, w.release, v.basis, v.findings, v.witness, "
			  "(SELECT x.value FROM host_transport t JOIN text x ON x.id = t.transport "
			  "WHERE t.host = h.id ORDER BY t.row DESC LIMIT 1) "
			  "FROM host h LEFT JOIN host_run r ON "
			  "r.id = h.observed LEFT JOIN host_witness w ON w.host = h.id "
			  "LEFT JOIN host_verdict v ON v.host = h.id WHERE h.name = ?",
			  "t", name);
	if (result == 0) {
		result = db_next(&store->db, stmt, &row, err);
	}
	if (result == 0 && row) {
		p->host = sqlite3_column_int64(stmt, 0);
		p->latest = sqlite3_column_int64(stmt, 1);
		p->observed = sqlite3_column_int64(stmt, 2);
		p->complete = sqlite3_column_int64(stmt, 3);
		p->first = sqlite3_column_int64(stmt, 4);
		p->snapshot = sqlite3_column_int64(stmt, 5);
		p->packages = sqlite3_column_int64(stmt, 6);
		p->witness = sqlite3_column_int64(stmt, 7);
		(void)snprintf(p->release, sizeof(p->release), "%s", db_text(stmt, 8));
		verdict_read(stmt, 9, &p->verdict);
		(void)snprintf(p->transport, sizeof(p->transport), "%s", db_text(stmt, 12));
	}
	db_end(stmt);
	if (result == 0 && !row) {
		result = db_exec(&store->db, err, "INSERT INTO host (name) VALUES (?)", "t", name);
		p->host = sqlite3_last_insert_rowid(store->db.sql);
	}
	return result;
}

static int put_objects(struct store *store, const struct store_host *put, struct error *err)
{
	for (size_t i = 0; i < put->object_count; i++) {
		const struct store_object *object = &put->objects[i];
		uint32_t id;

		if (names_find_object(&store->names, &object->digest) != 0) {
			continue;
		}
		if (object->content.len > OBJECT_MOST) {
			return error_set(err, ERROR_STORE, 0, "host %s: a section of %zu bytes",
					 put->name, object->content.len);
		}
		if (squeezer_pack(&store->squeezer, object->content, &store->packed, err) ||
		    names_add_object(&store->names, &store->db, &object->digest,
				     object->content.len, &id, err) ||
		    db_exec(&store->db, err, "INSERT INTO content (object, data) VALUES (?, ?)",
			    "ib", (int64_t)id, pack_all(&store->packed))) {
			return -1;
		}
	}
	return 0;
}

/* A section that is not where the last snapshot had it. */
static int look_up(struct store *store, const struct store_host *put, size_t i, struct pair *pair,
		   struct error *err)
{
	const struct observation *o = put->observation;
	const struct observed_section *section = &o->sections[i];
	char text[128];

	if (i > 0 && bytes_compare(o->sections[i - 1].key, section->key) >= 0) {
		return error_set(err, ERROR_PEER, 0, "host %s: sections out of order at %s",
				 put->name, escape_text(section->key, text, sizeof(text)));
	}
	pair->object = names_find_object(&store->names, &section->content);
	if (pair->object == 0) {
		return error_set(err, ERROR_STORE, 0,
				 "host %s: section %s: its content was never stored", put->name,
				 escape_text(section->key, text, sizeof(text)));
	}
	pair->key = names_find_key(&store->names, section->key);
	if (pair->key == 0) {
		return names_add_key(&store->names, &store->db, section->key, &pair->key, err);
	}
	return 0;
}

/*
 * The sections as pairs, in step with the last snapshot: of a host that hardly changed nearly every
 * section is found there without a look into the index. *same: all of them were.
 */
static int make_pairs(struct store *store, const struct store_host *put, bool *same,
		      struct error *err)
{
	const struct observation *o = put->observation;
	const struct names *names = &store->names;
	const struct pairs *last = &store->last;
	bool found_before = true;
	size_t j = 0;

	store->pairs.count = 0;
	*same = o->section_count == last->count;
	for (size_t i = 0; i < o->section_count; i++) {
		const struct observed_section *section = &o->sections[i];
		struct pair pair = {0, 0};
		bool found = false;

		while (j < last->count) {
			struct bytes key = names->key[last->item[j].key].encoded;
			int order = key.data == section->key.data
					    ? 0
					    : bytes_compare(key, section->key);

			if (order >= 0) {
				found = order == 0;
				break;
			}
			j++;
		}
		if (found && found_before &&
		    digest_equal(&names->object[last->item[j].object], &section->content)) {
			pair = last->item[j];
		} else if (look_up(store, put, i, &pair, err)) {
			return -1;
		} else {
			*same = false;
		}
		found_before = found;
		j += found;
		if (pairs_add(&store->pairs, pair, err)) {
			return -1;
		}
	}
	return 0;
}

static bool names_a_package(const struct store *store)
{
	for (size_t i = 0; i < store->pairs.count; i++) {
		if (store->names.key[store->pairs.item[i].key].package != 0) {
			return true;
		}
	}
	return false;
}

static int put_snapshot(struct store *store, const struct store_host *put, struct previous *p,
			int64_t *snapshot, struct error *err)
{
	struct snapshot_store s = store_snapshots(store);
	int64_t packages = 0;
	bool same = false;

	store->last.count = 0;
	if ((p->snapshot != 0 && snapshot_load(&s, p->snapshot, &store->last, err)) ||
	    make_pairs(store, put, &same, err)) {
		return -1;
	}
	if (same && p->snapshot != 0) {
		*snapshot = p->snapshot;
		return 0;
	}
	if (snapshot_put(&s, &store->pairs, p->snapshot, snapshot, &packages, err)) {
		return -1;
	}
	/* Where packages could not be looked at, v_packages keeps what it had. */
	if (names_a_package(store) || p->packages == 0) {
		p->packages = packages;
	}
	return 0;
}

/* The host's system, where its [host] section is new. */
static int put_os(struct store *store, const struct store_host *put, char release[256],
		  const struct previous *p, struct error *err)
{
	struct section_key key = {.kind = SECTION_HOST, .count = 1};
	const struct observed_section *section;
	uint8_t encoded[16], *data = NULL;
	char os[512];
	struct cbor_writer w;
	size_t len;

	cbor_writer_init(&w, encoded, sizeof(encoded));
	key.part[0] = bytes_from_string(section_kind_name(SECTION_HOST));
	section_key_encode(&w, &key);
	section = observation_find(put->observation, bytes_make(encoded, w.len));
	if (!section) {
		return 0;
	}
	if (store_object_load(store, &section->content, &data, &len, err)) {
		return -1;
	}
	os_release_name(bytes_make(data, len), os, sizeof(os));
	os_release_release(bytes_make(data, len), release, sizeof(p->release));
	free(data);
	return db_exec(&store->db, err, "UPDATE host SET os = ? WHERE id = ?", "ti", os, p->host);
}

/* By what each package was judged, where that or the release is not what it was. */
static int put_witness(struct store *store, const struct store_host *put, const struct previous *p,
		       bool moved, int64_t *witness, struct error *err)
{
	char release[sizeof(p->release)];
	int64_t id = p->verdict.witness;

	(void)snprintf(release, sizeof(release), "%s", p->release);
	moved = moved || p->complete != p->observed;
	if ((moved || p->witness == 0) && put_os(store, put, release, p, err)) {
		return -1;
	}
	if (!put->is_reused &&
	    witness_put(store, put->packages, put->observation->section_count, &id, err)) {
		return -1;
	}
	*witness = id;
	if (outcome_class(put->outcome) != OUTCOME_CLASS_LOOKED) {
		return 0;
	}
	/* The set of hosts that are compared is a matter of their last complete looks. */
	store->fleet_moved = store->fleet_moved || moved;
	if (id == 0 || (id == p->witness && strcmp(release, p->release) == 0)) {
		return 0;
	}
	store->fleet_moved = true;
	return db_exec(&store->db, err,
		       "INSERT INTO host_witness (host, release, witness) VALUES (?1, ?2, ?3) "
		       "ON CONFLICT (host) DO UPDATE SET release = ?2, witness = ?3",
		       "iti", p->host, release, id);
}

int text_put(struct store *store, const char *value, int64_t *id, struct error *err)
{
	*id = 0;
	if (!value || value[0] == '\0') {
		return 0;
	}
	if (db_number(&store->db, id, 0, err, "SELECT id FROM text WHERE value = ?", "t", value)) {
		return -1;
	}
	if (*id != 0) {
		return 0;
	}
	if (db_exec(&store->db, err, "INSERT INTO text (value) VALUES (?)", "t", value)) {
		return -1;
	}
	*id = sqlite3_last_insert_rowid(store->db.sql);
	return 0;
}

/* The row of this host in this run: a new one after the run's last, or the one it has already. */
static int row_id(struct store *store, const struct store_run *run, const struct previous *p,
		  int64_t *id, struct error *err)
{
	if (host_run_run(p->latest) == run->id) {
		*id = p->latest;
		return db_exec(&store->db, err, "DELETE FROM host_run WHERE id = ?", "i", *id);
	}
	if (db_number(&store->db, id, 0, err,
		      "SELECT max(id) FROM host_run WHERE id >= ? AND id <= ?", "ii",
		      host_run_first(run->id), host_run_first(run->id) + HOST_RUN_MOST)) {
		return -1;
	}
	*id = *id == 0 ? host_run_first(run->id) + 1 : *id + 1;
	if (host_run_run(*id) != run->id) {
		return error_set(err, ERROR_STORE, 0, "too many hosts in one run");
	}
	return 0;
}

struct row {
	int64_t id;
	int64_t outcome;
	int64_t reason;
	int64_t snapshot;
	int64_t coverage;
	int64_t facts;
	int64_t tally;
	int64_t content_age;
};

/* Its snapshot is the last one: nothing is looked up, nothing compared. */
static int put_sections(struct store *store, const struct store_host *put, struct previous *p,
			int64_t *snapshot, struct error *err)
{
	if (!put->same) {
		return put_snapshot(store, put, p, snapshot, err);
	}
	if (p->snapshot == 0 || p->complete != p->observed || !put->is_reused) {
		return error_set(err, ERROR_STORE, 0, "host %s: it has no look to be the same as",
				 put->name);
	}
	*snapshot = p->snapshot;
	return 0;
}

static int64_t oldest_reading(const struct observation *o)
{
	int64_t oldest = INT64_MAX;

	for (size_t i = 0; i < o->section_count; i++) {
		oldest = o->sections[i].read_s < oldest ? o->sections[i].read_s : oldest;
	}
	return oldest;
}

static int put_observation(struct store *store, const struct store_run *run,
			   const struct store_host *put, struct previous *p, struct row *row,
			   struct pack *session, struct error *err)
{
	const struct observation *o = put->observation;
	int64_t before = p->snapshot, witness = 0, oldest_s;
	struct session s = {
		.clock_offset_ns = o->clock_offset_ns,
		.clock_ns = o->hello.clock_ns,
		.probe_bytes = put->probe_bytes,
		.end = o->end,
	};

	if (put_sections(store, put, p, &row->snapshot, err) ||
	    put_witness(store, put, p, row->snapshot != before, &witness, err) ||
	    verdict_put(store, p->host, &p->verdict, put->verdict, witness, err) ||
	    session_put_facts(store, &o->hello, &row->facts, err)) {
		return -1;
	}
	session_write(session, &s, put->finished_s);
	if (session_put_coverage(store, o, session, &row->coverage, err) ||
	    (put->same ? reading_renew(store, p->host, put->same, err)
		       : reading_put(store, p->host, row->snapshot, o, put->stat_root, err)) ||
	    timeline_put(store, p->host, run, o, err)) {
		return -1;
	}
	oldest_s = put->same ? put->same->oldest_s : oldest_reading(o);
	row->content_age = oldest_s < put->finished_s ? put->finished_s - oldest_s : 0;
	return 0;
}

static int write_row(struct store *store, const struct store_run *run, const struct store_host *put,
		     int64_t host, const struct row *row, struct bytes session, struct error *err)
{
	/* 0 is a content age too, and NULL where nothing was looked at. */
	const char *types = row->snapshot != 0 ? "iiizzzziiiiiib" : "iiizzzziiiiizb";
	int64_t started = put->started_s - run->started_s;

	return db_exec(
		&store->db, err,
		"INSERT INTO host_run (id, host, outcome, reason, snapshot, coverage, facts, "
		"tally, started, took, sent, received, content_age, session) "
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		types, row->id, host, row->outcome, row->reason, row->snapshot, row->coverage,
		row->facts, row->tally, started, put->finished_s - put->started_s,
		(int64_t)put->sent_bytes, (int64_t)put->received_bytes, row->content_age, session);
}

static int write_host(struct store *store, const struct store_host *put, const struct previous *p,
		      const struct row *row, struct error *err)
{
	bool looked = outcome_class(put->outcome) == OUTCOME_CLASS_LOOKED && row->snapshot != 0;

	return db_exec(&store->db, err,
		       "UPDATE host SET latest = ?, observed = ?, complete = ?, first = ?, "
		       "packages = ? WHERE id = ?",
		       "izzzzi", row->id, row->snapshot != 0 ? row->id : p->observed,
		       looked ? row->id : p->complete,
		       p->first != 0 || !looked ? p->first : row->id, p->packages, p->host);
}

/* When a host that now was not looked at whole last was. */
static int find_complete(struct store *store, const struct previous *p, struct store_host *put,
			 struct error *err)
{
	put->last_complete_s = 0;
	if (outcome_class(put->outcome) == OUTCOME_CLASS_LOOKED || p->complete == 0) {
		return 0;
	}
	return db_number(&store->db, &put->last_complete_s, 0, err,
			 "SELECT r.started + h.started + h.took FROM host_run h "
			 "JOIN run r ON r.id = (h.id >> 24) WHERE h.id = ?",
			 "i", p->complete);
}

static int put_all(struct store *store, const struct store_run *run, struct store_host *put,
		   struct error *err)
{
	static const struct judge_counts none;
	struct tally tally = {.counts = put->counts ? *put->counts : none};
	struct row row = {0};
	struct pack session = {0};
	struct previous p;
	int result = -1;

	if (find_host(store, put->name, &p, err) || find_complete(store, &p, put, err) ||
	    put_objects(store, put, err) ||
	    (put->observation && put_observation(store, run, put, &p, &row, &session, err)) ||
	    interval_put(store, p.host, run, put, &tally, err) ||
	    tally_put(store, &tally, &row.tally, err) ||
	    text_put(store, outcome_name(put->outcome), &row.outcome, err) ||
	    text_put(store, put->reason, &row.reason, err) ||
	    row_id(store, run, &p, &row.id, err)) {
		goto out;
	}
	if (!put->observation) {
		struct session s = {.probe_bytes = put->probe_bytes};

		session_write(&session, &s, put->finished_s);
	}
	if (session.failed) {
		(void)error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
		goto out;
	}
	if (write_row(store, run, put, p.host, &row, pack_all(&session), err) ||
	    (row.snapshot != 0 && p.first == 0 &&
	     sight_put(store, put, p.host, row.id, row.snapshot, err)) ||
	    transport_put(store, p.host, row.id, p.transport, put->transport, err) ||
	    write_host(store, put, &p, &row, err)) {
		goto out;
	}
	if (put->excerpt.len > 0 &&
	    db_exec(&store->db, err,
		    "INSERT OR REPLACE INTO excerpt (host_run, data) VALUES (?, ?)", "ib", row.id,
		    put->excerpt)) {
		goto out;
	}
	result = 0;
out:
	pack_clear(&session);
	return result;
}

int store_host_put(struct store *store, const struct store_run *run, struct store_host *put,
		   struct error *err)
{
	assert(store->db.writable && run->id > 0);
	if (store_ready(store, err) || db_begin(&store->db, err)) {
		return error_prefix(err, "host %s", put->name);
	}
	if (put_all(store, run, put, err) || db_commit(&store->db, err)) {
		db_rollback(&store->db);
		store_forget(store);
		return error_prefix(err, "host %s", put->name);
	}
	return 0;
}

int store_objects_put(struct store *store, const struct store_object *objects, size_t count,
		      struct error *err)
{
	const struct store_host put = {
		.name = "of this run", .objects = objects, .object_count = count};

	assert(store->db.writable);
	if (store_ready(store, err) || db_begin(&store->db, err)) {
		return error_prefix(err, "objects");
	}
	if (put_objects(store, &put, err) || db_commit(&store->db, err)) {
		db_rollback(&store->db);
		store_forget(store);
		return error_prefix(err, "objects");
	}
	return 0;
}

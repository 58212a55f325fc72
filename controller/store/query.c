// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controller/store/inner.h"
#include "schema/escape.h"

/* What is stored as text escaped, as it was: into arena memory. */
static struct bytes undo(struct arena *arena, struct bytes escaped, bool *ok)
{
	uint8_t *to = arena_alloc(arena, escaped.len + 1);
	long len;

	if (!to) {
		*ok = false;
		return (struct bytes){0};
	}
	len = escape_undo(escaped, to);
	return bytes_make(to, len < 0 ? 0 : (size_t)len);
}

static void copy_text(char *to, size_t room, const char *from)
{
	size_t len = strnlen(from, room - 1);

	memcpy(to, from, len);
	to[len] = '\0';
}

static enum witness witness_of(const char *name)
{
	for (unsigned i = 0; i <= WITNESS_RULE; i++) {
		if (strcmp(witness_name((enum witness)i), name) == 0) {
			return (enum witness)i;
		}
	}
	return WITNESS_RULE;
}

enum {
	FINDING_HOST,
	FINDING_PRINT,
	FINDING_RULE,
	FINDING_SEVERITY,
	FINDING_WITNESS,
	FINDING_LETTERS,
	FINDING_MARKER,
	FINDING_SUBJECT,
	FINDING_PACKAGE,
	FINDING_OLD,
	FINDING_NEW_VALUE,
	FINDING_DETAIL,
	FINDING_STATE,
	FINDING_ACK,
	FINDING_FIRST,
	FINDING_STARTED,
	FINDING_GONE, /* whether resolved as of the run asked for */
	FINDING_LAST,
	FINDING_RUN, /* the run it is looked at from */
};

/* Each ?N is one parameter; the last two columns of a row depend on whether a run was named. */
#define FINDING_COLUMNS                                                                      \
	"SELECT h.name, f.fingerprint, f.rule, f.severity, f.witness, f.letters, f.marker, " \
	"f.subject, f.package, f.old, f.new, f.detail, i.state, i.ack, i.first_run, r.started, "
#define FINDING_TABLES                                                                      \
	" FROM interval i JOIN finding f ON f.id = i.finding JOIN host h ON h.id = i.host " \
	"JOIN run r ON r.id = i.first_run WHERE f.severity >= ?1 "                          \
	"AND (?2 = '' OR h.name = ?2) "                                                     \
	"AND (?3 = '' OR (f.fingerprint >= ?3 AND f.fingerprint < ?3 || 'g')) "             \
	"AND (?4 OR i.state <> 'explained') "
#define FINDING_ORDER " ORDER BY f.severity DESC, f.subject, f.fingerprint, h.name"

static const char findings_now[] = FINDING_COLUMNS
	"i.until_run IS NOT NULL, "
	"coalesce(i.last_run, coalesce(h.observed, h.latest) >> 24), h.latest >> 24" FINDING_TABLES
	"AND (i.until_run IS NULL OR (?5 AND i.resolved = 1 AND "
	"(?3 <> '' OR i.until_run = h.observed >> 24)))" FINDING_ORDER;

static const char findings_then[] = FINDING_COLUMNS
	"i.until_run IS NOT NULL AND i.until_run <= ?6, "
	"CASE WHEN i.until_run IS NULL OR i.until_run > ?6 THEN ?6 ELSE i.last_run END, "
	"?6" FINDING_TABLES "AND i.from_run <= ?6 AND (i.until_run IS NULL OR i.until_run > ?6 OR "
	"(?5 AND i.resolved = 1 AND (?3 <> '' OR i.until_run = ?6))) "
	"AND i.host IN (SELECT host FROM host_run WHERE id > ?6 << 24 AND id < (?6 + 1) << "
	"24)" FINDING_ORDER;

/* By host, so that a report can fold them as they come. */
static const char findings_at_end[] = FINDING_COLUMNS
	"0, coalesce(h.observed, h.latest) >> 24, h.latest >> 24 FROM interval i "
	"JOIN finding f ON f.id = i.finding JOIN host h ON h.id = i.host "
	"JOIN run r ON r.id = i.first_run WHERE i.until_run IS NULL AND h.latest >> 24 = ? "
	"AND ((f.rule >= 'fleet.' AND f.rule < 'fleet/') OR h.latest IS NOT h.complete) "
	"ORDER BY h.name, f.severity DESC, f.subject, f.fingerprint";

/* By the index over what holds: the others would look through all hosts' findings. */
static const char findings_of_host[] = FINDING_COLUMNS
	"0, h.latest >> 24, h.latest >> 24 FROM host h CROSS JOIN interval i ON i.host = h.id "
	"AND i.until_run IS NULL JOIN finding f ON f.id = i.finding "
	"JOIN run r ON r.id = i.first_run WHERE h.name = ?";

static int read_finding(sqlite3_stmt *stmt, struct arena *arena, struct finding *f,
			struct store_finding_row *row, struct error *err)
{
	const char *state = db_text(stmt, FINDING_STATE);
	bool ok = true;

	*f = (struct finding){
		.severity = (enum severity)(sqlite3_column_int(stmt, FINDING_SEVERITY) & 7),
		.witness = witness_of(db_text(stmt, FINDING_WITNESS)),
		.marker = db_text(stmt, FINDING_MARKER)[0],
		.subject = undo(arena, db_bytes(stmt, FINDING_SUBJECT), &ok),
		.package = undo(arena, db_bytes(stmt, FINDING_PACKAGE), &ok),
		.old_value = db_bytes(stmt, FINDING_OLD),
		.new_value = db_bytes(stmt, FINDING_NEW_VALUE),
		.detail = db_bytes(stmt, FINDING_DETAIL),
	};
	if (!ok) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	*row = (struct store_finding_row){
		.host = db_text(stmt, FINDING_HOST),
		.finding = f,
		.first_run = sqlite3_column_int64(stmt, FINDING_FIRST),
		.last_run = sqlite3_column_int64(stmt, FINDING_LAST),
		.first_seen_s = sqlite3_column_int64(stmt, FINDING_STARTED),
		.ack = db_text(stmt, FINDING_ACK),
		.rule_name = db_text(stmt, FINDING_RULE),
	};
	copy_text(f->id, sizeof(f->id), db_text(stmt, FINDING_PRINT));
	copy_text(f->letters, sizeof(f->letters), db_text(stmt, FINDING_LETTERS));
	if (!rule_from_name(row->rule_name, &f->rule)) {
		f->rule = RULES;
	}
	if (sqlite3_column_int(stmt, FINDING_GONE)) {
		f->state = FINDING_RESOLVED;
	} else if (strcmp(state, "acknowledged") == 0) {
		f->state = FINDING_ACKNOWLEDGED;
	} else if (strcmp(state, "explained") == 0) {
		f->state = FINDING_EXPLAINED;
	} else {
		f->state = row->first_run == sqlite3_column_int64(stmt, FINDING_RUN) ? FINDING_NEW
										     : FINDING_OPEN;
	}
	return 0;
}

static int check_prefix(struct store *store, const char *id, struct error *err)
{
	int64_t matches;

	if (id[strspn(id, "0123456789abcdef")] != '\0' || strlen(id) >= FINGERPRINT_SIZE) {
		return error_set(err, ERROR_CONFIG, 0,
				 "`%.40s` is no finding: it has up to 16 digits of 0-9 and a-f",
				 id);
	}
	if (db_number(&store->db, &matches, 0, err,
		      "SELECT count(DISTINCT fingerprint) FROM finding WHERE fingerprint >= ?1 AND "
		      "fingerprint < ?1 || 'g'",
		      "t", id)) {
		return -1;
	}
	if (matches > 1) {
		return error_set(err, ERROR_CONFIG, 0, "`%s` fits %lld findings: give more digits",
				 id, (long long)matches);
	}
	return 0;
}

/* Calls back each row of a statement with FINDING_COLUMNS. */
static int each_row(struct store *store, sqlite3_stmt *stmt, store_finding_cb *callback,
		    void *context, struct error *err)
{
	struct arena arena = {0};
	int result = 0, stop = 0;
	bool row = true;

	while (result == 0 && stop == 0 && (result = db_next(&store->db, stmt, &row, err)) == 0 &&
	       row) {
		struct store_finding_row shown;
		struct finding finding;

		result = read_finding(stmt, &arena, &finding, &shown, err);
		if (result == 0) {
			stop = callback(context, &shown);
		}
		arena_clear(&arena);
	}
	arena_clear(&arena);
	return stop < 0 ? -1 : result;
}

/* And finalizes it. */
static int each_finding(struct store *store, sqlite3_stmt *stmt, store_finding_cb *callback,
			void *context, struct error *err)
{
	int result = each_row(store, stmt, callback, context, err);

	(void)sqlite3_finalize(stmt);
	return result;
}

int store_findings(struct store *store, const struct store_finding_query *query,
		   store_finding_cb *callback, void *context, struct error *err)
{
	const char *host = query->host ? query->host : "", *id = query->id ? query->id : "";
	sqlite3_stmt *stmt = NULL;

	if ((id[0] != '\0' && check_prefix(store, id, err)) ||
	    db_query(&store->db, &stmt, err, query->run ? findings_then : findings_now,
		     query->run ? "ittiii" : "ittii", (int64_t)query->at_least, host, id,
		     (int64_t)query->with_explained, (int64_t)query->with_resolved, query->run)) {
		(void)sqlite3_finalize(stmt);
		return -1;
	}
	return each_finding(store, stmt, callback, context, err);
}

int store_findings_at_end(struct store *store, const struct store_run *run,
			  store_finding_cb *callback, void *context, struct error *err)
{
	sqlite3_stmt *stmt = NULL;

	if (db_query(&store->db, &stmt, err, findings_at_end, "i", run->id)) {
		(void)sqlite3_finalize(stmt);
		return -1;
	}
	return each_finding(store, stmt, callback, context, err);
}

int store_host_findings(struct store *store, const char *host, store_finding_cb *callback,
			void *context, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int result = db_start(&store->db, &stmt, err, findings_of_host, "t", host);

	if (result == 0) {
		result = each_row(store, stmt, callback, context, err);
	}
	db_end(stmt);
	return result;
}

enum {
	HOST_NAME,
	HOST_ROW,
	HOST_OUTCOME,
	HOST_REASON,
	HOST_FINISHED,
	HOST_LAST_COMPLETE,
	HOST_OLDEST,
	HOST_PACKAGES,
	HOST_WITNESSES,
	HOST_PROVED,
	HOST_UNPROVED,
	HOST_SKIPPED,
	HOST_CRITICAL,
	HOST_HIGH,
	HOST_MEDIUM,
	HOST_LOW,
	HOST_INFO,
	HOST_ACKNOWLEDGED,
	HOST_EXPLAINED,
	HOST_FACTS,
	HOST_SESSION,
	HOST_SESSION_END,
	HOST_SENT,
	HOST_RECEIVED,
	HOST_PROBE,
	HOST_OS,
	HOST_TRANSPORT,
	HOST_FLEET, /* '' where the row is not of the host's last complete look */
};

#define HOST_COLUMNS                                                                            \
	"SELECT h.name, l.id, o.value, coalesce(w.value, ''), r.started + l.started + l.took, " \
	"cr.started + c.started + c.took, sr.started + s.started + s.took - s.content_age, "    \
	"t.packages, t.by_witness, t.proved, t.unproved, t.skipped, t.critical, t.high, "       \
	"t.medium, t.low, t.info, t.acknowledged, t.explained, s.facts, s.session, "            \
	"sr.started + s.started + s.took, l.sent, l.received, l.session, h.os, "                \
	"coalesce((SELECT x.value FROM host_transport ht JOIN text x ON x.id = ht.transport "   \
	"WHERE ht.host = h.id AND ht.row <= l.id ORDER BY ht.row DESC LIMIT 1), ''), "          \
	"CASE WHEN l.id = h.complete THEN coalesce(hw.fleet, '') ELSE '' END "
#define HOST_JOINS                                                                           \
	"JOIN run r ON r.id = (l.id >> 24) JOIN text o ON o.id = l.outcome "                 \
	"JOIN tally t ON t.id = l.tally LEFT JOIN text w ON w.id = l.reason "                \
	"LEFT JOIN run sr ON sr.id = (s.id >> 24) LEFT JOIN run cr ON cr.id = (c.id >> 24) " \
	"LEFT JOIN host_witness hw ON hw.host = h.id "

static const char hosts_now[] = HOST_COLUMNS
	"FROM host h JOIN host_run l ON l.id = h.latest LEFT JOIN host_run s ON s.id = h.observed "
	"LEFT JOIN host_run c ON c.id = h.complete " HOST_JOINS "WHERE (?2 = '' OR h.name = ?2) "
	"ORDER BY h.name";

static const char hosts_then[] =
	"WITH whole (host, id) AS (SELECT host, max(id) FROM host_run WHERE id < (?1 + 1) << 24 "
	"AND snapshot IS NOT NULL AND outcome IN (SELECT id FROM text WHERE value IN ('clean', "
	"'findings')) GROUP BY host) " HOST_COLUMNS "FROM host_run l JOIN host h ON h.id = l.host "
	"LEFT JOIN host_run s ON s.id = l.id AND s.snapshot IS NOT NULL "
	"LEFT JOIN whole ON whole.host = h.id LEFT JOIN host_run c ON c.id = whole.id " HOST_JOINS
	"WHERE l.id > ?1 << 24 AND l.id < (?1 + 1) << 24 AND (?2 = '' OR h.name = ?2) "
	"ORDER BY h.name";

static void read_counts(sqlite3_stmt *stmt, struct store_host_row *row)
{
	row->counts.packages = (size_t)sqlite3_column_int64(stmt, HOST_PACKAGES);
	row->counts.files_proved = (size_t)sqlite3_column_int64(stmt, HOST_PROVED);
	row->counts.files_unproved = (size_t)sqlite3_column_int64(stmt, HOST_UNPROVED);
	row->counts.files_skipped = (size_t)sqlite3_column_int64(stmt, HOST_SKIPPED);
	witness_read_text(db_text(stmt, HOST_WITNESSES), &row->counts);
	witness_move(&row->counts, db_text(stmt, HOST_FLEET));
	row->open[SEVERITY_CRITICAL] = (size_t)sqlite3_column_int64(stmt, HOST_CRITICAL);
	row->open[SEVERITY_HIGH] = (size_t)sqlite3_column_int64(stmt, HOST_HIGH);
	row->open[SEVERITY_MEDIUM] = (size_t)sqlite3_column_int64(stmt, HOST_MEDIUM);
	row->open[SEVERITY_LOW] = (size_t)sqlite3_column_int64(stmt, HOST_LOW);
	row->open[SEVERITY_INFO] = (size_t)sqlite3_column_int64(stmt, HOST_INFO);
	row->acknowledged = (size_t)sqlite3_column_int64(stmt, HOST_ACKNOWLEDGED);
	row->explained = (size_t)sqlite3_column_int64(stmt, HOST_EXPLAINED);
}

static int read_host(struct store *store, sqlite3_stmt *stmt, struct arena *arena,
		     struct store_host_row *row, struct error *err)
{
	int64_t id = sqlite3_column_int64(stmt, HOST_ROW);
	struct session session, own;
	struct unpack u;

	*row = (struct store_host_row){
		.name = db_text(stmt, HOST_NAME),
		.run = host_run_run(id),
		.reason = db_text(stmt, HOST_REASON),
		.finished_s = sqlite3_column_int64(stmt, HOST_FINISHED),
		.last_complete_s = sqlite3_column_int64(stmt, HOST_LAST_COMPLETE),
		.oldest_content_s = sqlite3_column_int64(stmt, HOST_OLDEST),
		.sent_bytes = (uint64_t)sqlite3_column_int64(stmt, HOST_SENT),
		.received_bytes = (uint64_t)sqlite3_column_int64(stmt, HOST_RECEIVED),
		.os = db_text(stmt, HOST_OS),
		.transport = db_text(stmt, HOST_TRANSPORT),
	};
	read_counts(stmt, row);
	if (!outcome_from_name(db_text(stmt, HOST_OUTCOME), &row->outcome)) {
		return store_damaged(store, "outcome of row", id, err);
	}
	u = unpack_start(db_bytes(stmt, HOST_PROBE));
	if (!session_read(&u, row->finished_s, &own)) {
		return store_damaged(store, "row of a host", id, err);
	}
	row->probe_bytes = own.probe_bytes;
	if (sqlite3_column_type(stmt, HOST_FACTS) == SQLITE_NULL) {
		return 0;
	}
	u = unpack_start(db_bytes(stmt, HOST_SESSION));
	if (!session_read(&u, sqlite3_column_int64(stmt, HOST_SESSION_END), &session)) {
		return store_damaged(store, "row of a host", id, err);
	}
	if (session_load_facts(store, sqlite3_column_int64(stmt, HOST_FACTS), arena, &row->hello,
			       err)) {
		return -1;
	}
	row->hello.clock_ns = session.clock_ns;
	row->end = session.end;
	return 0;
}

int store_host_rows(struct store *store, const char *name, int64_t run, store_host_cb *callback,
		    void *context, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	struct arena arena = {0};
	int result, stop = 0;
	bool row = true;

	result = db_query(&store->db, &stmt, err, run ? hosts_then : hosts_now, "it", run,
			  name ? name : "");
	while (result == 0 && stop == 0 && (result = db_next(&store->db, stmt, &row, err)) == 0 &&
	       row) {
		struct store_host_row shown;

		result = read_host(store, stmt, &arena, &shown, err);
		if (result == 0) {
			stop = callback(context, &shown);
		}
		arena_clear(&arena);
	}
	arena_clear(&arena);
	(void)sqlite3_finalize(stmt);
	return stop < 0 ? -1 : result;
}

int store_hosts(struct store *store, int64_t run, store_host_cb *callback, void *context,
		struct error *err)
{
	return store_host_rows(store, NULL, run, callback, context, err);
}

int store_coverage(struct store *store, const char *host, int64_t run,
		   int (*callback)(void *context, const struct coverage_item *item), void *context,
		   struct error *err)
{
	struct coverage_item *items = NULL;
	sqlite3_stmt *stmt = NULL;
	struct arena arena = {0};
	struct session session;
	bool found = false;
	size_t count = 0;
	struct unpack u;
	int result = -1, stop = 0;

	if (db_start(
		    &store->db, &stmt, err,
		    "SELECT l.id, l.coverage, l.session FROM host h JOIN host_run l ON "
		    "CASE ?2 WHEN 0 THEN l.id = h.observed ELSE l.host = h.id END "
		    "WHERE h.name = ?1 AND (?2 = 0 OR (l.id > ?2 << 24 AND l.id < (?2 + 1) << 24)) "
		    "AND l.coverage IS NOT NULL",
		    "ti", host, run) ||
	    db_next(&store->db, stmt, &found, err)) {
		goto out;
	}
	if (found) {
		u = unpack_start(db_bytes(stmt, 2));
		if (!session_read(&u, 0, &session)) {
			(void)store_damaged(store, "row of a host", sqlite3_column_int64(stmt, 0),
					    err);
			goto out;
		}
		if (session_load_coverage(store, sqlite3_column_int64(stmt, 1), &u, &arena, &items,
					  &count, err)) {
			goto out;
		}
	}
	db_end(stmt);
	stmt = NULL;
	for (size_t i = 0; i < count && stop == 0; i++) {
		stop = callback(context, &items[i]);
	}
	result = stop < 0 ? -1 : 0;
out:
	db_end(stmt);
	arena_clear(&arena);
	return result;
}

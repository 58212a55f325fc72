// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "controller/store/inner.h"
#include "schema/escape.h"

#define NS INT64_C(1000000000)
#define HELLO_SIZE_MAX 4096
#define COVERAGE_ITEMS_MAX 1000000U
#define COVERAGE_MOST (64U << 20)

static int64_t clock_guess(int64_t finished_s, int64_t offset_ns)
{
	int64_t ns = 0;

	/* A host may claim any clock; wrapping is undone by the same wrapping. */
	(void)__builtin_mul_overflow(finished_s, NS, &ns);
	(void)__builtin_add_overflow(ns, offset_ns, &ns);
	return ns;
}

void session_write(struct pack *p, const struct session *session, int64_t finished_s)
{
	const struct end *end = &session->end;
	int64_t drift;

	(void)__builtin_sub_overflow(session->clock_ns,
				     clock_guess(finished_s, session->clock_offset_ns), &drift);
	pack_int(p, session->clock_offset_ns);
	pack_int(p, drift);
	pack_uint(p, session->probe_bytes);
	pack_uint(p, end->sections);
	pack_uint(p, end->entries);
	pack_uint(p, end->files);
	pack_uint(p, end->bytes);
	pack_uint(p, end->unread);
	pack_uint(p, end->cpu_us);
	pack_uint(p, end->wall_us);
	pack_uint(p, end->peak_kib);
}

bool session_read(struct unpack *u, int64_t finished_s, struct session *session)
{
	struct end *end = &session->end;
	int64_t drift;

	*session = (struct session){0};
	session->clock_offset_ns = unpack_int(u);
	drift = unpack_int(u);
	(void)__builtin_add_overflow(drift, clock_guess(finished_s, session->clock_offset_ns),
				     &session->clock_ns);
	session->probe_bytes = unpack_uint(u);
	end->sections = (uint32_t)unpack_uint_max(u, UINT32_MAX);
	end->entries = unpack_uint(u);
	end->files = unpack_uint(u);
	end->bytes = unpack_uint(u);
	end->unread = unpack_uint(u);
	end->cpu_us = unpack_uint(u);
	end->wall_us = unpack_uint(u);
	end->peak_kib = unpack_uint(u);
	return !u->failed;
}

/* Each table of interned blobs is found by the first half of the digest of its plain data. */
static int half_digest(struct bytes data, struct digest *digest, struct bytes *half,
		       struct error *err)
{
	*half = bytes_make(digest->bytes, 16);
	return pack_digest(data, digest, err);
}

int tally_put(struct store *store, const struct tally *t, int64_t *id, struct error *err)
{
	const size_t *open = t->open;
	const struct judge_counts *c = &t->counts;
	struct pack *p = &store->blob;
	struct digest digest;
	char witnesses[WITNESS_TEXT_ROOM];
	struct bytes half;

	p->len = 0;
	witness_text(c, witnesses);
	pack_bytes(p, bytes_from_string(witnesses));
	pack_uint(p, c->packages);
	pack_uint(p, c->files_proved);
	pack_uint(p, c->files_unproved);
	pack_uint(p, c->files_skipped);
	for (unsigned i = 0; i <= SEVERITY_CRITICAL; i++) {
		pack_uint(p, open[i]);
	}
	pack_uint(p, t->acknowledged);
	pack_uint(p, t->explained);
	if (p->failed) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	if (half_digest(pack_all(p), &digest, &half, err) ||
	    db_number(&store->db, id, 0, err, "SELECT id FROM tally WHERE digest = ?", "b", half)) {
		return -1;
	}
	if (*id != 0) {
		return 0;
	}
	if (db_exec(&store->db, err,
		    "INSERT INTO tally (digest, packages, by_witness, proved, unproved, skipped, "
		    "critical, high, medium, low, info, acknowledged, explained) "
		    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		    "bitiiiiiiiiii", half, (int64_t)c->packages, witnesses,
		    (int64_t)c->files_proved, (int64_t)c->files_unproved, (int64_t)c->files_skipped,
		    (int64_t)open[SEVERITY_CRITICAL], (int64_t)open[SEVERITY_HIGH],
		    (int64_t)open[SEVERITY_MEDIUM], (int64_t)open[SEVERITY_LOW],
		    (int64_t)open[SEVERITY_INFO], (int64_t)t->acknowledged,
		    (int64_t)t->explained)) {
		return -1;
	}
	*id = sqlite3_last_insert_rowid(store->db.sql);
	return 0;
}

int tally_load(struct store *store, int64_t id, struct tally *tally, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	bool row = false;
	int result = -1;

	*tally = (struct tally){0};
	if (db_start(&store->db, &stmt, err,
		     "SELECT packages, by_witness, proved, unproved, skipped FROM tally "
		     "WHERE id = ?",
		     "i", id) ||
	    db_next(&store->db, stmt, &row, err)) {
		goto out;
	}
	if (!row) {
		(void)store_damaged(store, "tally", id, err);
		goto out;
	}
	tally->counts.packages = (size_t)sqlite3_column_int64(stmt, 0);
	witness_read_text(db_text(stmt, 1), &tally->counts);
	tally->counts.files_proved = (size_t)sqlite3_column_int64(stmt, 2);
	tally->counts.files_unproved = (size_t)sqlite3_column_int64(stmt, 3);
	tally->counts.files_skipped = (size_t)sqlite3_column_int64(stmt, 4);
	result = 0;
out:
	db_end(stmt);
	return result;
}

/* Two parts, so that counts which move every night do not make a new row: items, then counts. */
static void coverage_pack(const struct observation *o, struct pack *p)
{
	p->len = 0;
	pack_uint(p, o->coverage_count);
	for (size_t i = 0; i < o->coverage_count; i++) {
		const struct coverage_item *item = &o->coverage[i];

		pack_bytes(p, item->check);
		pack_bytes(p, item->subject);
		pack_uint(p, (uint64_t)item->state);
		pack_bytes(p, item->reason);
	}
}

/* Writes (distance, count) of the items whose count is not the interned row's, and an end. */
static int coverage_counts(struct store *store, const struct observation *o, int64_t id,
			   struct pack *counts, struct error *err)
{
	struct coverage_item *items = NULL;
	struct arena arena = {0};
	size_t count = 0, last = 0;

	if (session_load_coverage(store, id, NULL, &arena, &items, &count, err)) {
		arena_clear(&arena);
		return -1;
	}
	for (size_t i = 0; i < count && i < o->coverage_count; i++) {
		if (items[i].count != o->coverage[i].count) {
			pack_uint(counts, i - last + 1);
			pack_uint(counts, o->coverage[i].count);
			last = i;
		}
	}
	arena_clear(&arena);
	return 0;
}

int session_put_coverage(struct store *store, const struct observation *o, struct pack *counts,
			 int64_t *id, struct error *err)
{
	struct pack *p = &store->blob;
	struct digest digest;
	struct bytes half;

	coverage_pack(o, p);
	if (p->failed) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	if (half_digest(pack_all(p), &digest, &half, err) ||
	    db_number(&store->db, id, 0, err, "SELECT id FROM coverage WHERE digest = ?", "b",
		      half)) {
		return -1;
	}
	if (*id != 0) {
		return coverage_counts(store, o, *id, counts, err);
	}
	for (size_t i = 0; i < o->coverage_count; i++) {
		pack_uint(p, o->coverage[i].count);
	}
	if (p->failed) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	if (squeezer_pack(&store->squeezer, pack_all(p), &store->packed, err) ||
	    db_exec(&store->db, err, "INSERT INTO coverage (digest, data) VALUES (?, ?)", "bb",
		    half, pack_all(&store->packed))) {
		return -1;
	}
	*id = sqlite3_last_insert_rowid(store->db.sql);
	return 0;
}

static bool coverage_unpack(struct bytes data, struct unpack *counts, struct arena *arena,
			    struct coverage_item **items, size_t *count, bool *ok)
{
	struct unpack u = unpack_start(data);
	size_t at = 0;

	*count = (size_t)unpack_uint_max(&u, COVERAGE_ITEMS_MAX);
	*items = arena_alloc(arena, (*count + 1) * sizeof(**items));
	if (!*items) {
		*ok = false;
		return false;
	}
	for (size_t i = 0; i < *count && !u.failed; i++) {
		struct coverage_item *item = &(*items)[i];

		item->check = arena_copy(arena, unpack_bytes(&u), ok);
		item->subject = arena_copy(arena, unpack_bytes(&u), ok);
		item->state = (enum coverage_state)unpack_uint_max(&u, COVERAGE_UNSUPPORTED);
		item->reason = arena_copy(arena, unpack_bytes(&u), ok);
	}
	for (size_t i = 0; i < *count && !u.failed; i++) {
		(*items)[i].count = unpack_uint(&u);
	}
	while (counts && unpack_has_more(counts)) {
		at += (size_t)unpack_uint_max(counts, *count + 1) - 1;
		if (counts->failed || at >= *count) {
			return false;
		}
		(*items)[at].count = unpack_uint(counts);
	}
	return !u.failed && !(counts && counts->failed);
}

int session_load_coverage(struct store *store, int64_t id, struct unpack *counts,
			  struct arena *arena, struct coverage_item **items, size_t *count,
			  struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	bool row = false, ok = false, memory = true;
	int result = -1;

	*items = NULL;
	*count = 0;
	if (db_start(&store->db, &stmt, err, "SELECT data FROM coverage WHERE id = ?", "i", id) ||
	    db_next(&store->db, stmt, &row, err)) {
		goto out;
	}
	if (row && squeezer_unpack(&store->squeezer, db_bytes(stmt, 0), COVERAGE_MOST,
				   &store->packed, &ok, err)) {
		goto out;
	}
	if (!row || !ok ||
	    !coverage_unpack(pack_all(&store->packed), counts, arena, items, count, &memory)) {
		result = memory ? store_damaged(store, "coverage", id, err)
				: error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
		goto out;
	}
	result = memory ? 0 : error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
out:
	db_end(stmt);
	return result;
}

int session_put_facts(struct store *store, const struct hello *hello, int64_t *id,
		      struct error *err)
{
	char arch[ESCAPE_ROOM(HELLO_TEXT_MAX)], kernel[ESCAPE_ROOM(HELLO_TEXT_MAX)];
	char machine_id[ESCAPE_ROOM(HELLO_TEXT_MAX)];
	uint8_t encoded[HELLO_SIZE_MAX];
	struct hello timeless = *hello;
	struct cbor_writer w;
	struct digest digest;
	struct bytes half;

	timeless.clock_ns = 0;
	cbor_writer_init(&w, encoded, sizeof(encoded));
	hello_encode(&w, &timeless);
	if (w.overflow) {
		return error_set(err, ERROR_STORE, 0, "a hello message is too long to be kept");
	}
	if (half_digest(bytes_make(encoded, w.len), &digest, &half, err) ||
	    db_number(&store->db, id, 0, err, "SELECT id FROM facts WHERE digest = ?", "b", half)) {
		return -1;
	}
	if (*id != 0) {
		return 0;
	}
	if (db_exec(&store->db, err,
		    "INSERT INTO facts (digest, data, arch, kernel, machine_id, uid, boot) "
		    "VALUES (?, ?, ?, ?, ?, ?, ?)",
		    "bbtttii", half, bytes_make(encoded, w.len),
		    escape_text(hello->arch, arch, sizeof(arch)),
		    escape_text(hello->kernel, kernel, sizeof(kernel)),
		    escape_text(hello->machine_id, machine_id, sizeof(machine_id)),
		    (int64_t)hello->uid, hello->boot_s)) {
		return -1;
	}
	*id = sqlite3_last_insert_rowid(store->db.sql);
	return 0;
}

int session_load_facts(struct store *store, int64_t id, struct arena *arena, struct hello *hello,
		       struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	bool row = false, ok = true;
	struct bytes data = {0};
	int result = -1;

	*hello = (struct hello){0};
	if (db_start(&store->db, &stmt, err, "SELECT data FROM facts WHERE id = ?", "i", id) ||
	    db_next(&store->db, stmt, &row, err)) {
		goto out;
	}
	if (row) {
		data = arena_copy(arena, db_bytes(stmt, 0), &ok);
	}
	if (!ok) {
		result = error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	} else if (!row || !hello_decode(data, hello)) {
		result = store_damaged(store, "facts", id, err);
	} else {
		result = 0;
	}
out:
	db_end(stmt);
	return result;
}

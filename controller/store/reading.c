// SPDX-License-Identifier: MIT
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controller/store/inner.h"

/*
 * Two rows a host, replaced in place: what moves only when the host does, and what moves every
 * night. A time is an index into the few distinct ones, of one byte while there are at most 256.
 */
#define TIMES_MAX 65536U
#define TIMES_SLOTS 131072U

struct times {
	int64_t *value; /* distinct, in order of appearance */
	size_t count;
	uint32_t *slot; /* hash of value to index + 1 */
};

static void times_clear(struct times *t)
{
	free(t->value);
	free(t->slot);
}

static uint32_t time_index(struct times *t, int64_t time_s)
{
	size_t at = ((uint64_t)time_s * 0x9e3779b97f4a7c15U >> 40) & (TIMES_SLOTS - 1);

	while (t->slot[at] != 0 && t->value[t->slot[at] - 1] != time_s) {
		at = (at + 1) & (TIMES_SLOTS - 1);
	}
	if (t->slot[at] == 0) {
		if (t->count == TIMES_MAX) {
			/* Older than it was is safe: it is read again sooner. */
			return 0;
		}
		t->value[t->count++] = time_s;
		t->slot[at] = (uint32_t)t->count;
	}
	return t->slot[at] - 1;
}

static void stats_write(const struct observation *o, struct pack *p)
{
	size_t bits = (o->section_count + 7) / 8;
	uint8_t *to;

	p->len = 0;
	to = pack_reserve(p, o->section_count * 8 + bits);
	if (!to) {
		return;
	}
	memset(to + o->section_count * 8, 0, bits);
	for (size_t i = 0; i < o->section_count; i++) {
		uint64_t stat = htole64(o->sections[i].stat);

		memcpy(to + i * 8, &stat, 8);
		if (o->sections[i].always) {
			to[o->section_count * 8 + i / 8] |= (uint8_t)(1U << i % 8);
		}
	}
	p->len = o->section_count * 8 + bits;
}

static int readings_write(const struct observation *o, struct pack *p, struct error *err)
{
	struct times t = {0};
	uint32_t *index = calloc(o->section_count + 1, sizeof(*index));
	int64_t last = 0, previous = 0;
	size_t unread_from = 0;
	uint32_t at = 0;

	t.value = calloc(TIMES_MAX, sizeof(*t.value));
	t.slot = calloc(TIMES_SLOTS, sizeof(*t.slot));
	p->len = 0;
	if (!index || !t.value || !t.slot) {
		free(index);
		times_clear(&t);
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	for (size_t i = 0; i < o->section_count; i++) {
		if (i == 0 || o->sections[i].read_s != previous) {
			previous = o->sections[i].read_s;
			at = time_index(&t, previous);
		}
		index[i] = at;
	}
	pack_uint(p, t.count);
	for (size_t i = 0; i < t.count; i++) {
		pack_int(p, t.value[i] - last);
		last = t.value[i];
	}
	for (size_t i = 0; i < o->section_count; i++) {
		uint8_t two[2] = {(uint8_t)index[i], (uint8_t)(index[i] >> 8)};

		pack_raw(p, two, t.count > 256 ? 2 : 1);
	}
	for (size_t i = 0; i < o->section_count; i++) {
		if (o->sections[i].unread != 0) {
			pack_uint(p, i - unread_from);
			pack_uint(p, o->sections[i].unread);
			unread_from = i;
		}
	}
	free(index);
	times_clear(&t);
	return p->failed ? error_set(err, ERROR_NOMEM, ENOMEM, "no memory") : 0;
}

/* Whether the query's one row holds exactly these bytes. */
static int is_kept(struct store *store, sqlite3_stmt *stmt, int column, struct bytes data,
		   bool *kept, struct error *err)
{
	bool row = false;

	*kept = false;
	if (db_next(&store->db, stmt, &row, err)) {
		return -1;
	}
	*kept = row && bytes_equal(db_bytes(stmt, column), data);
	return 0;
}

int reading_put(struct store *store, int64_t host, int64_t snapshot, const struct observation *o,
		struct error *err)
{
	struct pack *p = &store->blob;
	sqlite3_stmt *stmt = NULL;
	bool kept = false;
	int result = -1;

	stats_write(o, p);
	if (p->failed) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	if (db_start(&store->db, &stmt, err,
		     "SELECT data FROM host_stat WHERE host = ? AND snapshot = ?", "ii", host,
		     snapshot) ||
	    is_kept(store, stmt, 0, pack_all(p), &kept, err)) {
		goto out;
	}
	db_end(stmt);
	stmt = NULL;
	if (!kept && db_exec(&store->db, err,
			     "INSERT INTO host_stat (host, snapshot, data) VALUES (?1, ?2, ?3) "
			     "ON CONFLICT (host) DO UPDATE SET snapshot = ?2, data = ?3",
			     "iib", host, snapshot, pack_all(p))) {
		goto out;
	}
	if (readings_write(o, p, err) ||
	    db_start(&store->db, &stmt, err, "SELECT data FROM host_reading WHERE host = ?", "i",
		     host) ||
	    is_kept(store, stmt, 0, pack_all(p), &kept, err)) {
		goto out;
	}
	db_end(stmt);
	stmt = NULL;
	if (!kept && db_exec(&store->db, err,
			     "INSERT INTO host_reading (host, data) VALUES (?1, ?2) "
			     "ON CONFLICT (host) DO UPDATE SET data = ?2",
			     "ib", host, pack_all(p))) {
		goto out;
	}
	result = 0;
out:
	db_end(stmt);
	return result;
}

static bool readings_read(struct bytes data, size_t count, struct observed_section *sections)
{
	struct unpack u = unpack_start(data);
	size_t times = (size_t)unpack_uint_max(&u, TIMES_MAX), at = 0;
	int64_t *value = calloc(times + 1, sizeof(*value)), last = 0;
	struct bytes index;

	if (!value) {
		return false;
	}
	for (size_t i = 0; i < times; i++) {
		last += unpack_int(&u);
		value[i] = last;
	}
	index = unpack_raw(&u, count * (times > 256 ? 2 : 1));
	for (size_t i = 0; i < count && !u.failed; i++) {
		size_t which = times > 256 ? index.data[2 * i] | (size_t)index.data[2 * i + 1] << 8
					   : index.data[i];

		if (which >= times) {
			u.failed = true;
			break;
		}
		sections[i].read_s = value[which];
	}
	while (unpack_has_more(&u)) {
		at += (size_t)unpack_uint_max(&u, count);
		if (at >= count) {
			u.failed = true;
			break;
		}
		sections[at].unread = (uint32_t)unpack_uint_max(&u, UINT32_MAX);
	}
	free(value);
	return !u.failed;
}

static bool stats_read(struct bytes data, size_t count, struct observed_section *sections)
{
	if (data.len != count * 8 + (count + 7) / 8) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		uint64_t stat;

		memcpy(&stat, data.data + i * 8, 8);
		sections[i].stat = le64toh(stat);
		sections[i].always = data.data[count * 8 + i / 8] >> i % 8 & 1;
	}
	return true;
}

/* The rows of the host as they are, for `count` sections. */
static int read_rows(struct store *store, int64_t host, size_t count,
		     struct observed_section *sections, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	bool row = false;
	int result = -1;

	if (db_start(&store->db, &stmt, err,
		     "SELECT s.data, r.data FROM host_stat s JOIN host_reading r USING (host) "
		     "WHERE host = ?",
		     "i", host) ||
	    db_next(&store->db, stmt, &row, err)) {
		goto out;
	}
	if (row && (!stats_read(db_bytes(stmt, 0), count, sections) ||
		    !readings_read(db_bytes(stmt, 1), count, sections))) {
		(void)store_damaged(store, "times of reading, host", host, err);
		goto out;
	}
	result = 0;
out:
	db_end(stmt);
	return result;
}

/* From sections that are `kept` to those of `pairs`: both in order of keys. */
static void carry(const struct names *names, const struct pairs *kept,
		  const struct observed_section *from, const struct pairs *pairs,
		  struct observed_section *to)
{
	for (size_t i = 0, j = 0; i < kept->count && j < pairs->count;) {
		struct pair a = kept->item[i], b = pairs->item[j];
		int order = a.key == b.key ? 0
					   : bytes_compare(names->key[a.key].encoded,
							   names->key[b.key].encoded);

		if (order == 0 && a.object == b.object) {
			to[j].stat = from[i].stat;
			to[j].read_s = from[i].read_s;
			to[j].unread = from[i].unread;
			to[j].always = from[i].always;
		}
		i += order <= 0;
		j += order >= 0;
	}
}

int reading_load(struct store *store, int64_t host, int64_t snapshot, const struct pairs *pairs,
		 struct observed_section *sections, struct error *err)
{
	struct snapshot_store s = store_snapshots(store);
	struct observed_section *from = NULL;
	struct pairs kept = {0};
	int64_t kept_id;
	int result = -1;

	if (db_number(&store->db, &kept_id, 0, err, "SELECT snapshot FROM host_stat WHERE host = ?",
		      "i", host)) {
		return -1;
	}
	if (kept_id == 0) {
		return 0;
	}
	if (kept_id == snapshot) {
		return read_rows(store, host, pairs->count, sections, err);
	}
	if (snapshot_load(&s, kept_id, &kept, err)) {
		goto out;
	}
	from = calloc(kept.count + 1, sizeof(*from));
	if (!from) {
		(void)error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
		goto out;
	}
	if (read_rows(store, host, kept.count, from, err)) {
		goto out;
	}
	carry(&store->names, &kept, from, pairs, sections);
	result = 0;
out:
	pairs_clear(&kept);
	free(from);
	return result;
}

// SPDX-License-Identifier: MIT
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controller/store/inner.h"

/*
 * Two rows a host, replaced in place: what moves only when the host does, and what moves every
 * night. A time is one byte: an index into at most 256 distinct ones.
 */
#define TIMES_MAX 256U
#define TIMES_SLOTS 1024U

struct times {
	int64_t value[TIMES_MAX]; /* distinct, in order of appearance */
	size_t count;
	uint16_t slot[TIMES_SLOTS]; /* hash of value to index + 1 */
};

/* TIMES_MAX where there is no room for another. */
static size_t time_index(struct times *t, int64_t time_s)
{
	size_t at = ((uint64_t)time_s * 0x9e3779b97f4a7c15U >> 40) & (TIMES_SLOTS - 1);

	while (t->slot[at] != 0 && t->value[t->slot[at] - 1] != time_s) {
		at = (at + 1) & (TIMES_SLOTS - 1);
	}
	if (t->slot[at] == 0) {
		if (t->count == TIMES_MAX) {
			return TIMES_MAX;
		}
		t->value[t->count++] = time_s;
		t->slot[at] = (uint16_t)t->count;
	}
	return t->slot[at] - 1U;
}

/* Downwards: what seems older than it is is only read again sooner. */
static int64_t coarse(int64_t time_s, int64_t grain_s)
{
	return time_s - (time_s % grain_s + grain_s) % grain_s;
}

/* A byte a section; false where there are more distinct times than that. */
static bool index_times(const int64_t *read_s, size_t count, int64_t grain_s, struct times *t,
			uint8_t *to)
{
	int64_t last = INT64_MIN;
	size_t at = 0;

	t->count = 0;
	memset(t->slot, 0, sizeof(t->slot));
	for (size_t i = 0; i < count; i++) {
		if (read_s[i] != last) {
			last = read_s[i];
			at = time_index(t, grain_s == 1 ? last : coarse(last, grain_s));
			if (at == TIMES_MAX) {
				return false;
			}
		}
		to[i] = (uint8_t)at;
	}
	return true;
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

/* The times of `count` sections; what is unread follows. */
static int times_write(const int64_t *read_s, size_t count, struct pack *index, struct pack *p,
		       struct error *err)
{
	int64_t grain_s = 1, last = 0;
	struct times t;
	uint8_t *to;

	p->len = 0;
	index->len = 0;
	to = pack_reserve(index, count);
	if (!to) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	while (!index_times(read_s, count, grain_s, &t, to)) {
		grain_s *= 8;
	}
	pack_uint(p, t.count);
	for (size_t i = 0; i < t.count; i++) {
		pack_int(p, t.value[i] - last);
		last = t.value[i];
	}
	pack_raw(p, to, count);
	return 0;
}

static int readings_write(const struct observation *o, struct pack *index, struct pack *p,
			  struct error *err)
{
	int64_t *read_s = calloc(o->section_count + 1, sizeof(*read_s));
	size_t unread_from = 0;
	int result;

	if (!read_s) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	for (size_t i = 0; i < o->section_count; i++) {
		read_s[i] = o->sections[i].read_s;
	}
	result = times_write(read_s, o->section_count, index, p, err);
	free(read_s);
	for (size_t i = 0; result == 0 && i < o->section_count; i++) {
		if (o->sections[i].unread != 0) {
			pack_uint(p, i - unread_from);
			pack_uint(p, o->sections[i].unread);
			unread_from = i;
		}
	}
	return result == 0 && p->failed ? error_set(err, ERROR_NOMEM, ENOMEM, "no memory") : result;
}

/* Not cryptographic: a host that makes two of its own states collide is read too seldom or too often
 * by its own doing, which it could have had by lying. Saves reading 27 KB back.
 */
static int64_t stats_hash(struct bytes data)
{
	/* Four lanes, so that no word waits for the one before. */
	uint64_t lane[4] = {0x6d757374U, 0x65723031U, 0x68617368U, data.len};
	uint8_t rest[32] = {0};
	size_t at = 0;

	for (; data.len - at >= 32; at += 32) {
		for (size_t i = 0; i < 4; i++) {
			uint64_t word;

			memcpy(&word, data.data + at + 8 * i, 8);
			lane[i] = (lane[i] ^ word) * 0x9e3779b97f4a7c15U;
			lane[i] ^= lane[i] >> 32;
		}
	}
	if (data.len > at) {
		memcpy(rest, data.data + at, data.len - at);
	}
	for (size_t i = 0; i < 4; i++) {
		uint64_t word;

		memcpy(&word, rest + 8 * i, 8);
		lane[0] = (lane[0] ^ lane[i] ^ word) * 0xbf58476d1ce4e5b9U;
		lane[0] ^= lane[0] >> 29;
	}
	return (int64_t)(lane[0] >> 1);
}

/* `always`: the bits at the end of `data`. */
static int put_stats(struct store *store, int64_t host, int64_t snapshot, struct bytes data,
		     struct bytes always, const struct digest *root, struct error *err)
{
	struct bytes root_bytes = bytes_make(root ? root->bytes : NULL, root ? DIGEST_SIZE : 0);
	int64_t hash = stats_hash(data), kept;

	if (db_number(&store->db, &kept, 0, err,
		      "SELECT 1 FROM host_stat s JOIN host_outline o USING (host) WHERE host = ? "
		      "AND s.snapshot = ? AND s.hash = ? AND o.snapshot = s.snapshot "
		      "AND o.stat_root = ?",
		      "iiib", host, snapshot, hash, root_bytes)) {
		return -1;
	}
	if (kept != 0) {
		return 0;
	}
	return db_exec(&store->db, err,
		       "INSERT INTO host_stat (host, snapshot, hash, data) "
		       "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (host) DO UPDATE "
		       "SET snapshot = ?2, hash = ?3, data = ?4",
		       "iiib", host, snapshot, hash, data) ||
			       db_exec(&store->db, err,
				       "INSERT INTO host_outline (host, snapshot, stat_root, "
				       "always) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (host) DO "
				       "UPDATE SET snapshot = ?2, stat_root = ?3, always = ?4",
				       "iibb", host, snapshot, root_bytes, always)
		       ? -1
		       : 0;
}

static int put_readings(struct store *store, int64_t host, struct bytes data, struct error *err)
{
	return db_exec(&store->db, err,
		       "INSERT INTO host_reading (host, data) VALUES (?1, ?2) "
		       "ON CONFLICT (host) DO UPDATE SET data = ?2 WHERE data <> ?2",
		       "ib", host, data);
}

int reading_put(struct store *store, int64_t host, int64_t snapshot, const struct observation *o,
		const struct digest *root, struct error *err)
{
	size_t stats = o->section_count * 8;
	struct pack *p = &store->blob;

	stats_write(o, p);
	if (p->failed) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	if (put_stats(store, host, snapshot, pack_all(p),
		      bytes_make(p->data + stats, p->len - stats), root, err) ||
	    readings_write(o, &store->packed, p, err)) {
		return -1;
	}
	return put_readings(store, host, pack_all(p), err);
}

bool times_read(struct unpack *u, int64_t *read_s, size_t count)
{
	size_t times = (size_t)unpack_uint_max(u, TIMES_MAX);
	int64_t value[TIMES_MAX], last = 0;
	struct bytes index;

	for (size_t i = 0; i < times; i++) {
		last += unpack_int(u);
		value[i] = last;
	}
	index = unpack_raw(u, count);
	for (size_t i = 0; i < count && !u->failed; i++) {
		if (index.data[i] >= times) {
			u->failed = true;
			break;
		}
		read_s[i] = value[index.data[i]];
	}
	return !u->failed;
}

static bool readings_read(struct bytes data, size_t count, struct observed_section *sections)
{
	struct unpack u = unpack_start(data);
	int64_t *read_s = calloc(count + 1, sizeof(*read_s));
	size_t at = 0;

	if (!read_s) {
		return false;
	}
	(void)times_read(&u, read_s, count);
	for (size_t i = 0; i < count && !u.failed; i++) {
		sections[i].read_s = read_s[i];
	}
	free(read_s);
	while (unpack_has_more(&u)) {
		at += (size_t)unpack_uint_max(&u, count);
		if (at >= count) {
			u.failed = true;
			break;
		}
		sections[at].unread = (uint32_t)unpack_uint_max(&u, UINT32_MAX);
	}
	return !u.failed;
}

static bool is_set(const uint8_t *bits, size_t at)
{
	return bits[at / 8] >> at % 8 & 1;
}

int reading_renew(struct store *store, int64_t host, const struct store_same *same,
		  struct error *err)
{
	int64_t *read_s = calloc(same->sections + 1, sizeof(*read_s));
	struct pack *p = &store->blob;
	sqlite3_stmt *stmt = NULL;
	bool row = false;
	struct unpack u;
	int result = -1;

	if (!read_s) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	if (db_start(&store->db, &stmt, err, "SELECT data FROM host_reading WHERE host = ?", "i",
		     host) ||
	    db_next(&store->db, stmt, &row, err)) {
		goto out;
	}
	u = unpack_start(row ? db_bytes(stmt, 0) : (struct bytes){0});
	if (!times_read(&u, read_s, same->sections)) {
		(void)store_damaged(store, "times of reading, host", host, err);
		goto out;
	}
	for (size_t i = 0; i < same->sections; i++) {
		read_s[i] = is_set(same->read, i) ? same->read_s : read_s[i];
	}
	if (times_write(read_s, same->sections, &store->packed, p, err)) {
		goto out;
	}
	pack_raw(p, u.data + u.at, u.len - u.at); /* what is unread stays */
	if (p->failed) {
		(void)error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
		goto out;
	}
	db_end(stmt);
	stmt = NULL;
	result = put_readings(store, host, pack_all(p), err);
out:
	db_end(stmt);
	free(read_s);
	return result;
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

// SPDX-License-Identifier: MIT
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/store/inner.h"

/*
 * Hosts of one kind have one list: it is found by its digest, and a host names it by a number. What
 * it says of the sections follows their order in the snapshot.
 */
#define LIST_MOST (64U << 20)
#define WITNESS_BITS 3
#define DIFFERS_BIT (1U << WITNESS_BITS)
#define FILES_SHIFT (WITNESS_BITS + 1)

int witness_put(struct store *store, const struct judged_package *packages, size_t sections,
		int64_t *id, struct error *err)
{
	struct pack *p = &store->blob;
	struct digest digest;
	struct bytes half;
	size_t from = 0;

	static_assert(WITNESS_RULE < DIFFERS_BIT, "a witness fits its bits");
	*id = 0;
	if (!packages) {
		return 0;
	}
	p->len = 0;
	for (size_t i = 0; i < sections; i++) {
		const struct judged_package *one = &packages[i];

		if (one->is_judged) {
			pack_uint(p, i - from);
			pack_uint(p, (uint64_t)one->files << FILES_SHIFT |
					     (one->differs ? DIFFERS_BIT : 0U) | one->witness);
			from = i;
		}
	}
	if (p->failed) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	half = bytes_make(digest.bytes, 16);
	if (pack_digest(pack_all(p), &digest, err) ||
	    db_number(&store->db, id, 0, err, "SELECT id FROM witness_list WHERE digest = ?", "b",
		      half)) {
		return -1;
	}
	if (*id != 0) {
		return 0;
	}
	if (squeezer_pack(&store->squeezer, pack_all(p), &store->packed, err) ||
	    db_exec(&store->db, err, "INSERT INTO witness_list (digest, data) VALUES (?, ?)", "bb",
		    half, pack_all(&store->packed))) {
		return -1;
	}
	*id = sqlite3_last_insert_rowid(store->db.sql);
	return 0;
}

static bool unpack_list(struct bytes data, struct judged_package *packages, size_t sections)
{
	struct unpack u = unpack_start(data);
	size_t at = 0;

	while (unpack_has_more(&u)) {
		uint64_t value;

		at += (size_t)unpack_uint_max(&u, sections);
		value = unpack_uint_max(&u, (uint64_t)UINT32_MAX << FILES_SHIFT);
		if (u.failed || at >= sections || (value & (DIFFERS_BIT - 1)) > WITNESS_RULE) {
			return false;
		}
		packages[at] = (struct judged_package){
			.files = (uint32_t)(value >> FILES_SHIFT),
			.witness = value & (DIFFERS_BIT - 1),
			.differs = (value & DIFFERS_BIT) != 0,
			.is_judged = true,
		};
	}
	return !u.failed;
}

int witness_load(struct store *store, int64_t id, struct judged_package *packages, size_t sections,
		 struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	bool row = false, ok = false;
	int result = -1;

	memset(packages, 0, sections * sizeof(*packages));
	if (db_start(&store->db, &stmt, err, "SELECT data FROM witness_list WHERE id = ?", "i",
		     id) ||
	    db_next(&store->db, stmt, &row, err)) {
		goto out;
	}
	if (row && squeezer_unpack(&store->squeezer, db_bytes(stmt, 0), LIST_MOST, &store->packed,
				   &ok, err)) {
		goto out;
	}
	if (!ok || !unpack_list(pack_all(&store->packed), packages, sections)) {
		(void)store_damaged(store, "witnesses", id, err);
		goto out;
	}
	result = 0;
out:
	db_end(stmt);
	return result;
}

void witness_text(const struct judge_counts *counts, char to[WITNESS_TEXT_ROOM])
{
	size_t used = 0;

	to[0] = '\0';
	for (unsigned i = 0; i <= WITNESS_RULE && used < WITNESS_TEXT_ROOM; i++) {
		if (counts->packages_by_witness[i] > 0 || counts->files_by_witness[i] > 0) {
			used += (size_t)snprintf(
				to + used, WITNESS_TEXT_ROOM - used, "%s%s=%zu/%zu",
				used ? " " : "", witness_name((enum witness)i),
				counts->packages_by_witness[i], counts->files_by_witness[i]);
		}
	}
}

void witness_read_text(const char *text, struct judge_counts *counts)
{
	while (*text != '\0') {
		size_t name = strcspn(text, "=");
		unsigned long long packages = 0, files = 0;
		char *end;

		if (text[name] == '=') {
			packages = strtoull(text + name + 1, &end, 10);
			/* An older muster counted packages alone. */
			files = *end == '/' ? strtoull(end + 1, NULL, 10) : 0;
		}
		for (unsigned i = 0; i <= WITNESS_RULE; i++) {
			const char *known = witness_name((enum witness)i);

			if (strlen(known) == name && memcmp(known, text, name) == 0) {
				counts->packages_by_witness[i] = (size_t)packages;
				counts->files_by_witness[i] = (size_t)files;
			}
		}
		text += strcspn(text, " ");
		text += strspn(text, " ");
	}
}

static void move_some(size_t *to, size_t *from, size_t most)
{
	size_t moved = *from < most ? *from : most;

	*from -= moved;
	*to += moved;
}

void witness_move(struct judge_counts *counts, const char *fleet)
{
	struct judge_counts moved = {0};

	witness_read_text(fleet, &moved);
	for (unsigned i = WITNESS_FLEET + 1; i <= WITNESS_RULE; i++) {
		move_some(&counts->packages_by_witness[WITNESS_FLEET],
			  &counts->packages_by_witness[i], moved.packages_by_witness[i]);
		move_some(&counts->files_by_witness[WITNESS_FLEET], &counts->files_by_witness[i],
			  moved.files_by_witness[i]);
	}
}

// SPDX-License-Identifier: MIT
#include "controller/store/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "schema/escape.h"

#define IDS_MAX 0x7fffffff

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
}

static int make_room(void **rows, size_t *room, size_t row, uint64_t id, struct error *err)
{
	size_t more = *room ? *room : 1024;
	void *data;

	if (id < *room) {
		return 0;
	}
	if (id > IDS_MAX) {
		return error_set(err, ERROR_STORE, 0, "the database has too large an id (%llu)",
				 (unsigned long long)id);
	}
	while (more <= id) {
		more *= 2;
	}
	data = realloc(*rows, more * row);
	if (!data) {
		return no_memory(err);
	}
	memset((char *)data + *room * row, 0, (more - *room) * row);
	*rows = data;
	*room = more;
	return 0;
}

static int keep_key(struct names *names, int64_t id, struct bytes encoded, int64_t package,
		    struct error *err)
{
	struct section_key parsed;
	struct name_key *key;
	bool ok = true;
	void *rows = names->key;

	if (id <= 0 || encoded.len == 0 || package < 0 || package > IDS_MAX ||
	    !section_key_decode(encoded, &parsed)) {
		return error_set(err, ERROR_STORE, 0,
				 "the database is damaged: key %lld is no section key",
				 (long long)id);
	}
	if (make_room(&rows, &names->key_room, sizeof(*names->key), (uint64_t)id, err)) {
		return -1;
	}
	names->key = rows;
	key = &names->key[id];
	key->encoded = arena_copy(&names->arena, encoded, &ok);
	key->package = (uint32_t)package;
	key->kind = parsed.kind;
	if (!ok) {
		return no_memory(err);
	}
	if ((uint32_t)id > names->key_last) {
		names->key_last = (uint32_t)id;
	}
	return index_add(&names->keys, index_hash(&names->keys, key->encoded), (uint32_t)id, err);
}

static int keep_object(struct names *names, int64_t id, const struct digest *digest,
		       struct error *err)
{
	void *rows = names->object;

	if (id <= 0 ||
	    make_room(&rows, &names->object_room, sizeof(*names->object), (uint64_t)id, err)) {
		return id <= 0 ? error_set(err, ERROR_STORE, 0,
					   "the database is damaged: object %lld", (long long)id)
			       : -1;
	}
	names->object = rows;
	names->object[id] = *digest;
	if ((uint32_t)id > names->object_last) {
		names->object_last = (uint32_t)id;
	}
	return index_add(&names->objects,
			 index_hash(&names->objects, bytes_make(digest->bytes, DIGEST_SIZE)),
			 (uint32_t)id, err);
}

static int load_keys(struct names *names, struct db *db, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	bool row = true;
	int result;

	result = db_start(db, &stmt, err, "SELECT id, encoded, package FROM key", "");
	while (result == 0 && (result = db_next(db, stmt, &row, err)) == 0 && row) {
		result = keep_key(names, sqlite3_column_int64(stmt, 0), db_bytes(stmt, 1),
				  sqlite3_column_int64(stmt, 2), err);
	}
	db_end(stmt);
	return result;
}

static int load_objects(struct names *names, struct db *db, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	bool row = true;
	int result;

	result = db_start(db, &stmt, err, "SELECT id, digest FROM object", "");
	while (result == 0 && (result = db_next(db, stmt, &row, err)) == 0 && row) {
		struct bytes value = db_bytes(stmt, 1);
		struct digest digest;

		if (value.len != DIGEST_SIZE) {
			result = error_set(err, ERROR_STORE, 0,
					   "the database is damaged: object %lld has no digest",
					   (long long)sqlite3_column_int64(stmt, 0));
			break;
		}
		memcpy(digest.bytes, value.data, DIGEST_SIZE);
		result = keep_object(names, sqlite3_column_int64(stmt, 0), &digest, err);
	}
	db_end(stmt);
	return result;
}

int names_load(struct names *names, struct db *db, struct error *err)
{
	int64_t number;

	if (names->loaded) {
		return 0;
	}
	if (index_init(&names->keys, err) || index_init(&names->objects, err) ||
	    load_keys(names, db, err) || load_objects(names, db, err) ||
	    db_number(db, &number, 0, err, "SELECT max(id) FROM package", "")) {
		names_forget(names);
		return -1;
	}
	if (number < 0 || number > IDS_MAX) {
		names_forget(names);
		return error_set(err, ERROR_STORE, 0, "the database is damaged: package %lld",
				 (long long)number);
	}
	names->package_last = (uint32_t)number;
	names->loaded = true;
	return 0;
}

void names_forget(struct names *names)
{
	struct arena arena = names->arena;

	index_clear(&names->keys);
	index_clear(&names->objects);
	free(names->key);
	free(names->object);
	*names = (struct names){.arena = arena};
}

void names_clear(struct names *names)
{
	names_forget(names);
	arena_clear(&names->arena);
}

uint32_t names_find_key(const struct names *names, struct bytes encoded)
{
	uint64_t hash = index_hash(&names->keys, encoded);
	size_t at = 0;
	uint32_t id;

	while ((id = index_candidate(&names->keys, hash, &at)) != 0) {
		if (bytes_equal(names->key[id].encoded, encoded)) {
			return id;
		}
	}
	return 0;
}

uint32_t names_find_object(const struct names *names, const struct digest *digest)
{
	uint64_t hash = index_hash(&names->objects, bytes_make(digest->bytes, DIGEST_SIZE));
	size_t at = 0;
	uint32_t id;

	while ((id = index_candidate(&names->objects, hash, &at)) != 0) {
		if (digest_equal(&names->object[id], digest)) {
			return id;
		}
	}
	return 0;
}

/* The escaped form of a key's part, which is at most SECTION_KEY_MAX bytes long. */
struct part_text {
	char text[ESCAPE_ROOM(SECTION_KEY_MAX)];
};

static int add_package(struct names *names, struct db *db, const struct section_key *key,
		       int64_t *package, struct error *err)
{
	struct part_text part[4];

	for (size_t i = 0; i < 4; i++) {
		(void)escape_text(key->part[i + 1], part[i].text, sizeof(part[i].text));
	}
	if (db_number(db, package, 0, err,
		      "SELECT id FROM package WHERE manager = ? AND name = ? AND version = ? AND "
		      "arch = ?",
		      "tttt", part[0].text, part[1].text, part[2].text, part[3].text)) {
		return -1;
	}
	if (*package != 0) {
		return 0;
	}
	*package = (int64_t)names->package_last + 1;
	if (db_exec(db, err,
		    "INSERT INTO package (id, manager, name, version, arch) VALUES (?, ?, ?, ?, ?)",
		    "itttt", *package, part[0].text, part[1].text, part[2].text, part[3].text)) {
		return -1;
	}
	names->package_last++;
	return 0;
}

int names_add_key(struct names *names, struct db *db, struct bytes encoded, uint32_t *id,
		  struct error *err)
{
	struct part_text subject = {""};
	struct section_key key;
	int64_t package = 0;

	if (!section_key_decode(encoded, &key)) {
		char text[128];

		return error_set(err, ERROR_STORE, 0, "no section key: %s",
				 escape_text(encoded, text, sizeof(text)));
	}
	if (section_kind_is_of_package(key.kind)) {
		if (add_package(names, db, &key, &package, err)) {
			return -1;
		}
	} else if (key.count > 1) {
		(void)escape_text(key.part[1], subject.text, sizeof(subject.text));
	}
	*id = names->key_last + 1;
	if (db_exec(db, err,
		    "INSERT INTO key (id, encoded, kind, package, subject) VALUES (?, ?, ?, ?, ?)",
		    "ibtzt", (int64_t)*id, encoded, section_kind_name(key.kind), package,
		    subject.text)) {
		return -1;
	}
	return keep_key(names, *id, encoded, package, err);
}

int names_add_object(struct names *names, struct db *db, const struct digest *digest, size_t size,
		     uint32_t *id, struct error *err)
{
	if (db_exec(db, err, "INSERT INTO object (digest, size) VALUES (?, ?)", "bi",
		    bytes_make(digest->bytes, DIGEST_SIZE), (int64_t)size)) {
		return -1;
	}
	*id = (uint32_t)sqlite3_last_insert_rowid(db->sql);
	return keep_object(names, sqlite3_last_insert_rowid(db->sql), digest, err);
}

// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_STORE_NAMES_H
#define MUSTER_CONTROLLER_STORE_NAMES_H

/*
 * Every section key and object digest of the database in memory, by id and by value, so that a
 * host of thousands of sections is told apart from its last snapshot without a query. Loaded once,
 * kept in step by the one writer; forgotten whole when a transaction is rolled back. Key bytes live
 * until names_clear even so: loaded observations borrow them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baselines/arena.h"
#include "controller/store/db.h"
#include "controller/store/index.h"
#include "schema/bytes.h"
#include "schema/error.h"
#include "schema/section.h"

struct name_key {
	struct bytes encoded; /* data NULL: no such id */
	uint32_t package;     /* 0: none */
	enum section_kind kind;
};

struct names {
	bool loaded;
	struct arena arena;
	struct index keys;
	struct index objects;
	struct name_key *key; /* by id */
	size_t key_room;
	uint32_t key_last;
	struct digest *object; /* by id; all zero: no such id */
	size_t object_room;
	uint32_t object_last;
	uint32_t package_last;
};

int names_load(struct names *names, struct db *db, struct error *err) MUST_CHECK;
/* The next names_load reads all again. Key bytes stay. */
void names_forget(struct names *names);
void names_clear(struct names *names);

/* 0 where there is none. */
uint32_t names_find_key(const struct names *names, struct bytes encoded);
uint32_t names_find_object(const struct names *names, const struct digest *digest);

/* Inside a transaction: a row of its own for what is not there yet. STORE error for a bad key. */
int names_add_key(struct names *names, struct db *db, struct bytes encoded, uint32_t *id,
		  struct error *err) MUST_CHECK;
/* Only the row of `object`; the caller adds the content. */
int names_add_object(struct names *names, struct db *db, const struct digest *digest, size_t size,
		     uint32_t *id, struct error *err) MUST_CHECK;

static inline bool names_has_key(const struct names *names, uint64_t id)
{
	return id > 0 && id <= names->key_last && names->key[id].encoded.data;
}
static inline bool names_has_object(const struct names *names, uint64_t id)
{
	static const struct digest none;

	return id > 0 && id <= names->object_last && !digest_equal(&names->object[id], &none);
}

#endif

// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "controller/store/inner.h"

int store_proof_get(struct store *store, const struct digest *keys, struct store_proof *proof,
		    bool *found, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	bool row = false;

	*found = false;
	if (db_start(
		    &store->db, &stmt, err,
		    "SELECT verdict, fingerprint, reason FROM proof WHERE section = ? AND keys = ?",
		    "bb", bytes_make(proof->section.bytes, DIGEST_SIZE),
		    bytes_make(keys->bytes, DIGEST_SIZE)) ||
	    db_next(&store->db, stmt, &row, err)) {
		return -1;
	}
	/* A word that this muster does not know is none: the signature is checked again. */
	if (row && rpm_verdict_find(db_text(stmt, 0), &proof->verdict)) {
		(void)snprintf(proof->fingerprint, sizeof(proof->fingerprint), "%s",
			       db_text(stmt, 1));
		(void)snprintf(proof->reason, sizeof(proof->reason), "%s", db_text(stmt, 2));
		*found = true;
	}
	db_end(stmt);
	return 0;
}

int store_proof_put(struct store *store, const struct digest *keys,
		    const struct store_proof *proofs, size_t count, struct error *err)
{
	if (count == 0) {
		return 0;
	}
	if (db_begin(&store->db, err)) {
		return -1;
	}
	for (size_t i = 0; i < count; i++) {
		const struct store_proof *p = &proofs[i];

		if (db_exec(&store->db, err,
			    "INSERT OR REPLACE INTO proof (section, keys, verdict, fingerprint, "
			    "reason) VALUES (?, ?, ?, ?, ?)",
			    "bbttt", bytes_make(p->section.bytes, DIGEST_SIZE),
			    bytes_make(keys->bytes, DIGEST_SIZE), rpm_verdict_name(p->verdict),
			    p->fingerprint, p->reason)) {
			db_rollback(&store->db);
			return -1;
		}
	}
	if (db_commit(&store->db, err)) {
		db_rollback(&store->db);
		return -1;
	}
	return 0;
}

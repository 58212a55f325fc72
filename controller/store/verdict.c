// SPDX-License-Identifier: MIT
#include <string.h>

#include "controller/store/inner.h"

/* False where the column is NULL, or nothing that was put there. */
static bool read_digest(sqlite3_stmt *stmt, int column, struct digest *digest)
{
	struct bytes data = db_bytes(stmt, column);

	if (data.len != DIGEST_SIZE) {
		return false;
	}
	memcpy(digest->bytes, data.data, DIGEST_SIZE);
	return true;
}

void verdict_read(sqlite3_stmt *stmt, int column, struct kept_verdict *kept)
{
	*kept = (struct kept_verdict){.witness = sqlite3_column_int64(stmt, column + 2)};
	kept->found = read_digest(stmt, column, &kept->verdict.basis) &&
		      read_digest(stmt, column + 1, &kept->verdict.findings);
}

int verdict_put(struct store *store, int64_t host, const struct kept_verdict *before,
		const struct store_verdict *now, int64_t witness, struct error *err)
{
	if (!now) {
		return before->found ? db_exec(&store->db, err,
					       "DELETE FROM host_verdict WHERE host = ?", "i", host)
				     : 0;
	}
	if (before->found && before->witness == witness &&
	    digest_equal(&before->verdict.basis, &now->basis) &&
	    digest_equal(&before->verdict.findings, &now->findings)) {
		return 0;
	}
	return db_exec(&store->db, err,
		       "INSERT INTO host_verdict (host, basis, findings, witness) "
		       "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (host) DO UPDATE "
		       "SET basis = ?2, findings = ?3, witness = ?4",
		       "ibbz", host, bytes_make(now->basis.bytes, DIGEST_SIZE),
		       bytes_make(now->findings.bytes, DIGEST_SIZE), witness);
}

/* Half of each of the two digests by which the store tells snapshots and coverage apart. */
static void read_identity(sqlite3_stmt *stmt, int column, struct digest *digest)
{
	for (int i = 0; i < 2; i++) {
		struct bytes half = db_bytes(stmt, column + i);

		if (half.len == DIGEST_SIZE / 2) {
			memcpy(digest->bytes + i * DIGEST_SIZE / 2, half.data, half.len);
		}
	}
}

/* The rows are those that store_observation_load would take. */
int store_known_load(struct store *store, const char *host, struct store_known *known,
		     struct error *err)
{
	struct kept_verdict kept = {0};
	struct tally tally = {0};
	sqlite3_stmt *stmt = NULL;
	int64_t tally_id = 0;
	bool row = false;
	int result = -1;

	*known = (struct store_known){0};
	if (db_start(&store->db, &stmt, err,
		     "SELECT fs.digest, fc.digest, cs.digest, cc.digest, v.basis, v.findings, "
		     "v.witness, o.tally, h.complete = h.observed AND w.witness = v.witness "
		     "FROM host h " FIRST_SIGHT_JOIN "LEFT JOIN host_witness w ON w.host = h.id "
		     "LEFT JOIN host_run f ON f.id = " FIRST_SIGHT_ROW " "
		     "LEFT JOIN snapshot fs ON fs.id = coalesce(" FIRST_SIGHT_SNAPSHOT
		     ", f.snapshot) "
		     "LEFT JOIN coverage fc ON fc.id = f.coverage "
		     "LEFT JOIN host_run c ON c.id = h.complete "
		     "LEFT JOIN snapshot cs ON cs.id = c.snapshot "
		     "LEFT JOIN coverage cc ON cc.id = c.coverage "
		     "LEFT JOIN host_run o ON o.id = h.observed "
		     "LEFT JOIN host_verdict v ON v.host = h.id WHERE h.name = ?",
		     "t", host) ||
	    db_next(&store->db, stmt, &row, err)) {
		goto out;
	}
	if (row) {
		read_identity(stmt, 0, &known->first);
		read_identity(stmt, 2, &known->last_complete);
		verdict_read(stmt, 4, &kept);
		tally_id = sqlite3_column_int64(stmt, 7);
		known->is_settled = sqlite3_column_int(stmt, 8) == 1;
	}
	db_end(stmt);
	stmt = NULL;
	if (kept.found && tally_id != 0) {
		if (tally_load(store, tally_id, &tally, err)) {
			goto out;
		}
		known->found = true;
		known->verdict = kept.verdict;
		known->counts = tally.counts;
	}
	result = 0;
out:
	db_end(stmt);
	return result;
}

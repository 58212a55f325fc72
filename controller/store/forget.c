// SPDX-License-Identifier: MIT
#include "controller/store/inner.h"

/*
 * Rows of runs and intervals that have ended stay: that is history, until a prune takes it. Without a
 * latest look a host is in no view and no report of today, and what was open there ends without being
 * resolved.
 */
static const char *const statements[] = {
	"UPDATE host SET latest = NULL, observed = NULL, complete = NULL, first = NULL, "
	"packages = NULL WHERE id = ?",
	"UPDATE interval SET last_run = from_run, until_run = (SELECT max(id) FROM run) "
	"WHERE host = ? AND until_run IS NULL",
	"DELETE FROM host_stat WHERE host = ?",
	"DELETE FROM host_outline WHERE host = ?",
	"DELETE FROM host_reading WHERE host = ?",
	"DELETE FROM host_witness WHERE host = ?",
	"DELETE FROM host_verdict WHERE host = ?",
	"DELETE FROM host_sight WHERE host = ?",
};

int store_host_forget(struct store *store, const char *name, bool *known, struct error *err)
{
	int64_t id, latest = 0;

	*known = false;
	if (store_ready(store, err) || store_host_id(store, name, &id, err) ||
	    db_number(&store->db, &latest, 0, err, "SELECT latest FROM host WHERE id = ?", "i",
		      id)) {
		return -1;
	}
	if (latest == 0) {
		return 0;
	}
	*known = true;
	if (db_begin(&store->db, err)) {
		return -1;
	}
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
		if (db_exec(&store->db, err, statements[i], "i", id)) {
			goto failed;
		}
	}
	/* Hosts are compared again: it was one of them. */
	if (db_exec(&store->db, err, "DELETE FROM fleet", "") || db_commit(&store->db, err)) {
		goto failed;
	}
	return 0;
failed:
	db_rollback(&store->db);
	store_forget(store);
	return error_prefix(err, "host %s", name);
}

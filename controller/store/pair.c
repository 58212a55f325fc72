// SPDX-License-Identifier: MIT
/* Which two runs can be laid side by side: the newest that looked at a host that an earlier one looked at too. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/store/inner.h"

struct pairing {
	struct store *store;
	bool (*wanted)(void *context, const char *host);
	void *context;
	bool *seen; /* by host id: looked at in `newer` */
	size_t hosts;
	int64_t newer, older; /* runs; 0: none yet */
};

/* One look, the newest ones first. */
static void on_look(struct pairing *p, int64_t run, int64_t host, const char *name)
{
	if (host < 0 || (size_t)host >= p->hosts || (p->wanted && !p->wanted(p->context, name))) {
		return;
	}
	if (p->newer == 0 || run == p->newer) {
		p->newer = run;
		p->seen[host] = true;
	} else if (p->seen[host]) {
		p->older = run;
	}
}

/* With looks of runs before `before` alone. */
static int look_back(struct pairing *p, int64_t before, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	bool row = true;
	int result;

	memset(p->seen, 0, p->hosts);
	p->newer = p->older = 0;
	result = db_query(&p->store->db, &stmt, err,
			  "SELECT l.id >> 24, l.host, h.name FROM host_run l "
			  "JOIN host h ON h.id = l.host JOIN run r ON r.id = (l.id >> 24) "
			  "WHERE l.id < ? << 24 AND l.snapshot IS NOT NULL AND r.kept = 1 "
			  "AND r.finished > 0 ORDER BY l.id DESC",
			  "i", before);
	while (result == 0 && p->older == 0 &&
	       (result = db_next(&p->store->db, stmt, &row, err)) == 0 && row) {
		on_look(p, sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1),
			db_text(stmt, 2));
	}
	(void)sqlite3_finalize(stmt);
	return result;
}

static int find_run(struct store *store, int64_t id, struct store_run *run, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	char name[sizeof(run->name)] = "";
	bool row = false;
	int result;

	result = db_query(&store->db, &stmt, err, "SELECT name FROM run WHERE id = ?", "i", id);
	if (result == 0 && (result = db_next(&store->db, stmt, &row, err)) == 0 && row) {
		(void)snprintf(name, sizeof(name), "%s", db_text(stmt, 0));
	}
	(void)sqlite3_finalize(stmt);
	return result == 0 ? store_run_find(store, name, run, err) : -1;
}

int store_run_pair(struct store *store, bool (*wanted)(void *context, const char *host),
		   void *context, struct store_run *older, struct store_run *newer, bool *found,
		   struct error *err)
{
	struct pairing p = {.store = store, .wanted = wanted, .context = context};
	int64_t most, before;
	int result = -1;

	*found = false;
	if (db_number(&store->db, &most, 0, err, "SELECT max(id) FROM host", "") ||
	    db_number(&store->db, &before, 0, err, "SELECT max(id) + 1 FROM run", "")) {
		return -1;
	}
	p.hosts = (size_t)most + 1;
	p.seen = calloc(p.hosts, sizeof(*p.seen));
	if (!p.seen) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	/* A run over hosts that nobody looked at before is passed over. */
	do {
		if (look_back(&p, before, err)) {
			goto out;
		}
		before = p.newer;
	} while (p.newer != 0 && p.older == 0);
	*found = p.older != 0;
	if (*found &&
	    (find_run(store, p.older, older, err) || find_run(store, p.newer, newer, err))) {
		goto out;
	}
	result = 0;
out:
	free(p.seen);
	return result;
}

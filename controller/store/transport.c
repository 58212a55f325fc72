// SPDX-License-Identifier: MIT
/* Who spoke SSH with a host, as a row of its own from the run on in which that changed. */
#include <string.h>

#include "controller/store/inner.h"

int transport_put(struct store *store, int64_t host, int64_t row, const char *before,
		  const char *now, struct error *err)
{
	int64_t text = 0;

	if (!now || !*now || strcmp(before, now) == 0) {
		return 0;
	}
	if (text_put(store, now, &text, err)) {
		return -1;
	}
	return db_exec(&store->db, err,
		       "INSERT OR REPLACE INTO host_transport (host, row, transport) "
		       "VALUES (?, ?, ?)",
		       "iii", host, row, text);
}

// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controller/store/inner.h"
#include "schema/cbor.h"

#define CHUNK_ITEMS 4096

static int put_chunk(struct store *store, int64_t host, int64_t run,
		     const struct timeline_item *items, size_t count, struct error *err)
{
	int64_t from = INT64_MAX, until = INT64_MIN;
	struct pack *p = &store->blob;

	p->len = 0;
	for (size_t i = 0; i < count; i++) {
		uint8_t *room = pack_reserve(p, items[i].path.len + 128);
		struct cbor_writer w;

		if (!room) {
			return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
		}
		cbor_writer_init(&w, room, items[i].path.len + 128);
		timeline_item_encode(&w, &items[i]);
		if (w.overflow) {
			return error_set(err, ERROR_STORE, 0,
					 "an item of the timeline is too long");
		}
		p->len += w.len;
		from = items[i].ctime_ns < from ? items[i].ctime_ns : from;
		until = items[i].ctime_ns > until ? items[i].ctime_ns : until;
	}
	if (squeezer_pack(&store->squeezer, pack_all(p), &store->packed, err)) {
		return -1;
	}
	return db_exec(&store->db, err,
		       "INSERT INTO timeline (host, run, from_ns, until_ns, items, data) "
		       "VALUES (?, ?, ?, ?, ?, ?)",
		       "iiiiib", host, run, from, until, (int64_t)count, pack_all(&store->packed));
}

int timeline_put(struct store *store, int64_t host, const struct store_run *run,
		 const struct observation *o, struct error *err)
{
	for (size_t at = 0; at < o->timeline_count; at += CHUNK_ITEMS) {
		size_t count = o->timeline_count - at;

		if (put_chunk(store, host, run->id, o->timeline + at,
			      count < CHUNK_ITEMS ? count : CHUNK_ITEMS, err)) {
			return -1;
		}
	}
	return 0;
}

// SPDX-License-Identifier: MIT
#include "controller/fleet/object_places.h"

#include <stdlib.h>

/* Out of memory leaves an entry out, which costs a repetition; uthash would exit otherwise. */
#include <uthash.h>

#define KEPT UINT32_MAX

struct place {
	struct digest digest;
	uint32_t host; /* who is asked, or KEPT */
	UT_hash_handle hh;
};

struct object_places {
	struct place *kept;
	struct place *asked;
};

int object_places_new(struct object_places **places, struct error *err)
{
	*places = calloc(1, sizeof(**places));
	return *places ? 0 : error_set(err, ERROR_NOMEM, 0, "no memory for the list of objects");
}

static struct place *find(struct place *table, const struct digest *digest)
{
	struct place *place;

	HASH_FIND(hh, table, digest, sizeof(*digest), place);
	return place;
}

static bool add(struct place **table, const struct digest *digest, uint32_t host)
{
	struct place *place = calloc(1, sizeof(*place));

	if (!place) {
		return false;
	}
	place->digest = *digest;
	place->host = host;
	HASH_ADD(hh, *table, digest, sizeof(place->digest), place);
	if (!place->hh.tbl) {
		free(place);
		return false;
	}
	return true;
}

static void clear(struct place **table)
{
	struct place *place, *next;

	HASH_ITER (hh, *table, place, next) {
		/* The analyser does not see that the table forgets it. */
		HASH_DEL(*table, place); /* NOLINT(clang-analyzer-unix.Malloc) */
		free(place);
	}
}

void object_places_free(struct object_places *places)
{
	if (places) {
		clear(&places->kept);
		clear(&places->asked);
		free(places);
	}
}

int object_places_keep(struct object_places *places, const struct digest *digest, struct error *err)
{
	struct place *asked = find(places->asked, digest);

	if (asked) {
		HASH_DEL(places->asked, asked); /* NOLINT(clang-analyzer-unix.Malloc) */
		free(asked);
	}
	if (find(places->kept, digest) || add(&places->kept, digest, KEPT)) {
		return 0;
	}
	return error_set(err, ERROR_NOMEM, 0, "no memory for the list of objects");
}

enum object_place object_places_ask(struct object_places *places, const struct digest *digest,
				    uint32_t host, bool last)
{
	struct place *place;

	if (find(places->kept, digest)) {
		return OBJECT_KEPT;
	}
	place = find(places->asked, digest);
	if (!place) {
		(void)add(&places->asked, digest, host);
		return OBJECT_WANTED;
	}
	if (place->host == host) {
		return OBJECT_KEPT;
	}
	return last ? OBJECT_WANTED : OBJECT_ELSEWHERE;
}

void object_places_release(struct object_places *places, uint32_t host)
{
	struct place *place, *next;

	/* What is asked for at one moment is little: hosts that ask for nothing cost nothing. */
	HASH_ITER (hh, places->asked, place, next) {
		/* cppcheck-suppress uninitvar */
		if (place->host == host) {
			HASH_DEL(places->asked, place); /* NOLINT(clang-analyzer-unix.Malloc) */
			free(place);
		}
	}
}

// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_RECORDS_H
#define MUSTER_BASELINES_RECORDS_H

/*
 * Accepted state that mtree(5) has no words for, kept in hosts/NAME.records and groups/NAME.records:
 * one record a line, `kind field field ...`, each word escaped as in mtree, lines sorted bytewise,
 * `#` comments. Kinds: the exceptions' own (diversion, statoverride, path-exclude, path-include,
 * alternative, alternative-slave), mount (point type source root options), package (manager name
 * version arch content-digest-in-hex), claim (manager package path), absent (path).
 */

#include <stdbool.h>
#include <stddef.h>

#include "schema/bytes.h"
#include "schema/record.h"

struct record_list {
	struct bytes *line; /* unescaped never: the escaped line is the identity, sorted */
	size_t count;
	void *memory; /* private */
};

/* The escaped line of a kind and a record's fields from `from` on. Cut at `room`; returns length. */
size_t records_line(const char *kind, const struct record *record, size_t from, char *to,
		    size_t room);

/* Whether exactly this line is in the list. */
bool records_has(const struct record_list *list, struct bytes line);

void records_free(struct record_list *list);

#endif

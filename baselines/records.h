// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_RECORDS_H
#define MUSTER_BASELINES_RECORDS_H

/*
 * Accepted state that mtree(5) has no words for, kept in hosts/NAME.records and groups/NAME.records:
 * one record a line, `kind field field ...`, each field escaped as in mtree (an empty one is `=`,
 * which no escaped field can be), lines sorted bytewise, `#` comments. Kinds: the exceptions' own
 * (diversion, statoverride, path-exclude, path-include, alternative, alternative-slave), mount
 * (point type source root options), package (manager name version arch content-digest-in-hex),
 * package-absent (manager name arch), package-state (manager name arch state), claim (manager package
 * path, and where the host's database disagrees its MD5 in hex or "conffile"), capability (path, as
 * getcap says), flags (path, letters of lsattr), absent (path).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/error.h"
#include "schema/record.h"

#define RECORDS_SIZE_MAX ((size_t)16 << 20)
#define RECORDS_LINE_MAX 65536U
#define RECORDS_COUNT_MAX 1000000U

struct arena;

struct record_list {
	struct bytes *line; /* unescaped never: the escaped line is the identity, sorted */
	size_t count;
	struct arena *memory; /* private */
};

/* The escaped line of a kind and a record's fields from `from` on. Cut at `room`; returns length. */
size_t records_line(const char *kind, const struct record *record, size_t from, char *to,
		    size_t room);

/* Whether exactly this line is in the list. */
bool records_has(const struct record_list *list, struct bytes line);

/*
 * The inverse of records_line: the kind, and the fields unescaped into `scratch`, which has at least
 * line.len bytes. CONFIG error (without a place) for an unknown kind, a wrong number of fields, or
 * fields that are not escaped as records_line would have: a cut line is one of these.
 */
int records_read_line(struct bytes line, uint8_t *scratch, const char **kind, struct record *record,
		      struct error *err) MUST_CHECK;

/* CONFIG error "source:line: ..."; order and repetition do not matter. */
int records_parse(const char *source, struct bytes text, struct record_list **list,
		  struct error *err) MUST_CHECK;

/* A list of copies, sorted, each line once. */
int records_make(const struct bytes *lines, size_t count, struct record_list **list,
		 struct error *err) MUST_CHECK;

/* The text of a file: a comment that says what it is, and the lines. Allocates *text (free()). */
int records_write(const struct record_list *list, char **text, size_t *len,
		  struct error *err) MUST_CHECK;

void records_free(struct record_list *list);

#endif

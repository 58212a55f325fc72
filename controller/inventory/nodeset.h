// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_INVENTORY_NODESET_H
#define MUSTER_CONTROLLER_INVENTORY_NODESET_H

/*
 * A set of host names and the notation for it, as administrators know it from ClusterShell:
 * web[001-100], [0-10/2], web[1,3-5], dc[1-2]n[1-9], @group, and between such terms, read from left
 * to right, `,` (and) `!` (without) `&` (in both) `^` (in one of both). Padding is kept. Names stand
 * in natural order (web2 before web10), each once. Bounded: never more than NODESET_NAMES_MAX names.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/error.h"

#define NODESET_NAMES_MAX 1000000
#define NODESET_NAME_MAX 255               /* bytes of a name */
#define NODESET_TEXT_MAX ((size_t)1 << 20) /* bytes of the notation */

struct nodeset;

/*
 * Who knows groups. `add` puts the group's hosts into the set, or says which group was meant.
 * `reach` takes what USER@ and :PORT (where.h) say of hosts: user "" and port 0 where they do not;
 * NULL: neither may stand.
 */
struct nodeset_groups {
	int (*add)(void *context, const char *group, struct nodeset *set, struct error *err);
	int (*reach)(void *context, struct nodeset *hosts, const char *user, uint16_t port,
		     struct error *err);
	void *context;
};

/*
 * Letters, digits, `.`, `_`, `:`, `-`, not starting with `-`, at most NODESET_NAME_MAX bytes. Colons
 * are an IPv6 address's, so never one alone: that is how a port is written.
 */
bool nodeset_name_is_valid(const char *name);

int nodeset_new(struct nodeset **set, struct error *err) MUST_CHECK;
void nodeset_free(struct nodeset *set);

/* `groups` NULL: @group, USER@ and :PORT are errors. Blanks may stand around operators. CONFIG errors. */
int nodeset_parse(struct nodeset **set, const char *text, const struct nodeset_groups *groups,
		  struct error *err) MUST_CHECK;

/* Adds one name, which must be valid, or all of another set's. */
int nodeset_add(struct nodeset *set, const char *name, struct error *err) MUST_CHECK;
int nodeset_add_set(struct nodeset *set, const struct nodeset *other, struct error *err) MUST_CHECK;

/* Not const: names are put in order when first asked for. */
size_t nodeset_count(struct nodeset *set);
/* The name at `index`; lives until the set is changed or freed. */
const char *nodeset_name(struct nodeset *set, size_t index);
bool nodeset_has(struct nodeset *set, const char *name);

/* <0, 0, >0 in natural order. */
int nodeset_name_compare(const char *a, const char *b);

#endif

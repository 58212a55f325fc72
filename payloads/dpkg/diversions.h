// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_DPKG_DIVERSIONS_H
#define MUSTER_PAYLOADS_DPKG_DIVERSIONS_H

/*
 * dpkg's diversions (dpkg-divert(1)): for every package but the one that diverts, a file lives
 * elsewhere than its list says. dpkg compares paths as spelled, not through usrmerge aliases, and
 * so does this. Strings live in the database's arena.
 */

#include <stdbool.h>
#include <stdint.h>

#include "schema/bytes.h"

#define DIVERSIONS_MAX 4096

struct dpkg;

struct diversion {
	struct bytes from;  /* clean, as spelled */
	struct bytes shown; /* canonical */
	struct bytes to;    /* canonical */
	struct bytes by;    /* package, or : for a local one */
};

struct diversions {
	struct diversion *table; /* ordered by `from` */
	uint32_t count;
	uint8_t filter[512]; /* most paths are not diverted: one look tells */
};

void diversions_read(struct dpkg *dpkg);
void diversions_clear(struct diversions *diversions);

/* The diversion of a clean path for a package: NULL where it does not apply. */
const struct diversion *diversions_find(const struct diversions *diversions, struct bytes path,
					struct bytes package);

#endif

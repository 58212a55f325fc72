// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_RPM_SECTION_H
#define MUSTER_BASELINES_RPM_SECTION_H

/*
 * A section [header, rpm, ...] or [claims, rpm, ...] read back into entries of an rpm header: its
 * records are chunks (schema/record.h), joined here. Bytes are the host's; entries of one chunk
 * borrow from the section's content, longer ones from the reader's own memory.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/error.h"

enum rpm_item_part {
	RPM_ITEM_REGION,
	RPM_ITEM_SIGNATURE,
	RPM_ITEM_OVERRIDE,
	RPM_ITEM_REST,
	RPM_ITEM_BARE,
	RPM_ITEM_NUMBER,
};

/* Types of an entry (lib/rpmtag.h). */
enum rpm_item_type {
	RPM_TYPE_CHAR = 1,
	RPM_TYPE_INT8,
	RPM_TYPE_INT16,
	RPM_TYPE_INT32,
	RPM_TYPE_INT64,
	RPM_TYPE_STRING,
	RPM_TYPE_BIN,
	RPM_TYPE_STRING_ARRAY,
	RPM_TYPE_I18N_STRING,
};

struct rpm_item {
	enum rpm_item_part part;
	uint32_t tag;
	uint32_t type;
	struct bytes value; /* raw data of the entry, big-endian; strings with their NULs */
};

struct rpm_section {
	struct rpm_item *items; /* in the section's order: by part, then tag */
	size_t count;
	struct arena *memory; /* private */
};

/* PEER error where the records are no such chunks in order; NOMEM. Borrows from `content`. */
int rpm_section_read(struct bytes content, struct rpm_section *section,
		     struct error *err) MUST_CHECK;
void rpm_section_clear(struct rpm_section *section);

/* The first item of this part and tag, or NULL. */
const struct rpm_item *rpm_section_find(const struct rpm_section *section, enum rpm_item_part part,
					uint32_t tag);

#endif

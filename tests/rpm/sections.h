// SPDX-License-Identifier: MIT
#ifndef TESTS_RPM_SECTIONS_H
#define TESTS_RPM_SECTIONS_H

/*
 * What the probe's reader makes of an rpm database, for tests of the controller: runs the program
 * rpm_sections (RPM_SECTIONS names it), which writes pairs of (encoded key, content), each with its
 * length in four bytes in front.
 */

#include <stddef.h>

#include "schema/bytes.h"
#include "schema/section.h"

struct rpm_sections {
	uint8_t *data;
	size_t len;
	struct rpm_section_of {
		struct section_key key;
		struct bytes content;
	} * section;
	size_t count;
};

/* -1 where the database cannot be read, or not wholly. */
int rpm_sections_read(const char *root, struct rpm_sections *sections);
void rpm_sections_free(struct rpm_sections *sections);

/* The content of a [header] or [claims] section with these items; free() what it points to. */
struct rpm_part_of {
	const char *part; /* HEADER_REGION ... */
	uint32_t tag;
	uint32_t type;
	struct bytes value;
};
struct bytes rpm_section_write(const struct rpm_part_of *items, size_t count);

#endif

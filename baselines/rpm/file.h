// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_RPM_FILE_H
#define MUSTER_BASELINES_RPM_FILE_H

/*
 * The front of an .rpm: lead, signature header, header (docs/manual/format_v4.md of rpm). What
 * follows, the compressed payload, is not read. Comes out in the shape in which a host's database
 * is read (baselines/rpm/section.h), so that one path verifies both. Bytes are hostile: bounded.
 */

#include "baselines/rpm/section.h"
#include "schema/bytes.h"
#include "schema/error.h"

#define RPM_FILE_LEAD 96
#define RPM_FILE_SIGNATURES_MAX (16U << 20) /* bytes of the signature header */

struct rpm_file_front {
	struct rpm_section section; /* region, then signature tags; owns nothing of its own */
	uint8_t *data;              /* what it points to */
};

/* CONFIG error "FILE: ..." where it is no .rpm. */
int rpm_file_read(const char *path, struct rpm_file_front *front, struct error *err) MUST_CHECK;
/* The same of bytes: of a whole .rpm, or as much of it as there is. */
int rpm_file_parse(struct bytes data, struct rpm_file_front *front, struct error *err) MUST_CHECK;
void rpm_file_clear(struct rpm_file_front *front);

#endif

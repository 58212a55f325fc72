// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_OBSERVATION_H
#define MUSTER_CONTROLLER_JUDGE_OBSERVATION_H

/*
 * What one session learned of one host, or what the store kept of an earlier one: plain data that
 * fleet fills, judge reads and store writes and loads. All bytes in it are the host's (hostile).
 * Sections stand in order of their encoded keys.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/error.h"
#include "schema/message.h"
#include "schema/outcome.h"
#include "schema/section.h"

struct observed_section {
	struct bytes key;      /* encoded */
	struct digest content; /* of the section's canonical encoding */
	uint64_t stat;         /* 0: not recorded (unsettled) */
	int64_t read_s;        /* controller's clock when the content was last read */
	uint32_t unread;       /* files in it that could not be read */
	bool always;           /* of the always-set when last listed: the store keeps it */
};

struct observation {
	struct observed_section *sections;
	size_t section_count;
	struct coverage_item *coverage;
	size_t coverage_count;
	struct timeline_item *timeline;
	size_t timeline_count;
	struct hello hello;
	struct end end;
	int64_t clock_offset_ns; /* host minus controller, at hello */
};

/* The section with this encoded key, or NULL (binary search). */
const struct observed_section *observation_find(const struct observation *o, struct bytes key);

/*
 * Keys of one kind, and for kinds of packages of one manager, begin with the same bytes and stand
 * side by side: sections from..to-1. `prefix` is the length of these bytes.
 */
struct section_range {
	size_t from;
	size_t to;
	size_t prefix;
};
struct section_range observation_range(const struct observation *o, enum section_kind kind,
				       struct bytes manager);

/* Whether something was left out, and where it hides more than the place it names. */
bool coverage_is_gap(const struct coverage_item *item);
bool coverage_is_gap_everywhere(const struct coverage_item *item);
/*
 * How many files rights do not reach, over all: each section has its own number of them. A folder that
 * they do not reach is named.
 */
bool coverage_is_of_files(const struct coverage_item *item);

/*
 * Whether this observation could not have had the section, so that its absence says nothing: the check
 * that makes it had a gap there, and nothing at or below that place was read either.
 */
bool observation_left_out(const struct observation *o, const struct section_key *key);
/* The same of a path under the policy's roots, whose own section was read or was not there at all. */
bool observation_left_out_path(const struct observation *o, struct bytes path, bool has_section);
/* Whether a section that it has lacks something: files that could not be read, folders below it. */
bool observation_is_whole(const struct observation *o, const struct observed_section *section);

/*
 * Where a section's bytes come from: given by fleet (objects of this session) and store (objects of
 * earlier ones). Returns 0 and bytes that live until the next call with the same source, or -1.
 */
struct object_source {
	int (*load)(void *context, const struct digest *digest, struct bytes *content,
		    struct error *err);
	void *context;
};

#endif

// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_INPUTS_H
#define MUSTER_CONTROLLER_JUDGE_INPUTS_H

/*
 * Private to judge/: everything about one package name that the judging of it looks at unasked, as
 * bytes: its rows in the lists of installed packages and every section that any observation has of
 * it. Names are gathered once a host and manager, in one pass over the sections.
 */

#include "controller/judge/packages.h"
#include "controller/judge/unit.h"

#define INPUTS_SECTIONS_MAX 64U

struct input_section {
	const struct observed_section *section;
	struct bytes tail; /* of the key, behind the name */
	uint32_t next;     /* index + 1 of the name's next one; 0: none */
	uint8_t which;     /* 0 now, 1 first, 2 last */
	uint8_t kind;      /* enum section_kind */
	bool same; /* as the section of the same key in now, or what it is does not matter */
};

struct input_name {
	struct bytes name;
	uint64_t hash;
	uint32_t first; /* index + 1 of a section */
	uint32_t last;
};

struct inputs {
	struct judge *j;
	struct bytes manager;
	bool is_rpm;
	uint32_t context; /* number of what the whole host has in common (cache_context) */
	struct input_name *name;
	size_t name_count;
	uint32_t *slot; /* by hash of the name: index + 1 */
	size_t slots;
	struct input_section *section;
	struct input_of_now {
		uint32_t name; /* index + 1; 0: none */
		struct bytes tail;
	} * of_now; /* by section of now */
	size_t section_count;
	size_t packages; /* sections of kind package in now */
	uint8_t seed[SIPHASH_KEY_SIZE];
};

/* Where nothing is to be kept it gathers nothing. After judge_exceptions. */
int inputs_begin(struct inputs *inputs, struct judge *j, const struct packages *p,
		 struct error *err) MUST_CHECK;

/*
 * The rows of one name in each list; *sections has room for INPUTS_SECTIONS_MAX. The unit lives
 * until the next call; its inputs are empty where it is not to be kept.
 */
struct input_rows {
	const struct installed *row;
	size_t count;
};
struct unit inputs_of(struct inputs *inputs, struct bytes name, const struct input_rows rows[4],
		      const struct observed_section **sections);

#endif

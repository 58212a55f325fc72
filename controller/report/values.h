// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_REPORT_VALUES_H
#define MUSTER_CONTROLLER_REPORT_VALUES_H

/*
 * The old and new value of a finding or of a difference, as all reports take them apart: words such
 * as "type=file mode=0755 sha256=..." (baselines/manifest.h) or a line of text. Borrows.
 */

#include <stdbool.h>
#include <stdio.h>

#include "controller/judge/finding.h"
#include "controller/report/jsonl.h"
#include "schema/bytes.h"
#include "schema/message.h"

#define VALUES_KEY_MAX 16

struct values_word {
	struct bytes key; /* [a-z0-9]+, at most VALUES_KEY_MAX */
	struct bytes value;
};

/* Whether all of it is key=value words, one blank between, no key twice. */
bool values_are_words(struct bytes text);
/* Cuts the next word off the front. False at the end, or where it is no word. */
bool values_next(struct bytes *text, struct values_word *word);
/* The value of a key, and whether it is there. */
bool values_find(struct bytes text, const char *key, struct bytes *value);

/* "type=file mode=0755 ..." as an object; what is not such words as {"text": ...}; nothing as null. */
void values_write(struct jsonl *json, const char *key, struct bytes value);

/*
 * What differs between two values, for people: "mode 0755 -> 4755, size 12 -> 14"; digests shortened.
 * Both as they are where they are no words. Host bytes are escaped.
 */
void values_print_difference(FILE *out, struct bytes old_value, struct bytes new_value);

/* "modified", "appeared", "vanished": by which of the two values is there. */
const char *values_change_name(const struct finding *finding);

/* "done", "partial", "skipped", "unsupported" */
const char *values_coverage_name(enum coverage_state state);

#endif

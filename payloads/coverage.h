// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_COVERAGE_H
#define MUSTER_PAYLOADS_COVERAGE_H

/*
 * How far each check got: rows of (check, subject, state, reason) with a count, kept until the end
 * of the conversation. Bounded in rows and text; what no longer fits is counted in one row of its
 * own, so that silence never stands for clean. Checks and reasons are words with static storage.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/message.h"

#define COVERAGE_ROWS_MAX 1024
#define COVERAGE_TEXT_MAX 131072

struct coverage_row {
	const char *check;
	const char *reason;
	uint32_t subject_at;
	uint32_t subject_len;
	enum coverage_state state;
	uint64_t count;
};

struct coverage {
	struct coverage_row row[COVERAGE_ROWS_MAX];
	uint8_t text[COVERAGE_TEXT_MAX];
	size_t count;
	size_t text_len;
	uint64_t overflow;
};

/* Adds `count` to the row. */
void coverage_add(struct coverage *coverage, const char *check, struct bytes subject,
		  enum coverage_state state, const char *reason, uint64_t count);

/* As coverage_add, for what is told again by a second look: keeps the greater count. */
void coverage_tell(struct coverage *coverage, const char *check, struct bytes subject,
		   enum coverage_state state, const char *reason, uint64_t count);

/* Row `i` as a message holds it; false after the last (which is the one on overflow, if any). */
bool coverage_item(const struct coverage *coverage, size_t i, struct coverage_item *item);

#endif

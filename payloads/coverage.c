// SPDX-License-Identifier: MIT
#include "payloads/coverage.h"

static struct coverage_row *find(struct coverage *coverage, const struct coverage_row *key,
				 struct bytes subject)
{
	struct coverage_row *row;

	/* The newest first: the same one is mostly told in a run. */
	for (size_t i = coverage->count; i > 0; i--) {
		row = &coverage->row[i - 1];
		if (row->state == key->state && row->subject_len == subject.len &&
		    strcmp(row->check, key->check) == 0 && strcmp(row->reason, key->reason) == 0 &&
		    memcmp(coverage->text + row->subject_at, subject.data, subject.len) == 0) {
			return row;
		}
	}
	if (coverage->count == COVERAGE_ROWS_MAX ||
	    subject.len > COVERAGE_TEXT_MAX - coverage->text_len) {
		return NULL;
	}
	row = &coverage->row[coverage->count++];
	*row = *key;
	row->subject_at = (uint32_t)coverage->text_len;
	row->subject_len = (uint32_t)subject.len;
	memcpy(coverage->text + coverage->text_len, subject.data, subject.len);
	coverage->text_len += subject.len;
	return row;
}

static struct coverage_row *find_row(struct coverage *coverage, const char *check,
				     struct bytes subject, enum coverage_state state,
				     const char *reason)
{
	const struct coverage_row key = {.check = check, .reason = reason, .state = state};

	/* memcmp and memcpy want a pointer even for nothing. */
	return find(coverage, &key, subject.len ? subject : BYTES_LITERAL(""));
}

void coverage_add(struct coverage *coverage, const char *check, struct bytes subject,
		  enum coverage_state state, const char *reason, uint64_t count)
{
	struct coverage_row *row = find_row(coverage, check, subject, state, reason);

	if (row) {
		row->count += count;
	} else {
		coverage->overflow += count;
	}
}

void coverage_tell(struct coverage *coverage, const char *check, struct bytes subject,
		   enum coverage_state state, const char *reason, uint64_t count)
{
	struct coverage_row *row = find_row(coverage, check, subject, state, reason);

	if (!row) {
		coverage->overflow += count;
	} else if (row->count < count) {
		row->count = count;
	}
}

bool coverage_item(const struct coverage *coverage, size_t i, struct coverage_item *item)
{
	const struct coverage_row *row = &coverage->row[i];

	if (i == coverage->count && coverage->overflow > 0) {
		*item = (struct coverage_item){
			.check = BYTES_LITERAL("coverage"),
			.state = COVERAGE_PARTIAL,
			.reason = BYTES_LITERAL("overflow"),
			.count = coverage->overflow,
		};
		return true;
	}
	if (i >= coverage->count) {
		return false;
	}
	*item = (struct coverage_item){
		.check = bytes_from_string(row->check),
		.subject = bytes_make(coverage->text + row->subject_at, row->subject_len),
		.state = row->state,
		.reason = bytes_from_string(row->reason),
		.count = row->count,
	};
	return true;
}

// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_REPORT_JSONL_H
#define MUSTER_CONTROLLER_REPORT_JSONL_H

/*
 * Writes JSON, one object a line (NDJSON), in pure ASCII where a character could be taken for more
 * than text: controls, C1, bidirectional and invisible ones become \uXXXX, so that a line is safe on
 * a terminal and still holds the exact text. Bytes that are no UTF-8 become U+FFFD: where they
 * matter, the caller adds them as base64. Write errors are the stream's own (ferror).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "schema/bytes.h"

#define JSONL_DEPTH_MAX 8

struct jsonl {
	FILE *out;
	unsigned depth;
	bool has_member[JSONL_DEPTH_MAX + 1];
};

void jsonl_init(struct jsonl *json, FILE *out);

/* `key` is NULL at the top and in arrays. The last jsonl_close of a line ends it. */
void jsonl_object(struct jsonl *json, const char *key);
void jsonl_array(struct jsonl *json, const char *key);
void jsonl_close(struct jsonl *json, char bracket /* } or ] */);

void jsonl_string(struct jsonl *json, const char *key, const char *text);
void jsonl_bytes(struct jsonl *json, const char *key, struct bytes bytes);
void jsonl_base64(struct jsonl *json, const char *key, struct bytes bytes);
void jsonl_number(struct jsonl *json, const char *key, int64_t number);
void jsonl_unsigned(struct jsonl *json, const char *key, uint64_t number);
void jsonl_null(struct jsonl *json, const char *key);
/* 2026-11-21T02:00:00Z; null for 0. */
void jsonl_time(struct jsonl *json, const char *key, int64_t seconds);

/* Whether jsonl_bytes keeps them exactly: valid UTF-8. */
bool jsonl_is_exact(struct bytes bytes);

#endif

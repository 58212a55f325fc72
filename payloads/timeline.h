// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_TIMELINE_H
#define MUSTER_PAYLOADS_TIMELINE_H

/*
 * What changed since a moment, newest kept where memory ends: a heap by ctime whose oldest goes
 * first, paths in one arena that is packed when it is full. Handed out ascending by ctime.
 */

#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/message.h"

#define TIMELINE_ITEMS_MAX 20000U
#define TIMELINE_TEXT_SIZE (2U << 20)

struct timeline_entry {
	int64_t ctime_ns;
	int64_t mtime_ns;
	int64_t btime_ns;
	uint64_t size;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	uint32_t at;
	uint16_t len;
	uint8_t kind;
};

struct timeline {
	struct timeline_entry *heap; /* the oldest at 0 */
	uint8_t *text;
	size_t count;
	size_t text_len;
	uint64_t dropped;
};

int timeline_init(struct timeline *timeline); /* 0 or -ENOMEM */
void timeline_clear(struct timeline *timeline);
void timeline_reset(struct timeline *timeline);

void timeline_add(struct timeline *timeline, const struct timeline_item *item);
/* Puts them into order; only timeline_get may follow. */
void timeline_finish(struct timeline *timeline);
void timeline_get(const struct timeline *timeline, size_t i, struct timeline_item *item);

#endif

// SPDX-License-Identifier: MIT
#include "payloads/timeline.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

int timeline_init(struct timeline *timeline)
{
	*timeline = (struct timeline){.count = 0};
	timeline->heap = mmap(NULL, TIMELINE_ITEMS_MAX * sizeof(*timeline->heap),
			      PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	timeline->text = mmap(NULL, TIMELINE_TEXT_SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (timeline->heap == MAP_FAILED || timeline->text == MAP_FAILED) {
		timeline_clear(timeline);
		return -ENOMEM;
	}
	return 0;
}

void timeline_clear(struct timeline *timeline)
{
	if (timeline->heap && timeline->heap != MAP_FAILED) {
		munmap(timeline->heap, TIMELINE_ITEMS_MAX * sizeof(*timeline->heap));
	}
	if (timeline->text && timeline->text != MAP_FAILED) {
		munmap(timeline->text, TIMELINE_TEXT_SIZE);
	}
	*timeline = (struct timeline){.count = 0};
}

void timeline_reset(struct timeline *timeline)
{
	timeline->count = 0;
	timeline->text_len = 0;
	timeline->dropped = 0;
}

static void swap(struct timeline_entry *a, struct timeline_entry *b)
{
	struct timeline_entry other = *a;

	*a = *b;
	*b = other;
}

static void sift_down(struct timeline *timeline, size_t at)
{
	struct timeline_entry *heap = timeline->heap;

	for (;;) {
		size_t least = at;

		for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++) {
			if (child < timeline->count &&
			    heap[child].ctime_ns < heap[least].ctime_ns) {
				least = child;
			}
		}
		if (least == at) {
			return;
		}
		swap(&heap[at], &heap[least]);
		at = least;
	}
}

static void drop_oldest(struct timeline *timeline)
{
	timeline->heap[0] = timeline->heap[--timeline->count];
	timeline->dropped++;
	sift_down(timeline, 0);
}

static int by_text(const void *a, const void *b)
{
	const struct timeline_entry *x = a;
	const struct timeline_entry *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

/* Moves the paths that are still named together, then makes a heap again. */
static void pack(struct timeline *timeline)
{
	size_t to = 0;

	qsort(timeline->heap, timeline->count, sizeof(*timeline->heap), by_text);
	for (size_t i = 0; i < timeline->count; i++) {
		struct timeline_entry *entry = &timeline->heap[i];

		memmove(timeline->text + to, timeline->text + entry->at, entry->len);
		entry->at = (uint32_t)to;
		to += entry->len;
	}
	timeline->text_len = to;
	for (size_t i = timeline->count / 2; i > 0; i--) {
		sift_down(timeline, i - 1);
	}
}

void timeline_add(struct timeline *timeline, const struct timeline_item *item)
{
	struct timeline_entry *heap = timeline->heap;
	size_t at;

	if (item->path.len > UINT16_MAX) {
		timeline->dropped++;
		return;
	}
	if (timeline->count == TIMELINE_ITEMS_MAX) {
		if (item->ctime_ns <= heap[0].ctime_ns) {
			timeline->dropped++;
			return;
		}
		drop_oldest(timeline);
	}
	if (item->path.len > TIMELINE_TEXT_SIZE - timeline->text_len) {
		/* Packing is dear: make room for a good many. */
		pack(timeline);
		while (timeline->count > 0 && timeline->text_len > TIMELINE_TEXT_SIZE / 4 * 3) {
			for (size_t n = timeline->count / 4 + 1; n > 0 && timeline->count > 0;
			     n--) {
				drop_oldest(timeline);
			}
			pack(timeline);
		}
	}
	at = timeline->count++;
	heap[at] = (struct timeline_entry){
		.ctime_ns = item->ctime_ns,
		.mtime_ns = item->mtime_ns,
		.btime_ns = item->btime_ns,
		.size = item->size,
		.mode = item->mode,
		.uid = item->uid,
		.gid = item->gid,
		.at = (uint32_t)timeline->text_len,
		.len = (uint16_t)item->path.len,
		.kind = (uint8_t)item->kind,
	};
	if (item->path.len > 0) {
		memcpy(timeline->text + timeline->text_len, item->path.data, item->path.len);
		timeline->text_len += item->path.len;
	}
	while (at > 0 && heap[at].ctime_ns < heap[(at - 1) / 2].ctime_ns) {
		swap(&heap[at], &heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
}

static int by_time(const void *a, const void *b, void *context)
{
	const struct timeline_entry *x = a;
	const struct timeline_entry *y = b;
	const uint8_t *text = context;

	if (x->ctime_ns != y->ctime_ns) {
		return x->ctime_ns < y->ctime_ns ? -1 : 1;
	}
	return bytes_path_compare(bytes_make(text + x->at, x->len),
				  bytes_make(text + y->at, y->len));
}

void timeline_finish(struct timeline *timeline)
{
	qsort_r(timeline->heap, timeline->count, sizeof(*timeline->heap), by_time, timeline->text);
}

void timeline_get(const struct timeline *timeline, size_t i, struct timeline_item *item)
{
	const struct timeline_entry *entry = &timeline->heap[i];

	*item = (struct timeline_item){
		.kind = (enum timeline_kind)entry->kind,
		.path = bytes_make(timeline->text + entry->at, entry->len),
		.mode = entry->mode,
		.uid = entry->uid,
		.gid = entry->gid,
		.size = entry->size,
		.ctime_ns = entry->ctime_ns,
		.mtime_ns = entry->mtime_ns,
		.btime_ns = entry->btime_ns,
	};
}

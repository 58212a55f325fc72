// SPDX-License-Identifier: MIT
#include "controller/judge/pile.h"

#include "controller/judge/path_class.h"
#include "schema/escape.h"

#define FOLDERS_MAX 16384U /* what a host has beyond is laid together by its parents */
#define PILES_MAX 4096U
#define NAMES_ROOM 3000U
#define NAME_ROOM 400U

/* How many are told one by one. */
const size_t heap_limits[HEAPS] = {
	[HEAP_CHANGED] = 16,        [HEAP_CHANGED_PROGRAM] = 16, [HEAP_PRESENT] = 3,
	[HEAP_PRESENT_PROGRAM] = 8, [HEAP_BYTECODE] = 8,
};

static struct piles *piles_of(struct judge *j)
{
	if (!j->piles) {
		j->piles = judge_alloc(j, 1, sizeof(*j->piles));
	}
	return j->piles;
}

/* Up to and with the first component that a language keeps its packages in; 0: none. */
static size_t language_root(struct bytes path)
{
	static const char *const names[] = {"node_modules", "site-packages", "dist-packages"};
	size_t at = 1;

	while (at < path.len) {
		const uint8_t *slash = memchr(path.data + at, '/', path.len - at);
		size_t end = slash ? (size_t)(slash - path.data) : path.len;
		struct bytes name = bytes_make(path.data + at, end - at);

		if (!slash) {
			break;
		}
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			if (bytes_equal_string(name, names[i])) {
				return end;
			}
		}
		/* gems/3.1.0: a version of Ruby's below. */
		if (bytes_equal_string(name, "gems") && end + 1 < path.len &&
		    path.data[end + 1] >= '0' && path.data[end + 1] <= '9') {
			slash = memchr(path.data + end + 1, '/', path.len - end - 1);
			return slash ? (size_t)(slash - path.data) : 0;
		}
		at = end + 1;
	}
	return 0;
}

/* Where it is in the list, or where it would be. */
static bool find_folder(const struct piles *piles, struct bytes path, size_t *at)
{
	size_t low = 0, high = piles->folder_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = bytes_path_compare(piles->folder[middle], path);

		if (order == 0) {
			*at = middle;
			return true;
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	*at = low;
	return false;
}

/* The topmost unowned folder at or above the path; 0: none. */
static size_t folder_root(const struct piles *piles, struct bytes path)
{
	size_t at = 1, place;

	while (at < path.len) {
		const uint8_t *slash = memchr(path.data + at, '/', path.len - at);
		size_t end = slash ? (size_t)(slash - path.data) : path.len;

		if (find_folder(piles, bytes_make(path.data, end), &place)) {
			return end;
		}
		at = end + 1;
	}
	return 0;
}

struct bytes pile_root(struct judge *j, struct bytes path, bool *deep)
{
	struct piles *piles = piles_of(j);
	size_t language = language_root(path), folder = piles ? folder_root(piles, path) : 0;

	*deep = language > 0 || folder > 0;
	if (!*deep) {
		return path_parent(path);
	}
	return bytes_make(path.data,
			  language == 0 || (folder > 0 && folder < language) ? folder : language);
}

void pile_folder(struct judge *j, struct bytes path)
{
	struct piles *piles = piles_of(j);
	size_t at;

	if (!piles || piles->folder_count >= FOLDERS_MAX || path.len <= 1 ||
	    (piles->last < piles->folder_count &&
	     path_is_below(path, piles->folder[piles->last])) ||
	    language_root(path) > 0 || folder_root(piles, path) > 0 ||
	    known_path(j, "folder", path)) {
		return;
	}
	if (piles->folder_count == piles->folder_room) {
		size_t room = piles->folder_room ? piles->folder_room * 2 : 256;
		struct bytes *more = judge_alloc(j, room, sizeof(*more));

		if (!more) {
			return;
		}
		if (piles->folder_count > 0) {
			memcpy(more, piles->folder, piles->folder_count * sizeof(*more));
		}
		piles->folder = more;
		piles->folder_room = room;
	}
	(void)find_folder(piles, path, &at);
	memmove(&piles->folder[at + 1], &piles->folder[at],
		(piles->folder_count - at) * sizeof(*piles->folder));
	piles->folder[at] = judge_keep(j, path);
	piles->folder_count++;
	piles->last = at;
}

static int compare_piles(const struct pile *pile, struct bytes root, bool deep)
{
	int order = bytes_path_compare(pile->root, root);

	return order != 0 ? order : (int)pile->deep - (int)deep;
}

static size_t place_of(const struct piles *piles, struct bytes root, bool deep, bool *found)
{
	size_t low = 0, high = piles->count;

	*found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_piles(piles->item[middle], root, deep);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

struct pile *pile_find(const struct piles *piles, struct bytes root, bool deep)
{
	bool found;
	size_t at = place_of(piles, root, deep, &found);

	return found ? piles->item[at] : NULL;
}

static struct pile *pile_of(struct judge *j, struct bytes path)
{
	struct piles *piles = piles_of(j);
	bool deep, found;
	struct bytes root = pile_root(j, path, &deep);
	struct pile *pile;
	size_t at;

	if (!piles) {
		return NULL;
	}
	at = place_of(piles, root, deep, &found);
	if (found || piles->count >= PILES_MAX) {
		return found ? piles->item[at] : NULL;
	}
	if (piles->count == piles->room) {
		size_t room = piles->room ? piles->room * 2 : 64;
		struct pile **more = judge_alloc(j, room, sizeof(struct pile *));

		if (!more) {
			return NULL;
		}
		if (piles->count > 0) {
			memcpy(more, piles->item, piles->count * sizeof(struct pile *));
		}
		piles->item = more;
		piles->room = room;
	}
	pile = judge_alloc(j, 1, sizeof(*pile));
	if (!pile) {
		return NULL;
	}
	pile->root = judge_keep(j, root);
	pile->deep = deep;
	memmove(&piles->item[at + 1], &piles->item[at],
		(piles->count - at) * sizeof(struct pile *));
	piles->item[at] = pile;
	piles->count++;
	return pile;
}

/* Below the root, escaped; as many as there is room for. */
static void put_name(const struct pile *pile, struct heap *heap, struct bytes path)
{
	size_t skip = pile->root.len > 1 ? pile->root.len + 1 : 1;
	char name[NAME_ROOM];
	size_t len;

	if (path.len > skip) {
		path = bytes_make(path.data + skip, path.len - skip);
	}
	len = strlen(escape_text(path, name, sizeof(name)));
	if (heap->names_full || heap->names_len + len + 3 > NAMES_ROOM) {
		heap->names_full = true;
		return;
	}
	if (heap->names_len > 0) {
		memcpy(heap->names + heap->names_len, ", ", 2);
		heap->names_len += 2;
	}
	memcpy(heap->names + heap->names_len, name, len);
	heap->names_len += len;
	heap->named++;
}

/* Names are wanted from where the heap is too high to be told one by one: then the kept ones too. */
static void put_names(struct judge *j, const struct pile *pile, struct heap *heap, size_t limit,
		      struct bytes path)
{
	if (heap->count <= limit) {
		return;
	}
	if (!heap->names) {
		heap->names = judge_alloc(j, NAMES_ROOM, 1);
		for (size_t i = 0; heap->names && heap->kept && i < limit; i++) {
			put_name(pile, heap, heap->kept[i].path);
		}
	}
	if (heap->names) {
		put_name(pile, heap, path);
	}
}

static struct change keep_change(struct judge *j, const struct change *from)
{
	struct change copy = *from;

	copy.path = judge_keep(j, from->path);
	if (from->was) {
		copy.was = judge_keep_want(j, from->was);
	}
	if (from->was_entry) {
		struct entry *was = judge_alloc(j, 1, sizeof(*was));

		if (was) {
			*was = judge_keep_entry(j, from->was_entry);
		}
		copy.was_entry = was;
	}
	if (from->now) {
		struct entry *now = judge_alloc(j, 1, sizeof(*now));

		if (now) {
			*now = judge_keep_entry(j, from->now);
		}
		copy.now = now;
	}
	return copy;
}

static int put(struct judge *j, const struct change *change, enum pile_heap which,
	       struct error *err)
{
	struct pile *pile = pile_of(j, change->path);
	struct heap *heap = pile ? &pile->heap[which] : NULL;
	enum severity severity = judge_severity(j, change);

	if (!heap) {
		/* So many piles that one more line does not matter. */
		return j->lost_memory ? 0 : judge_emit(j, change, err);
	}
	heap->count++;
	heap->appeared += change->rule == RULE_UNOWNED_APPEARED;
	heap->vanished += change->rule == RULE_UNOWNED_VANISHED;
	heap->worst = severity > heap->worst ? severity : heap->worst;
	if (!heap->kept) {
		heap->kept = judge_alloc(j, heap_limits[which], sizeof(*heap->kept));
	}
	if (heap->kept && heap->count <= heap_limits[which]) {
		heap->kept[heap->count - 1] = keep_change(j, change);
	}
	put_names(j, pile, heap, heap_limits[which], change->path);
	pile->is_shown = pile->is_shown || heap->count > heap_limits[which];
	return 0;
}

int pile_present(struct judge *j, const struct entry *now, enum rule rule, struct error *err)
{
	bool deep;
	enum pile_part part = pile_part(pile_root(j, now->path, &deep), now);
	struct change change = {
		.rule = rule,
		.witness = WITNESS_FIRST_SIGHT,
		.path = now->path,
		.now = now,
	};

	if (rule != RULE_UNOWNED_PRESENT) {
		change.witness = WITNESS_RULE;
	}
	if (part == PART_TELLING) {
		if (rule == RULE_UNOWNED_PRESENT && !(path_class(now->path) & PATH_TELLING)) {
			/* Hidden, and runs. */
			change.rule = RULE_UNOWNED_EXECUTABLE;
			change.witness = WITNESS_RULE;
			change.has_severity = true;
			change.severity = SEVERITY_MEDIUM;
		}
		return judge_emit(j, &change, err);
	}
	if (part == PART_PROGRAM && rule == RULE_UNOWNED_PRESENT) {
		change.rule = RULE_UNOWNED_EXECUTABLE;
		change.witness = WITNESS_RULE;
	}
	return put(j, &change, part == PART_PROGRAM ? HEAP_PRESENT_PROGRAM : HEAP_PRESENT, err);
}

int pile_change(struct judge *j, const struct change *change, struct error *err)
{
	const struct entry *entry = change->now   ? change->now
				    : change->was ? &change->was->entry
						  : change->was_entry;
	bool deep;
	enum pile_part part = PART_TELLING;

	if (entry &&
	    (change->rule == RULE_UNOWNED_APPEARED || change->rule == RULE_UNOWNED_CHANGED ||
	     change->rule == RULE_UNOWNED_VANISHED)) {
		part = pile_part(pile_root(j, change->path, &deep), entry);
	}
	if (part == PART_TELLING) {
		return judge_emit(j, change, err);
	}
	return put(j, change, part == PART_PROGRAM ? HEAP_CHANGED_PROGRAM : HEAP_CHANGED, err);
}

int pile_bytecode(struct judge *j, const struct change *change, struct error *err)
{
	return put(j, change, HEAP_BYTECODE, err);
}

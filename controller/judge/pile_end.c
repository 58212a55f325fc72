// SPDX-License-Identifier: MIT
#include "controller/judge/pile.h"

#include <inttypes.h>
#include <stdio.h>

#include <openssl/evp.h>

#include "controller/judge/path_class.h"

#define LABEL_ROOM 64U
#define DETAIL_ROOM 4096U

/* What a pile is made of, by the names that its folders and files have. */
static const struct kind {
	const char *name;
	const char *folder; /* a directory of this name */
	const char *ending; /* or a file that ends so */
} kinds[] = {
	{"npm", "node_modules", NULL},  {"pip", "site-packages", NULL},
	{"pip", "dist-packages", NULL}, {"gem", NULL, ".gemspec"},
	{"java", "jmods", ".jar"},      {"go", "@v", NULL},
	{"rust", "rustlib", ".crate"},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static uint32_t kinds_of(const struct entry *entry)
{
	struct bytes name = path_basename(entry->path);
	uint32_t found = 0;

	for (size_t i = 0; i < KINDS; i++) {
		size_t len = kinds[i].ending ? strlen(kinds[i].ending) : 0;

		if (entry->type == ENTRY_DIR
			    ? kinds[i].folder && bytes_equal_string(name, kinds[i].folder)
			    : len > 0 && name.len >= len &&
				      memcmp(name.data + name.len - len, kinds[i].ending, len) ==
					      0) {
			found |= 1U << i;
		}
	}
	return found;
}

/* What its own name says: a package may own the folder itself. */
static uint32_t kinds_of_root(struct bytes root)
{
	const struct entry folder = {.path = root, .type = ENTRY_DIR};
	uint32_t found = kinds_of(&folder);

	return memmem(root.data, root.len, "/gems/", strlen("/gems/")) ? found | 1U << 3 : found;
}

static void label(const struct pile *pile, char to[LABEL_ROOM])
{
	size_t len = 0;

	to[0] = '\0';
	for (size_t i = 0; pile->deep && i < KINDS; i++) {
		if ((pile->kinds & 1U << i) && !strstr(to, kinds[i].name)) {
			len += (size_t)snprintf(to + len, LABEL_ROOM - len, "%s%s",
						len > 0 ? "+" : "", kinds[i].name);
		}
	}
	if (len == 0) {
		(void)snprintf(to, LABEL_ROOM, "%s", pile->deep ? "folder" : "files");
	}
}

/*
 * Not the times, nor the heads that hold them: what was installed alike on two hosts has one digest.
 */
static int hash_entry(struct pile_content *content, const struct entry *entry, struct error *err)
{
	static const struct bytes none = {NULL, 0};
	uint8_t room[ENTRY_SIZE_MAX];
	struct entry plain = *entry;
	struct cbor_writer w;

	plain.has_mtime = false;
	plain.head = none;
	cbor_writer_init(&w, room, sizeof(room));
	entry_encode(&w, &plain);
	if (!content->hash) {
		content->hash = EVP_MD_CTX_new();
		if (!content->hash || EVP_DigestInit_ex(content->hash, EVP_sha256(), NULL) != 1) {
			return error_set(err, ERROR_NOMEM, 0, "no memory for a digest");
		}
	}
	if (w.overflow || EVP_DigestUpdate(content->hash, room, w.len) != 1) {
		return error_set(err, ERROR_NOMEM, 0, "cannot compute a digest");
	}
	content->files += entry->type != ENTRY_DIR;
	content->bytes += entry->size;
	return 0;
}

/* Piles of neighbours are neighbours: the last answer mostly holds. */
struct last_pile {
	struct bytes root;
	bool deep;
	struct pile *pile;
};

static struct pile *shown_pile(struct judge *j, struct last_pile *last, struct bytes path)
{
	if (last->pile && last->deep && path_is_below(path, last->root)) {
		return last->pile;
	}
	last->root = pile_root(j, path, &last->deep);
	last->pile = pile_find(j->piles, last->root, last->deep);
	if (last->pile) {
		last->root = last->pile->root; /* the path may go */
	}
	return last->pile && last->pile->is_shown ? last->pile : NULL;
}

static int describe_section(struct judge *j, const struct entry_list *list, struct error *err)
{
	struct last_pile last = {0};

	for (size_t i = 0; i < list->count; i++) {
		const struct entry *entry = &list->item[i];
		struct pile *pile = shown_pile(j, &last, entry->path);
		enum pile_part part;

		if (!pile || !pile->is_shown || (!pile->deep && entry->type == ENTRY_DIR)) {
			continue;
		}
		pile->kinds |= kinds_of(entry);
		part = pile_part(pile->root, entry);
		/* What each host has its own of would make each host's digest another. */
		if (part != PART_TELLING && !known_generated(j, entry) &&
		    !known_path(j, "unowned", entry->path) &&
		    hash_entry(&pile->content[part], entry, err) < 0) {
			return -1;
		}
	}
	return 0;
}

/* Once more through all trees, only where something is to be told that needs it. */
static int describe(struct judge *j, struct error *err)
{
	const struct observation *now = j->in->now;
	const struct section_range range =
		observation_range(now, SECTION_TREE, (struct bytes){NULL, 0});
	struct entry_list list = {0};
	int result = 0;

	for (size_t i = range.from; result == 0 && i < range.to; i++) {
		struct section_key key;

		if (!section_key_decode(now->sections[i].key, &key)) {
			continue;
		}
		result = judge_load_section(j, &now->sections[i], &j->buffer[0], err);
		if (result == 0 && entries_decode(buffer_bytes(&j->buffer[0]), &list) == DECODED &&
		    entries_fit(&list, &key)) {
			result = describe_section(j, &list, err);
		}
	}
	entries_clear(&list);
	return result;
}

static void finish(struct pile *pile)
{
	for (unsigned i = 0; i < PART_TELLING; i++) {
		struct pile_content *content = &pile->content[i];

		if (content->hash) {
			if (EVP_DigestFinal_ex(content->hash, content->digest.bytes, NULL) != 1) {
				content->files = 0;
			}
			EVP_MD_CTX_free(content->hash);
			content->hash = NULL;
		}
	}
}

static size_t write_value(const struct pile *pile, enum pile_part part, char *to, size_t room)
{
	static const char *const words[] = {PILE_TREE, PILE_PROGRAMS, PILE_BYTECODE};
	const struct pile_content *content = &pile->content[part];
	char name[LABEL_ROOM];
	size_t len;

	label(pile, name);
	len = (size_t)snprintf(to, room, "%s %s files=%zu bytes=%" PRIu64 " sha256=", words[part],
			       name, content->files, content->bytes);
	for (size_t i = 0; i < DIGEST_SIZE && len + 3 < room; i++) {
		len += (size_t)snprintf(to + len, room - len, "%02x", content->digest.bytes[i]);
	}
	return len;
}

static enum rule rule_of(const struct heap *heap, enum pile_heap which)
{
	switch (which) {
	case HEAP_CHANGED:
	case HEAP_CHANGED_PROGRAM:
		return heap->appeared == heap->count   ? RULE_UNOWNED_APPEARED
		       : heap->vanished == heap->count ? RULE_UNOWNED_VANISHED
						       : RULE_UNOWNED_CHANGED;
	case HEAP_PRESENT_PROGRAM:
		return RULE_UNOWNED_EXECUTABLE;
	case HEAP_BYTECODE:
		return RULE_UNOWNED_BYTECODE;
	default:
		return RULE_UNOWNED_PRESENT;
	}
}

static void write_detail(const struct heap *heap, enum pile_heap which, char *to, size_t room)
{
	size_t more = heap->count - heap->named;
	char rest[64] = "";
	size_t changed = heap->count - heap->appeared - heap->vanished;

	if (more > 0) {
		(void)snprintf(rest, sizeof(rest), " and %zu more", more);
	}
	if (which == HEAP_CHANGED || which == HEAP_CHANGED_PROGRAM) {
		(void)snprintf(to, room, "%zu appeared, %zu changed, %zu vanished: %s%s.",
			       heap->appeared, changed, heap->vanished, heap->names, rest);
	} else if (which == HEAP_BYTECODE) {
		(void)snprintf(to, room, "%zu do not fit their source: %s%s.", heap->count,
			       heap->names, rest);
	} else {
		(void)snprintf(to, room, "%zu that nothing explains: %s%s.", heap->count,
			       heap->names, rest);
	}
}

static int tell_heap(struct judge *j, const struct pile *pile, enum pile_heap which,
		     struct error *err)
{
	const struct heap *heap = &pile->heap[which];
	enum pile_part part = which == HEAP_BYTECODE ? PART_BYTECODE
			      : which == HEAP_CHANGED_PROGRAM || which == HEAP_PRESENT_PROGRAM
				      ? PART_PROGRAM
				      : PART_REST;
	char detail[DETAIL_ROOM];
	struct change change = {
		.rule = rule_of(heap, which),
		.witness = which == HEAP_BYTECODE || which == HEAP_PRESENT_PROGRAM ? WITNESS_RULE
			   : j->captured ? WITNESS_BASELINE
					 : WITNESS_FIRST_SIGHT,
		.has_severity = true,
		.severity = heap->worst,
		.path = pile->root,
		.detail = detail,
	};

	if (heap->count <= heap_limits[which]) {
		for (size_t i = 0; heap->kept && i < heap->count; i++) {
			if (judge_emit(j, &heap->kept[i], err) < 0) {
				return -1;
			}
		}
		return 0;
	}
	write_detail(heap, which, detail, sizeof(detail));
	change.new_line = bytes_make(j->words[1], write_value(pile, part, j->words[1], WORDS_ROOM));
	return judge_emit(j, &change, err);
}

int pile_end(struct judge *j, struct error *err)
{
	struct piles *piles = j->piles;
	bool is_needed = false;
	int result = 0;

	for (size_t i = 0; piles && i < piles->count; i++) {
		is_needed = is_needed || piles->item[i]->is_shown;
		piles->item[i]->kinds = kinds_of_root(piles->item[i]->root);
	}
	if (is_needed && !j->lost_memory) {
		result = describe(j, err);
	}
	for (size_t i = 0; piles && i < piles->count; i++) {
		finish(piles->item[i]);
		for (unsigned h = 0; result == 0 && !j->lost_memory && h < HEAPS; h++) {
			result = tell_heap(j, piles->item[i], (enum pile_heap)h, err);
		}
	}
	return result;
}

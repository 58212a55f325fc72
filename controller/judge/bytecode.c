// SPDX-License-Identifier: MIT
#include "controller/judge/bytecode.h"

#include "controller/judge/path_class.h"

#define CACHE "__pycache__"
#define MAGIC_SIZE 4U
#define FLAG_HASHED 1U
#define FLAG_CHECKED 2U

/*
 * Magic numbers by release: Lib/importlib/_bootstrap_external.py and Include/internal/
 * pycore_magic_number.h of CPython. From 3.11 on, 50 numbers a release.
 */
static const struct release {
	uint16_t first;
	uint16_t last;
	uint16_t version; /* as in the file's name: 36, 311; 0: older than such names */
	uint8_t size;     /* of the head */
} releases[] = {
	{3000, 3159, 0, 8},    {3160, 3189, 32, 8},   {3190, 3249, 33, 12},  {3250, 3319, 34, 12},
	{3320, 3359, 35, 12},  {3360, 3389, 36, 12},  {3390, 3399, 37, 16},  {3400, 3419, 38, 16},
	{3420, 3429, 39, 16},  {3430, 3449, 310, 16}, {3450, 3499, 311, 16}, {3500, 3549, 312, 16},
	{3550, 3599, 313, 16}, {3600, 3649, 314, 16}, {3650, 3699, 315, 16}, {62011, 62219, 0, 8},
};

static uint32_t little(const uint8_t *data, unsigned count)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < count; i++) {
		value |= (uint32_t)data[i] << (8 * i);
	}
	return value;
}

static bool ends_with(struct bytes text, const char *end)
{
	size_t len = strlen(end);

	return text.len >= len && memcmp(text.data + text.len - len, end, len) == 0;
}

bool bytecode_is(const struct entry *entry)
{
	return entry->type == ENTRY_FILE && ends_with(entry->path, ".pyc") &&
	       path_basename(entry->path).len > strlen(".pyc");
}

static bool is_cached(struct bytes path)
{
	return bytes_equal_string(path_basename(path_parent(path)), CACHE);
}

/* Cuts at the last dot; what stood behind it, or nothing. */
static struct bytes cut_ending(struct bytes *name)
{
	for (size_t i = name->len; i > 1; i--) {
		if (name->data[i - 1] == '.') {
			struct bytes ending = bytes_make(name->data + i, name->len - i);

			name->len = i - 1;
			return ending;
		}
	}
	return (struct bytes){NULL, 0};
}

/* STEM.TAG.pyc or STEM.TAG.opt-N.pyc: the stem, and the tag. */
static struct bytes stem_of(struct bytes path, struct bytes *tag)
{
	struct bytes stem = path_basename(path);

	(void)cut_ending(&stem);
	*tag = cut_ending(&stem);
	if (bytes_has_prefix(*tag, BYTES_LITERAL("opt-"))) {
		*tag = cut_ending(&stem);
	}
	return stem;
}

struct bytes bytecode_source(struct bytes path, uint8_t *to)
{
	struct bytes directory = path_parent(path), stem, tag;
	size_t len;

	if (path.len > ENTRY_PATH_MAX) {
		return (struct bytes){NULL, 0};
	}
	if (!is_cached(path)) {
		memcpy(to, path.data, path.len - 1);
		return bytes_make(to, path.len - 1);
	}
	stem = stem_of(path, &tag);
	len = directory.len - strlen(CACHE); /* the slash stays */
	memcpy(to, path.data, len);
	memcpy(to + len, stem.data, stem.len);
	len += stem.len;
	memcpy(to + len, ".py", 3);
	return bytes_make(to, len + 3);
}

static const struct release *release_of(const uint8_t *head)
{
	uint32_t magic = little(head, 2);

	for (size_t i = 0; i < sizeof(releases) / sizeof(releases[0]); i++) {
		if (magic >= releases[i].first && magic <= releases[i].last && head[2] == '\r' &&
		    head[3] == '\n') {
			return &releases[i];
		}
	}
	return NULL;
}

/* cpython-311: 311. 0 for the tag of another interpreter. */
static unsigned version_of(struct bytes tag)
{
	const struct bytes cpython = BYTES_LITERAL("cpython-");
	unsigned version = 0;

	if (!bytes_has_prefix(tag, cpython) || tag.len > cpython.len + 4) {
		return 0;
	}
	for (size_t i = cpython.len; i < tag.len; i++) {
		if (tag.data[i] < '0' || tag.data[i] > '9') {
			return 0;
		}
		version = 10 * version + (unsigned)(tag.data[i] - '0');
	}
	return version;
}

static enum bytecode compare(const struct release *release, struct bytes head,
			     const struct entry *source)
{
	const uint8_t *at = head.data + MAGIC_SIZE;

	if (release->size == 16) {
		uint32_t flags = little(at, 4);

		at += 4;
		if (flags & FLAG_HASHED) {
			return flags & FLAG_CHECKED ? BYTECODE_HASHED : BYTECODE_UNCHECKED;
		}
		if (flags != 0) {
			return BYTECODE_MAGIC;
		}
	}
	if (little(at, 4) != (uint32_t)source->mtime_s ||
	    (release->size > 8 && little(at + 4, 4) != (uint32_t)source->size)) {
		return BYTECODE_STALE;
	}
	return BYTECODE_FITS;
}

enum bytecode bytecode_judge(const struct entry *entry, const struct entry *source)
{
	struct bytes head = entry->head, tag = {NULL, 0};
	const struct release *release;
	unsigned named = 0;

	if (is_cached(entry->path)) {
		(void)stem_of(entry->path, &tag);
		named = version_of(tag);
	}
	if (head.len < MAGIC_SIZE) {
		return BYTECODE_SHORT;
	}
	if (tag.len > 0 && named == 0 && !bytes_has_prefix(tag, BYTES_LITERAL("cpython"))) {
		return BYTECODE_UNKNOWN;
	}
	release = release_of(head.data);
	if (!release || (is_cached(entry->path) && named != release->version)) {
		return BYTECODE_MAGIC;
	}
	if (head.len < release->size) {
		return BYTECODE_SHORT;
	}
	/* Said before all else: such a file runs whatever its source is. */
	if (release->size == 16 &&
	    (little(head.data + MAGIC_SIZE, 4) & (FLAG_HASHED | FLAG_CHECKED)) == FLAG_HASHED) {
		return BYTECODE_UNCHECKED;
	}
	if (!source || source->type != ENTRY_FILE || !source->has_mtime) {
		return BYTECODE_NO_SOURCE;
	}
	return compare(release, head, source);
}

const char *bytecode_text(enum bytecode state)
{
	static const char *const texts[] = {
		[BYTECODE_FITS] = "Its head fits its source.",
		[BYTECODE_HASHED] =
			"Its head has a hash of the source, which muster cannot compare.",
		[BYTECODE_UNKNOWN] = "Made by an interpreter whose heads muster does not know.",
		[BYTECODE_NO_SOURCE] = "Compiled Python without the source it could be made from.",
		[BYTECODE_STALE] = "Its head names another time or size of the source than it has.",
		[BYTECODE_MAGIC] = "Its head is not one of the interpreter that its name says.",
		[BYTECODE_UNCHECKED] = "Its head orders Python to run it whatever the source is.",
		[BYTECODE_SHORT] = "Too short for compiled Python.",
	};

	return texts[state];
}

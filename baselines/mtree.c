// SPDX-License-Identifier: MIT
#include "baselines/mtree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "baselines/arena.h"
#include "baselines/words.h"
#include "schema/escape.h"

struct parsed {
	struct manifest_entry entry;
	uint32_t line;
};

struct parser {
	const char *source;
	struct manifest *manifest;
	uint8_t *text; /* changed in place: entries point into it */
	size_t len;
	size_t at;
	size_t line;     /* that the current entry begins on, from 1 */
	size_t end_line; /* lines taken so far */
	struct parsed *entries;
	size_t count;
	size_t room;
	struct words defaults; /* of /set */
	uint8_t directory[ENTRY_PATH_MAX];
	size_t directory_len;
};

static int fail(const struct parser *p, struct error *err, const char *what)
{
	return error_set(err, ERROR_CONFIG, 0, "%s:%zu: %s", p->source, p->line, what);
}

static int place(const struct parser *p, struct error *err)
{
	return error_prefix(err, "%s:%zu", p->source, p->line);
}

static int no_memory(const struct parser *p, struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "%s: no memory", p->source);
}

/*
 * The next line, continued ones joined: the backslash and newline between become blanks. 1, 0 at the
 * end, -1.
 */
static int next_line(struct parser *p, uint8_t **line, size_t *len, struct error *err)
{
	size_t start = p->at, end = start;
	bool more = true;

	if (start == p->len) {
		return 0;
	}
	p->line = p->end_line + 1;
	while (more) {
		uint8_t *newline = memchr(p->text + end, '\n', p->len - end);

		p->end_line++;
		more = false;
		end = newline ? (size_t)(newline - p->text) : p->len;
		if (newline && end > start && newline[-1] == '\\' && p->text[start] != '#') {
			newline[-1] = ' ';
			newline[0] = ' ';
			more = true;
		}
		if (end - start > MTREE_LINE_MAX) {
			return fail(p, err, "the line is too long");
		}
	}
	for (size_t i = start; i < end; i++) {
		if ((p->text[i] < 0x20 && p->text[i] != '\t') || p->text[i] == 0x7f) {
			return fail(p, err, "a control byte (it would be written as \\ooo)");
		}
	}
	*line = p->text + start;
	*len = end - start;
	p->at = end < p->len ? end + 1 : end;
	return 1;
}

static int take_words(struct parser *p, struct words *words, uint8_t *rest, size_t left,
		      struct error *err)
{
	uint8_t *word;
	size_t len;

	while (words_next(&rest, &left, &word, &len)) {
		if (words_take(words, word, len, err) < 0) {
			return place(p, err);
		}
	}
	return 0;
}

/* /set and /unset hold for the lines that follow. */
static int take_special(struct parser *p, struct bytes name, uint8_t *rest, size_t left,
			struct error *err)
{
	uint8_t *word;
	size_t len;

	if (bytes_equal_string(name, "/set")) {
		uint32_t before = p->defaults.seen;

		p->defaults.seen = 0;
		if (take_words(p, &p->defaults, rest, left, err) < 0) {
			return -1;
		}
		p->defaults.seen |= before;
		return 0;
	}
	if (!bytes_equal_string(name, "/unset")) {
		return fail(p, err,
			    "a path begins with \"./\"; of what begins with \"/\" only "
			    "/set and /unset are known");
	}
	while (words_next(&rest, &left, &word, &len)) {
		if (words_forget(&p->defaults, bytes_make(word, len), err) < 0) {
			return place(p, err);
		}
	}
	return 0;
}

/* No component is empty, "." or "..". */
static bool is_clean(const uint8_t *path, size_t len)
{
	size_t start = 0;

	for (size_t i = 0; i <= len; i++) {
		if (i < len && path[i] != '/') {
			continue;
		}
		if (i == start || (i - start == 1 && path[start] == '.') ||
		    (i - start == 2 && path[start] == '.' && path[start + 1] == '.')) {
			return false;
		}
		start = i + 1;
	}
	return memchr(path, '\0', len) == NULL;
}

/* "dir/rest" or "/rest" in memory of the manifest's. */
static int join_path(struct parser *p, size_t directory_len, const uint8_t *name, size_t len,
		     struct bytes *path, struct error *err)
{
	uint8_t *joined;

	if (directory_len + 1 + len > ENTRY_PATH_MAX) {
		return fail(p, err, "the path is too long");
	}
	joined = arena_alloc(p->manifest->memory, directory_len + 1 + len);
	if (!joined) {
		return no_memory(p, err);
	}
	memcpy(joined, p->directory, directory_len);
	joined[directory_len] = '/';
	memcpy(joined + directory_len + 1, name, len);
	*path = bytes_make(joined, directory_len + 1 + len);
	return 0;
}

/*
 * The first word: with a slash in it a path from the start, otherwise a name in the current
 * directory (mtree(5)). Normal lines begin with "./" and borrow from the text.
 */
static int take_path(struct parser *p, uint8_t *word, size_t len, struct bytes *path, bool *full,
		     struct error *err)
{
	long used = words_unescape(word, len);
	uint8_t *name = word;

	if (used < 0) {
		return fail(p, err, "the path is not escaped as \\ooo");
	}
	len = (size_t)used;
	*full = memchr(name, '/', len) != NULL;
	if (len == 1 && name[0] == '.') {
		*path = BYTES_LITERAL("/");
		return 0;
	}
	if (len > 2 && name[0] == '.' && name[1] == '/') {
		name += 2;
		len -= 2;
		if (!is_clean(name, len)) {
			return fail(p, err, "the path has an empty or dotted component");
		}
		if (len + 1 > ENTRY_PATH_MAX) {
			return fail(p, err, "the path is too long");
		}
		*path = bytes_make(name - 1, len + 1);
		return 0;
	}
	if (!is_clean(name, len)) {
		return fail(p, err, "the path has an empty or dotted component");
	}
	return join_path(p, *full ? 0 : p->directory_len, name, len, path, err);
}

static void enter(struct parser *p, struct bytes path)
{
	p->directory_len = path.len == 1 ? 0 : path.len;
	if (p->directory_len > 0) {
		memcpy(p->directory, path.data, p->directory_len);
	}
}

static void leave(struct parser *p)
{
	while (p->directory_len > 0 && p->directory[--p->directory_len] != '/') {
	}
}

/* An owner that is only known by number is written as entries have it (schema/entry.h). */
static int name_owner(struct parser *p, struct words *words, enum word word, uint32_t id,
		      struct bytes *name, struct error *err)
{
	char text[16];

	if (name->len > 0 || !(words->seen & 1U << word)) {
		return 0;
	}
	(void)snprintf(text, sizeof(text), "#%u", id);
	text[sizeof(text) - 1] = '\0';
	name->data = (const uint8_t *)arena_string(p->manifest->memory, id == 0 ? "root" : text);
	name->len = strlen(id == 0 ? "root" : text);
	return name->data ? 0 : no_memory(p, err);
}

static int keep(struct parser *p, const struct manifest_entry *entry, struct error *err)
{
	if (p->count == p->room) {
		size_t room = p->room ? 2 * p->room : 256;
		struct parsed *grown;

		if (p->count >= MTREE_ENTRIES_MAX) {
			return fail(p, err, "too many entries");
		}
		grown = realloc(p->entries, room * sizeof(*grown));
		if (!grown) {
			return no_memory(p, err);
		}
		p->entries = grown;
		p->room = room;
	}
	p->entries[p->count].entry = *entry;
	p->entries[p->count++].line = (uint32_t)p->line;
	return 0;
}

static int take_entry(struct parser *p, uint8_t *word, size_t len, uint8_t *rest, size_t left,
		      struct error *err)
{
	struct words words = p->defaults;
	struct entry *entry = &words.entry.entry;
	struct bytes path = {NULL, 0};
	bool full = true;

	if (len == 2 && word[0] == '.' && word[1] == '.') {
		leave(p);
		return 0;
	}
	words.seen = 0;
	if (take_path(p, word, len, &path, &full, err) < 0 ||
	    take_words(p, &words, rest, left, err) < 0) {
		return -1;
	}
	words.seen |= p->defaults.seen;
	entry->path = path;
	if (name_owner(p, &words, WORD_UID, words.uid, &entry->owner, err) < 0 ||
	    name_owner(p, &words, WORD_GID, words.gid, &entry->group, err) < 0) {
		return -1;
	}
	if (words_finish(&words, err) < 0) {
		return place(p, err);
	}
	if (!full && entry->type == ENTRY_DIR) {
		enter(p, path);
	}
	return keep(p, &words.entry, err);
}

static int take_line(struct parser *p, uint8_t *line, size_t len, struct error *err)
{
	uint8_t *word;
	size_t word_len;

	if (!words_next(&line, &len, &word, &word_len)) {
		return 0;
	}
	if (word[0] == '#') {
		struct bytes comment = bytes_make(word, word_len + len);

		if (p->count == 0 && bytes_equal_string(comment, MTREE_TRUST_SIGNED)) {
			p->manifest->trust = MANIFEST_SIGNED;
		} else if (p->count == 0 && bytes_equal_string(comment, MTREE_NO_MD5SUMS)) {
			p->manifest->no_md5sums = true;
		} else if (p->count == 0 && bytes_equal_string(comment, MTREE_CAPTURED)) {
			p->manifest->captured = true;
		}
		return 0;
	}
	if (word[0] == '/') {
		return take_special(p, bytes_make(word, word_len), line, len, err);
	}
	return take_entry(p, word, word_len, line, len, err);
}

/* The value behind a comment's prefix where it is fit. */
static void comment_value(struct bytes line, const char *prefix, char *to, size_t room)
{
	size_t skip = strlen(prefix);

	if (bytes_has_prefix(line, bytes_from_string(prefix)) && line.len - skip < room) {
		memcpy(to, line.data + skip, line.len - skip);
		to[line.len - skip] = '\0';
	}
}

void mtree_comments_read(struct bytes text, struct mtree_comments *comments)
{
	*comments = (struct mtree_comments){0};
	while (text.len > 0 && text.data[0] == '#') {
		const uint8_t *newline = memchr(text.data, '\n', text.len);
		struct bytes line =
			bytes_make(text.data, newline ? (size_t)(newline - text.data) : text.len);
		size_t taken = line.len + (newline ? 1 : 0);

		if (bytes_equal_string(line, MTREE_TRUST_SIGNED)) {
			comments->is_signed = true;
		} else if (bytes_equal_string(line, MTREE_NO_MD5SUMS)) {
			comments->no_md5sums = true;
		}
		comment_value(line, MTREE_DEB_SHA256, comments->package_sha256,
			      sizeof(comments->package_sha256));
		comment_value(line, MTREE_RPM_SHA256, comments->package_sha256,
			      sizeof(comments->package_sha256));
		comment_value(line, MTREE_SIGNED_BY, comments->signer, sizeof(comments->signer));
		text = bytes_make(text.data + taken, text.len - taken);
	}
}

static int compare_parsed(const void *a, const void *b)
{
	const struct parsed *x = a, *y = b;
	int order = bytes_path_compare(x->entry.entry.path, y->entry.entry.path);

	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static int finish(struct parser *p, struct error *err)
{
	bool sorted = true;

	for (size_t i = 1; i < p->count && sorted; i++) {
		sorted = compare_parsed(&p->entries[i - 1], &p->entries[i]) < 0;
	}
	if (!sorted) {
		qsort(p->entries, p->count, sizeof(*p->entries), compare_parsed);
	}
	p->manifest->entries =
		arena_alloc(p->manifest->memory, p->count * sizeof(struct manifest_entry));
	if (!p->manifest->entries) {
		return no_memory(p, err);
	}
	p->manifest->count = p->count;
	for (size_t i = 0; i < p->count; i++) {
		struct bytes path = p->entries[i].entry.entry.path;

		if (i > 0 && bytes_equal(path, p->entries[i - 1].entry.entry.path)) {
			char shown[200];

			p->line = p->entries[i].line;
			return error_set(err, ERROR_CONFIG, 0,
					 "%s:%zu: %s stands twice, first in line %u", p->source,
					 p->line, escape_text(path, shown, sizeof(shown)),
					 (unsigned)p->entries[i - 1].line);
		}
		p->manifest->entries[i] = p->entries[i].entry;
	}
	return 0;
}

int mtree_parse(const char *source, struct bytes text, struct manifest **manifest,
		struct error *err)
{
	struct parser p = {.source = source, .len = text.len};
	uint8_t *line = NULL;
	size_t len = 0;
	int result = -1, more;

	if (text.len > MTREE_SIZE_MAX) {
		return error_set(err, ERROR_CONFIG, 0, "%s: larger than %zu MiB", source,
				 MTREE_SIZE_MAX >> 20);
	}
	if (manifest_new(source, NULL, &p.manifest, err) < 0) {
		return -1;
	}
	p.text = arena_alloc(p.manifest->memory, text.len);
	if (!p.text) {
		(void)no_memory(&p, err);
		goto out;
	}
	if (text.len > 0) {
		memcpy(p.text, text.data, text.len);
	}
	while ((more = next_line(&p, &line, &len, err)) > 0) {
		if (take_line(&p, line, len, err) < 0) {
			goto out;
		}
	}
	if (more < 0 || finish(&p, err) < 0) {
		goto out;
	}
	*manifest = p.manifest;
	p.manifest = NULL;
	result = 0;
out:
	free(p.entries);
	manifest_free(p.manifest);
	return result;
}

int mtree_write(const struct manifest_entry *entries, size_t count, const char *comments,
		char **text, size_t *len, struct error *err)
{
	char path[ESCAPE_ROOM(ENTRY_PATH_MAX)], words[MANIFEST_WORDS_MAX];
	char *written = NULL;
	FILE *file = open_memstream(&written, len);
	bool failed = !file;

	if (file) {
		failed = fprintf(file, "#mtree\n%s", comments ? comments : "") < 0;
	}
	for (size_t i = 0; i < count && !failed; i++) {
		struct bytes name = entries[i].entry.path;

		if (name.len == 0 || name.len > ENTRY_PATH_MAX || name.data[0] != '/') {
			(void)fclose(file);
			free(written);
			return error_set(err, ERROR_CONFIG, 0, "an entry has no absolute path");
		}
		(void)escape_bytes(ESCAPE_MTREE, name, path, sizeof(path));
		(void)words_write(&entries[i], words, sizeof(words));
		failed = fprintf(file, ".%s %s\n", name.len == 1 ? "" : path, words) < 0;
	}
	if (file && fclose(file) != 0) {
		failed = true;
	}
	if (failed) {
		free(written);
		return error_set(err, ERROR_NOMEM, errno, "no memory to write a manifest");
	}
	*text = written;
	return 0;
}

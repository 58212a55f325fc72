// SPDX-License-Identifier: MIT
#include "baselines/import/release.h"

#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "baselines/arena.h"

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory for an archive's index");
}

/* Words become C strings: a NUL in one would hide what follows it. */
static int check_text(struct bytes text, struct error *err)
{
	return text.len > 0 && memchr(text.data, '\0', text.len)
		       ? error_set(err, ERROR_CONFIG, 0, "a NUL byte in a text")
		       : 0;
}

static bool next_line(struct bytes *rest, struct bytes *line)
{
	const uint8_t *newline;

	if (rest->len == 0) {
		return false;
	}
	newline = memchr(rest->data, '\n', rest->len);
	*line = bytes_make(rest->data, newline ? (size_t)(newline - rest->data) : rest->len);
	rest->data += line->len + (newline ? 1 : 0);
	rest->len -= line->len + (newline ? 1 : 0);
	while (line->len > 0 && (line->data[line->len - 1] == '\r')) {
		line->len--;
	}
	return true;
}

static bool next_word(struct bytes *rest, struct bytes *word)
{
	size_t n = 0;

	while (rest->len > 0 && (rest->data[0] == ' ' || rest->data[0] == '\t')) {
		rest->data++;
		rest->len--;
	}
	while (n < rest->len && rest->data[n] != ' ' && rest->data[n] != '\t') {
		n++;
	}
	*word = bytes_make(rest->data, n);
	rest->data += n;
	rest->len -= n;
	return n > 0;
}

/* "Name: value" of a line that begins a field. */
static bool is_field(struct bytes line, const char *name, struct bytes *value)
{
	size_t len = strlen(name);

	if (line.len <= len || line.data[len] != ':' ||
	    strncasecmp((const char *)line.data, name, len) != 0) {
		return false;
	}
	*value = bytes_make(line.data + len + 1, line.len - len - 1);
	while (value->len > 0 && (value->data[0] == ' ' || value->data[0] == '\t')) {
		value->data++;
		value->len--;
	}
	return true;
}

static int digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_digest(struct bytes word, struct digest *digest)
{
	if (word.len != 2 * DIGEST_SIZE) {
		return false;
	}
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		int high = digit(word.data[2 * i]), low = digit(word.data[2 * i + 1]);

		if (high < 0 || low < 0) {
			return false;
		}
		digest->bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool read_size(struct bytes word, uint64_t *size)
{
	*size = 0;
	for (size_t i = 0; i < word.len; i++) {
		if (word.data[i] < '0' || word.data[i] > '9' || *size > UINT64_MAX / 10 - 10) {
			return false;
		}
		*size = 10 * *size + (uint64_t)(word.data[i] - '0');
	}
	return word.len > 0;
}

/* "Sat, 28 Nov 2026 20:11:04 UTC" */
static bool read_date(struct bytes text, int64_t *seconds)
{
	char copy[64];
	struct tm tm = {0};
	const char *end;

	if (text.len >= sizeof(copy)) {
		return false;
	}
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	end = strptime(copy, "%a, %d %b %Y %H:%M:%S", &tm);
	if (!end ||
	    (strcmp(end, " UTC") != 0 && strcmp(end, " GMT") != 0 && strcmp(end, " +0000") != 0)) {
		return false;
	}
	*seconds = (int64_t)timegm(&tm);
	return *seconds > 0;
}

static int compare_files(const void *a, const void *b)
{
	return memcmp(((const struct release_file *)a)->sha256.bytes,
		      ((const struct release_file *)b)->sha256.bytes, DIGEST_SIZE);
}

/* " digest size name" */
static int take_file(struct release *r, struct bytes line, size_t *room, struct error *err)
{
	struct bytes digest, size, name;
	struct release_file file = {0}, *grown;
	bool ok = true;

	if (!next_word(&line, &digest) || !next_word(&line, &size) || !next_word(&line, &name) ||
	    !read_digest(digest, &file.sha256) || !read_size(size, &file.size)) {
		return error_set(err, ERROR_CONFIG, 0, "a line of its SHA256 section is broken");
	}
	if (r->count >= RELEASE_FILES_MAX) {
		return error_set(err, ERROR_CONFIG, 0, "more than %u files", RELEASE_FILES_MAX);
	}
	if (r->count == *room) {
		*room = *room ? 2 * *room : 256;
		grown = realloc(r->files, *room * sizeof(*grown));
		if (!grown) {
			return no_memory(err);
		}
		r->files = grown;
	}
	file.name = (const char *)arena_copy(r->memory, name, &ok).data;
	r->files[r->count++] = file;
	return ok ? 0 : no_memory(err);
}

static int take_field(struct release *r, struct bytes line, struct error *err)
{
	struct bytes value;
	char **to = is_field(line, "Origin", &value)     ? &r->origin
		    : is_field(line, "Suite", &value)    ? &r->suite
		    : is_field(line, "Codename", &value) ? &r->codename
							 : NULL;
	bool ok = true;

	if (to) {
		*to = (char *)(uintptr_t)arena_copy(r->memory, value, &ok).data;
		return ok ? 0 : no_memory(err);
	}
	if (is_field(line, "Valid-Until", &value) && !read_date(value, &r->valid_until_s)) {
		return error_set(err, ERROR_CONFIG, 0, "its Valid-Until is no date");
	}
	return 0;
}

static int parse(struct release *r, struct bytes text, struct error *err)
{
	bool in_digests = false;
	struct bytes line, value;
	size_t room = 0;

	while (next_line(&text, &line)) {
		if (line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t')) {
			if (in_digests && take_file(r, line, &room, err) < 0) {
				return -1;
			}
			continue;
		}
		in_digests = is_field(line, "SHA256", &value);
		if (take_field(r, line, err) < 0) {
			return -1;
		}
	}
	if (!r->origin || r->origin[0] == '\0' || r->count == 0) {
		return error_set(err, ERROR_CONFIG, 0, "no Release file: %s is missing",
				 r->count == 0 ? "its SHA256 section" : "its Origin");
	}
	qsort(r->files, r->count, sizeof(*r->files), compare_files);
	return 0;
}

int release_parse(struct bytes text, struct release **release, struct error *err)
{
	struct release *r = calloc(1, sizeof(*r));

	if (r) {
		r->memory = calloc(1, sizeof(*r->memory));
	}
	if (!r || !r->memory) {
		release_free(r);
		return no_memory(err);
	}
	if (check_text(text, err) < 0 || parse(r, text, err) < 0) {
		release_free(r);
		return -1;
	}
	*release = r;
	return 0;
}

void release_free(struct release *release)
{
	if (!release) {
		return;
	}
	if (release->memory) {
		arena_clear(release->memory);
	}
	free(release->memory);
	free(release->files);
	free(release);
}

const struct release_file *release_find(const struct release *release, const struct digest *sha256,
					uint64_t size)
{
	const struct release_file key = {.sha256 = *sha256};
	const struct release_file *found =
		bsearch(&key, release->files, release->count, sizeof(key), compare_files);

	return found && found->size == size ? found : NULL;
}

/* Packages */

static int compare_packages(const void *a, const void *b)
{
	return memcmp(((const struct release_package *)a)->sha256.bytes,
		      ((const struct release_package *)b)->sha256.bytes, DIGEST_SIZE);
}

struct stanza {
	struct bytes package, version, arch, size, sha256, file;
};

/* A relative path that stays below where it begins: it becomes the name of a file that is opened. */
static bool is_place(struct bytes path)
{
	size_t start = 0;

	for (size_t i = 0; i <= path.len; i++) {
		if (i < path.len && path.data[i] != '/') {
			continue;
		}
		if (i == start || (path.data[start] == '.' && i - start <= 2)) {
			return false;
		}
		start = i + 1;
	}
	return path.len > 0;
}

static int keep_stanza(struct release_packages *p, const struct stanza *s, struct error *err)
{
	struct release_package package = {0};
	bool ok = true;

	if (s->package.len == 0) {
		return 0; /* blank lines between stanzas */
	}
	if (s->version.len == 0 || s->arch.len == 0 || !read_size(s->size, &package.size) ||
	    !read_digest(s->sha256, &package.sha256)) {
		return error_set(
			err, ERROR_CONFIG, 0,
			"a stanza of Packages lacks version, architecture, size or SHA256");
	}
	if (p->count >= RELEASE_PACKAGES_MAX) {
		return error_set(err, ERROR_CONFIG, 0, "more than %u packages",
				 RELEASE_PACKAGES_MAX);
	}
	if (p->count == p->room) {
		size_t room = p->room ? 2 * p->room : 1024;
		struct release_package *grown = realloc(p->item, room * sizeof(*grown));

		if (!grown) {
			return no_memory(err);
		}
		p->item = grown;
		p->room = room;
	}
	package.package = (const char *)arena_copy(p->memory, s->package, &ok).data;
	package.version = (const char *)arena_copy(p->memory, s->version, &ok).data;
	package.arch = (const char *)arena_copy(p->memory, s->arch, &ok).data;
	package.file = is_place(s->file) ? (const char *)arena_copy(p->memory, s->file, &ok).data
					 : "";
	p->item[p->count++] = package;
	return ok ? 0 : no_memory(err);
}

int release_packages_add(struct release_packages *packages, struct bytes text, struct error *err)
{
	struct stanza stanza = {0};
	struct bytes line;

	if (check_text(text, err) < 0) {
		return -1;
	}
	if (!packages->memory) {
		packages->memory = calloc(1, sizeof(*packages->memory));
		if (!packages->memory) {
			return no_memory(err);
		}
	}
	while (next_line(&text, &line)) {
		struct bytes value;

		if (line.len == 0) {
			if (keep_stanza(packages, &stanza, err) < 0) {
				return -1;
			}
			stanza = (struct stanza){0};
		} else if (is_field(line, "Package", &value)) {
			stanza.package = value;
		} else if (is_field(line, "Version", &value)) {
			stanza.version = value;
		} else if (is_field(line, "Architecture", &value)) {
			stanza.arch = value;
		} else if (is_field(line, "Size", &value)) {
			stanza.size = value;
		} else if (is_field(line, "SHA256", &value)) {
			stanza.sha256 = value;
		} else if (is_field(line, "Filename", &value)) {
			stanza.file = value;
		}
	}
	return keep_stanza(packages, &stanza, err);
}

void release_packages_sort(struct release_packages *packages)
{
	if (packages->count > 0) {
		qsort(packages->item, packages->count, sizeof(*packages->item), compare_packages);
	}
}

const struct release_package *release_packages_find(const struct release_packages *packages,
						    const struct digest *sha256)
{
	const struct release_package key = {.sha256 = *sha256};

	return packages->count == 0 ? NULL
				    : bsearch(&key, packages->item, packages->count, sizeof(key),
					      compare_packages);
}

void release_packages_clear(struct release_packages *packages)
{
	if (packages->memory) {
		arena_clear(packages->memory);
	}
	free(packages->memory);
	free(packages->item);
	*packages = (struct release_packages){0};
}

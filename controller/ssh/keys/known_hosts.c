// SPDX-License-Identifier: MIT
#include "controller/ssh/keys/known_hosts.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <uthash.h>

#include "controller/ssh/helper.h"
#include "controller/ssh/keys/pubkey.h"

#define FILE_MAX (64U << 20)
#define NAME_MAX_LEN 1025U
#define BLOB_MAX 16384U

struct line {
	struct line *next_same; /* another line with the same plain name */
	struct line *next;      /* in `hashed` or `patterns` */
	struct known_host host;
	unsigned order; /* over all files */
	char *patterns; /* for lines with wildcards or negation */
	uint8_t salt[SHA_DIGEST_LENGTH];
	uint8_t hash[SHA_DIGEST_LENGTH];
	uint8_t blob[];
};

/* A plain name and its lines. */
struct name {
	struct entry *first;
	UT_hash_handle hh;
	char text[];
};
struct entry {
	struct entry *next;
	struct line *line;
};

struct source {
	struct source *next;
	char path[];
};

struct known_hosts {
	struct name *names;
	struct line *lines; /* all, by next_same, for freeing */
	struct line *hashed;
	struct line *patterns;
	struct source *sources;
	unsigned count;
	size_t bad;
	char first_bad[512];
};

int known_hosts_new(struct known_hosts **known, struct error *err)
{
	*known = calloc(1, sizeof(**known));
	return *known ? 0 : error_set(err, ERROR_NOMEM, ENOMEM, "no memory for known hosts");
}

void known_hosts_free(struct known_hosts *known)
{
	struct name *name, *next_name;

	if (!known) {
		return;
	}
	HASH_ITER (hh, known->names, name, next_name) {
		/* The analyser does not see that the table forgets it. */
		HASH_DEL(known->names, name); /* NOLINT(clang-analyzer-unix.Malloc) */
		while (name->first) {
			struct entry *next = name->first->next;

			free(name->first);
			name->first = next;
		}
		free(name);
	}
	while (known->lines) {
		struct line *next = known->lines->next_same;

		free(known->lines->patterns);
		free(known->lines);
		known->lines = next;
	}
	while (known->sources) {
		struct source *next = known->sources->next;

		free(known->sources);
		known->sources = next;
	}
	free(known);
}

/* --- reading --- */

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct bytes next_word(struct bytes *line)
{
	struct bytes word;

	while (line->len > 0 && is_blank(line->data[0])) {
		line->data++;
		line->len--;
	}
	word = (struct bytes){line->data, 0};
	while (word.len < line->len && !is_blank(word.data[word.len])) {
		word.len++;
	}
	line->data += word.len;
	line->len -= word.len;
	return word;
}

/* Standard base64 with its padding; the length, or 0 where it is none or does not fit. */
static size_t decode(struct bytes text, uint8_t *to, size_t room)
{
	int len;

	if (text.len < 4 || text.len % 4 != 0 || text.len / 4 * 3 > room) {
		return 0;
	}
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		/* EVP_DecodeBlock would skip blanks at the ends. */
		if (!isalnum(c) && c != '+' && c != '/' && !(c == '=' && i + 2 >= text.len)) {
			return 0;
		}
	}
	len = EVP_DecodeBlock(to, text.data, (int)text.len);
	if (len <= 0) {
		return 0;
	}
	return (size_t)len - (text.data[text.len - 1] == '=') - (text.data[text.len - 2] == '=');
}

/* "|1|salt|hash", both base64 of 20 bytes. */
static bool read_hashed(struct bytes names, struct line *line)
{
	uint8_t room[24];
	const uint8_t *bar;
	struct bytes salt, hash;

	if (!bytes_has_prefix(names, BYTES_LITERAL("|1|"))) {
		return false;
	}
	salt = (struct bytes){names.data + 3, names.len - 3};
	bar = salt.len > 0 ? memchr(salt.data, '|', salt.len) : NULL;
	if (!bar) {
		return false;
	}
	hash = (struct bytes){bar + 1, salt.len - (size_t)(bar + 1 - salt.data)};
	salt.len = (size_t)(bar - salt.data);
	if (decode(salt, room, sizeof(room)) != SHA_DIGEST_LENGTH) {
		return false;
	}
	memcpy(line->salt, room, SHA_DIGEST_LENGTH);
	if (decode(hash, room, sizeof(room)) != SHA_DIGEST_LENGTH) {
		return false;
	}
	memcpy(line->hash, room, SHA_DIGEST_LENGTH);
	return true;
}

static bool add_name(struct known_hosts *known, struct bytes text, struct line *line)
{
	struct entry *entry = malloc(sizeof(*entry));
	struct entry **tail;
	struct name *name = NULL;
	char lower[NAME_MAX_LEN];

	for (size_t i = 0; i < text.len; i++) {
		lower[i] = (char)tolower(text.data[i]);
	}
	HASH_FIND(hh, known->names, lower, text.len, name);
	if (!name) {
		name = calloc(1, sizeof(*name) + text.len + 1);
		if (name) {
			memcpy(name->text, lower, text.len);
			HASH_ADD_KEYPTR(hh, known->names, name->text, text.len, name);
			if (!name->hh.tbl) {
				free(name);
				name = NULL;
			}
		}
	}
	if (!name || !entry) {
		free(entry);
		return false;
	}
	*entry = (struct entry){.line = line};
	for (tail = &name->first; *tail; tail = &(*tail)->next) {
	}
	*tail = entry;
	return true;
}

static bool has_pattern(struct bytes names)
{
	for (size_t i = 0; i < names.len; i++) {
		if (names.data[i] == '*' || names.data[i] == '?' || names.data[i] == '!') {
			return true;
		}
	}
	return false;
}

static bool add_names(struct known_hosts *known, struct bytes names, struct line *line)
{
	if (has_pattern(names)) {
		line->patterns = strndup((const char *)names.data, names.len);
		line->next = known->patterns;
		known->patterns = line;
		return line->patterns != NULL;
	}
	while (names.len > 0) {
		const uint8_t *comma = memchr(names.data, ',', names.len);
		size_t len = comma ? (size_t)(comma - names.data) : names.len;

		if (len > 0 && len < NAME_MAX_LEN &&
		    !add_name(known, bytes_make(names.data, len), line)) {
			return false;
		}
		len += comma ? 1 : 0;
		names.data += len;
		names.len -= len;
	}
	return true;
}

/* 1: taken, 0: not a line of this format, -1: no memory. */
static int read_line(struct known_hosts *known, struct bytes text, const char *file,
		     unsigned number)
{
	struct bytes word = next_word(&text), names, type, base64;
	enum known_kind kind = KNOWN_KEY;
	struct line hashed, *line;
	uint8_t blob[BLOB_MAX];
	bool is_hashed;
	size_t len;

	if (word.len == 0 || word.data[0] == '#') {
		return 1;
	}
	if (word.data[0] == '@') {
		if (bytes_equal_string(word, "@cert-authority")) {
			kind = KNOWN_AUTHORITY;
		} else if (bytes_equal_string(word, "@revoked")) {
			kind = KNOWN_REVOKED;
		} else {
			return 0;
		}
		word = next_word(&text);
	}
	names = word;
	type = next_word(&text);
	base64 = next_word(&text);
	len = decode(base64, blob, sizeof(blob));
	if (names.len == 0 || len == 0 || !bytes_equal(pubkey_type(bytes_make(blob, len)), type)) {
		return 0;
	}
	is_hashed = names.data[0] == '|';
	if (is_hashed && !read_hashed(names, &hashed)) {
		return 0;
	}
	line = calloc(1, sizeof(*line) + len);
	if (!line) {
		return -1;
	}
	memcpy(line->blob, blob, len);
	line->host = (struct known_host){kind, {line->blob, len}, file, number};
	line->order = known->count++;
	line->next_same = known->lines;
	known->lines = line;
	if (is_hashed) {
		memcpy(line->salt, hashed.salt, sizeof(line->salt));
		memcpy(line->hash, hashed.hash, sizeof(line->hash));
		line->next = known->hashed;
		known->hashed = line;
		return 1;
	}
	return add_names(known, names, line) ? 1 : -1;
}

int known_hosts_parse(struct known_hosts *known, struct bytes text, const char *name,
		      struct error *err)
{
	struct source *source = calloc(1, sizeof(*source) + strlen(name) + 1);
	unsigned number = 0;

	if (!source) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory for %s", name);
	}
	memcpy(source->path, name, strlen(name));
	source->next = known->sources;
	known->sources = source;
	while (text.len > 0) {
		const uint8_t *end = memchr(text.data, '\n', text.len);
		struct bytes line = {text.data, end ? (size_t)(end - text.data) : text.len};
		size_t used = line.len + (end ? 1 : 0);

		text.data += used;
		text.len -= used;
		number++;
		while (line.len > 0 && line.data[line.len - 1] == '\r') {
			line.len--;
		}
		switch (read_line(known, line, source->path, number)) {
		case 1:
			break;
		case 0:
			if (known->bad++ == 0) {
				(void)snprintf(known->first_bad, sizeof(known->first_bad), "%s:%u",
					       source->path, number);
			}
			break;
		default:
			return error_set(err, ERROR_NOMEM, ENOMEM, "%s:%u: no memory", name,
					 number);
		}
	}
	return 0;
}

int known_hosts_load(struct known_hosts *known, const char *path, bool required, struct error *err)
{
	uint8_t *text = NULL;
	size_t len = 0;
	struct stat st;
	int result;

	/* /dev/null is how people say "none". */
	if ((!required && access(path, R_OK) < 0) ||
	    (stat(path, &st) == 0 && S_ISCHR(st.st_mode))) {
		return 0;
	}
	if (helper_read(path, FILE_MAX, &text, &len, err) < 0) {
		return -1;
	}
	result = known_hosts_parse(known, bytes_make(text, len), path, err);
	free(text);
	return result;
}

size_t known_hosts_bad_lines(const struct known_hosts *known, const char **first)
{
	*first = known->first_bad;
	return known->bad;
}

/* --- looking up --- */

/* As fnmatch with * and ? only, and nothing special about '/', '[' or '\\'. */
static bool matches(const char *pattern, size_t len, const char *name)
{
	const char *star = NULL, *retry = NULL;
	const char *end = pattern + len;

	while (*name) {
		if (pattern < end && *pattern == '*') {
			star = ++pattern;
			retry = name;
		} else if (pattern < end &&
			   (*pattern == '?' || tolower((unsigned char)*pattern) == *name)) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star;
			name = ++retry;
		} else {
			return false;
		}
	}
	while (pattern < end && *pattern == '*') {
		pattern++;
	}
	return pattern == end;
}

static bool matches_list(const char *patterns, const char *name)
{
	bool matched = false;

	while (*patterns) {
		size_t len = strcspn(patterns, ",");
		bool negated = *patterns == '!';

		if (matches(patterns + negated, len - negated, name)) {
			if (negated) {
				return false;
			}
			matched = true;
		}
		patterns += len + (patterns[len] == ',');
	}
	return matched;
}

static bool matches_hash(const struct line *line, const char *name)
{
	uint8_t hash[SHA_DIGEST_LENGTH];
	unsigned len = sizeof(hash);

	return HMAC(EVP_sha1(), line->salt, SHA_DIGEST_LENGTH, (const unsigned char *)name,
		    strlen(name), hash, &len) &&
	       memcmp(hash, line->hash, sizeof(hash)) == 0;
}

struct search {
	const struct line **line;
	size_t count;
	size_t room;
};

/* Keeps the order of files and lines. */
static void take(struct search *search, const struct line *line)
{
	size_t at;

	if (search->count == search->room) {
		return;
	}
	for (at = search->count; at > 0 && search->line[at - 1]->order > line->order; at--) {
		search->line[at] = search->line[at - 1];
	}
	search->line[at] = line;
	search->count++;
}

size_t known_hosts_find(struct known_hosts *known, const char *host, uint16_t port,
			struct known_host *found, size_t room)
{
	const struct line *lines[64];
	struct search search = {lines, 0, room < 64 ? room : 64};
	struct name *name = NULL;
	char text[NAME_MAX_LEN];
	int len;

	len = port == 0 || port == 22 ? snprintf(text, sizeof(text), "%s", host)
				      : snprintf(text, sizeof(text), "[%s]:%u", host, port);
	if (len < 0 || (size_t)len >= sizeof(text)) {
		return 0;
	}
	for (char *c = text; *c; c++) {
		*c = (char)tolower((unsigned char)*c);
	}
	HASH_FIND(hh, known->names, text, (size_t)len, name);
	for (struct entry *entry = name ? name->first : NULL; entry; entry = entry->next) {
		take(&search, entry->line);
	}
	for (struct line *line = known->patterns; line; line = line->next) {
		if (matches_list(line->patterns, text)) {
			take(&search, line);
		}
	}
	for (struct line **line = &known->hashed; *line;) {
		struct line *one = *line;

		if (matches_hash(one, text)) {
			/* Each hash is one name's: from now on it is found without hashing. */
			take(&search, one);
			*line = one->next;
			(void)add_name(known, bytes_make(text, (size_t)len), one);
			continue;
		}
		line = &one->next;
	}
	for (size_t i = 0; i < search.count; i++) {
		found[i] = lines[i]->host;
	}
	return search.count;
}

// SPDX-License-Identifier: MIT
#include "baselines/words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "baselines/nearest.h"
#include "schema/escape.h"

#define SHOWN_MAX 160 /* bytes of a faulty word that a message repeats */

struct keyword {
	const char *name;
	enum word word;
	bool has_value;
};

/* mtree(5) of libarchive, FreeBSD and NetBSD. */
static const struct keyword keywords[] = {
	{"type", WORD_TYPE, true},
	{"mode", WORD_MODE, true},
	{"uname", WORD_UNAME, true},
	{"gname", WORD_GNAME, true},
	{"uid", WORD_UID, true},
	{"gid", WORD_GID, true},
	{"size", WORD_SIZE, true},
	{"time", WORD_TIME, true},
	{"link", WORD_LINK, true},
	{"sha256", WORD_SHA256, true},
	{"sha256digest", WORD_SHA256, true},
	{"md5", WORD_MD5, true},
	{"md5digest", WORD_MD5, true},
	{"device", WORD_DEVICE, true},
	{"optional", WORD_OPTIONAL, false},
	{"tags", WORD_TAGS, true},
	{"cksum", WORD_IGNORED, true},
	{"contents", WORD_IGNORED, true},
	{"flags", WORD_IGNORED, true},
	{"ignore", WORD_IGNORED, false},
	{"inode", WORD_IGNORED, true},
	{"nlink", WORD_IGNORED, true},
	{"nochange", WORD_IGNORED, false},
	{"resdevice", WORD_IGNORED, true},
	{"ripemd160digest", WORD_IGNORED, true},
	{"rmd160", WORD_IGNORED, true},
	{"rmd160digest", WORD_IGNORED, true},
	{"sha1", WORD_IGNORED, true},
	{"sha1digest", WORD_IGNORED, true},
	{"sha384", WORD_IGNORED, true},
	{"sha384digest", WORD_IGNORED, true},
	{"sha512", WORD_IGNORED, true},
	{"sha512digest", WORD_IGNORED, true},
};
#define KEYWORDS (sizeof(keywords) / sizeof(keywords[0]))

enum {
	TAG_NONE = 0,
	TAG_CAPS = -1,
	TAG_ACL = -2,
	TAG_DEFAULT_ACL = -3,
	TAG_FLAGS = -4,
	TAG_MAGIC = -5,
	TAG_HEAD = -6
};

struct tag {
	const char *name;
	int tag; /* a bit of enum manifest_tag, or one of the above, which have a value after ':' */
};

static const struct tag tags[] = {
	{"config", MANIFEST_CONFIG},
	{"noreplace", MANIFEST_NOREPLACE},
	{"optional", MANIFEST_OPTIONAL},
	{"nocontent", MANIFEST_NOCONTENT},
	{"nomode", MANIFEST_NOMODE},
	{"notime", MANIFEST_NOTIME},
	{"hardlink", MANIFEST_HARDLINK},
	{"caps", TAG_CAPS},
	{"acl", TAG_ACL},
	{"dacl", TAG_DEFAULT_ACL},
	{"flags", TAG_FLAGS},
	{"magic", TAG_MAGIC},
	{"head", TAG_HEAD},
};
#define TAGS (sizeof(tags) / sizeof(tags[0]))

static const char *keyword_name(const void *words, size_t index)
{
	(void)words;
	return index < KEYWORDS ? keywords[index].name : NULL;
}

static const char *tag_name(const void *words, size_t index)
{
	(void)words;
	return index < TAGS ? tags[index].name : NULL;
}

static int fault(struct error *err, const char *what, struct bytes word, const char *nearest)
{
	char shown[SHOWN_MAX];

	return error_set(err, ERROR_CONFIG, 0, nearest ? "%s %s (did you mean %s?)" : "%s %s", what,
			 escape_text(word, shown, sizeof(shown)), nearest);
}

/* Reading */

bool words_next(uint8_t **rest, size_t *rest_len, uint8_t **word, size_t *len)
{
	uint8_t *p = *rest;
	size_t left = *rest_len, n = 0;

	while (left > 0 && (*p == ' ' || *p == '\t')) {
		p++;
		left--;
	}
	while (n < left && p[n] != ' ' && p[n] != '\t') {
		n++;
	}
	*word = p;
	*len = n;
	*rest = p + n;
	*rest_len = left - n;
	return n > 0;
}

static bool is_octal(uint8_t c, uint8_t most)
{
	return c >= '0' && c <= most;
}

long words_unescape(uint8_t *data, size_t len)
{
	static const char letters[] = "abfnrstv\\#";
	static const char meant[] = "\a\b\f\n\r \t\v\\#";
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		const char *letter;

		if (data[i] != '\\') {
			data[used++] = data[i];
			continue;
		}
		if (len - i >= 4 && is_octal(data[i + 1], '3') && is_octal(data[i + 2], '7') &&
		    is_octal(data[i + 3], '7')) {
			data[used++] = (uint8_t)((data[i + 1] - '0') << 6 |
						 (data[i + 2] - '0') << 3 | (data[i + 3] - '0'));
			i += 3;
			continue;
		}
		if (len - i < 2 || data[i + 1] == '\0') {
			return -1;
		}
		letter = strchr(letters, data[i + 1]);
		if (!letter) {
			return -1;
		}
		data[used++] = (uint8_t)meant[letter - letters];
		i++;
	}
	return (long)used;
}

static bool read_number(struct bytes text, unsigned base, uint64_t most, uint64_t *number)
{
	uint64_t value = 0;

	if (text.len == 0 || text.len > 24) {
		return false;
	}
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)text.data[i] - '0';

		if (digit >= base || __builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value)) {
			return false;
		}
	}
	*number = value;
	return value <= most;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place allowed: two digits become one byte. */
static bool read_hex(struct bytes text, uint8_t *to, size_t most, size_t *len)
{
	if (text.len % 2 != 0 || text.len / 2 > most) {
		return false;
	}
	for (size_t i = 0; i < text.len; i += 2) {
		int high = hex_digit(text.data[i]), low = hex_digit(text.data[i + 1]);

		if (high < 0 || low < 0) {
			return false;
		}
		to[i / 2] = (uint8_t)(high << 4 | low);
	}
	*len = text.len / 2;
	return true;
}

static bool read_digest(struct bytes text, uint8_t *to, size_t size)
{
	size_t len;

	return text.len == 2 * size && read_hex(text, to, size, &len);
}

static bool read_type(struct bytes text, enum entry_type *type)
{
	for (int t = ENTRY_FILE; t <= ENTRY_SOCKET; t++) {
		if (bytes_equal_string(text, entry_type_name((enum entry_type)t))) {
			*type = (enum entry_type)t;
			return true;
		}
	}
	return false;
}

/* Seconds, then perhaps a dot and what is finer than this project compares. */
static bool read_time(struct bytes text, int64_t *seconds)
{
	bool before_1970 = text.len > 0 && text.data[0] == '-';
	size_t start = before_1970 ? 1 : 0, end = start;
	uint64_t value, rest;

	while (end < text.len && text.data[end] != '.') {
		end++;
	}
	if (!read_number(bytes_make(text.data + start, end - start), 10, INT64_MAX, &value)) {
		return false;
	}
	if (end < text.len && !read_number(bytes_make(text.data + end + 1, text.len - end - 1), 10,
					   UINT64_MAX, &rest)) {
		return false;
	}
	*seconds = before_1970 ? -(int64_t)value : (int64_t)value;
	return true;
}

/* "linux,8,1", also with another name in front, or a plain dev_t of glibc's. */
static bool read_device(struct bytes text, struct entry *entry)
{
	const uint8_t *comma = text.len > 0 ? memchr(text.data, ',', text.len) : NULL;
	const uint8_t *end = text.data + text.len, *second;
	uint64_t major, minor;

	if (!comma) {
		return false;
	}
	second = memchr(comma + 1, ',', (size_t)(end - comma - 1));
	if (!second ||
	    !read_number(bytes_make(comma + 1, (size_t)(second - comma - 1)), 10, UINT32_MAX,
			 &major) ||
	    !read_number(bytes_make(second + 1, (size_t)(end - second - 1)), 10, UINT32_MAX,
			 &minor)) {
		return false;
	}
	entry->has_device = true;
	entry->major = (uint32_t)major;
	entry->minor = (uint32_t)minor;
	return true;
}

/* Hex digits become bytes where they stand. */
static bool read_blob(uint8_t *data, size_t len, size_t most, struct bytes *blob)
{
	size_t used;

	if (!read_hex(bytes_make(data, len), data, most, &used)) {
		return false;
	}
	*blob = bytes_make(data, used);
	return true;
}

static bool read_flags(struct bytes text, uint32_t *flags)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] != 'i' && text.data[i] != 'a') {
			return false;
		}
		*flags |= text.data[i] == 'i' ? ENTRY_IMMUTABLE : ENTRY_APPEND;
	}
	return text.len > 0;
}

static bool read_magic(struct bytes text, enum entry_magic *magic)
{
	*magic = bytes_equal_string(text, "elf") ? ENTRY_MAGIC_ELF : ENTRY_MAGIC_SCRIPT;
	return *magic == ENTRY_MAGIC_ELF || bytes_equal_string(text, "script");
}

static bool read_tag_value(struct manifest_entry *entry, int tag, uint8_t *data, size_t len)
{
	switch (tag) {
	case TAG_CAPS:
		entry->tags |= MANIFEST_CAPS;
		return read_blob(data, len, ENTRY_CAPS_MAX, &entry->entry.caps);
	case TAG_ACL:
		return read_blob(data, len, ENTRY_ACL_MAX, &entry->entry.acl);
	case TAG_DEFAULT_ACL:
		return read_blob(data, len, ENTRY_ACL_MAX, &entry->entry.default_acl);
	case TAG_FLAGS:
		return read_flags(bytes_make(data, len), &entry->entry.flags);
	case TAG_MAGIC:
		return read_magic(bytes_make(data, len), &entry->entry.magic);
	case TAG_HEAD:
		return read_blob(data, len, ENTRY_HEAD_MAX, &entry->entry.head);
	default:
		return false;
	}
}

static int take_tag(struct manifest_entry *entry, uint8_t *data, size_t len, struct error *err)
{
	struct bytes whole = bytes_make(data, len);
	uint8_t *colon = memchr(data, ':', len);
	struct bytes name = bytes_make(data, colon ? (size_t)(colon - data) : len);

	for (size_t i = 0; i < TAGS; i++) {
		if (!bytes_equal_string(name, tags[i].name)) {
			continue;
		}
		if ((tags[i].tag < 0) != (colon != NULL)) {
			break;
		}
		if (!colon) {
			entry->tags |= (uint32_t)tags[i].tag;
			return 0;
		}
		return read_tag_value(entry, tags[i].tag, colon + 1, len - name.len - 1)
			       ? 0
			       : fault(err, "bad value in tag", name, NULL);
	}
	return fault(err, "unknown tag", whole, nearest_find(name, tag_name, tags));
}

static int take_tags(struct manifest_entry *entry, uint8_t *data, size_t len, struct error *err)
{
	size_t start = 0;

	for (size_t i = 0; i <= len; i++) {
		if (i < len && data[i] != ',') {
			continue;
		}
		if (i > start && take_tag(entry, data + start, i - start, err) < 0) {
			return -1;
		}
		start = i + 1;
	}
	return 0;
}

/* Names and targets are escaped; an empty one says nothing. */
static bool read_text(uint8_t *data, size_t len, size_t most, struct bytes *text)
{
	long used = words_unescape(data, len);

	if (used <= 0 || (size_t)used > most || memchr(data, '\0', (size_t)used)) {
		return false;
	}
	*text = bytes_make(data, (size_t)used);
	return true;
}

static bool read_value(struct words *words, enum word word, uint8_t *data, size_t len)
{
	struct entry *entry = &words->entry.entry;
	struct bytes text = bytes_make(data, len);
	uint64_t number = 0;
	bool ok;

	switch (word) {
	case WORD_TYPE:
		return read_type(text, &entry->type);
	case WORD_MODE:
		ok = read_number(text, 8, 07777, &number);
		entry->mode = (uint32_t)number;
		return ok;
	case WORD_UNAME:
		return read_text(data, len, ENTRY_NAME_MAX, &entry->owner);
	case WORD_GNAME:
		return read_text(data, len, ENTRY_NAME_MAX, &entry->group);
	case WORD_UID:
		ok = read_number(text, 10, UINT32_MAX, &number);
		words->uid = (uint32_t)number;
		return ok;
	case WORD_GID:
		ok = read_number(text, 10, UINT32_MAX, &number);
		words->gid = (uint32_t)number;
		return ok;
	case WORD_SIZE:
		entry->has_size = true;
		return read_number(text, 10, UINT64_MAX, &entry->size);
	case WORD_TIME:
		entry->has_mtime = true;
		return read_time(text, &entry->mtime_s);
	case WORD_LINK:
		return read_text(data, len, ENTRY_PATH_MAX, &entry->link);
	case WORD_SHA256:
		entry->has_sha256 = true;
		return read_digest(text, entry->sha256.bytes, DIGEST_SIZE);
	case WORD_MD5:
		words->entry.has_md5 = true;
		return read_digest(text, words->entry.md5, MD5_SIZE);
	case WORD_DEVICE:
		return read_device(text, entry);
	default:
		return true;
	}
}

/* What a keyword set is taken back, so that nothing of it stays behind in the entry. */
static void forget(struct words *words, enum word word)
{
	struct entry *entry = &words->entry.entry;

	switch (word) {
	case WORD_TYPE:
		entry->type = (enum entry_type)0;
		break;
	case WORD_MODE:
		entry->mode = 0;
		break;
	case WORD_UNAME:
		entry->owner = bytes_make(NULL, 0);
		break;
	case WORD_GNAME:
		entry->group = bytes_make(NULL, 0);
		break;
	case WORD_SIZE:
		entry->has_size = false;
		entry->size = 0;
		break;
	case WORD_TIME:
		entry->has_mtime = false;
		entry->mtime_s = 0;
		break;
	case WORD_LINK:
		entry->link = bytes_make(NULL, 0);
		break;
	case WORD_SHA256:
		entry->has_sha256 = false;
		memset(&entry->sha256, 0, sizeof(entry->sha256));
		break;
	case WORD_MD5:
		words->entry.has_md5 = false;
		memset(words->entry.md5, 0, MD5_SIZE);
		break;
	case WORD_DEVICE:
		entry->has_device = false;
		entry->major = 0;
		entry->minor = 0;
		break;
	case WORD_OPTIONAL:
		words->entry.tags &= ~(uint32_t)MANIFEST_OPTIONAL;
		break;
	case WORD_TAGS:
		words->entry.tags &= MANIFEST_OPTIONAL;
		entry->caps = entry->acl = entry->default_acl = entry->head = bytes_make(NULL, 0);
		entry->flags = 0;
		entry->magic = ENTRY_MAGIC_NONE;
		break;
	default:
		break;
	}
	words->seen &= ~(1U << word);
}

int words_take(struct words *words, uint8_t *data, size_t len, struct error *err)
{
	uint8_t *equals = memchr(data, '=', len);
	struct bytes name = bytes_make(data, equals ? (size_t)(equals - data) : len);
	const struct keyword *keyword = NULL;
	uint8_t *value;
	size_t value_len;

	for (size_t i = 0; i < KEYWORDS && !keyword; i++) {
		keyword = bytes_equal_string(name, keywords[i].name) ? &keywords[i] : NULL;
	}
	if (!keyword) {
		return fault(err, "unknown keyword", name,
			     nearest_find(name, keyword_name, keywords));
	}
	if (keyword->has_value != (equals != NULL)) {
		return fault(err, equals ? "no value may follow" : "a value is missing after", name,
			     NULL);
	}
	if (keyword->word == WORD_IGNORED) {
		return 0;
	}
	if (words->seen & 1U << keyword->word) {
		return fault(err, "given twice:", name, NULL);
	}
	forget(words, keyword->word); /* what /set said of it */
	words->seen |= 1U << keyword->word;
	if (keyword->word == WORD_OPTIONAL) {
		words->entry.tags |= MANIFEST_OPTIONAL;
		return 0;
	}
	value = equals ? equals + 1 : data + len;
	value_len = (size_t)(data + len - value);
	if (keyword->word == WORD_TAGS) {
		return take_tags(&words->entry, value, value_len, err);
	}
	return read_value(words, keyword->word, value, value_len)
		       ? 0
		       : fault(err, "bad value of", name, NULL);
}

int words_forget(struct words *words, struct bytes keyword, struct error *err)
{
	if (bytes_equal_string(keyword, "all")) {
		memset(words, 0, sizeof(*words));
		return 0;
	}
	for (size_t i = 0; i < KEYWORDS; i++) {
		if (bytes_equal_string(keyword, keywords[i].name)) {
			forget(words, keywords[i].word);
			return 0;
		}
	}
	return fault(err, "unknown keyword", keyword,
		     nearest_find(keyword, keyword_name, keywords));
}

int words_finish(struct words *words, struct error *err)
{
	struct entry *entry = &words->entry.entry;
	bool is_file = entry->type == ENTRY_FILE;
	bool is_device = entry->type == ENTRY_CHAR || entry->type == ENTRY_BLOCK;

	if (entry->type == 0) {
		return error_set(err, ERROR_CONFIG, 0, "type= is missing");
	}
	if ((entry->type == ENTRY_LINK) != (entry->link.len > 0)) {
		return error_set(err, ERROR_CONFIG, 0,
				 entry->link.len > 0 ? "link= belongs to type=link only"
						     : "link= is missing");
	}
	if (!is_file && (entry->has_sha256 || words->entry.has_md5)) {
		return error_set(err, ERROR_CONFIG, 0, "a digest belongs to type=file only");
	}
	if (is_device != entry->has_device) {
		return error_set(err, ERROR_CONFIG, 0,
				 is_device ? "device= is missing"
					   : "device= belongs to type=char or type=block only");
	}
	if (!is_file) {
		/* Others write the size of directories and links, which says nothing. */
		entry->has_size = false;
		entry->size = 0;
	}
	if (!is_file && entry->type != ENTRY_LINK) {
		entry->has_mtime = false;
		entry->mtime_s = 0;
	} else if (!entry->has_mtime) {
		words->entry.tags |= MANIFEST_NOTIME;
	}
	if (is_file && !entry->has_sha256) {
		words->entry.tags |= MANIFEST_NOCONTENT;
	}
	if (!(words->seen & 1U << WORD_MODE) || entry->owner.len == 0 || entry->group.len == 0) {
		words->entry.tags |= MANIFEST_NOMODE;
	}
	return 0;
}

/* Writing */

/* A whole word is added or none; once one did not fit, nothing more is. */
struct line {
	char *to;
	size_t len;
	size_t room;
	bool cut;
};

#define CUT " ..."

static void add_word(struct line *line, const char *word, size_t len)
{
	size_t blank = line->len > 0 ? 1 : 0;

	if (line->cut || line->len + blank + len + sizeof(CUT) > line->room) {
		line->cut = true;
		return;
	}
	if (blank) {
		line->to[line->len++] = ' ';
	}
	memcpy(line->to + line->len, word, len);
	line->len += len;
}

static void add_format(struct line *line, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add_format(struct line *line, const char *format, ...)
{
	char word[128];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(word, sizeof(word), format, args);
	va_end(args);
	add_word(line, word, len < 0 ? 0 : (size_t)len);
}

static size_t put(char *to, const char *text)
{
	size_t len = 0;

	for (; text[len] != '\0'; len++) {
		to[len] = text[len];
	}
	return len;
}

static void add_text(struct line *line, const char *name, struct bytes text)
{
	char word[8 + ESCAPE_ROOM(ENTRY_PATH_MAX)];
	size_t len;

	if (text.len == 0) {
		return;
	}
	if (text.len > ENTRY_PATH_MAX) {
		line->cut = true;
		return;
	}
	len = put(word, name);
	len += escape_bytes(ESCAPE_MTREE, text, word + len, sizeof(word) - len);
	add_word(line, word, len);
}

static size_t write_hex(struct bytes from, char *to)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < from.len; i++) {
		to[2 * i] = digits[from.data[i] >> 4];
		to[2 * i + 1] = digits[from.data[i] & 15];
	}
	return 2 * from.len;
}

static void add_digest(struct line *line, const char *name, const uint8_t *digest, size_t size)
{
	char word[8 + 2 * DIGEST_SIZE];
	size_t len = put(word, name);

	len += write_hex(bytes_make(digest, size), word + len);
	add_word(line, word, len);
}

static size_t put_blob(char *to, const char *name, struct bytes blob)
{
	size_t len = put(to, name);

	len += write_hex(blob, to + len);
	to[len++] = ',';
	return len;
}

/* Tags that follow from what a line leaves out need no words (words_finish). */
static uint32_t tags_to_write(const struct manifest_entry *entry)
{
	uint32_t bits = entry->tags & ~(uint32_t)(MANIFEST_OPTIONAL | MANIFEST_CAPS);

	if (!entry->entry.has_mtime) {
		bits &= ~(uint32_t)MANIFEST_NOTIME;
	}
	if (!entry->entry.has_sha256) {
		bits &= ~(uint32_t)MANIFEST_NOCONTENT;
	}
	if (entry->entry.mode == 0 || entry->entry.owner.len == 0 || entry->entry.group.len == 0) {
		bits &= ~(uint32_t)MANIFEST_NOMODE;
	}
	return bits;
}

static void add_tags(struct line *line, const struct manifest_entry *entry)
{
	char word[512 + 2 * ENTRY_CAPS_MAX + 4 * ENTRY_ACL_MAX + 2 * ENTRY_HEAD_MAX];
	const struct entry *e = &entry->entry;
	uint32_t bits = tags_to_write(entry);
	size_t len = put(word, "tags=,"), empty = len;

	if (e->caps.len > ENTRY_CAPS_MAX || e->acl.len > ENTRY_ACL_MAX ||
	    e->default_acl.len > ENTRY_ACL_MAX || e->head.len > ENTRY_HEAD_MAX) {
		line->cut = true;
		return;
	}
	for (size_t i = 0; i < TAGS; i++) {
		if (tags[i].tag > 0 && bits & (uint32_t)tags[i].tag) {
			len += put(word + len, tags[i].name);
			word[len++] = ',';
		}
	}
	if (e->caps.len > 0 || entry->tags & MANIFEST_CAPS) {
		len += put_blob(word + len, "caps:", e->caps);
	}
	if (e->acl.len > 0) {
		len += put_blob(word + len, "acl:", e->acl);
	}
	if (e->default_acl.len > 0) {
		len += put_blob(word + len, "dacl:", e->default_acl);
	}
	if (e->flags != 0) {
		len += put(word + len, "flags:");
		len += put(word + len, e->flags & ENTRY_IMMUTABLE ? "i" : "");
		len += put(word + len, e->flags & ENTRY_APPEND ? "a," : ",");
	}
	if (e->magic != ENTRY_MAGIC_NONE) {
		len += put(word + len,
			   e->magic == ENTRY_MAGIC_ELF ? "magic:elf," : "magic:script,");
	}
	if (e->head.len > 0) {
		len += put_blob(word + len, "head:", e->head);
	}
	if (len > empty) {
		add_word(line, word, len);
	}
}

size_t words_write(const struct manifest_entry *entry, char *to, size_t room)
{
	const struct entry *e = &entry->entry;
	struct line line = {.to = to, .room = room};

	if (room == 0) {
		return 0;
	}
	add_format(&line, "type=%s", entry_type_name(e->type));
	if (!(entry->tags & MANIFEST_NOMODE) || e->mode != 0) {
		add_format(&line, "mode=%04" PRIo32, e->mode);
	}
	add_text(&line, "uname=", e->owner);
	add_text(&line, "gname=", e->group);
	if (e->has_size) {
		add_format(&line, "size=%" PRIu64, e->size);
	}
	if (e->has_mtime) {
		add_format(&line, "time=%" PRId64 ".0", e->mtime_s);
	}
	add_text(&line, "link=", e->link);
	if (e->has_sha256) {
		add_digest(&line, "sha256=", e->sha256.bytes, DIGEST_SIZE);
	}
	if (entry->has_md5) {
		add_digest(&line, "md5=", entry->md5, MD5_SIZE);
	}
	if (e->has_device) {
		add_format(&line, "device=linux,%" PRIu32 ",%" PRIu32, e->major, e->minor);
	}
	if (entry->tags & MANIFEST_OPTIONAL) {
		add_word(&line, "optional", strlen("optional"));
	}
	add_tags(&line, entry);
	if (line.cut && line.len + sizeof(CUT) <= room) {
		memcpy(to + line.len, CUT, sizeof(CUT) - 1);
		line.len += sizeof(CUT) - 1;
	}
	to[line.len] = '\0';
	return line.len;
}

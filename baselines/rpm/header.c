// SPDX-License-Identifier: MIT
#include "baselines/rpm/header.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "baselines/arena.h"
#include "baselines/rpm/section.h"

#define ENTRY_SIZE 16U
#define TAG_REGION 63U /* HEADERIMMUTABLE */
#define PATH_LEN_MAX 4096U

/* The tags that are read, in the order of their slots. */
enum slot {
	SLOT_NAME,
	SLOT_VERSION,
	SLOT_RELEASE,
	SLOT_EPOCH,
	SLOT_BUILD_TIME,
	SLOT_VENDOR,
	SLOT_PACKAGER,
	SLOT_ARCH,
	SLOT_OLD_FILE_NAMES,
	SLOT_SIZES,
	SLOT_MODES,
	SLOT_RDEVS,
	SLOT_MTIMES,
	SLOT_DIGESTS,
	SLOT_LINKS,
	SLOT_FLAGS,
	SLOT_USERS,
	SLOT_GROUPS,
	SLOT_SOURCE_RPM,
	SLOT_VERIFY,
	SLOT_DEVICES,
	SLOT_INODES,
	SLOT_LANGS,
	SLOT_DIR_INDEXES,
	SLOT_BASE_NAMES,
	SLOT_DIR_NAMES,
	SLOT_COLORS,
	SLOT_LONG_SIZES,
	SLOT_CAPS,
	SLOT_DIGEST_ALGORITHM,
	SLOT_RPM_FORMAT,
	SLOTS
};

static const struct wanted {
	uint16_t tag;
	uint8_t type;
	uint16_t column; /* enum rpm_column_bit: one value a file */
} wanted[SLOTS] = {
	[SLOT_NAME] = {1000, RPM_TYPE_STRING, 0},
	[SLOT_VERSION] = {1001, RPM_TYPE_STRING, 0},
	[SLOT_RELEASE] = {1002, RPM_TYPE_STRING, 0},
	[SLOT_EPOCH] = {1003, RPM_TYPE_INT32, 0},
	[SLOT_BUILD_TIME] = {1006, RPM_TYPE_INT32, 0},
	[SLOT_VENDOR] = {1011, RPM_TYPE_STRING, 0},
	[SLOT_PACKAGER] = {1015, RPM_TYPE_STRING, 0},
	[SLOT_ARCH] = {1022, RPM_TYPE_STRING, 0},
	[SLOT_OLD_FILE_NAMES] = {1027, RPM_TYPE_STRING_ARRAY, 0},
	[SLOT_SIZES] = {1028, RPM_TYPE_INT32, RPM_HAS_SIZES},
	[SLOT_MODES] = {1030, RPM_TYPE_INT16, RPM_HAS_MODES},
	[SLOT_RDEVS] = {1033, RPM_TYPE_INT16, RPM_HAS_RDEVS},
	[SLOT_MTIMES] = {1034, RPM_TYPE_INT32, RPM_HAS_MTIMES},
	[SLOT_DIGESTS] = {1035, RPM_TYPE_STRING_ARRAY, RPM_HAS_DIGESTS},
	[SLOT_LINKS] = {1036, RPM_TYPE_STRING_ARRAY, RPM_HAS_LINKS},
	[SLOT_FLAGS] = {1037, RPM_TYPE_INT32, RPM_HAS_FLAGS},
	[SLOT_USERS] = {1039, RPM_TYPE_STRING_ARRAY, RPM_HAS_USERS},
	[SLOT_GROUPS] = {1040, RPM_TYPE_STRING_ARRAY, RPM_HAS_GROUPS},
	[SLOT_SOURCE_RPM] = {1044, RPM_TYPE_STRING, 0},
	[SLOT_VERIFY] = {1045, RPM_TYPE_INT32, RPM_HAS_VERIFY},
	[SLOT_DEVICES] = {1095, RPM_TYPE_INT32, RPM_HAS_DEVICES},
	[SLOT_INODES] = {1096, RPM_TYPE_INT32, RPM_HAS_INODES},
	[SLOT_LANGS] = {1097, RPM_TYPE_STRING_ARRAY, RPM_HAS_LANGS},
	[SLOT_DIR_INDEXES] = {1116, RPM_TYPE_INT32, 0},
	[SLOT_BASE_NAMES] = {1117, RPM_TYPE_STRING_ARRAY, 0},
	[SLOT_DIR_NAMES] = {1118, RPM_TYPE_STRING_ARRAY, 0},
	[SLOT_COLORS] = {1140, RPM_TYPE_INT32, RPM_HAS_COLORS},
	[SLOT_LONG_SIZES] = {5008, RPM_TYPE_INT64, RPM_HAS_SIZES},
	[SLOT_CAPS] = {5010, RPM_TYPE_STRING_ARRAY, RPM_HAS_CAPS},
	[SLOT_DIGEST_ALGORITHM] = {5011, RPM_TYPE_INT32, 0},
	[SLOT_RPM_FORMAT] = {5114, RPM_TYPE_INT32, 0},
};

/* Values of one tag, read from front to back. */
struct values {
	bool is_there;
	uint32_t count; /* left */
	const uint8_t *at;
	const uint8_t *end;
};

struct parse {
	struct rpm_header *header;
	struct error *err;
	const uint8_t *data;
	const uint8_t *data_end;
	struct values values[SLOTS];
	struct bytes last[SLOTS]; /* what was copied last: owners repeat */
};

static int malformed(struct parse *p, const char *what)
{
	return error_set(p->err, ERROR_PEER, 0, "rpm header: %s", what);
}

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory for an rpm header");
}

static uint32_t load_be(const uint8_t *from, size_t size)
{
	uint32_t value = 0;

	for (size_t i = 0; i < size; i++) {
		value = value << 8 | from[i];
	}
	return value;
}

static size_t item_size(uint32_t type)
{
	static const uint8_t sizes[] = {0, 1, 1, 2, 4, 8, 1, 1, 1, 1};

	return type < sizeof(sizes) ? sizes[type] : 0;
}

/* The trailer stands at the region's end and says how many entries it has: all of them here. */
static int check_region(struct parse *p, const uint8_t *first, uint32_t entries, uint32_t data_len)
{
	const uint8_t *trailer = p->data_end - ENTRY_SIZE;

	if (load_be(first, 4) != TAG_REGION || load_be(first + 4, 4) != RPM_TYPE_BIN ||
	    load_be(first + 12, 4) != ENTRY_SIZE || data_len < ENTRY_SIZE ||
	    load_be(first + 8, 4) != data_len - ENTRY_SIZE) {
		return malformed(p, "it does not begin with a region");
	}
	if (load_be(trailer, 4) != TAG_REGION || load_be(trailer + 4, 4) != RPM_TYPE_BIN ||
	    load_be(trailer + 8, 4) != 0U - ENTRY_SIZE * entries ||
	    load_be(trailer + 12, 4) != ENTRY_SIZE) {
		return malformed(p, "the region's trailer does not fit");
	}
	return 0;
}

static int take_entry(struct parse *p, const uint8_t *entry)
{
	uint32_t tag = load_be(entry, 4), type = load_be(entry + 4, 4);
	uint32_t offset = load_be(entry + 8, 4), count = load_be(entry + 12, 4);
	size_t left = (size_t)(p->data_end - p->data);

	if (item_size(type) == 0 || offset > left || count > (left - offset) / item_size(type)) {
		return malformed(p, "an entry lies outside of the data");
	}
	for (size_t i = 0; i < SLOTS; i++) {
		struct values *values = &p->values[i];

		if (tag != wanted[i].tag) {
			continue;
		}
		/* Another type is another meaning: rpm, too, takes no notice of such a tag. */
		if (type != wanted[i].type || count == 0) {
			return malformed(p, "a tag has not the type it must have");
		}
		if (values->is_there) {
			return malformed(p, "a tag stands twice");
		}
		*values = (struct values){true, count, p->data + offset, p->data_end};
	}
	return 0;
}

static int read_index(struct parse *p, struct bytes message)
{
	static const uint8_t magic[8] = {0x8e, 0xad, 0xe8, 0x01};
	uint32_t entries, data_len;

	if (message.len < RPM_HEADER_HEAD || message.len > RPM_HEADER_SIZE_MAX ||
	    memcmp(message.data, magic, sizeof(magic)) != 0) {
		return malformed(p, "no such thing, or too large");
	}
	entries = load_be(message.data + 8, 4);
	data_len = load_be(message.data + 12, 4);
	if (entries == 0 || entries > RPM_HEADER_ENTRIES_MAX || data_len > RPM_HEADER_SIZE_MAX ||
	    RPM_HEADER_HEAD + (size_t)ENTRY_SIZE * entries + data_len != message.len) {
		return malformed(p, "its counts do not fit its length");
	}
	p->data = message.data + RPM_HEADER_HEAD + (size_t)ENTRY_SIZE * entries;
	p->data_end = p->data + data_len;
	if (check_region(p, message.data + RPM_HEADER_HEAD, entries, data_len) < 0) {
		return -1;
	}
	for (uint32_t i = 1; i < entries; i++) {
		if (take_entry(p, message.data + RPM_HEADER_HEAD + (size_t)ENTRY_SIZE * i) < 0) {
			return -1;
		}
	}
	return 0;
}

/* Numbers lie within the data by take_entry; where there are none, 0. */
static uint32_t next_number(struct parse *p, enum slot slot)
{
	struct values *values = &p->values[slot];
	size_t size = item_size(wanted[slot].type);
	uint32_t value;

	if (values->count == 0) {
		return 0;
	}
	value = load_be(values->at, size);
	values->at += size;
	values->count--;
	return value;
}

static uint64_t next_size(struct parse *p)
{
	struct values *values = &p->values[SLOT_LONG_SIZES];
	uint64_t value;

	if (!values->is_there) {
		return next_number(p, SLOT_SIZES);
	}
	if (values->count == 0) {
		return 0;
	}
	value = (uint64_t)load_be(values->at, 4) << 32 | load_be(values->at + 4, 4);
	values->at += 8;
	values->count--;
	return value;
}

/* Strings do not: each needs its NUL. Where there are none, "". */
static int next_string(struct parse *p, enum slot slot, struct bytes *string)
{
	struct values *values = &p->values[slot];
	const uint8_t *end;

	*string = bytes_make("", 0);
	if (values->count == 0) {
		return 0;
	}
	end = values->at < values->end
		      ? memchr(values->at, '\0', (size_t)(values->end - values->at))
		      : NULL;
	if (!end) {
		return malformed(p, "a string has no end");
	}
	*string = bytes_make(values->at, (size_t)(end - values->at));
	values->at = end + 1;
	values->count--;
	return 0;
}

/* Copied; the same as the one before shares its bytes. */
static int copy_string(struct parse *p, enum slot slot, struct bytes *string)
{
	bool ok = true;

	if (next_string(p, slot, string) < 0) {
		return -1;
	}
	if (string->len == 0) {
		return 0;
	}
	if (!bytes_equal(*string, p->last[slot])) {
		p->last[slot] = arena_copy(p->header->memory, *string, &ok);
	}
	*string = p->last[slot];
	return ok ? 0 : no_memory(p->err);
}

static int read_package(struct parse *p)
{
	struct rpm_header *h = p->header;
	char *evr;
	int len;

	if (copy_string(p, SLOT_NAME, &h->name) < 0 ||
	    copy_string(p, SLOT_VERSION, &h->version) < 0 ||
	    copy_string(p, SLOT_RELEASE, &h->release) < 0 ||
	    copy_string(p, SLOT_ARCH, &h->arch) < 0 ||
	    copy_string(p, SLOT_VENDOR, &h->vendor) < 0 ||
	    copy_string(p, SLOT_PACKAGER, &h->packager) < 0 ||
	    copy_string(p, SLOT_SOURCE_RPM, &h->source_rpm) < 0) {
		return -1;
	}
	if (h->name.len == 0 || h->version.len == 0 || h->release.len == 0) {
		return malformed(p, "name, version or release is missing");
	}
	if (h->name.len > PATH_LEN_MAX || h->version.len > PATH_LEN_MAX ||
	    h->release.len > PATH_LEN_MAX) {
		return malformed(p, "name, version or release is too long");
	}
	h->has_epoch = p->values[SLOT_EPOCH].is_there;
	h->epoch = next_number(p, SLOT_EPOCH);
	h->build_time_s = next_number(p, SLOT_BUILD_TIME);
	h->rpm_format = next_number(p, SLOT_RPM_FORMAT);
	h->digest_algorithm = p->values[SLOT_DIGEST_ALGORITHM].is_there
				      ? next_number(p, SLOT_DIGEST_ALGORITHM)
				      : RPM_DIGEST_MD5;
	evr = arena_alloc(h->memory, h->version.len + h->release.len + 16);
	if (!evr) {
		return no_memory(p->err);
	}
	len = snprintf(evr, h->version.len + h->release.len + 16, "%" PRIu32 ":%.*s-%.*s", h->epoch,
		       (int)h->version.len, (const char *)h->version.data, (int)h->release.len,
		       (const char *)h->release.data);
	h->evr = bytes_make(evr, (size_t)len);
	return 0;
}

/* Files */

static int check_columns(struct parse *p)
{
	const struct values *values = p->values;
	bool is_old = values[SLOT_OLD_FILE_NAMES].is_there;
	uint32_t count = values[is_old ? SLOT_OLD_FILE_NAMES : SLOT_BASE_NAMES].count;

	if (values[SLOT_BASE_NAMES].is_there != values[SLOT_DIR_NAMES].is_there ||
	    values[SLOT_BASE_NAMES].is_there != values[SLOT_DIR_INDEXES].is_there ||
	    (is_old && values[SLOT_BASE_NAMES].is_there) ||
	    (!is_old && values[SLOT_DIR_INDEXES].count != count)) {
		return malformed(p, "names of files and directories do not fit");
	}
	if (values[SLOT_SIZES].is_there && values[SLOT_LONG_SIZES].is_there) {
		return malformed(p, "sizes stand twice");
	}
	if (count > RPM_HEADER_FILES_MAX) {
		return malformed(p, "too many files");
	}
	for (size_t i = 0; i < SLOTS; i++) {
		if (wanted[i].column != 0 && values[i].is_there) {
			if (values[i].count != count) {
				return malformed(p, "a column has not one value for each file");
			}
			p->header->columns |= wanted[i].column;
		}
	}
	p->header->file_count = count;
	return 0;
}

/* Directory names are few and asked for by number. */
static int read_dirs(struct parse *p, struct bytes **dirs, uint32_t *count)
{
	uint32_t dir_count = p->values[SLOT_DIR_NAMES].count;

	*count = 0;
	/* Each takes a byte at least, so that this is no more than the header's size times 16. */
	*dirs = calloc(dir_count + (size_t)1, sizeof(**dirs));
	if (!*dirs) {
		return no_memory(p->err);
	}
	while (*count < dir_count) {
		if (next_string(p, SLOT_DIR_NAMES, &(*dirs)[*count]) < 0) {
			return -1;
		}
		(*count)++;
	}
	return 0;
}

/* One path, its parts found; `total` bounds all of them. */
static int join_path(struct parse *p, struct bytes dir, struct bytes base, size_t *total,
		     struct bytes *path)
{
	size_t len = dir.len + base.len;
	uint8_t *to;

	if (len == 0 || len > PATH_LEN_MAX || (dir.len > 0 ? dir : base).data[0] != '/') {
		return malformed(p, "a path is not absolute, or too long");
	}
	*total += len + 1;
	if (*total > RPM_HEADER_PATHS_MAX) {
		return malformed(p, "too many long paths");
	}
	to = arena_alloc(p->header->memory, len + 1);
	if (!to) {
		return no_memory(p->err);
	}
	memcpy(to, dir.data, dir.len);
	memcpy(to + dir.len, base.data, base.len);
	*path = bytes_make(to, len);
	return 0;
}

static int read_paths(struct parse *p)
{
	struct rpm_header *h = p->header;
	bool is_old = p->values[SLOT_OLD_FILE_NAMES].is_there;
	struct bytes *dirs = NULL, base, none = bytes_make("", 0);
	uint32_t dir_count = 0;
	size_t total = 0;
	int result = -1;

	if (read_dirs(p, &dirs, &dir_count) < 0) {
		goto out;
	}
	for (size_t i = 0; i < h->file_count; i++) {
		uint32_t dir = is_old ? 0 : next_number(p, SLOT_DIR_INDEXES);

		if (!is_old && dir >= dir_count) {
			(void)malformed(p, "a file is in no directory");
			goto out;
		}
		if (next_string(p, is_old ? SLOT_OLD_FILE_NAMES : SLOT_BASE_NAMES, &base) < 0 ||
		    join_path(p, is_old ? none : dirs[dir], base, &total, &h->files[i].path) < 0) {
			goto out;
		}
	}
	result = 0;
out:
	free(dirs);
	return result;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int read_digest(struct parse *p, struct bytes *digest)
{
	size_t size = rpm_digest_size(p->header->digest_algorithm);
	struct bytes text;
	uint8_t *to;

	if (next_string(p, SLOT_DIGESTS, &text) < 0) {
		return -1;
	}
	*digest = bytes_make("", 0);
	if (text.len == 0) {
		return 0;
	}
	if (text.len % 2 != 0 || text.len > (size_t)2 * RPM_DIGEST_MAX ||
	    (size != 0 && text.len != 2 * size)) {
		return malformed(p, "a file's digest has not its algorithm's length");
	}
	to = arena_alloc(p->header->memory, text.len / 2);
	if (!to) {
		return no_memory(p->err);
	}
	for (size_t i = 0; i < text.len; i++) {
		int digit = hex_digit(text.data[i]);

		if (digit < 0) {
			return malformed(p, "a file's digest is no number");
		}
		to[i / 2] = (uint8_t)(to[i / 2] << 4 | digit);
	}
	*digest = bytes_make(to, text.len / 2);
	return 0;
}

static int read_file(struct parse *p, struct rpm_file *file)
{
	file->mode = (uint16_t)next_number(p, SLOT_MODES);
	file->rdev = (uint16_t)next_number(p, SLOT_RDEVS);
	file->mtime_s = next_number(p, SLOT_MTIMES);
	file->size = next_size(p);
	file->flags = next_number(p, SLOT_FLAGS);
	file->verify = next_number(p, SLOT_VERIFY);
	file->color = next_number(p, SLOT_COLORS);
	file->device = next_number(p, SLOT_DEVICES);
	file->inode = next_number(p, SLOT_INODES);
	if (copy_string(p, SLOT_USERS, &file->user) < 0 ||
	    copy_string(p, SLOT_GROUPS, &file->group) < 0 ||
	    copy_string(p, SLOT_LINKS, &file->link) < 0 ||
	    copy_string(p, SLOT_CAPS, &file->caps) < 0 ||
	    copy_string(p, SLOT_LANGS, &file->langs) < 0) {
		return -1;
	}
	return read_digest(p, &file->digest);
}

/* As rpm does it (rpmfilesBuildNLink): regular, no ghost, one device and inode. */
static bool may_be_linked(const struct rpm_file *file)
{
	return S_ISREG(file->mode) && !(file->flags & RPM_FILE_GHOST) && file->inode != 0;
}

static int compare_inodes(const void *left, const void *right)
{
	const struct rpm_file *const *a = left, *const *b = right;
	int order = ((*a)->device > (*b)->device) - ((*a)->device < (*b)->device);

	if (order == 0) {
		order = ((*a)->inode > (*b)->inode) - ((*a)->inode < (*b)->inode);
	}
	return order != 0 ? order : (*a > *b) - (*a < *b);
}

static int find_hardlinks(struct parse *p)
{
	struct rpm_header *h = p->header;
	struct rpm_file **order = calloc(h->file_count + 1, sizeof(struct rpm_file *));
	uint32_t sets = 0;
	size_t count = 0;

	if (!order) {
		return no_memory(p->err);
	}
	for (size_t i = 0; i < h->file_count; i++) {
		if (may_be_linked(&h->files[i])) {
			order[count++] = &h->files[i];
		}
	}
	qsort(order, count, sizeof(struct rpm_file *), compare_inodes);
	for (size_t i = 1; i < count; i++) {
		if (order[i]->device != order[i - 1]->device ||
		    order[i]->inode != order[i - 1]->inode) {
			continue;
		}
		if (order[i - 1]->hardlinks == 0) {
			order[i - 1]->hardlinks = ++sets;
		}
		order[i]->hardlinks = order[i - 1]->hardlinks;
	}
	free(order);
	return 0;
}

static int read_files(struct parse *p)
{
	struct rpm_header *h = p->header;

	if (check_columns(p) < 0) {
		return -1;
	}
	h->files = arena_alloc(h->memory, h->file_count * sizeof(*h->files));
	if (!h->files) {
		return no_memory(p->err);
	}
	if (read_paths(p) < 0) {
		return -1;
	}
	for (size_t i = 0; i < h->file_count; i++) {
		if (read_file(p, &h->files[i]) < 0) {
			return -1;
		}
	}
	return find_hardlinks(p);
}

int rpm_header_parse(struct bytes message, struct rpm_header **header, struct error *err)
{
	struct parse p = {.err = err};

	*header = NULL;
	p.header = calloc(1, sizeof(*p.header));
	if (!p.header) {
		return no_memory(err);
	}
	p.header->memory = calloc(1, sizeof(*p.header->memory));
	if (!p.header->memory) {
		free(p.header);
		return no_memory(err);
	}
	if (read_index(&p, message) < 0 || read_package(&p) < 0 || read_files(&p) < 0) {
		rpm_header_free(p.header);
		return -1;
	}
	*header = p.header;
	return 0;
}

void rpm_header_free(struct rpm_header *header)
{
	if (header) {
		arena_clear(header->memory);
		free(header->memory);
		free(header);
	}
}

/* rpmFFlagsString of rpm's lib/rpmfi.c: the first that is set. */
char rpm_file_letter(uint32_t flags)
{
	static const struct {
		uint32_t flag;
		char letter;
	} letters[] = {
		{RPM_FILE_DOC, 'd'},       {RPM_FILE_CONFIG, 'c'},    {RPM_FILE_SPECFILE, 's'},
		{RPM_FILE_MISSINGOK, 'm'}, {RPM_FILE_NOREPLACE, 'n'}, {RPM_FILE_GHOST, 'g'},
		{RPM_FILE_LICENSE, 'l'},   {RPM_FILE_README, 'r'},    {RPM_FILE_ARTIFACT, 'a'},
	};

	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
		if (flags & letters[i].flag) {
			return letters[i].letter;
		}
	}
	return ' ';
}

size_t rpm_digest_size(uint32_t algorithm)
{
	switch (algorithm) {
	case RPM_DIGEST_MD5:
		return 16;
	case RPM_DIGEST_SHA1:
		return 20;
	case RPM_DIGEST_SHA256:
	case RPM_DIGEST_SHA3_256:
		return 32;
	case RPM_DIGEST_SHA384:
		return 48;
	case RPM_DIGEST_SHA512:
	case RPM_DIGEST_SHA3_512:
		return 64;
	case RPM_DIGEST_SHA224:
		return 28;
	default:
		return 0;
	}
}

// SPDX-License-Identifier: MIT
#include "baselines/rpm/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "baselines/arena.h"
#include "baselines/rpm/header.h"
#include "baselines/rpm/signature.h"

#define HEAD RPM_HEADER_HEAD
#define ENTRY_SIZE 16U
#define ENTRIES_MAX 65535U
#define SIGNATURE_ITEMS 16U
#define TAG_REGION 63U

static const uint8_t lead_magic[4] = {0xed, 0xab, 0xee, 0xdb};
static const uint8_t header_magic[8] = {0x8e, 0xad, 0xe8, 0x01};

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory for an .rpm");
}

static int malformed(struct error *err, const char *what)
{
	return error_set(err, ERROR_CONFIG, 0, "no sound .rpm: %s", what);
}

static uint32_t load_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The length of a header by its first HEAD bytes; false where they begin none, or above `most`. */
static bool header_len(const uint8_t *head, size_t most, size_t *len)
{
	uint32_t entries = load_be32(head + 8), data = load_be32(head + 12);

	*len = HEAD + (size_t)ENTRY_SIZE * entries + data;
	return memcmp(head, header_magic, sizeof(header_magic)) == 0 && entries <= ENTRIES_MAX &&
	       data <= most && *len <= most;
}

static bool data_len(struct bytes data, const struct rpm_item *item, uint32_t offset,
		     uint32_t count, size_t *len)
{
	size_t left = data.len - offset;

	if (item->type == RPM_TYPE_BIN) {
		*len = count;
		return count <= left;
	}
	/* Strings, as many as `count` says. */
	*len = 0;
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *from = data.data + offset + *len;
		const uint8_t *end = *len < left ? memchr(from, '\0', left - *len) : NULL;

		if (!end) {
			return false;
		}
		*len += (size_t)(end - from) + 1;
	}
	return true;
}

/* The tags that hold signatures over the header; others of the signature header prove nothing. */
static int take_signatures(struct rpm_section *section, struct bytes header, struct error *err)
{
	uint32_t entries = load_be32(header.data + 8);
	size_t index_len = HEAD + (size_t)ENTRY_SIZE * entries;
	struct bytes data = bytes_make(header.data + index_len, header.len - index_len);

	for (uint32_t i = 0; i < entries; i++) {
		const uint8_t *entry = header.data + HEAD + (size_t)ENTRY_SIZE * i;
		struct rpm_item item = {.part = RPM_ITEM_SIGNATURE,
					.tag = load_be32(entry),
					.type = load_be32(entry + 4)};
		uint32_t offset = load_be32(entry + 8), count = load_be32(entry + 12);
		size_t len;

		if (item.tag != RPM_TAG_RSAHEADER && item.tag != RPM_TAG_DSAHEADER &&
		    item.tag != RPM_TAG_OPENPGP) {
			continue;
		}
		if ((item.type != RPM_TYPE_BIN && item.type != RPM_TYPE_STRING_ARRAY) ||
		    offset > data.len || !data_len(data, &item, offset, count, &len)) {
			return malformed(err, "a signature lies outside of its header");
		}
		if (section->count == SIGNATURE_ITEMS) {
			return malformed(err, "too many signatures");
		}
		item.value = bytes_make(data.data + offset, len);
		section->items[section->count++] = item;
	}
	return 0;
}

/* Offsets of both headers: the second is aligned to 8 from the first. */
static int find_headers(struct bytes data, struct bytes *signatures, struct bytes *header,
			struct error *err)
{
	size_t at = RPM_FILE_LEAD, len;

	if (data.len < at + HEAD || memcmp(data.data, lead_magic, sizeof(lead_magic)) != 0) {
		return malformed(err, "it does not begin like one");
	}
	if (!header_len(data.data + at, RPM_FILE_SIGNATURES_MAX, &len) || data.len - at < len) {
		return malformed(err, "its signature header is broken or cut");
	}
	*signatures = bytes_make(data.data + at, len);
	at += (len + 7) / 8 * 8;
	if (data.len < at + HEAD || !header_len(data.data + at, RPM_HEADER_SIZE_MAX, &len) ||
	    data.len - at < len) {
		return malformed(err, "its header is broken or cut");
	}
	*header = bytes_make(data.data + at, len);
	return 0;
}

int rpm_file_parse(struct bytes data, struct rpm_file_front *front, struct error *err)
{
	struct bytes signatures, header;
	struct rpm_section *section = &front->section;

	*front = (struct rpm_file_front){.data = NULL};
	if (find_headers(data, &signatures, &header, err) < 0) {
		return -1;
	}
	section->memory = calloc(1, sizeof(*section->memory));
	if (section->memory) {
		section->items = arena_alloc(section->memory,
					     (SIGNATURE_ITEMS + 1) * sizeof(*section->items));
	}
	if (!section->items) {
		rpm_file_clear(front);
		return no_memory(err);
	}
	section->items[section->count++] = (struct rpm_item){
		.part = RPM_ITEM_REGION, .tag = TAG_REGION, .type = RPM_TYPE_BIN, .value = header};
	if (take_signatures(section, signatures, err) < 0) {
		rpm_file_clear(front);
		return -1;
	}
	return 0;
}

/* Reads until `want` bytes are there, or the file ends. */
static int read_until(int fd, uint8_t **data, size_t *len, size_t want, struct error *err)
{
	uint8_t *grown = realloc(*data, want + 1);

	if (!grown) {
		return no_memory(err);
	}
	*data = grown;
	while (*len < want) {
		ssize_t got = read(fd, *data + *len, want - *len);

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return error_set(err, ERROR_CONFIG, errno, "%s", strerror(errno));
		}
		if (got == 0) {
			return 0;
		}
		*len += (size_t)got;
	}
	return 0;
}

/* Step by step, so that no more than the headers is held; what is cut or broken parse says. */
static int read_front(int fd, uint8_t **data, size_t *len, struct error *err)
{
	size_t at = RPM_FILE_LEAD, size;

	if (read_until(fd, data, len, at + HEAD, err) < 0) {
		return -1;
	}
	if (*len < at + HEAD || !header_len(*data + at, RPM_FILE_SIGNATURES_MAX, &size)) {
		return 0;
	}
	at += (size + 7) / 8 * 8;
	if (read_until(fd, data, len, at + HEAD, err) < 0) {
		return -1;
	}
	if (*len < at + HEAD || !header_len(*data + at, RPM_HEADER_SIZE_MAX, &size)) {
		return 0;
	}
	return read_until(fd, data, len, at + size, err);
}

int rpm_file_read(const char *path, struct rpm_file_front *front, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), result = -1;
	uint8_t *data = NULL;
	struct stat st;
	size_t len = 0;

	*front = (struct rpm_file_front){.data = NULL};
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		(void)error_set(err, ERROR_CONFIG, fd < 0 ? errno : 0, "%s: %s", path,
				fd < 0 ? strerror(errno) : "not a regular file");
		goto out;
	}
	if (read_front(fd, &data, &len, err) < 0 ||
	    rpm_file_parse(bytes_make(data, len), front, err) < 0) {
		(void)error_prefix(err, "%s", path);
		goto out;
	}
	front->data = data;
	data = NULL;
	result = 0;
out:
	if (fd >= 0) {
		(void)close(fd);
	}
	free(data);
	return result;
}

void rpm_file_clear(struct rpm_file_front *front)
{
	rpm_section_clear(&front->section);
	free(front->data);
	*front = (struct rpm_file_front){.data = NULL};
}

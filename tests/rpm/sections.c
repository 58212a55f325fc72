// SPDX-License-Identifier: MIT
#include "tests/rpm/sections.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "schema/record.h"

static int read_all(int fd, struct rpm_sections *sections)
{
	size_t room = 0;
	ssize_t got = 1;

	while (got > 0) {
		if (sections->len == room) {
			room = 2 * room + 65536;
			sections->data = realloc(sections->data, room);
			if (!sections->data) {
				abort();
			}
		}
		got = read(fd, sections->data + sections->len, room - sections->len);
		sections->len += got > 0 ? (size_t)got : 0;
	}
	return got < 0 ? -1 : 0;
}

static int next(struct rpm_sections *sections, size_t *at, struct bytes *value)
{
	const uint8_t *from = sections->data + *at;
	size_t len;

	if (sections->len - *at < 4) {
		return -1;
	}
	len = (size_t)from[0] << 24 | (size_t)from[1] << 16 | (size_t)from[2] << 8 | from[3];
	if (sections->len - *at - 4 < len) {
		return -1;
	}
	*value = bytes_make(from + 4, len);
	*at += 4 + len;
	return 0;
}

static int split(struct rpm_sections *sections)
{
	size_t at = 0, room = 0;

	while (at < sections->len) {
		struct bytes key, content;

		if (next(sections, &at, &key) < 0 || next(sections, &at, &content) < 0) {
			return -1;
		}
		if (sections->count == room) {
			room = 2 * room + 64;
			sections->section =
				realloc(sections->section, room * sizeof(*sections->section));
			if (!sections->section) {
				abort();
			}
		}
		sections->section[sections->count].content = content;
		if (!section_key_decode(key, &sections->section[sections->count++].key)) {
			return -1;
		}
	}
	return 0;
}

int rpm_sections_read(const char *root, struct rpm_sections *sections)
{
	int pipe_fd[2], status = 0, result;
	pid_t child;

	memset(sections, 0, sizeof(*sections));
	if (pipe(pipe_fd) < 0 || (child = fork()) < 0) {
		return -1;
	}
	if (child == 0) {
		(void)dup2(pipe_fd[1], STDOUT_FILENO);
		(void)close(pipe_fd[0]);
		(void)close(pipe_fd[1]);
		(void)execl(RPM_SECTIONS, RPM_SECTIONS, root, (char *)NULL);
		_exit(127);
	}
	(void)close(pipe_fd[1]);
	result = read_all(pipe_fd[0], sections);
	(void)close(pipe_fd[0]);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		return -1;
	}
	return result < 0 ? -1 : split(sections);
}

void rpm_sections_free(struct rpm_sections *sections)
{
	free(sections->section);
	free(sections->data);
	memset(sections, 0, sizeof(*sections));
}

static void put_be32(uint8_t *to, uint32_t value)
{
	for (int i = 0; i < 4; i++) {
		to[i] = (uint8_t)(value >> (24 - 8 * i));
	}
}

static void write_chunk(struct cbor_writer *w, const struct rpm_part_of *item, uint32_t number,
			struct bytes value)
{
	uint8_t tag[4], type = (uint8_t)item->type, count[4];
	struct record record = {.count = HEADER_FIELDS};

	put_be32(tag, item->tag);
	put_be32(count, number);
	record.field[HEADER_PART] = bytes_from_string(item->part);
	record.field[HEADER_TAG] = bytes_make(tag, sizeof(tag));
	record.field[HEADER_TYPE] = bytes_make(&type, 1);
	record.field[HEADER_CHUNK] = bytes_make(count, sizeof(count));
	record.field[HEADER_VALUE] = value;
	record_encode(w, &record);
}

struct bytes rpm_section_write(const struct rpm_part_of *items, size_t count)
{
	size_t room = 0;
	struct cbor_writer w;
	uint8_t *data;

	for (size_t i = 0; i < count; i++) {
		room += items[i].value.len + 64 * (items[i].value.len / HEADER_CHUNK_SIZE + 1);
	}
	data = malloc(room + 1);
	if (!data) {
		abort();
	}
	cbor_writer_init(&w, data, room);
	for (size_t i = 0; i < count; i++) {
		struct bytes left = items[i].value;
		uint32_t number = 0;

		do {
			size_t take = left.len < HEADER_CHUNK_SIZE ? left.len : HEADER_CHUNK_SIZE;

			write_chunk(&w, &items[i], number++, bytes_make(left.data, take));
			left = bytes_make(left.data + take, left.len - take);
		} while (left.len > 0);
	}
	if (w.overflow) {
		abort();
	}
	return bytes_make(data, w.len);
}

// SPDX-License-Identifier: MIT
/*
 * rpm_sections [--paths|--stamps] ROOT: what the probe's reader makes of the rpm database below
 * ROOT, on standard output: for each package and each of [header] and [claims] one record of
 * tests/rpm/sections.h. With an option only a part of the work is done, and counted: for benches.
 * A program of its own, because the probe's libraries and the controller's do not link together.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "payloads/package_db.h"
#include "schema/cbor.h"

struct output {
	uint8_t *content;
	size_t len;
	size_t room;
	int gaps;
};

static void note_gap(void *context, struct bytes subject, enum coverage_state state,
		     const char *reason, uint64_t count)
{
	struct output *output = context;

	(void)state;
	output->gaps++;
	(void)fprintf(stderr, "rpm_sections: %.*s: %s (%llu)\n", (int)subject.len,
		      (const char *)subject.data, reason, (unsigned long long)count);
}

static bool add_record(void *context, const struct record *record)
{
	struct output *output = context;
	struct cbor_writer w;

	if (output->room - output->len < RECORD_SIZE_MAX) {
		output->room = 2 * output->room + RECORD_SIZE_MAX;
		output->content = realloc(output->content, output->room);
		if (!output->content) {
			abort();
		}
	}
	cbor_writer_init(&w, output->content + output->len, output->room - output->len);
	record_encode(&w, record);
	if (w.overflow) {
		abort();
	}
	output->len += w.len;
	return true;
}

static void put(const void *data, size_t len)
{
	uint8_t head[4] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
			   (uint8_t)len};

	if (fwrite(head, 1, sizeof(head), stdout) != sizeof(head) ||
	    (len > 0 && fwrite(data, 1, len, stdout) != len)) {
		abort();
	}
}

static void put_section(struct package_db *db, uint32_t index, enum section_kind kind,
			struct output *output)
{
	uint8_t room[SECTION_KEY_MAX];
	struct package package;
	struct section_key key;
	struct cbor_writer w;

	package_db_package(db, index, &package);
	key = section_key_make(kind, BYTES_LITERAL("rpm"), package.name, package.version,
			       package.arch);
	cbor_writer_init(&w, room, sizeof(room));
	section_key_encode(&w, &key);
	output->len = 0;
	(void)package_db_records(db, kind, index, add_record, output);
	put(room, w.len);
	put(output->content, output->len);
}

static bool count_path(void *context, const struct claim *claim)
{
	uint64_t *paths = context;

	(void)claim;
	(*paths)++;
	return true;
}

static void count_only(struct package_db *db, bool stamps)
{
	uint64_t paths = 0, xored = 0;

	for (uint32_t i = 0; i < package_db_count(db); i++) {
		if (stamps) {
			xored ^= package_db_stamp(db, i);
		} else {
			(void)package_db_claims(db, i, false, count_path, &paths);
		}
	}
	printf("%u packages, %llu paths, stamp %016llx\n", package_db_count(db),
	       (unsigned long long)paths, (unsigned long long)xored);
}

int main(int argc, char **argv)
{
	bool stamps = argc == 3 && strcmp(argv[1], "--stamps") == 0;
	bool paths = argc == 3 && strcmp(argv[1], "--paths") == 0;
	struct output output = {0};
	struct package_db_host host = {.context = &output, .gap = note_gap};
	struct package_db *db = NULL;

	host.root_fd = argc == 2 + (stamps || paths)
			       ? open(argv[argc - 1], O_RDONLY | O_DIRECTORY | O_CLOEXEC)
			       : -1;
	if (host.root_fd < 0 || package_db_open(&package_db_rpm, &host, &db) != PACKAGE_DB_FOUND) {
		(void)fprintf(stderr, "usage: rpm_sections ROOT (with an rpm database)\n");
		return 2;
	}
	if (stamps || paths) {
		count_only(db, stamps);
	}
	for (uint32_t i = 0; !stamps && !paths && i < package_db_count(db); i++) {
		put_section(db, i, SECTION_HEADER, &output);
		put_section(db, i, SECTION_CLAIMS, &output);
	}
	package_db_close(db);
	free(output.content);
	(void)close(host.root_fd);
	return fflush(stdout) == 0 && output.gaps == 0 ? 0 : 1;
}

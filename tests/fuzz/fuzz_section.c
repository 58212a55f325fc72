// SPDX-License-Identifier: MIT
/*
 * A section's bytes as entries and as records: what decodes must encode to the very same bytes, or
 * one content could have two digests.
 */
#include <assert.h>
#include <stdlib.h>

#include "schema/entry.h"
#include "schema/record.h"
#include "schema/section.h"
#include "tests/fuzz/fuzz.h"

static void check_same(const struct cbor_writer *w, struct bytes data, size_t from, size_t to)
{
	assert(!w->overflow);
	assert(w->len == to - from);
	assert(memcmp(w->data, data.data + from, w->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes all = bytes_make(data, size);
	uint8_t *buffer = malloc(size + ENTRY_SIZE_MAX);
	struct section_key key;
	struct cbor_reader r;
	struct cbor_writer w;

	assert(buffer);
	cbor_reader_init(&r, all);
	while (cbor_reader_has_more(&r)) {
		struct entry entry;
		size_t from = r.at;

		if (entry_decode(&r, &entry)) {
			cbor_writer_init(&w, buffer, ENTRY_SIZE_MAX);
			entry_encode(&w, &entry);
			check_same(&w, all, from, r.at);
		}
	}
	cbor_reader_init(&r, all);
	while (cbor_reader_has_more(&r)) {
		struct record record;
		size_t from = r.at;

		if (record_decode(&r, &record)) {
			cbor_writer_init(&w, buffer, size + ENTRY_SIZE_MAX);
			record_encode(&w, &record);
			check_same(&w, all, from, r.at);
		}
	}
	if (section_key_decode(all, &key)) {
		cbor_writer_init(&w, buffer, size + ENTRY_SIZE_MAX);
		section_key_encode(&w, &key);
		check_same(&w, all, 0, size);
	}
	free(buffer);
	return 0;
}

// SPDX-License-Identifier: MIT
/*
 * Every message decoder on the same bytes: none may read beyond them, and what one accepts must be
 * one whole CBOR item.
 */
#include <assert.h>

#include "schema/message.h"
#include "tests/fuzz/fuzz.h"

static bool drain_lists(struct bytes payload)
{
	struct list_reader list;
	struct list_item item;
	struct hash_reader hash;
	struct hash_run run;
	struct want_reader want;
	struct want_item wanted;
	bool whole = false;

	if (list_decode(payload, &list)) {
		while (list_next(&list, &item)) {
			struct section_key key;

			(void)section_key_decode(item.key, &key);
		}
		whole = whole || !list.r.failed;
	}
	if (hash_decode(payload, &hash)) {
		while (hash_next(&hash, &run)) {
			assert(run.count > 0);
		}
		whole = whole || !hash.r.failed;
	}
	if (want_decode(payload, &want)) {
		while (want_next(&want, &wanted)) {
		}
		whole = whole || !want.r.failed;
	}
	return whole;
}

static bool drain_streams(struct bytes payload)
{
	struct timeline_reader timeline;
	struct timeline_item moment;
	struct coverage_reader coverage;
	struct coverage_item row;
	bool whole = false;

	if (timeline_decode(payload, &timeline)) {
		while (timeline_next(&timeline, &moment)) {
		}
		whole = whole || !timeline.r.failed;
	}
	if (coverage_decode(payload, &coverage)) {
		while (coverage_next(&coverage, &row)) {
		}
		whole = whole || !coverage.r.failed;
	}
	return whole;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes payload = bytes_make(data, size);
	struct hello hello;
	struct plan plan;
	struct root root;
	struct proof proof;
	struct digest_message digest;
	struct object object;
	struct end end;
	enum ask_mode mode;
	bool whole = hello_decode(payload, &hello);

	whole = plan_decode(payload, &plan) || whole;
	whole = root_decode(payload, &root) || whole;
	whole = ask_decode(payload, &mode) || whole;
	whole = proof_decode(payload, &proof) || whole;
	whole = digest_decode(payload, &digest) || whole;
	whole = object_decode(payload, &object) || whole;
	whole = finish_decode(payload) || whole;
	whole = end_decode(payload, &end) || whole;
	whole = drain_lists(payload) || whole;
	whole = drain_streams(payload) || whole;
	if (whole) {
		assert(cbor_item_size(payload, 4) == size);
		assert(message_type_of(payload) != 0);
	}
	return 0;
}

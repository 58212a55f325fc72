// SPDX-License-Identifier: MIT
#include "controller/judge/observation.h"

#include "schema/cbor.h"

const struct observed_section *observation_find(const struct observation *o, struct bytes key)
{
	size_t low = 0, high = o->section_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = bytes_compare(o->sections[middle].key, key);

		if (order == 0) {
			return &o->sections[middle];
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}

static size_t lower_bound(const struct observation *o, struct bytes key)
{
	size_t low = 0, high = o->section_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bytes_compare(o->sections[middle].key, key) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

struct section_range observation_range(const struct observation *o, enum section_kind kind,
				       struct bytes manager)
{
	const struct bytes none = {NULL, 0};
	struct section_key key = section_key_make(kind, none, none, none, none);
	uint8_t room[128];
	struct section_range range;
	struct cbor_writer w;
	struct bytes prefix;

	cbor_writer_init(&w, room, sizeof(room));
	cbor_write_array(&w, key.count);
	cbor_write_bytes(&w, key.part[0]);
	if (section_kind_is_of_package(kind)) {
		cbor_write_bytes(&w, manager);
	}
	prefix = bytes_make(room, w.len);
	range.prefix = w.len;
	range.from = range.to = lower_bound(o, prefix);
	while (range.to < o->section_count && bytes_has_prefix(o->sections[range.to].key, prefix)) {
		range.to++;
	}
	return range;
}

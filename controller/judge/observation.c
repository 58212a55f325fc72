// SPDX-License-Identifier: MIT
#include "controller/judge/observation.h"

#include "controller/judge/path_class.h"
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

/*
 * What hides more than the place it names. A lock held or a stanza given twice does not: the host
 * could say so every night, and nothing would ever be missing.
 */
static bool is_everywhere(const struct coverage_item *item)
{
	static const char *const narrow[] = {"locked", "changed", "duplicate", "too-large", "link"};

	for (size_t i = 0; i < sizeof(narrow) / sizeof(narrow[0]); i++) {
		if (bytes_equal_string(item->reason, narrow[i])) {
			return false;
		}
	}
	return true;
}

bool coverage_is_gap(const struct coverage_item *item)
{
	return item->state != COVERAGE_DONE && !bytes_equal_string(item->reason, "absent");
}

/* Below the root of all is everywhere too. */
bool coverage_is_gap_everywhere(const struct coverage_item *item)
{
	bool is_place = item->subject.len > 1 && item->subject.data[0] == '/';

	return coverage_is_gap(item) && !is_place && is_everywhere(item);
}

bool coverage_is_of_files(const struct coverage_item *item)
{
	return item->subject.len == 0 && bytes_equal_string(item->reason, "denied") &&
	       (bytes_equal_string(item->check, "packages") ||
		bytes_equal_string(item->check, "tree"));
}

static bool hides_folders(const struct coverage_item *item)
{
	return coverage_is_gap_everywhere(item) && !coverage_is_of_files(item);
}

static const char *check_of(enum section_kind kind)
{
	return kind == SECTION_TREE ? "tree" : "volatile";
}

static bool has_section_below(const struct observation *o, enum section_kind kind,
			      struct bytes folder)
{
	const struct bytes none = {NULL, 0};
	struct section_range range = observation_range(o, kind, none);
	struct section_key key;

	for (size_t i = range.from; i < range.to; i++) {
		if (section_key_decode(o->sections[i].key, &key) &&
		    path_is_below(key.part[1], folder)) {
			return true;
		}
	}
	return false;
}

static bool left_out_place(const struct observation *o, enum section_kind kind, struct bytes path,
			   bool has_section)
{
	for (size_t i = 0; i < o->coverage_count; i++) {
		const struct coverage_item *item = &o->coverage[i];

		if (!coverage_is_gap(item) || !bytes_equal_string(item->check, check_of(kind))) {
			continue;
		}
		if (hides_folders(item)
			    ? !has_section
			    : item->subject.len > 1 && path_is_below(path, item->subject) &&
				      !has_section_below(o, kind, item->subject)) {
			return true;
		}
	}
	return false;
}

bool observation_left_out(const struct observation *o, const struct section_key *key)
{
	struct section_range range;

	if (key->kind == SECTION_TREE || key->kind == SECTION_VOLATILE) {
		return left_out_place(o, key->kind, key->part[1], false);
	}
	if (!section_kind_is_of_package(key->kind)) {
		return true; /* the host's one section of its kind */
	}
	range = observation_range(o, key->kind, key->part[1]);
	return range.from == range.to;
}

bool observation_left_out_path(const struct observation *o, struct bytes path, bool has_section)
{
	return left_out_place(o, SECTION_TREE, path, has_section);
}

bool observation_is_whole(const struct observation *o, const struct observed_section *section)
{
	struct section_key key;

	if (section->unread > 0 || !section_key_decode(section->key, &key)) {
		return false;
	}
	for (size_t i = 0; i < o->coverage_count; i++) {
		const struct coverage_item *item = &o->coverage[i];

		if ((key.kind == SECTION_TREE || key.kind == SECTION_VOLATILE) &&
		    coverage_is_gap(item) && bytes_equal_string(item->check, check_of(key.kind)) &&
		    (hides_folders(item) ||
		     (item->subject.len > 1 && (path_is_below(item->subject, key.part[1]) ||
						path_is_below(key.part[1], item->subject))))) {
			return false;
		}
	}
	return true;
}

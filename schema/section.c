// SPDX-License-Identifier: MIT
#include "schema/section.h"

static const struct {
	const char *name;
	size_t parts;
	bool entries;
} kinds[SECTION_KINDS] = {
	[SECTION_PACKAGE] = {"package", 5, true},
	[SECTION_CONFIG] = {"config", 5, true},
	[SECTION_CLAIMS] = {"claims", 5, false},
	[SECTION_MD5] = {"md5", 5, false},
	[SECTION_LABEL] = {"label", 5, false},
	[SECTION_HEADER] = {"header", 5, false},
	[SECTION_PACKAGES] = {"packages", 2, false},
	[SECTION_INSTALLS] = {"installs", 2, false},
	[SECTION_EXCEPTIONS] = {"exceptions", 2, false},
	[SECTION_DIRS] = {"dirs", 1, true},
	[SECTION_TREE] = {"tree", 2, true},
	[SECTION_VOLATILE] = {"volatile", 2, true},
	[SECTION_SETID] = {"setid", 1, true},
	[SECTION_FLAGS] = {"flags", 1, false},
	[SECTION_MOUNTS] = {"mounts", 1, false},
	[SECTION_HOST] = {"host", 1, false},
};

const char *section_kind_name(enum section_kind kind)
{
	return kind < SECTION_KINDS ? kinds[kind].name : "unknown";
}

bool section_kind_has_entries(enum section_kind kind)
{
	return kind < SECTION_KINDS && kinds[kind].entries;
}

bool section_kind_is_of_package(enum section_kind kind)
{
	return kind < SECTION_KINDS && kinds[kind].parts == 5;
}

struct section_key section_key_make(enum section_kind kind, struct bytes a, struct bytes b,
				    struct bytes c, struct bytes d)
{
	return (struct section_key){
		.kind = kind,
		.count = kinds[kind].parts,
		.part = {bytes_from_string(kinds[kind].name), a, b, c, d},
	};
}

void section_key_encode(struct cbor_writer *w, const struct section_key *key)
{
	cbor_write_array(w, key->count);
	for (size_t i = 0; i < key->count; i++) {
		cbor_write_bytes(w, key->part[i]);
	}
}

bool section_key_decode(struct bytes encoded, struct section_key *key)
{
	struct cbor_reader r;

	*key = (struct section_key){.kind = SECTION_KINDS};
	if (encoded.len > SECTION_KEY_MAX) {
		return false;
	}
	cbor_reader_init(&r, encoded);
	key->count = (size_t)cbor_read_array(&r, SECTION_PARTS_MAX);
	for (size_t i = 0; i < key->count; i++) {
		key->part[i] = cbor_read_bytes(&r);
	}
	if (!cbor_reader_is_done(&r)) {
		return false;
	}
	for (unsigned k = 0; k < SECTION_KINDS; k++) {
		if (key->count == kinds[k].parts &&
		    bytes_equal_string(key->part[0], kinds[k].name)) {
			key->kind = (enum section_kind)k;
			return true;
		}
	}
	return false;
}

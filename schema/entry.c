// SPDX-License-Identifier: MIT
#include "schema/entry.h"

/* Keys of the map; the order is the wire's. A new field takes a new number at the end. */
enum field {
	FIELD_PATH = 0,
	FIELD_TYPE,
	FIELD_MODE,
	FIELD_OWNER,
	FIELD_GROUP,
	FIELD_SIZE,
	FIELD_SHA256,
	FIELD_LINK,
	FIELD_CAPS,
	FIELD_ACL,
	FIELD_FLAGS,
	FIELD_MTIME,
	FIELD_MAJOR,
	FIELD_MINOR,
	FIELD_MAGIC,
	FIELD_DEFAULT_ACL,
	FIELD_HEAD,
	FIELDS
};

static void write_optional(struct cbor_writer *w, enum field field, struct bytes value)
{
	if (value.len > 0) {
		cbor_write_uint(w, field);
		cbor_write_bytes(w, value);
	}
}

void entry_encode(struct cbor_writer *w, const struct entry *entry)
{
	uint64_t fields = 5;

	fields += (uint64_t)entry->has_size + (uint64_t)entry->has_sha256 + (entry->link.len > 0) +
		  (entry->caps.len > 0) + (entry->acl.len > 0) + (entry->flags != 0) +
		  (uint64_t)entry->has_mtime + (entry->has_device ? 2U : 0U) +
		  (entry->magic != ENTRY_MAGIC_NONE) + (entry->default_acl.len > 0) +
		  (entry->head.len > 0);
	cbor_write_map(w, fields);
	cbor_write_uint(w, FIELD_PATH);
	cbor_write_bytes(w, entry->path);
	cbor_write_uint(w, FIELD_TYPE);
	cbor_write_uint(w, entry->type);
	cbor_write_uint(w, FIELD_MODE);
	cbor_write_uint(w, entry->mode);
	cbor_write_uint(w, FIELD_OWNER);
	cbor_write_bytes(w, entry->owner);
	cbor_write_uint(w, FIELD_GROUP);
	cbor_write_bytes(w, entry->group);
	if (entry->has_size) {
		cbor_write_uint(w, FIELD_SIZE);
		cbor_write_uint(w, entry->size);
	}
	if (entry->has_sha256) {
		cbor_write_uint(w, FIELD_SHA256);
		cbor_write_bytes(w, bytes_make(entry->sha256.bytes, DIGEST_SIZE));
	}
	write_optional(w, FIELD_LINK, entry->link);
	write_optional(w, FIELD_CAPS, entry->caps);
	write_optional(w, FIELD_ACL, entry->acl);
	if (entry->flags != 0) {
		cbor_write_uint(w, FIELD_FLAGS);
		cbor_write_uint(w, entry->flags);
	}
	if (entry->has_mtime) {
		cbor_write_uint(w, FIELD_MTIME);
		cbor_write_int(w, entry->mtime_s);
	}
	if (entry->has_device) {
		cbor_write_uint(w, FIELD_MAJOR);
		cbor_write_uint(w, entry->major);
		cbor_write_uint(w, FIELD_MINOR);
		cbor_write_uint(w, entry->minor);
	}
	if (entry->magic != ENTRY_MAGIC_NONE) {
		cbor_write_uint(w, FIELD_MAGIC);
		cbor_write_uint(w, entry->magic);
	}
	write_optional(w, FIELD_DEFAULT_ACL, entry->default_acl);
	write_optional(w, FIELD_HEAD, entry->head);
}

/* An optional byte string is never written empty, so an empty one is not canonical. */
static struct bytes read_optional(struct cbor_reader *r, size_t most)
{
	struct bytes value = cbor_read_bytes_max(r, most);

	if (value.len == 0) {
		cbor_reader_fail(r);
	}
	return value;
}

static void decode_field(struct cbor_reader *r, enum field field, struct entry *entry)
{
	switch (field) {
	case FIELD_PATH:
		entry->path = cbor_read_bytes_max(r, ENTRY_PATH_MAX);
		break;
	case FIELD_TYPE:
		entry->type = (enum entry_type)cbor_read_uint_max(r, ENTRY_SOCKET);
		break;
	case FIELD_MODE:
		entry->mode = (uint32_t)cbor_read_uint_max(r, 07777);
		break;
	case FIELD_OWNER:
		entry->owner = cbor_read_bytes_max(r, ENTRY_NAME_MAX);
		break;
	case FIELD_GROUP:
		entry->group = cbor_read_bytes_max(r, ENTRY_NAME_MAX);
		break;
	case FIELD_SIZE:
		entry->has_size = true;
		entry->size = cbor_read_uint(r);
		break;
	case FIELD_SHA256:
		entry->has_sha256 = true;
		cbor_read_fixed(r, entry->sha256.bytes, DIGEST_SIZE);
		break;
	case FIELD_LINK:
		entry->link = read_optional(r, ENTRY_PATH_MAX);
		break;
	case FIELD_CAPS:
		entry->caps = read_optional(r, ENTRY_CAPS_MAX);
		break;
	case FIELD_ACL:
		entry->acl = read_optional(r, ENTRY_ACL_MAX);
		break;
	case FIELD_FLAGS:
		entry->flags = (uint32_t)cbor_read_uint_max(r, ENTRY_IMMUTABLE | ENTRY_APPEND);
		break;
	case FIELD_MTIME:
		entry->has_mtime = true;
		entry->mtime_s = cbor_read_int(r);
		break;
	case FIELD_MAJOR:
		entry->has_device = true;
		entry->major = (uint32_t)cbor_read_uint_max(r, UINT32_MAX);
		break;
	case FIELD_MINOR:
		entry->minor = (uint32_t)cbor_read_uint_max(r, UINT32_MAX);
		break;
	case FIELD_MAGIC:
		entry->magic = (enum entry_magic)cbor_read_uint_max(r, ENTRY_MAGIC_SCRIPT);
		break;
	case FIELD_DEFAULT_ACL:
		entry->default_acl = read_optional(r, ENTRY_ACL_MAX);
		break;
	case FIELD_HEAD:
		entry->head = read_optional(r, ENTRY_HEAD_MAX);
		break;
	case FIELDS:
		break;
	}
}

bool entry_decode(struct cbor_reader *r, struct entry *entry)
{
	const uint32_t required = 1U << FIELD_PATH | 1U << FIELD_TYPE | 1U << FIELD_MODE |
				  1U << FIELD_OWNER | 1U << FIELD_GROUP;
	const uint32_t device = 1U << FIELD_MAJOR | 1U << FIELD_MINOR;
	uint64_t fields = cbor_read_map(r, FIELDS);
	uint32_t seen = 0;

	memset(entry, 0, sizeof(*entry));
	for (uint64_t i = 0; i < fields && !r->failed; i++) {
		uint64_t field = cbor_read_uint_max(r, FIELDS - 1);

		/* Ascending and unique: no bit at or above this one may be set. */
		if (seen >> field != 0) {
			cbor_reader_fail(r);
			break;
		}
		seen |= 1U << field;
		decode_field(r, (enum field)field, entry);
	}
	if ((seen & required) != required || entry->type == 0 || entry->path.len == 0 ||
	    (seen & (1U << FIELD_FLAGS) && entry->flags == 0) ||
	    (seen & (1U << FIELD_MAGIC) && entry->magic == ENTRY_MAGIC_NONE) ||
	    ((seen & device) != 0 && (seen & device) != device)) {
		cbor_reader_fail(r);
	}
	return !r->failed;
}

const char *entry_type_name(enum entry_type type)
{
	static const char *const names[] = {
		[ENTRY_FILE] = "file",     [ENTRY_DIR] = "dir",     [ENTRY_LINK] = "link",
		[ENTRY_CHAR] = "char",     [ENTRY_BLOCK] = "block", [ENTRY_FIFO] = "fifo",
		[ENTRY_SOCKET] = "socket",
	};

	return type >= ENTRY_FILE && type <= ENTRY_SOCKET ? names[type] : "unknown";
}

bool entry_equal(const struct entry *a, const struct entry *b)
{
	return a->type == b->type && a->mode == b->mode && bytes_equal(a->owner, b->owner) &&
	       bytes_equal(a->group, b->group) && a->has_size == b->has_size &&
	       a->size == b->size && a->has_sha256 == b->has_sha256 &&
	       digest_equal(&a->sha256, &b->sha256) && bytes_equal(a->link, b->link) &&
	       bytes_equal(a->caps, b->caps) && bytes_equal(a->acl, b->acl) &&
	       a->flags == b->flags && a->has_mtime == b->has_mtime && a->mtime_s == b->mtime_s &&
	       a->has_device == b->has_device && a->major == b->major && a->minor == b->minor &&
	       a->magic == b->magic && bytes_equal(a->default_acl, b->default_acl) &&
	       bytes_equal(a->head, b->head);
}

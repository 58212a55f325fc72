// SPDX-License-Identifier: MIT
#include "schema/cbor.h"

/* Major types, RFC 8949 section 3.1. */
enum major {
	MAJOR_UINT = 0,
	MAJOR_NEGATIVE = 1,
	MAJOR_BYTES = 2,
	MAJOR_TEXT = 3,
	MAJOR_ARRAY = 4,
	MAJOR_MAP = 5,
	MAJOR_SIMPLE = 7,
};

/* Simple values, RFC 8949 section 3.3. */
#define SIMPLE_FALSE 20
#define SIMPLE_TRUE 21
#define SIMPLE_NULL 22

void cbor_writer_init(struct cbor_writer *w, uint8_t *data, size_t room)
{
	*w = (struct cbor_writer){.data = data, .room = room};
}

static void put(struct cbor_writer *w, const uint8_t *data, size_t len)
{
	if (w->overflow || len > w->room - w->len) {
		w->overflow = true;
		return;
	}
	if (len > 0) {
		memcpy(w->data + w->len, data, len);
		w->len += len;
	}
}

/* The shortest head for `value`: RFC 8949 section 4.2.1. */
static void put_head(struct cbor_writer *w, enum major major, uint64_t value)
{
	uint8_t head[9];
	uint8_t type = (uint8_t)((unsigned)major << 5);
	unsigned size;

	if (value < 24) {
		head[0] = (uint8_t)(type | value);
		put(w, head, 1);
		return;
	}
	size = value <= 0xff ? 1 : value <= 0xffff ? 2 : value <= 0xffffffff ? 4 : 8;
	head[0] = (uint8_t)(type | (size == 1 ? 24 : size == 2 ? 25 : size == 4 ? 26 : 27));
	for (unsigned i = 0; i < size; i++) {
		head[1 + i] = (uint8_t)(value >> (8 * (size - 1 - i)));
	}
	put(w, head, 1 + size);
}

void cbor_write_uint(struct cbor_writer *w, uint64_t value)
{
	put_head(w, MAJOR_UINT, value);
}

void cbor_write_int(struct cbor_writer *w, int64_t value)
{
	if (value < 0) {
		put_head(w, MAJOR_NEGATIVE, (uint64_t)(-(value + 1)));
	} else {
		put_head(w, MAJOR_UINT, (uint64_t)value);
	}
}

void cbor_write_bytes(struct cbor_writer *w, struct bytes value)
{
	put_head(w, MAJOR_BYTES, value.len);
	put(w, value.data, value.len);
}

void cbor_write_text(struct cbor_writer *w, const char *value)
{
	size_t len = strlen(value);

	put_head(w, MAJOR_TEXT, len);
	put(w, (const uint8_t *)value, len);
}

void cbor_write_array(struct cbor_writer *w, uint64_t count)
{
	put_head(w, MAJOR_ARRAY, count);
}

void cbor_write_map(struct cbor_writer *w, uint64_t count)
{
	put_head(w, MAJOR_MAP, count);
}

void cbor_write_bool(struct cbor_writer *w, bool value)
{
	put_head(w, MAJOR_SIMPLE, value ? SIMPLE_TRUE : SIMPLE_FALSE);
}

void cbor_write_null(struct cbor_writer *w)
{
	put_head(w, MAJOR_SIMPLE, SIMPLE_NULL);
}

void cbor_write_raw(struct cbor_writer *w, struct bytes encoded)
{
	put(w, encoded.data, encoded.len);
}

void cbor_reader_init(struct cbor_reader *r, struct bytes data)
{
	*r = (struct cbor_reader){.data = data.data, .len = data.len};
}

void cbor_reader_fail(struct cbor_reader *r)
{
	r->failed = true;
}

/* Reads a head whatever its major type; false (and failed) where it is malformed or not shortest. */
static bool get_head(struct cbor_reader *r, enum major *major, uint64_t *value)
{
	static const uint64_t smallest[4] = {24, 0x100, 0x10000, 0x100000000};
	unsigned info, size;
	uint64_t v = 0;

	if (r->failed || r->at >= r->len) {
		r->failed = true;
		return false;
	}
	*major = (enum major)(r->data[r->at] >> 5);
	info = r->data[r->at] & 0x1f;
	if (info < 24) {
		*value = info;
		r->at++;
		return true;
	}
	if (info > 27 || *major == MAJOR_SIMPLE) {
		r->failed = true;
		return false;
	}
	size = 1U << (info - 24);
	if (r->len - r->at - 1 < size) {
		r->failed = true;
		return false;
	}
	for (unsigned i = 0; i < size; i++) {
		v = v << 8 | r->data[r->at + 1 + i];
	}
	if (v < smallest[info - 24]) {
		r->failed = true;
		return false;
	}
	r->at += 1 + size;
	*value = v;
	return true;
}

static uint64_t get_typed(struct cbor_reader *r, enum major want)
{
	enum major major;
	uint64_t value;

	if (!get_head(r, &major, &value)) {
		return 0;
	}
	if (major != want) {
		r->failed = true;
		return 0;
	}
	return value;
}

uint64_t cbor_read_uint(struct cbor_reader *r)
{
	return get_typed(r, MAJOR_UINT);
}

uint64_t cbor_read_uint_max(struct cbor_reader *r, uint64_t most)
{
	uint64_t value = get_typed(r, MAJOR_UINT);

	if (value > most) {
		r->failed = true;
		return 0;
	}
	return value;
}

int64_t cbor_read_int(struct cbor_reader *r)
{
	enum major major;
	uint64_t value;

	if (!get_head(r, &major, &value)) {
		return 0;
	}
	if ((major != MAJOR_UINT && major != MAJOR_NEGATIVE) || value > INT64_MAX) {
		r->failed = true;
		return 0;
	}
	return major == MAJOR_NEGATIVE ? -1 - (int64_t)value : (int64_t)value;
}

struct bytes cbor_read_bytes(struct cbor_reader *r)
{
	uint64_t len = get_typed(r, MAJOR_BYTES);
	struct bytes value;

	if (r->failed || len > r->len - r->at) {
		r->failed = true;
		return (struct bytes){.data = r->data, .len = 0};
	}
	value = (struct bytes){.data = r->data + r->at, .len = (size_t)len};
	r->at += (size_t)len;
	return value;
}

struct bytes cbor_read_bytes_max(struct cbor_reader *r, size_t most)
{
	struct bytes value = cbor_read_bytes(r);

	if (value.len > most) {
		r->failed = true;
		value.len = 0;
	}
	return value;
}

void cbor_read_fixed(struct cbor_reader *r, uint8_t *to, size_t len)
{
	struct bytes value = cbor_read_bytes(r);

	if (r->failed || value.len != len) {
		r->failed = true;
		memset(to, 0, len);
		return;
	}
	memcpy(to, value.data, len);
}

uint64_t cbor_read_array(struct cbor_reader *r, uint64_t most)
{
	uint64_t count = get_typed(r, MAJOR_ARRAY);

	if (count > most) {
		r->failed = true;
		return 0;
	}
	return count;
}

uint64_t cbor_read_map(struct cbor_reader *r, uint64_t most)
{
	uint64_t count = get_typed(r, MAJOR_MAP);

	if (count > most) {
		r->failed = true;
		return 0;
	}
	return count;
}

bool cbor_read_bool(struct cbor_reader *r)
{
	uint64_t value = get_typed(r, MAJOR_SIMPLE);

	if (r->failed || (value != SIMPLE_FALSE && value != SIMPLE_TRUE)) {
		r->failed = true;
		return false;
	}
	return value == SIMPLE_TRUE;
}

bool cbor_read_null(struct cbor_reader *r)
{
	if (r->failed || r->at >= r->len || r->data[r->at] != (MAJOR_SIMPLE << 5 | SIMPLE_NULL)) {
		return false;
	}
	r->at++;
	return true;
}

bool cbor_reader_is_done(const struct cbor_reader *r)
{
	return !r->failed && r->at == r->len;
}

bool cbor_reader_has_more(const struct cbor_reader *r)
{
	return !r->failed && r->at < r->len;
}

#define ITEM_DEPTH_MAX 16

size_t cbor_item_size(struct bytes data, unsigned depth)
{
	uint64_t left[ITEM_DEPTH_MAX];
	struct cbor_reader r;
	unsigned level = 0;

	if (depth == 0 || depth > ITEM_DEPTH_MAX) {
		return 0;
	}
	cbor_reader_init(&r, data);
	left[0] = 1;
	for (;;) {
		enum major major;
		uint64_t value;

		while (left[level] == 0) {
			if (level == 0) {
				return r.at;
			}
			level--;
		}
		left[level]--;
		if (!get_head(&r, &major, &value)) {
			return 0;
		}
		if (major == MAJOR_BYTES || major == MAJOR_TEXT) {
			if (value > r.len - r.at) {
				return 0;
			}
			r.at += (size_t)value;
		} else if (major == MAJOR_ARRAY || major == MAJOR_MAP) {
			/* Every item takes a byte at least, which bounds the count. */
			if (++level >= depth || value > r.len - r.at) {
				return 0;
			}
			left[level] = major == MAJOR_MAP ? 2 * value : value;
		} else if (major != MAJOR_UINT && major != MAJOR_NEGATIVE &&
			   major != MAJOR_SIMPLE) {
			return 0;
		}
	}
}

// SPDX-License-Identifier: MIT
#include "payloads/sink.h"

void sink_init(struct sink *sink)
{
	*sink = (struct sink){.size = 0};
	sha256_init(&sink->sha);
}

static void put_ring(struct sink *sink, struct bytes encoded)
{
	while (sink->kept && !ring_append(sink->ring, encoded)) {
		if (!sink->make_room || !sink->make_room(sink->context)) {
			ring_drop_open(sink->ring);
			sink->kept = false;
		}
	}
}

static void put_buffer(struct sink *sink, struct bytes encoded)
{
	if (!sink->kept || encoded.len > sink->buffer_room - sink->buffer_len) {
		sink->kept = false;
		return;
	}
	memcpy(sink->buffer + sink->buffer_len, encoded.data, encoded.len);
	sink->buffer_len += encoded.len;
}

void sink_put(struct sink *sink, struct bytes encoded)
{
	if (encoded.len == 0) {
		return;
	}
	sha256_update(&sink->sha, encoded.data, encoded.len);
	sink->size += encoded.len;
	if (sink->ring) {
		put_ring(sink, encoded);
	} else if (sink->buffer) {
		put_buffer(sink, encoded);
	} else if (sink->send) {
		sink->send(sink->context, encoded);
	}
}

/* The head of a byte string is that of a number with another type in front (RFC 8949, 3.1). */
static size_t encode_head(uint8_t *to, size_t room, uint64_t len)
{
	struct cbor_writer w;

	cbor_writer_init(&w, to, room);
	cbor_write_uint(&w, len);
	to[0] |= 2U << 5;
	return w.len;
}

bool sink_record(struct sink *sink, const struct record *record)
{
	uint8_t head[9];
	struct cbor_writer w;
	size_t size = sizeof(head);

	for (size_t i = 0; i < record->count; i++) {
		size += sizeof(head) + record->field[i].len;
	}
	if (size > RECORD_SIZE_MAX) {
		return false;
	}
	cbor_writer_init(&w, head, sizeof(head));
	cbor_write_array(&w, record->count);
	sink_put(sink, bytes_make(w.data, w.len));
	for (size_t i = 0; i < record->count; i++) {
		size = encode_head(head, sizeof(head), record->field[i].len);
		sink_put(sink, bytes_make(head, size));
		sink_put(sink, record->field[i]);
	}
	return true;
}

void sink_digest(struct sink *sink, struct digest *digest)
{
	struct sha256 copy = sink->sha;

	sha256_final(&copy, digest->bytes);
}

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

bool sink_record(struct sink *sink, const struct record *record)
{
	static uint8_t scratch[RECORD_SIZE_MAX];
	struct cbor_writer w;

	cbor_writer_init(&w, scratch, sizeof(scratch));
	record_encode(&w, record);
	if (w.overflow) {
		return false;
	}
	sink_put(sink, bytes_make(w.data, w.len));
	return true;
}

void sink_digest(struct sink *sink, struct digest *digest)
{
	struct sha256 copy = sink->sha;

	sha256_final(&copy, digest->bytes);
}

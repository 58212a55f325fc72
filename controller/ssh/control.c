// SPDX-License-Identifier: MIT
#include "controller/ssh/control.h"

#include "schema/cbor.h"

static void probe_encode(struct cbor_writer *w, const struct control_probe *m)
{
	cbor_write_array(w, 6);
	cbor_write_uint(w, CONTROL_PROBE);
	cbor_write_bytes(w, m->arch);
	cbor_write_bytes(w, (struct bytes){m->sha256.bytes, DIGEST_SIZE});
	cbor_write_uint(w, m->size);
	cbor_write_uint(w, m->offset);
	cbor_write_bytes(w, m->chunk);
}

static void probe_decode(struct cbor_reader *r, struct control_probe *m)
{
	m->arch = cbor_read_bytes_max(r, 32);
	cbor_read_fixed(r, m->sha256.bytes, DIGEST_SIZE);
	m->size = cbor_read_uint(r);
	m->offset = cbor_read_uint(r);
	m->chunk = cbor_read_bytes_max(r, CONTROL_CHUNK_MAX);
}

static void blobs_encode(struct cbor_writer *w, const struct bytes *blob, size_t count)
{
	cbor_write_array(w, count);
	for (size_t i = 0; i < count; i++) {
		cbor_write_bytes(w, blob[i]);
	}
}

static size_t blobs_decode(struct cbor_reader *r, struct bytes *blob, size_t most)
{
	size_t count = (size_t)cbor_read_array(r, most);

	for (size_t i = 0; i < count; i++) {
		blob[i] = cbor_read_bytes_max(r, CONTROL_BLOB_MAX);
	}
	return count;
}

static void start_encode(struct cbor_writer *w, const struct control_start *m)
{
	cbor_write_array(w, 16);
	cbor_write_uint(w, CONTROL_START);
	cbor_write_uint(w, m->id);
	cbor_write_bool(w, m->jump);
	cbor_write_uint(w, m->via);
	cbor_write_bytes(w, m->host);
	cbor_write_uint(w, m->port);
	cbor_write_array(w, m->address_count);
	for (size_t i = 0; i < m->address_count; i++) {
		cbor_write_array(w, 3);
		cbor_write_bytes(w, m->address[i].ip);
		cbor_write_uint(w, m->address[i].port);
		cbor_write_uint(w, m->address[i].scope);
	}
	cbor_write_bytes(w, m->user);
	cbor_write_bytes(w, m->hostkey_types);
	blobs_encode(w, m->pin, m->pin_count);
	blobs_encode(w, m->key, m->key_count);
	cbor_write_bool(w, m->sudo);
	cbor_write_bool(w, m->pinned);
	cbor_write_uint(w, m->connect_timeout_ms);
	cbor_write_uint(w, m->timeout_ms);
	cbor_write_uint(w, m->cap_bytes);
}

static void start_decode(struct cbor_reader *r, struct control_start *m)
{
	m->id = cbor_read_uint(r);
	m->jump = cbor_read_bool(r);
	m->via = cbor_read_uint(r);
	m->host = cbor_read_bytes_max(r, CONTROL_TEXT_MAX);
	m->port = (uint16_t)cbor_read_uint_max(r, UINT16_MAX);
	m->address_count = (size_t)cbor_read_array(r, CONTROL_ADDRESSES_MAX);
	for (size_t i = 0; i < m->address_count; i++) {
		if (cbor_read_array(r, 3) != 3) {
			cbor_reader_fail(r);
		}
		m->address[i].ip = cbor_read_bytes_max(r, 16);
		if (m->address[i].ip.len != 4 && m->address[i].ip.len != 16) {
			cbor_reader_fail(r);
		}
		m->address[i].port = (uint16_t)cbor_read_uint_max(r, UINT16_MAX);
		m->address[i].scope = (uint32_t)cbor_read_uint_max(r, UINT32_MAX);
	}
	m->user = cbor_read_bytes_max(r, CONTROL_TEXT_MAX);
	m->hostkey_types = cbor_read_bytes_max(r, 1024);
	m->pin_count = blobs_decode(r, m->pin, CONTROL_PINS_MAX);
	m->key_count = blobs_decode(r, m->key, CONTROL_KEYS_MAX);
	m->sudo = cbor_read_bool(r);
	m->pinned = cbor_read_bool(r);
	m->connect_timeout_ms = (uint32_t)cbor_read_uint_max(r, UINT32_MAX);
	m->timeout_ms = (uint32_t)cbor_read_uint_max(r, UINT32_MAX);
	m->cap_bytes = cbor_read_uint(r);
}

static void sign_encode(struct cbor_writer *w, const struct control_sign *m)
{
	cbor_write_array(w, 6);
	cbor_write_uint(w, CONTROL_SIGN);
	cbor_write_uint(w, m->id);
	cbor_write_uint(w, m->key);
	cbor_write_bytes(w, m->data);
	cbor_write_bytes(w, m->hostkey);
	cbor_write_bytes(w, m->signature);
}

static void sign_decode(struct cbor_reader *r, struct control_sign *m)
{
	m->id = cbor_read_uint(r);
	m->key = (uint32_t)cbor_read_uint_max(r, CONTROL_KEYS_MAX - 1);
	m->data = cbor_read_bytes_max(r, CONTROL_SIGN_MAX);
	m->hostkey = cbor_read_bytes_max(r, CONTROL_BLOB_MAX);
	m->signature = cbor_read_bytes_max(r, CONTROL_SIGNATURE_MAX);
}

static void closed_encode(struct cbor_writer *w, const struct control_closed *m)
{
	cbor_write_array(w, 10);
	cbor_write_uint(w, CONTROL_CLOSED);
	cbor_write_uint(w, m->id);
	cbor_write_uint(w, (uint64_t)m->outcome);
	cbor_write_bytes(w, m->reason);
	cbor_write_bytes(w, m->excerpt);
	cbor_write_bytes(w, m->hostkey);
	cbor_write_uint(w, (uint64_t)m->via);
	cbor_write_uint(w, m->sent_bytes);
	cbor_write_uint(w, m->received_bytes);
	cbor_write_uint(w, m->probe_bytes);
}

static void closed_decode(struct cbor_reader *r, struct control_closed *m)
{
	m->id = cbor_read_uint(r);
	m->outcome = (enum outcome)cbor_read_uint_max(r, OUTCOMES - 1);
	m->reason = cbor_read_bytes_max(r, CONTROL_REASON_MAX);
	m->excerpt = cbor_read_bytes_max(r, CONTROL_EXCERPT_MAX);
	m->hostkey = cbor_read_bytes_max(r, CONTROL_BLOB_MAX);
	m->via = (enum control_via)cbor_read_uint_max(r, VIAS - 1);
	m->sent_bytes = cbor_read_uint(r);
	m->received_bytes = cbor_read_uint(r);
	m->probe_bytes = cbor_read_uint(r);
}

static void data_encode(struct cbor_writer *w, enum control_type type, uint64_t id)
{
	cbor_write_array(w, 3);
	cbor_write_uint(w, type);
	cbor_write_uint(w, id);
}

size_t control_encode(const struct control_message *m, uint8_t *to, size_t room)
{
	struct cbor_writer w;

	cbor_writer_init(&w, to, room < CONTROL_MAX ? room : CONTROL_MAX);
	switch (m->type) {
	case CONTROL_PROBE:
		probe_encode(&w, &m->probe);
		break;
	case CONTROL_START:
		start_encode(&w, &m->start);
		break;
	case CONTROL_SIGN:
		sign_encode(&w, &m->sign);
		break;
	case CONTROL_CLOSED:
		closed_encode(&w, &m->closed);
		break;
	case CONTROL_SEND:
	case CONTROL_FRAME:
	case CONTROL_SIGNED:
		data_encode(&w, m->type, m->data.id);
		cbor_write_bytes(&w, m->data.payload);
		break;
	case CONTROL_PAUSE:
		data_encode(&w, m->type, m->pause.id);
		cbor_write_bool(&w, m->pause.on);
		break;
	case CONTROL_STAGE:
		data_encode(&w, m->type, m->stage.id);
		cbor_write_uint(&w, (uint64_t)m->stage.stage);
		break;
	case CONTROL_ABORT:
		cbor_write_array(&w, 2);
		cbor_write_uint(&w, CONTROL_ABORT);
		cbor_write_uint(&w, m->abort_id);
		break;
	case CONTROL_READY:
		cbor_write_array(&w, 2);
		cbor_write_uint(&w, CONTROL_READY);
		cbor_write_bytes(&w, m->ready);
		break;
	}
	return w.overflow ? 0 : w.len;
}

static uint64_t item_count(enum control_type type)
{
	switch (type) {
	case CONTROL_PROBE:
	case CONTROL_SIGN:
		return 6;
	case CONTROL_START:
		return 16;
	case CONTROL_CLOSED:
		return 10;
	case CONTROL_SEND:
	case CONTROL_FRAME:
	case CONTROL_SIGNED:
	case CONTROL_PAUSE:
	case CONTROL_STAGE:
		return 3;
	case CONTROL_ABORT:
	case CONTROL_READY:
		return 2;
	}
	return 0;
}

static void body_decode(struct cbor_reader *r, struct control_message *m)
{
	switch (m->type) {
	case CONTROL_PROBE:
		probe_decode(r, &m->probe);
		break;
	case CONTROL_START:
		start_decode(r, &m->start);
		break;
	case CONTROL_SIGN:
		sign_decode(r, &m->sign);
		break;
	case CONTROL_CLOSED:
		closed_decode(r, &m->closed);
		break;
	case CONTROL_SEND:
	case CONTROL_FRAME:
		m->data.id = cbor_read_uint(r);
		m->data.payload = cbor_read_bytes_max(r, FRAME_MAX);
		break;
	case CONTROL_SIGNED:
		m->data.id = cbor_read_uint(r);
		m->data.payload = cbor_read_bytes_max(r, CONTROL_SIGNATURE_MAX);
		break;
	case CONTROL_PAUSE:
		m->pause.id = cbor_read_uint(r);
		m->pause.on = cbor_read_bool(r);
		break;
	case CONTROL_STAGE:
		m->stage.id = cbor_read_uint(r);
		m->stage.stage = (enum control_stage)cbor_read_uint_max(r, STAGES - 1);
		break;
	case CONTROL_ABORT:
		m->abort_id = cbor_read_uint(r);
		break;
	case CONTROL_READY:
		m->ready = cbor_read_bytes_max(r, CONTROL_TEXT_MAX);
		break;
	}
}

bool control_decode(struct bytes payload, struct control_message *m)
{
	struct cbor_reader r;
	uint64_t count;

	cbor_reader_init(&r, payload);
	count = cbor_read_array(&r, 16); /* a start has most */
	m->type = (enum control_type)cbor_read_uint_max(&r, CONTROL_CLOSED);
	if (r.failed || count == 0 || count != item_count(m->type)) {
		return false;
	}
	body_decode(&r, m);
	return cbor_reader_is_done(&r);
}

size_t control_data_head(enum control_type type, uint64_t id, size_t len,
			 uint8_t head[CONTROL_HEAD_MAX])
{
	struct cbor_writer w;
	size_t at;

	cbor_writer_init(&w, head + FRAME_HEAD, CONTROL_HEAD_MAX - FRAME_HEAD);
	data_encode(&w, type, id);
	at = w.len;
	/* A byte string's head is an array's with another major type (RFC 8949, section 3.1). */
	cbor_write_array(&w, len);
	w.data[at] = (uint8_t)((w.data[at] & 0x1fU) | 0x40U);
	frame_head((uint32_t)(w.len + len), head);
	return FRAME_HEAD + w.len;
}

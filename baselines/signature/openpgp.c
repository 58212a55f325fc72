// SPDX-License-Identifier: MIT
#include "baselines/signature/openpgp.h"

#include <openssl/evp.h>

#define SUBPACKET_ISSUER 16
#define SUBPACKET_ISSUER_FINGERPRINT 33

static uint32_t load_be(const uint8_t *from, size_t size)
{
	uint32_t value = 0;

	for (size_t i = 0; i < size; i++) {
		value = value << 8 | from[i];
	}
	return value;
}

static bool skip(struct bytes *rest, size_t len)
{
	if (rest->len < len) {
		return false;
	}
	rest->data += len;
	rest->len -= len;
	return true;
}

/* RFC 9580, 4.2.1: what follows the first byte of a packet, or begins a subpacket. */
static bool take_new_length(struct bytes *rest, bool is_subpacket, uint32_t *len)
{
	uint8_t first;

	if (rest->len == 0) {
		return false;
	}
	first = rest->data[0];
	if (first < 192) {
		*len = first;
		return skip(rest, 1);
	}
	/* 224 to 254 are partial lengths of a packet, and plain ones of a subpacket. */
	if (first < 224 || (is_subpacket && first < 255)) {
		if (rest->len < 2) {
			return false;
		}
		*len = ((uint32_t)(first - 192) << 8) + rest->data[1] + 192;
		return skip(rest, 2);
	}
	if (first != 255 || rest->len < 5) {
		return false;
	}
	*len = load_be(rest->data + 1, 4);
	return skip(rest, 5);
}

static bool take_old_length(struct bytes *rest, unsigned kind, uint32_t *len)
{
	size_t size = (size_t)1 << kind;

	if (kind == 3 || rest->len < size) {
		return false; /* 3: until the end of the file */
	}
	*len = load_be(rest->data, size);
	return skip(rest, size);
}

int openpgp_next(struct bytes *rest, struct openpgp_packet *packet)
{
	const uint8_t *start = rest->data;
	uint8_t head;
	uint32_t len;
	bool ok;

	if (rest->len == 0) {
		return 0;
	}
	head = rest->data[0];
	if (!(head & 0x80) || !skip(rest, 1)) {
		return -1;
	}
	packet->tag = head & 0x40 ? head & 0x3f : head >> 2 & 0xf;
	ok = head & 0x40 ? take_new_length(rest, false, &len)
			 : take_old_length(rest, head & 3, &len);
	if (!ok || rest->len < len) {
		return -1;
	}
	packet->body = bytes_make(rest->data, len);
	(void)skip(rest, len);
	packet->whole = bytes_make(start, (size_t)(rest->data - start));
	return 1;
}

int openpgp_next_key(struct bytes *rest, struct bytes *block)
{
	struct openpgp_packet packet;
	const uint8_t *start = rest->data;
	bool is_first = true;

	while (rest->len > 0) {
		struct bytes after = *rest;

		if (openpgp_next(&after, &packet) <= 0) {
			return -1;
		}
		if (packet.tag == OPENPGP_PUBLIC_KEY && !is_first) {
			break;
		}
		is_first = false;
		*rest = after;
	}
	*block = bytes_make(start, (size_t)(rest->data - start));
	return is_first ? 0 : 1;
}

unsigned openpgp_key_version(struct bytes block)
{
	struct openpgp_packet packet;
	unsigned version = 0;

	while (openpgp_next(&block, &packet) > 0) {
		if ((packet.tag == OPENPGP_PUBLIC_KEY || packet.tag == OPENPGP_PUBLIC_SUBKEY) &&
		    packet.body.len > 0 && packet.body.data[0] > version) {
			version = packet.body.data[0];
		}
	}
	return version;
}

static void take_issuer(struct openpgp_signature *signature, const uint8_t *id)
{
	memcpy(signature->issuer, id, OPENPGP_ID_SIZE);
	signature->has_issuer = true;
}

static bool read_subpackets(struct bytes area, struct openpgp_signature *signature)
{
	while (area.len > 0) {
		uint32_t len;
		unsigned type;

		if (!take_new_length(&area, true, &len) || len == 0 || area.len < len) {
			return false;
		}
		type = area.data[0] & 0x7f;
		if (type == SUBPACKET_ISSUER && len == 9) {
			take_issuer(signature, area.data + 1);
		}
		/* Of a version 4 key the id is the end of its fingerprint, later the beginning. */
		if (type == SUBPACKET_ISSUER_FINGERPRINT && len == 22 && area.data[1] == 4) {
			take_issuer(signature, area.data + 14);
		}
		if (type == SUBPACKET_ISSUER_FINGERPRINT && len == 34 && area.data[1] > 4) {
			take_issuer(signature, area.data + 2);
		}
		(void)skip(&area, len);
	}
	return true;
}

static bool read_areas(struct bytes body, size_t size, struct openpgp_signature *signature)
{
	for (int i = 0; i < 2; i++) {
		uint32_t len;

		if (body.len < size) {
			return false;
		}
		len = load_be(body.data, size);
		(void)skip(&body, size);
		if (body.len < len || !read_subpackets(bytes_make(body.data, len), signature)) {
			return false;
		}
		(void)skip(&body, len);
	}
	return body.len > 2; /* two bytes of the hash, then what was signed with */
}

bool openpgp_signature_read(struct bytes data, struct openpgp_signature *signature)
{
	struct openpgp_packet packet;
	const uint8_t *p;

	memset(signature, 0, sizeof(*signature));
	if (openpgp_next(&data, &packet) != 1 || data.len != 0 || packet.tag != OPENPGP_SIGNATURE ||
	    packet.body.len < 8) {
		return false;
	}
	p = packet.body.data;
	signature->version = p[0];
	if (p[0] == 3) {
		/* RFC 4880, 5.2.2 */
		if (packet.body.len < 20 || p[1] != 5) {
			return false;
		}
		signature->type = p[2];
		take_issuer(signature, p + 7);
		signature->algorithm = p[15];
		signature->hash = p[16];
		return true;
	}
	if (p[0] < 4 || p[0] > 6) {
		return false;
	}
	signature->type = p[1];
	signature->algorithm = p[2];
	signature->hash = p[3];
	return read_areas(bytes_make(p + 4, packet.body.len - 4), p[0] == 6 ? 4 : 2, signature);
}

/* RFC 9580, 5.5.4: what is hashed is the body behind a byte that stands for the version. */
bool openpgp_key_read(const struct openpgp_packet *packet,
		      char fingerprint[OPENPGP_FINGERPRINT_SIZE], uint8_t id[OPENPGP_ID_SIZE])
{
	static const char digits[] = "0123456789ABCDEF";
	size_t size = packet->body.len, head_len;
	uint8_t head[5], digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *context;
	unsigned len = 0;
	bool is_4, ok;

	if ((packet->tag != OPENPGP_PUBLIC_KEY && packet->tag != OPENPGP_PUBLIC_SUBKEY) ||
	    size < 6 || packet->body.data[0] < 4 || packet->body.data[0] > 6) {
		return false;
	}
	is_4 = packet->body.data[0] == 4;
	if (is_4 && size > 0xffff) {
		return false;
	}
	head_len = is_4 ? 3 : 5;
	head[0] = is_4 ? 0x99 : packet->body.data[0] == 5 ? 0x9a : 0x9b;
	for (size_t i = 1; i < head_len; i++) {
		head[i] = (uint8_t)(size >> (8 * (head_len - 1 - i)));
	}
	context = EVP_MD_CTX_new();
	ok = context && EVP_DigestInit_ex(context, is_4 ? EVP_sha1() : EVP_sha256(), NULL) == 1 &&
	     EVP_DigestUpdate(context, head, head_len) == 1 &&
	     EVP_DigestUpdate(context, packet->body.data, size) == 1 &&
	     EVP_DigestFinal_ex(context, digest, &len) == 1;
	EVP_MD_CTX_free(context);
	if (!ok) {
		return false;
	}
	for (unsigned i = 0; i < len; i++) {
		fingerprint[2 * i] = digits[digest[i] >> 4];
		fingerprint[2 * i + 1] = digits[digest[i] & 15];
	}
	fingerprint[2 * (size_t)len] = '\0';
	memcpy(id, is_4 ? digest + len - OPENPGP_ID_SIZE : digest, OPENPGP_ID_SIZE);
	return true;
}

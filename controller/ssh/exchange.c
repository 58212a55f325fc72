// SPDX-License-Identifier: MIT
#include "controller/ssh/exchange.h"

#include "controller/ssh/wire.h"

#define MSG_KEXINIT 20U
#define MSG_NEWKEYS 21U
#define MSG_KEX_REPLY 31U     /* KEXDH_REPLY, KEX_ECDH_REPLY; in group exchange the group */
#define MSG_KEX_GEX_REPLY 33U /* RFC 4419 */
#define PACKET_MAX 35000U     /* RFC 4253, section 6.1 */

/* The line that starts with "SSH-"; others may stand before it (RFC 4253, section 4.2). */
static bool read_banner(struct wire_reader *r, struct bytes *banner)
{
	while (r->left > 0) {
		const uint8_t *end = memchr(r->at, '\n', r->left);
		struct bytes line;

		if (!end) {
			return false;
		}
		line = wire_read(r, (size_t)(end - r->at) + 1);
		line.len--;
		/* Its length says that there is data. NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
		if (line.len > 0 && line.data[line.len - 1] == '\r') {
			line.len--;
		}
		if (bytes_has_prefix(line, BYTES_LITERAL("SSH-"))) {
			*banner = line;
			return true;
		}
	}
	return false;
}

static bool read_packet(struct wire_reader *r, struct bytes *payload)
{
	uint32_t len = wire_read_u32(r);
	struct bytes packet;

	if (r->failed || len > PACKET_MAX) {
		return false;
	}
	packet = wire_read(r, len);
	if (packet.len < 2 || packet.data[0] > packet.len - 2) {
		return false;
	}
	*payload = (struct bytes){packet.data + 1, packet.len - 1 - packet.data[0]};
	return true;
}

static void read_kexinit(struct bytes payload, struct exchange *exchange)
{
	struct wire_reader r = wire_reader_make(payload);
	struct bytes list[8];

	(void)wire_read(&r, 1 + 16);
	for (size_t i = 0; i < 8; i++) {
		list[i] = wire_read_string(&r);
	}
	if (r.failed) {
		return;
	}
	exchange->has_lists = true;
	exchange->list[EXCHANGE_KEX] = list[0];
	exchange->list[EXCHANGE_HOSTKEY] = list[1];
	exchange->list[EXCHANGE_CIPHER] = list[3];
	exchange->list[EXCHANGE_MAC] = list[5];
}

static void read_reply(struct bytes payload, struct exchange *exchange)
{
	struct wire_reader r = wire_reader_make(payload);
	struct bytes hostkey, signature;

	(void)wire_read(&r, 1);
	hostkey = wire_read_string(&r);
	(void)wire_read_string(&r); /* the server's public value */
	signature = wire_read_string(&r);
	if (wire_is_done(&r)) {
		exchange->hostkey = hostkey;
		exchange->signature = signature;
	}
}

void exchange_read(struct bytes stream, struct exchange *exchange)
{
	struct wire_reader r = wire_reader_make(stream);
	struct bytes payload;

	*exchange = (struct exchange){.has_lists = false};
	if (!read_banner(&r, &exchange->banner)) {
		return;
	}
	while (read_packet(&r, &payload)) {
		switch (payload.data[0]) {
		case MSG_KEXINIT:
			read_kexinit(payload, exchange);
			break;
		case MSG_KEX_REPLY:
		case MSG_KEX_GEX_REPLY:
			read_reply(payload, exchange);
			break;
		case MSG_NEWKEYS:
			return;
		default:
			break;
		}
	}
}

static struct bytes next_name(struct bytes *list)
{
	const uint8_t *comma = list->len > 0 ? memchr(list->data, ',', list->len) : NULL;
	struct bytes name = {list->data, comma ? (size_t)(comma - list->data) : list->len};
	size_t used = name.len + (comma ? 1 : 0);

	list->data += used;
	list->len -= used;
	return name;
}

bool exchange_has_common(struct bytes ours, struct bytes theirs)
{
	while (ours.len > 0) {
		struct bytes name = next_name(&ours);
		struct bytes rest = theirs;

		while (rest.len > 0) {
			if (bytes_equal(name, next_name(&rest))) {
				return true;
			}
		}
	}
	return false;
}

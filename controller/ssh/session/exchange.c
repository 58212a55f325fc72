// SPDX-License-Identifier: MIT
#include "controller/ssh/session/exchange.h"

#include <stdio.h>
#include <string.h>

#include "controller/ssh/wire.h"
#include "schema/escape.h"

#define MSG_KEXINIT 20U
#define MSG_NEWKEYS 21U
#define MSG_KEX_REPLY 31U     /* KEXDH_REPLY, KEX_ECDH_REPLY; in group exchange the group */
#define MSG_KEX_GEX_REPLY 33U /* RFC 4419 */
#define PACKET_MAX 35000U     /* RFC 4253, section 6.1 */
#define NAME_MAX_LEN 64U

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
	exchange->list[EXCHANGE_CIPHER_OUT] = list[2];
	exchange->list[EXCHANGE_CIPHER] = list[3];
	exchange->list[EXCHANGE_MAC_OUT] = list[4];
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

/* RFC 8308 and OpenSSH's PROTOCOL, 1.10: said in the list of key exchanges, and none. */
static bool is_marker(struct bytes name)
{
	return bytes_has_prefix(name, BYTES_LITERAL("ext-info-")) ||
	       bytes_has_prefix(name, BYTES_LITERAL("kex-strict-"));
}

/* The first of ours that is theirs too; empty: none. */
static struct bytes first_common(struct bytes ours, struct bytes theirs)
{
	while (ours.len > 0) {
		struct bytes name = next_name(&ours);
		struct bytes rest = theirs;

		while (rest.len > 0 && !is_marker(name)) {
			if (bytes_equal(name, next_name(&rest))) {
				return name;
			}
		}
	}
	return (struct bytes){NULL, 0};
}

bool exchange_has_common(struct bytes ours, struct bytes theirs)
{
	return first_common(ours, theirs).len > 0;
}

/* As libssh2 has it (mac.c, _libssh2_mac_override): with chacha20-poly1305 it still wants a MAC agreed. */
static bool has_own_mac(struct bytes cipher)
{
	return bytes_equal_string(cipher, "aes128-gcm@openssh.com") ||
	       bytes_equal_string(cipher, "aes256-gcm@openssh.com");
}

enum exchange_list exchange_failed_list(const struct bytes ours[EXCHANGE_LISTS],
					const struct bytes theirs[EXCHANGE_LISTS])
{
	for (unsigned i = 0; i < EXCHANGE_LISTS; i++) {
		enum exchange_list cipher = i == EXCHANGE_MAC_OUT ? EXCHANGE_CIPHER_OUT
								  : EXCHANGE_CIPHER;

		if (i >= EXCHANGE_MAC_OUT &&
		    has_own_mac(first_common(ours[cipher], theirs[cipher]))) {
			continue;
		}
		if (!exchange_has_common(ours[i], theirs[i])) {
			return (enum exchange_list)i;
		}
	}
	return EXCHANGE_LISTS;
}

const char *exchange_print(struct bytes list, char *to, size_t room)
{
	static const char more[] = ", ...";
	size_t len = 0;

	to[0] = '\0';
	while (list.len > 0) {
		char text[4 * NAME_MAX_LEN + 1];
		struct bytes name = next_name(&list);
		size_t need;

		if (is_marker(name)) {
			continue;
		}
		/* RFC 4251, section 6: at most 64 characters; what is longer is cut. */
		name.len = name.len < NAME_MAX_LEN ? name.len : NAME_MAX_LEN;
		escape_text(name, text, sizeof(text));
		need = strlen(text) + (len > 0 ? 2 : 0);
		if (len + need + sizeof(more) > room) {
			(void)snprintf(to + len, room - len, "%s", len > 0 ? more : "...");
			return to;
		}
		(void)snprintf(to + len, room - len, "%s%s", len > 0 ? ", " : "", text);
		len += need;
	}
	return len > 0 ? to : "nothing";
}

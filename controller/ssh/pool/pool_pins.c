// SPDX-License-Identifier: MIT
/* Which host keys a channel may meet. */
#include <stdio.h>
#include <string.h>

#include "controller/ssh/keys/pubkey.h"
#include "controller/ssh/pool/pool_private.h"

bool channel_is_revoked(const struct channel *channel, struct bytes blob,
			const struct known_host **by)
{
	for (size_t i = 0; i < channel->known_count; i++) {
		if (channel->known[i].kind == KNOWN_REVOKED &&
		    bytes_equal(channel->known[i].blob, blob)) {
			*by = &channel->known[i];
			return true;
		}
	}
	return false;
}

bool channel_is_pin(const struct channel *channel, size_t i)
{
	const struct known_host *by;

	return channel->known[i].kind == KNOWN_KEY &&
	       pubkey_hostkey_algorithms(pubkey_type(channel->known[i].blob)) &&
	       !channel_is_revoked(channel, channel->known[i].blob, &by);
}

void channel_find_known(struct channel *channel)
{
	struct known_hosts *known = channel->known_hosts;
	const char *name = channel->key_alias ? channel->key_alias : channel->address;
	uint16_t port = channel->key_alias ? 0 : channel->port;

	channel->known_count = known_hosts_find(known, name, port, channel->known, POOL_KNOWN_MAX);
	if (channel->known_count == 0 && port != 0 && port != 22) {
		/* As ssh does: the same key may stand there without the port. */
		channel->known_count =
			known_hosts_find(known, name, 0, channel->known, POOL_KNOWN_MAX);
		channel->known_by_name_only = channel->known_count > 0;
	}
}

/* Fills pins and the algorithms that make the server show a key of their types. */
void channel_set_pins(const struct channel *channel, struct control_start *start, char *types,
		      size_t room)
{
	size_t len = 0;

	types[0] = '\0';
	for (size_t i = 0; i < channel->known_count; i++) {
		const char *algorithms;

		if (!channel_is_pin(channel, i) || start->pin_count == CONTROL_PINS_MAX) {
			continue;
		}
		algorithms = pubkey_hostkey_algorithms(pubkey_type(channel->known[i].blob));
		start->pin[start->pin_count++] = channel->known[i].blob;
		if (!strstr(types, algorithms)) {
			int n = snprintf(types + len, room - len, "%s%s", len > 0 ? "," : "",
					 algorithms);

			len += n > 0 ? (size_t)n : 0;
		}
	}
	start->hostkey_types = bytes_from_string(types);
}

// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/ssh/keys/pubkey.h"
#include "controller/ssh/pool/pool_private.h"

/* One connection for each type, because a server shows one key a connection. */
static const char *const types[] = {
	"ssh-ed25519",         "ecdsa-sha2-nistp256",       "ecdsa-sha2-nistp384",
	"ecdsa-sha2-nistp521", "rsa-sha2-512,rsa-sha2-256",
};
#define TYPES (sizeof(types) / sizeof(types[0]))

struct fetch {
	pool_hostkeys done;
	void *context;
	char *host;
	struct pool_hostkey key[TYPES];
	uint8_t *blob[TYPES]; /* NULL: it has no key of this type */
	char *name[TYPES];
	unsigned open;
	enum outcome outcome;
	char reason[TRANSPORT_REASON_SIZE];
};

struct part {
	struct fetch *fetch;
	struct channel *channel;
	size_t type; /* of types[] */
};

static void compare(const struct channel *channel, struct pool_hostkey *key)
{
	const struct known_host *known = channel->known;
	size_t count = channel->known_count;
	const char *word = "unknown";

	for (size_t i = 0; i < count; i++) {
		if (known[i].kind == KNOWN_REVOKED && bytes_equal(known[i].blob, key->blob)) {
			word = "revoked";
			break;
		}
		if (known[i].kind != KNOWN_KEY ||
		    !bytes_equal(pubkey_type(known[i].blob), key->type)) {
			continue;
		}
		if (bytes_equal(known[i].blob, key->blob)) {
			word = "same";
		} else if (strcmp(word, "same") != 0) {
			word = "other";
		}
	}
	(void)snprintf(key->known, sizeof(key->known), "%s", word);
}

static void finish(struct fetch *fetch)
{
	struct pool_hostkey found[TYPES];
	size_t count = 0;

	/* In the order of types, whichever came first. */
	for (size_t i = 0; i < TYPES; i++) {
		if (fetch->blob[i]) {
			found[count++] = fetch->key[i];
		}
	}
	fetch->done(fetch->context, fetch->host, found, count, fetch->outcome, fetch->reason);
	for (size_t i = 0; i < TYPES; i++) {
		free(fetch->blob[i]);
		free(fetch->name[i]);
	}
	free(fetch->host);
	free(fetch);
}

static void on_frame(void *context, struct bytes payload)
{
	(void)context;
	(void)payload;
}

static void on_closed(void *context, const struct channel_close *close)
{
	struct part *part = context;
	struct fetch *fetch = part->fetch;
	struct channel *channel = part->channel;

	fetch->name[part->type] =
		strdup(channel->key_alias ? channel->key_alias : channel->address);
	if (channel->hostkey && fetch->name[part->type]) {
		struct pool_hostkey *key = &fetch->key[part->type];

		key->blob = bytes_make(channel->hostkey, channel->hostkey_len);
		key->type = pubkey_type(key->blob);
		key->name = fetch->name[part->type];
		key->port = channel->key_alias ? 0 : channel->port;
		fetch->blob[part->type] = channel->hostkey;
		channel->hostkey = NULL;
		pubkey_fingerprint(key->blob, key->fingerprint);
		compare(channel, key);
	} else if (fetch->outcome == OUTCOME_NOT_ASKED || fetch->outcome == OUTCOME_KEX_FAILED) {
		/* That it has no key of one type is no failure; another failure says more. */
		fetch->outcome = close->outcome;
		memcpy(fetch->reason, close->reason, sizeof(fetch->reason));
	}
	free(part);
	if (--fetch->open == 0) {
		finish(fetch);
	}
}

int pool_fetch_hostkeys(struct transport *transport, const struct target *target,
			pool_hostkeys done, void *context, struct error *err)
{
	static const struct channel_handler handler = {.frame = on_frame, .closed = on_closed};
	struct pool *pool = (struct pool *)transport;
	struct fetch *fetch = calloc(1, sizeof(*fetch));

	if (!fetch) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory to fetch host keys");
	}
	fetch->done = done;
	fetch->context = context;
	fetch->host = strdup(target->name);
	if (!fetch->host) {
		goto nomem;
	}
	for (size_t i = 0; i < TYPES; i++) {
		struct part *part = calloc(1, sizeof(*part));
		struct channel *channel = part ? channel_new(pool, target, &handler, part, err)
					       : NULL;

		if (!channel) {
			free(part);
			if (fetch->open > 0) {
				break; /* those that run will finish it */
			}
			goto nomem;
		}
		*part = (struct part){fetch, channel, i};
		channel->fetching = true;
		channel->fetch_types = types[i];
		fetch->open++;
		channel_begin(channel);
	}
	return 0;
nomem:
	free(fetch->host);
	free(fetch);
	return error_set(err, ERROR_NOMEM, ENOMEM, "no memory to fetch host keys");
}

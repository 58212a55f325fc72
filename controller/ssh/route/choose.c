// SPDX-License-Identifier: MIT
#include "controller/ssh/route/choose.h"

#include <string.h>

/*
 * Algorithms of OpenSSH that libssh2 does not have. What both could do and muster does not want (SHA-1,
 * CBC) is not here.
 */
static const struct {
	const char *name;
	const char *why;
} beyond[] = {
	{"sntrup761x25519-sha512@openssh.com", "post-quantum key exchange only"},
	{"sntrup761x25519-sha512", "post-quantum key exchange only"},
	{"mlkem768x25519-sha256", "post-quantum key exchange only"},
	{"umac-64-etm@openssh.com", "UMAC only"},
	{"umac-128-etm@openssh.com", "UMAC only"},
	{"umac-64@openssh.com", "UMAC only"},
	{"umac-128@openssh.com", "UMAC only"},
};

/* A list with commas between. */
static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (list && *list) {
		size_t count = strcspn(list, ",");

		if (count == len && strncmp(list, word, len) == 0) {
			return true;
		}
		list += count + (list[count] == ',');
	}
	return false;
}

static bool is_set(const char *value)
{
	return value && *value && strcmp(value, "none") != 0;
}

/* What ssh_config asks for and only ssh has. */
static const char *by_config(const struct ssh_config_answer *answer)
{
	bool publickey = !answer->no_pubkey &&
			 (!answer->preferred_authentications ||
			  has_word(answer->preferred_authentications, "publickey"));

	if (answer->gssapi && !publickey) {
		return "GSSAPI";
	}
	if (is_set(answer->revoked_host_keys)) {
		return "RevokedHostKeys";
	}
	if (is_set(answer->pkcs11_provider)) {
		return "PKCS11Provider";
	}
	if (is_set(answer->identity_agent) &&
	    strcmp(answer->identity_agent, "SSH_AUTH_SOCK") != 0) {
		return "IdentityAgent";
	}
	return NULL;
}

const char *choose_speaker(const struct choose_facts *facts)
{
	if (facts->speaker == SPEAKER_SSH) {
		return "as configured";
	}
	if (facts->speaker == SPEAKER_LIBSSH2) {
		return NULL;
	}
	if (facts->proxy_command) {
		return "ProxyCommand";
	}
	if (facts->alone_authority) {
		return "host certificate only";
	}
	if (facts->keys == 0 && facts->security_keys) {
		return "FIDO key";
	}
	return facts->answer ? by_config(facts->answer) : NULL;
}

static bool offers(struct bytes list, const char *name)
{
	size_t len = strlen(name);

	while (list.len > 0) {
		const uint8_t *comma = memchr(list.data, ',', list.len);
		size_t count = comma ? (size_t)(comma - list.data) : list.len;

		if (count == len && memcmp(list.data, name, len) == 0) {
			return true;
		}
		count += comma ? 1 : 0;
		list.data += count;
		list.len -= count;
	}
	return false;
}

const char *choose_again(const struct choose_end *end)
{
	switch (end->outcome) {
	case OUTCOME_KEX_FAILED:
		for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
			if (offers(end->offers, beyond[i].name)) {
				return beyond[i].why;
			}
		}
		return NULL;
	case OUTCOME_KEY_MISMATCH:
	case OUTCOME_KEY_UNKNOWN:
		/* Its plain key is not the known one; it may have a certificate. ssh decides. */
		return end->authority ? "host certificate" : NULL;
	case OUTCOME_AUTH_FAILED:
		return end->security_keys ? "FIDO key" : NULL;
	default:
		return NULL;
	}
}

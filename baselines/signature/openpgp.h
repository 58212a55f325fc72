// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_SIGNATURE_OPENPGP_H
#define MUSTER_BASELINES_SIGNATURE_OPENPGP_H

/*
 * As much of OpenPGP's format (RFC 9580, RFC 4880) as is needed to ask gpgv the right question:
 * which packets there are, who issued a signature, which keys a file holds. Verifies nothing. The
 * bytes are hostile: bounded, no allocation, no recursion; nothing compressed is looked into.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"

#define OPENPGP_FINGERPRINT_SIZE 65 /* up to 64 hex digits, upper case, and NUL */
#define OPENPGP_ID_SIZE 8

enum openpgp_tag {
	OPENPGP_SIGNATURE = 2,
	OPENPGP_PUBLIC_KEY = 6,
	OPENPGP_PUBLIC_SUBKEY = 14,
};

struct openpgp_packet {
	unsigned tag;
	struct bytes whole; /* head and body */
	struct bytes body;
};

/*
 * Takes the first packet off `rest`. 1: there is one, 0: nothing is left, -1: malformed, or of a
 * length that only its end tells.
 */
int openpgp_next(struct bytes *rest, struct openpgp_packet *packet);

/*
 * Takes the first key's packets off `rest`: up to the next primary key. 1, 0 and -1 as above; with -1
 * `rest` stays at the packet that makes no sense.
 */
int openpgp_next_key(struct bytes *rest, struct bytes *block);
/* The highest version of its key and subkey packets; 0 where it has none. */
unsigned openpgp_key_version(struct bytes block);

struct openpgp_signature {
	unsigned version; /* 3, 4, 5, 6 */
	unsigned type;    /* 0: over a binary document */
	unsigned algorithm;
	unsigned hash;
	bool has_issuer;
	uint8_t issuer[OPENPGP_ID_SIZE]; /* key id: a hint, not proved */
};

/* Exactly one signature packet and nothing behind it. */
bool openpgp_signature_read(struct bytes data, struct openpgp_signature *signature);

/*
 * Fingerprint and id of a key or subkey packet of version 4 to 6. False: of another version, or
 * malformed.
 */
bool openpgp_key_read(const struct openpgp_packet *packet,
		      char fingerprint[OPENPGP_FINGERPRINT_SIZE], uint8_t id[OPENPGP_ID_SIZE]);

#endif

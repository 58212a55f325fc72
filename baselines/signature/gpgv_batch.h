// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_SIGNATURE_GPGV_BATCH_H
#define MUSTER_BASELINES_SIGNATURE_GPGV_BATCH_H

/*
 * Detached OpenPGP signatures, checked by gpgv as a child (baselines/signature/gpgv.h): one child a
 * signature, several at once, nothing written to disk. What a signature says of its key is told
 * apart, because a changed package and an expired key ask for different actions. Blocking.
 */

#include <stddef.h>
#include <stdint.h>

#include "baselines/signature/openpgp.h"
#include "schema/bytes.h"
#include "schema/error.h"

enum gpgv_state {
	GPGV_FAILED = 0, /* no verdict: gpgv was killed, or said nothing that is understood */
	GPGV_GOOD,       /* also of a key that expired after it signed */
	GPGV_BAD,
	GPGV_NO_KEY,      /* the keyring has not the key */
	GPGV_EXPIRED,     /* the signature itself, or made after its key's end */
	GPGV_REVOKED,     /* the key was revoked; the signature fits */
	GPGV_UNSUPPORTED, /* an algorithm or digest that gpgv does not know or refuses (MD5) */
};

struct gpgv_check {
	struct bytes signature; /* one signature packet, binary */
	struct bytes message;
	/* Filled: */
	enum gpgv_state state;
	char fingerprint[OPENPGP_FINGERPRINT_SIZE]; /* of the primary key; "" where there is none */
	char signer[OPENPGP_FINGERPRINT_SIZE];      /* of the key that signed: it, or a subkey */
};

/* A keyring of binary key packets, kept in memory. *fd is closed by the caller. */
int gpgv_keyring(struct bytes keys, int *fd, struct error *err) MUST_CHECK;

/* How many children are worth while here. */
unsigned gpgv_parallel(void);

/* Checks all. CONFIG error where gpgv is missing; what it says of one is in its state. */
int gpgv_batch(int keyring_fd, struct gpgv_check *checks, size_t count, unsigned parallel,
	       struct error *err) MUST_CHECK;

/*
 * What this gpgv is and which algorithms it knows, in its own words: a verdict holds for as long as they
 * stay the same. CONFIG error where it is missing.
 */
int gpgv_version(char *to, size_t room, size_t *len, struct error *err) MUST_CHECK;

/* The status lines of one signature alone (gnupg's doc/DETAILS), for tests and fuzzing. */
void gpgv_batch_parse(const char *status, struct gpgv_check *check);

#endif

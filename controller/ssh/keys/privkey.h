// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_KEYS_PRIVKEY_H
#define MUSTER_CONTROLLER_SSH_KEYS_PRIVKEY_H

/*
 * Reads private keys: OpenSSH's own format (PROTOCOL.key of OpenSSH) and PEM (PKCS#1, SEC 1, PKCS#8).
 * ed25519, ecdsa and rsa. One that wants a passphrase is refused with a hint at ssh-agent: muster
 * runs at night. Only in the parent; memory that held a key is wiped.
 */

#include <openssl/types.h>

#include "schema/bytes.h"
#include "schema/error.h"

/* From the text of a key file; `name` for messages. The caller frees *key. */
int privkey_parse(struct bytes text, const char *name, EVP_PKEY **key,
		  struct error *err) MUST_CHECK;
/* From a file, which must not be readable by others (as OpenSSH has it). */
int privkey_load(const char *path, EVP_PKEY **key, struct error *err) MUST_CHECK;

/*
 * Signs for SSH: the value of the signature without its algorithm's name, as RFC 4253, 5656, 8332
 * and 8709 write it, allocated into *value. SHA-1 is refused.
 */
int privkey_sign(EVP_PKEY *key, struct bytes algorithm, struct bytes data, uint8_t **value,
		 size_t *len, struct error *err) MUST_CHECK;

#endif

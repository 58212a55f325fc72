// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_KEYS_PUBKEY_H
#define MUSTER_CONTROLLER_SSH_KEYS_PUBKEY_H

/*
 * Public keys as SSH writes them (RFC 4253, section 6.6; RFC 5656; RFC 8709) and their use: names,
 * fingerprints, checking a signature. The blobs may come from hosts: every length is checked, and
 * whatever OpenSSL refuses is refused. Keys of other kinds (DSA, security keys) are named, not used.
 */

#include <stdbool.h>
#include <stddef.h>

#include <openssl/types.h>

#include "schema/bytes.h"
#include "schema/error.h"

#define PUBKEY_FINGERPRINT_SIZE 52 /* "SHA256:" and 43 characters, NUL */

/* The first string of a blob, empty where it is none: "ssh-ed25519". */
struct bytes pubkey_type(struct bytes blob);
/* Whether it is a certificate ("...-cert-v01@openssh.com"). */
bool pubkey_is_certificate(struct bytes blob);
/* The algorithms to ask a server for so that it shows this type of key; NULL: not ours. */
const char *pubkey_hostkey_algorithms(struct bytes type);

/* "SHA256:base64", as OpenSSH shows it. */
void pubkey_fingerprint(struct bytes blob, char to[PUBKEY_FINGERPRINT_SIZE]);

/* The key of a plain blob; the caller frees it with EVP_PKEY_free. NULL: malformed or not ours. */
EVP_PKEY *pubkey_open(struct bytes blob);
/* The blob of a key, allocated into *blob for the caller to free. */
int pubkey_blob(const EVP_PKEY *key, uint8_t **blob, size_t *len, struct error *err) MUST_CHECK;

/* Whether `signature` (string algorithm, string value) is this key's over `data`. No SHA-1. */
bool pubkey_verify(struct bytes blob, struct bytes signature, struct bytes data);
/* The digest an algorithm name stands for; *none set where it takes none (ed25519). */
const EVP_MD *pubkey_digest(struct bytes algorithm, bool *none);

#endif

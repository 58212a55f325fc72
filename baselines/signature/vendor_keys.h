// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_SIGNATURE_VENDOR_KEYS_H
#define MUSTER_BASELINES_SIGNATURE_VENDOR_KEYS_H

/*
 * The listed keys (baselines/signature/trust.h) made ready for checking many signatures: their packets alone,
 * in memory, the ids they may sign under, and one digest over keys and list, so that a verdict can
 * be kept as long as neither changes. What a key file holds beside the listed keys is left out.
 * Immutable once made.
 */

#include <stdbool.h>
#include <stddef.h>

#include "baselines/signature/openpgp.h"
#include "baselines/signature/trust.h"
#include "schema/bytes.h"
#include "schema/error.h"

#define VENDOR_KEY_FILE_MAX ((size_t)4 << 20) /* of one key file */

struct vendor_keys;

/* None listed is no error. CONFIG error where a listed key is not in its file. */
int vendor_keys_of_repository(struct repository *repository, struct vendor_keys **keys,
			      struct error *err) MUST_CHECK;
/* The same of a folder that holds keys.yaml and what it names. */
int vendor_keys_of_folder(const char *folder, struct vendor_keys **keys,
			  struct error *err) MUST_CHECK;
/* No keys: nothing is proved by anybody. */
int vendor_keys_none(struct vendor_keys **keys, struct error *err) MUST_CHECK;
void vendor_keys_free(struct vendor_keys *keys);

const struct trust *vendor_keys_trust(const struct vendor_keys *keys);
size_t vendor_keys_count(const struct vendor_keys *keys);
/* By the primary key's fingerprint or the signing key's; NULL: neither is listed. */
const struct trust_key *vendor_keys_find(const struct vendor_keys *keys, const char *primary,
					 const char *signer);
/* Whether a key or subkey of this id is there at all: worth asking gpgv. */
bool vendor_keys_has_id(const struct vendor_keys *keys, const uint8_t id[OPENPGP_ID_SIZE]);
/* A header names no origin: a key listed for the package proves it for the key's first one. */
bool vendor_keys_may_prove(const struct trust_key *key, struct bytes package);
const char *vendor_keys_origin(const struct trust_key *key);

const struct digest *vendor_keys_digest(const struct vendor_keys *keys);
/* Binary packets, for gpgv_keyring. Empty where there are none. */
struct bytes vendor_keys_ring(const struct vendor_keys *keys);

#endif

// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_SIGNATURE_KEYRING_H
#define MUSTER_BASELINES_SIGNATURE_KEYRING_H

/*
 * The keyring that gpgv reads by name: keys out of their armour, in a file in memory that lives as long
 * as the keyring; its name is one for children of this process. Which of its keys count is baselines/signature/trust.h.
 */

#include "baselines/repository.h"
#include "baselines/signature/trust.h"
#include "schema/error.h"

#define KEYRING_MAX ((size_t)16 << 20) /* bytes of all its files */

struct keyring;

/* Every file that the list names. CONFIG error where one is missing or holds no OpenPGP key. */
int keyring_of_trust(const struct trust *trust, struct repository *repository,
		     struct keyring **keyring, struct error *err) MUST_CHECK;
/* The same of one file that somebody names, binary or armoured. */
int keyring_of_file(const char *file, struct keyring **keyring, struct error *err) MUST_CHECK;
const char *keyring_path(const struct keyring *keyring);
/*
 * gpgv (2.2) stops at the first key of a version that it does not know: such keys stand behind all
 * others. Says which were put back, for an error's text; empty where none was.
 */
const char *keyring_put_back(const struct keyring *keyring);
void keyring_free(struct keyring *keyring);

#endif

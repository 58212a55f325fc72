// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_SIGNATURE_GPGV_H
#define MUSTER_BASELINES_SIGNATURE_GPGV_H

/*
 * OpenPGP signatures, checked by gpgv as a child: no agent, no home directory, no network, only the
 * keyring that is named. What it signed is what comes out, never the file that went in: text before
 * and after the armour is accepted by gpgv and is not in its output. Blocking, with a deadline.
 */

#include <stdbool.h>
#include <stddef.h>

#include "schema/bytes.h"
#include "schema/error.h"

#define GPGV_TEXT_MAX ((size_t)64 << 20)
#define GPGV_SIGNERS_MAX 16
#define GPGV_FINGERPRINT_SIZE 65 /* up to 64 hex digits (version 6 keys) and NUL */

struct gpgv_result {
	char *text; /* what was signed, NUL behind it; free with gpgv_result_clear */
	size_t len;
	size_t count; /* good signatures by keys that are neither expired nor revoked */
	/* Where the call failed: only because no signer's key is in the keyring. */
	bool only_unknown;
	/* Of the signing key and of the primary key it belongs to. */
	char signer[GPGV_SIGNERS_MAX][GPGV_FINGERPRINT_SIZE];
	char primary[GPGV_SIGNERS_MAX][GPGV_FINGERPRINT_SIZE];
};

/*
 * A clear-signed file such as InRelease. CONFIG error where gpgv is missing, a signature is bad, or
 * none is good; one by a key outside the keyring does not harm where another is good.
 */
int gpgv_inline(const char *keyring, const char *file, struct gpgv_result *result,
		struct error *err) MUST_CHECK;
/*
 * A detached signature over `text`, as Release.gpg is over Release: binary or armoured. The text is the
 * caller's own copy, so that what was checked is what is used. result->text stays NULL.
 */
int gpgv_detached(const char *keyring, struct bytes signature, struct bytes text,
		  struct gpgv_result *result, struct error *err) MUST_CHECK;
void gpgv_result_clear(struct gpgv_result *result);

/* The status lines alone (gnupg's doc/DETAILS), for tests and fuzzing. */
int gpgv_status_parse(const char *status, struct gpgv_result *result, struct error *err) MUST_CHECK;

#endif

// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_SIGNERS_H
#define MUSTER_CONTROLLER_CMD_SIGNERS_H

/*
 * What an archive's signature is held against, as options say: the baseline's keys, or a keyring that is
 * named, and which fingerprints of them. Lives until signers_clear, which removes what was made for gpgv.
 */

#include <stddef.h>

#include "baselines/import/signed.h"
#include "baselines/signature/keyring.h"
#include "controller/cmd/call.h"
#include "schema/error.h"

#define SIGNERS_LIST_MAX 64

struct signers {
	struct repository *repository;
	struct trust *trust;
	struct keyring *keyring;
	char *copy; /* of --fingerprint */
	const char *fingerprints[SIGNERS_LIST_MAX];
	struct signed_source source; /* all but the release */
};

/* `baseline`: its path. `signers` is zero-initialised, and to be cleared also after a failure. */
int signers_open(struct call *call, const char *baseline, struct signers *signers,
		 struct error *err) MUST_CHECK;
void signers_clear(struct signers *signers);

/* Cuts the value "a,b" of an option in place. CONFIG error for more than SIGNERS_LIST_MAX. */
int signers_split(char *text, const char *list[SIGNERS_LIST_MAX], size_t *count, enum option_id id,
		  struct error *err) MUST_CHECK;

#endif

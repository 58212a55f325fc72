// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_SIGNATURE_GPGV_PRIVATE_H
#define MUSTER_BASELINES_SIGNATURE_GPGV_PRIVATE_H

/* What gpgv.c and gpgv_batch.c share, and nobody else sees: how the child is started. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/error.h"

#define GPGV_DEADLINE_MS 60000
/* In the child. Ours stay above the numbers that it gives a meaning. */
#define GPGV_STATUS_FD 3
#define GPGV_SIGNATURE_FD 4
#define GPGV_TEXT_FD 5
#define GPGV_KEYRING_FD 6
#define GPGV_FIRST_FD 10

extern char *const gpgv_environment[];

int64_t gpgv_now_ms(void);
/* Takes a word and the blanks behind it off `rest`. False: none, or too long. */
bool gpgv_take_word(const char **rest, char *to, size_t room);
bool gpgv_is_fingerprint(const char *text);

/* What a VALIDSIG line says, the one line that trust hangs on. */
struct gpgv_valid {
	char signer[65];    /* fingerprint of the key that signed, 40 or 64 hex digits */
	char primary[65];   /* of the key that it belongs to */
	char signed_at[33]; /* seconds since 1970, or an ISO date */
};
/* `rest` follows the word VALIDSIG. False where it names no key. */
bool gpgv_read_valid(const char *rest, struct gpgv_valid *valid);
/* Ends that are closed in every other child. */
int gpgv_pipe(int ends[2], struct error *err) MUST_CHECK;
/* A file in memory with this content, read from its start. *fd may be there on failure, too. */
int gpgv_memory_file(struct bytes content, int *fd, struct error *err) MUST_CHECK;
/* What posix_spawnp's code means. */
int gpgv_spawned(int code, struct error *err) MUST_CHECK;

#endif

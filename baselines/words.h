// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_WORDS_H
#define MUSTER_BASELINES_WORDS_H

/*
 * The keyword=value words of one mtree(5) entry, read and written side by side: what mtree.c does
 * line by line and manifest.c does for the values of findings. Reading changes the words in place
 * (escapes undone) and the entry borrows from them. Allocates nothing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baselines/manifest.h"
#include "schema/bytes.h"
#include "schema/error.h"

enum word {
	WORD_IGNORED, /* known to mtree(5), of no use here */
	WORD_TYPE,
	WORD_MODE,
	WORD_UNAME,
	WORD_GNAME,
	WORD_UID,
	WORD_GID,
	WORD_SIZE,
	WORD_TIME,
	WORD_LINK,
	WORD_SHA256,
	WORD_MD5,
	WORD_DEVICE,
	WORD_OPTIONAL,
	WORD_TAGS,
	WORDS_KNOWN
};

struct words {
	struct manifest_entry entry;
	uint32_t seen; /* bit per enum word */
	uint32_t uid;
	uint32_t gid;
};

/* Takes one word. CONFIG error without a place: the caller knows it. */
int words_take(struct words *words, uint8_t *data, size_t len, struct error *err) MUST_CHECK;

/* Forgets one keyword ("all": every one): /unset. */
int words_forget(struct words *words, struct bytes keyword, struct error *err) MUST_CHECK;

/* Checks what was taken as a whole and fills in the tags that follow from what is absent. */
int words_finish(struct words *words, struct error *err) MUST_CHECK;

/* Splits the next word off *rest (blanks and tabs); false where there is none. */
bool words_next(uint8_t **rest, size_t *rest_len, uint8_t **word, size_t *len);

/* Undoes escapes in place: \ooo and the one-letter ones of vis(3). Returns the length, -1: none. */
long words_unescape(uint8_t *data, size_t len);

/* manifest_words() */
size_t words_write(const struct manifest_entry *entry, char *to, size_t room);

#endif

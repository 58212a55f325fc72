// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_NEAREST_H
#define MUSTER_BASELINES_NEAREST_H

/*
 * The nearest right word to one that is wrong, for messages: option, verb, key, group and state
 * names all go through here, so that every part of the program suggests by the same measure. Pure,
 * without allocation.
 */

#include <stddef.h>

#include "schema/bytes.h"

#define NEAREST_WORD_MAX 64 /* longer words are never suggested, nor is anything for them */

/* The word number `index`, or NULL where there is none (an absent table row is skipped as ""). */
typedef const char *(*nearest_word)(const void *words, size_t index);

/* For a `const char *const *` that ends in NULL. */
const char *nearest_in_array(const void *words, size_t index);

/*
 * The word with the smallest edit distance to `wrong` (insertions, deletions, substitutions and
 * swaps of neighbours, case ignored), the first one of equals; a word that `wrong` is the start of
 * counts as near. NULL where none is near enough to be what was meant.
 */
const char *nearest_find(struct bytes wrong, nearest_word word, const void *words);

#endif

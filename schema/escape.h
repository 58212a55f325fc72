// SPDX-License-Identifier: MIT
#ifndef MUSTER_SCHEMA_ESCAPE_H
#define MUSTER_SCHEMA_ESCAPE_H

/*
 * The one way in which host bytes reach a terminal, log, page or file: every byte that could be
 * taken for more than text becomes \ooo (three octal digits), the backslash included, so that the
 * escaping can be undone exactly. What passes is printable ASCII, and for ESCAPE_TEXT also valid
 * UTF-8 that is no control, C1, bidirectional, zero-width, line-breaking or private character.
 */

#include <stdbool.h>
#include <stddef.h>

#include "schema/bytes.h"

enum escape_style {
	ESCAPE_TEXT,  /* people: blanks and printable UTF-8 stay */
	ESCAPE_MTREE, /* mtree(5) words: also blank, #, *, ?, [, = and all bytes above 0x7e */
};

/* Room that `len` bytes may need once escaped, the final NUL included. */
#define ESCAPE_ROOM(len) (4 * (size_t)(len) + 1)

/*
 * Writes the escaped form of `from` and a NUL to `to`. Where `room` is too small the text is cut
 * at a whole escape and ends in "..." (given room for it). Returns the length without the NUL.
 */
size_t escape_bytes(enum escape_style style, struct bytes from, char *to, size_t room);

/* ESCAPE_TEXT, for use in a printf argument: returns `to`. */
const char *escape_text(struct bytes from, char *to, size_t room);

/* Whether escape_bytes would change anything. */
bool escape_is_needed(enum escape_style style, struct bytes from);

/*
 * The character that `from` (not empty) begins with, for formats with an escaping of their own
 * (JSON): its length in bytes, its code point, and whether ESCAPE_TEXT lets it stand as it is. 0
 * where it begins with no valid UTF-8.
 */
size_t escape_character(struct bytes from, uint32_t *point, bool *is_plain);

/*
 * Undoes either style, in place allowed (to == from.data). Returns the length, or -1 where `from`
 * holds a backslash that is not followed by three octal digits of a byte.
 */
long escape_undo(struct bytes from, uint8_t *to);

#endif

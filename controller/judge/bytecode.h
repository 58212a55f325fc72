// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_BYTECODE_H
#define MUSTER_CONTROLLER_JUDGE_BYTECODE_H

/*
 * Compiled Python by its first bytes (PEP 3147, PEP 488, PEP 552): which source a *.pyc says it was
 * made from, and whether that is the source that is there. Pure text and numbers. A head that fits
 * says nothing about the code behind it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/entry.h"

enum bytecode {
	BYTECODE_FITS,      /* by the time and size of the source that is there */
	BYTECODE_HASHED,    /* by the source's SipHash, which nobody but the interpreter compares */
	BYTECODE_UNKNOWN,   /* of an interpreter that is not CPython: heads are not known */
	BYTECODE_NO_SOURCE, /* nothing it could have been made from */
	BYTECODE_STALE,     /* made from another state of its source */
	BYTECODE_MAGIC,     /* not what the interpreter in its name makes */
	BYTECODE_UNCHECKED, /* by hash, with the order not to look at the source */
	BYTECODE_SHORT,     /* no whole head */
};

bool bytecode_is(const struct entry *entry);

/* The path of the source, at most as long as the file's own: `to` has ENTRY_PATH_MAX bytes. */
struct bytes bytecode_source(struct bytes path, uint8_t *to);

/* `source` is what stands at that path, links followed; NULL: nothing. */
enum bytecode bytecode_judge(const struct entry *entry, const struct entry *source);

/* One sentence for people. */
const char *bytecode_text(enum bytecode state);

#endif

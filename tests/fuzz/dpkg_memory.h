// SPDX-License-Identifier: MIT
#ifndef TESTS_FUZZ_DPKG_MEMORY_H
#define TESTS_FUZZ_DPKG_MEMORY_H

/*
 * A dpkg database whose files are pieces of one fuzz input, between bytes 0xff. Nothing of the file
 * system is touched. A broken promise of the reader aborts.
 */

#include <stddef.h>
#include <stdint.h>

#include "payloads/dpkg/dpkg.h"

#define MEMORY_FILES_MAX 4

struct memory {
	const char *name[MEMORY_FILES_MAX]; /* file i is the input's piece i */
	struct bytes data[MEMORY_FILES_MAX];
	struct package_file_access access;
	struct dpkg *dpkg;
};

/* Splits the input into `count` files of these names; the last takes the rest. */
void memory_init(struct memory *memory, const char *const *names, size_t count, const uint8_t *data,
		 size_t size);
void memory_clear(struct memory *memory);

/* Walks the claims of every package: canonical paths, in order. Returns a hash over them. */
uint64_t memory_check_claims(struct memory *memory);
/* Records encode, fit and stand in canonical order. */
void memory_check_records(struct memory *memory, enum section_kind kind);

#endif

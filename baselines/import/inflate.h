// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_IMPORT_INFLATE_H
#define MUSTER_BASELINES_IMPORT_INFLATE_H

/*
 * A file as it is and as it inflates, with the SHA-256 of both. Compression is named by its suffix;
 * no program is started for it. Sees <archive.h>, as deb.c does.
 */

#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/error.h"

struct archive;

/*
 * Enables the filter that `suffix` (".xz", ".gz", "" ...) asks for, and no other. False where it is not
 * known or libarchive would start a program for it.
 */
bool inflate_add_filter(struct archive *archive, const char *suffix);

struct inflated {
	uint8_t *data; /* free with inflated_clear */
	size_t len;
	struct digest sha256; /* of data */
	uint64_t file_size;
	struct digest file_sha256;
};
/* CONFIG error "FILE: ..." above `most` bytes of either. */
int inflate_file(const char *file, size_t most, struct inflated *inflated,
		 struct error *err) MUST_CHECK;
/* The same without looking at the suffix: the bytes as they are. */
int inflate_read(const char *file, size_t most, struct inflated *inflated,
		 struct error *err) MUST_CHECK;
void inflated_clear(struct inflated *inflated);

#endif

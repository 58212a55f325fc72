// SPDX-License-Identifier: MIT
/*
 * rpm_convert KIND FILE BLOB...: header blobs, each in a file, into a database of another kind: ndb,
 * bdb, bdb-big (the other byte order). Ends with 77 where there is no Berkeley DB to write with.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/payloads/rpm_build.h"

static bool read_blob(const char *path, struct rpm_blob_bytes *blob)
{
	const size_t room = 16U << 20;
	FILE *file = fopen(path, "rb");

	blob->data = malloc(room);
	blob->len = file && blob->data ? fread(blob->data, 1, room, file) : 0;
	if (file) {
		(void)fclose(file);
	}
	return blob->len > 0;
}

int main(int argc, char **argv)
{
	struct rpm_blob_bytes blobs[64] = {{NULL, 0}};
	size_t count = argc > 3 ? (size_t)argc - 3 : 0;
	int status = 0;

	if (count == 0 || count > sizeof(blobs) / sizeof(blobs[0])) {
		(void)fprintf(stderr, "usage: rpm_convert ndb|bdb|bdb-big FILE BLOB...\n");
		return 2;
	}
	for (size_t i = 0; i < count; i++) {
		if (!read_blob(argv[i + 3], &blobs[i])) {
			(void)fprintf(stderr, "rpm_convert: %s cannot be read\n", argv[i + 3]);
			return 2;
		}
	}
	if (strcmp(argv[1], "ndb") == 0) {
		rpm_write_ndb(argv[2], blobs, count);
	} else if (!rpm_write_bdb(argv[2], strcmp(argv[1], "bdb-big") == 0, 4096, blobs, count)) {
		status = 77;
	}
	for (size_t i = 0; i < count; i++) {
		free(blobs[i].data);
	}
	return status;
}

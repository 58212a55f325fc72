// SPDX-License-Identifier: MIT
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rpm_memory.h"

#define SLOT_PAGE 4096U
#define BLOB_MAX 60000U

static void put_le32(uint8_t *to, size_t value)
{
	for (unsigned i = 0; i < 4; i++) {
		to[i] = (uint8_t)(value >> (8 * i));
	}
}

/* The input is one header blob, put into a sound ndb database. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t file[SLOT_PAGE + BLOB_MAX + 64];
	size_t len = size < BLOB_MAX ? size : BLOB_MAX;
	size_t area = (len + 43) / 16 * 16;
	uint8_t *blob = file + SLOT_PAGE;

	memset(file, 0, sizeof(file));
	memcpy(file, "RpmP", 4);
	put_le32(file + 12, 1);
	for (size_t at = 32; at < SLOT_PAGE; at += 16) {
		memcpy(file + at, "Slot", 4);
	}
	put_le32(file + 36, 1);
	put_le32(file + 40, SLOT_PAGE / 16);
	put_le32(file + 44, area / 16);
	memcpy(blob, "BlbS", 4);
	put_le32(blob + 4, 1);
	put_le32(blob + 12, len);
	if (len != 0) {
		memcpy(blob + 16, data, len);
	}
	put_le32(blob + area - 8, len);
	memcpy(blob + area - 4, "BlbE", 4);
	rpm_memory_walk(&rpm_storage_ndb, bytes_make(file, SLOT_PAGE + area), bytes_make(NULL, 0));
	return 0;
}

// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "tests/fuzz/dpkg_memory.h"
#include "tests/fuzz/fuzz.h"

static const char stanza[] = "Package: p\nStatus: install ok installed\nConffiles:\n ";

static uint64_t walk(const uint8_t *data, size_t size, bool is_narrow)
{
	static const char *const names[] = {"diversions", "p.list", "p.md5sums", "status"};
	struct memory memory;
	uint64_t hash;
	uint8_t *status;

	memory_init(&memory, names, 4, data, size);
	status = malloc(sizeof(stanza) + memory.data[3].len);
	if (!status) {
		abort();
	}
	memcpy(status, stanza, sizeof(stanza) - 1);
	if (memory.data[3].len != 0) {
		memcpy(status + sizeof(stanza) - 1, memory.data[3].data, memory.data[3].len);
	}
	memory.data[3] = bytes_make(status, sizeof(stanza) - 1 + memory.data[3].len);
	diversions_read(memory.dpkg);
	dpkg_stanzas_read(memory.dpkg);
	memory.dpkg->info_fd = 0; /* any but -1: files come from memory */
	if (is_narrow) {
		claim_table_clear(&memory.dpkg->claims);
		if (!claim_table_init(&memory.dpkg->claims, CLAIM_TEXT_LEAST, CLAIM_ITEMS_LEAST)) {
			abort();
		}
	}
	if (!dpkg_stanzas_sort(memory.dpkg)) {
		abort();
	}
	hash = memory_check_claims(&memory);
	memory_clear(&memory);
	free(status);
	return hash;
}

/* Diversions, list, sums, conffiles of one package; windows narrow and wide must agree. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (walk(data, size, false) != walk(data, size, true)) {
		abort();
	}
	return 0;
}

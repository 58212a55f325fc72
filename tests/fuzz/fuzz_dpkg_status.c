// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "tests/fuzz/dpkg_memory.h"
#include "tests/fuzz/fuzz.h"

/* A status file, with the Conffiles of its packages. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"status"};
	struct memory memory;

	memory_init(&memory, names, 1, data, size);
	dpkg_stanzas_read(memory.dpkg);
	if (!dpkg_stanzas_sort(memory.dpkg)) {
		abort();
	}
	memory_check_records(&memory, SECTION_PACKAGES);
	(void)memory_check_claims(&memory);
	memory_clear(&memory);
	return 0;
}

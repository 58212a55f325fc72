// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "tests/fuzz/dpkg_memory.h"
#include "tests/fuzz/fuzz.h"

/* Diversions, overrides, dpkg.cfg and one alternative. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"diversions", "statoverride", "dpkg.cfg", "editor"};
	struct memory memory;

	memory_init(&memory, names, 4, data, size);
	diversions_read(memory.dpkg);
	exceptions_read_config(memory.dpkg, -1, "/etc/dpkg", "dpkg.cfg");
	exceptions_read_alternative(memory.dpkg, -1, DPKG_DIR "/alternatives", "editor");
	exceptions_read(memory.dpkg); /* diversions and overrides: there are no directories */
	memory_check_records(&memory, SECTION_EXCEPTIONS);
	memory_clear(&memory);
	return 0;
}

// SPDX-License-Identifier: MIT
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rpm_memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	rpm_memory_walk(&rpm_storage_bdb, bytes_make(data, size), bytes_make(NULL, 0));
	return 0;
}

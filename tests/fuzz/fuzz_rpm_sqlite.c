// SPDX-License-Identifier: MIT
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rpm_memory.h"

/* The first two bytes say how many blocks of 512 bytes are the WAL's, which stands first. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t wal;

	if (size < 2) {
		return 0;
	}
	wal = ((size_t)data[0] << 8 | data[1]) * 512;
	data += 2;
	size -= 2;
	wal = wal < size ? wal : size;
	rpm_memory_walk(&rpm_storage_sqlite, bytes_make(data + wal, size - wal),
			bytes_make(data, wal));
	return 0;
}

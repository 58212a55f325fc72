// SPDX-License-Identifier: MIT
/* The text of /etc/passwd or /etc/group: every lookup gives a name of this file or a number. */
#include "payloads/names.h"
#include "schema/entry.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct names names;

	if (names_init(&names) != 0) {
		return 0;
	}
	names_parse(&names, bytes_make(data, size));
	names_finish(&names);
	for (uint32_t id = 0; id < 64; id++) {
		struct bytes name = names_lookup(&names, id);

		if (name.len == 0 || name.len >= ENTRY_NAME_MAX ||
		    (id == 0) != bytes_equal_string(name, "root")) {
			__builtin_trap();
		}
	}
	names_clear(&names);
	return 0;
}

// SPDX-License-Identifier: MIT
#include <assert.h>
#include <string.h>

#include "controller/ssh/control.h"
#include "tests/fuzz/fuzz.h"

/* What decodes has one encoding: its own. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t again[CONTROL_MAX];
	struct control_message message;

	if (control_decode(bytes_make(data, size), &message)) {
		size_t len = control_encode(&message, again, sizeof(again));

		assert(len == size && memcmp(again, data, size) == 0);
	}
	return 0;
}

// SPDX-License-Identifier: MIT
#include <assert.h>

#include "baselines/acks.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ack_list list = {0};
	struct error err = {0};

	if (acks_parse("fuzz", bytes_make(data, size), &list, &err) < 0) {
		assert(err.kind == ERROR_CONFIG && err.msg[0] != '\0');
	}
	for (size_t i = 0; i < list.count; i++) {
		assert(list.acks[i].id[0] && list.acks[i].reason[0] && list.acks[i].until_s > 0);
	}
	acks_clear(&list);
	return 0;
}

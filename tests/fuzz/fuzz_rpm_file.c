// SPDX-License-Identifier: MIT
/* The front of an .rpm file. */
#include <assert.h>

#include "baselines/rpm/file.h"
#include "baselines/rpm/header.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rpm_file_front front;
	struct rpm_header *header = NULL;
	struct error err = {0};

	if (rpm_file_parse(bytes_make(data, size), &front, &err) < 0) {
		assert(err.kind == ERROR_CONFIG);
		return 0;
	}
	for (size_t i = 0; i < front.section.count; i++) {
		struct bytes value = front.section.items[i].value;

		assert(value.data >= data && value.data + value.len <= data + size);
	}
	if (rpm_header_parse(front.section.items[0].value, &header, &err) == 0) {
		rpm_header_free(header);
	}
	rpm_file_clear(&front);
	return 0;
}

// SPDX-License-Identifier: MIT
/* Every line that is taken must come out of its own record again, byte for byte. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "baselines/records.h"
#include "tests/fuzz/fuzz.h"

static void check_line(struct bytes line)
{
	uint8_t *scratch = malloc(line.len);
	char *again = malloc(line.len + 64);
	struct error err = {0};
	struct record record;
	const char *kind;
	size_t len;

	assert(scratch && again);
	if (records_read_line(line, scratch, &kind, &record, &err) < 0) {
		abort();
	}
	len = records_line(kind, &record, 0, again, line.len + 64);
	assert(bytes_equal(line, bytes_make(again, len)));
	free(scratch);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record_list *list = NULL;
	struct error err = {0};

	if (records_parse("fuzz", bytes_make(data, size), &list, &err) < 0) {
		assert(err.kind == ERROR_CONFIG && err.msg[0] != '\0');
		return 0;
	}
	for (size_t i = 0; i < list->count; i++) {
		assert(records_has(list, list->line[i]));
		check_line(list->line[i]);
	}
	records_free(list);
	return 0;
}

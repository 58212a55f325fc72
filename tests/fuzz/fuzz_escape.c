// SPDX-License-Identifier: MIT
/* Whatever is escaped comes back, and undoing what nobody escaped stays within its bytes. */
#include <assert.h>
#include <stdlib.h>

#include "schema/escape.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes from = bytes_make(data, size);
	size_t room = ESCAPE_ROOM(size);
	char *text = malloc(room);
	uint8_t *back = malloc(room);

	assert(text && back);
	for (int style = ESCAPE_TEXT; style <= ESCAPE_MTREE; style++) {
		size_t len = escape_bytes((enum escape_style)style, from, text, room);

		assert(escape_undo(bytes_make(text, len), back) == (long)size);
		assert(size == 0 || memcmp(back, data, size) == 0);
		(void)escape_bytes((enum escape_style)style, from, text, size < 9 ? size : 9);
	}
	(void)escape_undo(from, back);
	free(back);
	free(text);
	return 0;
}

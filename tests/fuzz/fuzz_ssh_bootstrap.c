// SPDX-License-Identifier: MIT
#include <assert.h>
#include <string.h>

#include "controller/ssh/bootstrap.h"
#include "tests/fuzz/fuzz.h"

/* The first byte says how the rest is cut; however it is cut, the same events come. */
static unsigned feed(const uint8_t *data, size_t size, size_t piece, char *word)
{
	struct bootstrap bootstrap;
	unsigned events = 0;

	bootstrap_init(&bootstrap, "0123456789abcdef0123456789abcdef");
	while (size > 0) {
		size_t len = size < piece ? size : piece;
		struct bytes part = {data, len};

		data += len;
		size -= len;
		while (part.len > 0) {
			enum bootstrap_event event = bootstrap_feed(&bootstrap, &part);

			events = events * 8 + (unsigned)event;
			if (event == BOOTSTRAP_MORE) {
				assert(part.len == 0);
				events /= 8;
			} else if (event == BOOTSTRAP_STREAM || event == BOOTSTRAP_TOO_MUCH) {
				size = 0;
				break;
			}
		}
	}
	assert(strlen(bootstrap.word) < sizeof(bootstrap.word));
	(void)strcpy(word, bootstrap.word); // NOLINT: of one size
	return events;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char whole[BOOTSTRAP_WORD_MAX], cut[BOOTSTRAP_WORD_MAX];

	if (size > 1) {
		assert(feed(data + 1, size - 1, size, whole) ==
		       feed(data + 1, size - 1, (size_t)data[0] % 16 + 1, cut));
		assert(strcmp(whole, cut) == 0);
	}
	return 0;
}

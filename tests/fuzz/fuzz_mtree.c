// SPDX-License-Identifier: MIT
/* What is read once is written and read again: the second text must equal the first. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "baselines/mtree.h"
#include "tests/fuzz/fuzz.h"

static char *rewrite(struct bytes text, size_t *len)
{
	struct manifest *manifest = NULL;
	struct error err = {0};
	char *written = NULL;

	if (mtree_parse("fuzz", text, &manifest, &err) < 0) {
		assert(err.kind == ERROR_CONFIG && err.msg[0] != '\0');
		return NULL;
	}
	for (size_t i = 0; i < manifest->count; i++) {
		assert(manifest_find(manifest, manifest->entries[i].entry.path) ==
		       &manifest->entries[i]);
	}
	if (mtree_write(manifest->entries, manifest->count, NULL, &written, len, &err) < 0) {
		abort();
	}
	manifest_free(manifest);
	return written;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len, again_len;
	char *text = rewrite(bytes_make(data, size), &len), *again;

	if (!text) {
		return 0;
	}
	again = rewrite(bytes_make(text, len), &again_len);
	assert(again && len == again_len && memcmp(text, again, len) == 0);
	free(text);
	free(again);
	return 0;
}

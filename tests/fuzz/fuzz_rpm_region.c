// SPDX-License-Identifier: MIT
/* The signed region of an rpm header: whatever is read holds together, and makes a manifest. */
#include <assert.h>
#include <string.h>

#include "baselines/rpm/manifest.h"
#include "tests/fuzz/fuzz.h"

static void check_file(const struct rpm_header *header, const struct rpm_file *file)
{
	size_t size = rpm_digest_size(header->digest_algorithm);
	uint8_t caps[ENTRY_CAPS_MAX];

	assert(file->path.len > 0 && file->path.data[0] == '/');
	assert(!memchr(file->path.data, '\0', file->path.len));
	assert(file->digest.len == 0 || size == 0 || file->digest.len == size);
	assert(rpm_caps_from_text(file->caps, caps) <= (long)sizeof(caps));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rpm_header *header = NULL;
	struct manifest *manifest = NULL;
	struct error err = {0};

	if (rpm_header_parse(bytes_make(data, size), &header, &err) < 0) {
		assert(err.kind == ERROR_PEER && err.msg[0] != '\0' && !header);
		return 0;
	}
	for (size_t i = 0; i < header->file_count; i++) {
		check_file(header, &header->files[i]);
	}
	if (rpm_manifest_make(header, "fuzz", "", &manifest, &err) == 0) {
		assert(manifest->count == header->file_count);
		for (size_t i = 1; i < manifest->count; i++) {
			assert(bytes_path_compare(manifest->entries[i - 1].entry.path,
						  manifest->entries[i].entry.path) < 0);
		}
		manifest_free(manifest);
	} else {
		assert(err.kind == ERROR_PEER);
	}
	rpm_header_free(header);
	return 0;
}

// SPDX-License-Identifier: MIT
/* Release, Packages and gpgv's status lines: one input, read as each of them. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "baselines/import/release.h"
#include "baselines/signature/gpgv.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct release_packages packages = {0};
	struct release *release = NULL;
	struct gpgv_result result = {0};
	struct error err = {0};
	char *text = malloc(size + 1);

	assert(text);
	if (size > 0) {
		memcpy(text, data, size);
	}
	text[size] = '\0';
	if (gpgv_status_parse(text, &result, &err) == 0) {
		assert(result.count > 0 && strlen(result.signer[0]) >= 40);
	}
	free(text);
	if (release_parse(bytes_make(data, size), &release, &err) == 0) {
		assert(release->count > 0 && release->origin[0] != '\0');
		assert(release_find(release, &release->files[0].sha256, release->files[0].size) ||
		       release->count > 1);
		release_free(release);
	}
	if (release_packages_add(&packages, bytes_make(data, size), &err) == 0) {
		release_packages_sort(&packages);
	}
	for (size_t i = 0; i < packages.count; i++) {
		const char *file = packages.item[i].file;

		assert(packages.item[i].package[0] != '\0');
		/* It is opened below the mirror. */
		assert(file[0] != '/' && strncmp(file, "../", 3) != 0 && !strstr(file, "/../") &&
		       !strstr(file, "//"));
	}
	release_packages_clear(&packages);
	return 0;
}

// SPDX-License-Identifier: MIT
/* A .deb through libarchive, read from memory by a name as any other file. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "baselines/import/deb.h"
#include "baselines/mtree.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct deb *deb = NULL;
	struct error err = {0};
	char name[64], *text = NULL;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	size_t len = 0;

	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (deb_read(name, &deb, &err) == 0) {
		assert(deb->package[0] != '\0' && deb->version[0] != '\0' && deb->arch[0] != '\0');
		/* What is imported must be readable when a run asks for it. */
		if (mtree_write(deb->manifest->entries, deb->manifest->count, NULL, &text, &len,
				&err) == 0) {
			struct manifest *manifest = NULL;

			assert(mtree_parse("fuzz", bytes_make(text, len), &manifest, &err) == 0);
			assert(manifest->count == deb->manifest->count);
			manifest_free(manifest);
		}
		free(text);
		deb_free(deb);
	} else {
		assert(err.kind == ERROR_CONFIG && err.msg[0] != '\0');
	}
	(void)close(fd);
	return 0;
}

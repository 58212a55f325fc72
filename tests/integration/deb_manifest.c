// SPDX-License-Identifier: MIT
/*
 * deb_manifest FILE.deb...: what baselines/deb.h makes of each, for test_debs.py to hold against
 * others' reading of the same files. With --commit DIR as first arguments they are imported into a
 * new baseline there instead, and read back from it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baselines/deb.h"
#include "baselines/import.h"
#include "baselines/mtree.h"
#include "baselines/verify.h"

static int complain(const struct error *err)
{
	(void)fprintf(stderr, "deb_manifest: %s\n", err->msg);
	return 1;
}

static int print_deb(const char *file, struct error *err)
{
	struct deb *deb = NULL;
	char *text = NULL;
	size_t len;
	int result = -1;

	if (deb_read(file, &deb, err) < 0) {
		return -1;
	}
	if (mtree_write(deb->manifest->entries, deb->manifest->count, NULL, &text, &len, err) ==
	    0) {
		printf("# file %s\n# package %s %s %s\n# md5_wrong %zu\n%s", file, deb->package,
		       deb->version, deb->arch, deb->md5_wrong, text);
		result = 0;
	}
	free(text);
	deb_free(deb);
	return result;
}

static int tell(void *context, const char *fault)
{
	(void)context;
	printf("%s\n", fault);
	return 0;
}

static int import_all(const char *dir, char **files, int count, struct error *err)
{
	const char *author = "Test <test@example.org>";
	struct verify_counts counts = {0};
	char commit[EDIT_COMMIT_SIZE];
	struct import_report report;
	struct edit *edit = NULL;
	uint64_t bytes = 0;
	int result = -1;

	if (edit_init(dir, author, commit, err) < 0 || edit_open(dir, author, &edit, err) < 0) {
		return -1;
	}
	for (int i = 0; i < count; i++) {
		if (import_deb(edit, files[i], "Debian", &report, err) < 0) {
			goto out;
		}
		bytes += report.bytes;
	}
	if (edit_commit(edit, "Import packages", commit, err) < 0 ||
	    verify_repository(dir, NULL, tell, NULL, &counts, err) < 0) {
		goto out;
	}
	printf("imported %d packages, %" PRIu64
	       " bytes of files; read back %zu manifests, %zu entries, "
	       "%zu broken, %zu unknown\n",
	       count, bytes, counts.manifests, counts.entries, counts.broken, counts.unknown);
	result = 0;
out:
	edit_free(edit);
	return result;
}

int main(int argc, char **argv)
{
	struct error err = {0};

	if (argc > 3 && strcmp(argv[1], "--commit") == 0) {
		return import_all(argv[2], argv + 3, argc - 3, &err) < 0 ? complain(&err) : 0;
	}
	for (int i = 1; i < argc; i++) {
		if (print_deb(argv[i], &err) < 0) {
			return complain(&err);
		}
	}
	return 0;
}

// SPDX-License-Identifier: MIT
/*
 * deb_manifest FILE.deb...: what baselines/import/deb.h makes of each, for test_debs.py to hold against
 * others' reading of the same files. With --commit DIR as first arguments they are imported into a
 * new baseline there instead, and read back from it. With --signed INRELEASE PACKAGES KEYRING they are
 * held against a signed archive.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "baselines/import/deb.h"
#include "baselines/import/import.h"
#include "baselines/import/signed.h"
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

static int check_all(const char *const *archive_files, char **files, int count, struct error *err)
{
	struct signed_archive *archive = NULL;
	int proved = 0;

	const struct signed_source source = {.release = archive_files[0],
					     .keyring = archive_files[2],
					     .now_s = (int64_t)time(NULL)};

	if (signed_open(&source, &archive, NULL, err) < 0) {
		return -1;
	}
	if (signed_add_packages(archive, archive_files[1], err) < 0) {
		signed_free(archive);
		return -1;
	}
	for (int i = 0; i < count; i++) {
		struct error ignored = {0};
		struct deb *deb = NULL;

		if (deb_read(files[i], &deb, err) < 0) {
			signed_free(archive);
			return -1;
		}
		proved += signed_check(archive, deb, &ignored) == 0;
		deb_free(deb);
	}
	printf("%s, signed by %s, names %zu packages: %d of %d are proved by it\n",
	       signed_origin(archive), signed_fingerprint(archive), signed_count(archive), proved,
	       count);
	signed_free(archive);
	return 0;
}

int main(int argc, char **argv)
{
	struct error err = {0};

	if (argc > 5 && strcmp(argv[1], "--signed") == 0) {
		const char *const archive[] = {argv[2], argv[3], argv[4]};

		return check_all(archive, argv + 5, argc - 5, &err) < 0 ? complain(&err) : 0;
	}

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

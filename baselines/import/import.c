// SPDX-License-Identifier: MIT
#include "baselines/import/import.h"

#include <stdio.h>
#include <stdlib.h>

#include "baselines/import/deb.h"
#include "baselines/import/import_private.h"
#include "baselines/packages.h"
#include "schema/escape.h"

static void fill_report(const struct deb *deb, struct import_report *report)
{
	*report = (struct import_report){.no_md5sums = !deb->has_md5sums};
	(void)snprintf(report->package, sizeof(report->package), "%s", deb->package);
	(void)snprintf(report->version, sizeof(report->version), "%s", deb->version);
	(void)snprintf(report->arch, sizeof(report->arch), "%.60s", deb->arch);
	report->entries = deb->manifest->count;
	report->files = deb->files;
	report->bytes = deb->bytes;
	report->md5_wrong = deb->md5_wrong;
	if (deb->md5_first) {
		(void)escape_text(deb->md5_first->entry.path, report->md5_path,
				  sizeof(report->md5_path));
	}
}

void import_hex(const struct digest *digest, char hex[2 * DIGEST_SIZE + 1])
{
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		(void)snprintf(hex + 2 * i, 3, "%02x", digest->bytes[i]);
	}
}

/* What the manifest was made of: in comments, so that the same file gives the same bytes. */
static void write_comments(const struct deb *deb, const struct signed_archive *archive, char *to,
			   size_t room)
{
	char hex[2 * DIGEST_SIZE + 1];

	import_hex(&deb->sha256, hex);
	(void)snprintf(to, room,
		       "# package %s %s %s\n"
		       "# source %s %s\n" MTREE_DEB_SHA256 "%s\n"
		       "%s%s%s%s\n",
		       deb->package, deb->version, deb->arch, deb->source, deb->source_version, hex,
		       deb->has_md5sums ? "" : MTREE_NO_MD5SUMS "\n",
		       archive ? MTREE_SIGNED_BY : "# trust unsigned",
		       archive ? signed_fingerprint(archive) : "",
		       archive ? "\n" MTREE_TRUST_SIGNED : "");
}

/* What the baseline has of a build: its comments say what it was made of. */
struct had {
	bool found;
	struct mtree_comments comments;
};

static int read_had(struct edit *edit, const char *path, struct had *had, struct error *err)
{
	uint8_t *data = NULL;
	size_t len = 0;

	*had = (struct had){0};
	if (edit_read(edit, path, MTREE_SIZE_MAX, &data, &len, err) < 0) {
		return -1;
	}
	had->found = data != NULL;
	mtree_comments_read(bytes_make(data, len), &had->comments);
	free(data);
	return 0;
}

static bool path_of(const char *manager, const char *origin, const char *package,
		    const char *version, const char *arch, char path[PACKAGES_PATH_MAX])
{
	return packages_path(bytes_from_string(manager), bytes_from_string(origin),
			     bytes_from_string(package), bytes_from_string(version),
			     bytes_from_string(arch), path);
}

int import_has(struct edit *edit, const char *origin, const struct release_package *package,
	       bool *has, struct error *err)
{
	char path[PACKAGES_PATH_MAX], hex[2 * DIGEST_SIZE + 1];
	struct had had;

	*has = false;
	if (!path_of("dpkg", origin, package->package, package->version, package->arch, path)) {
		return 0;
	}
	if (read_had(edit, path, &had, err) < 0) {
		return -1;
	}
	import_hex(&package->sha256, hex);
	*has = had.comments.is_signed && strcmp(had.comments.package_sha256, hex) == 0;
	return 0;
}

/* What a signed archive has need not stand under the name of none any more. */
static int drop_unsigned(struct edit *edit, const struct import_build *build, bool *dropped,
			 struct error *err)
{
	char path[PACKAGES_PATH_MAX];
	struct had had;

	*dropped = false;
	if (strcmp(build->origin, IMPORT_ORIGIN) == 0 ||
	    !path_of(build->manager, IMPORT_ORIGIN, build->package, build->version, build->arch,
		     path)) {
		return 0;
	}
	if (read_had(edit, path, &had, err) < 0) {
		return -1;
	}
	if (!had.found || had.comments.is_signed ||
	    strcmp(had.comments.package_sha256, build->sha256) != 0) {
		return 0;
	}
	*dropped = true;
	return edit_remove(edit, path, err);
}

static int put(struct edit *edit, const struct import_build *build, const char *path,
	       struct error *err)
{
	char *text = NULL;
	size_t len;
	int result;

	if (mtree_write(build->entries, build->count, build->comments, &text, &len, err) < 0) {
		return -1;
	}
	result = edit_put(edit, path, bytes_make(text, len), err);
	free(text);
	return result;
}

int import_stage(struct edit *edit, const struct import_build *build, struct import_report *report,
		 struct error *err)
{
	bool dropped = false, same;
	struct had had;

	if (!path_of(build->manager, build->origin, build->package, build->version, build->arch,
		     report->path)) {
		return error_set(err, ERROR_CONFIG, 0,
				 "origin, package or version is too long for a file name");
	}
	if (read_had(edit, report->path, &had, err) < 0) {
		return -1;
	}
	same = had.found && strcmp(had.comments.package_sha256, build->sha256) == 0;
	report->is_signed = build->is_signed || had.comments.is_signed;
	if (!build->is_signed && had.comments.is_signed) {
		report->outcome = IMPORT_HAD;
		return same ? 0
			    : error_set(
				      err, ERROR_CONFIG, 0,
				      "%s %s: the baseline has this version signed, from a package "
				      "with SHA-256 %.16s..., and this one has %.16s...: it is not "
				      "the archive's own",
				      build->package, build->version, had.comments.package_sha256,
				      build->sha256);
	}
	if (build->is_signed && drop_unsigned(edit, build, &dropped, err) < 0) {
		return -1;
	}
	report->outcome = same && had.comments.is_signed == build->is_signed ? IMPORT_HAD
			  : same || dropped                                  ? IMPORT_PROVED
			  : had.found                                        ? IMPORT_REPLACED
									     : IMPORT_NEW;
	return put(edit, build, report->path, err);
}

static int stage(struct edit *edit, const struct deb *deb, const char *origin,
		 const struct signed_archive *archive, struct import_report *report,
		 struct error *err)
{
	char comments[2048];
	struct import_build build = {
		.manager = "dpkg",
		.origin = origin,
		.package = deb->package,
		.version = deb->version,
		.arch = deb->arch,
		.is_signed = archive != NULL,
		.comments = comments,
		.entries = deb->manifest->entries,
		.count = deb->manifest->count,
	};

	import_hex(&deb->sha256, build.sha256);
	write_comments(deb, archive, comments, sizeof(comments));
	return import_stage(edit, &build, report, err);
}

static int import(struct edit *edit, const char *file, const char *origin,
		  const struct signed_archive *archive, struct import_report *report,
		  struct error *err)
{
	struct deb *deb = NULL;
	int result = 0;

	if (deb_read(file, &deb, err) < 0) {
		return -1;
	}
	fill_report(deb, report);
	if (archive) {
		result = signed_check(archive, deb, err);
	}
	if (result == 0) {
		result = stage(edit, deb, origin, archive, report, err);
	}
	deb_free(deb);
	return result < 0 ? error_prefix(err, "%s", file) : 0;
}

int import_deb(struct edit *edit, const char *file, const char *origin,
	       struct import_report *report, struct error *err)
{
	return import(edit, file, origin ? origin : IMPORT_ORIGIN, NULL, report, err);
}

int import_deb_signed(struct edit *edit, const char *file, const struct signed_archive *archive,
		      struct import_report *report, struct error *err)
{
	return import(edit, file, signed_origin(archive), archive, report, err);
}

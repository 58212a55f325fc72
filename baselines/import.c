// SPDX-License-Identifier: MIT
#include "baselines/import.h"

#include <stdio.h>
#include <stdlib.h>

#include "baselines/deb.h"
#include "baselines/mtree.h"
#include "baselines/packages.h"
#include "baselines/signed.h"
#include "schema/escape.h"

static void fill_report(const struct deb *deb, struct import_report *report)
{
	(void)snprintf(report->package, sizeof(report->package), "%s", deb->package);
	(void)snprintf(report->version, sizeof(report->version), "%s", deb->version);
	(void)snprintf(report->arch, sizeof(report->arch), "%.60s", deb->arch);
	report->entries = deb->manifest->count;
	report->files = deb->files;
	report->bytes = deb->bytes;
	report->md5_wrong = deb->md5_wrong;
	report->md5_path[0] = '\0';
	if (deb->md5_first) {
		(void)escape_text(deb->md5_first->entry.path, report->md5_path,
				  sizeof(report->md5_path));
	}
}

/* What the manifest was made of: in comments, so that the same file gives the same bytes. */
static void write_comments(const struct deb *deb, const struct signed_archive *archive, char *to,
			   size_t room)
{
	char hex[2 * DIGEST_SIZE + 1];

	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		(void)snprintf(hex + 2 * i, 3, "%02x", deb->sha256.bytes[i]);
	}
	(void)snprintf(to, room,
		       "# package %s %s %s\n"
		       "# source %s %s\n"
		       "# deb sha256 %s\n"
		       "%s%s%s\n",
		       deb->package, deb->version, deb->arch, deb->source, deb->source_version, hex,
		       archive ? "# signed by " : "# trust unsigned",
		       archive ? signed_fingerprint(archive) : "",
		       archive ? "\n" MTREE_TRUST_SIGNED : "");
}

static int stage(struct edit *edit, const struct deb *deb, const char *origin,
		 const struct signed_archive *archive, struct import_report *report,
		 struct error *err)
{
	char comments[2048], *text = NULL;
	size_t len;
	int result;

	if (!packages_path(BYTES_LITERAL("dpkg"), bytes_from_string(origin),
			   bytes_from_string(deb->package), bytes_from_string(deb->version),
			   bytes_from_string(deb->arch), report->path)) {
		return error_set(err, ERROR_CONFIG, 0,
				 "origin, package or version is too long for a file name");
	}
	write_comments(deb, archive, comments, sizeof(comments));
	if (mtree_write(deb->manifest->entries, deb->manifest->count, comments, &text, &len, err) <
	    0) {
		return -1;
	}
	result = edit_put(edit, report->path, bytes_make(text, len), err);
	free(text);
	return result;
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

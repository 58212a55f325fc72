// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_MTREE_H
#define MUSTER_BASELINES_MTREE_H

/*
 * The text form of a manifest: mtree(5). What is written is normal: one full entry a line, "./path"
 * first, sorted, the same keywords in the same order, \ooo escapes only, no /set; what mtree has no
 * keyword for (configuration, capabilities, ACLs, inode flags) is in tags=. What is read may also
 * come from other programs: /set, /unset, bare names and "..", continued lines, other digests.
 * An unknown keyword or tag is a fault: it may mean less is checked than its author thinks.
 * Bounded in size, line and number of entries; never recursive.
 */

#include "baselines/manifest.h"
#include "schema/bytes.h"
#include "schema/error.h"

#define MTREE_SIZE_MAX ((size_t)128 << 20)
#define MTREE_ENTRIES_MAX 1000000U
#define MTREE_LINE_MAX 81920U

/* Comments that are taken note of, as whole lines above the first entry. */
#define MTREE_TRUST_SIGNED "# trust signed" /* the archive's signature was checked at import */
#define MTREE_NO_MD5SUMS "# md5sums none"   /* the .deb ships none: manifest->no_md5sums */
#define MTREE_CAPTURED "# captured"         /* manifest->captured */

/* What the comments above the first entry say, without reading the entries. */
struct mtree_comments {
	bool is_signed;
	bool no_md5sums;
	char package_sha256[2 * DIGEST_SIZE + 1]; /* of the .deb, or of an .rpm's header; or "" */
	char signer[65];                          /* fingerprint, or "" */
};
#define MTREE_DEB_SHA256 "# deb sha256 "
#define MTREE_RPM_SHA256 "# rpm header sha256 "
#define MTREE_SIGNED_BY "# signed by "
void mtree_comments_read(struct bytes text, struct mtree_comments *comments);

/* CONFIG error "source:line: ..." for anything that is not well-formed. `text` is not kept. */
int mtree_parse(const char *source, struct bytes text, struct manifest **manifest,
		struct error *err) MUST_CHECK;

/*
 * The lines of `entries`, which stand in order (a manifest's). `comments` are whole lines that
 * follow "#mtree", each beginning with '#', or NULL. Allocates *text (free with free()).
 */
int mtree_write(const struct manifest_entry *entries, size_t count, const char *comments,
		char **text, size_t *len, struct error *err) MUST_CHECK;

#endif

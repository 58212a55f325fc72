// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_VERIFY_H
#define MUSTER_BASELINES_VERIFY_H

/*
 * A whole repository, file by file: reads what baseline_open would read only when asked, so that
 * what is broken is known before a merge, and lists what there is. Reads one commit, changes
 * nothing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/error.h"

struct verify_counts {
	size_t manifests; /* of packages */
	size_t is_signed; /* of these, proved at import */
	size_t no_md5sums;
	size_t hosts; /* with accepted state */
	size_t groups;
	size_t trees;
	size_t acks;
	size_t keys;
	size_t entries; /* of all of them */
	size_t records;
	size_t broken;  /* files */
	size_t unknown; /* files that nothing reads: a wrong place or name */
};

/* One line for each broken or unknown file: "FILE:LINE: what". -1 stops. */
typedef int verify_cb(void *context, const char *fault);

/* `ref` NULL: HEAD. Broken files are no error: they are told and counted. */
int verify_repository(const char *path, const char *ref, verify_cb *callback, void *context,
		      struct verify_counts *counts, struct error *err) MUST_CHECK;

enum verify_kind {
	VERIFY_PACKAGE,
	VERIFY_HOST,
	VERIFY_GROUP,
	VERIFY_TREE,
	VERIFY_ACK,
	VERIFY_OVERRIDES
};

/* One thing of a repository, by names as they were before they were escaped. */
struct verify_item {
	enum verify_kind kind;
	const char *name;    /* package, host, group, id of an ack */
	const char *manager; /* packages; else "" */
	const char *origin;
	const char *version; /* acks: the day they end on */
	const char *arch;
	const char *path; /* in the repository */
	/* Packages: */
	bool is_signed;
	bool no_md5sums;
	const char *signer; /* fingerprint, or "" */
};
typedef int verify_item_cb(void *context, const struct verify_item *item);

/* Calls back for each in order of paths; only names are read, acks, and what manifests were made of. */
int verify_list(const char *path, const char *ref, verify_item_cb *callback, void *context,
		struct error *err) MUST_CHECK;

#endif

// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_PACKAGE_H
#define MUSTER_CONTROLLER_JUDGE_PACKAGE_H

/*
 * The heart of the judge: one package's sections against the manifests of its build. Knows no host,
 * no policy and no accepted state: the result depends on nothing but the sections' bytes, the
 * manifests and the diversions that touch them, so that a fleet of equals can share it. What it
 * returns borrows from what it was given.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baselines/arena.h"
#include "baselines/manifest.h"
#include "schema/entry.h"
#include "schema/error.h"
#include "schema/record.h"

struct entry_list {
	struct entry *item;
	size_t count;
	size_t room;
};

/* The entry of exactly this path, or NULL. The list is in order of paths, as a section is. */
const struct entry *entry_list_find(const struct entry_list *list, struct bytes path);

struct row_list {
	struct record *item;
	size_t count;
	size_t room;
};

/* A diversion: what others than `by` ship at `from` lies at `to`. */
struct redirect {
	struct bytes from;
	struct bytes to;
	struct bytes by; /* package, or ":" for one of the administrator's */
	bool known;
};

struct redirect_list {
	struct redirect *item; /* ordered by `to` */
	size_t count;
	uint64_t lengths; /* bit (len % 64) of each `to`: most paths need no search */
};

struct rpm_facts;

struct package_input {
	struct bytes name;
	const struct entry_list *files;  /* [package, ...] */
	const struct entry_list *config; /* [config, ...] */
	const struct row_list *claims;   /* [claims, ...] */
	bool has_claims;                 /* false: who claims what is not known */
	const struct redirect_list *redirects;
	const struct manifest *const *candidates;
	size_t candidate_count;
	const struct rpm_facts *rpm;     /* the one candidate is of this header; else NULL */
	const struct row_list *measured; /* [md5, ...]; NULL: not at hand */
};

enum package_item_kind {
	PACKAGE_ITEM_CONFIG,       /* a conffile of the manifest, equal or not */
	PACKAGE_ITEM_DIFFERS,      /* `differences` against `want`; none: is_masked */
	PACKAGE_ITEM_MISSING,      /* of the manifest, and no object of the package */
	PACKAGE_ITEM_EXTRA,        /* an object that the manifest does not have */
	PACKAGE_ITEM_CLAIM_MD5,    /* the host's database gives another MD5 than the manifest */
	PACKAGE_ITEM_CLAIM_CONFIG, /* the host's database calls a file a conffile, wrongly */
};

struct package_item {
	enum package_item_kind kind;
	uint32_t differences;
	struct bytes path;
	const struct entry *now;
	const struct manifest_entry *want;
	struct bytes md5;      /* as claimed */
	bool in_config;        /* the object is in the [config] section */
	bool claimed;          /* named by .list */
	bool obsolete;         /* a conffile of an earlier version, says the host */
	bool diverted_unknown; /* lies where a diversion moved it that nobody knows */
	bool is_masked;        /* the manifest has other content, and lets it differ */
};

struct package_verdict {
	const struct manifest *manifest; /* the candidate with the fewest differences */
	struct package_item *item;
	size_t count;
	size_t room;
	size_t same;   /* files and links equal to the manifest, conffiles apart */
	size_t unread; /* files whose content could not be read */
	size_t differing;
};

/* Memory that is used again from package to package. Zero-initialised is empty. */
struct package_work {
	struct package_verdict verdict;
	void *hosted;
	size_t hosted_room;
	void *wanted;
	size_t wanted_room;
	void *claimed;
	size_t claimed_room;
	struct arena arena;
};

/* At least one candidate. The verdict lives until the next call with the same work. */
int package_judge(struct package_work *work, const struct package_input *input,
		  const struct package_verdict **verdict, struct error *err) MUST_CHECK;

void package_work_clear(struct package_work *work);

/* Nothing about it is wrong; only its content is open. */
bool package_is_only_masked(const struct package_item *item);

/* The MD5 that was measured of just this content, or NULL. */
const uint8_t *package_measured(const struct row_list *measured, const struct entry *now);

/* What the host's database has of a path. Rows stand in order of paths. */
const struct record *package_claim(const struct row_list *claims, struct bytes path);
bool package_claim_has(const struct record *claim, char flag);

#endif

// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_TRACE_H
#define MUSTER_CONTROLLER_JUDGE_TRACE_H

/*
 * Private to judge/: what a unit of judging (unit.h) asked about the host beside its inputs, and what
 * it expects of directories. Plain data of the judge.
 */

#include <stdbool.h>
#include <stddef.h>

#include "baselines/manifest.h"
#include "schema/bytes.h"

enum asked_kind {
	ASKED_ACCEPTED, /* entry of a path */
	ASKED_TREE,     /* likewise, and of which tree */
	ASKED_LINE,     /* is it an accepted record? */
	ASKED_PACKAGE,  /* key, digest: accepted content */
	ASKED_DIR,      /* entry of a path that is a directory */
	ASKED_HAS_DIR,  /* path: is there one? */
	ASKED_LINK,     /* path, target: made by an alternative? */
	ASKED_PROOF,    /* digest of a header: what its signature is worth */
	ASKED_USER,     /* name: whether the host knows it, and its id */
	ASKED_GROUP,
	ASKED_ALONE, /* path, own header: no other proved package has it */
};

/* Which field counts follows from the kind. */
struct asked {
	enum asked_kind kind;
	bool found;
	struct bytes what;
	struct bytes more;
	const struct manifest_entry *entry;
	size_t number;
	struct digest digest;
};

struct trace {
	struct asked *item;
	size_t count;
	size_t room;
	bool spoiled; /* something was asked that is not kept */
};

/* A package's directories, to be held against [dirs] when all packages are judged. */
struct expectation {
	const struct manifest *manifest;
	struct bytes package;
	/* Of a signed header: its section, by which its proof is asked for again where this is kept. */
	const struct rpm_header *rpm;
	struct digest header;
};

/* What is told of rpm packages once a host. */
enum rpm_note_kind { RPM_NOTE_UNKNOWN_KEY, RPM_NOTE_WEAK_MD5, RPM_NOTE_WEAK_OTHER };
struct rpm_note {
	enum rpm_note_kind kind;
	struct bytes fingerprint;
	struct bytes package;
};

#endif

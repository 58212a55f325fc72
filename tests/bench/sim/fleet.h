// SPDX-License-Identifier: MIT
#ifndef TESTS_BENCH_SIM_FLEET_H
#define TESTS_BENCH_SIM_FLEET_H

/*
 * What the simulated hosts have: snapshots that are the same at every start, made of sections with
 * valid contents and their real digests. Hosts of a role share a set of packages, each host has
 * files of its own, and every night some hosts change: a file of theirs, or a package is upgraded.
 * Contents are made anew whenever they are asked for; only keys and digests are kept.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/section.h"

#define FLEET_VERSIONS 4 /* of one package, one after the other */
#define FLEET_CONTENT_MAX ((size_t)8 << 20)

struct fleet_options {
	uint32_t hosts;
	uint32_t packages;         /* of one host */
	uint32_t files;            /* of one package, on average */
	uint32_t roles;            /* sets of packages */
	uint32_t changed_permille; /* hosts that change in a night */
};

struct fleet_section {
	struct bytes key; /* encoded */
	enum section_kind kind;
	uint32_t item; /* package, directory or role */
	uint32_t version;
	bool always;
	struct digest content;
	size_t size;
	struct digest md5; /* of the [md5, ...] section that goes with a package */
	size_t md5_size;
};

struct fleet;

struct fleet_upgrade {
	uint32_t package;
	uint32_t version;
};

/* One host in one night. */
struct fleet_snapshot {
	uint32_t host;
	uint32_t role;
	uint32_t edits;                  /* of its own files so far */
	struct fleet_upgrade upgrade[8]; /* beyond the role's set */
	size_t upgrades;
	const struct fleet_section **section; /* in order of keys */
	size_t count;
	struct fleet_section own[2]; /* the sections nobody else has */
};

/* Ends the process for lack of memory: a simulator has no caller who could help. */
struct fleet *fleet_new(const struct fleet_options *options);
void fleet_free(struct fleet *fleet);

void fleet_snapshot_make(struct fleet *fleet, uint32_t host, uint32_t night,
			 struct fleet_snapshot *snapshot);
void fleet_snapshot_clear(struct fleet_snapshot *snapshot);

/* The canonical encoding, into memory that the next call uses again. */
struct bytes fleet_content(struct fleet *fleet, const struct fleet_snapshot *snapshot,
			   const struct fleet_section *section, bool md5);

/* Never 0: host-local, as inodes are. */
uint64_t fleet_stat(uint32_t host, const struct fleet_section *section);

/* A number that is the same at every start. */
uint64_t fleet_mix(uint64_t a, uint64_t b, uint64_t c);

#endif

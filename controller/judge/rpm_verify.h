// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_RPM_VERIFY_H
#define MUSTER_CONTROLLER_JUDGE_RPM_VERIFY_H

/*
 * One file of an rpm package against what its header says, by the rules of rpm -V (lib/verify.c of
 * rpm 4.13 to 6.0; docs/packages.md has what is left out of them on purpose). Pure: the answer
 * follows from the header, the entry and the names that the host knows, and from nothing else.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baselines/rpm/header.h"
#include "controller/judge/compare.h"
#include "schema/bytes.h"
#include "schema/entry.h"

/* FILESTATES: what rpm noted when it installed the package. The host's word, unsigned. */
enum rpm_state {
	RPM_STATE_NONE = -1, /* the header has no states */
	RPM_STATE_NORMAL = 0,
	RPM_STATE_REPLACED = 1,      /* by a file of another package: only existence is looked at */
	RPM_STATE_NOT_INSTALLED = 2, /* left out: documentation, a language */
	RPM_STATE_NET_SHARED = 3,
	RPM_STATE_WRONG_COLOR = 4, /* another package's file of the other word size is there */
};

/* FACT_USERS and FACT_GROUPS of the host (schema/record.h). NULL data: not told. */
struct rpm_names {
	struct bytes users;
	struct bytes groups;
};

enum rpm_name { RPM_NAME_NOT_TOLD, RPM_NAME_UNKNOWN, RPM_NAME_KNOWN };
/* Whether a host with these users, or groups, knows a name; *id is 0 where it does not. */
enum rpm_name rpm_name_find(struct bytes names, struct bytes name, uint32_t *id);

struct rpm_verify_input {
	const struct rpm_header *header;
	const struct rpm_file *file;
	enum rpm_state state;
	const struct entry *now; /* NULL: nothing is there */
	/* Where `now` is a link in place of a directory: the directory it leads to, or NULL. */
	const struct entry *target;
	const struct rpm_names *names;
	const uint8_t *md5; /* of `now`, as measured, or NULL */
	bool is_shared;     /* packages of this host have the path besides this one */
	bool is_below_file; /* `now` is NULL because a parent is no directory */
	/* rpm before 4.13 (EL7): follows no link, takes an owner that fits by name or by id. */
	bool is_old;
};

struct rpm_verify_result {
	bool is_passed;  /* not looked at: not installed, shared over the network */
	bool is_missing; /* whether or not it may be */
	/* DIFFERS_* of compare.h: SM5DLUGTP; DIFFERS_UNREAD: 5 is `?`. */
	uint32_t differences;
	bool is_link_unread; /* L is `?` */
};

void rpm_verify(const struct rpm_verify_input *input, struct rpm_verify_result *result);

/*
 * The line that rpm -V prints, without line end; empty where it prints nothing. The path as the
 * header spells it, not escaped. Returns the length; cut at `room`.
 */
size_t rpm_verify_line(const struct rpm_verify_input *input, const struct rpm_verify_result *result,
		       char *to, size_t room);

/* What an rpm package's files are held against, beside its manifest. */
struct rpm_facts {
	const struct rpm_header *header;
	struct rpm_names names;
};

/*
 * An object against an entry of the header's manifest (manifest_entry.rpm is set): DIFFERS_*, with what
 * muster looks at and rpm does not: type, flags, the default ACL of a directory.
 */
uint32_t rpm_differences(const struct rpm_facts *facts, const struct entry *now,
			 const struct manifest_entry *want, const uint8_t *md5);

/*
 * Whether a file's content is none that the header has, and the header's mask lets that be: nothing
 * vouches for it. What could not be measured is so, too.
 */
bool rpm_is_masked(const struct rpm_facts *facts, const struct entry *now,
		   const struct manifest_entry *want, const uint8_t *md5);

/* The host's names out of its [host] section's content. Borrows. */
void rpm_names_read(struct bytes content, struct rpm_names *names);

#endif

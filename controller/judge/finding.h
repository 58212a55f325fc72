// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_FINDING_H
#define MUSTER_CONTROLLER_JUDGE_FINDING_H

/*
 * One difference between a host and what it should be. Its fingerprint is bound to what is there
 * now, not to the host, so that the same change on forty hosts is one thing to read, accept or
 * acknowledge.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baselines/policy.h"
#include "schema/bytes.h"
#include "schema/error.h"

/* Against what a finding was judged, strongest first (DESIGN.md, Judging). */
enum witness {
	WITNESS_SIGNATURE, /* vendor's signature over the rpm header */
	WITNESS_MANIFEST,  /* package manifest in git */
	WITNESS_BASELINE,  /* tree, capture or accept in git */
	WITNESS_FLEET,
	WITNESS_FIRST_SIGHT, /* the host's first complete run: no proof */
	WITNESS_HOST,        /* its own package database: no proof */
	WITNESS_RULE,        /* wrong wherever it is seen */
};
const char *witness_name(enum witness witness);

/* One row a rule in judge/rule.c: public name, title, severity, advice. */
enum rule {
	RULE_FILE_CHANGED,        /* file.changed: content or attributes of a packaged file */
	RULE_FILE_MISSING,        /* file.missing */
	RULE_FILE_TYPE,           /* file.type */
	RULE_CONFIG_CHANGED,      /* config.changed: a conffile or tree file */
	RULE_UNOWNED_APPEARED,    /* unowned.appeared */
	RULE_UNOWNED_CHANGED,     /* unowned.changed */
	RULE_UNOWNED_VANISHED,    /* unowned.vanished */
	RULE_UNOWNED_EXECUTABLE,  /* unowned.executable: at first sight */
	RULE_UNOWNED_PRESENT,     /* unowned.present: at first sight, and nothing explains it */
	RULE_UNOWNED_BYTECODE,    /* unowned.bytecode: does not fit its source */
	RULE_VOLATILE_TELLING,    /* volatile.telling */
	RULE_FLAG_IMMUTABLE,      /* flag.immutable */
	RULE_SETID_GAINED,        /* setid.gained: set-uid, set-gid */
	RULE_CAPABILITY_GAINED,   /* capability.gained */
	RULE_OWNER_CHANGED,       /* owner.changed: owner or mode of a directory */
	RULE_DATABASE_DISAGREES,  /* database.disagrees: host's word against a manifest */
	RULE_EXCEPTION_UNKNOWN,   /* exception.unknown: what narrows a check */
	RULE_OVERRIDE_LOST,       /* override.lost: an accepted statoverride that is gone */
	RULE_CLAIM_UNPROVED,      /* claim.unproved: a path only the host's database claims */
	RULE_PACKAGE_UNPROVED,    /* package.unproved: a package only the host's word proves */
	RULE_PACKAGE_APPEARED,    /* package.appeared (information): proved, and not there before */
	RULE_PACKAGE_UPGRADED,    /* package.upgraded (information) */
	RULE_PACKAGE_DOWNGRADED,  /* package.downgraded */
	RULE_PACKAGE_REMOVED,     /* package.removed */
	RULE_PACKAGE_STATE,       /* package.state: half-installed ... */
	RULE_PACKAGE_MIXED,       /* package.mixed: files of another build among its own */
	RULE_PACKAGE_SELF_SUMMED, /* package.self-summed (information): dpkg computed its md5sums */
	RULE_MOUNT_OVER,          /* mount.over: a mount over a package path */
	RULE_MOUNT_CHANGED,       /* mount.changed */
	RULE_VIEWS_DIFFER,        /* views.differ: statx against ioctl ... */
	RULE_CHECK_LOST,          /* check.lost: a check this host used to pass is not done */
	RULE_PROTOCOL,            /* protocol.broken */
	RULE_HOST_KEY,            /* hostkey.changed */
	RULE_HEADER_UNSIGNED,     /* header.unsigned: an rpm header that nobody signed */
	RULE_HEADER_UNKNOWN_KEY,  /* header.unknown-key: signed by a key that is not listed */
	RULE_HEADER_BAD,          /* header.bad-signature: not what its vendor signed */
	RULE_HEADER_OUTSIDE,      /* header.outside-list: a key that may not prove this package */
	RULE_HEADER_OVERRIDDEN,   /* header.overridden: a tag in the region and again behind it */
	RULE_HEADER_STATES,       /* header.states: file states that hide what is there */
	RULE_HEADER_MANIFEST,     /* header.manifest: signature against the manifest in git */
	RULE_HEADER_WEAK,         /* header.weak-digest (information): MD5, or none that we have */
	RULE_PACKAGE_HIDDEN,      /* package.hidden: gone from the database, its files stay */
	RULE_DATABASE_SECOND,     /* database.second: two package databases in one place */
	RULE_FIRST_SIGHT,         /* host.first-sight (information): no accepted state yet */
	RULE_FLEET_DIFFERS,       /* fleet.differs: not what the other hosts of the release have */
	RULE_FLEET_CLAIMS,        /* fleet.claims: the database says what no other host's does */
	RULE_FLEET_DISAGREES,     /* fleet.disagrees: fleet against a stronger witness */
	RULE_FLEET_DIVIDED,       /* fleet.divided (information): no majority, nobody is accused */
	RULES
};
const char *rule_name(enum rule rule);
bool rule_from_name(const char *name, enum rule *rule);
const char *rule_title(enum rule rule);
const char *rule_advice(enum rule rule);

/* False for what no commit can make right: a changed host key, a header its vendor did not sign. */
bool rule_can_be_accepted(enum rule rule);
enum severity rule_severity(enum rule rule);
/* What the policy's `severities` say of it ("rule=severity", checked when it was read); false: nothing. */
bool rule_severity_by_policy(const struct policy *policy, enum rule rule, enum severity *severity);
/* Found by comparing hosts with each other (judge/fleet.h), not by looking at one. */
bool rule_is_of_fleet(enum rule rule);

#define FINGERPRINT_SIZE 17 /* 16 hex digits and NUL */

enum finding_state {
	FINDING_NEW, /* open since this run */
	FINDING_OPEN,
	FINDING_ACKNOWLEDGED, /* by an ack of the baseline that binds this content */
	FINDING_EXPLAINED,    /* a stronger witness proves the change */
	FINDING_RESOLVED,     /* reverted or accepted */
};
const char *finding_state_name(enum finding_state state);

struct finding {
	char id[FINGERPRINT_SIZE]; /* SHA-256(rule, subject, new value), first 8 bytes */
	enum rule rule;
	enum severity severity;
	enum witness witness;
	enum finding_state state;
	char letters[10];       /* SM5DLUGTP with dots as rpm -V, or "" */
	char marker;            /* c for a conffile, or ' ' */
	struct bytes subject;   /* path, mount point, package: raw */
	struct bytes package;   /* name version, or empty: raw */
	struct bytes old_value; /* words of manifest_words, a record's escaped fields, or empty */
	struct bytes new_value; /* the same; empty: gone. Acceptable as it stands. */
	struct bytes detail;    /* one sentence for people, escaped already; may be empty */
};

/* A growing list that owns what its findings point to. Zero-initialised is empty. */
struct findings {
	struct finding *item;
	size_t count;
	size_t room;
	size_t most;       /* 0: no limit */
	size_t most_bytes; /* of all they point to; 0: no limit */
	void *memory;      /* private */
};

/* Copies the finding's bytes and computes its id. LIMIT where there are more than may be. */
int findings_add(struct findings *findings, const struct finding *finding,
		 struct error *err) MUST_CHECK;
/* Most severe first, then subject. */
void findings_sort(struct findings *findings);
void findings_clear(struct findings *findings);

#endif

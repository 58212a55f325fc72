// SPDX-License-Identifier: MIT
#ifndef MUSTER_SCHEMA_OUTCOME_H
#define MUSTER_SCHEMA_OUTCOME_H

/*
 * The one named state in which each host of a run ends (DESIGN.md, principle 4), as muster-ssh, the
 * store, the judge and every report have it. The names are public: they stand in NDJSON and in the
 * database. A new state goes at the end of its group and into the table of outcome.c.
 */

#include <stdbool.h>

enum outcome {
	OUTCOME_NOT_ASKED = 0, /* the run ended before its turn */
	OUTCOME_CLEAN,         /* looked at whole, nothing differs */
	OUTCOME_FINDINGS,      /* looked at whole, open findings */
	OUTCOME_PARTIAL,       /* some check could not be done: see coverage */
	/* never reached */
	OUTCOME_NAME_UNKNOWN, /* does not resolve */
	OUTCOME_NO_ROUTE,
	OUTCOME_REFUSED,
	OUTCOME_TIMEOUT,
	OUTCOME_LOST,       /* connection broke */
	OUTCOME_KEX_FAILED, /* no common algorithm */
	OUTCOME_KEY_UNKNOWN,
	OUTCOME_KEY_MISMATCH, /* changed or revoked host key */
	OUTCOME_AUTH_FAILED,
	OUTCOME_JUMP_FAILED, /* a jump host before it: nothing is known of the host itself */
	/* reached, probe did not run */
	OUTCOME_SHELL_REFUSED, /* nologin, restricted shell, forced command */
	OUTCOME_NO_SUDO,
	OUTCOME_NO_PLACE, /* no directory that can be written and executed from */
	OUTCOME_EXEC_DENIED,
	OUTCOME_ARCH_UNKNOWN, /* no probe for this machine */
	OUTCOME_NO_PROCESS,   /* the host cannot fork */
	/* the probe ran and its word is not usable */
	OUTCOME_PROTOCOL_ERROR,
	OUTCOME_KILLED,     /* ended before its end message, or by us at a deadline */
	OUTCOME_OVER_LIMIT, /* sent more than a host may */
	OUTCOME_INTERNAL,   /* the controller's own fault: child died, no memory */
	OUTCOMES
};

enum outcome_class {
	OUTCOME_CLASS_LOOKED, /* clean, findings */
	OUTCOME_CLASS_PARTIAL,
	OUTCOME_CLASS_UNREACHABLE, /* worth a retry */
	OUTCOME_CLASS_REFUSED,     /* reached and turned away: an operator mends it */
	OUTCOME_CLASS_ALARM,       /* key mismatch, protocol error */
	OUTCOME_CLASS_NOT_ASKED,
};

/* "clean", "key-mismatch" ... */
const char *outcome_name(enum outcome outcome);
/* Whether `name` is one; *outcome set. */
bool outcome_from_name(const char *name, enum outcome *outcome);
enum outcome_class outcome_class(enum outcome outcome);
/* One sentence on what to do next, or "". */
const char *outcome_advice(enum outcome outcome);

#endif

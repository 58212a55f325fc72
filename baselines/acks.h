// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_ACKS_H
#define MUSTER_BASELINES_ACKS_H

/*
 * acks/NAME.yaml: acknowledgements, each bound to one finding's fingerprint (and so to a content),
 * to hosts and to a day it ends on. All keys but `by` must stand; whoever sets something aside says
 * why and until when.
 *
 *	- id: A-0042
 *	  rule: config.changed
 *	  path: /etc/ntp.conf
 *	  finding: 8c1d5f0e22aa4b01
 *	  hosts: web,db[01-04]
 *	  reason: CHG1234, move to the new time servers
 *	  until: 2026-12-15
 *	  by: jdoe
 */

#include <stddef.h>

#include "baselines/baseline.h"
#include "baselines/repository.h"
#include "schema/bytes.h"
#include "schema/error.h"

#define ACKS_FOLDER "acks"
#define ACKS_MAX 100000U
#define ACKS_FILE_MAX ((size_t)4 << 20)

struct arena;

/* Owns its acks. Zero-initialised is empty. */
struct ack_list {
	struct ack *acks;
	size_t count;
	size_t room;
	struct arena *memory;
};
void acks_clear(struct ack_list *list);

/* Appends what one file says. CONFIG error "source:line:column: ..."; an id stands once. */
int acks_parse(const char *source, struct bytes text, struct ack_list *list,
	       struct error *err) MUST_CHECK;

/* Every file of acks/, in order of names. */
int acks_read(struct repository *repository, struct ack_list *list, struct error *err) MUST_CHECK;

/* "2026-12-15" as the end of that day in UTC, in seconds since 1970. False where it is no day. */
bool ack_until(const char *text, int64_t *until_s);

/* The YAML of one ack: a list of one (free()). `until` as written; texts may hold anything. */
int ack_write(const struct ack *ack, const char *until, char **text, size_t *len,
	      struct error *err) MUST_CHECK;

#endif

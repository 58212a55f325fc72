// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_RPM_HOST_H
#define MUSTER_CONTROLLER_JUDGE_RPM_HOST_H

/*
 * All rpm packages of one observation, held against their own headers file by file, in the order in
 * which rpm -Va goes through them. For people who want to see rpm's lines: says nothing of who
 * signed a header. Expected values come from the signed region alone; file states are believed only
 * where they hide nothing that is there.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baselines/rpm/header.h"
#include "controller/judge/observation.h"
#include "schema/bytes.h"
#include "schema/error.h"

struct rpm_host;

/* Reads which packages there are. Borrows both until rpm_host_free. */
int rpm_host_new(const struct observation *seen, const struct object_source *objects,
		 struct rpm_host **host, struct error *err) MUST_CHECK;
void rpm_host_free(struct rpm_host *host);

size_t rpm_host_count(const struct rpm_host *host);
/* Packages whose header could not be read: no region, malformed, or no longer in the store. */
size_t rpm_host_unread(const struct rpm_host *host);

/*
 * Calls back each line as `rpm -Va --nodeps --noscripts` prints it, without line end and raw (a path
 * may hold any byte). A negative value stops with *err as the callback left it.
 */
int rpm_host_verify(struct rpm_host *host, int (*line)(void *context, struct bytes text),
		    void *context, struct error *err) MUST_CHECK;

/* A package as its header names it, and when rpm says that it installed it. */
struct rpm_host_package {
	struct bytes name;
	struct bytes version;
	struct bytes release;
	struct bytes arch; /* may be empty */
	int64_t install_s; /* 0: not told */
};
/* Calls back each package, in rpm's order; as rpm_host_verify. */
int rpm_host_packages(struct rpm_host *host,
		      int (*package)(void *context, const struct rpm_host_package *package),
		      void *context, struct error *err) MUST_CHECK;

#endif

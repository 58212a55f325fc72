// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_OVERRIDES_H
#define MUSTER_BASELINES_OVERRIDES_H

/*
 * What packages' scripts set after unpacking and no package file says, for every host:
 * packages/MANAGER/overrides.records, beside the manifests. The lines are those of baselines/records.h,
 * of the kinds that name an owner and mode, a capability, an alternative, a diversion or a dpkg filter:
 * never content, nor that a file is absent. Exact, where the policy's `known` has patterns.
 */

#include <stdbool.h>
#include <stddef.h>

#include "baselines/records.h"
#include "baselines/repository.h"
#include "schema/bytes.h"
#include "schema/error.h"

#define OVERRIDES_NAME "overrides.records"

/* Whether lines of this kind may stand there. */
bool overrides_allow(const char *kind);

/* CONFIG error "source:line: ..." also for a kind that may not. */
int overrides_parse(const char *source, struct bytes text, struct record_list **list,
		    struct error *err) MUST_CHECK;

/* Those of all managers as one list. None is no error: a list of no lines. */
int overrides_read(struct repository *repository, struct record_list **list,
		   struct error *err) MUST_CHECK;

/* packages/MANAGER/overrides.records, or false where the manager has no fit name. */
#define OVERRIDES_PATH_MAX 600
bool overrides_path(struct bytes manager, char to[OVERRIDES_PATH_MAX]);

#endif

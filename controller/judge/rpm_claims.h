// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_RPM_CLAIMS_H
#define MUSTER_CONTROLLER_JUDGE_RPM_CLAIMS_H

/*
 * What a host's database adds to a signed header: [claims, rpm, ...] read back. All of it is the
 * host's own word. Owns what it points to.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/judge/rpm_verify.h"
#include "schema/bytes.h"
#include "schema/error.h"

#define RPM_CLAIMS_OVERRIDES 16

struct rpm_claims {
	/* Only of hosts last seen by protocol 3; since then they stand in [installs]. */
	uint32_t number;   /* of the header in its database; 0: not told */
	int64_t install_s; /* INSTALLTIME; 0: none */
	uint8_t *states;   /* FILESTATES; NULL: none */
	size_t count;      /* of states */
	bool is_bare;      /* no region: nothing of it can be signed */
	bool is_relocated; /* rpm --relocate: the paths behind the region are the true ones */
	uint32_t overrides[RPM_CLAIMS_OVERRIDES]; /* tags in the region and again behind it */
	size_t override_count;                    /* all of them, even where the table is full */
};

/* An empty content gives none. A malformed one is ERROR_PEER. */
int rpm_claims_read(struct bytes content, struct rpm_claims *claims, struct error *err) MUST_CHECK;
void rpm_claims_clear(struct rpm_claims *claims);

enum rpm_state rpm_claims_state(const struct rpm_claims *claims, size_t index);

#endif

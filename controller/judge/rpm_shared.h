// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_RPM_SHARED_H
#define MUSTER_CONTROLLER_JUDGE_RPM_SHARED_H

/*
 * Private to judge/: which rpm headers have a path, for paths that several packages of a host have.
 * What a header lists follows from its bytes, so that it is read once for all hosts that a cache
 * serves; which headers count is asked on each host. Holds digests and hashes, and nothing of a
 * proof, which may be gone when the next host is judged.
 */

#include "controller/judge/packages.h"
#include "schema/siphash.h"

struct rpm_shared;

/* NULL for lack of memory. */
struct rpm_shared *rpm_shared_new(const uint8_t seed[SIPHASH_KEY_SIZE]);
void rpm_shared_free(struct rpm_shared *shared);
size_t rpm_shared_bytes(const struct rpm_shared *shared);

/* A verdict that rests on no other package having the path (ASKED_ALONE): whether that holds here. */
bool rpm_shared_is_alone(struct judge *j, const struct asked *asked);

#endif

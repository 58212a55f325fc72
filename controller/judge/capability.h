// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_CAPABILITY_H
#define MUSTER_CONTROLLER_JUDGE_CAPABILITY_H

/*
 * The security.capability attribute (linux/capability.h: struct vfs_ns_cap_data) as cap_from_text(3)
 * writes it, so that a policy names capabilities in words that people know from getcap.
 */

#include <stddef.h>

#include "schema/bytes.h"

#define CAPABILITY_TEXT_MAX 1536

/* "cap_net_raw=ep"; what is no such attribute becomes "0x..." in hex. Returns the length. */
size_t capability_text(struct bytes attribute, char *to, size_t room);

#endif

// SPDX-License-Identifier: MIT
#ifndef MUSTER_SCHEMA_CAPABILITY_H
#define MUSTER_SCHEMA_CAPABILITY_H

/*
 * The names of Linux' capabilities by number (linux/capability.h), and the layout of the
 * security.capability attribute, for who reads one and who makes one.
 */

#define CAPABILITY_NAMES 41U

#define CAPABILITY_REVISION_MASK 0xff000000U
#define CAPABILITY_REVISION_1 0x01000000U
#define CAPABILITY_REVISION_2 0x02000000U
#define CAPABILITY_REVISION_3 0x03000000U
#define CAPABILITY_EFFECTIVE 1U

/* "cap_chown" for 0 ...; NULL for a number without a name. */
const char *capability_name(unsigned number);

#endif

// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_SESSION_PROBE_PACK_H
#define MUSTER_CONTROLLER_SSH_SESSION_PROBE_PACK_H

/*
 * The probe in gzip's format. What it saves of every session is not the line alone: each byte is encrypted,
 * authenticated and copied. Packed once a process, never for each host (which costs more than it saves).
 */

#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"

/* free(); NULL where there is no memory, or nothing gained. */
uint8_t *probe_pack(struct bytes probe, size_t *size);

#endif

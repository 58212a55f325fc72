// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_WHEN_H
#define MUSTER_CONTROLLER_CMD_WHEN_H

/*
 * Points in time as people type them: 2026-11-20, 2026-11-20T14:00Z, 2026-11-20T14:00:30Z (all UTC),
 * or a span before or after now: 2d, 6h. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

enum when_direction { WHEN_AGO, WHEN_AHEAD };

bool when_parse(const char *text, int64_t now_s, enum when_direction direction, int64_t *seconds);

#define WHEN_DAY_ROOM 32
/* "2026-11-20" of that second, UTC. */
const char *when_day(int64_t seconds, char to[WHEN_DAY_ROOM]);

#endif

// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_AGAIN_H
#define MUSTER_CONTROLLER_CMD_AGAIN_H

/*
 * The options of this call that a command which is advised needs too, as they would be typed: what is
 * printed must work when it is pasted. Quoted for a POSIX shell. Empty where there are none.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct call;

#define AGAIN_ROOM 1024

/* Those of `options` (OPTION_BITs) that were given; "" too where they do not fit. */
const char *again_options(const struct call *call, uint64_t options, char to[AGAIN_ROOM]);

/* For show; for accept and ack; for hosts keys; for check, with another known_hosts if need be. */
const char *again_to_look(const struct call *call, char to[AGAIN_ROOM]);
const char *again_to_decide(const struct call *call, char to[AGAIN_ROOM]);
const char *again_to_reach(const struct call *call, char to[AGAIN_ROOM]);
const char *again_to_check(const struct call *call, bool same_known_hosts, char to[AGAIN_ROOM]);

/* A word as a shell takes it for one; "" where it does not fit or cannot be typed. */
const char *again_word(const char *word, char to[AGAIN_ROOM]);

#endif

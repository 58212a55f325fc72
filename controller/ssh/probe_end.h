// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_PROBE_END_H
#define MUSTER_CONTROLLER_SSH_PROBE_END_H

/*
 * What the exit status of a probe (payloads/status.h) means to people, for every transport. A status
 * is the host's word: it explains, and never makes a host clean by itself.
 */

#include <stdbool.h>

#include "schema/outcome.h"

/* `spoke`: a frame had come. NULL where the status is none of the probe's own. */
const char *probe_end_text(int status);
enum outcome probe_end_outcome(int status, bool spoke);

#endif

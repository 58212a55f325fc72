// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_RUN_OPTIONS_H
#define MUSTER_CONTROLLER_CMD_RUN_OPTIONS_H

/* From a command line to how a run goes: how many hosts at once, how long, how much is read. */

#include "controller/cmd/call.h"
#include "controller/fleet/sweep.h"

/* Fills what options and settings say; the rest of *config stays. CONFIG error for a wrong value. */
int run_options_read(struct call *call, struct sweep_config *config, struct error *err) MUST_CHECK;

/* Of hosts, how many in a hundred may be left out before that is the verdict. */
int run_options_max_incomplete(const struct call *call, unsigned *percent,
			       struct error *err) MUST_CHECK;

/* "20M", "1G", "500k", "1000000": bytes, powers of 1024. False where it is none of these. */
bool run_options_parse_size(const char *text, uint64_t *bytes);
/* "1/30" */
bool run_options_parse_part(const char *text, uint32_t *of);

#endif

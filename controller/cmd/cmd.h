// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_CMD_H
#define MUSTER_CONTROLLER_CMD_CMD_H

/*
 * A whole command line, from words to exit code: parses, loads the configuration, dispatches, and
 * prints what went wrong and what to try next. Never exits by itself.
 */

#include <stdio.h>

/* Data goes to `out`, everything else to `log`. The exit code (verb.h). */
int cmd_run(int argc, char *const *argv, FILE *out, FILE *log);

#endif

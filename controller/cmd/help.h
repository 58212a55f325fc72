// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_HELP_H
#define MUSTER_CONTROLLER_CMD_HELP_H

/*
 * Everything that is written out of the tables of verbs and options: help, word lists for
 * completion, and the manual page docs/muster.1. Says nothing that the tables do not.
 */

#include <stdbool.h>
#include <stdio.h>

#include "controller/cmd/verb.h"

/* `verb` NULL: muster as a whole. `is_long`: with every option and all text. */
void help_print(FILE *out, const struct verb *verb, bool is_long);

/* One a line: the verbs (NULL), or the long options of a verb with = where they take a value. */
void help_words(FILE *out, const struct verb *verb);

/* mdoc(7). */
void help_man(FILE *out);

/* Options of the verb, those that all have included. */
uint64_t help_options(const struct verb *verb);

#endif

// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_PILE_VALUE_H
#define MUSTER_CONTROLLER_JUDGE_PILE_VALUE_H

/*
 * What a finding says that stands for many objects no package owns: "tree npm files=834 bytes=...
 * sha256=..." on the folder that they are in. For who makes such findings (judge/pile.h), shows or
 * accepts them.
 */

#include <stdbool.h>

#include "schema/bytes.h"
#include "schema/entry.h"

/* First words of a finding's new value that stands for many objects. */
#define PILE_TREE "tree" /* all but programs and compiled Python */
#define PILE_PROGRAMS \
	"programs" /* ELF, what runs in a folder of commands, what Python runs at start */
#define PILE_BYTECODE "bytecode" /* compiled Python */

/* Whether a finding's new value stands for a pile. */
bool pile_value_is(struct bytes value);
/* Whether such a finding is about this object too: what accepting it accepts. */
bool pile_value_covers(struct bytes subject, struct bytes value, const struct entry *entry);
/* The same for an object that is gone, of which nobody knows what it was. */
bool pile_value_covers_path(struct bytes subject, struct bytes value, struct bytes path);

enum pile_part { PART_REST, PART_PROGRAM, PART_BYTECODE, PART_TELLING };

/* `root`: of the pile it would be in. */
enum pile_part pile_part(struct bytes root, const struct entry *entry);

#endif

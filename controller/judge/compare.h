// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_COMPARE_H
#define MUSTER_CONTROLLER_JUDGE_COMPARE_H

/*
 * One object against what it should be, in the columns of rpm -V (SM5DLUGTP) and what those have no
 * letter for. Only what the expectation knows is compared (enum manifest_tag).
 */

#include <stdint.h>

#include "baselines/manifest.h"
#include "schema/entry.h"

enum difference {
	DIFFERS_SIZE = 1,
	DIFFERS_MODE = 2, /* with set-id bits and any ACL */
	DIFFERS_DIGEST = 4,
	DIFFERS_DEVICE = 8,
	DIFFERS_LINK = 16,
	DIFFERS_OWNER = 32,
	DIFFERS_GROUP = 64,
	DIFFERS_TIME = 128,
	DIFFERS_CAPS = 256,
	DIFFERS_TYPE = 512,   /* shown as M */
	DIFFERS_FLAGS = 1024, /* immutable, append: no column */
	DIFFERS_UNREAD = 2048 /* content could not be read: ? for 5. No difference by itself */
};

/* What the file says and does is another, not only when it was touched. */
#define DIFFERS_OWNERSHIP ((uint32_t)(DIFFERS_MODE | DIFFERS_OWNER | DIFFERS_GROUP))
#define DIFFERS_MORE_THAN_TIME                                                          \
	(DIFFERS_SIZE | DIFFERS_MODE | DIFFERS_DIGEST | DIFFERS_DEVICE | DIFFERS_LINK | \
	 DIFFERS_OWNER | DIFFERS_GROUP | DIFFERS_CAPS | DIFFERS_TYPE)

uint32_t compare_to_manifest(const struct entry *now, const struct manifest_entry *want);

/* Everything both know: against an accepted or earlier state of the same host. */
uint32_t compare_entries(const struct entry *now, const struct entry *was);

/* "S.5....T.", or "" where no column differs. */
void compare_letters(uint32_t differences, char to[10]);

#endif

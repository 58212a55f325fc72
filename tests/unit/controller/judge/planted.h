// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_CONTROLLER_JUDGE_PLANTED_H
#define TESTS_UNIT_CONTROLLER_JUDGE_PLANTED_H

/* Changes to the standard host, one by one, and what the judge must say of each. */

#include "tests/unit/controller/judge/builder.h"

struct planted {
	const char *name;
	void (*plant)(struct world *w);
	bool captured;
	enum rule rule;
	const char *subject; /* NULL: nothing of low or above */
	enum severity severity;
	const char *letters;
	enum witness witness;
	size_t telling; /* findings of low or above */
};

extern const struct planted planted[];
extern const size_t planted_count;

#endif

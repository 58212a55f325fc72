// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_FLEET_BUDGET_H
#define MUSTER_CONTROLLER_FLEET_BUDGET_H

/*
 * The run's memory for what hosts tell: who may begin to tell much, and who has to wait in the middle
 * of it. First come, first served; those that have begun come before those that have not. One of
 * them always goes on, however little there is, so that it ends one day and the others follow: there
 * is no deadlock. Of those that hold more than a quarter of the budget one at a time goes on, and
 * each stands for a quarter, so that others still begin beside them: what is used beyond the budget
 * is one host's. Pure; claims are embedded in what they are of, and have to be dropped before that
 * goes.
 */

#include <stdbool.h>
#include <stddef.h>

enum budget_state {
	BUDGET_NONE,
	BUDGET_WAITING, /* has not begun */
	BUDGET_HELD,    /* goes on */
	BUDGET_GROWING, /* in the middle, until there is room for more */
};

/* Zero-initialised is none. */
struct budget_claim {
	enum budget_state state;
	size_t bytes;
	struct budget_claim *next, *previous; /* in its queue */
};

struct budget_queue {
	struct budget_claim *first, *last;
};

struct budget {
	size_t most;
	size_t used;
	size_t moving; /* claims that are HELD */
	struct budget_claim
		*large; /* the one that may go on beyond a quarter of it; NULL: nobody */
	struct budget_queue waiting, growing;
};

void budget_init(struct budget *budget, size_t most);

/* Whether a claim of so much would not have to wait. */
bool budget_has_room(const struct budget *budget, size_t bytes);
/* For a claim that is NONE: true where it is HELD now; false: budget_next comes to it. */
bool budget_ask(struct budget *budget, struct budget_claim *claim, size_t bytes);
/*
 * It has come to so many bytes; a claim never shrinks. False: nothing more may be read from it until
 * budget_next comes to it. One that was NONE is HELD or GROWING after this.
 */
bool budget_grow(struct budget *budget, struct budget_claim *claim, size_t bytes);
/* The next one that may go on, which is HELD now; NULL: nobody. */
struct budget_claim *budget_next(struct budget *budget);
/* It is over, whatever it was. */
void budget_drop(struct budget *budget, struct budget_claim *claim);

#endif

// SPDX-License-Identifier: MIT
#include "controller/fleet/budget.h"

#include <assert.h>

void budget_init(struct budget *budget, size_t most)
{
	*budget = (struct budget){.most = most};
}

static void queue_put(struct budget_queue *queue, struct budget_claim *claim)
{
	claim->next = NULL;
	claim->previous = queue->last;
	if (queue->last) {
		queue->last->next = claim;
	} else {
		queue->first = claim;
	}
	queue->last = claim;
}

static void queue_remove(struct budget_queue *queue, struct budget_claim *claim)
{
	if (claim->previous) {
		claim->previous->next = claim->next;
	} else {
		queue->first = claim->next;
	}
	if (claim->next) {
		claim->next->previous = claim->previous;
	} else {
		queue->last = claim->previous;
	}
	claim->next = claim->previous = NULL;
}

/* What it takes from the others. */
static size_t counted(const struct budget *budget, size_t bytes)
{
	return bytes < budget->most / 4 ? bytes : budget->most / 4;
}

static bool fits(const struct budget *budget, size_t bytes)
{
	return budget->used + counted(budget, bytes) <= budget->most &&
	       (bytes <= budget->most / 4 || !budget->large);
}

bool budget_has_room(const struct budget *budget, size_t bytes)
{
	/* Nobody gets in before those that wait. */
	return !budget->waiting.first && (budget->moving == 0 || fits(budget, bytes));
}

static void hold(struct budget *budget, struct budget_claim *claim)
{
	if (claim->bytes > budget->most / 4 && !budget->large) {
		budget->large = claim;
	}
	claim->state = BUDGET_HELD;
	budget->moving++;
}

static void set_bytes(struct budget *budget, struct budget_claim *claim, size_t bytes)
{
	budget->used += counted(budget, bytes) - counted(budget, claim->bytes);
	claim->bytes = bytes;
}

bool budget_ask(struct budget *budget, struct budget_claim *claim, size_t bytes)
{
	assert(claim->state == BUDGET_NONE);
	if (!budget_has_room(budget, bytes)) {
		/* Used by nobody yet. */
		claim->bytes = bytes;
		claim->state = BUDGET_WAITING;
		queue_put(&budget->waiting, claim);
		return false;
	}
	claim->bytes = 0;
	set_bytes(budget, claim, bytes);
	hold(budget, claim);
	return true;
}

/* Whether it may hold as much as it does; the one place for a large one is taken by that. */
static bool may_go_on(struct budget *budget, struct budget_claim *claim)
{
	if (claim->bytes <= budget->most / 4) {
		return budget->used <= budget->most;
	}
	if (!budget->large) {
		budget->large = claim;
	}
	return budget->large == claim;
}

bool budget_grow(struct budget *budget, struct budget_claim *claim, size_t bytes)
{
	assert(claim->state != BUDGET_WAITING);
	if (claim->state == BUDGET_NONE) {
		hold(budget, claim);
	}
	if (bytes <= claim->bytes) {
		return claim->state == BUDGET_HELD;
	}
	/* What has come is there, whether it fits or not. */
	set_bytes(budget, claim, bytes);
	if (claim->state == BUDGET_GROWING) {
		return false;
	}
	if (may_go_on(budget, claim) || budget->moving == 1) {
		return true;
	}
	budget->moving--;
	claim->state = BUDGET_GROWING;
	queue_put(&budget->growing, claim);
	return false;
}

struct budget_claim *budget_next(struct budget *budget)
{
	struct budget_claim *claim;

	for (claim = budget->growing.first; claim; claim = claim->next) {
		if (may_go_on(budget, claim) || budget->moving == 0) {
			queue_remove(&budget->growing, claim);
			hold(budget, claim);
			return claim;
		}
	}
	claim = budget->waiting.first;
	if (claim && (budget->moving == 0 || fits(budget, claim->bytes))) {
		size_t bytes = claim->bytes;

		queue_remove(&budget->waiting, claim);
		claim->bytes = 0;
		set_bytes(budget, claim, bytes);
		hold(budget, claim);
		return claim;
	}
	return NULL;
}

void budget_drop(struct budget *budget, struct budget_claim *claim)
{
	switch (claim->state) {
	case BUDGET_NONE:
		break;
	case BUDGET_WAITING:
		queue_remove(&budget->waiting, claim);
		claim->bytes = 0; /* which nobody used */
		break;
	case BUDGET_GROWING:
		queue_remove(&budget->growing, claim);
		break;
	case BUDGET_HELD:
		budget->moving--;
		break;
	}
	if (claim->state == BUDGET_HELD || claim->state == BUDGET_GROWING) {
		set_bytes(budget, claim, 0);
	}
	if (budget->large == claim) {
		budget->large = NULL;
	}
	*claim = (struct budget_claim){.state = BUDGET_NONE};
}

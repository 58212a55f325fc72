// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_ACK_BOOK_H
#define MUSTER_CONTROLLER_CMD_ACK_BOOK_H

/*
 * The acknowledgements of the configured baseline by their ids, for those who read the database,
 * which knows the ids alone. Opens the baseline when first asked. Where there is none, or it cannot
 * be read, nothing is found: the id itself is told all the same.
 */

#include "baselines/baseline.h"
#include "controller/cmd/call.h"

struct ack_book {
	struct call *call;
	struct baseline *baseline;
	const struct ack *acks;
	size_t count;
	bool tried;
};

/* NULL: not known. Lives until ack_book_clear. */
const struct ack *ack_book_find(struct ack_book *book, const char *id);
void ack_book_clear(struct ack_book *book);

#endif

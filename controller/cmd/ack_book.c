// SPDX-License-Identifier: MIT
#include "controller/cmd/ack_book.h"

#include <string.h>

static void open_book(struct ack_book *book)
{
	const char *path = config_text(book->call->config, CONFIG_BASELINE);
	struct error ignored;

	book->tried = true;
	if (!path || baseline_open(path, NULL, &book->baseline, &ignored) != 0) {
		book->baseline = NULL;
		return;
	}
	if (baseline_acks(book->baseline, &book->acks, &book->count, &ignored) != 0) {
		book->count = 0;
	}
}

const struct ack *ack_book_find(struct ack_book *book, const char *id)
{
	if (!id || !*id) {
		return NULL;
	}
	if (!book->tried) {
		open_book(book);
	}
	for (size_t i = 0; i < book->count; i++) {
		if (strcmp(book->acks[i].id, id) == 0) {
			return &book->acks[i];
		}
	}
	return NULL;
}

void ack_book_clear(struct ack_book *book)
{
	baseline_close(book->baseline);
	*book = (struct ack_book){.call = book->call};
}

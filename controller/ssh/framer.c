// SPDX-License-Identifier: MIT
#include "controller/ssh/framer.h"

#include <stdlib.h>
#include <string.h>

#include "schema/frame.h"

#define ROOM_FIRST 1024U

void framer_init(struct framer *framer, size_t max)
{
	*framer = (struct framer){.max = max};
}

void framer_clear(struct framer *framer)
{
	free(framer->data);
	*framer = (struct framer){.max = framer->max};
}

bool framer_is_empty(const struct framer *framer)
{
	return framer->len == 0;
}

static size_t head_length(const uint8_t *head)
{
	return (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
}

static bool keep(struct framer *framer, struct bytes input)
{
	size_t need = framer->len + input.len;

	if (need > framer->room) {
		size_t room = framer->room ? framer->room : ROOM_FIRST;
		uint8_t *data;

		while (room < need) {
			room *= 2;
		}
		if (room > framer->max + FRAME_HEAD) {
			room = framer->max + FRAME_HEAD;
		}
		data = realloc(framer->data, room);
		if (!data) {
			return false;
		}
		framer->data = data;
		framer->room = room;
	}
	if (input.len > 0) {
		memcpy(framer->data + framer->len, input.data, input.len);
		framer->len += input.len;
	}
	return true;
}

static struct bytes skip(struct bytes input, size_t count)
{
	return (struct bytes){input.data + count, input.len - count};
}

/* Adds to the kept frame until it holds `want` bytes. */
static enum framer_result fill(struct framer *framer, struct bytes *input, size_t want)
{
	size_t count = want > framer->len ? want - framer->len : 0;

	if (count > input->len) {
		count = input->len;
	}
	if (!keep(framer, (struct bytes){input->data, count})) {
		return FRAMER_NOMEM;
	}
	*input = skip(*input, count);
	return FRAMER_OK;
}

/* Finishes the kept frame from `input`. FRAMER_OK with framer->len > 0: more is needed. */
static enum framer_result finish_kept(struct framer *framer, struct bytes *input, framer_sink sink,
				      void *context)
{
	enum framer_result result = fill(framer, input, FRAME_HEAD);
	size_t len;
	bool go_on;

	if (result != FRAMER_OK || framer->len < FRAME_HEAD) {
		return result;
	}
	len = head_length(framer->data);
	if (len == 0 || len > framer->max) {
		return FRAMER_INVALID;
	}
	result = fill(framer, input, FRAME_HEAD + len);
	if (result != FRAMER_OK || framer->len < FRAME_HEAD + len) {
		return result;
	}
	go_on = sink(context, (struct bytes){framer->data + FRAME_HEAD, len});
	framer->len = 0;
	if (framer->room > ROOM_FIRST) {
		/* An idle session holds no big buffer. */
		free(framer->data);
		framer->data = NULL;
		framer->room = 0;
	}
	return go_on ? FRAMER_OK : FRAMER_STOPPED;
}

enum framer_result framer_feed(struct framer *framer, struct bytes input, framer_sink sink,
			       void *context)
{
	enum framer_result result;

	if (framer->len > 0) {
		result = finish_kept(framer, &input, sink, context);
		if (result != FRAMER_OK || framer->len > 0) {
			return result;
		}
	}
	while (input.len >= FRAME_HEAD) {
		size_t len = head_length(input.data);

		if (len == 0 || len > framer->max) {
			return FRAMER_INVALID;
		}
		if (input.len - FRAME_HEAD < len) {
			break;
		}
		if (!sink(context, (struct bytes){input.data + FRAME_HEAD, len})) {
			return FRAMER_STOPPED;
		}
		input = skip(input, FRAME_HEAD + len);
	}
	return input.len == 0 || keep(framer, input) ? FRAMER_OK : FRAMER_NOMEM;
}

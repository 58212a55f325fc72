// SPDX-License-Identifier: MIT
#include "baselines/signature/armour.h"

static const char begin[] = "-----BEGIN PGP ";
static const char end[] = "-----END PGP ";

static struct bytes next_line(struct bytes *rest)
{
	const uint8_t *newline = rest->len > 0 ? memchr(rest->data, '\n', rest->len) : NULL;
	struct bytes line =
		bytes_make(rest->data, newline ? (size_t)(newline - rest->data) : rest->len);
	size_t taken = line.len + (newline ? 1 : 0);

	rest->data += taken;
	rest->len -= taken;
	while (line.len > 0 && (line.data[line.len - 1] == '\r' || line.data[line.len - 1] == ' ' ||
				line.data[line.len - 1] == '\t')) {
		line.len--;
	}
	return line;
}

static bool starts(struct bytes line, const char *with)
{
	return bytes_has_prefix(line, bytes_from_string(with));
}

bool armour_is(struct bytes text)
{
	while (text.len > 0) {
		struct bytes line = next_line(&text);

		if (line.len > 0) {
			return starts(line, begin);
		}
	}
	return false;
}

static int value_of(uint8_t c)
{
	if (c >= 'A' && c <= 'Z') {
		return c - 'A';
	}
	if (c >= 'a' && c <= 'z') {
		return c - 'a' + 26;
	}
	if (c >= '0' && c <= '9') {
		return c - '0' + 52;
	}
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Base64 over lines: bits that wait for more. */
struct decoder {
	uint8_t *to;
	size_t len;
	uint32_t bits;
	unsigned count;
	bool ended;
};

static bool decode_line(struct decoder *d, struct bytes line)
{
	for (size_t i = 0; i < line.len; i++) {
		int value = value_of(line.data[i]);

		if (line.data[i] == '=') {
			d->ended = true;
			continue;
		}
		if (value < 0 || d->ended) {
			return false;
		}
		d->bits = d->bits << 6 | (uint32_t)value;
		d->count += 6;
		if (d->count >= 8) {
			d->count -= 8;
			d->to[d->len++] = (uint8_t)(d->bits >> d->count);
		}
	}
	return true;
}

/* The lines behind a block's header line. */
static bool undo_block(struct bytes *rest, struct decoder *d)
{
	bool in_headers = true;

	d->bits = d->count = 0;
	d->ended = false;
	while (rest->len > 0) {
		struct bytes line = next_line(rest);

		if (starts(line, end)) {
			return !in_headers;
		}
		if (in_headers) {
			/* "Name: value" lines end with an empty one, which some writers leave out. */
			if (line.len == 0 || !memchr(line.data, ':', line.len)) {
				in_headers = false;
				if (line.len > 0 && !decode_line(d, line)) {
					return false;
				}
			}
		} else if (line.len > 0 && line.data[0] == '=') {
			d->ended = true; /* the checksum */
		} else if (!decode_line(d, line)) {
			return false;
		}
	}
	return false;
}

bool armour_undo(struct bytes text, uint8_t *to, size_t *len)
{
	struct decoder d = {.to = to};
	size_t blocks = 0;

	while (text.len > 0) {
		struct bytes line = next_line(&text);

		if (starts(line, begin)) {
			if (!undo_block(&text, &d)) {
				return false;
			}
			blocks++;
		}
	}
	*len = d.len;
	return blocks > 0 && d.len > 0;
}

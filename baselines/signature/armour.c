// SPDX-License-Identifier: MIT
#include "baselines/signature/armour.h"

#include "baselines/signature/base64.h"

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

/* The lines behind a block's header line, to behind `*len` bytes of `to`. */
static bool undo_block(struct bytes *rest, uint8_t *to, size_t *len)
{
	struct bytes body = {.len = 0};
	bool in_headers = true, ended = false;

	while (rest->len > 0) {
		struct bytes line = next_line(rest);

		if (starts(line, end)) {
			long decoded = in_headers ? -1 : base64_decode(body, to + *len);

			*len += decoded > 0 ? (size_t)decoded : 0;
			return decoded >= 0;
		}
		/* "Name: value" lines end with an empty one, which some writers leave out. */
		if (in_headers && (line.len == 0 || !memchr(line.data, ':', line.len))) {
			in_headers = false;
			body.data = line.data;
		}
		if (in_headers || line.len == 0) {
			continue;
		}
		if (line.data[0] == '=') {
			ended = true; /* the checksum */
		} else if (ended) {
			return false;
		} else {
			body.len = (size_t)(line.data + line.len - body.data);
		}
	}
	return false;
}

bool armour_undo(struct bytes text, uint8_t *to, size_t *len)
{
	size_t blocks = 0;

	*len = 0;
	while (text.len > 0) {
		struct bytes line = next_line(&text);

		if (starts(line, begin)) {
			if (!undo_block(&text, to, len)) {
				return false;
			}
			blocks++;
		}
	}
	return blocks > 0 && *len > 0;
}

// SPDX-License-Identifier: MIT
#include "controller/judge/capability.h"

#include <stdbool.h>
#include <stdio.h>

#include "schema/capability.h"

static uint32_t word(struct bytes from, size_t at)
{
	const uint8_t *p = from.data + at;

	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

struct text {
	char *to;
	size_t room;
	size_t len;
};

static void put(struct text *text, const char *what)
{
	size_t len = strlen(what);

	if (len < text->room - text->len) {
		memcpy(text->to + text->len, what, len + 1);
		text->len += len;
	} else {
		text->room = text->len; /* nothing shorter may follow what did not fit */
	}
}

static void put_set(struct text *text, uint64_t set, const char *flags)
{
	bool first = true;

	if (set == 0) {
		return;
	}
	if (text->len > 0) {
		put(text, " ");
	}
	for (unsigned bit = 0; bit < 64; bit++) {
		char number[16];

		if ((set >> bit & 1) == 0) {
			continue;
		}
		put(text, first ? "" : ",");
		first = false;
		(void)snprintf(number, sizeof(number), "%u", bit);
		put(text, capability_name(bit) ? capability_name(bit) : number);
	}
	put(text, flags);
}

static void put_hex(struct text *text, struct bytes attribute)
{
	put(text, "0x");
	for (size_t i = 0; i < attribute.len; i++) {
		char digits[3];

		(void)snprintf(digits, sizeof(digits), "%02x", attribute.data[i]);
		put(text, digits);
	}
}

size_t capability_text(struct bytes attribute, char *to, size_t room)
{
	struct text text = {to, room, 0};
	uint32_t head = attribute.len >= 4 ? word(attribute, 0) : 0;
	uint32_t revision = head & CAPABILITY_REVISION_MASK;
	uint64_t permitted, inheritable;

	if (room == 0) {
		return 0;
	}
	to[0] = '\0';
	if (revision == CAPABILITY_REVISION_1 && attribute.len == 12) {
		permitted = word(attribute, 4);
		inheritable = word(attribute, 8);
	} else if ((revision == CAPABILITY_REVISION_2 && attribute.len == 20) ||
		   (revision == CAPABILITY_REVISION_3 && attribute.len == 24)) {
		permitted = word(attribute, 4) | (uint64_t)word(attribute, 12) << 32;
		inheritable = word(attribute, 8) | (uint64_t)word(attribute, 16) << 32;
	} else {
		put_hex(&text, attribute);
		return text.len;
	}
	if (permitted == 0 && inheritable == 0) {
		put(&text, "=");
	}
	put_set(&text, permitted & inheritable, head & CAPABILITY_EFFECTIVE ? "=eip" : "=ip");
	put_set(&text, permitted & ~inheritable, head & CAPABILITY_EFFECTIVE ? "=ep" : "=p");
	put_set(&text, inheritable & ~permitted, "=i");
	if (revision == CAPABILITY_REVISION_3) {
		char root[32];

		(void)snprintf(root, sizeof(root), " [rootid=%u]", word(attribute, 20));
		put(&text, root);
	}
	return text.len;
}

// SPDX-License-Identifier: MIT
#include "baselines/signature/base64.h"

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

long base64_decode(struct bytes text, uint8_t *to)
{
	uint32_t bits = 0;
	unsigned count = 0, padding = 0;
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		int value = value_of(c);

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			continue;
		}
		if (c == '=') {
			padding++;
			continue;
		}
		if (value < 0 || padding > 0) {
			return -1;
		}
		bits = bits << 6 | (uint32_t)value;
		if (++count % 4 == 0) {
			to[len++] = (uint8_t)(bits >> 16);
			to[len++] = (uint8_t)(bits >> 8);
			to[len++] = (uint8_t)bits;
		}
	}
	if (count % 4 == 1 || padding > 2 || (padding > 0 && (count + padding) % 4 != 0)) {
		return -1;
	}
	if (count % 4 == 2) {
		to[len++] = (uint8_t)(bits >> 4);
	} else if (count % 4 == 3) {
		to[len++] = (uint8_t)(bits >> 10);
		to[len++] = (uint8_t)(bits >> 2);
	}
	return (long)len;
}

// SPDX-License-Identifier: MIT
/* What FILECAPS says in words, as the kernel would store it. */
#include "baselines/rpm/manifest.h"
#include "schema/capability.h"

struct sets {
	uint64_t permitted;
	uint64_t inheritable;
	uint64_t effective;
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static bool is_operator(uint8_t c)
{
	return c == '=' || c == '+' || c == '-';
}

static bool find_capability(struct bytes word, uint64_t *set)
{
	unsigned number = 0;

	if (bytes_equal_string(word, "all")) {
		*set |= (UINT64_C(1) << CAPABILITY_NAMES) - 1;
		return true;
	}
	for (unsigned i = 0; i < CAPABILITY_NAMES; i++) {
		if (bytes_equal_string(word, capability_name(i))) {
			*set |= UINT64_C(1) << i;
			return true;
		}
	}
	for (size_t i = 0; i < word.len; i++) {
		if (word.data[i] < '0' || word.data[i] > '9' || i > 1) {
			return false;
		}
		number = number * 10 + word.data[i] - '0';
	}
	*set |= word.len > 0 && number < 64 ? UINT64_C(1) << number : 0;
	return word.len > 0 && number < 64;
}

/* "cap_a,cap_b": up to the first operator. False where a name is not known. */
static bool read_list(struct bytes text, size_t *at, uint64_t *set)
{
	size_t start = *at;

	*set = 0;
	while (*at < text.len && !is_blank(text.data[*at])) {
		bool ends = is_operator(text.data[*at]);

		if (ends || text.data[*at] == ',') {
			if (!find_capability(bytes_make(text.data + start, *at - start), set)) {
				return false;
			}
			start = *at + 1;
		}
		if (ends) {
			return true;
		}
		(*at)++;
	}
	return false;
}

static void change(uint64_t *target, char operator, uint64_t set, bool is_named)
{
	if (operator== '=') {
		*target &= ~set;
	}
	if (is_named) {
		*target = operator== '-' ? *target & ~set : * target | set;
	}
}

/* "=ep", "+p", "-i", several behind each other. */
static bool read_actions(struct bytes text, size_t *at, uint64_t set, struct sets *sets)
{
	while (*at < text.len && is_operator(text.data[*at])) {
		char operator=(char) text.data[(*at)++];
		bool p = false, i = false, e = false;

		for (; *at < text.len && text.data[*at] >= 'a'; (*at)++) {
			uint8_t letter = text.data[*at];

			if (letter != 'p' && letter != 'i' && letter != 'e') {
				return false;
			}
			p = p || letter == 'p';
			i = i || letter == 'i';
			e = e || letter == 'e';
		}
		change(&sets->permitted, operator, set, p);
		change(&sets->inheritable, operator, set, i);
		change(&sets->effective, operator, set, e);
	}
	return *at == text.len || is_blank(text.data[*at]);
}

static bool read_clause(struct bytes text, size_t *at, struct sets *sets)
{
	uint64_t set;

	/* "=ep": all of them. */
	if (text.data[*at] == '=') {
		set = (UINT64_C(1) << CAPABILITY_NAMES) - 1;
	} else if (!read_list(text, at, &set)) {
		return false;
	}
	return read_actions(text, at, set, sets);
}

static void store_le32(uint8_t *to, uint64_t value)
{
	for (unsigned i = 0; i < 4; i++) {
		to[i] = (uint8_t)(value >> (8 * i));
	}
}

long rpm_caps_from_text(struct bytes text, uint8_t to[ENTRY_CAPS_MAX])
{
	struct sets sets = {0, 0, 0};
	bool has_clause = false;

	for (size_t at = 0; at < text.len;) {
		if (is_blank(text.data[at])) {
			at++;
			continue;
		}
		if (!read_clause(text, &at, &sets)) {
			return -1;
		}
		has_clause = true;
	}
	if (!has_clause) {
		return 0;
	}
	/* The attribute has one bit for "effective"; cap_set_file(3) sets it for any. */
	store_le32(to, CAPABILITY_REVISION_2 | (sets.effective ? CAPABILITY_EFFECTIVE : 0));
	store_le32(to + 4, sets.permitted);
	store_le32(to + 8, sets.inheritable);
	store_le32(to + 12, sets.permitted >> 32);
	store_le32(to + 16, sets.inheritable >> 32);
	return 20;
}

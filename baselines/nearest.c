// SPDX-License-Identifier: MIT
#include "baselines/nearest.h"

#include <ctype.h>

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static bool same_letter(uint8_t a, uint8_t b)
{
	return tolower(a) == tolower(b) || (a == '_' && b == '-') || (a == '-' && b == '_');
}

/* Optimal string alignment distance. */
static unsigned distance(struct bytes a, struct bytes b)
{
	unsigned rows[3][NEAREST_WORD_MAX + 1];
	unsigned *above = rows[0], *row = rows[1], *before = rows[2];

	for (size_t j = 0; j <= b.len; j++) {
		above[j] = (unsigned)j;
		before[j] = 0;
	}
	for (size_t i = 1; i <= a.len; i++) {
		unsigned *turn = before;

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b.len; j++) {
			unsigned cost = same_letter(a.data[i - 1], b.data[j - 1]) ? 0U : 1U;

			row[j] = least(least(above[j] + 1, row[j - 1] + 1), above[j - 1] + cost);
			if (i > 1 && j > 1 && same_letter(a.data[i - 1], b.data[j - 2]) &&
			    same_letter(a.data[i - 2], b.data[j - 1])) {
				row[j] = least(row[j], before[j - 2] + 1);
			}
		}
		before = above;
		above = row;
		row = turn;
	}
	return above[b.len];
}

const char *nearest_in_array(const void *words, size_t index)
{
	return ((const char *const *)words)[index];
}

const char *nearest_find(struct bytes wrong, nearest_word word, const void *words)
{
	const char *best = NULL, *longer = NULL;
	unsigned best_distance = 0;

	if (wrong.len == 0 || wrong.len > NEAREST_WORD_MAX) {
		return NULL;
	}
	for (size_t i = 0; word(words, i); i++) {
		struct bytes candidate = bytes_from_string(word(words, i));
		unsigned far, limit;

		if (candidate.len == 0 || candidate.len > NEAREST_WORD_MAX) {
			continue;
		}
		/* A third of the letters may be wrong: more is another word. */
		limit = (unsigned)(wrong.len > candidate.len ? wrong.len : candidate.len) / 3;
		far = distance(wrong, candidate);
		if (far <= (limit ? limit : 1) && far < candidate.len &&
		    (!best || far < best_distance)) {
			best = word(words, i);
			best_distance = far;
		}
		if (!longer && wrong.len >= 3 && bytes_has_prefix(candidate, wrong)) {
			longer = word(words, i);
		}
	}
	return best ? best : longer;
}

// SPDX-License-Identifier: MIT
#include "controller/inventory/fold.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/*
 * Every name becomes a row: the name with its digit runs cut out, and one word for each run. One
 * dimension after the other, rows that differ only there are made one, whose word there is the
 * range of theirs. Words are interned, so that equal is a comparison of numbers.
 */

#define DIMENSIONS_MAX 8
#define DIGITS_MAX 18
#define HOLE '\1' /* stands for a digit run: no valid name holds it */

struct word {
	uint32_t id;
	bool is_set; /* needs brackets */
	uint64_t value;
	unsigned digits;
	UT_hash_handle hh;
	char text[]; /* first a letter for the kind: t template, n name as it stands, w word */
};

struct row {
	uint32_t first; /* place of its first name: rows are printed in that order */
	uint32_t shape; /* word id of the template */
	uint32_t dimensions;
	uint32_t dimension[DIMENSIONS_MAX];
};

struct text {
	char *data;
	size_t len, room;
};

struct fold {
	struct word *by_text;
	struct word **word;
	size_t words, word_room;
	struct row *row;
	size_t rows;
	struct text scratch;
};

static int out_of_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "out of memory");
}

static int text_add(struct text *text, const char *data, size_t len, struct error *err)
{
	if (text->room - text->len <= len) {
		size_t room = (text->len + len + 1) * 2;
		char *grown = realloc(text->data, room);

		if (!grown) {
			return out_of_memory(err);
		}
		text->data = grown;
		text->room = room;
	}
	memcpy(text->data + text->len, data, len);
	text->len += len;
	text->data[text->len] = '\0';
	return 0;
}

static int add_word(struct fold *fold, const char *text, size_t len, struct word **out,
		    struct error *err)
{
	struct word *word = calloc(1, sizeof(*word) + len + 1);

	if (!word) {
		return out_of_memory(err);
	}
	if (fold->words == fold->word_room) {
		size_t room = fold->word_room ? fold->word_room * 2 : 64;
		struct word **grown = realloc(fold->word, room * sizeof(struct word *));

		if (!grown) {
			free(word);
			return out_of_memory(err);
		}
		fold->word = grown;
		fold->word_room = room;
	}
	memcpy(word->text, text, len);
	word->id = (uint32_t)fold->words;
	fold->word[fold->words++] = word;
	HASH_ADD_KEYPTR(hh, fold->by_text, word->text, len, word);
	*out = word;
	return word->hh.tbl ? 0 : out_of_memory(err);
}

static int intern(struct fold *fold, char kind, const char *text, size_t len, struct word **word,
		  struct error *err)
{
	fold->scratch.len = 0;
	if (text_add(&fold->scratch, &kind, 1, err) < 0 ||
	    text_add(&fold->scratch, text, len, err) < 0) {
		return -1;
	}
	HASH_FIND(hh, fold->by_text, fold->scratch.data, fold->scratch.len, *word);
	return *word ? 0 : add_word(fold, fold->scratch.data, fold->scratch.len, word, err);
}

static size_t digit_run(const char *text)
{
	size_t n = 0;

	while (text[n] >= '0' && text[n] <= '9') {
		n++;
	}
	return n;
}

static int intern_number(struct fold *fold, const char *digits, size_t len, uint32_t *id,
			 struct error *err)
{
	struct word *word;

	if (intern(fold, 'w', digits, len, &word, err) < 0) {
		return -1;
	}
	word->value = 0;
	for (size_t i = 0; i < len; i++) {
		word->value = word->value * 10 + (uint64_t)(digits[i] - '0');
	}
	word->digits = (unsigned)len;
	*id = word->id;
	return 0;
}

static int make_row(struct fold *fold, const char *name, struct row *row, struct error *err)
{
	char shape[NODESET_NAME_MAX + 1];
	struct word *word;
	size_t used = 0;

	if (!nodeset_name_is_valid(name)) {
		if (intern(fold, 'n', name, strlen(name), &word, err) < 0) {
			return -1;
		}
		row->shape = word->id;
		return 0;
	}
	while (*name) {
		size_t run = digit_run(name);

		if (run == 0 || run > DIGITS_MAX || row->dimensions == DIMENSIONS_MAX) {
			size_t plain = run ? run : 1;

			memcpy(shape + used, name, plain);
			used += plain;
			name += plain;
			continue;
		}
		if (intern_number(fold, name, run, &row->dimension[row->dimensions], err) < 0) {
			return -1;
		}
		row->dimensions++;
		shape[used++] = HOLE;
		name += run;
	}
	if (intern(fold, 't', shape, used, &word, err) < 0) {
		return -1;
	}
	row->shape = word->id;
	return 0;
}

struct order {
	const struct fold *fold;
	uint32_t dimension;
};

/* Same shape, and same words everywhere but in `except`: <0, 0, >0. */
static int compare_others(const struct row *a, const struct row *b, uint32_t except)
{
	if (a->shape != b->shape) {
		return a->shape < b->shape ? -1 : 1;
	}
	for (uint32_t i = 0; i < a->dimensions; i++) {
		if (i != except && a->dimension[i] != b->dimension[i]) {
			return a->dimension[i] < b->dimension[i] ? -1 : 1;
		}
	}
	return 0;
}

static int compare_rows(const void *x, const void *y, void *context)
{
	const struct row *a = x, *b = y;
	const struct order *order = context;
	int others = compare_others(a, b, order->dimension);
	const struct word *word_a, *word_b;

	if (others != 0) {
		return others;
	}
	if (order->dimension >= a->dimensions) {
		return a->first < b->first ? -1 : 1;
	}
	word_a = order->fold->word[a->dimension[order->dimension]];
	word_b = order->fold->word[b->dimension[order->dimension]];
	if (word_a->value != word_b->value) {
		return word_a->value < word_b->value ? -1 : 1;
	}
	return (word_a->digits > word_b->digits) - (word_a->digits < word_b->digits);
}

static bool is_padded(const struct word *word)
{
	return word->digits > 1 && word->text[1] == '0';
}

/* Whether `next` is what a range with the padding of its first number goes on with. */
static bool continues(const struct word *first, const struct word *last, const struct word *next)
{
	char text[DIGITS_MAX + 3];
	int width = is_padded(first) ? (int)first->digits : 0;

	(void)snprintf(text, sizeof(text), "%0*llu", width, (unsigned long long)last->value + 1);
	return strcmp(text, next->text + 1) == 0;
}

/* Ranges of the words that rows [from, to) have in `dimension`: 1-3,5 */
static int add_ranges(struct fold *fold, size_t from, size_t to, uint32_t dimension,
		      struct text *text, struct error *err)
{
	for (size_t i = from, next; i < to; i = next) {
		const struct word *first = fold->word[fold->row[i].dimension[dimension]];
		const struct word *last = first;

		for (next = i + 1; next < to; next++) {
			const struct word *word = fold->word[fold->row[next].dimension[dimension]];

			if (word != last && !continues(first, last, word)) {
				break;
			}
			last = word;
		}
		if ((i > from && text_add(text, ",", 1, err) < 0) ||
		    text_add(text, first->text + 1, first->digits, err) < 0 ||
		    (last != first && (text_add(text, "-", 1, err) < 0 ||
				       text_add(text, last->text + 1, last->digits, err) < 0))) {
			return -1;
		}
	}
	return 0;
}

static int fold_group(struct fold *fold, size_t from, size_t to, uint32_t dimension,
		      struct row *merged, struct error *err)
{
	struct text text = {0};
	struct word *word;
	int status = -1;

	*merged = fold->row[from];
	for (size_t i = from + 1; i < to; i++) {
		if (fold->row[i].first < merged->first) {
			merged->first = fold->row[i].first;
		}
	}
	if (to - from == 1 || dimension >= merged->dimensions) {
		return 0;
	}
	if (add_ranges(fold, from, to, dimension, &text, err) < 0 ||
	    intern(fold, 'w', text.data, text.len, &word, err) < 0) {
		goto out;
	}
	word->is_set = strpbrk(word->text, "-,") != NULL;
	merged->dimension[dimension] = word->id;
	status = 0;
out:
	free(text.data);
	return status;
}

static int fold_dimension(struct fold *fold, uint32_t dimension, struct error *err)
{
	struct order order = {fold, dimension};
	size_t kept = 0;

	qsort_r(fold->row, fold->rows, sizeof(*fold->row), compare_rows, &order);
	for (size_t from = 0, to; from < fold->rows; from = to) {
		struct row merged;

		for (to = from + 1; to < fold->rows; to++) {
			if (compare_others(&fold->row[from], &fold->row[to], dimension) != 0) {
				break;
			}
		}
		if (fold_group(fold, from, to, dimension, &merged, err) < 0) {
			return -1;
		}
		fold->row[kept++] = merged;
	}
	fold->rows = kept;
	return 0;
}

static int compare_first(const void *x, const void *y)
{
	const struct row *a = x, *b = y;

	return (a->first > b->first) - (a->first < b->first);
}

static int print_row(const struct fold *fold, const struct row *row, struct text *text,
		     struct error *err)
{
	const char *shape = fold->word[row->shape]->text;
	uint32_t dimension = 0;

	if (*shape++ == 'n') {
		return text_add(text, shape, strlen(shape), err);
	}
	for (; *shape; shape++) {
		const struct word *word;

		if (*shape != HOLE) {
			if (text_add(text, shape, 1, err) < 0) {
				return -1;
			}
			continue;
		}
		word = fold->word[row->dimension[dimension++]];
		if ((word->is_set && text_add(text, "[", 1, err) < 0) ||
		    text_add(text, word->text + 1, strlen(word->text + 1), err) < 0 ||
		    (word->is_set && text_add(text, "]", 1, err) < 0)) {
			return -1;
		}
	}
	return 0;
}

static int make_rows(struct fold *fold, const char *const *names, size_t count, struct error *err)
{
	if (count > UINT32_MAX / 2) {
		return error_set(err, ERROR_CONFIG, 0, "too many hosts");
	}
	fold->row = calloc(count ? count : 1, sizeof(*fold->row));
	if (!fold->row) {
		return out_of_memory(err);
	}
	for (size_t i = 0; i < count; i++) {
		fold->row[i].first = (uint32_t)i;
		if (make_row(fold, names[i], &fold->row[i], err) < 0) {
			return -1;
		}
	}
	fold->rows = count;
	return 0;
}

static void fold_clear(struct fold *fold)
{
	HASH_CLEAR(hh, fold->by_text);
	for (size_t i = 0; i < fold->words; i++) {
		free(fold->word[i]);
	}
	free(fold->word);
	free(fold->row);
	free(fold->scratch.data);
}

static int compare_pointers(const void *a, const void *b)
{
	return nodeset_name_compare(*(const char *const *)a, *(const char *const *)b);
}

int fold_names(const char *const *names, size_t count, char **text, struct error *err)
{
	struct fold fold = {0};
	struct text made = {0};
	const char **sorted = NULL;
	int status = -1;

	*text = NULL;
	sorted = malloc((count ? count : 1) * sizeof(*sorted));
	if (!sorted || text_add(&made, "", 0, err) < 0) {
		(void)out_of_memory(err);
		goto out;
	}
	for (size_t i = 0; i < count; i++) {
		sorted[i] = names[i];
	}
	qsort(sorted, count, sizeof(*sorted), compare_pointers);
	if (make_rows(&fold, sorted, count, err) < 0) {
		goto out;
	}
	for (uint32_t dimension = DIMENSIONS_MAX; dimension > 0; dimension--) {
		if (fold_dimension(&fold, dimension - 1, err) < 0) {
			goto out;
		}
	}
	qsort(fold.row, fold.rows, sizeof(*fold.row), compare_first);
	for (size_t i = 0; i < fold.rows; i++) {
		if ((i > 0 && text_add(&made, ",", 1, err) < 0) ||
		    print_row(&fold, &fold.row[i], &made, err) < 0) {
			goto out;
		}
	}
	*text = made.data;
	made.data = NULL;
	status = 0;
out:
	fold_clear(&fold);
	free(made.data);
	free(sorted);
	return status;
}

int fold_nodeset(struct nodeset *set, char **text, struct error *err)
{
	size_t count = nodeset_count(set);
	const char **names = malloc((count ? count : 1) * sizeof(*names));
	int status;

	if (!names) {
		return out_of_memory(err);
	}
	for (size_t i = 0; i < count; i++) {
		names[i] = nodeset_name(set, i);
	}
	status = fold_names(names, count, text, err);
	free(names);
	return status;
}

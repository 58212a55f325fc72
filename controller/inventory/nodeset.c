// SPDX-License-Identifier: MIT
#include "controller/inventory/nodeset.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/inventory/where.h"
#include "schema/bytes.h"
#include "schema/escape.h"

#define BLOCK_SIZE 65536
#define DIMENSIONS_MAX 8
#define DIGITS_MAX 18 /* what fits in 64 bits with room for a step */
#define SHOWN 80

/* Names are only ever added: they live in blocks, and sets exchange blocks whole. */
struct block {
	struct block *next;
	size_t used;
	char data[BLOCK_SIZE];
};

struct nodeset {
	struct block *blocks;
	const char **name;
	size_t count;
	size_t room;
	bool ordered; /* in natural order, each once */
};

struct range {
	uint64_t first, last, step;
	unsigned width; /* 0: no padding */
};

struct dimension {
	size_t first_range, range_count;
	uint64_t count;
	size_t text_end; /* of the literal text in front of it */
};

/* A term cut up: literal, dimension, literal, dimension ... literal. */
struct pattern {
	const char *text;
	size_t len;
	struct dimension dimension[DIMENSIONS_MAX];
	size_t after[DIMENSIONS_MAX]; /* where the text goes on behind each dimension */
	size_t dimensions;
	struct range *range;
	size_t ranges, range_room;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_char(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
	       c == '_' || c == ':' || c == '-';
}

static bool is_valid_name(const char *name, size_t len)
{
	size_t colons = 0;

	if (len == 0 || len > NODESET_NAME_MAX || name[0] == '-') {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (!is_name_char(name[i])) {
			return false;
		}
		colons += name[i] == ':' ? 1 : 0;
	}
	/* One alone would be read as a port's (where.h) wherever the name is written again. */
	return colons != 1;
}

bool nodeset_name_is_valid(const char *name)
{
	return is_valid_name(name, strnlen(name, NODESET_NAME_MAX + 1));
}

/* Compares the digit runs at *a and *b and goes behind them. By value, then the shorter first. */
static int compare_runs(const char **a, const char **b)
{
	const char *x = *a, *y = *b;
	size_t digits_x, digits_y, zeros_x = 0, zeros_y = 0;
	int order;

	while (x[zeros_x] == '0' && is_digit(x[zeros_x + 1])) {
		zeros_x++;
	}
	while (y[zeros_y] == '0' && is_digit(y[zeros_y + 1])) {
		zeros_y++;
	}
	x += zeros_x;
	y += zeros_y;
	for (digits_x = 0; is_digit(x[digits_x]); digits_x++) {
	}
	for (digits_y = 0; is_digit(y[digits_y]); digits_y++) {
	}
	*a = x + digits_x;
	*b = y + digits_y;
	if (digits_x != digits_y) {
		return digits_x < digits_y ? -1 : 1;
	}
	order = memcmp(x, y, digits_x);
	return order != 0 ? order : (zeros_x > zeros_y) - (zeros_x < zeros_y);
}

int nodeset_name_compare(const char *a, const char *b)
{
	while (*a && *b) {
		if (is_digit(*a) && is_digit(*b)) {
			int order = compare_runs(&a, &b);

			if (order != 0) {
				return order;
			}
		} else if (*a != *b) {
			return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
		} else {
			a++;
			b++;
		}
	}
	return (*a != '\0') - (*b != '\0');
}

static int compare_pointers(const void *a, const void *b)
{
	return nodeset_name_compare(*(const char *const *)a, *(const char *const *)b);
}

static void put_in_order(struct nodeset *set)
{
	size_t kept = 0;

	if (set->ordered) {
		return;
	}
	/* Expansion yields names in order as a rule: looking is cheaper than sorting. */
	for (size_t i = 1; i < set->count; i++) {
		if (nodeset_name_compare(set->name[i - 1], set->name[i]) > 0) {
			qsort(set->name, set->count, sizeof(*set->name), compare_pointers);
			break;
		}
	}
	for (size_t i = 0; i < set->count; i++) {
		if (kept == 0 || strcmp(set->name[kept - 1], set->name[i]) != 0) {
			set->name[kept++] = set->name[i];
		}
	}
	set->count = kept;
	set->ordered = true;
}

int nodeset_new(struct nodeset **set, struct error *err)
{
	*set = calloc(1, sizeof(**set));
	if (!*set) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	(*set)->ordered = true;
	return 0;
}

void nodeset_free(struct nodeset *set)
{
	if (!set) {
		return;
	}
	while (set->blocks) {
		struct block *next = set->blocks->next;

		free(set->blocks);
		set->blocks = next;
	}
	free(set->name);
	free(set);
}

static bool too_many(const struct nodeset *set, struct error *err)
{
	if (set->count <= NODESET_NAMES_MAX) {
		return false;
	}
	(void)error_set(err, ERROR_CONFIG, 0, "more than %d hosts", NODESET_NAMES_MAX);
	return true;
}

static int append_pointer(struct nodeset *set, const char *name, struct error *err)
{
	/* Twice the cap, because repetition is only noticed when names are put in order. */
	if (set->count >= 2 * (size_t)NODESET_NAMES_MAX) {
		put_in_order(set);
		if (too_many(set, err)) {
			return -1;
		}
	}
	if (set->count == set->room) {
		size_t room = set->room ? set->room * 2 : 16;
		const char **grown = realloc(set->name, room * sizeof(*grown));

		if (!grown) {
			return error_set(err, ERROR_NOMEM, 0, "out of memory");
		}
		set->name = grown;
		set->room = room;
	}
	set->name[set->count++] = name;
	set->ordered = false;
	return 0;
}

static int append_name(struct nodeset *set, const char *name, size_t len, struct error *err)
{
	struct block *block = set->blocks;
	char *place;

	if (!is_valid_name(name, len)) {
		char shown[SHOWN];

		return error_set(err, ERROR_CONFIG, 0,
				 "\"%s\" is no host name (letters, digits, . _ : -)",
				 escape_text(bytes_make(name, len), shown, sizeof(shown)));
	}
	if (!block || sizeof(block->data) - block->used < len + 1) {
		block = malloc(sizeof(*block));
		if (!block) {
			return error_set(err, ERROR_NOMEM, 0, "out of memory");
		}
		block->next = set->blocks;
		block->used = 0;
		set->blocks = block;
	}
	place = block->data + block->used;
	memcpy(place, name, len);
	place[len] = '\0';
	if (append_pointer(set, place, err) < 0) {
		return -1;
	}
	block->used += len + 1;
	return 0;
}

int nodeset_add(struct nodeset *set, const char *name, struct error *err)
{
	return append_name(set, name, strnlen(name, NODESET_NAME_MAX + 1), err);
}

int nodeset_add_set(struct nodeset *set, const struct nodeset *other, struct error *err)
{
	for (size_t i = 0; i < other->count; i++) {
		if (append_name(set, other->name[i], strlen(other->name[i]), err) < 0) {
			return -1;
		}
	}
	return 0;
}

size_t nodeset_count(struct nodeset *set)
{
	put_in_order(set);
	return set->count;
}

const char *nodeset_name(struct nodeset *set, size_t index)
{
	put_in_order(set);
	return index < set->count ? set->name[index] : NULL;
}

bool nodeset_has(struct nodeset *set, const char *name)
{
	put_in_order(set);
	return set->count > 0 &&
	       bsearch(&name, set->name, set->count, sizeof(*set->name), compare_pointers) != NULL;
}

static int term_fault(const struct pattern *pattern, const char *what, struct error *err)
{
	char shown[SHOWN];

	return error_set(err, ERROR_CONFIG, 0, "\"%s\": %s",
			 escape_text(bytes_make(pattern->text, pattern->len), shown, sizeof(shown)),
			 what);
}

/* Digits from *at; *width is their number where they are padded. */
static bool read_number(const struct pattern *pattern, size_t *at, uint64_t *number,
			unsigned *width)
{
	size_t start = *at;

	*number = 0;
	while (*at < pattern->len && is_digit(pattern->text[*at]) && *at - start < DIGITS_MAX) {
		*number = *number * 10 + (uint64_t)(pattern->text[*at] - '0');
		(*at)++;
	}
	*width = *at - start > 1 && pattern->text[start] == '0' ? (unsigned)(*at - start) : 0;
	return *at > start && (*at == pattern->len || !is_digit(pattern->text[*at]));
}

static bool take(const struct pattern *pattern, size_t *at, char c)
{
	if (*at < pattern->len && pattern->text[*at] == c) {
		(*at)++;
		return true;
	}
	return false;
}

/* N, N-M or N-M/STEP */
static int read_range(const struct pattern *pattern, size_t *at, struct range *range,
		      struct error *err)
{
	unsigned width;

	range->step = 1;
	if (!read_number(pattern, at, &range->first, &range->width)) {
		return term_fault(pattern, "expected a number in [ ]", err);
	}
	range->last = range->first;
	if (take(pattern, at, '-')) {
		if (!read_number(pattern, at, &range->last, &width)) {
			return term_fault(pattern, "expected a number after -", err);
		}
		if (width != 0 && width != range->width) {
			return term_fault(pattern, "both ends of a range are padded alike", err);
		}
		if (take(pattern, at, '/') &&
		    (!read_number(pattern, at, &range->step, &width) || range->step == 0)) {
			return term_fault(pattern, "expected a step after /", err);
		}
	}
	if (range->last < range->first) {
		return term_fault(pattern, "a range goes upwards", err);
	}
	return 0;
}

/* From behind `[` to behind `]`. */
static int read_dimension(struct pattern *pattern, size_t *at, struct error *err)
{
	struct dimension *dimension = &pattern->dimension[pattern->dimensions];

	dimension->first_range = pattern->ranges;
	dimension->range_count = 0;
	dimension->count = 0;
	do {
		struct range *range = &pattern->range[pattern->ranges];

		/* expand_term counted the commas and brackets. */
		assert(pattern->ranges < pattern->range_room);
		if (read_range(pattern, at, range, err) < 0) {
			return -1;
		}
		pattern->ranges++;
		dimension->range_count++;
		dimension->count += (range->last - range->first) / range->step + 1;
		if (dimension->count > NODESET_NAMES_MAX) {
			return term_fault(pattern, "more than 1000000 hosts", err);
		}
	} while (take(pattern, at, ','));
	if (!take(pattern, at, ']')) {
		return term_fault(pattern, "[ without ]", err);
	}
	return 0;
}

static int read_pattern(struct pattern *pattern, struct error *err)
{
	uint64_t total = 1;
	size_t at = 0;

	while (at < pattern->len) {
		if (pattern->text[at] != '[') {
			if (pattern->text[at] == ']') {
				return term_fault(pattern, "] without [", err);
			}
			at++;
			continue;
		}
		if (pattern->dimensions == DIMENSIONS_MAX) {
			return term_fault(pattern, "too many [ ]", err);
		}
		pattern->dimension[pattern->dimensions].text_end = at;
		at++;
		if (read_dimension(pattern, &at, err) < 0) {
			return -1;
		}
		total *= pattern->dimension[pattern->dimensions].count;
		if (total > NODESET_NAMES_MAX) {
			return term_fault(pattern, "more than 1000000 hosts", err);
		}
		pattern->after[pattern->dimensions++] = at;
	}
	return 0;
}

/* The number at position `index` of a dimension, as text. */
static size_t format_number(const struct pattern *pattern, const struct dimension *dimension,
			    uint64_t index, char *to, size_t room)
{
	for (size_t i = 0; i < dimension->range_count; i++) {
		const struct range *range = &pattern->range[dimension->first_range + i];
		uint64_t count = (range->last - range->first) / range->step + 1;

		if (index < count) {
			unsigned long long number = range->first + index * range->step;
			int n = snprintf(to, room, "%0*llu", (int)range->width, number);

			return n > 0 && (size_t)n < room ? (size_t)n : room;
		}
		index -= count;
	}
	return room;
}

/* One name of the pattern; false where it is longer than a name may be. */
static bool format_name(const struct pattern *pattern, const uint64_t *index, char *to, size_t *len)
{
	size_t used = 0, from = 0;

	for (size_t i = 0; i <= pattern->dimensions; i++) {
		size_t end = i < pattern->dimensions ? pattern->dimension[i].text_end
						     : pattern->len;

		if (end - from > NODESET_NAME_MAX - used) {
			return false;
		}
		memcpy(to + used, pattern->text + from, end - from);
		used += end - from;
		if (i < pattern->dimensions) {
			used += format_number(pattern, &pattern->dimension[i], index[i], to + used,
					      NODESET_NAME_MAX + 1 - used);
			if (used > NODESET_NAME_MAX) {
				return false;
			}
			from = pattern->after[i];
		}
	}
	*len = used;
	return true;
}

static int expand_pattern(const struct pattern *pattern, struct nodeset *set, struct error *err)
{
	uint64_t index[DIMENSIONS_MAX] = {0};
	char name[NODESET_NAME_MAX + 1];
	size_t turned;

	do {
		size_t len;

		if (!format_name(pattern, index, name, &len)) {
			return term_fault(pattern, "a host name has at most 255 bytes", err);
		}
		if (append_name(set, name, len, err) < 0) {
			return -1;
		}
		/* The last dimension turns fastest. */
		for (turned = pattern->dimensions; turned > 0; turned--) {
			if (++index[turned - 1] < pattern->dimension[turned - 1].count) {
				break;
			}
			index[turned - 1] = 0;
		}
	} while (turned > 0);
	return 0;
}

static int expand_groups(struct nodeset *names, const struct nodeset_groups *groups,
			 struct nodeset *set, struct error *err)
{
	for (size_t i = 0; i < nodeset_count(names); i++) {
		if (groups->add(groups->context, nodeset_name(names, i), set, err) < 0) {
			return -1;
		}
	}
	return 0;
}

/* Adds the hosts of one term to the set. */
static int expand_term(struct nodeset *set, const char *text, size_t len,
		       const struct nodeset_groups *groups, struct error *err)
{
	struct nodeset *names = NULL;
	struct pattern *pattern = NULL;
	bool is_group = len > 0 && text[0] == '@';
	size_t ranges = 1;
	int status = -1;

	if (!is_group && !memchr(text, '[', len) && !memchr(text, ']', len) && len > 0) {
		return append_name(set, text, len, err);
	}
	for (size_t i = 0; i < len; i++) {
		ranges += text[i] == ',' || text[i] == '[' ? 1 : 0;
	}
	pattern = calloc(1, sizeof(*pattern));
	if (!pattern || !(pattern->range = calloc(ranges, sizeof(*pattern->range)))) {
		(void)error_set(err, ERROR_NOMEM, 0, "out of memory");
		goto out;
	}
	pattern->range_room = ranges;
	pattern->text = text + (is_group ? 1 : 0);
	pattern->len = len - (is_group ? 1 : 0);
	if (pattern->len == 0) {
		(void)error_set(err, ERROR_CONFIG, 0,
				is_group ? "@ without a group's name" : "expected a host's name");
		goto out;
	}
	if (is_group && !groups) {
		(void)term_fault(pattern, "no groups are known here", err);
		goto out;
	}
	if (read_pattern(pattern, err) < 0) {
		goto out;
	}
	if (!is_group) {
		status = expand_pattern(pattern, set, err);
		goto out;
	}
	if (nodeset_new(&names, err) < 0 || expand_pattern(pattern, names, err) < 0) {
		goto out;
	}
	status = expand_groups(names, groups, set, err);
out:
	nodeset_free(names);
	if (pattern) {
		free(pattern->range);
	}
	free(pattern);
	return status;
}

/* Which names of the two ordered sets stay: those of `a` alone, of both, of `b` alone. */
static int combine(struct nodeset *a, struct nodeset *b, char op, struct error *err)
{
	bool keep_a = op == '!' || op == '^', keep_both = op == '&';
	bool keep_b = op == '^';
	size_t i = 0, j = 0, kept = 0, most;
	struct block **tail = &a->blocks;
	const char **name;

	put_in_order(a);
	put_in_order(b);
	most = a->count + b->count;
	name = malloc((most ? most : 1) * sizeof(*name));
	if (!name) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	while (i < a->count || j < b->count) {
		int order = i == a->count   ? 1
			    : j == b->count ? -1
					    : nodeset_name_compare(a->name[i], b->name[j]);

		if (order < 0 ? keep_a : order > 0 ? keep_b : keep_both) {
			name[kept++] = order > 0 ? b->name[j] : a->name[i];
		}
		i += order <= 0 ? 1 : 0;
		j += order >= 0 ? 1 : 0;
	}
	while (*tail) {
		tail = &(*tail)->next;
	}
	*tail = b->blocks;
	b->blocks = NULL;
	b->count = 0;
	free(a->name);
	a->name = name;
	a->room = most ? most : 1;
	a->count = kept;
	return too_many(a, err) ? -1 : 0;
}

/* One term with what stands around its name. */
static int expand_named(struct nodeset *set, const char *text, size_t len,
			const struct nodeset_groups *groups, struct error *err)
{
	struct nodeset *hosts = NULL;
	char shown[SHOWN];
	struct where where;
	int status = -1;

	if (len == 0 || text[0] == '@') {
		return expand_term(set, text, len, groups, err);
	}
	if (where_cut(bytes_make(text, len), &where, err) < 0) {
		return -1;
	}
	text = (const char *)where.name.data;
	if (!*where.user && where.port == 0) {
		return expand_term(set, text, where.name.len, groups, err);
	}
	if (!groups || !groups->reach || where.name.len == 0 || text[0] == '@') {
		return error_set(err, ERROR_CONFIG, 0,
				 "\"%s\": a user and a port mean nothing here",
				 escape_text(where.name, shown, sizeof(shown)));
	}
	if (nodeset_new(&hosts, err) == 0 &&
	    expand_term(hosts, text, where.name.len, groups, err) == 0 &&
	    groups->reach(groups->context, hosts, where.user, where.port, err) == 0) {
		status = nodeset_add_set(set, hosts, err);
	}
	nodeset_free(hosts);
	return status;
}

static int apply_term(struct nodeset *set, char op, const char *text, size_t len,
		      const struct nodeset_groups *groups, struct error *err)
{
	struct nodeset *other = NULL;
	int status = -1;

	if (op == ',') {
		return expand_named(set, text, len, groups, err);
	}
	if (nodeset_new(&other, err) == 0 && expand_named(other, text, len, groups, err) == 0) {
		status = combine(set, other, op, err);
	}
	nodeset_free(other);
	return status;
}

/* Length of the term at `text`: up to an operator that is not inside [ ]. */
static size_t term_length(const char *text)
{
	bool inside = false;
	size_t len;

	for (len = 0; text[len]; len++) {
		if (text[len] == '[') {
			inside = true;
		} else if (text[len] == ']') {
			inside = false;
		} else if (strchr("!&^", text[len]) || (text[len] == ',' && !inside)) {
			break;
		}
	}
	return len;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

int nodeset_parse(struct nodeset **set, const char *text, const struct nodeset_groups *groups,
		  struct error *err)
{
	struct nodeset *made = NULL;
	char op = ',';
	int status = -1;

	*set = NULL;
	if (strnlen(text, NODESET_TEXT_MAX + 1) > NODESET_TEXT_MAX) {
		return error_set(err, ERROR_CONFIG, 0, "a list of hosts has at most %zu bytes",
				 NODESET_TEXT_MAX);
	}
	if (nodeset_new(&made, err) < 0) {
		return -1;
	}
	for (;;) {
		size_t len, used;

		while (is_blank(*text)) {
			text++;
		}
		len = term_length(text);
		for (used = len; used > 0 && is_blank(text[used - 1]); used--) {
		}
		if (apply_term(made, op, text, used, groups, err) < 0) {
			goto out;
		}
		text += len;
		if (!*text) {
			break;
		}
		op = *text++;
	}
	put_in_order(made);
	if (too_many(made, err)) {
		goto out;
	}
	*set = made;
	made = NULL;
	status = 0;
out:
	nodeset_free(made);
	return status;
}

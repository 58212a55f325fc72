// SPDX-License-Identifier: MIT
#include "controller/judge/packages.h"

#include <stdlib.h>

#include "controller/judge/cache.h"

/* Which packages an observation or the accepted state has. */

#define BUFFER_ROWS 7 /* of j->buffer; packages.c has the others */

/* Of one name and architecture dpkg has one; a host that names thousands gets no more looks. */
#define VERSIONS_MAX 64U

int installed_compare(const void *left, const void *right)
{
	const struct installed *a = left, *b = right;
	int order = bytes_compare(a->name, b->name);

	if (order == 0) {
		order = bytes_compare(a->arch, b->arch);
	}
	return order != 0 ? order : bytes_compare(a->version, b->version);
}

size_t installed_find(const struct installed_list *list, struct bytes name, struct bytes arch,
		      size_t *count)
{
	struct installed wanted = {name, arch, {NULL, 0}};
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (installed_compare(&list->item[middle], &wanted) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	for (*count = 0; low + *count < list->count && *count < VERSIONS_MAX; (*count)++) {
		const struct installed *one = &list->item[low + *count];

		if (!bytes_equal(one->name, name) || !bytes_equal(one->arch, arch)) {
			break;
		}
	}
	return low;
}

bool installed_has(const struct installed_list *list, const struct one_package *one)
{
	struct installed wanted = {one->key.part[2], one->key.part[4], one->key.part[3]};

	return list->count > 0 && bsearch(&wanted, list->item, list->count, sizeof(*list->item),
					  installed_compare) != NULL;
}

bool package_has_prelink(const struct packages *p)
{
	const struct bytes name = BYTES_LITERAL("prelink");
	size_t low = 0, high = p->now.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bytes_compare(p->now.item[middle].name, name) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low < p->now.count && bytes_equal(p->now.item[low].name, name);
}

struct bytes installed_state_word(struct bytes state, unsigned index)
{
	for (;;) {
		const uint8_t *blank = state.len > 0 ? memchr(state.data, ' ', state.len) : NULL;
		size_t len = blank ? (size_t)(blank - state.data) : state.len;

		if (index-- == 0) {
			return bytes_make(state.data, len);
		}
		if (!blank) {
			return (struct bytes){NULL, 0};
		}
		state = bytes_make(state.data + len + 1, state.len - len - 1);
	}
}

/* Whether its files are on the host. rpm has no such state. */
static bool is_installed(struct bytes state)
{
	struct bytes word = installed_state_word(state, 2);

	return state.len == 0 || !(bytes_equal_string(word, "not-installed") ||
				   bytes_equal_string(word, "config-files"));
}

/* What nothing is to be said about: installed or gone, without a flaw. */
bool installed_is_odd(struct bytes state)
{
	struct bytes word = installed_state_word(state, 2);

	/* rpm knows one state, which the probe says of all. */
	return state.len > 0 && !bytes_equal_string(state, "installed") &&
	       !((bytes_equal_string(word, "installed") ||
		  bytes_equal_string(word, "config-files") ||
		  bytes_equal_string(word, "not-installed")) &&
		 bytes_equal_string(installed_state_word(state, 1), "ok"));
}

int installed_rows(struct judge *j, const struct observation *from, struct bytes manager,
		   struct row_list *rows, bool *found, struct error *err)
{
	const struct bytes none = {NULL, 0};
	struct section_key key = section_key_make(SECTION_PACKAGES, manager, none, none, none);

	return judge_records(j, from, &key, PACKAGES_FIELDS, ROWS_ANY, &j->buffer[BUFFER_ROWS],
			     rows, found, err);
}

static int read_installed(struct judge *j, const struct observation *from, struct packages *p,
			  struct installed_list *list, struct error *err)
{
	struct installed *item;

	if (installed_rows(j, from, p->manager, &p->rows, &list->known, err) < 0) {
		return -1;
	}
	list->item = item = judge_alloc(j, p->rows.count + 1, sizeof(*item));
	for (size_t i = 0; item && i < p->rows.count; i++) {
		const struct record *row = &p->rows.item[i];

		list->has_odd_state = list->has_odd_state ||
				      installed_is_odd(row->field[PACKAGES_STATE]);
		if (is_installed(row->field[PACKAGES_STATE])) {
			item[list->count++] = (struct installed){
				judge_keep(j, row->field[PACKAGES_NAME]),
				judge_keep(j, row->field[PACKAGES_ARCH]),
				judge_keep(j, row->field[PACKAGES_VERSION]),
			};
		}
	}
	if (item && list->count > 1) {
		qsort(item, list->count, sizeof(*item), installed_compare);
	}
	return 0;
}

/* Many hosts have the same list. */
int installed_load(struct judge *j, const struct observation *from, struct packages *p,
		   struct installed_list *list, struct error *err)
{
	const struct bytes none = {NULL, 0};
	struct section_key key = section_key_make(SECTION_PACKAGES, p->manager, none, none, none);
	const struct observed_section *section;
	uint8_t room[SECTION_KEY_MAX];

	section = from ? observation_find(from, judge_key(&key, room)) : NULL;
	if (!j->in->cache || !section) {
		return read_installed(j, from, p, list, err);
	}
	if (cache_find_list(j->in->cache, &section->content, list)) {
		return 0;
	}
	if (read_installed(j, from, p, list, err) < 0) {
		return -1;
	}
	if (list->known && list->item) {
		cache_add_list(j->in->cache, &section->content, list);
	}
	return 0;
}

/* Accepted lines "package M N V A digest". */
void installed_accepted(struct judge *j, struct packages *p)
{
	const struct record_list *records = j->in->accepted_records;
	const struct bytes prefix = BYTES_LITERAL("package ");
	size_t from = known_lines_from(j, prefix), count = 0;
	struct installed *item;

	while (records && from + count < records->count &&
	       bytes_has_prefix(records->line[from + count], prefix)) {
		count++;
	}
	p->accepted.item = item = judge_alloc(j, count + 1, sizeof(*item));
	for (size_t i = 0; item && i < count; i++) {
		struct bytes line = records->line[from + i];
		uint8_t *scratch = judge_alloc(j, line.len, 1);
		struct record record;
		struct error ignored;
		const char *kind;

		/* The baseline refuses what is no such line when it is read. */
		if (scratch && records_read_line(line, scratch, &kind, &record, &ignored) == 0 &&
		    bytes_equal(record.field[0], p->manager)) {
			item[p->accepted.count++] = (struct installed){
				record.field[1], record.field[3], record.field[2]};
		}
	}
	if (item && p->accepted.count > 1) {
		qsort(item, p->accepted.count, sizeof(*item), installed_compare);
	}
}

// SPDX-License-Identifier: MIT
#include "baselines/policy.h"

#include <stdio.h>
#include <stdlib.h>

#include "baselines/arena.h"
#include "baselines/yaml.h"
#include "schema/message.h"

#define POLICY_ITEMS_MAX 4096U
#define POLICY_WORD_MAX 4096U

static const char *const severity_names[] = {"info", "low", "medium", "high", "critical", NULL};

const char *severity_name(enum severity severity)
{
	return (size_t)severity <= SEVERITY_CRITICAL ? severity_names[severity] : "unknown";
}

bool severity_from_name(const char *name, enum severity *severity)
{
	for (size_t i = 0; severity_names[i]; i++) {
		if (strcmp(name, severity_names[i]) == 0) {
			*severity = (enum severity)i;
			return true;
		}
	}
	return false;
}

enum key {
	KEY_ROOTS,
	KEY_VOLATILE,
	KEY_WEB_ROOTS,
	KEY_EXCLUDE,
	KEY_ALWAYS,
	KEY_REHASH_NIGHTS,
	KEY_MAX_AGE,
	KEY_BUDGET_TIME,
	KEY_BUDGET_READ,
	KEY_BUDGET_ENTRIES,
	KEY_BUDGET_DEPTH,
	KEY_READ_RATE,
	KEY_TIMELINE_WINDOW,
	KEY_GENERATED,
	KEY_WEIGHTS,
	KEY_SEVERITIES,
	KEY_KNOWN,
};
static const char *const keys[] = {
	[KEY_ROOTS] = "roots",
	[KEY_VOLATILE] = "volatile",
	[KEY_WEB_ROOTS] = "web_roots",
	[KEY_EXCLUDE] = "exclude",
	[KEY_ALWAYS] = "always",
	[KEY_REHASH_NIGHTS] = "rehash_nights",
	[KEY_MAX_AGE] = "max_age",
	[KEY_BUDGET_TIME] = "budget_time",
	[KEY_BUDGET_READ] = "budget_read",
	[KEY_BUDGET_ENTRIES] = "budget_entries",
	[KEY_BUDGET_DEPTH] = "budget_depth",
	[KEY_READ_RATE] = "read_rate",
	[KEY_TIMELINE_WINDOW] = "timeline_window",
	[KEY_GENERATED] = "generated",
	[KEY_WEIGHTS] = "weights",
	[KEY_SEVERITIES] = "severities",
	[KEY_KNOWN] = "known",
	NULL,
};

/* "path" and "reason" of a list item, "path" and "at_least", "kind", "match" and "reason". */
static const char *const generated_keys[] = {"path", "reason", NULL};
static const char *const weight_keys[] = {"path", "at_least", NULL};
static const char *const known_keys[] = {"kind", "match", "reason", NULL};
static const char *const kinds[] = {
	"diversion",         "statoverride", "path-exclude", "path-include", "alternative",
	"alternative-slave", "mount",        "capability",   "link",         "unowned",
	"owned-link",        "folder",       NULL,
};
#define ITEM_KEYS_MAX 3

struct reader {
	struct yaml_reader *yaml;
	struct policy *policy;
	const char *source;
};

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory for a policy");
}

/*
 * Room for one more of an array that doubles; what it outgrows stays in the arena, which is as much
 * again at most.
 */
static void *grow(struct arena *arena, void *array, size_t count, size_t size)
{
	void *grown;

	if (count > 0 && (count & (count - 1)) != 0) {
		return array;
	}
	grown = arena_alloc(arena, (count == 0 ? 1 : 2 * count) * size);
	if (grown && count > 0) {
		memcpy(grown, array, count * size);
	}
	return grown;
}

static int list_add(struct reader *r, struct string_list *list, const char *text, struct error *err)
{
	char **item;

	if (list->count >= POLICY_ITEMS_MAX) {
		return yaml_reader_fail(r->yaml, err, "more than %u items", POLICY_ITEMS_MAX);
	}
	item = grow(r->policy->memory, list->item, list->count, sizeof(*item));
	if (!item) {
		return no_memory(err);
	}
	list->item = item;
	item[list->count] = arena_string(r->policy->memory, text);
	return item[list->count++] ? 0 : no_memory(err);
}

/* An absolute path without empty or dotted components; nothing but "/" ends in a slash. */
static bool is_clean(const char *path)
{
	const char *start = path + 1;

	if (path[0] != '/') {
		return false;
	}
	for (const char *p = path + 1; path[1] != '\0'; p++) {
		if (*p != '/' && *p != '\0') {
			continue;
		}
		if (p == start || (p - start == 1 && start[0] == '.') ||
		    (p - start == 2 && start[0] == '.' && start[1] == '.')) {
			return false;
		}
		if (*p == '\0') {
			break;
		}
		start = p + 1;
	}
	return true;
}

/* Whether the pattern's ** stands only where it is known: as the last component. */
static bool has_misplaced_stars(const char *pattern)
{
	const char *stars = strstr(pattern, "**");

	return stars && (stars == pattern || stars[-1] != '/' || stars[2] != '\0');
}

enum path_kind {
	PATH_PLAIN,   /* a directory */
	PATH_PATTERN, /* for the probe, which knows no ** */
	PATH_DEEP,    /* for the judge */
};

static int check_path(struct reader *r, enum path_kind kind, const char *path, struct error *err)
{
	if (!is_clean(path)) {
		return yaml_reader_fail(r->yaml, err,
					"not an absolute path without empty or dotted components");
	}
	if (kind == PATH_PATTERN && strstr(path, "**")) {
		return yaml_reader_fail(r->yaml, err, "** is not known here: one * a directory");
	}
	if (kind == PATH_DEEP && has_misplaced_stars(path)) {
		return yaml_reader_fail(r->yaml, err, "** is known only at the end, as /**");
	}
	return 0;
}

static int read_paths(struct reader *r, enum path_kind kind, struct string_list *list,
		      struct error *err)
{
	char text[POLICY_WORD_MAX];
	int more;

	*list = (struct string_list){0};
	if (yaml_reader_list(r->yaml, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_item(r->yaml, err)) > 0) {
		if (yaml_reader_text(r->yaml, text, sizeof(text), err) < 0 ||
		    check_path(r, kind, text, err) < 0) {
			return -1;
		}
		/* They travel in the probe's plan. */
		if (list->count == PLAN_ITEMS_MAX) {
			return yaml_reader_fail(r->yaml, err, "more than %u items",
						(unsigned)PLAN_ITEMS_MAX);
		}
		if (list_add(r, list, text, err) < 0) {
			return -1;
		}
	}
	return more;
}

/* A mapping in which every key of `item_keys` stands, each with a text. */
static int read_item(struct reader *r, const char *const *item_keys, char **values,
		     struct error *err)
{
	char text[POLICY_WORD_MAX];
	size_t key, wanted = 0;
	int more;

	memset(values, 0, ITEM_KEYS_MAX * sizeof(*values));
	if (yaml_reader_map(r->yaml, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_key(r->yaml, item_keys, &key, err)) > 0) {
		if (yaml_reader_text(r->yaml, text, sizeof(text), err) < 0) {
			return -1;
		}
		if (text[0] == '\0') {
			return yaml_reader_fail(r->yaml, err, "%s is empty", item_keys[key]);
		}
		values[key] = arena_string(r->policy->memory, text);
		if (!values[key]) {
			return no_memory(err);
		}
		if (key == 0 && item_keys != known_keys &&
		    check_path(r, PATH_DEEP, text, err) < 0) {
			return -1;
		}
	}
	for (; more == 0 && item_keys[wanted]; wanted++) {
		if (!values[wanted]) {
			return yaml_reader_fail(r->yaml, err, "%s is missing", item_keys[wanted]);
		}
	}
	return more;
}

static int read_generated(struct reader *r, struct error *err)
{
	struct policy *policy = r->policy;
	char *values[ITEM_KEYS_MAX];
	int more;

	policy->generated = (struct string_list){0};
	policy->generated_reasons = (struct string_list){0};
	if (yaml_reader_list(r->yaml, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_item(r->yaml, err)) > 0) {
		if (read_item(r, generated_keys, values, err) < 0 ||
		    list_add(r, &policy->generated, values[0], err) < 0 ||
		    list_add(r, &policy->generated_reasons, values[1], err) < 0) {
			return -1;
		}
	}
	return more;
}

/* A name of the given ones, where reading has already passed it: the fault names its item. */
static int check_word(struct reader *r, const char *const *words, const char *text,
		      const char *what, struct error *err)
{
	for (size_t i = 0; words[i]; i++) {
		if (strcmp(words[i], text) == 0) {
			return 0;
		}
	}
	return yaml_reader_fail(r->yaml, err, "%s is no %s", text, what);
}

static int read_weights(struct reader *r, struct error *err)
{
	struct policy *policy = r->policy;
	char *values[ITEM_KEYS_MAX];
	int more;

	policy->weights = NULL;
	policy->weight_count = 0;
	if (yaml_reader_list(r->yaml, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_item(r->yaml, err)) > 0) {
		struct policy_weight *weight;

		if (policy->weight_count >= POLICY_ITEMS_MAX) {
			return yaml_reader_fail(r->yaml, err, "more than %u items",
						POLICY_ITEMS_MAX);
		}
		if (read_item(r, weight_keys, values, err) < 0 ||
		    check_word(r, severity_names, values[1], "severity", err) < 0) {
			return -1;
		}
		weight = grow(policy->memory, policy->weights, policy->weight_count,
			      sizeof(*weight));
		if (!weight) {
			return no_memory(err);
		}
		policy->weights = weight;
		weight += policy->weight_count++;
		weight->pattern = values[0];
		(void)severity_from_name(values[1], &weight->at_least);
	}
	return more;
}

static int read_known(struct reader *r, struct error *err)
{
	struct policy *policy = r->policy;
	char *values[ITEM_KEYS_MAX];
	int more;

	policy->known = NULL;
	policy->known_count = 0;
	if (yaml_reader_list(r->yaml, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_item(r->yaml, err)) > 0) {
		struct policy_known *known;

		if (policy->known_count >= POLICY_ITEMS_MAX) {
			return yaml_reader_fail(r->yaml, err, "more than %u items",
						POLICY_ITEMS_MAX);
		}
		if (read_item(r, known_keys, values, err) < 0 ||
		    check_word(r, kinds, values[0], "kind of exception", err) < 0) {
			return -1;
		}
		known = grow(policy->memory, policy->known, policy->known_count, sizeof(*known));
		if (!known) {
			return no_memory(err);
		}
		policy->known = known;
		known += policy->known_count++;
		*known = (struct policy_known){values[0], values[1], values[2]};
	}
	return more;
}

static bool is_rule_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz-.");

	return len > 0 && name[len] == '\0';
}

static int read_severities(struct reader *r, struct error *err)
{
	char rule[64], item[128], place[160];
	size_t severity, line, column;
	int more;

	r->policy->severities = (struct string_list){0};
	r->policy->severity_places = (struct string_list){0};
	if (yaml_reader_map(r->yaml, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_any_key(r->yaml, rule, sizeof(rule), err)) > 0) {
		size_t len = strlen(rule);

		if (!is_rule_name(rule)) {
			return yaml_reader_fail(r->yaml, err, "not the name of a rule");
		}
		for (size_t i = 0; i < r->policy->severities.count; i++) {
			const char *other = r->policy->severities.item[i];

			if (strncmp(other, rule, len) == 0 && other[len] == '=') {
				return yaml_reader_fail(r->yaml, err, "%s stands twice", rule);
			}
		}
		yaml_reader_place(r->yaml, &line, &column);
		if (yaml_reader_word(r->yaml, severity_names, &severity, err) < 0) {
			return -1;
		}
		(void)snprintf(place, sizeof(place), "%.100s:%zu:%zu", r->source, line, column);
		(void)snprintf(item, sizeof(item), "%s=%s", rule, severity_names[severity]);
		if (list_add(r, &r->policy->severities, item, err) < 0 ||
		    list_add(r, &r->policy->severity_places, place, err) < 0) {
			return -1;
		}
	}
	return more;
}

/* A number of bytes: 4096, 64K, 200M, 8G. */
static int read_size(struct reader *r, uint64_t *size, struct error *err)
{
	static const char units[] = "KMG";
	char text[32], *end;
	const char *unit;
	unsigned long long number;
	unsigned shift = 0;

	if (yaml_reader_text(r->yaml, text, sizeof(text), err) < 0) {
		return -1;
	}
	number = strtoull(text, &end, 10);
	unit = *end != '\0' ? strchr(units, *end) : NULL;
	if (unit) {
		shift = 10 * (unsigned)(unit - units + 1);
		end++;
	}
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || number > UINT64_MAX >> 1 >> shift) {
		return yaml_reader_fail(r->yaml, err, "not a size such as 4096, 64K, 200M or 8G");
	}
	*size = (uint64_t)number << shift;
	return 0;
}

static int read_seconds(struct reader *r, uint64_t most, uint64_t *seconds, struct error *err)
{
	return yaml_reader_duration(r->yaml, 0, most, seconds, err);
}

static int read_number(struct reader *r, enum key key, struct error *err)
{
	struct policy *policy = r->policy;
	uint64_t number = 0;
	int result = -1;

	switch (key) {
	case KEY_REHASH_NIGHTS:
		result = yaml_reader_number(r->yaml, 1, 3650, &number, err);
		policy->rehash_of = (uint32_t)number;
		return result;
	case KEY_MAX_AGE:
		result = read_seconds(r, UINT32_MAX, &number, err);
		policy->max_age_s = (uint32_t)number;
		return result;
	case KEY_BUDGET_TIME:
		result = read_seconds(r, UINT32_MAX, &number, err);
		policy->budget_s = (uint32_t)number;
		return result;
	case KEY_BUDGET_READ:
		return read_size(r, &policy->budget_read_bytes, err);
	case KEY_BUDGET_ENTRIES:
		return yaml_reader_number(r->yaml, 0, UINT64_MAX >> 1, &policy->budget_entries,
					  err);
	case KEY_BUDGET_DEPTH:
		result = yaml_reader_number(r->yaml, 0, 4096, &number, err);
		policy->budget_depth = (uint32_t)number;
		return result;
	case KEY_READ_RATE:
		return read_size(r, &policy->rate_bytes_s, err);
	case KEY_TIMELINE_WINDOW:
		result = read_seconds(r, UINT32_MAX, &number, err);
		policy->timeline_window_s = (int64_t)number;
		return result;
	default:
		return result;
	}
}

static int read_value(struct reader *r, enum key key, struct error *err)
{
	struct policy *policy = r->policy;

	switch (key) {
	case KEY_ROOTS:
		return read_paths(r, PATH_PLAIN, &policy->roots, err);
	case KEY_VOLATILE:
		return read_paths(r, PATH_PLAIN, &policy->volatiles, err);
	case KEY_WEB_ROOTS:
		return read_paths(r, PATH_PLAIN, &policy->web_roots, err);
	case KEY_EXCLUDE:
		return read_paths(r, PATH_PATTERN, &policy->excludes, err);
	case KEY_ALWAYS:
		return read_paths(r, PATH_PATTERN, &policy->always, err);
	case KEY_GENERATED:
		return read_generated(r, err);
	case KEY_WEIGHTS:
		return read_weights(r, err);
	case KEY_SEVERITIES:
		return read_severities(r, err);
	case KEY_KNOWN:
		return read_known(r, err);
	default:
		return read_number(r, key, err);
	}
}

static int read_document(struct reader *r, struct error *err)
{
	enum yaml_value value;
	size_t key;
	int more = 0;

	if (yaml_reader_peek(r->yaml, &value, err) < 0) {
		return -1;
	}
	if (value == YAML_VALUE_NONE) {
		return 0;
	}
	if (yaml_reader_map(r->yaml, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_key(r->yaml, keys, &key, err)) > 0) {
		if (read_value(r, (enum key)key, err) < 0) {
			return -1;
		}
	}
	return more < 0 ? -1 : yaml_reader_done(r->yaml, err);
}

int policy_parse(const char *source, struct bytes text, struct policy **policy, struct error *err)
{
	struct reader r = {.source = source};
	int result = -1;

	r.policy = malloc(sizeof(*r.policy));
	if (!r.policy) {
		return no_memory(err);
	}
	*r.policy = *policy_default();
	r.policy->memory = calloc(1, sizeof(*r.policy->memory));
	if (!r.policy->memory) {
		(void)no_memory(err);
		goto out;
	}
	if (yaml_reader_new(&r.yaml, source, text, err) < 0 || read_document(&r, err) < 0) {
		goto out;
	}
	*policy = r.policy;
	r.policy = NULL;
	result = 0;
out:
	yaml_reader_free(r.yaml);
	policy_free(r.policy);
	return result;
}

void policy_free(struct policy *policy)
{
	if (!policy) {
		return;
	}
	if (policy->memory) {
		arena_clear(policy->memory);
	}
	free(policy->memory);
	free(policy);
}
